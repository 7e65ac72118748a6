"""CBOW: predict the word from the mean of its neighbours, and ask who learns rare words best.

Continuous bag of words (Mikolov et al. 2013, arXiv:1301.3781) turns skip-gram round. Skip-gram
makes a prediction for each neighbour; CBOW averages the neighbours' vectors and makes a single
one. That is cheaper, and the mean has forgotten the order of the words.

"Skip-gram is slower but better for infrequent words" is what everybody says. To measure it one
needs rare words whose meaning is known, so we plant them: 20 occurrences of *city* become
*city__20*, and the right neighbour of *city__20* is *city*. Who finds it: skip-gram, CBOW with
the same number of epochs, CBOW with the same CPU time, or plain counting?

The loss and its gradients are in demos/static/cbow_math.py: read that first.

    python -m demos.static.cbow --epochs 8
    python -m demos.static.cbow --divide --lr 0.25
    python -m demos.static.cbow --peer
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import isfinite, log
from types import ModuleType
from typing import TypeAlias, TypeVar

import msgspec
import numpy as np

from demos.kit.compiled import load
from demos.kit.corpus import Corpus, own, wikipedia
from demos.kit.data import told
from demos.kit.guide import Guide, neighbour_table
from demos.kit.judge import method_table
from demos.kit.loop import looks
from demos.kit.methods import COUNTABLE, counted, predictor
from demos.kit.params import as_default
from demos.kit.peer import train_gensim
from demos.kit.planting import Planted, plant
from demos.kit.similarity import Pair, Space, save_word2vec, wordsim
from demos.kit.trainer import Trainer
from demos.static.cbow_math import fast_loop_error, finite_difference_error, order_difference
from demos.static.specs import CBOW, CbowParams
from studytool.demo.events import (
    Cell,
    Event,
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

R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. The run

#: How often the planted words occur, how many are planted, and the count that is asked about.
OCCURRENCES, PLANTS, ASKED = (5, 10, 20, 40), 120, 20
#: CBOW's epochs for the CPU time of one epoch of skip-gram, in our two compiled loops.
PER_EPOCH = 1.4
#: The same for gensim's, whose skip-gram makes each prediction of a window by itself.
PEER_PER_EPOCH = 2.5
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
        return as_default(self.params, "peer", "words")

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
    """The vectors of one method, the CPU seconds they took, and for how many epochs."""

    space: Space
    seconds: float
    epochs: int = 1

    @property
    def an_epoch(self) -> float:
        """CPU seconds of one epoch."""
        return self.seconds / self.epochs


def run(params: CbowParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what answers words and sums of words afterwards."""
    return (yield from told(_lesson(params, lab)))


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
    return Trained(trainer.model.space(), trainer.seconds, epochs)


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
    yield Metric("an epoch of skip-gram costs", skipgram.an_epoch / cbow.an_epoch, unit="of CBOW's")
    yield Note(
        "CBOW's speed comes from fewer predictions: our skip-gram shares its negatives and makes "
        "the predictions of a window in small matrix products, so less is left to gain than with "
        "gensim's loop over pairs (--peer)"
    )


def _peers(bench: Bench, methods: dict[str, Trained]) -> Steps[dict[str, Trained]]:
    """gensim's skip-gram, and its CBOW with as many epochs as take the same CPU time."""
    found = {}
    epochs = bench.params.epochs
    for name, passes in (("skip-gram", epochs), ("CBOW", round(epochs * PEER_PER_EPOCH))):
        yield Stage("peer", f"gensim's {name}, {passes} epochs, else the same settings")
        params = msgspec.structs.replace(bench.params, epochs=passes)
        peer = yield from train_gensim(bench.corpus, params, cbow=name == "CBOW")
        yield Metric(f"gensim's {name}: CPU", peer.seconds, unit="s")
        found[f"gensim's {name}, {passes} epochs"] = Trained(peer.space, peer.seconds, passes)
    ours = [each for name, each in methods.items() if name != COUNTING]
    theirs = list(found.values())
    yield Note(
        f"an epoch of skip-gram costs {ours[0].an_epoch / ours[1].an_epoch:.1f} of CBOW's here and "
        f"{theirs[0].an_epoch / theirs[1].an_epoch:.1f} in gensim"
    )
    return found


# %% [markdown]
# ## 2. Rare words


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
        if bench.params.peer:
            yield from _peer_claims(list(shares.values())[4:], list(methods.values())[4:])
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


def _peer_claims(shares: list[dict[int, float]], trained: list[Trained]) -> Iterator[Event]:
    text = "gensim's CBOW takes about the CPU time of its skip-gram, or less (ratio)"
    yield claim("gensim-cpu", text, trained[1].seconds / trained[0].seconds, "<=", 1.2)
    text = f"in that time gensim's CBOW finds more words with {ASKED} occurrences (gain)"
    yield claim("gensim-cbow-wins", text, shares[1][ASKED] - shares[0][ASKED], ">=", 0.1)


if __name__ == "__main__":
    main(CBOW)
