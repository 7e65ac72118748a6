"""fastText: a word is the sum of its pieces, so every string has a vector. What is it worth?

word2vec knows nothing of a word it hasn't seen; *anarchistic* and *anarchist* are two numbers.
fastText (Bojanowski et al. 2017, arXiv:1607.04606) is skip-gram whose input vector is made of
character n-grams: *<an*, *ana*, *nar* and so on, with marks at both ends. So a typo and a new
inflection get a vector too, near words that are spelt alike.

Does that mean that it understands unknown words? Spelling and meaning are told apart here: typos
whose right answer is known, pairs of words that people rated of which one is unknown, and the same
model before any training, which knows spelling and nothing else.

The loss and its gradients are in demos/static/fasttext_math.py: read that first.

    python -m demos.static.fasttext --typo swap
    python -m demos.static.fasttext --min-n 5 --explore        then: anarchistic
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import isfinite, log
from types import ModuleType
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from demos.kit.alias import alias_table
from demos.kit.compiled import load
from demos.kit.corpus import Corpus, own, wikipedia
from demos.kit.counting import keep_chance
from demos.kit.data import told
from demos.kit.guide import neighbour_table
from demos.kit.judge import method_table
from demos.kit.loop import looks
from demos.kit.methods import predictor
from demos.kit.params import as_default
from demos.kit.plots import Curves
from demos.kit.similarity import Pair, Space, save_word2vec, wordsim
from demos.kit.trainer import Trainer, new_model
from demos.static.fasttext_math import (
    fast_loop_error,
    finite_difference_error,
)
from demos.static.specs import FASTTEXT, FasttextParams
from demos.static.subwords import (
    Pieces,
    Speller,
    SpellingGuide,
    add_rows,
    means,
    ngrams,
    overlap,
    typos,
)
from studytool.demo.events import (
    Cell,
    Event,
    Failed,
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

I64: TypeAlias = NDArray[np.int64]
R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. The run

WHO = ("the trained model", "the same model before training", "both alike (within 0.02)")
NEAREST = 10
_TYPOS = 300
#: Pairs of WordSim-353 with an unknown word that a correlation needs to say anything.
_ENOUGH_PAIRS = 20


@dataclass
class Bench:
    """What the parts of a run share. `plain`: what the bars presume holds."""

    params: FasttextParams
    lab: Lab
    corpus: Corpus
    loops: dict[str, ModuleType]
    human: list[Pair]

    @property
    def plain(self) -> bool:
        return as_default(self.params, "words", "unknown")

    def trainer(self) -> tuple[Trainer, Pieces, tuple[I64, I64]]:
        """fastText's trainer: its matrix of inputs has rows for n-grams below those of words."""
        params, rng, kernel = self.params, self.lab.rng(0), self.loops["fastText"]
        model = new_model(self.corpus, params, kernel.LANES, rng)
        size = len(model.words)
        add_rows(model, params.buckets, rng)
        pieces = Pieces(size, params.buckets, params.min_n, params.max_n)
        table = pieces.table(model.words)
        counts = self.corpus.counts[:size]
        noise = counts.astype(float) ** params.power
        keep = keep_chance(counts, params.sample)
        trainer = Trainer(self.corpus, params, kernel, model, keep, noise / noise.sum(), rng, table)
        return trainer, pieces, table


def speller(trainer: Trainer, pieces: Pieces, table: tuple[I64, I64]) -> Speller:
    """The model as it is at this moment."""
    model = trainer.model
    rows = model.inputs[:, : model.dim].copy()
    return Speller(Space(model.words, means(rows, *table)), rows, pieces)


