"""Events that judge word vectors: agreement with people, and analogies asked in two ways."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from math import isfinite

import numpy as np

from demos.kit.corpus import Corpus
from demos.kit.similarity import (
    AnalogyScore,
    Pair,
    Score,
    Space,
    analogies,
    answer_analogies,
    parse_sum,
    simlex,
    spearman,
)
from studytool.demo.events import Cell, Event, Outcome, Prediction, Table

EXAMPLE = "king - man + woman"
_EXAMPLE_WORDS = ("king", "man", "woman")
RAW_OPTIONS = ("queen", "king", "woman", "another word")


def predictions(space: Space, pairs: Sequence[Pair], epochs: int) -> Generator[Event, None, None]:
    """What to guess before the run; left out where the text lacks the words."""
    if space.score(pairs).pairs > 1:
        yield Prediction(
            "wordsim",
            f"People rated how related pairs of words are. With epochs = {epochs}, how well do "
            "cosines rank the same pairs (Spearman's rank correlation, -1 to 1)?",
            unit="rho",
        )
    if all(word in space for word in _EXAMPLE_WORDS):
        yield Prediction(
            "raw-nearest",
            f"Which word's vector is nearest to {EXAMPLE}, when no word is excluded?",
            RAW_OPTIONS,
        )


def frequency_score(corpus: Corpus, space: Space, pairs: Sequence[Pair]) -> Score:
    """The most trivial similarity there is: two words are alike when they are equally frequent."""
    known = [pair for pair in pairs if pair.first in space and pair.second in space]
    logs = np.log(corpus.counts)
    alike = [-abs(logs[space.index[a]] - logs[space.index[b]]) for a, b, _ in known]
    return Score(spearman([pair.human for pair in known], alike), len(known))


def method_table(corpus: Corpus, pairs: Sequence[Pair], methods: Mapping[str, Space]) -> Table:
    """Each method's rank correlation with people, the trivial one first."""
    sets = (pairs, simlex())
    trivial = next(iter(methods.values()))
    rows: list[list[Cell]] = [
        ["equally frequent words are alike"]
        + [_cell(frequency_score(corpus, trivial, each)) for each in sets]
    ]
    for name, space in methods.items():
        rows.append([name, *(_cell(space.score(each)) for each in sets)])
    known = [trivial.score(each).pairs for each in sets]
    note = f"Spearman over {known[0]} and {known[1]} known pairs; chance is 0, the best is 1"
    columns = ["method", "WordSim-353", "SimLex-999"]
    return Table("methods", "Agreement with people", columns, rows, note)


def _cell(score: Score) -> float | None:
    return score.rho if isfinite(score.rho) else None


def ask_analogies(space: Space) -> Generator[Event, None, AnalogyScore]:
    """Tables of the analogies with and without excluding the inputs; returns the counts."""
    found = answer_analogies(space, analogies())
    asked = max(1, found.asked)
    rows: list[list[Cell]] = [
        ["inputs excluded, as libraries do", found.right_excluded / asked, None],
        ["nothing excluded", found.right_raw / asked, found.raw_is_input / asked],
    ]
    columns = ["nearest to b - a + c", "right", "answer is a, b or c"]
    yield Table("analogies", f"{found.asked:,} known questions", columns, rows)
    if all(word in space for word in _EXAMPLE_WORDS):
        yield from _example(space)
    return found


def _example(space: Space) -> Generator[Event, None, None]:
    target = space.combine(parse_sum(EXAMPLE))
    raw = [word for word, _ in space.nearest(target, 5)]
    without = [word for word, _ in space.nearest(target, 5, _EXAMPLE_WORDS)]
    rows: list[list[Cell]] = [
        ["nothing excluded", ", ".join(raw)],
        ["the three words excluded", ", ".join(without)],
    ]
    yield Table("example", EXAMPLE, ["", "nearest"], rows)
    yield Outcome(
        "raw-nearest",
        raw[0] if raw[0] in RAW_OPTIONS else RAW_OPTIONS[-1],
        f"The nearest is {raw[0]}; with the three words excluded it is {without[0]}.",
    )
