"""Three learners of tables that see the same world: each says after how many real steps it is good.

All act ε-greedily and learn with the same rule; they differ in what they do between two real
steps. Plain lists and the standard library's random numbers: at this size they are several times
faster than arrays.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

import numpy as np

from demos.kit.mdp import F64, Tabular, action_values

Step: TypeAlias = tuple[int, int, float, int, bool]


class Real:
    """The real world, one step at a time; `steps` counts what was asked of it."""

    def __init__(self, world: Tabular, limit: int, seed: int) -> None:
        """Episodes are cut off after `limit` steps, as gymnasium does."""
        self._rng = random.Random(seed)
        self._begin = list(accumulate(world.begin.tolist()))
        self._sums = world.chance.cumsum(axis=2).tolist()
        self._after, self._reward = world.after.tolist(), world.reward.tolist()
        self._ends, self._limit = world.ends.tolist(), limit
        self.steps = self._age = 0
        self.state = self._start()

    def _start(self) -> int:
        """A state to begin in."""
        self._age = 0
        return min(bisect_right(self._begin, self._rng.random()), len(self._begin) - 1)

    def step(self, action: int) -> Step:
        """Act; what happened. A new episode begins by itself after an end."""
        state, sums = self.state, self._sums[self.state][action]
        k = min(bisect_right(sums, self._rng.random()), len(sums) - 1)
        after, ends = self._after[state][action][k], self._ends[state][action][k]
        self.steps += 1
        self._age += 1
        self.state = self._start() if ends or self._age >= self._limit else after
        return state, action, self._reward[state][action][k], after, ends


@dataclass
class Table:
    """Q(s, a) as lists, with the rule that all learners share."""

    q: list[list[float]]
    rate: float
    gamma: float

    @classmethod
    def new(cls, world: Tabular, first: float, rate: float, gamma: float) -> Table:
        """Every action worth `first`."""
        return cls([[first] * world.actions for _ in range(world.states)], rate, gamma)

    def learn(self, seen: Step) -> None:
        """Q(s, a) += α (r + γ max Q(s', ·) - Q(s, a)) (Watkins and Dayan 1992)."""
        state, action, reward, after, ends = seen
        target = reward if ends else reward + self.gamma * max(self.q[after])
        row = self.q[state]
        row[action] += self.rate * (target - row[action])

    def act(self, state: int, explore: float, rng: random.Random) -> int:
        """A random action with probability `explore`, else a best one; ties are drawn."""
        row = self.q[state]
        if rng.random() < explore:
            return int(rng.random() * len(row))
        best = max(row)
        if row.count(best) == 1:
            return row.index(best)
        return rng.choice([action for action, value in enumerate(row) if value == best])


def dyna(
    real: Real, table: Table, replays: int, explore: float, rng: random.Random
) -> Iterator[None]:
    """Learn from each real step, then from `replays` remembered ones; yields after each real step.

    The model is a memory that is sampled: exact for what was seen, silent about the rest. With 0
    replays this is Q-learning. Sutton 1990 draws a seen (s, a) and asks a model for what follows.
    """
    memory: list[Step] = []
    draw, learn = rng.random, table.learn
    while True:
        seen = real.step(table.act(real.state, explore, rng))
        learn(seen)
        if replays:
            memory.append(seen)
            size = len(memory)
            for _ in range(replays):
                learn(memory[int(draw() * size)])
        yield


class Counts:
    """A model by counting: how often each state followed, and the mean reward.

    A pair tried fewer than `known` times is believed to lead to heaven, worth `best` (R-max,
    Brafman and Tennenholtz 2002): so the planner itself sends the agent where it knows least.
    """

    def __init__(self, world: Tabular, known: int, best: float) -> None:
        n, m = world.states, world.actions
        self.seen = np.zeros((n, m, n))
        self.reward, self.ended = np.zeros((2, n, m, n))
        self._known, self._best = known, best

    def add(self, step: Step) -> None:
        """Count one real step."""
        state, action, reward, after, ends = step
        here = state, action, after
        self.seen[here] += 1
        self.reward[here] += reward
        self.ended[here] += ends

    def plan(self, values: F64, gamma: float, sweeps: int) -> F64:
        """Q (n, m) after some sweeps of value iteration in the counted world."""
        total = self.seen.sum(axis=2, keepdims=True)
        each = np.maximum(self.seen, 1)
        model = Tabular(
            chance=self.seen / np.maximum(total, 1),
            after=np.broadcast_to(np.arange(self.seen.shape[2]), self.seen.shape),
            reward=self.reward / each,
            ends=self.ended / each > 0.5,
            begin=np.zeros(0),
        )
        unknown = total[..., 0] < self._known
        q = np.zeros(total.shape[:2])
        for _ in range(sweeps):
            q = np.where(unknown, self._best, action_values(model, values, gamma))
            values = q.max(axis=1)
        return q


def counting(
    real: Real,
    table: Table,
    model: Counts,
    every: int,
    sweeps: int,
    explore: float,
    rng: random.Random,
) -> Iterator[None]:
    """Act on a plan in the counted world, made anew every `every` real steps.

    Some random actions stay: what five tries got wrong would otherwise never be tried again.
    """
    while True:
        if real.steps % every == 0:
            values = np.array(table.q).max(axis=1)
            table.q = model.plan(values, table.gamma, sweeps).tolist()
        model.add(real.step(table.act(real.state, explore, rng)))
        yield
