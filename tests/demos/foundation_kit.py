"""What the tests of the foundation demos share: a text to train on, and the bars over seeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from demos.kit.corpus import Corpus
from studytool.demo.events import Claim, Event
from tests.demos.static_kit import of


def small_corpus(documents: int = 12, words: int = 1500, seed: int = 3) -> Corpus:
    """Words in a fixed order of which each leads to one of three, so that there is much to learn."""
    rng = np.random.default_rng(seed)
    names = ["".join(rng.choice(list("abcdeo"), 4)) + str(n) for n in range(40)]
    leads = rng.integers(0, 40, (40, 3))
    ids, word = [], 0
    for place in range(documents * words):
        word = int(leads[word, rng.integers(3)])
        ids.append(word)
        if place % 9 == 8:
            ids.append(-1)
    array = np.array(ids, np.int32)
    counts = np.bincount(array[array >= 0], minlength=40)
    starts = np.arange(0, documents * words, words)
    return Corpus("small", array, names, counts, documents * words, 0, documents, starts)


def write_corpus(folder: Path) -> Path:
    """The same as a text file."""
    corpus = small_corpus()
    text = " ".join("." if i < 0 else corpus.words[i] for i in corpus.ids)
    path = folder / "own.txt"
    path.write_text(text.replace(" .", ".\n"), "utf-8")
    return path


def values(events: list[Event]) -> dict[str, float]:
    """The value of each claim."""
    return {claim.id: claim.value for claim in of(Claim, events)}


def over_seeds(runs: Callable[[int], dict[str, float]], seeds: list[int]) -> dict[str, list[float]]:
    """For each claim its values over the seeds, printed for the report."""
    found = [runs(seed) for seed in seeds]
    table = {name: [each[name] for each in found] for name in found[0]}
    for name, row in table.items():
        print(name, " ".join(f"{value:.4g}" for value in row))
    return table
