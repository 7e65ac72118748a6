"""PPMI and SVD: word vectors without any training.

Count which words stand near which. Divide out what chance alone would give (pointwise mutual
information), keep what is positive, compress the table with an SVD, and the rows are word
vectors. Three seconds, no learning rate, no epochs; on half a million words they agree with
people at least as well as the vectors that word2vec trains.

Two famous methods are the same table in disguise, and both are checked below. Latent semantic
analysis (Deerwester et al. 1990) factorises co-occurrence whose window is a whole document. And
word2vec's skip-gram, had it enough dimensions, would fit PMI minus log k, k being the number of
noise words (Levy and Goldberg 2014): the shift that can be turned here.

What is worth turning (Levy, Goldberg and Dagan 2015, TACL 3, Q15-1016): the window, the shift,
the smoothing of contexts. Some of what is commonly taught about them fails on this text.

The formulas are in demos/lexical/ppmi_math.py: read that first.

    python -m demos.lexical.ppmi --window 2 --shift 5
    python -m demos.lexical.ppmi --corpus my.txt --explore      then: king
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from scipy.sparse import csr_array

from demos.kit.corpus import Corpus, own, wikipedia
from demos.kit.counting import cooccurrence, keep_chance, pmi
from demos.kit.data import told
from demos.kit.guide import Guide
from demos.kit.judge import frequency_score
from demos.kit.params import as_default
from demos.kit.similarity import (
    Pair,
    Score,
    Space,
    interval,
    save_word2vec,
    simlex,
    spearman,
    wordsim,
)
from demos.lexical.ppmi_math import (
    MAX_PLACES,
    bridge_error,
    factor,
    lsa,
    lsa_error,
    plain_count,
    positive_pmi,
    term_documents,
)
from demos.lexical.specs import PPMI, PpmiParams
from studytool.demo.events import (
    Cell,
    Event,
    Finding,
    Metric,
    Note,
    Outcome,
    Prediction,
    Progress,
    Stage,
    Table,
    claim,
)
from studytool.demo.spec import Explorer, Lab, main

R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. The run

#: What WordSim-353 should reach here, and what a difference in Spearman must be to count.
BAR, MATTERS = 0.45, 0.02
#: Places of the text that are counted at a time.
STRETCH = 400_000
MAX_WORDS = 30_000
_WINDOWS, _SHIFTS, _PASSAGE = (2, 5, 10), (1, 5), 100
SHIFT_OPTIONS = ("raises it by .02 or more", "changes less than .02", "lowers it by .02 or more")
OURS = "PPMI + SVD"


Subsampling: TypeAlias = Literal["expected", "drawn", "none"]


@dataclass
class Bench:
    """What the parts of a run share; `words` are those counted, the most frequent first."""

    params: PpmiParams
    lab: Lab
    corpus: Corpus
    words: list[str]
    human: list[Pair]
    similar: list[Pair]

    @property
    def plain(self) -> bool:
        """Whether the bars are meant for these settings."""
        return as_default(self.params, "words", "compare")

    def count(self, window: int, how: Subsampling = "expected") -> csr_array:
        """Co-occurrence of the text, stretch by stretch; "none" counts every pair as 1."""
        size = len(self.words)
        keep = keep_chance(self.corpus.counts[:size], self.params.sample)
        rng, done, total = self.lab.rng(), 0, csr_array((size, size))
        for piece in self.corpus.stretches(STRETCH):
            if how == "drawn":
                chance = np.append(keep, [1.0, 1.0])[np.minimum(piece, size)]  # the end stays
                piece = piece[rng.random(len(piece)) < chance]
            chances = keep if how == "expected" else None
            total = total + cooccurrence(piece, size, window, weighted=how != "none", keep=chances)
            done += len(piece)
            if done >= MAX_PLACES:
                break
        return total

    def vectors(self, counts: csr_array, shift: int) -> Space:
        table = positive_pmi(counts, self.params.power, shift)
        return Space(self.words, factor(table, min(self.params.dim, len(self.words) - 2)))

    def scores(self, space: Space) -> list[Cell]:
        """Spearman on WordSim-353 and on SimLex-999."""
        return [_cell(space.score(pairs)) for pairs in (self.human, self.similar)]

    def row_scores(self, table: csr_array) -> list[Cell]:
        """The same with the sparse rows of a table as vectors."""
        index = {word: number for number, word in enumerate(self.words)}
        return [_cell(row_score(table, index, pairs)) for pairs in (self.human, self.similar)]


def row_score(table: csr_array, index: dict[str, int], pairs: list[Pair]) -> Score:
    """How well cosines of sparse rows rank the pairs as people do."""
    known = [pair for pair in pairs if pair.first in index and pair.second in index]
    first = table[[index[pair.first] for pair in known]]
    second = table[[index[pair.second] for pair in known]]
    dots = np.asarray((first * second).sum(axis=1)).ravel()
    lengths = [np.sqrt(np.asarray((x * x).sum(axis=1)).ravel()) for x in (first, second)]
    cosines = dots / np.maximum(lengths[0] * lengths[1], 1e-12)
    return Score(spearman([pair.human for pair in known], cosines), len(known))


def _cell(score: Score) -> float | None:
    return round(score.rho, 3) if np.isfinite(score.rho) else None


def run(params: PpmiParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what answers words and analogies afterwards."""
    return (yield from told(_lesson(params, lab)))


