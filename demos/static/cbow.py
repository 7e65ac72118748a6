"""CBOW: predict the word from the mean of its neighbours, and ask who learns rare words best.

Continuous bag of words (Mikolov et al. 2013, arXiv:1301.3781) turns skip-gram round. Skip-gram
makes a prediction for each neighbour; CBOW averages the neighbours' vectors and makes a single
one. That is cheaper, and the mean has forgotten the order of the words.

"Skip-gram is slower but better for infrequent words" is what everybody says. To measure it one
needs rare words whose meaning is known, so we plant them: 20 occurrences of *city* become
*city__20*, and the right neighbour of *city__20* is *city*. Who finds it: skip-gram, CBOW with
the same number of epochs, CBOW with the same CPU time, or plain counting?

    python -m demos.static.cbow --epochs 8
    python -m demos.static.cbow --divide --lr 0.25
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import isfinite, log
from types import ModuleType
from typing import TypeAlias, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from demos.kit.compiled import load
from demos.kit.corpus import Corpus, own, wikipedia
from demos.kit.data import DataFault
from demos.kit.guide import Guide, neighbour_table
from demos.kit.judge import method_table
from demos.kit.loop import looks
from demos.kit.methods import COUNTABLE, counted, predictor
from demos.kit.peer import train_gensim
from demos.kit.planting import Planted, plant
from demos.kit.similarity import Pair, Space, save_word2vec, wordsim
from demos.kit.trainer import Trainer
from demos.static.specs import CBOW, CbowParams
from studytool.demo.events import (
    Cell,
    Event,
    Failed,
    Finding,
    Line,
    Metric,
    Note,
    Outcome,
    Prediction,
    Progress,
    Series,
    Stage,
    Table,
    claim,
)
from studytool.demo.spec import Explorer, Lab, main

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]
R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. The objective and its gradients
# The rows of v are the vectors of the m context words, h is their mean; u is the output vector of
# the centre word, the rows of n those of k noise words. Everything behind h is skip-gram's loss.


def sigmoid(x: F64) -> F64:
    """1 / (1 + exp(-x)), without overflow."""
    return np.exp(-np.logaddexp(0, -x))


def window_loss(v: F64, u: F64, n: F64) -> float:
    """-log s(u.h) - sum_i log s(-n_i.h) with h the mean of v's rows. v: (m, d), u: (d,), n: (k, d)."""
    h = v.mean(axis=0)
    return float(np.logaddexp(0, -(u @ h)) + np.logaddexp(0, n @ h).sum())


def window_gradients(v: F64, u: F64, n: F64) -> tuple[F64, F64, F64]:
    """The gradients of `window_loss` for v, u and n. All rows of v get the same: a share of h's."""
    h = v.mean(axis=0)
    pull = sigmoid(u @ h) - 1  # label 1
    push = sigmoid(n @ h)  # labels 0
    to_h = pull * u + push @ n
    return np.tile(to_h / len(v), (len(v), 1)), pull * h, np.outer(push, h)


# %% [markdown]
# word2vec.c and gensim leave out the division by m and hand `to_h` to every context word. That is
# no gradient of this loss, but with its own learning rate it works (arXiv:2012.15332 found it).
# `--divide` trains with the exact gradient; it wants a rate about five times as large.

# %% [markdown]
# ## 2. Is it right?


def finite_difference_error(rng: np.random.Generator, negatives: int) -> float:
    """The largest relative deviation of `window_gradients` from central differences, in float64."""
    worst, step = 0.0, 1e-5
    for _ in range(20):
        m = int(rng.integers(1, 6))
        point = rng.normal(0, 0.7, (m + 1 + negatives, 8))
        exact = np.vstack(window_gradients(point[:m], point[m], point[m + 1 :]))
        nudges = np.eye(point.size).reshape(-1, *point.shape) * step
        there = [window_loss(p[:m], p[m], p[m + 1 :]) for p in point + nudges]
        back = [window_loss(p[:m], p[m], p[m + 1 :]) for p in point - nudges]
        guess = np.subtract(there, back) / (2 * step)
        worst = max(worst, float(np.abs(exact.ravel() - guess).max() / np.abs(exact).max()))
    return worst


def slow_window(contexts: I64, targets: I64, inputs: F64, outputs: F64) -> tuple[float, F64, F64]:
    """Loss and gradients of one window for whole matrices; words may occur more than once."""
    v, u, n = inputs[contexts], outputs[targets[0]], outputs[targets[1:]]
    d_inputs, d_outputs = np.zeros_like(inputs), np.zeros_like(outputs)
    dv, du, dn = window_gradients(v, u, n)
    np.add.at(d_inputs, contexts, dv)
    d_outputs[targets[0]] += du
    np.add.at(d_outputs, targets[1:], dn)
    return window_loss(v, u, n), d_inputs, d_outputs


