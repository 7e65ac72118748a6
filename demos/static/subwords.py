"""The pieces of words: n-grams, their rows, and a model that answers for every string.

Read this before demos/static/fasttext.py, which trains it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from demos.kit.corpus import Corpus
from demos.kit.similarity import Pair, Space, spearman
from demos.kit.trainer import Model
from studytool.demo.events import Cell, Event, Note, Table

F32: TypeAlias = NDArray[np.float32]
I64: TypeAlias = NDArray[np.int64]

# %% [markdown]
# ## 1. The pieces of a word
# "<where>" has 14 n-grams of length 3 to 6. The marks tell the word *her* (<her>) from the piece
# of *where* (her). There are too many n-grams to keep a table of, so each is hashed to a row.


def ngrams(word: str, shortest: int, longest: int) -> list[str]:
    """All character n-grams of "<word>", without those of a mark alone."""
    marked = f"<{word}>"
    return [
        marked[start : start + length]
        for start in range(len(marked))
        for length in range(shortest, longest + 1)
        if start + length <= len(marked) and not (length == 1 and start in (0, len(marked) - 1))
    ]


def fnv1a(text: str) -> int:
    """The 32-bit FNV-1a hash of the UTF-8 bytes; bytes from 128 on are sign-extended, as in fastText."""
    value = 2166136261
    for byte in text.encode():
        value ^= byte | 0xFFFFFF00 if byte >= 128 else byte
        value = value * 16777619 % 2**32
    return value


@dataclass(frozen=True)
class Pieces:
    """Which rows a word is made of: rows below `size` are words, then come `buckets` of n-grams."""

    size: int
    buckets: int
    shortest: int
    longest: int

    def of(self, word: str) -> list[int]:
        """The rows of the n-grams of any string."""
        found = ngrams(word, self.shortest, self.longest)
        return [self.size + fnv1a(piece) % self.buckets for piece in found]

    def table(self, words: Sequence[str]) -> tuple[I64, I64]:
        """(starts, units) of the known `words`: word w is itself and its n-grams."""
        rows = [[number, *self.of(word)] for number, word in enumerate(words)]
        starts = np.cumsum([0, *map(len, rows)])
        return starts, np.array([unit for row in rows for unit in row], np.int64)


def add_rows(model: Model, buckets: int, rng: np.random.Generator) -> None:
    """Give a model's matrix of inputs random rows for n-grams, below those of words."""
    more = np.zeros((buckets, model.inputs.shape[1]), np.float32)
    more[:, : model.dim] = (rng.random((buckets, model.dim)) - 0.5) / model.dim
    model.inputs = np.vstack([model.inputs, more])


def means(rows: F32, starts: I64, units: I64) -> F32:
    """The mean of the rows of each word's units."""
    length = np.diff(starts)
    weights = np.repeat(1 / np.maximum(length, 1), length).astype(np.float32)
    shape = (len(length), len(rows))
    table = csr_array((weights, units, starts), shape=shape)
    return np.asarray(table @ rows, np.float32)


def overlap(one: str, other: str, shortest: int, longest: int) -> float:
    """The share of n-grams that two words have in common (Jaccard): spelling and nothing else."""
    a, b = (set(ngrams(word, shortest, longest)) for word in (one, other))
    return len(a & b) / max(1, len(a | b))


# %% [markdown]
# ## 2. A model that answers for every string


@dataclass(frozen=True)
class Speller:
    """Known words with their composed vectors, and the n-gram rows that any string is made of."""

    space: Space
    rows: F32
    pieces: Pieces

    def vectors(self, words: Sequence[str]) -> F32:
        """A vector for each string: the known word's, or the mean of its n-grams."""
        units = [self.pieces.of(word) for word in words]
        starts = np.cumsum([0, *map(len, units)])
        flat = np.array([unit for row in units for unit in row], np.int64)
        found = means(self.rows, starts, flat)
        for place, word in enumerate(words):
            if word in self.space:
                found[place] = self.space.vectors[self.space.index[word]]
        return found

    def places(self, words: Sequence[str], originals: Sequence[str]) -> I64:
        """The place, from 0, of each original among the known words nearest to the strings."""
        vectors = self.vectors(words)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        cosine = vectors @ self.space.unit.T
        right = [self.space.index[word] for word in originals]
        return (cosine > cosine[np.arange(len(right)), right][:, None]).sum(axis=1)

    def pair_score(self, pairs: Sequence[Pair]) -> float:
        """Spearman's correlation with people over all the pairs, known words or not."""
        one = self.vectors([pair.first for pair in pairs])
        other = self.vectors([pair.second for pair in pairs])
        length = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        cosine = np.einsum("ij,ij->i", one, other) / np.maximum(length, 1e-12)
        return spearman([pair.human for pair in pairs], cosine)


@dataclass(frozen=True)
class SpellingGuide:
    """Answers any string with the nearest known words."""

    speller: Speller

    def explore(self, request: str) -> Iterator[Event]:
        """`anarchistic`, known or not."""
        words = request.lower().split()
        if len(words) != 1:
            yield Note("type one word, known or invented")
            return
        (word,) = words
        pieces, space = self.speller.pieces, self.speller.space
        known = word in space
        if not known and not pieces.of(word):
            yield Note(f"{word} is too short to have n-grams of {pieces.shortest} letters")
            return
        found = space.nearest(self.speller.vectors([word])[0], 10, [word] if known else [])
        rows: list[list[Cell]] = [
            [near, round(cosine, 3), round(overlap(word, near, pieces.shortest, pieces.longest), 3)]
            for near, cosine in found
        ]
        note = "in the text" if known else "not in the text: the mean of its n-grams"
        columns = ["word", "cosine", "n-grams shared"]
        yield Table("explore", f"Nearest to {word}", columns, rows, note)


# %% [markdown]
# ## 3. Typos


_LONG, _FREQUENT = 7, 20  # letters, occurrences


def misspell(word: str, kind: str, rng: np.random.Generator) -> str:
    """One letter deleted, two neighbours swapped, or one letter replaced; never the first one."""
    at = int(rng.integers(1, len(word) - 1))
    if kind == "delete":
        return word[:at] + word[at + 1 :]
    if kind == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + chr(ord("a") + int(rng.integers(26))) + word[at + 1 :]


def typos(
    corpus: Corpus, words: Sequence[str], kind: str, most: int, rng: np.random.Generator
) -> list[tuple[str, str]]:
    """(misspelt, right) for up to `most` long and frequent words; no misspelling is a word itself."""
    known = set(words)
    long = [
        word
        for number, word in enumerate(words)
        if len(word) >= _LONG and word.isalpha() and corpus.counts[number] >= _FREQUENT
    ]
    pairs = []
    for place in rng.permutation(len(long))[:most]:
        wrong = misspell(long[place], kind, rng)
        if wrong not in known:
            pairs.append((wrong, long[place]))
    return pairs
