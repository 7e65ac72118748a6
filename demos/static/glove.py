"""GloVe: fit the logarithms of co-occurrence counts, and see what a lower loss is worth.

Count how often words stand near each other, and ask that dot products be the logarithms of these
counts (Pennington, Socher & Manning 2014, D14-1162). The idea behind it: meaning is in ratios.
Near *acid* one reads *sulfuric* far more often than near *metal*; *alkali* goes the other way,
*chloride* goes with both. If log counts are dot products, log ratios are differences of vectors.

Everything that decides the meaning happens before training, when the table is counted. What is
left is a least squares problem, which can also be solved exactly, one word at a time. That gives a
much lower loss. Are the vectors better?

    python -m demos.static.glove --first french --second german --probes revolution,language
    python -m demos.static.glove --x-max 100
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TypeAlias, TypeVar

import numpy as np
from scipy.sparse import csr_array

from demos.kit.compiled import load
from demos.kit.corpus import Corpus, own, wikipedia
from demos.kit.counting import cooccurrence
from demos.kit.data import told
from demos.kit.guide import Guide, neighbour_table
from demos.kit.judge import method_table
from demos.kit.loop import looks
from demos.kit.methods import counted
from demos.kit.params import as_default
from demos.kit.plots import Curves
from demos.kit.similarity import Pair, Space, interval, save_word2vec, wordsim
from demos.static.glove_math import (
    Cells,
    Model,
    adagrad,
    bias_loss,
    cells_of,
    count_slowly,
    count_table,
    fast_loop_error,
    finite_difference_error,
    mean_loss,
    new_model,
    ratios,
    solve_side,
    support_difference,
)
from demos.static.specs import GLOVE, GloveParams
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
# ## The run
# The mathematics is in demos/static/glove_math.py: read it first.

#: Ridge and sweeps of exact least squares.
RIDGE, SWEEPS = 0.1, 2
ANSWERS = ("better", "about the same (within 0.02)", "worse")
COUNTING = "counting: PPMI + SVD"


@dataclass
class Bench:
    """What the parts of a run share. `plain`: what the bars presume holds."""

    params: GloveParams
    lab: Lab
    corpus: Corpus
    table: csr_array
    cells: Cells
    kernel: ModuleType
    human: list[Pair]

    @property
    def words(self) -> list[str]:
        return self.corpus.words[: self.table.shape[0]]

    @property
    def plain(self) -> bool:
        return as_default(self.params, "words", "first", "second", "probes")


def run(params: GloveParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what answers words and sums of words afterwards."""
    return (yield from told(_lesson(params, lab)))


def _lesson(params: GloveParams, lab: Lab) -> Steps[Explorer | None]:
    bench = yield from _prepare(params, lab)
    yield from _predictions(bench)
    yield from _checks(bench)
    model = new_model(len(bench.words), params.dim, lab.rng(0))
    untrained = Space(bench.words, model.vectors())
    methods = {"untrained": untrained}
    yield Stage("count", "the baseline: positive PMI of counts, and its SVD")
    if counts := counted(bench.corpus, len(bench.words)):
        methods[COUNTING] = counts.space
        yield Metric("counting CPU", counts.seconds, unit="s")
    loss = yield from _train(bench, model, methods)
    space = Space(bench.words, model.vectors())
    if not np.isfinite(space.vectors).all():
        yield Note(f"training blew up: a rate of {params.lr:g} is too high for these counts")
        yield Finding("When GloVe's cost is NaN I lower eta first, and look at x_max second.")
        return None
    if lab.save is not None:
        save_word2vec(space, lab.save / "vectors.txt")
        yield Note("W + C is in vectors.txt, in word2vec's text format")
    methods["GloVe by AdaGrad, W + C"] = space
    methods["GloVe by AdaGrad, W alone"] = Space(bench.words, model.words[:, :-1])
    exact, exact_loss = yield from _solve(bench)
    methods["GloVe by exact least squares, W + C"] = exact
    yield method_table(bench.corpus, bench.human, methods)
    spread = yield from _ratio_table(bench, space, model)
    yield from _verdict(bench, methods, space, exact, (loss, exact_loss), spread)
    return Guide(space)


