"""Word vectors of one text by several methods, each in one call."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from demos.kit.corpus import Corpus
from demos.kit.counting import cooccurrence, keep_chance, ppmi_vectors, smoothed
from demos.kit.similarity import Space
from demos.kit.trainer import Settings, Trainer, new_model

#: Beyond this many words a text is not counted whole in memory, nor planted with rare words.
COUNTABLE = 5_000_000
# What counting uses; these settings suit the Wikipedia sample.
_COUNT_WINDOW, _COUNT_DIM, _COUNT_SAMPLE = 10, 100, 1e-4


class NoiseSettings(Settings, Protocol):
    """What training needs to know, with the thinning of frequent words and the noise."""

    @property
    def power(self) -> float: ...
    @property
    def sample(self) -> float: ...


@dataclass(frozen=True)
class Recipe:
    """Settings of one training, when they are not the parameters of a demo themselves."""

    epochs: int
    dim: int = 100
    window: int = 5
    negatives: int = 5
    power: float = 0.75
    sample: float = 1e-4
    lr: float = 0.05
    min_count: int = 5
    threads: int = 1


def predictor(
    corpus: Corpus,
    recipe: NoiseSettings,
    kernel: ModuleType,
    rng: np.random.Generator,
    extra: tuple[Any, ...] = (),
) -> Trainer:
    """A fresh model with its trainer; `kernel` and `extra` say of which kind."""
    model = new_model(corpus, recipe, kernel.LANES, rng)
    counts = corpus.counts[: len(model.words)]
    noise = smoothed(counts.astype(float), recipe.power)
    return Trainer(
        corpus, recipe, kernel, model, keep_chance(counts, recipe.sample), noise, rng, extra
    )


@dataclass(frozen=True)
class Counted:
    """Vectors from counts alone, and the CPU seconds they took."""

    space: Space
    seconds: float


def counted(
    corpus: Corpus, size: int, dim: int = _COUNT_DIM, tolerance: float = 0.0
) -> Counted | None:
    """Positive PMI and its SVD over the `size` most frequent words: no training, no seed.

    None for a text of more than COUNTABLE words.
    """
    if corpus.tokens > COUNTABLE:
        return None
    begun = time.process_time()
    keep = keep_chance(corpus.counts[:size], _COUNT_SAMPLE)
    counts = cooccurrence(np.asarray(corpus.ids), size, _COUNT_WINDOW, keep=keep)
    vectors = ppmi_vectors(counts, min(dim, size - 2), tolerance)
    return Counted(Space(corpus.words[:size], vectors), time.process_time() - begun)
