"""All n-grams of a text as sorted arrays: counted, and found again, many at a time.

An n-gram is packed into one number from the number of its first n - 1 words, itself an n-gram of
the table below, and its last word. So any n and any vocabulary fit into 64 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from demos.kit.corpus import SENTENCE_END, Corpus
from demos.kit.data import DataFault

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]
T = TypeVar("T", np.float64, np.int64)

#: Numbers of what stands for any rare word, and for the end of a sentence. Words follow.
UNKNOWN, END = 0, 1
_WORDS_FROM = 2
#: Of a text that is no collection of documents, this many sentences pass for one.
SENTENCES_PER_PIECE = 100
#: Words and sentence ends that are read of a long text: their n-grams are held in memory.
MAX_PLACES = 4_000_000


@dataclass(frozen=True)
class Split:
    """A text in two parts, as numbers of words known to the first.

    In `train` and `test` one or more opening symbols, numbered from `size` on, stand before each
    sentence, and END after it; `piece` says for each place of `train` which document it is from.
    `names` are the symbols that can be predicted, by number: UNKNOWN, END and the words.
    """

    train: I64
    test: I64
    piece: I64
    names: list[str]

    @property
    def size(self) -> int:
        return len(self.names)

    def numbers(self, words: Sequence[str]) -> list[int]:
        """The numbers of the words, UNKNOWN for a word that the training text lacks."""
        known = {name: number for number, name in enumerate(self.names)}
        return [known.get(word, UNKNOWN) for word in words]

    def reopened(self, openings: int) -> Split:
        """The same text with so many opening symbols, each of its own number, not just one."""
        train, test = (_reopened(part, self.size, openings) for part in (self.train, self.test))
        piece = np.repeat(self.piece, np.where(self.train == self.size, openings, 1))
        return Split(train, test, piece, self.names)


def split(corpus: Corpus, every: int, first: int, min_count: int) -> Split:
    """Hold out every `every`-th document from `first` on; words below `min_count` are unknown.

    One opening symbol stands before each sentence. Raises DataFault when nothing is left to
    train or to test on.
    """
    ids = _whole_sentences(corpus)
    word = ids != SENTENCE_END
    sentence = np.cumsum(~word) - ~word
    begins = np.flatnonzero(np.concatenate(([True], ~word[:-1])))
    piece = _documents(corpus, word, begins)
    held = piece % every == first % every
    if held.all() or not held.any():
        raise DataFault(
            f"{corpus.name} has {piece[-1] + 1} documents, too few to hold out every {every}th",
            "Use a longer text, or hold out more often.",
        )
    training = ids[word & ~held[sentence]]
    counts = np.bincount(training, minlength=len(corpus.words))[: len(corpus.words)]
    kept = np.flatnonzero(counts >= min_count)
    number = np.full(len(corpus.words) + 2, UNKNOWN)  # the last for SENTENCE_END
    number[kept] = np.arange(len(kept)) + _WORDS_FROM
    number[SENTENCE_END] = END
    names = ["<unknown>", "</s>", *(corpus.words[i] for i in kept)]
    opened = np.insert(number[ids], begins, len(names))
    test = np.insert(held[sentence], begins, held)
    pieces = np.insert(piece[sentence], begins, piece)
    return Split(opened[~test], opened[test], pieces[~test], names)


def _whole_sentences(corpus: Corpus) -> I64:
    ids = np.asarray(corpus.ids[:MAX_PLACES]).astype(np.int64)
    ends = np.flatnonzero(ids == SENTENCE_END)
    return ids[: ends[-1] + 1] if len(ends) else np.append(ids, SENTENCE_END)


def _documents(corpus: Corpus, word: NDArray[np.bool_], begins: I64) -> I64:
    """The document of each sentence."""
    if len(corpus.starts) == 1:
        return np.arange(len(begins)) // SENTENCES_PER_PIECE
    words_up_to = np.cumsum(word)[begins]
    return np.searchsorted(corpus.starts, words_up_to - 1, "right") - 1


def _reopened(stream: I64, size: int, openings: int) -> I64:
    copies = np.where(stream == size, openings, 1)
    repeated = np.repeat(stream, copies)
    repeated[repeated == size] = np.tile(size + np.arange(openings), int((stream == size).sum()))
    return repeated


def at_or(values: NDArray[T], index: I64, other: float) -> NDArray[T]:
    """The values at each index, and `other` where the index is -1 or one past the end."""
    return np.append(values, np.array(other, values.dtype))[index]


@dataclass(frozen=True)
class Level:
    """The k-grams of one k, in the order of `keys` = number of the (k-1)-gram * base + word.

    `raw` is how often each occurs, 0 for openings. `lefts` is how many different words stand to
    its left; a k-gram that begins with an opening keeps its raw count there. `history` is the
    number of its first k - 1 words; there is one empty history for k = 1.
    """

    keys: I64
    raw: F64
    lefts: F64
    history: I64
    histories: int


@dataclass(frozen=True)
class Tables:
    """The k-grams of a text for k = 1, 2, … Symbols below `size` can be predicted."""

    levels: list[Level]
    size: int
    base: int

    def locate(self, stream: I64) -> list[I64]:
        """For each k, which k-gram ends at each place of `stream`; -1 where none that is known."""
        found = [stream]
        for level in self.levels[1:]:
            prefix = found[-1][:-1]
            packed = prefix * self.base + stream[1:]
            at = np.searchsorted(level.keys, packed)
            known = (prefix >= 0) & (at_or(level.keys, at, -1) == packed)
            found.append(np.concatenate(([-1], np.where(known, at, -1))))
        return found

    def followers(self, k: int, history: int) -> slice:
        """Where the k-grams with this history stand in level k."""
        bounds = [history * self.base, (history + 1) * self.base]
        low, high = np.searchsorted(self.levels[k - 1].keys, bounds)
        return slice(int(low), int(high))


def count(stream: I64, size: int, longest: int, openings: int = 1) -> Tables:
    """Count the k-grams within sentences for k = 1 … `longest`.

    Each sentence begins with the symbols `size` … `size + openings - 1`, which are never
    predicted.
    """
    base = size + openings
    place = np.arange(len(stream))
    place -= np.maximum.accumulate(np.where(stream == size, place, 0))
    keys, ids = np.arange(base), stream
    raw = np.bincount(stream, minlength=base).astype(float)
    raw[size:] = 0
    opens, history, histories = keys >= size, np.zeros(base, np.int64), 1
    levels = []
    for k in range(2, longest + 1):
        here = np.flatnonzero(place >= k - 1)
        packed = ids[here - 1] * base + stream[here]
        longer, first, inverse, seen = np.unique(
            packed, return_index=True, return_inverse=True, return_counts=True
        )
        lefts = np.bincount(ids[here[first]], minlength=len(keys)).astype(float)
        levels.append(Level(keys, raw, np.where(opens, raw, lefts), history, histories))
        ids = np.full(len(stream), -1)
        ids[here] = inverse
        history, histories, keys = longer // base, len(keys), longer
        raw = np.where(keys % base < size, seen, 0).astype(float)
        opens = opens[history]
    levels.append(Level(keys, raw, raw, history, histories))
    return Tables(levels, size, base)


@dataclass(frozen=True)
class View:
    """A text seen through the n-grams of the training text, one entry for each word to predict."""

    tables: Tables
    stream: I64

    @cached_property
    def at(self) -> I64:
        """The places of the words to predict: all but the openings."""
        return np.flatnonzero(self.stream < self.tables.size)

    @cached_property
    def _found(self) -> list[I64]:
        return self.tables.locate(self.stream)

    def gram(self, k: int) -> I64:
        """The number of the k-gram that ends at each word, -1 where training lacks it."""
        return self._found[k - 1][self.at]

    def history(self, k: int) -> I64:
        """The number of the k - 1 words before each word, -1 where training lacks them."""
        return self._found[k - 2][self.at - 1] if k > 1 else np.zeros(len(self.at), np.int64)

    @cached_property
    def reach(self) -> I64:
        """How many symbols of its sentence stand before each word, the openings included."""
        place = np.arange(len(self.stream))
        begins = np.where(self.stream == self.tables.size, place, 0)
        return (place - np.maximum.accumulate(begins))[self.at]

    def raw(self, k: int) -> tuple[F64, F64]:
        """c(hw) and c(h) of each word; 0 where there is none."""
        level, gram, history = self.tables.levels[k - 1], self.gram(k), self.history(k)
        totals: F64 = np.bincount(level.history, level.raw, level.histories).astype(np.float64)
        return at_or(level.raw, gram, 0), at_or(totals, history, 0)
