"""What the CLIP demo trains on, holds out, and measures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from demos.kit.emoji import EmojiSet
from demos.kit.retrieval import copy_similarity, ranks
from demos.kit.towers import TwoTowers


@dataclass(frozen=True)
class Study:
    """The emoji and their split; `train` and `held_out` are indices, comp first, then unseen."""

    emoji: EmojiSet
    train: np.ndarray
    held_out: np.ndarray
    comps: int

    @classmethod
    def of(cls, emoji: EmojiSet) -> Study:
        """The study with the fixed split of `demos.kit.emoji`."""
        split = emoji.split
        both = np.concatenate([split["comp"], split["unseen"]])
        return cls(emoji, split["train"], both, len(split["comp"]))

    @property
    def comp(self) -> np.ndarray:
        """Indices of the held-out combinations."""
        return self.held_out[: self.comps]

    @property
    def unseen(self) -> np.ndarray:
        """Indices of the pictures whose whole family was held out."""
        return self.held_out[self.comps :]

    def names(self, indices: np.ndarray) -> list[str]:
        """The names of these emoji."""
        return [self.emoji.names[i] for i in indices]

    @cached_property
    def copied(self) -> Copied:
        """What a lookup without learning does on the same questions."""
        known = self.emoji.take(self.train)

        def places(part: np.ndarray, pool: np.ndarray) -> np.ndarray:
            pictures = self.emoji.pixels[pool]
            table = copy_similarity(self.names(part), pictures, known.names, known.pixels)
            return ranks(table, np.searchsorted(pool, part))

        everything = np.arange(len(self.emoji))
        comp, unseen = self.comp, self.unseen
        return Copied(places(comp, comp), places(unseen, unseen), places(comp, everything))


@dataclass(frozen=True)
class Copied:
    """Places, from 0, that copying the nearest caption's picture gives."""

    comp: np.ndarray
    unseen: np.ndarray
    comp_among_all: np.ndarray


@dataclass(frozen=True)
class Step:
    """One step: its number from 1, the batch's loss before the update, and the temperature then."""

    number: int
    loss: float
    temperature: float


@dataclass(frozen=True)
class Score:
    """How the towers do on what was held out. Vectors have one row for each held-out emoji."""

    images: np.ndarray
    texts: np.ndarray
    comp: np.ndarray  # places, from 0, of the right picture among the combinations
    unseen: np.ndarray  # and among the unseen things
    gap: float


def measure(model: TwoTowers, study: Study, captions: Tensor) -> Score:
    """Encode the held-out emoji and let each text look for its picture."""
    images = model.look(study.emoji.pixels[study.held_out])
    texts = model.read(captions[study.held_out])
    table, n = texts @ images.T, study.comps
    gap = modality_gap(images, texts)
    return Score(images, texts, ranks(table[:n, :n]), ranks(table[n:, n:]), gap)


def modality_gap(images: np.ndarray, texts: np.ndarray) -> float:
    """The distance of the mean picture from the mean text (Liang et al. 2022, arXiv:2203.02053)."""
    return float(np.linalg.norm(images.mean(axis=0) - texts.mean(axis=0)))
