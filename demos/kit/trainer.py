"""Drives the compiled loop over a text: epochs, falling learning rate, threads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from types import ModuleType
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from demos.kit.alias import alias_table
from demos.kit.corpus import Corpus
from demos.kit.similarity import Space

F32: TypeAlias = NDArray[np.float32]
F64: TypeAlias = NDArray[np.float64]
I32: TypeAlias = NDArray[np.int32]
U64: TypeAlias = NDArray[np.uint64]

#: Vocabularies are cut here, at 80 MB of vectors for 100 dimensions.
MAX_WORDS = 100_000
#: Places of text that one call of the compiled loop covers: short, so that a run can be stopped.
STRETCH = 40_000


class Settings(Protocol):
    """What training needs to know."""

    @property
    def epochs(self) -> int: ...
    @property
    def dim(self) -> int: ...
    @property
    def window(self) -> int: ...
    @property
    def negatives(self) -> int: ...
    @property
    def lr(self) -> float: ...
    @property
    def min_count(self) -> int: ...
    @property
    def threads(self) -> int: ...


@dataclass
class Model:
    """Two vectors for each word; rows are padded with zeros to what the fast loop likes."""

    words: list[str]
    inputs: F32
    outputs: F32
    dim: int

    def space(self) -> Space:
        """The input vectors, which are what one keeps, as they are at this moment."""
        return Space(self.words, self.inputs[:, : self.dim].copy())


def new_model(corpus: Corpus, settings: Settings, lanes: int, rng: np.random.Generator) -> Model:
    """Small random input vectors, and output vectors of zero, for each word frequent enough.

    Rows are padded to a multiple of `lanes`. Raises DataFault for too few words.
    """
    size = corpus.usable(settings.min_count, MAX_WORDS)
    width = -(-settings.dim // lanes) * lanes
    inputs, outputs = np.zeros((size, width), np.float32), np.zeros((size, width), np.float32)
    inputs[:, : settings.dim] = (rng.random((size, settings.dim)) - 0.5) / settings.dim
    return Model(corpus.words[:size], inputs, outputs, settings.dim)


class Step(NamedTuple):
    """What one stretch of training did: how far it has come, in epochs, and its mean loss."""

    epoch: float
    loss: float


@dataclass
class Trainer:
    """Trains `model` on `corpus`; `seconds` is the CPU time of training alone.

    `keep` is each word's chance to survive subsampling, `noise` the distribution of negatives;
    `extra` is what the loop of `kernel` takes besides the arguments of `demos.kit.sgns.train`.
    """

    corpus: Corpus
    settings: Settings
    kernel: ModuleType
    model: Model
    keep: F32
    noise: F64
    rng: np.random.Generator
    extra: tuple[Any, ...] = ()
    seconds: float = 0.0
    _alias: tuple[F32, I32] = field(init=False)
    _states: list[U64] = field(init=False)

    def __post_init__(self) -> None:
        self._alias = alias_table(self.noise)
        seeds = self.rng.integers(1, 2**63, self.settings.threads, np.uint64)
        self._states = [np.array([seed], np.uint64) for seed in seeds]

    def start_loss(self) -> float:
        """The mean loss of the first stretch at learning rate 0, which changes nothing."""
        piece = next(self.corpus.stretches(STRETCH))
        loss, pairs = self._train(piece, 0.0, np.array([88172645463325252], np.uint64))
        return loss / max(1, pairs)

    def run(self) -> Iterator[Step]:
        """Train; yields after each stretch, or after one stretch of each thread.

        The learning rate falls in a line from `lr` to almost zero.
        """
        epochs, places, threads = self.settings.epochs, len(self.corpus.ids), self.settings.threads
        with ThreadPoolExecutor(threads) as pool:
            for epoch in range(epochs):
                stretches, done = self.corpus.stretches(STRETCH), 0
                while pieces := list(islice(stretches, threads)):
                    left = 1 - (epoch + done / places) / epochs
                    begun = time.process_time()
                    loss, pairs = self._together(pool, pieces, self.settings.lr * max(left, 1e-4))
                    self.seconds += time.process_time() - begun
                    done += sum(map(len, pieces))
                    yield Step(epoch + done / places, loss / max(1, pairs))

    def _together(
        self, pool: ThreadPoolExecutor, pieces: list[I32], lr: float
    ) -> tuple[float, int]:
        """Threads share the matrices without locks (Hogwild): steps rarely meet in one row."""
        if len(pieces) == 1:
            return self._train(pieces[0], lr, self._states[0])
        jobs = [
            pool.submit(self._train, piece, lr, state)
            for piece, state in zip(pieces, self._states, strict=False)
        ]
        results = [job.result() for job in jobs]
        return sum(loss for loss, _ in results), sum(pairs for _, pairs in results)

    def _train(self, piece: I32, lr: float, state: U64) -> tuple[float, int]:
        matrices = self.model.inputs, self.model.outputs
        sizes = self.settings.window, self.settings.negatives
        loss, pairs = self.kernel.train(
            piece, self.keep, *self._alias, *matrices, *sizes, lr, state, *self.extra
        )
        return float(loss), int(pairs)
