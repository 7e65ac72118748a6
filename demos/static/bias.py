"""A probe for gender bias in word vectors, and how little one such number says.

The word embedding association test (Caliskan, Bryson & Narayanan 2017, arXiv:1608.07187): are words
of career nearer to *he* than to *she*, compared with words of family? The effect is a difference of
means in standard deviations; a permutation test shuffles the two lists of words.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from demos.kit.similarity import Space
from studytool.demo.events import Cell, Event, Note, Stage, Table

F64 = NDArray[np.float64]

MALE = "he his him man men father son brother"
FEMALE = "she her hers woman women mother daughter sister"
CAREER = "business career office professional salary management company work"
FAMILY = "home parents children family marriage wedding relatives house"
_DRAWS, _FEWEST = 2000, 4


def associations(space: Space, words: list[str], male: list[str], female: list[str]) -> F64:
    """Each word's mean cosine to the male words minus that to the female ones."""
    rows = [[space.index[word] for word in each] for each in (words, male, female)]
    unit = space.unit
    gap = unit[rows[1]].mean(axis=0) - unit[rows[2]].mean(axis=0)
    return (unit[rows[0]] @ gap).astype(np.float64)


def effect_size(career: F64, family: F64) -> float:
    """The difference of the means over the standard deviation of all; between -2 and 2."""
    spread = np.concatenate([career, family]).std()
    return float((career.mean() - family.mean()) / spread) if spread > 0 else 0.0


def permutation_p(career: F64, family: F64, rng: np.random.Generator) -> float:
    """The share of shuffled lists with at least as large a difference of means."""
    both, size = np.concatenate([career, family]), len(career)
    wanted = career.mean() - family.mean()
    larger = 0
    for _ in range(_DRAWS):
        mixed = rng.permutation(both)
        larger += mixed[:size].mean() - mixed[size:].mean() >= wanted - 1e-12
    return (larger + 1) / (_DRAWS + 1)


def bias_probe(space: Space, rng: np.random.Generator) -> Iterator[Event]:
    """The test, the words one by one, the range when one word is left out, and the limits."""
    lists = [
        [word for word in each.split() if word in space] for each in (MALE, FEMALE, CAREER, FAMILY)
    ]
    if min(map(len, lists)) < _FEWEST:
        return
    yield Stage("bias", "are words of career nearer to he, words of family to she?")
    male, female, career, family = lists
    work, home = (associations(space, words, male, female) for words in (career, family))
    size, p = effect_size(work, home), permutation_p(work, home, rng)
    left_out = [
        effect_size(np.delete(work, c), np.delete(home, f))
        for c in range(len(career))
        for f in range(len(family))
    ]
    rows: list[list[Cell]] = []
    for name, words, values in zip(
        ("career", "family"), (career, family), (work, home), strict=True
    ):
        ordered = sorted(zip(words, values.tolist(), strict=True), key=lambda each: -each[1])
        said = ", ".join(f"{word} {value:+.2f}" for word, value in ordered)
        rows.append([name, round(float(values.mean()), 3), said])
    columns = ["list", "mean", "towards he (+) or she (-)"]
    note = (
        f"effect size {size:.2f} (chance 0, at most 2), p = {p:.3f}; with a word of each list left "
        f"out it goes from {min(left_out):.2f} to {max(left_out):.2f}"
    )
    yield Table("bias", "A bias probe: career and family, he and she", columns, rows, note)
    yield Note(
        "the limits: a few words chosen by us, one small text, one training; it shows what this "
        "text says together, not what a system built on it would do, and no effect is no clearance"
    )
