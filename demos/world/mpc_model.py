"""A learned pendulum: small networks that say how the state changes, fitted to real transitions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as nnf
from torch import Tensor

from demos.kit.adamw import AdamW
from demos.world.mpc_world import SPEED, TORQUE

WIDTH, BATCH, RATE = 64, 64, 2e-3
_EVERY = 100


@dataclass(frozen=True)
class Transitions:
    """What was lived through: states (n, 3), torques (n,), states after (n, 3)."""

    before: Tensor
    torques: Tensor
    after: Tensor

    def __len__(self) -> int:
        return len(self.torques)

    def __add__(self, other: Transitions) -> Transitions:
        return Transitions(
            torch.cat((self.before, other.before)),
            torch.cat((self.torques, other.torques)),
            torch.cat((self.after, other.after)),
        )

    def first(self, number: int) -> Transitions:
        """The first `number` of them."""
        return Transitions(self.before[:number], self.torques[:number], self.after[:number])


def mean_squared(said: Tensor, target: Tensor) -> Tensor:
    """The mean squared error of each member, summed over members, the first dimension."""
    return ((target - said) ** 2).mean(dim=(1, 2)).sum()


class Ensemble:
    """`members` networks of two hidden layers, run together.

    In: (cos θ, sin θ, ω/8, u/2). Out: the change of the state, in units of its standard deviation
    in the data. The members differ in their first weights and in the order of the data
    (Lakshminarayanan et al. 2017, arXiv:1612.01474).
    """

    def __init__(self, members: int, generator: torch.Generator) -> None:
        self.members = members
        self.spread = torch.ones(3)
        self.weights: list[Tensor] = []
        for fan_in, fan_out in ((4, WIDTH), (WIDTH, WIDTH), (WIDTH, 3)):
            weight = torch.randn(members, fan_in, fan_out, generator=generator)
            self.weights += [weight / math.sqrt(fan_in), torch.zeros(members, 1, fan_out)]
        for weight in self.weights:
            weight.requires_grad_(True)
        self._adam = AdamW(self.weights, decay=0.0, betas=(0.9, 0.999))
        self._generator = generator

    def change(self, states: Tensor, torques: Tensor) -> Tensor:
        """The changes expected, scaled, (members, rows, 3) for states alike, torques (members, rows)."""
        scaled = torch.stack((states[..., 2] / SPEED, torques / TORQUE), dim=-1)
        hidden = torch.cat((states[..., :2], scaled), dim=-1)
        first, bias, second, other, last, end = self.weights
        hidden = nnf.silu(torch.baddbmm(bias, hidden, first))
        hidden = nnf.silu(torch.baddbmm(other, hidden, second))
        return torch.baddbmm(end, hidden, last)

    def step(self, states: Tensor, torques: Tensor) -> Tensor:
        """The next states (members, rows, 3), by each member for its own states; torques (rows,).

        Cosine and sine are brought back to the circle, and speeds to what the world allows.
        """
        moved = states + self.change(states, torques.expand(states.shape[:-1])) * self.spread
        around = nnf.normalize(moved[..., :2], dim=-1)
        return torch.cat((around, moved[..., 2:].clamp(-SPEED, SPEED)), dim=-1)

    def fit(self, data: Transitions, steps: int) -> Iterator[tuple[int, float]]:
        """Gradient steps of Adam on random batches; yields steps done and loss per member.

        The learning rate falls in a line to zero.
        """
        change = data.after - data.before
        self.spread = change.std(dim=0)
        target = change / self.spread
        for step in range(1, steps + 1):
            rows = torch.randint(len(data), (self.members, BATCH), generator=self._generator)
            loss = mean_squared(self.change(data.before[rows], data.torques[rows]), target[rows])
            self._adam.clear()
            loss.backward()
            self._adam.step(RATE * (1 - (step - 1) / steps))
            if step % _EVERY == 0 or step == steps:
                yield step, loss.item() / self.members