def fast_loop_error(
    kernel: ModuleType, rng: np.random.Generator, window: int, negatives: int
) -> float:
    """The largest relative deviation of the fast loop's loss and gradients from the slow one's.

    At a learning rate of 1 the fast loop's step is the negative gradient itself.
    """
    worst = 0.0
    for _ in range(30):
        inputs, outputs = rng.normal(0, 0.3, (2, 40, 24)).astype(np.float32)
        contexts = rng.integers(0, 40, rng.integers(1, 2 * window + 1))
        targets = rng.integers(0, 40, negatives + 1)
        exact = slow_window(contexts, targets, inputs.astype(float), outputs.astype(float))
        after = inputs.copy(), outputs.copy()
        scratch = kernel.scratch(negatives, inputs.shape[1])
        rows, rate = len(contexts), np.float32(1)
        loss = kernel.step_window(contexts, rows, targets, rate, True, *after, *scratch)
        worst = max(worst, abs(loss - exact[0]) / exact[0])
        for before, stepped, gradient in zip((inputs, outputs), after, exact[1:], strict=True):
            deviation = np.abs(before.astype(float) - stepped - gradient).max()
            worst = max(worst, float(deviation / np.abs(gradient).max()))
    return worst


def order_difference(rng: np.random.Generator) -> float:
    """The largest change of the loss when the words of a window are shuffled."""
    worst = 0.0
    for _ in range(20):
        v, u, n = rng.normal(size=(8, 16)), rng.normal(size=16), rng.normal(size=(5, 16))
        change = window_loss(v, u, n) - window_loss(rng.permutation(v), u, n)
        worst = max(worst, abs(change))
    return worst


# %% [markdown]
# ## 3. The run

#: How often the planted words occur, how many are planted, and the count that is asked about.
OCCURRENCES, PLANTS, ASKED = (5, 10, 20, 40), 120, 20
#: CBOW's epochs for the CPU time of one epoch of skip-gram, in our two compiled loops.
PER_EPOCH = 1.4
COUNTING = "counting: PPMI + SVD"
WINNERS = ("skip-gram", "CBOW", "counting")


@dataclass
class Bench:
    """What the parts of a run share; `planted` is None where the text is too small for it.

    `plain`: what the bars presume holds.
    """

    params: CbowParams
    lab: Lab
    corpus: Corpus
    planted: Planted | None
    loops: dict[str, ModuleType]
    human: list[Pair]

    @property
    def plain(self) -> bool:
        free = {name: getattr(self.params, name) for name in ("seed", "peer", "words")}
        return self.params == msgspec.structs.replace(CbowParams(), **free)

    @property
    def equal_cpu(self) -> int:
        """CBOW's epochs in about the CPU time of skip-gram's."""
        return round(self.params.epochs * PER_EPOCH)

    def trainer(self, kind: str, epochs: int, stream: int) -> Trainer:
        """A trainer of "skip-gram" or "CBOW", with random numbers of its own."""
        params = msgspec.structs.replace(self.params, epochs=epochs)
        extra = (params.divide,) if kind == "CBOW" else ()
        return predictor(self.corpus, params, self.loops[kind], self.lab.rng(stream), extra)


@dataclass(frozen=True)
class Trained:
    """The vectors of one method, and the CPU seconds they took."""

    space: Space
    seconds: float