def run(params: FasttextParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what answers any string afterwards."""
    if params.min_n > params.max_n:
        yield Failed(
            "the shortest n-gram is longer than the longest", "Lower --min-n or raise --max-n."
        )
        return None
    return (yield from told(_lesson(params, lab)))


def _lesson(params: FasttextParams, lab: Lab) -> Steps[Explorer | None]:
    yield Stage("load", "text and human judgements")
    corpus = yield from own(lab, params.corpus) if params.corpus else wikipedia(lab)
    yield Note(f"{corpus.name}: {corpus.tokens:,} words, {len(corpus.words):,} different")
    yield Stage("compile", "two inner loops: some seconds once, then they come from the cache")
    loops = {"skip-gram": load("sgns", lab), "fastText": load("subword_loop", lab)}
    for loop in loops.values():
        loop.warm_up()
    bench = Bench(params, lab, corpus, loops, wordsim())
    trainer, pieces, table = bench.trainer()
    untrained = speller(trainer, pieces, table)
    wrong = typos(corpus, trainer.model.words, params.typo, _TYPOS, lab.rng(20))
    yield from _pieces_note(pieces, table)
    yield from _predictions(bench, wrong)
    yield from _checks(bench, trainer)
    if not (yield from _train(bench, trainer, pieces, table, untrained)):
        return None
    trained = speller(trainer, pieces, table)
    if lab.save is not None:
        save_word2vec(trained.space, lab.save / "vectors.txt")
        yield Note("the known words' vectors are in vectors.txt, in word2vec's text format")
    plain = yield from _word2vec(bench)
    methods = {"untrained": untrained.space, "word2vec skip-gram": plain, "fastText": trained.space}
    yield method_table(corpus, bench.human, methods)
    found = yield from _typos(bench, wrong, untrained, trained)
    spelt, meant = yield from _unknown(bench, trained)
    yield from _finding(bench, found, spelt, meant)
    return SpellingGuide(trained)


def _pieces_note(pieces: Pieces, table: tuple[I64, I64]) -> Iterator[Event]:
    example = ngrams("where", pieces.shortest, pieces.longest)
    yield Note(f"where: {' '.join(example)} ({len(example)} n-grams)")
    used = len(np.unique(table[1][table[1] >= pieces.size]))
    yield Note(f"the known words' n-grams fill {used:,} of {pieces.buckets:,} buckets")


def _predictions(bench: Bench, wrong: list[tuple[str, str]]) -> Iterator[Event]:
    if not wrong:
        return
    yield Prediction(
        "typo-share",
        f"{len(wrong)} words are misspelt ({bench.params.typo}). For what share is the right word "
        f"among the {NEAREST} nearest of the trained model (0 to 1)?",
        unit="share",
    )
    yield Prediction(
        "typo-winner", "Which finds more of the right words, judged by the same nearest ten?", WHO
    )


def _checks(bench: Bench, trainer: Trainer) -> Iterator[Event]:
    k, lab = bench.params.negatives, bench.lab
    yield Stage("check", "formulas against finite differences, fast loop against formulas")
    error = finite_difference_error(lab.rng(10), k)
    text = "the gradients equal finite differences (largest relative deviation)"
    yield claim("gradient-check", text, error, "<=", 1e-6)
    error = fast_loop_error(bench.loops["fastText"], lab.rng(11), bench.params.window, k)
    text = "the fast loop's losses and gradients equal the formulas"
    yield claim("fast-equals-slow", text, error, "<=", 2e-6)
    ids = bench.corpus.ids[:2000]
    accept = alias_table(trainer.noise)
    loss, pairs = bench.loops["fastText"].train(
        np.array(ids), trainer.keep, *accept, trainer.model.inputs.copy(), trainer.model.outputs.copy(),
        bench.params.window, k, 0.0, np.array([88172645463325252], np.uint64), *trainer.extra,
    )  # fmt: skip
    yield Metric("loss before training", loss / max(1, pairs), unit="nats per pair")
    yield Metric("(k + 1) ln 2", (k + 1) * log(2), unit="nats per pair")


def _train(
    bench: Bench, trainer: Trainer, pieces: Pieces, table: tuple[I64, I64], untrained: Speller
) -> Steps[bool]:
    """Train with score and neighbours on screen; returns whether the numbers stayed sane."""
    epochs, epoch = bench.params.epochs, 0
    yield Stage("train", f"fastText, {epochs} epochs")
    score = Curves("wordsim", "Agreement with people: WordSim-353", "epoch", "Spearman")
    score.levels["chance"] = 0.0
    for step in trainer.run():
        yield Progress(round(step.epoch, 3), epochs, "epoch", f"loss {step.loss:.3f}")
        space = speller(trainer, pieces, table).space if step.epoch >= epoch + 1 else None
        if not isfinite(step.loss) or (space and not np.isfinite(space.vectors).all()):
            yield Note(f"training blew up: a learning rate of {bench.params.lr:g} is too high")
            yield Finding("When fastText blows up I lower the rate: each n-gram is in many words.")
            return False
        if space is None:
            continue
        epoch += 1
        rho = space.score(bench.human).rho
        if isfinite(rho):
            score.add("fastText", epoch, rho)
        if epoch in looks(epochs):
            if isfinite(rho):
                yield score.series()
            yield neighbour_table(bench.params.words, untrained.space, space)
    yield Metric("fastText CPU", trainer.seconds, unit="s")
    return True


def _word2vec(bench: Bench) -> Steps[Space]:
    """The same training without n-grams."""
    yield Stage("word2vec", "skip-gram without n-grams, same epochs")
    params = bench.params
    trainer = predictor(bench.corpus, params, bench.loops["skip-gram"], bench.lab.rng(1))
    for step in trainer.run():
        yield Progress(round(step.epoch, 3), params.epochs, "epoch", f"loss {step.loss:.3f}")
    yield Metric("word2vec CPU", trainer.seconds, unit="s")
    return trainer.model.space()


@dataclass(frozen=True)
class Found:
    """Shares of misspelt words whose right word is among the nearest."""

    trained: float
    untrained: float


def _typos(
    bench: Bench, wrong: list[tuple[str, str]], untrained: Speller, trained: Speller
) -> Steps[Found | None]:
    if not wrong:
        yield Note("too few long and frequent words in this text to misspell")
        return None
    yield Stage(
        "typos", f"{len(wrong)} misspelt words: is the right one among the {NEAREST} nearest?"
    )
    strings, originals = [pair[0] for pair in wrong], [pair[1] for pair in wrong]
    places = {
        "fastText, trained": trained.places(strings, originals),
        "fastText, untrained": untrained.places(strings, originals),
    }
    rows: list[list[Cell]] = [["word2vec: no vector for a string it hasn't seen", 0.0, 0.0]]
    for name, place in places.items():
        rows.append([name, float((place == 0).mean()), float((place < NEAREST).mean())])
    chance = NEAREST / len(trained.space.words)
    note = f"chance is {chance:.4f} for {NEAREST}, the best is 1; kind of typo: {bench.params.typo}"
    yield Table("typos", "Right word found", ["model", "nearest", f"{NEAREST} nearest"], rows, note)
    shown: list[list[Cell]] = []
    vectors = trained.vectors(strings[:6])
    for (string, original), vector in zip(wrong[:6], vectors, strict=True):
        near = [word for word, _ in trained.space.nearest(vector, 6)]
        shown.append([string, ", ".join(f"[{w}]" if w == original else w for w in near)])
    yield Table(
        "typo-cases", "Misspelt words; the right one in brackets", ["typo", "nearest"], shown
    )
    found = Found(*(float((place < NEAREST).mean()) for place in places.values()))
    gain = found.trained - found.untrained
    winner = WHO[2] if abs(gain) <= 0.02 else WHO[0 if gain > 0 else 1]
    text = f"Trained {found.trained:.0%}, untrained {found.untrained:.0%}."
    yield Outcome("typo-share", round(found.trained, 2), text)
    yield Outcome("typo-winner", winner, text)
    if bench.plain:
        text = f"misspelt words whose right word is among the {NEAREST} nearest (word2vec: 0)"
        yield claim("typo-top10", text, found.trained, ">=", 0.2)
        text = (
            "training is what finds them: before it, half as many or fewer (share of the trained)"
        )
        share = found.untrained / max(found.trained, 1e-9)
        yield claim("training-finds-typos", text, share, "<=", 0.5, expect="refuted")
    return found


def _unknown(bench: Bench, trained: Speller) -> Steps[tuple[float, float | None]]:
    """Unknown words: the spelling their neighbours share, and agreement with people.

    Returns how many times more n-grams are shared than with random words, and the correlation.
    """
    yield Stage("unknown", "words that the model has never seen: spelling or meaning?")
    space, pieces = trained.space, trained.pieces
    asked = [word.strip().lower() for word in bench.params.unknown.split(",")]
    rated = {word for pair in bench.human for word in (pair.first, pair.second)}
    missing = sorted(word for word in rated if word not in space and word.isalpha())
    cases = [word for word in asked if word and word not in space and pieces.of(word)]
    words = [word for word in dict.fromkeys(cases + missing) if pieces.of(word)]
    if not words:
        yield Note("every word that was asked for is known: choose others by --unknown")
        return 0.0, None
    rng, near, far = bench.lab.rng(21), [], []
    rows: list[list[Cell]] = []
    for word, vector in zip(words, trained.vectors(words), strict=True):
        found = [other for other, _ in space.nearest(vector, NEAREST)]
        near += [overlap(word, other, pieces.shortest, pieces.longest) for other in found]
        picks = rng.integers(0, len(space.words), NEAREST)
        far += [overlap(word, space.words[n], pieces.shortest, pieces.longest) for n in picks]
        if word in cases or len(rows) < 6:
            rows.append([word, ", ".join(found[:6]), round(float(np.mean(near[-NEAREST:])), 3)])
    columns = ["unknown word", "nearest known words", "n-grams shared"]
    yield Table("unknown", "Neighbours of unknown words", columns, rows)
    ratio = float(np.mean(near)) / max(float(np.mean(far)), 1e-9)
    known = [pair for pair in bench.human if pair.first in space and pair.second in space]
    new = [pair for pair in bench.human if pair not in known]
    rho = trained.pair_score(new) if len(new) >= _ENOUGH_PAIRS else None
    if rho is None or len(known) < 2:
        return ratio, None
    pairs: list[list[Cell]] = [
        ["both words known", trained.pair_score(known), len(known)],
        ["a word unknown", rho, len(new)],
    ]
    yield Table(
        "unknown-pairs",
        "Agreement with people",
        ["pairs of WordSim-353", "Spearman", "pairs"],
        pairs,
    )
    if bench.plain:
        text = f"n-grams shared with the {NEAREST} nearest, over those shared with random words"
        yield claim("neighbours-by-spelling", text, ratio, ">=", 5, unit="times")
        text = "fastText knows what unknown words mean (Spearman on pairs with an unknown word)"
        yield claim("unknown-meaning", text, rho, ">=", 0.3, expect="refuted")
    return ratio, rho


def _finding(
    bench: Bench, found: Found | None, spelt: float, meant: float | None
) -> Iterator[Event]:
    said = ["fastText makes a vector for any string from the n-grams of its spelling."]
    if found is not None:
        said.append(
            f"With a typo the right word is among the {NEAREST} nearest in {found.trained:.0%} of the "
            f"cases; word2vec has no vector at all, and the model before training finds "
            f"{found.untrained:.0%}, by spelling alone."
        )
    if spelt:
        said.append(
            f"Neighbours of unknown words share {spelt:.0f} times the n-grams of random words."
        )
    if meant is not None:
        said.append(f"On pairs with an unknown word it agrees with people at only {meant:.2f}.")
    if not bench.plain:
        yield Note("the bars are for the default text and settings; these figures stand alone")
    yield Finding(" ".join(said))


if __name__ == "__main__":
    main(FASTTEXT)
