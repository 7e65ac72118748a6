"""Skip-gram with negative sampling, from scratch, in front of you.

A word is known by the company it keeps. Skip-gram (Mikolov et al. 2013, arXiv:1301.3781) gives
each word a vector and asks it to tell which words stand around it. Asking "which of V words?"
costs V dot products a pair; negative sampling (Mikolov et al. 2013, arXiv:1310.4546) asks "is
this a real neighbour, or noise?" k + 1 times instead.

The text is 106 Wikipedia articles, half a million words; word2vec was made for billions. It is
enough to see all of it happen: the loss that must start at (k + 1) ln 2, neighbours that are
noise for five epochs and then fall into place, a score against human judgement beside the one
that plain counting gets, analogies that hang on a trick, and the matrix of counts that the
dot products fit without having been told.

The loss and its gradients are in demos/static/skipgram_math.py: read that first.

    python -m demos.static.skipgram --window 2
    python -m demos.static.skipgram --corpus my.txt --explore     then: king - man + woman
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import isfinite, log
from types import ModuleType
from typing import Any, TypeAlias, TypeVar

import msgspec
import numpy as np

from demos.kit.compiled import load
from demos.kit.corpus import Corpus, own, wikipedia
from demos.kit.data import told
from demos.kit.guide import Guide, neighbour_table
from demos.kit.judge import ask_analogies, method_table, predictions
from demos.kit.loop import looks
from demos.kit.methods import counted, predictor
from demos.kit.params import as_default
from demos.kit.peer import train_gensim
from demos.kit.plots import Curves, group_means
from demos.kit.similarity import AnalogyScore, Pair, Space, interval, save_word2vec, wordsim
from demos.kit.trainer import Trainer
from demos.static.skipgram_math import (
    IDENTITY,
    compare_with_pmi,
    fast_loop_error,
    finite_difference_error,
)
from demos.static.specs import SKIPGRAM, SkipgramParams
from studytool.demo.events import (
    Cell,
    Event,
    Finding,
    Line,
    Metric,
    Note,
    Outcome,
    Progress,
    Series,
    Stage,
    Table,
    claim,
)
from studytool.demo.spec import Explorer, Lab, main

R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. The run

#: What WordSim-353 should reach here, and the epochs from which on it is asked for.
BAR, ENOUGH = 0.45, 20
COUNTING = "counting: PPMI + SVD"


@dataclass
class Bench:
    """What the parts of a run share. `plain`: all but the epochs is as the bars presume."""

    params: SkipgramParams
    lab: Lab
    corpus: Corpus
    kernel: ModuleType
    human: list[Pair]

    @property
    def plain(self) -> bool:
        return as_default(self.params, "epochs", "identity", "peer", "words")

    def trainer(self, stream: int, **changes: Any) -> Trainer:
        """A trainer with some parameters changed, and with random numbers of its own."""
        params, rng = msgspec.structs.replace(self.params, **changes), self.lab.rng(stream)
        return predictor(self.corpus, params, self.kernel, rng)


def run(params: SkipgramParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what answers words and analogies afterwards."""
    return (yield from told(_lesson(params, lab)))


def _lesson(params: SkipgramParams, lab: Lab) -> Steps[Explorer | None]:
    yield Stage("load", "text and human judgements")
    corpus = yield from own(lab, params.corpus) if params.corpus else wikipedia(lab)
    yield Note(
        f"{corpus.name}: {corpus.sentences:,} sentences, {corpus.tokens:,} words, "
        f"{len(corpus.words):,} different"
    )
    yield Stage("compile", "the inner loop: some seconds once, then it comes from the cache")
    kernel = load("sgns", lab)
    kernel.warm_up()
    bench = Bench(params, lab, corpus, kernel, wordsim())
    trainer = bench.trainer(0)
    untrained = trainer.model.space()
    yield from predictions(untrained, bench.human, params.epochs)
    yield from _checks(bench, trainer)
    methods = {"untrained": untrained} | (yield from _count(bench, untrained))
    if not (yield from _train(bench, trainer, methods)):
        return None
    space = trainer.model.space()
    if lab.save is not None:
        save_word2vec(space, lab.save / "vectors.txt")
        yield Note("the vectors are in vectors.txt, in word2vec's text format")
    methods |= yield from _five_epochs(bench, space)
    methods[f"skip-gram, {_epochs(params)}"] = space
    analogy = yield from _analogies(bench, space)
    fit = yield from _identity(bench)
    if params.peer:
        methods |= yield from _peer(bench, trainer.seconds)
    yield from _verdict(bench, space, methods)
    yield _finding(bench, space, methods, analogy, fit)
    return Guide(space)


