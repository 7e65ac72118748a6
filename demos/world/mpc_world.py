"""The pendulum: the real one, which is gymnasium's, and its equations for the planner that knows them.

A state is what gymnasium shows, (cos θ, sin θ, ω): θ = 0 is upright, ω in rad/s within ±8. An
action is a torque within ±2, too weak to lift the pendulum in one go: it has to swing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from gymnasium.envs.classic_control.pendulum import PendulumEnv

#: One episode of gymnasium's Pendulum-v1.
EPISODE = 200
TORQUE, SPEED = 2.0, 8.0
_DT, _GRAVITY = 0.05, 10.0
#: Eight directions, from upright on against the clock, as gymnasium's angle grows.
_ARROWS = "↑↖←↙↓↘→↗"


def true_step(states: Tensor, torques: Tensor) -> Tensor:
    """The next states, (..., 3), for torques (...): gymnasium's equations, mass and length 1.

    ω' = ω + (3g/2 sin θ + 3u) dt, cut off at ±8; θ' = θ + ω' dt.
    """
    cosine, sine, speed = states.unbind(-1)
    push = 1.5 * _GRAVITY * sine + 3 * torques.clamp(-TORQUE, TORQUE)
    after = (speed + push * _DT).clamp(-SPEED, SPEED)
    angle = torch.atan2(sine, cosine) + after * _DT
    return torch.stack((torch.cos(angle), torch.sin(angle), after), dim=-1)


def reward(states: Tensor, torques: Tensor) -> Tensor:
    """-(θ² + 0.1 ω² + 0.001 u²) of the state that one acts in, (...); never above zero."""
    cosine, sine, speed = states.unbind(-1)
    return -(torch.atan2(sine, cosine) ** 2 + 0.1 * speed**2 + 0.001 * torques**2)


class Truth:
    """The true equations as a model that a planner can roll out."""

    members = 1

    def step(self, states: Tensor, torques: Tensor) -> Tensor:
        """As `true_step`, for states (1, rows, 3) and torques (rows,)."""
        return true_step(states, torques)


class Reality:
    """Several pendulums of gymnasium side by side; what they show, float32."""

    def __init__(self, seeds: Sequence[int]) -> None:
        """One pendulum for each seed, which decides where it starts."""
        from gymnasium.envs.classic_control.pendulum import PendulumEnv

        self._worlds: list[PendulumEnv] = [PendulumEnv() for _ in seeds]
        begun = [world.reset(seed=seed)[0] for world, seed in zip(self._worlds, seeds, strict=True)]
        self.states = torch.tensor([each.tolist() for each in begun])

    def step(self, torques: Tensor) -> Tensor:
        """Act in each world; the rewards. `states` is then what they show next."""
        moved = [
            world.step(torque)
            for world, torque in zip(self._worlds, torques[:, None].numpy(), strict=True)
        ]
        self.states = torch.tensor([each[0].tolist() for each in moved])
        return torch.tensor([float(each[1]) for each in moved])


def arrows(states: Tensor, every: int = 4) -> str:
    """A pendulum's episode (steps, 3) as one arrow for every fourth step: ↑ is upright."""
    angles = torch.atan2(states[::every, 1], states[::every, 0])
    places = torch.round(angles / (torch.pi / 4)).long() % 8
    return "".join(_ARROWS[place] for place in places.tolist())