def _lesson(params: PpmiParams, lab: Lab) -> Steps[Explorer]:
    yield Stage("load", "text and human judgements")
    corpus = yield from own(lab, params.corpus) if params.corpus else wikipedia(lab)
    size = corpus.usable(params.min_count, MAX_WORDS)
    bench = Bench(params, lab, corpus, corpus.words[:size], wordsim(), simlex())
    yield Note(f"{corpus.name}: {corpus.tokens:,} words; {size:,} different ones are counted")
    yield from _questions(params)
    yield Stage("count", f"who stands within {params.window} words of whom")
    begun = time.process_time()
    counts = bench.count(params.window)
    counted = time.process_time() - begun
    yield from _checks(bench, counts)
    yield Stage("factor", f"{params.dim} numbers a word instead of {size:,}")
    begun = time.process_time()
    space = bench.vectors(counts, params.shift)
    yield Metric("CPU of counting and SVD", counted + time.process_time() - begun, unit="s")
    if lab.save is not None:
        save_word2vec(space, lab.save / "vectors.txt")
        yield Note("the vectors are in vectors.txt, in word2vec's text format")
    yield from _rare_pairs(bench)
    rows = yield from _methods(bench, counts, space)
    grid = (yield from _grid(bench, counts, space)) if params.compare else {}
    yield from _verdict(bench, space, rows, grid)
    return Guide(space)


def _questions(params: PpmiParams) -> Iterator[Event]:
    yield Prediction(
        "wordsim",
        f"No training, only counts: with window = {params.window} and shift k = {params.shift}, "
        "how well do cosines rank word pairs as people do (Spearman's rank correlation)?",
        unit="rho",
    )
    if params.compare:
        yield Prediction(
            "shift",
            f"Skip-gram with 5 noise words fits PMI - log 5. At window {params.window}, what does "
            "taking log 5 off the counts do to that correlation?",
            SHIFT_OPTIONS,
        )


def _checks(bench: Bench, counts: csr_array) -> Iterator[Event]:
    yield Stage("check", "counts against plain loops, and the two bridges")
    size, window, rng = len(bench.words), bench.params.window, bench.lab.rng(1)
    piece = np.asarray(bench.corpus.ids[:3000])
    few = min(size, 400)
    error = np.abs(cooccurrence(piece, few, window) - plain_count(piece, few, window)).max()
    text = "co-occurrence equals a count by plain loops (largest deviation)"
    yield claim("brute-force", text, float(error), "<=", 1e-9)
    error = max(bridge_error(counts, k, rng) for k in (1, bench.params.shift, 5))
    text = "a pair's best dot product in skip-gram's loss is PMI - log k (largest deviation)"
    yield claim("word2vec-bridge", text, error, "<=", 1e-6)
    error = lsa_error(term_documents(bench.corpus, size, _PASSAGE))
    text = "LSA's squared singular values are those of co-occurrence in a passage (relative)"
    yield claim("lsa-bridge", text, error, "<=", 1e-9)


