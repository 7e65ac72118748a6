"""A reward learned from comparisons of short clips, as reward models are (Christiano et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor, nn

from demos.kit.adamw import AdamW
from demos.kit.mdp import F64
from demos.world.reward_world import AFTER, DISTANCES, GOAL, SIDE

I64: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

CLIP, _STEPS, _RATE, _DECAY, _WIDTH = 10, 500, 5e-3, 1e-4, 32


@dataclass(frozen=True)
class Preferences:
    """Pairs of clips as cells entered, (n, 2, CLIP), and whether the second was preferred."""

    clips: I64
    second: Flags


def clips(rng: np.random.Generator, number: int) -> I64:
    """Random walks of CLIP steps from random cells, as the cells entered; at the goal one stays."""
    cells = rng.integers(0, SIDE * SIDE, number)
    seen = np.zeros((number, CLIP), np.int64)
    for step in range(CLIP):
        moved = AFTER[cells, rng.integers(0, 4, number)]
        cells = np.where(cells == GOAL, GOAL, moved)
        seen[:, step] = cells
    return seen


def compare(rng: np.random.Generator, number: int, utility: F64) -> Preferences:
    """Labels drawn from Bradley and Terry's model: P(second) = σ(sum of its utility - the first's)."""
    pairs = clips(rng, 2 * number).reshape(number, 2, CLIP)
    sums = utility[pairs].sum(axis=2)
    chance = 1 / (1 + np.exp(-np.clip(sums[:, 1] - sums[:, 0], -50, 50)))
    return Preferences(pairs, rng.random(number) < chance)


def closeness() -> F64:
    """What a labeller feels who likes to see the agent near the goal: 1 beside it, 0 far away."""
    return 1 - DISTANCES / DISTANCES.max()


def features(lava: I64) -> Tensor:
    """(cells, 4): lava, goal, and the two coordinates between 0 and 1."""
    cell = np.arange(SIDE * SIDE)
    rows = np.isin(cell, lava), cell == GOAL, cell // SIDE / (SIDE - 1), cell % SIDE / (SIDE - 1)
    return torch.tensor(np.stack(rows, axis=1), dtype=torch.float32)


def preference_loss(rewards: Tensor, pairs: Tensor, second: Tensor) -> Tensor:
    """-log σ(±(R₂ - R₁)), mean, in nats; `rewards` (cells,), R the sum over a clip's cells."""
    sums = rewards[pairs].sum(dim=2)
    sign = 2.0 * second - 1
    return -nnf.logsigmoid(sign * (sums[:, 1] - sums[:, 0])).mean()


def learn(asked: Preferences, lava: I64, kind: str, seed: int) -> F64:
    """Rewards per cell (cells,) from preferences: a small net on features, or one number per cell."""
    torch.manual_seed(seed)
    seen = features(lava)
    net = nn.Sequential(nn.Linear(4, _WIDTH), nn.Tanh(), nn.Linear(_WIDTH, 1))
    table = torch.zeros(SIDE * SIDE, 1, requires_grad=True)
    learned = [table] if kind == "table" else list(net.parameters())
    optimiser = AdamW(learned, decay=_DECAY)
    pairs, second = torch.from_numpy(asked.clips), torch.from_numpy(asked.second).float()
    for _ in range(_STEPS):
        rewards = (table if kind == "table" else net(seen))[:, 0]
        loss = preference_loss(rewards, pairs, second)
        optimiser.clear()
        loss.backward()
        optimiser.step(_RATE)
    with torch.no_grad():
        return (table if kind == "table" else net(seen))[:, 0].double().numpy()


def agreement(learned: F64, utility: F64, rng: np.random.Generator, number: int = 2000) -> float:
    """How often both prefer the same of two fresh clips; pairs that are equal to the judge are left out."""
    sums = clips(rng, 2 * number).reshape(number, 2, CLIP)
    judged = utility[sums].sum(axis=2)
    guessed = learned[sums].sum(axis=2)
    differ = np.abs(judged[:, 1] - judged[:, 0]) > 1e-9
    same = (judged[:, 1] > judged[:, 0]) == (guessed[:, 1] > guessed[:, 0])
    return float(same[differ].mean())


def levelled(rewards: F64, step: float = -0.1) -> F64:
    """The same rewards with the typical cell at `step`: clips of one length leave a constant free."""
    return rewards - float(np.median(rewards)) + step
