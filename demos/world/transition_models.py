"""What a net may say of the next state: one number, one bell, several bells, or a chance per bin.

The net is the same each time; only its last layer is read differently. `raw` is that layer,
(n, outputs), `rest` the true next state, (n,).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log, pi
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from demos.kit.adamw import AdamW
from demos.kit.schedule import warm_cosine
from demos.world.transition_world import F64, STRONGEST, features

_WIDTH, _BATCH, _RATE, _DECAY = 64, 128, 4e-3, 1e-4
_EDGE = 1.5
_NARROWEST = 0.02


class Head(Protocol):
    """How the last layer is read."""

    @property
    def outputs(self) -> int: ...

    def loss(self, raw: Tensor, rest: Tensor) -> Tensor:
        """What training lowers, (n,)."""
        ...

    def mean(self, raw: Tensor) -> Tensor:
        """E[y], (n,)."""
        ...

    def draw(self, raw: Tensor, noise: torch.Generator) -> Tensor:
        """One prediction each, (n,): a draw, or the only number there is."""
        ...


@dataclass(frozen=True)
class Point:
    """A deterministic model: ŷ, trained by (y - ŷ)². It gives no probability."""

    outputs: int = 1

    def loss(self, raw: Tensor, rest: Tensor) -> Tensor:
        return (raw[:, 0] - rest) ** 2

    def mean(self, raw: Tensor) -> Tensor:
        return raw[:, 0]

    def draw(self, raw: Tensor, noise: torch.Generator) -> Tensor:
        del noise
        return raw[:, 0]


@dataclass(frozen=True)
class Mixture:
    """p(y|x) = Σ_k α_k N(y; μ_k, σ_k²), trained by -log p (Bishop 1994, NCRG/94/004).

    α is a softmax (his equation 25). With one kernel it is the single Gaussian with a learned spread.
    Two departures: σ = softplus + 0.02 and not an exponential (26), so that no bell collapses on one
    example; and μ begins spread over [-1, 1], so that kernels differ.
    """

    kernels: int

    @property
    def outputs(self) -> int:
        return 3 * self.kernels

    def parts(self, raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """log α, μ and σ, (n, kernels) each."""
        weight, place, spread = raw.chunk(3, dim=1)
        k = self.kernels
        centre = torch.linspace(-1, 1, k, dtype=raw.dtype) if k > 1 else torch.zeros(1).to(raw)
        return weight.log_softmax(dim=1), place + centre, nnf.softplus(spread) + _NARROWEST

    def loss(self, raw: Tensor, rest: Tensor) -> Tensor:
        weight, place, spread = self.parts(raw)
        each = -0.5 * ((rest[:, None] - place) / spread) ** 2 - spread.log() - 0.5 * log(2 * pi)
        return -torch.logsumexp(weight + each, dim=1)

    def mean(self, raw: Tensor) -> Tensor:
        weight, place, _ = self.parts(raw)
        return (weight.exp() * place).sum(dim=1)

    def draw(self, raw: Tensor, noise: torch.Generator) -> Tensor:
        weight, place, spread = self.parts(raw)
        which = torch.multinomial(weight.exp(), 1, generator=noise)
        bell = torch.randn(len(raw), generator=noise, dtype=raw.dtype)
        return place.gather(1, which)[:, 0] + spread.gather(1, which)[:, 0] * bell


@dataclass(frozen=True)
class Categorical:
    """A chance for each of `bins` equal bins of [-1.5, 1.5], even inside a bin; the ends take the rest."""

    bins: int

    @property
    def outputs(self) -> int:
        return self.bins

    @property
    def width(self) -> float:
        return 2 * _EDGE / self.bins

    def bin(self, rest: Tensor) -> Tensor:
        """Which bin a place belongs to, (n,)."""
        return ((rest + _EDGE) / self.width).long().clamp(0, self.bins - 1)

    def loss(self, raw: Tensor, rest: Tensor) -> Tensor:
        """-log density: cross-entropy plus the logarithm of a bin's width."""
        return nnf.cross_entropy(raw, self.bin(rest), reduction="none") + log(self.width)

    def mean(self, raw: Tensor) -> Tensor:
        centres = (torch.arange(self.bins, dtype=raw.dtype) + 0.5) * self.width - _EDGE
        return raw.softmax(dim=1) @ centres

    def draw(self, raw: Tensor, noise: torch.Generator) -> Tensor:
        which = torch.multinomial(raw.softmax(dim=1), 1, generator=noise)[:, 0]
        inside = torch.rand(len(raw), generator=noise, dtype=raw.dtype)
        return (which + inside) * self.width - _EDGE


def network(inputs: int, outputs: int) -> nn.Sequential:
    """Two hidden layers of 64; the last layer begins at zero, so that every head begins even."""
    net = nn.Sequential(
        nn.Linear(inputs, _WIDTH), nn.SiLU(),
        nn.Linear(_WIDTH, _WIDTH), nn.SiLU(),
        nn.Linear(_WIDTH, outputs),
    )  # fmt: skip
    with torch.no_grad():
        for parameter in net[-1].parameters():
            parameter.zero_()
    return net