def _prepare(params: GloveParams, lab: Lab) -> Steps[Bench]:
    yield Stage("load", "text and human judgements")
    corpus = yield from own(lab, params.corpus) if params.corpus else wikipedia(lab)
    size = corpus.usable(params.min_count, params.most)
    yield Stage("co-occurrence", f"{size:,} words, {params.window} to each side, weight 1/distance")
    table, share = count_table(corpus, size, params.window)
    filled = table.nnz / size**2
    if share < 1:
        yield Note(f"the table is full after {share:.1%} of the text; the rest is not counted")
    yield Note(
        f"{corpus.name}: {corpus.tokens:,} words; {table.nnz:,} cells are filled, {filled:.1%}"
    )
    yield Stage("compile", "the inner loop: some seconds once, then it comes from the cache")
    kernel = load("glove_loop", lab)
    kernel.warm_up()
    cells = cells_of(table, params.x_max, params.alpha)
    return Bench(params, lab, corpus, table, cells, kernel, wordsim())


def _predictions(bench: Bench) -> Iterator[Event]:
    if Space(bench.words, np.zeros((len(bench.words), 1), np.float32)).score(bench.human).pairs < 2:
        return
    yield Prediction(
        "lower-loss",
        "Exact least squares will reach a much lower loss than AdaGrad on the same table. Its "
        "agreement with people (WordSim-353) will be ...",
        ANSWERS,
    )
    yield Prediction(
        "wordsim",
        f"How well do AdaGrad's vectors rank pairs of words as people do after "
        f"{bench.params.iterations} passes (Spearman, -1 to 1)?",
        unit="rho",
    )


def _checks(bench: Bench) -> Iterator[Event]:
    yield Stage("check", "the table against plain loops, formulas against finite differences")
    sample = np.array(bench.corpus.ids[:6000])
    size, window = len(bench.words), bench.params.window
    fast = cooccurrence(sample, size, window, harmonic=True)
    apart = support_difference(fast, count_slowly(sample, size, window))
    text = f"cells that differ from a count by plain loops, of {fast.nnz:,} in 6,000 places"
    yield claim("table-equals-loops", text, apart, "==", 0, unit="cells")
    error = finite_difference_error(bench.lab.rng(10))
    text = "the gradients equal finite differences (largest relative deviation)"
    yield claim("gradient-check", text, error, "<=", 1e-6)
    error = fast_loop_error(bench.kernel, bench.lab.rng(11))
    text = "a pass of the fast loop equals one of plain loops"
    yield claim("fast-equals-slow", text, error, "<=", 1e-5)


def _train(bench: Bench, model: Model, methods: dict[str, Space]) -> Steps[float]:
    """AdaGrad with loss, score and neighbours on screen; returns the last mean loss."""
    params, spent = bench.params, 0.0
    yield Stage(
        "train", f"AdaGrad, {params.iterations} passes over {len(bench.cells.rows):,} cells"
    )
    loss = Curves("loss", "Loss", "pass", "mean weighted squared error / 2")
    loss.levels["frequencies alone: biases"] = bias_loss(
        bench.table, bench.cells, params.x_max, params.alpha
    )
    score = Curves("wordsim", "Agreement with people: WordSim-353", "pass", "Spearman")
    known = methods["untrained"].score(bench.human).pairs > 1
    if known:
        score.levels["chance"] = 0.0
        score.levels |= {name: space.score(bench.human).rho for name, space in methods.items()}
    passes = adagrad(
        bench.kernel, bench.cells, model, params.lr, bench.lab.rng(1), params.iterations
    )
    begun = time.process_time()
    for number, cost in enumerate(passes, start=1):
        spent += time.process_time() - begun
        yield Progress(number, params.iterations, "pass", f"loss {cost:.4f}")
        space = Space(bench.words, model.vectors())
        loss.add("AdaGrad", number, cost)
        if known and np.isfinite(space.vectors).all():
            score.add("GloVe", number, space.score(bench.human).rho)
        if number in looks(params.iterations):
            yield from [loss.series(), score.series()] if known else [loss.series()]
            yield neighbour_table(params.words, methods["untrained"], space)
        begun = time.process_time()
    yield Metric("AdaGrad CPU", spent, unit="s")
    yield Metric("speed", len(bench.cells.rows) * params.iterations / spent, unit="cells/CPU-s")
    return mean_loss(bench.cells, model)


def _solve(bench: Bench) -> Steps[tuple[Space, float]]:
    """Exact least squares from the same kind of start; returns vectors and mean loss."""
    params = bench.params
    yield Stage("solve", "exact least squares, alternating: each word a linear system of its own")
    begun = time.process_time()
    model = new_model(len(bench.words), params.dim, bench.lab.rng(2))
    for sweep in range(SWEEPS):
        given = (params.x_max, params.alpha, RIDGE)
        model.words = solve_side(bench.table, model.contexts, *given)
        yield Progress(sweep + 0.5, SWEEPS, "sweep")
        model.contexts = solve_side(bench.table, model.words, *given)  # X is symmetric
        yield Progress(sweep + 1, SWEEPS, "sweep")
    yield Metric("least squares CPU", time.process_time() - begun, unit="s")
    return Space(bench.words, model.vectors()), mean_loss(bench.cells, model)


