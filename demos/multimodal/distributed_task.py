"""Small pictures with captions, and two small towers without anything that mixes a batch.

A picture shows one form in one colour at one place; its caption says so in four words. All 900
combinations are different, so a batch without repetition has no false negatives. The towers have
no batch normalisation: its statistics would depend on how a batch is split between processes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from demos.kit.retrieval import ranks

SIDE = 12
DIMENSIONS = 32
START_TEMPERATURE = 0.07

COLOURS = {
    "red": (0.9, 0.1, 0.1),
    "green": (0.1, 0.8, 0.2),
    "blue": (0.1, 0.2, 0.9),
    "yellow": (0.9, 0.9, 0.1),
    "purple": (0.6, 0.1, 0.7),
    "white": (0.9, 0.9, 0.9),
}
#: Each form on four by four cells, a row for each line.
FORMS = {
    "square": "#### #### #### ####",
    "frame": "#### #..# #..# ####",
    "cross": "#..# .##. .##. #..#",
    "bar": ".... #### #### ....",
    "pole": ".##. .##. .##. .##.",
    "corner": "#... #... #... ####",
}
ROWS = ("top", "upper", "middle", "lower", "bottom")
COLUMNS = ("left", "inner", "centre", "outer", "right")
HELD_OUT = 180


@dataclass(frozen=True)
class Pairs:
    """`pictures` (900, 432) in about [0, 1], `words` (900, 4) word numbers, their `captions`.

    `train` and `test` are disjoint row numbers.
    """

    pictures: Tensor
    words: Tensor
    captions: tuple[str, ...]
    train: np.ndarray
    test: np.ndarray

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Batches without repetition inside, for ever; the same for each process with this seed."""
        while True:
            yield rng.choice(self.train, size, replace=False)


def make_pairs(seed: int, noise: float = 0.15) -> Pairs:
    """All combinations, with fixed grain over the pixels, split into train and held-out ones."""
    rng = np.random.default_rng([seed, 1])
    combos = list(itertools.product(COLOURS, FORMS, ROWS, COLUMNS))
    drawn = np.stack([draw(*combo) for combo in combos])
    drawn += rng.normal(0, noise, drawn.shape)
    numbers = {w: n for n, w in enumerate([*COLOURS, *FORMS, *ROWS, *COLUMNS])}
    words = [[numbers[word] for word in combo] for combo in combos]
    order = rng.permutation(len(combos))
    return Pairs(
        torch.from_numpy(drawn.reshape(len(combos), -1).astype(np.float32)),
        torch.tensor(words),
        tuple(" ".join(combo) for combo in combos),
        np.sort(order[HELD_OUT:]),
        np.sort(order[:HELD_OUT]),
    )


def draw(colour: str, form: str, row: str, column: str) -> np.ndarray:
    """One picture, (12, 12, 3) float64; places are two pixels apart, so forms overlap."""
    picture = np.zeros((SIDE, SIDE, 3))
    top, left = 2 * ROWS.index(row), 2 * COLUMNS.index(column)
    mask = np.array([[cell == "#" for cell in line] for line in FORMS[form].split()])
    picture[top : top + 4, left : left + 4] = mask[:, :, None] * np.array(COLOURS[colour])
    return picture


class SmallTowers(nn.Module):
    """An MLP over pixels, an MLP over the four words' vectors, and ln(1/τ)."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.picture = _mlp(SIDE * SIDE * 3)
        self.table = nn.Embedding(len(COLOURS) + len(FORMS) + len(ROWS) + len(COLUMNS), 16)
        self.caption = _mlp(4 * 16)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(START_TEMPERATURE)))

    @property
    def scale(self) -> Tensor:
        """1/τ."""
        return self.log_scale.exp()

    def images(self, pictures: Tensor) -> Tensor:
        """Unit vectors of (n, 432) pictures."""
        return nnf.normalize(self.picture(pictures), dim=1)

    def texts(self, words: Tensor) -> Tensor:
        """Unit vectors of (n, 4) word numbers."""
        return nnf.normalize(self.caption(self.table(words).flatten(1)), dim=1)

    def weights(self) -> np.ndarray:
        """All parameters in one vector; ln(1/τ) stands at `temperature_place`."""
        return flat([p.detach() for p in self.parameters()])

    def load(self, weights: np.ndarray) -> None:
        """What `weights` gave, put back."""
        start = 0
        for parameter in self.parameters():
            piece = weights[start : start + parameter.numel()]
            parameter.data.copy_(torch.from_numpy(piece).view_as(parameter))
            start += parameter.numel()


def _mlp(inputs: int, hidden: int = 96) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, DIMENSIONS))


def flat(tensors: list[Tensor]) -> np.ndarray:
    """Tensors end to end as one float32 vector."""
    return torch.cat([tensor.flatten() for tensor in tensors]).cpu().numpy()


def temperature_place(model: SmallTowers) -> int:
    """Where ln(1/τ) stands in the vector of all parameters."""
    start = 0
    for name, parameter in model.named_parameters():
        if name == "log_scale":
            break
        start += parameter.numel()
    return start


@torch.no_grad()
def held_out_places(model: SmallTowers, pairs: Pairs) -> np.ndarray:
    """For each held-out caption the place, from 0, of its picture among the 180 held-out ones."""
    similarity = model.texts(pairs.words[pairs.test]) @ model.images(pairs.pictures[pairs.test]).T
    return ranks(similarity.numpy())
