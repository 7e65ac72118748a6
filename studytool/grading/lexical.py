"""How alike two texts are by their words: weighted recall, TF-IDF cosine, BM25, contrasts.

Weights are inverse document frequencies over the card's own texts, so a word that all of its
points share says little; words of the question count less still. Nothing here knows a subject.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studytool.grading.text import stem, tokens
from studytool.grading.units import Reading
from studytool.grading.words import OPPOSITES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from studytool.grading.rubric import Rubric
    from studytool.grading.units import Unit

#: What a word of the question weighs against another.
QUESTION_WEIGHT = 0.4
#: Two words with this many first letters in common are forms of one.
_PREFIX = 5
#: Saturation of repeated words and weight of length in BM25 (Robertson and Zaragoza 2009).
_K1, _B = 1.2, 0.75

_OPPOSITES: dict[str, frozenset[str]] = {}
for _left, _right in OPPOSITES:
    for _one, _other in ((_left, _right), (_right, _left)):
        _OPPOSITES[stem(_one)] = _OPPOSITES.get(stem(_one), frozenset()) | {stem(_other)}


@dataclass(frozen=True, slots=True)
class Statement:
    """A text of the card as it is compared: stems of content words, which are denied, numbers."""

    text: str
    stems: tuple[str, ...]
    denied: Mapping[str, bool]
    numbers: frozenset[str]

    @property
    def denies(self) -> bool:
        """Whether most of its words are denied."""
        return 2 * sum(self.denied.values()) > len(self.denied)


def statement(text: str) -> Statement:
    """`text` as a Statement."""
    reading = Reading(text)
    flags = {
        token.stem: odd
        for token, odd in zip(reading.tokens, reading.denied, strict=True)
        if not token.function
    }
    numbers = frozenset(token.stem for token in reading.tokens if token.number)
    stems = tuple(token.stem for token in reading.tokens if not token.function)
    return Statement(text, stems, flags, numbers)


class Lexicon:
    """Weights of words for one rubric, and comparisons that use them."""

    def __init__(self, rubric: Rubric) -> None:
        documents = [
            {stem_ for text in group for stem_ in _content(text)}
            for group in (
                *(point.wordings for point in rubric.points),
                *((wrong.text,) for point in rubric.points for wrong in point.wrong),
                *((wrong.text,) for wrong in rubric.misconceptions),
                *((sentence,) for sentence in rubric.context),
            )
        ]
        self._count = max(1, len(documents))
        self._frequency = Counter(stem_ for document in documents for stem_ in document)
        self.question = frozenset(_content(rubric.question))
        lengths = [len(document) for document in documents]
        self._mean_length = sum(lengths) / self._count if lengths else 1.0

    def weight(self, stem_: str) -> float:
        """Inverse document frequency; a word the card does not use has the highest."""
        weight = math.log1p(self._count / (1 + self._frequency.get(stem_, 0)))
        return weight * QUESTION_WEIGHT if stem_ in self.question else weight

    def total(self, stems: Iterable[str]) -> float:
        return sum(map(self.weight, stems))

    def recall(self, said: Collection[str], wanted: Collection[str]) -> float:
        """The share of the weight of `wanted` that `said` has, 0..1."""
        wanted = set(wanted)
        total = self.total(wanted)
        if not total:
            return 0.0
        return sum(self.weight(one) * _found(one, said) for one in wanted) / total

    def cosine(self, said: Collection[str], wanted: Collection[str]) -> float:
        """TF-IDF cosine of two bags of stems."""
        left, right = Counter(said), Counter(wanted)
        dot = sum(left[one] * right[one] * self.weight(one) ** 2 for one in left.keys() & right)
        if not dot:
            return 0.0
        return dot / (self._norm(left) * self._norm(right))

    def bm25(self, said: Collection[str], wanted: Collection[str]) -> float:
        """BM25 of `said` as a document for the query `wanted`, as a share of the query's own best."""
        counts = Counter(said)
        wanted = set(wanted)
        best = self.total(wanted) * (_K1 + 1)
        if not best or not counts:
            return 0.0
        length = 1 - _B + _B * len(said) / max(1.0, self._mean_length)
        return (
            sum(
                self.weight(one) * counts[one] * (_K1 + 1) / (counts[one] + _K1 * length)
                for one in wanted & counts.keys()
            )
            / best
        )

    def agreement(self, unit: Unit, said: Statement) -> float:
        """Whether the unit asserts what `said` asserts (1) or denies it (-1), by their shared words.

        With no shared word, half as sure, by which of them is mostly denied.
        """
        same = differ = 0.0
        for token, odd in zip(unit.tokens, unit.denied, strict=True):
            if token.function or token.stem not in said.denied:
                continue
            weight = self.weight(token.stem)
            if odd == said.denied[token.stem]:
                same += weight
            else:
                differ += weight
        if same + differ:
            return (same - differ) / (same + differ)
        denies = 2 * sum(unit.denied) > len(unit.denied)
        return 0.5 if denies == said.denies else -0.5

    def _norm(self, bag: Counter[str]) -> float:
        return math.sqrt(sum((count * self.weight(one)) ** 2 for one, count in bag.items()))


def clash(said: Collection[str], wanted: Collection[str]) -> int:
    """How many words of `wanted` stand in `said` only as their opposites."""
    said, wanted = set(said), set(wanted)
    return sum(
        1
        for one in wanted - said
        if (contrary := _OPPOSITES.get(one)) and contrary & said and not contrary & wanted
    )


def number_clash(said: frozenset[str], wanted: frozenset[str]) -> bool:
    """Whether both give numbers and not one of them is the same."""
    return bool(said and wanted and not said & wanted)


def _content(text: str) -> list[str]:
    return [token.stem for token in tokens(text) if not token.function]


def _found(wanted: str, said: Collection[str]) -> float:
    """1 when `wanted` is among `said`, .8 when another form of it is, else 0."""
    if wanted in said:
        return 1.0
    if len(wanted) < _PREFIX:
        return 0.0
    head = wanted[:_PREFIX]
    return (
        0.8
        if any(one.startswith(head) and abs(len(one) - len(wanted)) <= 4 for one in said)
        else 0.0
    )
