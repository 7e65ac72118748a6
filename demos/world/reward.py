"""Reward: you get what you pay for, not what you meant.

One goal, the far corner of a grid, and several rewards that all seem to ask for it.

1. **Sparse**: 1 for arriving. Right, and slow to learn from: most walks earn nothing.
2. **Potential-based shaping** (Ng, Harada and Russell 1999, *Policy invariance under reward
   transformations*): add γ φ(s') - φ(s). Exactly safe: Q becomes Q - φ, so that no policy
   changes rank. With a good φ it is learned many times faster; with a bad one it may stall.
3. **A naive bonus** for coming nearer. Its optimum never arrives: going back costs nothing, so
   one can come nearer again, and again.
4. **Learned from preferences** (Christiano et al. 2017, arXiv:1706.03741): a judge compares short
   clips; a reward is fitted by Bradley and Terry's model, and planned with. It can agree with
   the judge on nearly all clips and still mislead the policy.

Everything is exact where it can be: optima by value iteration, walks of the optimal policy drawn
in the terminal, with how often each cell is visited.

    python -m demos.world.reward --preferences 30
    python -m demos.world.reward --no-level --explore      then: 300 table
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from demos.kit.mdp import F64, Tabular, value_iteration
from demos.kit.parts import diagram
from demos.world.dyna_learners import Real, Table
from demos.world.reward_learned import agreement, closeness, compare, learn, levelled
from demos.world.reward_world import (
    DISTANCES,
    GOAL,
    Walk,
    best_policy,
    bonus,
    by_cell,
    discounted_distance,
    draw,
    lava_field,
    random_return,
    shaped,
    sparse,
    true_rewards,
    walk,
)
from demos.world.specs import REWARD, RewardParams
from studytool.demo.events import (
    Cell,
    Event,
    Finding,
    Note,
    Outcome,
    Prediction,
    Progress,
    Stage,
    Text,
    claim,
)
from studytool.demo.events import Table as TableEvent
from studytool.demo.spec import Lab, main

I64: TypeAlias = NDArray[np.int64]
R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

_GAMMA, _FAR, _LIMIT, _PLAN_GAMMA, _PLAN = 0.99, 400, 400, 0.97, 100
_RATE, _EPSILON, _GOOD = 0.5, 0.1, 30.0

# %% [markdown]
# ## 1. Shaping, exactly
# Along any way the added rewards telescope: Σ γ^t (γ φ(s_{t+1}) - φ(s_t)) = -φ(s_0), as long as
# φ(goal) = 0. So every policy's value from s falls by φ(s), and the ranking stays.


def identity_error(potential: F64, gamma: float) -> float:
    """The largest deviation of the shaped Q* from Q* - φ (Ng et al. 1999, theorem 1, corollary 2)."""
    phi = potential.copy()
    phi[GOAL] = 0
    plain = value_iteration(sparse(), gamma, tolerance=1e-15)
    other = value_iteration(shaped(phi, gamma), gamma, tolerance=1e-15)
    counts = np.arange(len(phi)) != GOAL  # nothing is chosen after the end
    return float(np.abs(other - (plain - phi[:, None]))[counts].max())


# %% [markdown]
# ## 2. Learning from each reward


def steps_until_good(world: Tabular, seed: int, most: int) -> int | None:
    """Real steps of Q-learning until ten walks in a row take fewer than 30 on average; 22 is best."""
    real, table = Real(world, _LIMIT, seed), Table.new(world, 0.0, _RATE, _GAMMA)
    rng, age, lengths = random.Random(seed), 0, [float(_LIMIT)] * 10
    while real.steps < most:
        step = real.step(table.act(real.state, _EPSILON, rng))
        table.learn(step)
        age += 1
        if step[4] or age >= _LIMIT:
            lengths, age = [*lengths[1:], float(age)], 0
            if sum(lengths) / 10 < _GOOD:
                return real.steps
    return None


# %% [markdown]
# ## 3. The run

ARRIVES = ("it arrives by the shortest way", "it arrives late", "it never arrives")
JUDGES = ("the small net on features", "the table, a number per cell", "both", "neither")


@dataclass(frozen=True)
class Learned:
    """A reward learned from preferences, and what planning with it leads to."""

    name: str
    rewards: F64
    agrees: float
    way: Walk


@dataclass(frozen=True)
class Field:
    """The world with lava: what is truly paid, and the best way by that."""

    lava: I64
    utility: F64
    world: Tabular
    best: Walk

    @classmethod
    def of(cls, rng: np.random.Generator) -> Field:
        """A field drawn at random."""
        lava = lava_field(rng)
        utility = true_rewards(lava)
        world = by_cell(utility)
        return cls(lava, utility, world, walk(best_policy(world, _PLAN_GAMMA), _PLAN))

    def learned(
        self, name: str, kind: str, taste: F64, params: RewardParams, rng: np.random.Generator
    ) -> Learned:
        """Ask a labeller with this taste, fit, and plan with what came out."""
        asked = compare(rng, params.preferences, taste)
        rewards = learn(asked, self.lava, kind, params.seed)
        if params.level:
            rewards = levelled(rewards)
        way = walk(best_policy(by_cell(rewards), _PLAN_GAMMA), _PLAN)
        return Learned(name, rewards, agreement(rewards, taste, rng), way)


def run(params: RewardParams, lab: Lab) -> Steps[RewardExplorer]:
    """Yields the lesson; returns what learns from other numbers of preferences."""
    torch.set_num_threads(lab.threads)
    yield from _questions(params)
    fast = yield from _shaping(params)
    hacked = yield from _hacking(params)
    field = Field.of(lab.rng(1))
    found = yield from _preferences(params, field, lab)
    yield from _verdict(params, field, found)
    yield _finding(fast, hacked, found["table"])
    return RewardExplorer(params, field)


def _questions(params: RewardParams) -> Iterator[Event]:
    yield Note(
        "Grids are drawn with S the start, G the goal, a digit for how often a cell was visited "
        "(* from ten on), ~ lava, ! lava walked through."
    )
    yield Prediction(
        "times",
        "Shaping with the potential γ^distance, which is safe: how many times fewer steps than the "
        "sparse reward?",
        unit="times fewer",
    )
    yield Prediction(
        "bonus",
        f"{params.bonus:g} for each step that comes nearer, 1 for arriving, γ = {_GAMMA:g}: what "
        "does the optimal policy do?",
        ARRIVES,
    )
    yield Prediction(
        "judge",
        f"Two rewards are fitted to {params.preferences} preferences. Whose policy reaches the goal?",
        JUDGES,
    )


def _shaping(params: RewardParams) -> Steps[float]:
    yield Stage("shaping", "the same walk learned from four rewards")
    yield diagram("reward", _told("given, and shaped in two ways", "Q-learning"))
    potential = discounted_distance(_GAMMA)
    text = "shaping turns Q* into Q* - φ (largest deviation over all states and actions)"
    yield claim("q-identity", text, identity_error(potential, _GAMMA), "<=", 1e-12)
    kinds = {
        "sparse: 1 for arriving": sparse(),
        "potential γ^distance": shaped(potential, _GAMMA),
        "potential -distance": shaped(-DISTANCES, _GAMMA),
        f"bonus of {params.bonus:g} for coming nearer": bonus(params.bonus),
    }
    rows: list[list[Cell]] = []
    taken: list[int] = []
    for number, (name, world) in enumerate(kinds.items(), start=1):
        steps = steps_until_good(world, params.seed, params.most)
        taken.append(params.most if steps is None else steps)
        way = walk(best_policy(world, _GAMMA), _FAR)
        arrives = f"in {len(way.cells) - 1}" if way.arrives else "never"
        rows.append([name, steps if steps is not None else f"not in {params.most:,}", arrives])
        yield Progress(number, len(kinds), "reward")
    columns = ["reward", "real steps until ten walks take under 30", "its optimum arrives"]
    note = "the best walk takes 22 steps; -distance is as safe, and pays for standing still"
    yield TableEvent("shaping", "Four rewards for one goal", columns, rows, note)
    times = taken[0] / taken[1]
    yield Note(
        f"standing still beside the start pays {(1 - _GAMMA) * DISTANCES[0]:.2f} a step under "
        "φ = -distance: the optimum is untouched, but a greedy beginner may stay there."
    )
    yield Outcome("times", round(times, 1), f"{taken[0]:,} against {taken[1]:,} steps.")
    if params.is_recipe:
        text = "steps with the sparse reward over steps with the potential γ^distance"
        yield claim("shaping-faster", text, times, ">=", 5)
    return times


def _hacking(params: RewardParams) -> Steps[Walk]:
    yield Stage("hacking", "the exact optimum of the bonus")
    yield diagram("planner", _told("1 for arriving, and a bonus for coming nearer", "exact"))
    way = walk(best_policy(bonus(params.bonus), _GAMMA), _FAR)
    earned, honest = way.pays(bonus(params.bonus)), 1 + params.bonus * DISTANCES[0]
    yield Text("hacked", f"{_FAR} steps of the bonus's optimal policy", draw(way))
    if not way.arrives:
        place = 2
    else:
        place = 0 if len(way.cells) - 1 == DISTANCES[0] else 1
    yield Outcome(
        "bonus", ARRIVES[place],
        f"It earns {earned:.1f} in {len(way.cells) - 1} steps; the straight way {honest:.1f} in 22.",
    )  # fmt: skip
    if params.is_recipe:
        text = "a bonus for progress leads to the goal (1: its optimal policy arrives)"
        yield claim("any-bonus", text, float(way.arrives), ">=", 1, expect="refuted")
    return way


def _preferences(params: RewardParams, field: Field, lab: Lab) -> Steps[dict[str, Learned]]:
    yield Stage("preferences", f"a judge compares {params.preferences} pairs of clips of ten steps")
    yield diagram(
        "reward", _told("learned from comparisons of clips", "exact, in what was learned")
    )
    mistaken = closeness() if params.labeller == "closeness" else field.utility
    asks = {
        "net": ("small net, true judge", "net", field.utility),
        "table": ("number per cell, true judge", "table", field.utility),
        "hacked": (f"small net, judge who likes {params.labeller}", "net", mistaken),
    }
    found: dict[str, Learned] = {}
    for number, (id, (name, kind, taste)) in enumerate(asks.items()):
        found[id] = field.learned(name, kind, taste, params, lab.rng(10 + number))
        title = f"{name}: agreement {found[id].agrees:.1%}"
        yield Text(f"walk-{id}", title, draw(found[id].way, field.lava.tolist()))
        yield Progress(number + 1, len(asks), "reward", name)
    yield Text("walk-best", "The truly best walk", draw(field.best, field.lava.tolist()))
    rows: list[list[Cell]] = [
        [
            each.name,
            round(each.agrees, 3),
            round(each.way.pays(by_cell(each.rewards)), 1),
            round(field.best.pays(by_cell(each.rewards)), 1),
            round(each.way.pays(field.world), 2),
            "yes" if each.way.arrives else "no",
        ]
        for each in found.values()
    ]
    columns = ["reward", "agreement", "its policy, by it", "best way, by it", "truly", "arrives"]
    note = (
        f"truly: the best way pays {field.best.pays(field.world):.2f}, random actions "
        f"{random_return(field.world, _PLAN):.1f}; agreement by chance is 0.5"
    )
    yield TableEvent("learned", "Rewards learned from preferences", columns, rows, note)
    return found


def _told(reward: str, planner: str) -> dict[str, str]:
    return {
        "state": "a cell of a 12 by 12 grid",
        "transition": "one cell per step; walls stop",
        "observation": "the state itself",
        "reward": reward,
        "planner": planner,
    }


def _verdict(params: RewardParams, field: Field, found: dict[str, Learned]) -> Iterator[Event]:
    net, table, hacked = found["net"], found["table"], found["hacked"]
    place = {(True, False): 0, (False, True): 1, (True, True): 2, (False, False): 3}
    yield Outcome(
        "judge",
        JUDGES[place[net.way.arrives, table.way.arrives]],
        f"They agree with the judge on {net.agrees:.1%} and {table.agrees:.1%} of fresh pairs.",
    )
    if not params.is_recipe:
        return
    best = field.best.pays(field.world)
    text = "the small net agrees with its judge on fresh clips"
    yield claim("learned-agrees", text, net.agrees, ">=", 0.98)
    text = "and its policy is truly near the best (return short of the optimum)"
    yield claim("learned-return", text, best - net.way.pays(field.world), "<=", 0.5)
    text = f"a reward right on {table.agrees:.1%} of clips leads to the goal (1: it arrives)"
    yield claim("agreement-is-enough", text, float(table.way.arrives), ">=", 1, expect="refuted")
    learned = by_cell(hacked.rewards)
    text = "by the mistaken judge's reward its policy beats the truly best way (return more)"
    gain = hacked.way.pays(learned) - field.best.pays(learned)
    yield claim("hacked-learned", text, gain, ">", 0)
    text = "and truly it is worse (return less)"
    yield claim("hacked-true", text, best - hacked.way.pays(field.world), ">", 5)


def _finding(fast: float, hacked: Walk, table: Learned) -> Finding:
    bonus_says = "was too small to be hacked" if hacked.arrives else "never arrives"
    table_says = "arrived" if table.way.arrives else "never arrived"
    return Finding(
        f"Shaping by a potential made learning {fast:.0f} times faster and changed no policy's "
        f"rank; the optimum of a bonus for coming nearer {bonus_says}. A learned reward agreed with "
        f"its judge on {table.agrees:.1%} of clips and its policy {table_says}: test the policy, "
        "not the agreement."
    )


@dataclass(frozen=True)
class RewardExplorer:
    """Learns the reward anew from as many preferences as one likes."""

    params: RewardParams
    field: Field

    def explore(self, request: str) -> Iterator[Event]:
        """`300`, `300 table`, `300 closeness`."""
        words = request.lower().split()
        known = {"", "net", "table", "closeness"}
        kind = words[1] if len(words) > 1 else "net"
        if not words or len(words) > 2 or not words[0].isdecimal() or kind not in known:
            yield Note("type a number of preferences, such as 30; add table or closeness")
            return
        number = min(max(int(words[0][:6]), 2), 5000)
        taste = closeness() if kind == "closeness" else self.field.utility
        asked = RewardParams(
            seed=self.params.seed, preferences=max(number, 10), level=self.params.level
        )
        rng = np.random.default_rng([self.params.seed, number])
        fit = "table" if kind == "table" else "net"
        found = self.field.learned(request, fit, taste, asked, rng)
        title = f"{asked.preferences} preferences, {kind}: agreement {found.agrees:.1%}"
        yield Text("explore", title, draw(found.way, self.field.lava.tolist()))
        paid = found.way.pays(self.field.world)
        best = self.field.best.pays(self.field.world)
        yield Note(f"truly its walk pays {paid:.2f}; the best pays {best:.2f}")


if __name__ == "__main__":
    main(REWARD)
