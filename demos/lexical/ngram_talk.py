"""What n-gram models say: generated text, likely next words, and where they are surprised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from demos.kit.ngram_tables import END, UNKNOWN, Split, Tables
from studytool.demo.events import Cell, Event, Note, Table, Text

F64 = NDArray[np.float64]
_LIKELY = 10


class Model(Protocol):
    """A model of order n that knows the probability of every next word."""

    @property
    def n(self) -> int: ...

    def spread(self, symbols: Sequence[int]) -> F64: ...


@dataclass(frozen=True)
class Storyteller:
    """Answers a few words with what may follow them, by models of rising order."""

    models: Sequence[Model]
    split: Split
    length: int
    seed: Sequence[int]

    def explore(self, request: str) -> Iterator[Event]:
        """`in the`: likely next words, and a continuation by the highest order."""
        words = request.lower().split()
        if not words:
            yield Note("type a few words, such as: at the end of")
            return
        numbers = self.split.numbers(words)
        unknown = [word for word, n in zip(words, numbers, strict=True) if n == UNKNOWN]
        if unknown:
            yield Note(f"the training text hardly has {', '.join(unknown)}: read as <unknown>")
        yield self.likely(numbers, request.strip())
        yield Text("explore-text", f"n = {self.models[-1].n}", self.tell(self.models[-1], words))

    def likely(self, numbers: Sequence[int], title: str) -> Table:
        """The likeliest next words by the highest order, with what lower orders give them."""
        spreads = [model.spread(numbers) for model in self.models]
        best = np.argsort(-spreads[-1], kind="stable")[:_LIKELY]
        rows: list[list[Cell]] = [
            [self.split.names[word], *(float(f"{spread[word]:.3g}") for spread in spreads)]
            for word in best
        ]
        columns = ["next word", *(f"n = {model.n}" for model in self.models)]
        return Table("likely", f"After “{title}”: probability by n", columns, rows)

    def tell(self, model: Model, words: Sequence[str]) -> str:
        """Text drawn word by word from the model, never <unknown>; several sentences if need be.

        Each call with the same words draws alike.
        """
        rng = np.random.default_rng([*self.seed, model.n])
        numbers, said = self.split.numbers(words), list(words)
        for _ in range(self.length):
            chances = model.spread(numbers)
            chances[UNKNOWN] = 0
            word = int(rng.choice(len(chances), p=chances / chances.sum()))
            numbers = [] if word == END else [*numbers, word]
            said.append("." if word == END else self.split.names[word])
        return " ".join(said).replace(" .", ".")


def versatile_table(tables: Tables, names: Sequence[str]) -> Table:
    """Words that are frequent, yet stand after few different words: the Franciscos of this text."""
    unigrams = tables.levels[0]
    often = np.flatnonzero(unigrams.raw[: tables.size] >= 50)
    order = often[np.argsort(unigrams.lefts[often] / unigrams.raw[often], kind="stable")]
    rows: list[list[Cell]] = []
    bigrams = tables.levels[1]
    for word in order[:8]:
        pairs = np.flatnonzero(bigrams.keys % tables.base == word)
        before = bigrams.keys[pairs[bigrams.raw[pairs].argmax()]] // tables.base
        left = names[before] if before < len(names) else "<s>"
        rows.append([names[word], int(unigrams.raw[word]), int(unigrams.lefts[word]), left])
    columns = ["word", "occurrences", "different words before it", "most often after"]
    return Table("versatile", "Frequent words that follow few others", columns, rows)


def surprise_table(words: Sequence[str], scores: Mapping[str, F64], note: str = "") -> Table:
    """Each word of a held-out sentence with its surprise in bits under each model."""
    rows: list[list[Cell]] = [
        [word, *(round(-log2(p[i]), 1) if p[i] > 0 else "impossible" for p in scores.values())]
        for i, word in enumerate(words)
    ]
    title = "A held-out sentence: surprise of each word, in bits"
    return Table("surprise", title, ["word", *scores], rows, note)
