"""A modality that is missing, one that says nothing, and one that lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from demos.multimodal.fusion_task import F32, I64, Task

HIDDEN = 128


@dataclass(frozen=True)
class Two:
    """Two modalities of the same examples and their digits; `first` (N, p), `second` (N, q)."""

    first: F32
    second: F32
    digits: I64

    def take(self, chosen: I64) -> Two:
        return Two(self.first[chosen], self.second[chosen], self.digits[chosen])

    def without(self, which: str) -> Two:
        """The same with one modality, "first" or "second", set to zero."""
        gone = np.zeros_like(getattr(self, which))
        return Two(
            gone if which == "first" else self.first,
            gone if which == "second" else self.second,
            self.digits,
        )


def joint_model(first: int, second: int) -> nn.Module:
    """Concatenation and an MLP: the fusion that does everything the others do."""
    return nn.Sequential(
        nn.Linear(first + second, HIDDEN), nn.ReLU(),
        nn.Linear(HIDDEN, HIDDEN), nn.ReLU(),
        nn.Linear(HIDDEN, 10),
    )  # fmt: skip


def fit(
    data: Two, rng: np.random.Generator, steps: int, *, dropout: float = 0.0, batch: int = 64
) -> nn.Module:
    """Train a joint model; with chance `dropout` an example loses one of its modalities.

    Modality dropout after Neverova et al. 2016, arXiv:1501.00102, section 3.3.
    """
    model = joint_model(data.first.shape[1], data.second.shape[1])
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    first, second = torch.from_numpy(data.first), torch.from_numpy(data.second)
    digits = torch.from_numpy(data.digits)
    for _ in range(steps):
        chosen = torch.from_numpy(rng.integers(0, len(digits), batch))
        a, b = first[chosen], second[chosen]
        if dropout:
            lost = torch.from_numpy(rng.random(batch) < dropout)
            side = torch.from_numpy(rng.random(batch) < 0.5)
            a = a * ~(lost & side)[:, None]
            b = b * ~(lost & ~side)[:, None]
        loss = cross_entropy(model(torch.cat([a, b], 1)), digits[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model


@torch.no_grad()
def accuracy(model: nn.Module, data: Two) -> float:
    """The share of digits named right."""
    both = torch.from_numpy(np.concatenate([data.first, data.second], 1))
    named: Tensor = model(both).argmax(1)
    return float((named.numpy() == data.digits).mean())


def halves(task: Task) -> Two:
    """The left and the right half of each digit as two modalities."""
    pictures = task.pictures.reshape(-1, 8, 8)
    left, right = (np.ascontiguousarray(half).reshape(len(pictures), -1)
                   for half in (pictures[:, :, :4], pictures[:, :, 4:]))  # fmt: skip
    return Two(left, right, task.digits)


def with_noise(task: Task, rng: np.random.Generator, size: int) -> Two:
    """The picture beside `size` numbers of pure noise."""
    noise = rng.normal(size=(len(task.digits), size)).astype(np.float32)
    return Two(task.pictures, noise, task.digits)


def with_captions(task: Task, rng: np.random.Generator, right: float) -> Two:
    """The picture beside a caption, one of ten words, that names the digit in a share `right`."""
    said = np.where(
        rng.random(len(task.digits)) < right, task.digits, rng.integers(0, 10, len(task.digits))
    )
    return Two(task.pictures, np.eye(10, dtype=np.float32)[said], task.digits)
