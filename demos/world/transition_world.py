"""Two worlds to be learned: a ball on a wedge, whose future goes two ways, and a pendulum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

F64: TypeAlias = NDArray[np.float64]

#: A ball never comes to rest nearer to the wedge than this, but for rare noise.
GAP = 0.7
#: What a push adds to the place, and the pushes there are.
PUSHES = {"left": -0.3, "none": 0.0, "right": 0.3}


@dataclass(frozen=True)
class Wedge:
    """A ball meets a wedge at x in [-1, 1], pushed by a, and rests near -1 or near 1.

    P(right) = σ(sharp · (x + a)); the place is ±1 + noise · N(0, 1). `Wedge` is State and Transition
    of `demos.kit.parts`; x and y are in units of the distance from the wedge to a resting place.
    """

    sharp: float
    noise: float

    def start(self, rng: np.random.Generator) -> float:
        """Where a ball meets the wedge."""
        return float(rng.uniform(-1, 1))

    def step(self, state: float, action: int, rng: np.random.Generator) -> tuple[float, bool]:
        """Where this ball comes to rest under the action's push; the episode ends there."""
        push = list(PUSHES.values())[action]
        return float(self.draw(np.array([[state, push]]), rng)[0]), True

    def right(self, where: F64) -> F64:
        """P(right), (n,), for rows (x, a)."""
        return np.asarray(1 / (1 + np.exp(-self.sharp * where.sum(axis=1))), np.float64)

    def draw(self, where: F64, rng: np.random.Generator) -> F64:
        """One resting place for each row (x, a), (n,)."""
        side = np.where(rng.random(len(where)) < self.right(where), 1.0, -1.0)
        return side + self.noise * rng.normal(size=len(where))

    def mean(self, where: F64) -> F64:
        """E[y | x, a], (n,): what squared error is minimised by."""
        return 2 * self.right(where) - 1

    def log_density(self, where: F64, rest: F64) -> F64:
        """log p(y | x, a), (n,), in nats: no model can do better on average."""
        chance = self.right(where)
        scale = np.log(self.noise * np.sqrt(2 * np.pi))
        sides = [-0.5 * ((rest - side) / self.noise) ** 2 - scale for side in (1, -1)]
        tiny = 1e-300
        both = np.logaddexp(np.log(chance + tiny) + sides[0], np.log(1 - chance + tiny) + sides[1])
        return np.asarray(both, np.float64)


def drops(world: Wedge, number: int, rng: np.random.Generator) -> tuple[F64, F64]:
    """Places and pushes at random, (n, 2), and where the balls came to rest, (n,)."""
    pushes = rng.choice(list(PUSHES.values()), number)
    where = np.stack([rng.uniform(-1, 1, number), pushes], axis=1)
    return where, world.draw(where, rng)


# ------------------------------------------------------------------------------- the pendulum

#: The largest speed, rad/s, and torque.
FASTEST, STRONGEST = 8.0, 2.0
_DT, _GRAVITY = 0.05, 10.0


def swing(state: Tensor, torque: Tensor) -> Tensor:
    """One step of 0.05 s of gymnasium's Pendulum-v1: state (..., 2) is angle and speed, 0 is upright.

    ω' = clip(ω + (3g/2 sin θ + 3 u) Δt, ±8), θ' = θ + ω' Δt; mass and length are 1. Angles go on
    beyond π, so that they can be compared along a path.
    """
    angle, speed = state[..., 0], state[..., 1]
    force = 1.5 * _GRAVITY * torch.sin(angle) + 3 * torque.clamp(-STRONGEST, STRONGEST)
    faster = (speed + force * _DT).clamp(-FASTEST, FASTEST)
    return torch.stack([angle + faster * _DT, faster], dim=-1)


def features(state: Tensor) -> Tensor:
    """(..., 3): cosine and sine of the angle, and the speed over its maximum of 8."""
    angle, speed = state[..., 0], state[..., 1]
    return torch.stack([torch.cos(angle), torch.sin(angle), speed / FASTEST], dim=-1)


def swings(number: int, steps: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """True paths (n, steps + 1, 2) under random torques (n, steps), in float64."""
    angles = rng.uniform(-np.pi, np.pi, number)
    start = np.stack([angles, rng.uniform(-1, 1, number)], axis=1)
    torques = torch.from_numpy(rng.uniform(-STRONGEST, STRONGEST, (number, steps)))
    path = [torch.from_numpy(start)]
    for step in range(steps):
        path.append(swing(path[-1], torques[:, step]))
    return torch.stack(path, dim=1), torques