def run(params: CbowParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what answers words and sums of words afterwards."""
    try:
        return (yield from _lesson(params, lab))
    except DataFault as fault:
        yield Failed(fault.message, fault.hint)
        return None


def _lesson(params: CbowParams, lab: Lab) -> Steps[Explorer | None]:
    bench = yield from _prepare(params, lab)
    yield from _predictions(bench)
    yield from _checks(bench)
    yield Stage("count", "the baseline: positive PMI of co-occurrence counts, and its SVD")
    counts = counted(bench.corpus, bench.corpus.vocabulary(params.min_count))
    epochs, more = params.epochs, bench.equal_cpu
    methods = {COUNTING: Trained(counts.space, counts.seconds)} if counts else {}
    for stream, (name, kind, passes) in enumerate(
        [
            (f"skip-gram, {epochs} epochs", "skip-gram", epochs),
            (f"CBOW, {epochs} epochs", "CBOW", epochs),
            (f"CBOW, {more} epochs", "CBOW", more),
        ]
    ):
        trained = yield from _train(bench, name, bench.trainer(kind, passes, stream))
        if trained is None:
            yield from _diverged(params)
            return None
        methods[name] = trained
    space = list(methods.values())[-1].space
    if lab.save is not None:
        save_word2vec(space, lab.save / "vectors.txt")
        yield Note("CBOW's vectors are in vectors.txt, in word2vec's text format")
    yield from _costs(bench, methods)
    if params.peer:
        methods |= yield from _peers(bench, methods)
    yield method_table(bench.corpus, bench.human, {n: each.space for n, each in methods.items()})
    yield from _rare(bench, methods)
    return Guide(space)


def _prepare(params: CbowParams, lab: Lab) -> Steps[Bench]:
    yield Stage("load", "text and human judgements")
    corpus = yield from own(lab, params.corpus) if params.corpus else wikipedia(lab)
    small = corpus.tokens <= COUNTABLE
    planted = plant(corpus, OCCURRENCES, PLANTS, lab.rng(20)) if small else None
    if planted is None:
        yield Note(
            "this text is too small, or too large, to plant rare words: the scores stand alone"
        )
    else:
        corpus, number = planted.corpus, len(planted.names[ASKED])
        yield Note(f"{number} words have twins of {', '.join(map(str, OCCURRENCES))} occurrences")
    yield Note(f"{corpus.name}: {corpus.tokens:,} words, {len(corpus.words):,} different")
    yield Stage("compile", "two inner loops: some seconds once, then they come from the cache")
    loops = {"skip-gram": load("sgns", lab), "CBOW": load("cbow_loop", lab)}
    for loop in loops.values():
        loop.warm_up()
    return Bench(params, lab, corpus, planted, loops, wordsim())


def _predictions(bench: Bench) -> Iterator[Event]:
    if bench.planted is None:
        return
    yield Prediction(
        "rare-winner",
        f"Which finds most originals of words with {ASKED} occurrences: skip-gram, CBOW in the "
        "same CPU time, or counting without any training?",
        WINNERS,
    )
    yield Prediction(
        "rare-share",
        f"After {bench.params.epochs} epochs of skip-gram, what share of the originals is among "
        f"the 10 nearest words of their twins with {ASKED} occurrences (0 to 1)?",
        unit="share",
    )


def _checks(bench: Bench) -> Iterator[Event]:
    k, window, lab = bench.params.negatives, bench.params.window, bench.lab
    yield Stage("check", "formulas against finite differences, fast loop against slow loop")
    error = finite_difference_error(lab.rng(10), k)
    text = "the gradients equal finite differences (largest relative deviation)"
    yield claim("gradient-check", text, error, "<=", 1e-6)
    error = fast_loop_error(bench.loops["CBOW"], lab.rng(11), window, k)
    text = "the fast loop's losses and gradients equal those of plain loops"
    yield claim("fast-equals-slow", text, error, "<=", 2e-6)
    start = round(bench.trainer("CBOW", 1, 0).start_loss(), 6)
    text = f"before training the loss is (k + 1) ln 2 with k = {k}"
    yield claim("start-loss", text, start, "==", round((k + 1) * log(2), 6), unit="nats a window")
    text = "shuffling the words of a window changes the loss by"
    yield claim("order-ignored", text, order_difference(lab.rng(12)), "<=", 1e-12)


def _train(bench: Bench, name: str, trainer: Trainer) -> Steps[Trained | None]:
    """Train with neighbours on screen; None when the numbers blew up."""
    epochs = trainer.settings.epochs
    yield Stage("train", name)
    untrained, epoch = trainer.model.space(), 0
    for step in trainer.run():
        yield Progress(round(step.epoch, 3), epochs, "epoch", f"loss {step.loss:.3f}")
        if not isfinite(step.loss):
            return None
        if step.epoch < epoch + 1:
            continue
        epoch += 1
        space = trainer.model.space()
        if not np.isfinite(space.vectors).all():
            return None
        if epoch in looks(epochs):
            yield neighbour_table(bench.params.words, untrained, space)
            if bench.planted is not None:
                found = bench.planted.shares(space)[ASKED]
                yield Metric(f"{name}: originals found at {ASKED}", found, epoch)
    return Trained(trainer.model.space(), trainer.seconds)


def _diverged(params: CbowParams) -> Iterator[Event]:
    yield Note(f"training blew up: at a learning rate of {params.lr:g} the vectors have no limit")
    yield Finding(
        "When word2vec blows up I lower the learning rate first. CBOW as released hands the "
        "undivided gradient to every context word, so its rate is not skip-gram's."
    )


def _costs(bench: Bench, methods: dict[str, Trained]) -> Iterator[Event]:
    for name, trained in methods.items():
        yield Metric(f"{name}: CPU", trained.seconds, unit="s")
    skipgram, cbow = [each for name, each in methods.items() if name != COUNTING][:2]
    yield Metric("an epoch of skip-gram costs", skipgram.seconds / cbow.seconds, unit="of CBOW's")
    yield Note(
        "CBOW's speed comes from fewer predictions: our skip-gram shares its negatives and makes "
        "the predictions of a window in small matrix products, so less is left to gain than with "
        "gensim's loop over pairs (--peer)"
    )


def _peers(bench: Bench, methods: dict[str, Trained]) -> Steps[dict[str, Trained]]:
    found = {}
    for name, cbow in (("skip-gram", False), ("CBOW", True)):
        yield Stage("peer", f"gensim's {name} with the same settings")
        peer = yield from train_gensim(bench.corpus, bench.params, cbow=cbow)
        yield Metric(f"gensim's {name}: CPU", peer.seconds, unit="s")
        found[f"gensim's {name}, {bench.params.epochs} epochs"] = Trained(peer.space, peer.seconds)
    ours = [each for name, each in methods.items() if name != COUNTING]
    theirs = list(found.values())
    yield Note(
        f"an epoch of skip-gram costs {ours[0].seconds / ours[1].seconds:.1f} of CBOW's here and "
        f"{theirs[0].seconds / theirs[1].seconds:.1f} in gensim"
    )
    return found


# %% [markdown]
# ## 4. Rare words


def _rare(bench: Bench, methods: dict[str, Trained]) -> Iterator[Event]:
    if bench.planted is None:
        yield Finding(
            "CBOW makes one prediction a window from the mean of its words, skip-gram one a pair; "
            "which is better for rare words has to be measured on a text with enough of them."
        )
        return
    shares = {name: bench.planted.shares(each.space) for name, each in methods.items()}
    size = len(next(iter(methods.values())).space.words)
    rows: list[list[Cell]] = [
        [name, round(methods[name].seconds, 1), *share.values()] for name, share in shares.items()
    ]
    columns = ["method", "CPU s", *(f"{count} times" for count in OCCURRENCES)]
    note = f"share of originals among the 10 nearest; chance is {10 / size:.4f}, the best is 1"
    yield Table("rare", "Rare words: is the original found?", columns, rows, note)
    lines = [Line(name, OCCURRENCES, list(share.values())) for name, share in shares.items()]
    title = "Originals among the 10 nearest"
    yield Series("rare-curve", title, lines, "occurrences", "share", {"chance": 10 / size})
    yield from _cases(bench.planted, methods)
    counting, skipgram, cbow, longer = (each[ASKED] for each in list(shares.values())[:4])
    yield from _answers(bench, counting, skipgram, longer)
    if bench.plain:
        yield from _claims(counting, skipgram, cbow, longer)
    else:
        yield Note("the bars are for the default text and settings; these figures stand alone")
    yield Finding(
        f"With {ASKED} occurrences, skip-gram finds {skipgram:.0%} of the originals in "
        f"{bench.params.epochs} epochs and CBOW {cbow:.0%}; in about the same CPU time CBOW finds "
        f"{longer:.0%}, and counting finds {counting:.0%} without training. So who is better for "
        "rare words depends on what is held equal."
    )


def _cases(planted: Planted, methods: dict[str, Trained]) -> Iterator[Event]:
    """The neighbours of some twins, with the original marked."""
    shown = list(methods.items())[:4]
    rows: list[list[Cell]] = []
    for twin, original in planted.names[ASKED][:6]:
        near = [planted.neighbours(each.space, twin, 5) for _, each in shown]
        marked = [", ".join(f"[{w}]" if w == original else w for w in words) for words in near]
        rows.append([twin, *marked])
    columns = ["planted", *(name for name, _ in shown)]
    yield Table("cases", "Five nearest words; the original in brackets", columns, rows)


def _answers(bench: Bench, counting: float, skipgram: float, longer: float) -> Iterator[Event]:
    found = dict(zip(WINNERS, (skipgram, longer, counting), strict=True))
    winner = max(WINNERS, key=lambda name: found[name])
    said = ", ".join(f"{name} {share:.0%}" for name, share in found.items())
    yield Outcome("rare-winner", winner, f"Found: {said}.")
    text = f"Skip-gram found {skipgram:.0%} after {bench.params.epochs} epochs."
    yield Outcome("rare-share", round(skipgram, 2), text)


def _claims(counting: float, skipgram: float, cbow: float, longer: float) -> Iterator[Event]:
    text = f"at equal epochs and rate, skip-gram finds more words with {ASKED} occurrences (gain)"
    yield claim("equal-epochs", text, skipgram - cbow, ">=", 0.02)
    text = "skip-gram is always better for rare words (gain over CBOW at about equal CPU time)"
    yield claim("skipgram-better-rare", text, skipgram - longer, ">=", 0, expect="refuted")
    text = "counting finds at least as many as CBOW, without training (gain)"
    yield claim("counting-rare", text, counting - longer, ">=", 0)
    text = "counting's share of originals found"
    yield claim("counting-share", text, counting, ">=", 0.4)


if __name__ == "__main__":
    main(CBOW)
