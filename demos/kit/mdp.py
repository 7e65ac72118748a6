"""Small worlds as tables: value iteration, exact evaluation of a policy, and how to step in them.

A world has n states and m actions. From each (state, action) a few outcomes may follow, each with
a probability, a next state, a reward, and whether the episode ends. Only the outcomes are stored,
K at most for each pair, so that a sweep costs n·m·K and not n²·m.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Tabular:
    """`chance`, `after`, `reward`, `ends` are (n, m, K); `begin` (n,) is where episodes start.

    Outcomes beyond those of a pair have chance 0. The state after an end is worth nothing.
    """

    chance: F64
    after: I64
    reward: F64
    ends: Flags
    begin: F64

    @property
    def states(self) -> int:
        return self.chance.shape[0]

    @property
    def actions(self) -> int:
        return self.chance.shape[1]

    def start(self, rng: np.random.Generator) -> int:
        """A state to begin in."""
        return int(rng.choice(self.states, p=self.begin))

    def draw(self, state: int, action: int, rng: np.random.Generator) -> tuple[int, float, bool]:
        """The next state, the reward and whether the episode ends."""
        sums = np.cumsum(self.chance[state, action])
        k = min(int(np.searchsorted(sums, rng.random(), "right")), len(sums) - 1)
        here = state, action, k
        return int(self.after[here]), float(self.reward[here]), bool(self.ends[here])

    def with_reward(self, reward: F64) -> Tabular:
        """The same world, worth something else."""
        return replace(self, reward=reward)

    def expected_reward(self) -> F64:
        """r(s, a), (n, m)."""
        return (self.chance * self.reward).sum(axis=2)


def from_gymnasium(table: Mapping[int, Mapping[int, Sequence[Any]]], begin: F64) -> Tabular:
    """The world behind gymnasium's toy-text environments: their `P` and `initial_state_distrib`."""
    states, actions = len(table), len(table[0])
    most = max(len(outcomes) for row in table.values() for outcomes in row.values())
    chance, reward = np.zeros((2, states, actions, most))
    after = np.zeros((states, actions, most), np.int64)
    ends = np.zeros((states, actions, most), bool)
    for state, row in table.items():
        for action, outcomes in row.items():
            for k, (p, next_state, value, done) in enumerate(outcomes):
                here = state, action, k
                chance[here], after[here], reward[here], ends[here] = p, next_state, value, done
    return Tabular(chance, after, reward, ends, np.asarray(begin, float) / np.sum(begin))


def action_values(world: Tabular, values: F64, gamma: float) -> F64:
    """Bellman's right side: Q(s, a) = E[r + γ V(s')], nothing after an end. (n, m)."""
    future = np.where(world.ends, 0.0, values[world.after])
    return (world.chance * (world.reward + gamma * future)).sum(axis=2)


def value_iteration(
    world: Tabular,
    gamma: float,
    *,
    start: F64 | None = None,
    tolerance: float = 1e-12,
    most: int = 100_000,
) -> F64:
    """Q* (n, m): sweeps until no value moves by more than `tolerance`, or `most` sweeps.

    Bellman 1957; each sweep shrinks the error by γ at least.
    """
    values = np.zeros(world.states) if start is None else start
    for _ in range(most):
        q = action_values(world, values, gamma)
        new = q.max(axis=1)
        if np.abs(new - values).max() <= tolerance:
            return q
        values = new
    return action_values(world, values, gamma)


def evaluate(world: Tabular, policy: I64, gamma: float) -> F64:
    """V of a fixed policy (n,), exactly: the linear system (I - γ P_π) V = r_π.

    Raises numpy.linalg.LinAlgError for γ = 1 where the policy may never end.
    """
    n = np.arange(world.states)
    chance, after = world.chance[n, policy], world.after[n, policy]
    move = np.zeros((world.states, world.states))
    np.add.at(move, (n[:, None], after), np.where(world.ends[n, policy], 0.0, chance))
    reward = (chance * world.reward[n, policy]).sum(axis=1)
    solved: F64 = np.linalg.solve(np.eye(world.states) - gamma * move, reward)
    return solved


def evaluate_within(world: Tabular, policy: F64, steps: int, gamma: float = 1.0) -> F64:
    """The expected return of a policy (n, m) of probabilities within `steps` steps, from each state."""
    values = np.zeros(world.states)
    for _ in range(steps):
        values = (policy * action_values(world, values, gamma)).sum(axis=1)
    return values


def greedy(q: F64) -> I64:
    """The best action of each state; of equals, the first."""
    return q.argmax(axis=1)


def as_chances(policy: I64, actions: int) -> F64:
    """A policy of one action per state as probabilities, (n, m)."""
    return np.eye(actions)[policy]


def best_by_force(world: Tabular, gamma: float) -> F64:
    """V* (n,) by evaluating every policy there is, for worlds with few states: a check."""
    best = np.full(world.states, -np.inf)
    for policy in product(range(world.actions), repeat=world.states):
        best = np.maximum(best, evaluate(world, np.array(policy), gamma))
    return best
