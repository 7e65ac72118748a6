"""The shape of a cloud of word vectors: frequency, hubs, common directions, hidden neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demos.kit.similarity import Pair, Space, spearman

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_BLOCK = 1000


def principal(vectors: F32, count: int) -> F32:
    """The `count` directions of largest second moment, as orthonormal rows; not centred."""
    return np.linalg.svd(vectors, full_matrices=False)[2][:count]


def without(vectors: F32, directions: F32) -> F32:
    """The vectors with their parts along orthonormal `directions` taken off."""
    along: F32 = (vectors @ directions.T @ directions).astype(np.float32)
    return vectors - along


def all_but_the_top(space: Space, count: int) -> Space:
    """Mean and `count` principal directions removed (Mu & Viswanath 2018, arXiv:1702.01417)."""
    centred = space.vectors - space.vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return Space(space.words, without(centred, axes[:, ::-1][:, :count].T.astype(np.float32)))


def mean_cosine(space: Space) -> float:
    """The mean cosine of two different words; 0 where directions are spread evenly."""
    size, total = len(space.words), space.unit.sum(axis=0, dtype=np.float64)
    return float((total @ total - size) / (size * (size - 1)))


def norm_by_frequency(space: Space) -> float:
    """Spearman's correlation of a vector's length with the word's rank in frequency, sign turned."""
    length = np.linalg.norm(space.vectors, axis=1).astype(float)
    return spearman(length, -np.arange(len(length), dtype=float))


class Hubs(NamedTuple):
    """How unevenly words are neighbours: skewness of N10, its largest value, share with N10 = 0."""

    skew: float
    largest: int
    never: float
    word: str


def hubs(space: Space, most: int, nearest: int = 10) -> Hubs:
    """N10 counts whose neighbour a word is, among the `most` first words (Radovanovic et al. 2010)."""
    unit = space.unit[:most]
    counts = np.zeros(len(unit))
    for at in range(0, len(unit), _BLOCK):
        cosine = unit[at : at + _BLOCK] @ unit.T
        cosine[np.arange(len(cosine)), np.arange(at, at + len(cosine))] = -2
        found = np.argpartition(-cosine, nearest, axis=1)[:, :nearest]
        counts += np.bincount(found.ravel(), minlength=len(unit))
    centred = counts - counts.mean()
    skew = float((centred**3).mean() / (centred**2).mean() ** 1.5)
    top = int(counts.argmax())
    return Hubs(skew, int(counts[top]), float((counts == 0).mean()), space.words[top])


# ------------------------------------------------------------------------- hidden neighbours


def neighbour_ranks(space: Space, word: str, directions: F32 | None = None) -> I64:
    """The rank of every word by cosine to `word`, 1 for the nearest other one.

    With `directions`, after their part is taken off all vectors.
    """
    vectors = space.unit if directions is None else without(space.unit, directions)
    length = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
    place = space.index[word]
    cosine = vectors @ vectors[place] / length
    cosine[place] = np.inf
    out = np.empty(len(cosine), np.int64)
    out[np.argsort(-cosine, kind="stable")] = np.arange(len(cosine))
    return out


def neighbourhood(space: Space, place: int, nearest: int, count: int) -> F32:
    """The `count` main directions of the `nearest` neighbours of the word at `place`."""
    cosine = space.unit @ space.unit[place]
    cosine[place] = -2
    return principal(space.unit[np.argsort(-cosine, kind="stable")[:nearest]], count)


# ------------------------------------------------------------------------------- comparisons


class Range(NamedTuple):
    """An estimate with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


class Draws(NamedTuple):
    """Each method's correlation with people, and the same on resampled pairs (paired draws)."""

    values: dict[str, float]
    drawn: dict[str, F64]

    def score(self, name: str) -> Range:
        """One method with its interval."""
        return Range(self.values[name], *_middle(self.drawn[name]))

    def gain(self, name: str, over: str) -> Range:
        """The difference of two methods with its paired interval."""
        difference = self.values[name] - self.values[over]
        return Range(difference, *_middle(self.drawn[name] - self.drawn[over]))


def _middle(values: F64) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def bootstrap(
    spaces: Mapping[str, Space], pairs: Sequence[Pair], rng: np.random.Generator, draws: int = 500
) -> Draws:
    """Resample the pairs; all methods are scored on the same draws. The spaces share their words."""
    scored = {name: space.cosines(pairs) for name, space in spaces.items()}
    human = np.array(next(iter(scored.values()))[0])
    cosines = {name: np.array(found) for name, (_, found) in scored.items()}
    picks = [rng.integers(0, len(human), len(human)) for _ in range(draws)]
    drawn = {
        name: np.array([spearman(human[pick], cosine[pick]) for pick in picks])
        for name, cosine in cosines.items()
    }
    return Draws({name: spearman(human, cosine) for name, cosine in cosines.items()}, drawn)
