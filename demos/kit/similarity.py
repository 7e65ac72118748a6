"""How good word vectors are: human similarity judgements, analogies, and nearest neighbours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demos.kit.data import packaged

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

#: Analogies are asked within this many of the most frequent words, as is usual.
ANALOGY_WORDS = 30_000
_BATCH = 512
_TERM = re.compile(r"([+-]?)\s*([^\s+-]+)")


class Pair(NamedTuple):
    """Two words and how similar people found them, from 0 to 10."""

    first: str
    second: str
    human: float


class Analogy(NamedTuple):
    """a is to b as c is to d."""

    section: str
    a: str
    b: str
    c: str
    d: str


class Score(NamedTuple):
    """A rank correlation and the number of pairs it rests on."""

    rho: float
    pairs: int


def wordsim() -> list[Pair]:
    """WordSim-353 (Finkelstein et al. 2002): relatedness, such as "coffee" and "cup"."""
    return _pairs("wordsim353.tsv")


def simlex() -> list[Pair]:
    """SimLex-999 (Hill et al. 2015): similarity alone, so "coffee" and "cup" score low."""
    return _pairs("simlex999.txt")


def _pairs(file: str) -> list[Pair]:
    text = packaged("gensim", "test", "test_data", file).read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return [Pair(row[0].lower(), row[1].lower(), float(row[2])) for row in rows]


def analogies() -> list[Analogy]:
    """The 19,544 questions of Mikolov et al. 2013 (arXiv:1301.3781), in lower case."""
    text = packaged("gensim", "test", "test_data", "questions-words.txt").read_text("utf-8")
    found, section = [], ""
    for line in text.lower().splitlines():
        if line.startswith(":"):
            section = line[1:].strip()
        elif len(words := line.split()) == 4:
            found.append(Analogy(section, *words))
    return found


def ranks(values: F64) -> F64:
    """Ranks from 0; equal values share the mean of their ranks."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count + 1) / 2)[place]


def spearman(x: Sequence[float] | F64, y: Sequence[float] | F64) -> float:
    """Spearman's rank correlation; NaN where either side is constant, empty or not finite."""
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(a) < 2 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("nan")
    a, b = ranks(a), ranks(b)
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else float("nan")


def interval(
    x: Sequence[float], y: Sequence[float], rng: np.random.Generator, draws: int = 1000
) -> tuple[float, float]:
    """A 95 % bootstrap interval of Spearman's correlation, over the pairs."""
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    picks = (rng.integers(0, len(a), len(a)) for _ in range(draws))
    low, high = np.quantile([spearman(a[pick], b[pick]) for pick in picks], [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True)
class Space:
    """Words and their vectors, one row each."""

    words: Sequence[str]
    vectors: F32

    @cached_property
    def unit(self) -> F32:
        """The vectors at length 1; a zero vector stays zero."""
        length = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        return self.vectors / np.maximum(length, np.float32(1e-12))

    @cached_property
    def index(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}

    def __contains__(self, word: str) -> bool:
        return word in self.index

    def cosines(self, pairs: Sequence[Pair]) -> tuple[list[float], list[float]]:
        """Human scores and cosines of the pairs whose words are both known."""
        known = [pair for pair in pairs if pair.first in self and pair.second in self]
        first = self.unit[[self.index[pair.first] for pair in known]]
        second = self.unit[[self.index[pair.second] for pair in known]]
        return [pair.human for pair in known], np.einsum("ij,ij->i", first, second).tolist()

    def score(self, pairs: Sequence[Pair]) -> Score:
        """How well cosines rank the pairs as people do."""
        human, cosine = self.cosines(pairs)
        return Score(spearman(human, cosine), len(human))

    def nearest(
        self, vector: F32, count: int, exclude: Sequence[str] = ()
    ) -> list[tuple[str, float]]:
        """The `count` words with the largest cosine to `vector`, without those in `exclude`."""
        cosine = self.unit @ (vector / max(float(np.linalg.norm(vector)), 1e-12))
        cosine[[self.index[word] for word in exclude]] = -2
        best = np.argsort(-cosine, kind="stable")[: max(0, min(count, len(cosine) - len(exclude)))]
        return [(self.words[number], float(cosine[number])) for number in best]

    def neighbours(self, word: str, count: int) -> list[tuple[str, float]]:
        """The nearest words to `word`, itself excluded."""
        return self.nearest(self.unit[self.index[word]], count, [word])

    def combine(self, terms: Sequence[tuple[int, str]]) -> F32:
        """The signed sum of unit vectors: [(1, "king"), (-1, "man"), (1, "woman")]."""
        return np.sum([sign * self.unit[self.index[word]] for sign, word in terms], axis=0)


def save_word2vec(space: Space, path: Path) -> None:
    """word2vec's text format: a line with the two sizes, then a line for each word."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(f"{len(space.words)} {space.vectors.shape[1]}\n")
        for word, vector in zip(space.words, space.vectors, strict=True):
            file.write(f"{word} {' '.join(f'{number:.6g}' for number in vector.tolist())}\n")
    part.replace(path)


def parse_sum(text: str) -> list[tuple[int, str]]:
    """`king - man + woman` as signed words; one word alone is itself."""
    found: list[tuple[str, str]] = _TERM.findall(text.lower())
    return [(-1 if sign == "-" else 1, word) for sign, word in found]


class AnalogyScore(NamedTuple):
    """What came of the questions whose four words are known."""

    asked: int
    right_excluded: int
    right_raw: int
    raw_is_input: int


def answer_analogies(space: Space, questions: Sequence[Analogy]) -> AnalogyScore:
    """3CosAdd (Levy & Goldberg 2014): the word nearest to b - a + c, asked in two ways.

    Excluded: a, b and c may not be the answer, as every library does it. Raw: any word may.
    """
    size = min(len(space.words), ANALOGY_WORDS)
    unit = space.unit[:size]
    numbers = [[space.index.get(word, size) for word in question[1:]] for question in questions]
    known = np.array([row for row in numbers if max(row) < size], np.int64).reshape(-1, 4)
    right_excluded = right_raw = raw_is_input = 0
    for at in range(0, len(known), _BATCH):
        a, b, c, d = known[at : at + _BATCH].T
        scores = (unit[b] - unit[a] + unit[c]) @ unit.T
        raw = scores.argmax(axis=1)
        rows = np.arange(len(a))
        for given in (a, b, c):
            scores[rows, given] = -np.inf
        right_excluded += int((scores.argmax(axis=1) == d).sum())
        right_raw += int((raw == d).sum())
        raw_is_input += int(((raw == a) | (raw == b) | (raw == c)).sum())
    return AnalogyScore(len(known), right_excluded, right_raw, raw_is_input)
