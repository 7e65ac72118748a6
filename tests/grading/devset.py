"""The development set: rubric answers to cards of the deck, labelled point by point.

`dev/<card-id>.json` holds the answers to one card; `dev/SPLIT.json` names the cards to tune on,
those held out, and those written afresh, whose answers were written and labelled before any verdict
on them was seen. Neither held-out nor fresh cards are looked at while anything is chosen or fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from studytool.deck.load import load_folders
from studytool.grading.features import Subject, Table, features
from studytool.grading.grader import Grader
from studytool.grading.rubric import rubric
from studytool.grading.units import Reading
from studytool.grading.vectors import VectorCache, cosines
from studytool.paths import builtin_content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from studytool.deck.model import Card
    from studytool.grading.encoder import Encoder
    from studytool.grading.rubric import Rubric

FOLDER = Path(__file__).parent / "dev"
KINDS = (
    "excellent", "partial", "wrong", "mixed", "refuting", "stuffed", "echo", "off-topic",
)  # fmt: skip


class Answer(msgspec.Struct, frozen=True):
    """One answer; `labels` has "covered", "missed" or "contradicted" for each key point."""

    id: str
    kind: str
    style: str
    text: str
    labels: tuple[str, ...]
    score: float


class Question(msgspec.Struct, frozen=True):
    """All answers to one card; `points` are the key points they were labelled against."""

    card: str
    points: tuple[str, ...]
    answers: tuple[Answer, ...]


class Split(msgspec.Struct, frozen=True):
    tune: tuple[str, ...]
    held_out: tuple[str, ...]
    fresh: tuple[str, ...]

    @property
    def everything(self) -> tuple[str, ...]:
        return (*self.tune, *self.held_out, *self.fresh)


@dataclass(frozen=True, slots=True)
class Row:
    """One key point of one answer; `features` is None when a gate left nothing to judge.

    `vectors` has a row for each unit of the answer, `sentences` those that are sentences, `near`
    the one nearest to the point: what the features of tone are made of.
    """

    card: str
    answer: str
    kind: str
    weight: int
    label: str
    human: float
    features: dict[str, float] | None
    near: int = 0
    sentences: tuple[int, ...] = ()
    vectors: NDArray[np.float32] | None = None


class Memo:
    """An encoder that remembers: the same units are met with and without authored mistakes."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.identity = encoder.name, encoder.identity
        self._encoder = encoder
        self._rows: dict[str, NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        fresh = [text for text in dict.fromkeys(texts) if text not in self._rows]
        if fresh:
            self._rows.update(zip(fresh, self._encoder.encode(fresh), strict=True))
        return np.stack([self._rows[text] for text in texts])


def split() -> Split:
    return msgspec.json.decode((FOLDER / "SPLIT.json").read_bytes(), type=Split)


def questions(names: Sequence[str]) -> list[Question]:
    """The questions of `names`, in their order."""
    return [
        msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=Question) for name in names
    ]


def cards() -> dict[str, Card]:
    return {one.card.id: one.card for one in load_folders([builtin_content()]).cards}


def without_wrongs(card: Card) -> Card:
    """The card as an author who wrote down no mistakes would have left it."""
    points = tuple(msgspec.structs.replace(point, wrong=()) for point in card.key_points)
    return msgspec.structs.replace(card, key_points=points, misconceptions=())


def rows(names: Sequence[str], encoder: Encoder | None, *, wrongs: bool = True) -> list[Row]:
    """The features of every key point of every answer to the cards `names`, but those of tone."""
    grader, deck, found = Grader(), cards(), []
    cache = VectorCache(None)
    for question in questions(names):
        card = deck[question.card] if wrongs else without_wrongs(deck[question.card])
        wanted = rubric(card)
        subject = Subject(wanted)
        vectors = cache.vectors(encoder, wanted.texts) if encoder is not None else None
        for answer in question.answers:
            units, _ = grader.units(Reading(answer.text), subject)
            compared, encoded = None, None
            if units:
                if encoder is not None and vectors is not None:
                    encoded = encoder.encode([unit.text for unit in units])
                near = cosines(encoded, vectors) if encoded is not None and vectors else None
                compared = Table(subject, units, vectors, near)
            found += _rows(question.card, answer, wanted, compared, encoded)
    return found


def _rows(
    card: str,
    answer: Answer,
    wanted: Rubric,
    compared: Table | None,
    encoded: NDArray[np.float32] | None,
) -> list[Row]:
    judged = features(compared) if compared is not None else [None] * len(wanted.points)
    return [
        Row(
            card=card,
            answer=answer.id,
            kind=answer.kind,
            weight=point.weight,
            label=label,
            human=answer.score,
            features=evidence.values if evidence is not None else None,
            near=evidence.near if evidence is not None else 0,
            sentences=tuple(compared.sentences) if compared is not None else (),
            vectors=encoded,
        )
        for point, label, evidence in zip(wanted.points, answer.labels, judged, strict=True)
    ]