def _rare_pairs(bench: Bench) -> Iterator[Event]:
    """What plain PMI thinks most of, and how often each pair was seen."""
    seen = bench.count(bench.params.window, "none")
    sums = np.asarray(seen.sum(axis=1)).ravel()
    table, number = pmi(seen, sums / sums.sum()).tocoo(), seen.tocoo().data
    once = table.row < table.col
    order = np.flatnonzero(once)[np.argsort(-table.data[once], kind="stable")]
    often = order[number[order] >= 50]
    rows: list[list[Cell]] = [
        [bench.words[table.row[i]], bench.words[table.col[i]], round(float(table.data[i]), 2),
         int(number[i])]
        for i in (*order[:5], *often[:5])
    ]  # fmt: skip
    title = "Largest PMI: of all pairs, then of pairs seen 50 times or more"
    yield Table("rare-pairs", title, ["word", "context", "PMI", "seen together"], rows)
    if bench.plain:
        text = "the 1,000 pairs of largest PMI are well supported (median times seen)"
        median = float(np.median(number[order[:1000]]))
        yield claim("rare-pairs", text, median, ">=", 20, expect="refuted")


def _methods(bench: Bench, counts: csr_array, space: Space) -> Steps[dict[str, list[Cell]]]:
    """Each way to use counts, the trivial one first; and neighbours by some of them."""
    yield Stage("compare", "the same text, other uses of the counts")
    params, size = bench.params, len(bench.words)
    pairs = bench.human, bench.similar
    rows: dict[str, list[Cell]] = {
        "equally frequent words are alike": [
            _cell(frequency_score(bench.corpus, space, each)) for each in pairs
        ]
    }
    rows["rows of counts"] = bench.row_scores(counts)
    rows["rows of PPMI"] = bench.row_scores(positive_pmi(counts, params.power, params.shift))
    passages = term_documents(bench.corpus, size, _PASSAGE)
    meaning = Space(bench.words, lsa(passages, min(params.dim, min(passages.shape) - 2)))
    rows[f"LSA, passages of {_PASSAGE} words"] = bench.scores(meaning)
    if params.compare:
        drawn = bench.vectors(bench.count(params.window, "drawn"), params.shift)
        rows[f"{OURS}, subsampling drawn"] = bench.scores(drawn)
    rows[OURS] = bench.scores(space)
    known = [space.score(each).pairs for each in pairs]
    note = f"Spearman over {known[0]} and {known[1]} known pairs; chance is 0, the best is 1"
    cells: list[list[Cell]] = [[name, *scores] for name, scores in rows.items()]
    columns = ["method", "WordSim-353", "SimLex-999"]
    yield Table("methods", "Agreement with people", columns, cells, note)
    yield _neighbours(bench, {OURS: space, "LSA": meaning})
    return rows


def _neighbours(bench: Bench, spaces: dict[str, Space], id: str = "neighbours") -> Table:
    asked = [word.strip().lower() for word in bench.params.words.split(",")]
    known = [word for word in asked if word in bench.words] or bench.words[40:42]
    rows: list[list[Cell]] = [
        [word, *(", ".join(w for w, _ in x.neighbours(word, 6)) for x in spaces.values())]
        for word in known
    ]
    return Table(id, "Nearest words", ["word", *spaces], rows)


