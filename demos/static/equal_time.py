"""Trains skip-gram, CBOW, GloVe and fastText for about the same CPU time, and keeps each score.

Read this before demos/static/evaluation.py, which judges the vectors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from types import ModuleType
from typing import TypeAlias, TypeVar

import numpy as np

from demos.kit.corpus import Corpus
from demos.kit.methods import Recipe, predictor
from demos.kit.params import as_default
from demos.kit.plots import Curves
from demos.kit.similarity import (
    Pair,
    Space,
)
from demos.kit.trainer import Trainer
from demos.static.glove_math import adagrad, cells_of, count_table, new_model
from demos.static.specs import EvaluationParams
from demos.static.subwords import Pieces, add_rows, means
from studytool.demo.events import (
    Event,
    Note,
    Progress,
)
from studytool.demo.spec import Lab

R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. The same CPU time for each
# Steps, not seconds, are what is fixed, so that the same seed gives the same vectors. They were
# chosen so that each trained method takes about as long; counting takes what it takes.

COUNTING, SKIPGRAM, CBOW = "PPMI + SVD", "skip-gram", "CBOW"
GLOVE, FASTTEXT = "GloVe", "fastText"
#: Passes over the text, or over the table of GloVe, at effort 1.
PASSES = {SKIPGRAM: 18, CBOW: 25, GLOVE: 9, FASTTEXT: 8}
COUNT_DIM, COUNT_TOLERANCE = 50, 0.3
_GLOVE_DIM, _GLOVE_WINDOW, _X_MAX, _ALPHA, _ETA = 50, 10, 10.0, 0.75, 0.05
_BUCKETS, _SHORTEST, _LONGEST = 100_000, 3, 6


@dataclass
class Bench:
    """What the parts of a run share; `curve` is score against CPU time."""

    params: EvaluationParams
    lab: Lab
    corpus: Corpus
    size: int
    loops: dict[str, ModuleType]
    human: list[Pair]
    curve: Curves

    @property
    def words(self) -> list[str]:
        return self.corpus.words[: self.size]

    @property
    def plain(self) -> bool:
        return as_default(self.params)

    @property
    def scored(self) -> bool:
        """Whether the text has enough of the words that people rated."""
        return Space(self.words, np.zeros((self.size, 1), np.float32)).score(self.human).pairs >= 30

    def passes(self, method: str) -> int:
        return max(1, round(PASSES[method] * self.params.effort))


@dataclass(frozen=True)
class Trained:
    """The vectors of one method, and the CPU seconds they took."""

    space: Space
    seconds: float


def predict(bench: Bench, method: str, stream: int) -> Steps[Trained]:
    """Skip-gram, CBOW or fastText with the score of each epoch on the curve."""
    recipe = Recipe(epochs=bench.passes(method), min_count=bench.params.min_count)
    rng = bench.lab.rng(stream)
    extra = (False,) if method == CBOW else ()  # CBOW as released, its gradient undivided
    trainer = predictor(bench.corpus, recipe, bench.loops[method], rng, extra)
    look: Callable[[], Space] = trainer.model.space
    if method == FASTTEXT:
        look = _with_pieces(trainer, rng)
    epoch = 0
    for step in trainer.run():
        yield Progress(round(step.epoch, 3), recipe.epochs, "epoch", f"loss {step.loss:.3f}")
        if step.epoch >= epoch + 1:
            epoch += 1
            add_score(bench, method, trainer.seconds, look())
    return Trained(look(), trainer.seconds)


def _with_pieces(trainer: Trainer, rng: np.random.Generator) -> Callable[[], Space]:
    """Give the trainer rows for n-grams; returns what composes the words' vectors from them."""
    model = trainer.model
    add_rows(model, _BUCKETS, rng)
    table = Pieces(len(model.words), _BUCKETS, _SHORTEST, _LONGEST).table(model.words)
    trainer.extra = table
    return lambda: Space(model.words, means(model.inputs[:, : model.dim], *table))


def fit_glove(bench: Bench, stream: int) -> Steps[Trained]:
    """GloVe by AdaGrad, W + C; its time includes counting the table."""
    rng, passes = bench.lab.rng(stream), bench.passes(GLOVE)
    begun, spent = time.process_time(), 0.0
    table, share = count_table(bench.corpus, bench.size, _GLOVE_WINDOW)
    if share < 1:
        yield Note(f"GloVe's table is full after {share:.1%} of the text")
    cells = cells_of(table, _X_MAX, _ALPHA)
    model = new_model(bench.size, _GLOVE_DIM, rng)
    steps = adagrad(bench.loops[GLOVE], cells, model, _ETA, rng, passes)
    for number, cost in enumerate(steps, start=1):
        spent += time.process_time() - begun
        yield Progress(number, passes, "pass", f"loss {cost:.4f}")
        add_score(bench, GLOVE, spent, Space(bench.words, model.vectors()))
        begun = time.process_time()
    return Trained(Space(bench.words, model.vectors()), spent)


def add_score(bench: Bench, method: str, seconds: float, space: Space) -> None:
    if bench.scored and np.isfinite(space.vectors).all():
        bench.curve.add(method, seconds, space.score(bench.human).rho)
