"""Planning by imagination: roll torques out in a model, keep what pays. Three ways to search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from demos.world.mpc_world import TORQUE, reward

METHODS = ("cem", "mppi", "shooting")

_ELITES, _WIDE, _NARROW = 0.1, 1.0, 0.05


class Model(Protocol):
    """Something that can be rolled out: `members` opinions about the next state."""

    @property
    def members(self) -> int: ...

    def step(self, states: Tensor, torques: Tensor) -> Tensor:
        """The next states (members, rows, 3) after torques (rows,)."""
        ...


@dataclass(frozen=True)
class Imagined:
    """Sequences tried in the model: the states seen by member 0, and the returns of all."""

    states: Tensor
    returns: Tensor


@torch.inference_mode()
def imagine(model: Model, starts: Tensor, torques: Tensor) -> Imagined:
    """Roll torques (worlds, tries, horizon) out from starts (worlds, 3).

    Returns (worlds, tries) are sums of rewards, averaged over the members, each of which follows
    its own predictions; states are (worlds, tries, horizon + 1, 3).
    """
    worlds, tries, horizon = torques.shape
    flat = torques.reshape(worlds * tries, horizon)
    states = starts.repeat_interleave(tries, dim=0).expand(model.members, -1, -1)
    seen = [states]
    for step in range(horizon):
        seen.append(model.step(seen[-1], flat[:, step]))
    path = torch.stack(seen, dim=2)
    total = reward(path[:, :, :-1], flat).sum(dim=-1).mean(dim=0)
    shown = path[0].reshape(worlds, tries, horizon + 1, 3)
    return Imagined(shown, total.reshape(worlds, tries))


@dataclass
class Planner:
    """Plans in several worlds at once, each with a plan of its own that is carried over.

    One call imagines `rounds` times `tries` sequences of `horizon` torques for each world.
    """

    model: Model
    method: str
    horizon: int
    tries: int
    generator: torch.Generator
    rounds: int = 2
    temperature: float = 1.0

    def begin(self, worlds: int) -> None:
        """Forget the plans: no torque at all is planned."""
        self._plan = torch.zeros(worlds, self.horizon)

    @torch.inference_mode()
    def act(self, states: Tensor) -> Tensor:
        """The torques (worlds,) to apply in states (worlds, 3); the plan moves on by a step."""
        plan = self.plan(states)
        self._plan = torch.cat((plan[:, 1:], torch.zeros(len(plan), 1)), dim=1)
        return plan[:, 0]

    @torch.inference_mode()
    def plan(self, states: Tensor) -> Tensor:
        """The best sequences (worlds, horizon) found from here, starting from the plans held."""
        if self.method == "shooting":
            return self._shoot(states)
        mean, wide = self._plan, torch.full_like(self._plan, _WIDE)
        for _ in range(self.rounds):
            noise = torch.randn(*self._shape(states), generator=self.generator)
            torques = (mean[:, None] + wide[:, None] * noise).clamp(-TORQUE, TORQUE)
            returns = imagine(self.model, states, torques).returns
            if self.method == "cem":
                mean, wide = refit(torques, returns, max(2, round(_ELITES * self.tries)))
            else:
                mean = weighted(torques, returns, self.temperature)
        return mean

    def _shoot(self, states: Tensor) -> Tensor:
        """The best of random sequences, as many as the others try in all their rounds."""
        worlds, tries, horizon = self._shape(states)
        shape = worlds, tries * self.rounds, horizon
        torques = (2 * torch.rand(*shape, generator=self.generator) - 1) * TORQUE
        best = imagine(self.model, states, torques).returns.argmax(dim=1)
        return torques[torch.arange(worlds), best]

    def _shape(self, states: Tensor) -> tuple[int, int, int]:
        return len(states), self.tries, self.horizon


def refit(torques: Tensor, returns: Tensor, elites: int) -> tuple[Tensor, Tensor]:
    """The cross-entropy method: mean and standard deviation of the best `elites` sequences.

    torques (worlds, tries, horizon), returns (worlds, tries); (worlds, horizon) each.
    """
    best = returns.topk(elites, dim=1).indices[:, :, None].expand(-1, -1, torques.shape[2])
    chosen = torques.gather(1, best)
    return chosen.mean(dim=1), chosen.std(dim=1, correction=0).clamp(min=_NARROW)


def weighted(torques: Tensor, returns: Tensor, temperature: float) -> Tensor:
    """MPPI: the mean of all sequences, weighted by exp(return / temperature) (Williams et al. 2017)."""
    weights = torch.softmax(returns / temperature, dim=1)
    return (weights[:, :, None] * torques).sum(dim=1)