def _grid(
    bench: Bench, counts: csr_array, space: Space
) -> Steps[dict[tuple[int, int], list[Cell]]]:
    """Windows against shifts, a cell at a time."""
    params = bench.params
    yield Stage("windows and shifts", "each cell is a count and a factorisation of its own")
    windows, shifts = sorted({*_WINDOWS, params.window}), sorted({*_SHIFTS, params.shift})
    grid = {(params.window, params.shift): bench.scores(space)}
    spaces = {f"window {params.window}": space}
    for window in windows:
        table = counts if window == params.window else bench.count(window)
        for shift in shifts:
            if (window, shift) not in grid:
                found = bench.vectors(table, shift)
                grid[window, shift] = bench.scores(found)
                if shift == params.shift and window == windows[0]:
                    spaces = {f"window {window}": found} | spaces
            yield Progress(len(grid), len(windows) * len(shifts), "setting")
            rows: list[list[Cell]] = [[*key, *scores] for key, scores in sorted(grid.items())]
            columns = ["window", "shift k", "WordSim-353", "SimLex-999"]
            yield Table("grid", "Windows and shifts", columns, rows)
    yield _neighbours(bench, spaces, "neighbours-window")
    return grid


def _verdict(
    bench: Bench,
    space: Space,
    rows: dict[str, list[Cell]],
    grid: dict[tuple[int, int], list[Cell]],
) -> Iterator[Event]:
    params = bench.params
    rho, pairs = space.score(bench.human)
    if pairs < 2:
        yield Note("hardly a pair of WordSim-353 is in this text: judge by the neighbours")
        yield Finding(f"I made vectors of {len(bench.words):,} words by counting alone.")
        return
    yield Outcome("wordsim", round(rho, 2), f"Spearman's rho is {rho:.2f} on {pairs} pairs.")
    low, high = interval(*space.cosines(bench.human), bench.lab.rng(12))
    yield Note(f"95 % of bootstrap draws of the pairs lie between {low:.2f} and {high:.2f}")
    said = f"PPMI and SVD on {bench.corpus.tokens:,} words agree with people at {rho:.2f}"
    if grid:
        change = _difference(grid[params.window, 5], grid[params.window, 1])
        answer = SHIFT_OPTIONS[0 if change >= MATTERS else 1 if change > -MATTERS else 2]
        yield Outcome("shift", answer, f"The difference is {change:+.2f} on WordSim-353.")
        said += f"; a shift by log 5 changes that by {change:+.2f} at window {params.window}"
    if bench.plain:
        yield from _claims(rho, rows, grid)
    else:
        yield Note("the bars are for the default text and settings; these figures stand alone")
    yield Finding(said + ". There is no learning rate to tune and no epoch to wait for.")


def _difference(one: list[Cell], other: list[Cell], column: int = 0) -> float:
    """How much more `one` has in a column of scores; NaN where one is unknown."""
    a, b = one[column], other[column]
    return float(a) - float(b) if a is not None and b is not None else float("nan")


def _claims(
    rho: float, rows: dict[str, list[Cell]], grid: dict[tuple[int, int], list[Cell]]
) -> Iterator[Event]:
    yield claim("wordsim", "cosines rank pairs as people do (Spearman)", rho, ">=", BAR)
    gain = _difference(rows[OURS], rows["rows of PPMI"])
    yield claim("svd-helps", "what the SVD adds to the rows of PPMI (Spearman)", gain, ">=", 0.05)
    gain = _difference(rows["rows of PPMI"], rows["rows of counts"])
    yield claim("pmi-helps", "what PPMI adds to the rows of counts (Spearman)", gain, ">=", 0.05)
    if not grid:
        return
    gain = _difference(grid[10, 1], grid[2, 1])
    text = "what a window of 10 gains over one of 2 on relatedness (WordSim-353)"
    yield claim("wide-window", text, gain, ">=", 0.1)
    gain = _difference(grid[2, 1], grid[10, 1], column=1)
    text = "a window of 2 is better than one of 10 at similarity (SimLex-999, difference)"
    yield claim("narrow-window", text, gain, ">=", MATTERS, expect="refuted")
    gain = _difference(grid[10, 5], grid[10, 1])
    text = "the shift by log 5 that word2vec implies improves counts (WordSim-353, difference)"
    yield claim("shift", text, gain, ">=", MATTERS, expect="refuted")


if __name__ == "__main__":
    main(PPMI)
