"""Answers a typed sentence with the nearest uses, and two sentences with a word that both have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from demos.contextual.uses import Use, words_of_uses
from demos.contextual.uses_space import Labels, Lens, table_of_cosines, use_vectors
from demos.kit.minilm import MiniLM
from studytool.demo.events import Cell, Event, Note, Table

_SHOWN = 6
_LONGEST = 600
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class SenseFinder:
    """Keeps the uses' vectors, (layers, uses, width), and the layer that told senses best."""

    model: MiniLM
    uses: Sequence[Use]
    vectors: np.ndarray
    layer: int
    vector: str
    cosine: str

    def explore(self, request: str) -> Iterator[Event]:
        """`The bat flew home.` or `He sat on the bank. / The bank lent him money.`"""
        sentences = [part.strip() for part in request[:_LONGEST].split("/") if part.strip()]
        if len(sentences) == 2:
            yield from self._compare(sentences[0], sentences[1])
        elif len(sentences) == 1:
            yield from self._nearest(sentences[0])
        else:
            yield Note("type a sentence, or two sentences separated by /")

    def _nearest(self, sentence: str) -> Iterator[Event]:
        known = [word for word in words_of_uses(self.uses) if word in _words(sentence)]
        if not known:
            words = ", ".join(words_of_uses(self.uses))
            yield Note(
                f"the sentence has none of the words {words}; for any other word give two "
                "sentences that have it, separated by /"
            )
        for word in known:
            yield self._table(word, sentence)

    def _table(self, word: str, sentence: str) -> Table:
        kept = self.vectors[self.layer]
        words = [use.word for use in self.uses]
        lens = Lens.fit(self.cosine, kept, words)
        new = use_vectors(self.model, word, sentence, self.vector)[self.layer][None]
        cosines = lens.unit(kept, words) @ lens.unit(new, [word])[0]
        order = [i for i in np.argsort(-cosines, kind="stable") if words[i] == word][:_SHOWN]
        rows: list[list[Cell]] = [
            [self.uses[i].sense, round(float(cosines[i]), 3), self.uses[i].sentence] for i in order
        ]
        note = f"layer {self.layer}, {self.cosine} cosines; the nearest says: {rows[0][0]}"
        return Table("explore", f"{word} in “{sentence}”", ["sense", "cosine", "use"], rows, note)

    def _compare(self, first: str, second: str) -> Iterator[Event]:
        shared = [word for word in _words(first) if word in _words(second)]
        known = [word for word in shared if word in words_of_uses(self.uses)]
        if not shared:
            yield Note("the two sentences have no word in common, so there is nothing to compare")
            return
        word = (known or sorted(shared, key=len, reverse=True))[0]
        pair = [use_vectors(self.model, word, each, self.vector) for each in (first, second)]
        labels = Labels(self.uses)
        words = [use.word for use in self.uses]
        rows: list[list[Cell]] = [["static", 1.0, 1.0, 1.0]]
        for layer, kept in enumerate(self.vectors):
            lens = Lens.fit(self.cosine, kept, words)
            ours = lens.unit(np.stack([each[layer] for each in pair]), [word] * 2)
            cosines = table_of_cosines(self.cosine, kept, words)
            means = [float(cosines[mask].mean()) for mask in (labels.same, labels.different)]
            rows.append(
                [f"layer {layer}", *(round(x, 3) for x in (float(ours[0] @ ours[1]), *means))]
            )
        columns = ["", f"{word} in both", "uses of one sense", "uses of two senses"]
        note = "the last two columns are the means over this run's sentences"
        yield Table("explore-pair", f"“{first}” and “{second}”", columns, rows, note)


def _words(sentence: str) -> list[str]:
    return list(dict.fromkeys(_WORD.findall(sentence.lower())))
