"""Fits the direction of tone: what is so against mistakes as people voice them.

Two sources: the mistakes and truths that the deck's authors wrote (of cards without a place in the
development set), and the sentences of wrong against excellent and partial answers. Features of
tone that something else is fitted on are always made by a direction that has not seen the
question.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression

from studytool.deck.citations import sentences
from studytool.grading.decide import Tone
from studytool.grading.features import tone_features
from studytool.grading.text import plain
from tests.grading import devset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from studytool.grading.encoder import Encoder
    from tests.grading.devset import Row

PENALTY = 1.0
FOLDS = 4
#: Shorter pieces of an answer say nothing by themselves.
_FEWEST_WORDS = 4


class ToneTrainer:
    """Holds the deck's statements, encoded once."""

    def __init__(self, encoder: Encoder) -> None:
        self._name = encoder.name
        texts, labels = _statements()
        self._vectors = encoder.encode(texts)
        self._labels = np.array(labels)

    def fit(self, rows: Sequence[Row]) -> Tone:
        """The direction from the deck's statements and the answers in `rows`."""
        vectors, labels = [self._vectors], [self._labels]
        for row in _answers(rows):
            if row.vectors is not None and row.kind in ("wrong", "excellent", "partial"):
                said = row.vectors[list(row.sentences)]
                vectors.append(said)
                labels.append(np.full(len(said), row.kind == "wrong"))
        model = LogisticRegression(C=PENALTY, max_iter=2000, class_weight="balanced")
        model.fit(np.vstack(vectors), np.concatenate(labels))
        weights = tuple(float(f"{value:.4g}") for value in model.coef_[0])
        return Tone(encoder=self._name, weights=weights, bias=float(model.intercept_[0]))

    def out_of_fold(self, rows: Sequence[Row]) -> list[Row]:
        """The rows with features of tone, each by a direction that has not seen its question."""
        cards = list(dict.fromkeys(row.card for row in rows))
        fold = {card: at % FOLDS for at, card in enumerate(cards)}
        tones = [self.fit([row for row in rows if fold[row.card] != at]) for at in range(FOLDS)]
        return [toned(row, tones[fold[row.card]]) for row in rows]


def toned(row: Row, tone: Tone) -> Row:
    """The row with its features of tone; a row without vectors stays as it is."""
    if row.vectors is None or row.features is None:
        return row
    heard: NDArray[np.float32] = row.vectors @ np.array(tone.weights, np.float32) + tone.bias
    found = tone_features(heard.tolist(), row.sentences, row.near)
    return replace(row, features=row.features | found)


def _answers(rows: Sequence[Row]) -> list[Row]:
    """One row of each answer."""
    return list({(row.card, row.answer): row for row in rows}.values())


def _statements() -> tuple[list[str], list[bool]]:
    """What the deck's authors say is so (False) and what they call mistakes (True)."""
    split = devset.split()
    found: list[tuple[str, bool]] = []
    for name, card in devset.cards().items():
        if name in split.everything:
            continue
        wrongs = [wrong for point in card.key_points for wrong in point.wrong]
        found += [(plain(one.text), True) for one in (*wrongs, *card.misconceptions)]
        found += [(plain(one.why), False) for one in wrongs]
        found += [(plain(point.text), False) for point in card.key_points]
        said = [plain(card.answer[start:end]) for start, end in sentences(card.answer)]
        found += [(text, False) for text in said if len(text.split()) >= _FEWEST_WORDS]
    kept = [(text, label) for text, label in found if text]
    return [text for text, _ in kept], [label for _, label in kept]