def _checks(bench: Bench, trainer: Trainer) -> Iterator[Event]:
    k, window = bench.params.negatives, bench.params.window
    yield Stage("check", "formulas against finite differences, fast loop against slow loop")
    error = finite_difference_error(bench.lab.rng(10), k)
    text = "the gradients equal finite differences (largest relative deviation)"
    yield claim("gradient-check", text, error, "<=", 1e-6)
    error = fast_loop_error(bench.kernel, bench.lab.rng(11), window, k)
    text = "the fast loop's losses and gradients equal those of plain loops"
    yield claim("fast-equals-slow", text, error, "<=", 1e-6)
    start, bound = round(trainer.start_loss(), 6), round((k + 1) * log(2), 6)
    text = f"before training the loss is (k + 1) ln 2 with k = {k}"
    yield claim("start-loss", text, start, "==", bound, unit="nats per pair")


def _count(bench: Bench, untrained: Space) -> Steps[dict[str, Space]]:
    """The baseline that tutorials leave out: vectors from counts alone."""
    yield Stage("count", "the baseline: positive PMI of co-occurrence counts, and its SVD")
    found = counted(bench.corpus, len(untrained.words))
    if found is None:
        yield Note("the counting baseline is left out: it would need the whole text in memory")
        return {}
    yield Metric("counting CPU", found.seconds, unit="s")
    return {COUNTING: found.space}


def _train(bench: Bench, trainer: Trainer, methods: dict[str, Space]) -> Steps[bool]:
    """Train with neighbours, score and loss on screen; returns whether the numbers stayed sane."""
    params, epochs = bench.params, bench.params.epochs
    yield Stage("train", f"{len(trainer.model.words):,} words, {_epochs(params)}")
    if params.threads > 1:
        yield Note("several threads write without locks: two runs differ a little")
    loss = Curves("loss", "Loss", "epoch", "nats per pair")
    loss.levels["untrained: (k + 1) ln 2"] = (params.negatives + 1) * log(2)
    score = Curves("wordsim", "Agreement with people: WordSim-353", "epoch", "Spearman")
    known = methods["untrained"].score(bench.human).pairs > 1
    if known:
        score.levels["chance"] = 0.0
        score.levels |= {name: space.score(bench.human).rho for name, space in methods.items()}
    epoch = 0
    for step in trainer.run():
        yield Progress(round(step.epoch, 3), epochs, "epoch", f"loss {step.loss:.3f}")
        space = trainer.model.space() if step.epoch >= epoch + 1 else None
        if not isfinite(step.loss) or (space and not np.isfinite(space.vectors).all()):
            yield from _diverged(params)
            return False
        if int(step.epoch * 4) > int(loss.last_x() * 4):
            loss.add("training", step.epoch, step.loss)
        if space is None:
            continue
        epoch += 1
        if known:
            score.add("skip-gram", epoch, space.score(bench.human).rho)
        if epoch in looks(epochs):
            yield from [loss.series(), score.series()] if known else [loss.series()]
            yield neighbour_table(params.words, methods["untrained"], space)
    yield Metric("training CPU", trainer.seconds, unit="s")
    yield Metric("speed", bench.corpus.tokens * epochs / trainer.seconds, unit="words/CPU-s")
    return True


def _diverged(params: SkipgramParams) -> Iterator[Event]:
    yield Note(f"training blew up: at a learning rate of {params.lr:g} the vectors have no limit")
    yield Finding(
        "When the loss of word2vec blows up, I lower the learning rate first: each step moves "
        "a vector by the rate times the other vector, so large vectors make each other larger."
    )


def _five_epochs(bench: Bench, space: Space) -> Steps[dict[str, Space]]:
    """gensim's default number of epochs, as a training of its own with its own falling rate."""
    if bench.params.corpus or bench.params.epochs < 5:
        return {}
    found = {}
    if bench.params.epochs > 5:
        yield Stage("five epochs", "another training, of gensim's default length")
        trainer = bench.trainer(1, epochs=5)
        for step in trainer.run():
            yield Progress(round(step.epoch, 3), 5, "epoch", f"loss {step.loss:.3f}")
        space = found["skip-gram, 5 epochs"] = trainer.model.space()
    if bench.plain:
        text = "five epochs, the usual default, are enough on a small text (Spearman)"
        rho = space.score(bench.human).rho
        yield claim("five-epochs", text, rho, ">=", BAR, expect="refuted")
    return found


def _analogies(bench: Bench, space: Space) -> Steps[AnalogyScore]:
    yield Stage("analogies", "a is to b as c is to ...: with and without excluding a, b and c")
    found = yield from ask_analogies(space)
    if bench.plain and bench.params.epochs >= ENOUGH:
        asked, right, raw = found.asked, found.right_excluded, found.right_raw
        text = f"excluding the inputs makes {right} answers right, not {raw}, of {asked:,}"
        ratio = right / max(1, raw)
        yield claim("analogy-excluded-vs-raw", text, ratio, ">=", 5, unit="times")
        text = "vector arithmetic finds the answer by itself (share right, nothing excluded)"
        yield claim("analogies-raw", text, raw / asked, ">=", 0.02, expect="refuted")
        text = "with nothing excluded, the nearest vector is one of the inputs"
        yield claim("raw-is-input", text, found.raw_is_input / asked, ">=", 0.7)
    return found