def _ratio_table(bench: Bench, space: Space, model: Model) -> Steps[float | None]:
    """The ice and steam table on words of this text.

    Returns how many times larger the largest counted ratio is than the smallest.
    """
    pair = [bench.params.first.lower(), bench.params.second.lower()]
    asked = [word.strip().lower() for word in bench.params.probes.split(",")]
    probes = [word for word in asked if word in space]
    if not (probes and all(word in space for word in pair)):
        yield Note("the words of the ratio table are not in this text: choose others by --probes")
        return None
    found = ratios(space, bench.table, model, pair, probes)
    rows: list[list[Cell]] = [
        [
            each.probe,
            *(round(x, 2) for x in each.counts),
            _finite(each.counted),
            _finite(each.fitted),
        ]
        for each in found
    ]
    columns = ["k", f"X[{pair[0]}, k]", f"X[{pair[1]}, k]", "ratio counted", "ratio of the vectors"]
    title = f"P(k|{pair[0]}) / P(k|{pair[1]})"
    note = (
        "where a count is 0 there is no ratio and no cell to fit; the vectors have one all the same"
    )
    yield Table("ratios", title, columns, rows, note)
    real = [each.counted for each in found if np.isfinite(each.counted)]
    return max(real) / min(real) if real else None


def _finite(value: float) -> float | None:
    return round(value, 3) if np.isfinite(value) else None


def _verdict(
    bench: Bench,
    methods: dict[str, Space],
    space: Space,
    exact: Space,
    losses: tuple[float, float],
    spread: float | None,
) -> Iterator[Event]:
    loss, exact_loss = losses
    rho, pairs = space.score(bench.human)
    if pairs < 2:
        yield Note("hardly a pair of WordSim-353 is in this text: judge by the neighbours")
        yield Finding(
            f"AdaGrad reached a loss of {loss:.4f}, exact least squares {exact_loss:.4f} on the same "
            "table. Which vectors are better has to be judged by something else than this loss."
        )
        return
    exact_rho = exact.score(bench.human).rho
    gain = exact_rho - rho
    answer = ANSWERS[1] if abs(gain) <= 0.02 else ANSWERS[0 if gain > 0 else 2]
    said = f"Loss {loss:.4f} and rho {rho:.2f} by AdaGrad, {exact_loss:.4f} and {exact_rho:.2f} exactly."
    yield Outcome("lower-loss", answer, said)
    yield Outcome("wordsim", round(rho, 2), f"Spearman's rho is {rho:.2f} on {pairs} pairs.")
    low, high = interval(*space.cosines(bench.human), bench.lab.rng(12))
    yield Note(f"95 % of bootstrap draws of the pairs lie between {low:.2f} and {high:.2f}")
    if bench.plain:
        text = "exact least squares reaches a much lower loss than AdaGrad (ratio)"
        yield claim("exact-loss", text, exact_loss / loss, "<=", 0.8)
        text = "the lower loss gives better vectors (gain in Spearman over AdaGrad)"
        yield claim("lower-loss-better", text, gain, ">=", 0.02, expect="refuted")
        text = "on so small a text GloVe stays behind counting (Spearman, PPMI + SVD minus GloVe)"
        behind = methods[COUNTING].score(bench.human).rho - rho
        yield claim("behind-counting", text, behind, ">=", 0.1)
        if spread is not None and bench.params == GloveParams(seed=bench.params.seed):
            text = "the largest ratio of the table is many times the smallest"
            yield claim("ratio-spread", text, spread, ">=", 100, unit="times")
    else:
        yield Note("the bars are for the default text and settings; these figures stand alone")
    better = "did not make better vectors" if gain < 0.02 else "made better vectors here"
    yield Finding(
        f"GloVe is weighted least squares on log counts. AdaGrad reached a loss of {loss:.4f} and "
        f"agrees with people at {rho:.2f}; exact least squares got the loss down to "
        f"{exact_loss:.4f} and agrees at {exact_rho:.2f}. The lower loss {better}: I judge vectors "
        "by what they are for."
    )


if __name__ == "__main__":
    main(GLOVE)