@dataclass(frozen=True)
class Learned:
    """A learned transition model of the wedge."""

    head: Head
    net: nn.Module

    @torch.no_grad()
    def mean(self, where: F64) -> F64:
        """E[y | x, a], (n,)."""
        return np.asarray(self.head.mean(self._raw(where)).double().numpy())

    @torch.no_grad()
    def draw(self, where: F64, seed: int) -> F64:
        """One prediction for each row (x, a), (n,)."""
        noise = torch.Generator().manual_seed(seed)
        return np.asarray(self.head.draw(self._raw(where), noise).double().numpy())

    @torch.no_grad()
    def surprise(self, where: F64, rest: F64) -> float:
        """The mean of the head's loss: -log p in nats, or a squared error."""
        return float(self.head.loss(self._raw(where), torch.from_numpy(rest).float()).mean())

    def _raw(self, where: F64) -> Tensor:
        raw: Tensor = self.net(torch.from_numpy(where).float())
        return raw


def descend(
    parameters: list[nn.Parameter], loss: Callable[[], Tensor], steps: int
) -> Iterator[tuple[int, float]]:
    """AdamW with a cosine schedule; yields the number of steps taken and the loss, now and then."""
    optimiser = AdamW(parameters, decay=_DECAY, betas=(0.9, 0.98))
    for step in range(steps):
        value = loss()
        optimiser.clear()
        value.backward()
        optimiser.step(warm_cosine(step, steps, _RATE))
        if (step + 1) % 100 == 0 or step + 1 == steps:
            yield step + 1, value.item()


def fit(
    model: Learned, where: F64, rest: F64, steps: int, rng: np.random.Generator
) -> Iterator[tuple[int, float]]:
    """Train on batches of 128 with replacement."""
    seen, true = torch.from_numpy(where).float(), torch.from_numpy(rest).float()

    def loss() -> Tensor:
        batch = torch.from_numpy(rng.integers(0, len(true), _BATCH))
        return model.head.loss(model.net(seen[batch]), true[batch]).mean()

    return descend(list(model.net.parameters()), loss, steps)


# ------------------------------------------------------------------------------- the pendulum


@dataclass(frozen=True)
class Swinger:
    """A deterministic model of the pendulum: s' = s + scale · net(cos θ, sin θ, ω/8, u/2).

    `scale` (2,) is the typical change of angle and speed in one step.
    """

    net: nn.Module
    scale: Tensor

    @classmethod
    def new(cls, paths: Tensor) -> Swinger:
        """An untrained model, which predicts no change."""
        return cls(network(4, 2), (paths[:, 1:] - paths[:, :-1]).std(dim=(0, 1)).float())

    def step(self, state: Tensor, torque: Tensor) -> Tensor:
        """The next state (..., 2) for torques (...)."""
        seen = torch.cat([features(state), torque[..., None] / STRONGEST], dim=-1)
        change: Tensor = self.net(seen)
        return state + self.scale.to(change) * change

    def fit(
        self, paths: Tensor, torques: Tensor, steps: int, unroll: int, rng: np.random.Generator
    ) -> Iterator[tuple[int, float]]:
        """Lower the squared error, in units of `scale`, of `unroll` steps on the model's own states."""
        paths, torques = paths.float(), torques.float()
        last = torques.shape[1] - unroll

        def loss() -> Tensor:
            row = torch.from_numpy(rng.integers(0, len(paths), _BATCH))
            when = torch.from_numpy(rng.integers(0, last + 1, _BATCH))
            state, total = paths[row, when], torch.zeros(())
            for ahead in range(unroll):
                state = self.step(state, torques[row, when + ahead])
                error = (state - paths[row, when + ahead + 1]) / self.scale
                total = total + (error**2).mean()
            return total / unroll

        return descend(list(self.net.parameters()), loss, steps)


def roll(step: Callable[[Tensor, Tensor], Tensor], start: Tensor, torques: Tensor) -> Tensor:
    """States (n, H + 1, 2) of a model fed with its own predictions, from `start` (n, 2)."""
    path = [start]
    for ahead in range(torques.shape[1]):
        path.append(step(path[-1], torques[:, ahead]))
    return torch.stack(path, dim=1)


def error_by_horizon(found: Tensor, true: Tensor) -> F64:
    """Root mean squared error of (cos θ, sin θ, ω/8) after 0, 1, …, H steps, (H + 1,)."""
    difference = features(found.double()) - features(true.double())
    return np.asarray((difference**2).mean(dim=(0, 2)).sqrt().numpy())


def sensitivity(step: Callable[[Tensor, Tensor], Tensor], start: Tensor, torques: Tensor) -> Tensor:
    """∂θ_H / ∂u_0 through the whole path, (n,): what a planner that follows gradients goes by."""
    first = torques[:, :1].clone().requires_grad_()
    path = roll(step, start, torch.cat([first, torques[:, 1:]], dim=1))
    (gradient,) = torch.autograd.grad(path[:, -1, 0].sum(), first)
    return gradient[:, 0]
