"""The grid of the reward demo: where one can go, what rewards can be put on it, what a policy does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from demos.kit.mdp import F64, Tabular, evaluate_within, greedy, value_iteration

I64: TypeAlias = NDArray[np.int64]

SIDE = 12
START, GOAL = 0, SIDE * SIDE - 1
_MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))  # left, down, right, up
ARROWS = "<v>^"


def distance(cell: int) -> int:
    """Steps from a cell to the goal, by rows and columns."""
    return (SIDE - 1 - cell // SIDE) + (SIDE - 1 - cell % SIDE)


DISTANCES = np.array([distance(cell) for cell in range(SIDE * SIDE)], float)


def _after(cell: int, action: int) -> int:
    """The next cell; against the wall one stays."""
    row, column = cell // SIDE + _MOVES[action][0], cell % SIDE + _MOVES[action][1]
    return row * SIDE + column if 0 <= row < SIDE and 0 <= column < SIDE else cell


AFTER: I64 = np.array([[_after(cell, a) for a in range(4)] for cell in range(SIDE * SIDE)])


def grid(reward: Callable[[int, int], float]) -> Tabular:
    """The world in which going from one cell to another pays `reward(from, to)`; the goal ends it."""
    pays = np.array([[[reward(s, int(t))] for t in row] for s, row in enumerate(AFTER)])
    begin = np.zeros(SIDE * SIDE)
    begin[START] = 1
    after = AFTER[..., None]
    return Tabular(np.ones(after.shape), after, pays, after == GOAL, begin)


def by_cell(rewards: F64) -> Tabular:
    """The world in which entering a cell pays `rewards[cell]`."""
    return grid(lambda _, after: float(rewards[after]))


# %% Four rewards for "reach the goal"


def sparse() -> Tabular:
    """1 for arriving, 0 otherwise."""
    return grid(lambda _, after: float(after == GOAL))


def shaped(potential: F64, gamma: float) -> Tabular:
    """The sparse reward plus γ φ(s') - φ(s) (Ng, Harada and Russell 1999); φ(goal) counts as 0."""
    phi = potential.copy()
    phi[GOAL] = 0
    return grid(lambda s, after: float(after == GOAL) + gamma * phi[after] - phi[s])


def bonus(size: float) -> Tabular:
    """The sparse reward plus `size` for each step that brings it closer; going away costs nothing."""
    return grid(
        lambda s, after: float(after == GOAL) + size * float(DISTANCES[after] < DISTANCES[s])
    )


def discounted_distance(gamma: float) -> F64:
    """φ = γ^distance: near 0 far away, 1 at the goal, never negative."""
    return gamma**DISTANCES


# %% Lava, for the reward that is learned


def lava_field(rng: np.random.Generator, cells: int = 22) -> I64:
    """Cells of lava, drawn until a way of the shortest length leads past them."""
    free = np.setdiff1d(np.arange(SIDE * SIDE), [START, GOAL])
    while True:
        lava = np.sort(rng.choice(free, cells, replace=False))
        if shortest_past(lava):
            return lava


def shortest_past(lava: I64) -> bool:
    """Whether the goal can be reached by steps right and down without touching lava."""
    reach = np.zeros(SIDE * SIDE, bool)
    reach[START] = True
    for cell in range(SIDE * SIDE):
        if reach[cell] and cell not in lava:
            reach[AFTER[cell, [1, 2]]] = True
    return bool(reach[GOAL] and GOAL not in lava)


def true_rewards(lava: I64) -> F64:
    """-0.1 a step, -2 in lava, +5 at the goal."""
    rewards = np.full(SIDE * SIDE, -0.1)
    rewards[lava] = -2.0
    rewards[GOAL] = 5.0
    return rewards


# %% What a policy does


@dataclass(frozen=True)
class Walk:
    """The cells that a greedy policy visits from the start, and whether it arrives."""

    cells: tuple[int, ...]

    @property
    def arrives(self) -> bool:
        return self.cells[-1] == GOAL

    def pays(self, world: Tabular) -> float:
        """Its undiscounted return in a world."""
        return sum(
            float(world.reward[s, int(np.flatnonzero(AFTER[s] == t)[0]), 0])
            for s, t in pairwise(self.cells)
        )


def walk(policy: I64, most: int) -> Walk:
    """Follow a policy until the goal, for `most` steps at most."""
    cells = [START]
    while len(cells) <= most and cells[-1] != GOAL:
        cells.append(int(AFTER[cells[-1], policy[cells[-1]]]))
    return Walk(tuple(cells))


def best_policy(world: Tabular, gamma: float) -> I64:
    """The greedy policy of the exact optimum."""
    return greedy(value_iteration(world, gamma, tolerance=1e-13))


def random_return(world: Tabular, steps: int) -> float:
    """What random actions earn from the start within `steps` steps."""
    uniform = np.full((world.states, world.actions), 1 / world.actions)
    return float(evaluate_within(world, uniform, steps)[START])


def draw(way: Walk, lava: Sequence[int] = ()) -> str:
    """The grid as text: S, G, ~ for lava, digits for how often a cell was visited (* from 10 on)."""
    visits = np.bincount(way.cells, minlength=SIDE * SIDE)
    signs = ["."] * (SIDE * SIDE)
    for cell in range(SIDE * SIDE):
        if visits[cell]:
            signs[cell] = str(visits[cell]) if visits[cell] < 10 else "*"
        if cell in lava:
            signs[cell] = "!" if visits[cell] else "~"
    signs[START], signs[GOAL] = "S", "G"
    rows = [" ".join(signs[SIDE * i : SIDE * (i + 1)]) for i in range(SIDE)]
    return "\n".join(rows)