def _identity(bench: Bench) -> Steps[float | None]:
    """The dot products of a training of its own beside the counts of the same text."""
    if not bench.params.identity or bench.params.corpus:
        return None
    yield Stage("shifted PMI", "another training: frequent words, narrow window, all text kept")
    trainer = bench.trainer(2, **IDENTITY)
    for step in trainer.run():
        yield Progress(round(step.epoch, 3), IDENTITY["epochs"], "epoch", f"loss {step.loss:.3f}")
    settings = msgspec.structs.replace(bench.params, **IDENTITY)
    found = compare_with_pmi(bench.corpus, trainer.model, settings)
    often = found.seen >= 5
    x, y = group_means(found.theory[often], found.product[often], 20)
    title = "Dot products against theory: pairs seen 5 times or more, in 20 groups"
    lines = [Line("trained", x, y), Line("theory", x, x)]
    yield Series("identity", title, lines, "PMI - log k", "w.c")
    rows: list[list[Cell]] = [[n, *found.correlation(n)] for n in (1, 5, 20, 100)]
    columns = ["seen at least", "correlation", "pairs"]
    yield Table("identity-by-count", "w.c with PMI - log k", columns, rows)
    r, pairs = found.correlation(5)
    text = f"w.c follows PMI - log k on the {pairs:,} pairs seen 5 times or more (correlation)"
    yield claim("shifted-pmi", text, r, ">=", 0.9)
    return r


def _peer(bench: Bench, seconds: float) -> Steps[dict[str, Space]]:
    yield Stage("peer", "gensim with the same settings on the same text")
    peer = yield from train_gensim(bench.corpus, bench.params)
    yield Metric("gensim's training CPU", peer.seconds, unit="s")
    yield Metric("our speed over gensim's", peer.seconds / seconds, unit="times")
    return {f"gensim, {_epochs(bench.params)}": peer.space}


def _epochs(params: SkipgramParams) -> str:
    return f"{params.epochs} epoch{'s' if params.epochs > 1 else ''}"


def _verdict(bench: Bench, space: Space, methods: dict[str, Space]) -> Iterator[Event]:
    """All methods in one table, and what is claimed of them."""
    yield method_table(bench.corpus, bench.human, methods)
    rho, pairs = space.score(bench.human)
    if pairs < 2:
        yield Note("hardly a pair of WordSim-353 is in this text: judge by the neighbours")
        return
    yield Outcome("wordsim", round(rho, 2), f"Spearman's rho is {rho:.2f} on {pairs} pairs.")
    low, high = interval(*space.cosines(bench.human), bench.lab.rng(12))
    yield Note(f"95 % of bootstrap draws of the pairs lie between {low:.2f} and {high:.2f}")
    if not bench.plain:
        yield Note("the bars are for the default text and settings; these figures stand alone")
    elif bench.params.epochs >= ENOUGH:
        yield claim("wordsim", "cosines rank pairs as people do (Spearman)", rho, ">=", BAR)
        ahead = rho - methods[COUNTING].score(bench.human).rho
        text = "predicting beats counting (Spearman, skip-gram minus PPMI + SVD)"
        yield claim("predict-beats-count", text, ahead, ">=", 0.05, expect="refuted")


def _finding(
    bench: Bench, space: Space, methods: dict[str, Space], asked: AnalogyScore, fit: float | None
) -> Finding:
    said = [
        f"I trained skip-gram with negative sampling (k = {bench.params.negatives}) on "
        f"{bench.corpus.tokens:,} words, {_epochs(bench.params)}."
    ]
    rho, pairs = space.score(bench.human)
    if pairs > 1:
        said.append(f"Its cosines agree with people at a rank correlation of {rho:.2f}.")
        if COUNTING in methods:
            counted = methods[COUNTING].score(bench.human).rho
            said.append(f"Counting with PPMI and SVD reaches {counted:.2f} on the same text.")
    if asked.asked:
        said.append(
            f"Of {asked.asked:,} analogies {asked.right_excluded} come out right when the inputs "
            f"may not be the answer, and {asked.right_raw} when they may."
        )
    if fit is not None:
        said.append(
            f"Dot products follow PMI - log k at r = {fit:.2f} on pairs seen 5 times or more."
        )
    return Finding(" ".join(said))


if __name__ == "__main__":
    main(SKIPGRAM)
