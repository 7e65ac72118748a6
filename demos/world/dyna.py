"""Dyna: one real step, ten imagined ones.

Real steps are dear: a robot wears out, a patient waits. Model-free learning uses each once and
throws it away. A model lets the agent live it again: Dyna (Sutton 1990, *Integrated architectures
for learning, planning, and reacting based on approximating dynamic programming*) learns from each
real step, and then from imagined ones that its model supplies.

Two worlds of gymnasium: a frozen lake, where the ice is slippery, holes end the walk and only the
far corner pays 1; and Taxi, deterministic, 500 states, a long chain of right actions. Both are
small enough that the optimum is known exactly and that every policy on the way can be evaluated
exactly: no noise from test episodes. What is plotted is that value against real steps.

Three learners: Q-learning; the same with ten replays a step (Dyna, its model a memory); and a
counted model that is planned in to the end, optimistic about what it has not tried (R-max).

    python -m demos.world.dyna --replays 50
    python -m demos.world.dyna --lake 4x4 --optimism 0 --explore      then: dyna
"""

from __future__ import annotations

import random
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from demos.kit.mdp import (
    Tabular,
    as_chances,
    best_by_force,
    evaluate_within,
    from_gymnasium,
    greedy,
    value_iteration,
)
from demos.kit.parts import diagram
from demos.kit.plots import Curves
from demos.world.dyna_learners import Counts, Real, Table, counting, dyna
from demos.world.specs import DYNA, DynaParams
from studytool.demo.events import (
    Cell,
    Event,
    Finding,
    Metric,
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

# %% [markdown]
# ## 1. Two worlds, known exactly

_ARROWS = "<v>^"
_TAXI_ACTIONS = ("south", "north", "east", "west", "pick up", "drop off")
_LOOK = 500
#: What the learners discount with, and what the optimum is planned with.
_GAMMA, _FAR = 0.99, 0.999


@dataclass(frozen=True)
class World:
    """A world with what is known of it. `enough` is the value at which a learner counts as good."""

    name: str
    table: Tabular
    limit: int
    gamma: float
    rate: float
    first: float
    optimum: float
    random: float
    enough: float

    def value(self, policy: I64) -> float:
        """The expected return of a policy from the start, within the limit, exactly."""
        chances = as_chances(policy, self.table.actions)
        return float(self.table.begin @ evaluate_within(self.table, chances, self.limit))

    def step_reward(self) -> str:
        """What is paid here, in words."""
        return "1 at the far corner" if self.name == "lake" else "20 for the trip, -1 a step"


def lake(params: DynaParams) -> World:
    """FrozenLake: slippery, so an action goes astray to either side in two thirds of cases."""
    from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv

    made = FrozenLakeEnv(map_name=params.lake)
    table = from_gymnasium(made.P, made.initial_state_distrib)
    limit = 200 if params.lake == "8x8" else 100
    return _judged("lake", table, limit, 0.1, params.optimism)


def taxi() -> World:
    """Taxi: fetch a passenger and drive to one of four places; 20 for the trip, -1 a step."""
    from gymnasium.envs.toy_text.taxi import TaxiEnv

    made = TaxiEnv()
    return _judged("taxi", from_gymnasium(made.P, made.initial_state_distrib), 200, 0.5, 0.0)


def _judged(name: str, table: Tabular, limit: int, rate: float, first: float) -> World:
    """The optimum by value iteration with a far horizon, judged within the limit."""
    q = value_iteration(table, _FAR, tolerance=1e-9)
    best = evaluate_within(table, as_chances(greedy(q), table.actions), limit)
    uniform = np.full((table.states, table.actions), 1 / table.actions)
    aimless = evaluate_within(table, uniform, limit)
    optimum = float(table.begin @ best)
    enough = 0.9 * optimum if name == "lake" else optimum - 1
    return World(
        name, table, limit, _GAMMA, rate, first, optimum, float(table.begin @ aimless), enough
    )


def brute_force_error(rng: np.random.Generator) -> float:
    """Value iteration against all 81 policies of a random world of four states and three actions."""
    chance = rng.dirichlet(np.ones(4), (4, 3))
    world = Tabular(
        chance=chance,
        after=np.broadcast_to(np.arange(4), chance.shape),
        reward=rng.normal(0, 1, chance.shape),
        ends=rng.random(chance.shape) < 0.1,
        begin=np.full(4, 0.25),
    )
    q = value_iteration(world, 0.9)
    return float(np.abs(q.max(axis=1) - best_by_force(world, 0.9)).max())


# %% [markdown]
# ## 2. One learner at work


@dataclass
class Race:
    """How a learner did: real steps until it was good (None if never), and its updates."""

    name: str
    world: World
    steps: int | None = None
    taken: int = 0
    updates: int = 0
    seconds: float = 0.0
    policy: I64 = field(default_factory=lambda: np.zeros(0, np.int64))

    def needed(self) -> int:
        """Real steps, or all that were allowed where it never got there."""
        return self.taken if self.steps is None else self.steps


def learner(
    name: str, world: World, params: DynaParams, replays: int
) -> tuple[Real, Table, Iterator[None]]:
    """The real world, the table, and what advances them by one real step."""
    real = Real(world.table, world.limit, params.seed)
    table = Table.new(world.table, world.first, world.rate, world.gamma)
    rng = random.Random(params.seed + 1)
    if name == "counts":
        model = Counts(world.table, known=5, best=1.0)
        table.gamma = _FAR  # it plans to the end, so it may look further
        return real, table, counting(real, table, model, _LOOK, 300, params.epsilon, rng)
    return real, table, dyna(real, table, replays, params.epsilon, rng)


def race(
    name: str, world: World, params: DynaParams, replays: int, curves: Curves | None = None
) -> Steps[Race]:
    """Learn until the greedy policy is good, evaluated exactly every 500 real steps."""
    real, table, advance = learner(name, world, params, replays)
    found, begun = Race(name, world), time.process_time()
    while real.steps < params.most:
        for _ in range(_LOOK):
            next(advance)
        found.policy = greedy(np.array(table.q))
        value = world.value(found.policy)
        if curves is not None:
            curves.add(name, real.steps, max(value, world.random))
            if real.steps % (4 * _LOOK) == 0:
                yield Progress(real.steps, params.most, "step", f"{name}: value {value:.2f}")
        if value >= world.enough:
            found.steps = real.steps
            break
    found.taken, found.seconds = real.steps, time.process_time() - begun
    found.updates = real.steps * (1 + replays)
    if curves is not None:
        yield curves.series()
    return found


# %% [markdown]
# ## 3. The run

FIRST = ("q", "dyna", "counts")
NAMES = {
    "q": "Q-learning: each step once",
    "dyna": "Dyna: each step and replays",
    "counts": "counted model, planned to the end",
}
FIVE = ("about five times fewer real steps", "two to four times fewer", "less than two times fewer")


def run(params: DynaParams, lab: Lab) -> Steps[DynaExplorer]:
    """Yields the lesson; returns the policies, to be looked at."""
    yield Stage("worlds", "their tables, their optimum, and a check of value iteration")
    error = brute_force_error(lab.rng())
    text = "value iteration equals the best of all 81 policies of a small world (largest deviation)"
    yield claim("brute-force", text, error, "<=", 1e-9)
    worlds = [lake(params)] + ([taxi()] if params.taxi else [])
    for world in worlds:
        yield Note(
            f"{world.name}: {world.table.states} states, {world.table.actions} actions; optimum "
            f"{world.optimum:.3f}, random actions {world.random:.3f} a walk of at most "
            f"{world.limit} steps; good enough from {world.enough:.3f} on"
        )
    yield from _questions(params)
    races: dict[str, dict[str, Race]] = {}
    for world in worlds:
        races[world.name] = yield from _compare(world, params)
    many = yield from _many(worlds[0], params)
    yield from _outcomes(params, races, many)
    if params.is_recipe:
        yield from _claims(races, many)
    yield _finding(params, races)
    return DynaExplorer(races)


def _questions(params: DynaParams) -> Iterator[Event]:
    yield Prediction(
        "times",
        f"With {params.replays} imagined steps for each real one: how many times fewer real steps "
        "until the lake is mastered?",
        unit="times fewer",
    )
    yield Prediction("first", "Which learner masters the lake after the fewest real steps?", FIRST)
    yield Prediction(
        "five", f"And with {5 * params.replays} replays instead of {params.replays}?", FIVE
    )


def _compare(world: World, params: DynaParams) -> Steps[dict[str, Race]]:
    title = f"Value of the greedy policy, exactly: {world.name}"
    curves = Curves(f"value-{world.name}", title, "real steps", "expected return")
    curves.levels = {"optimum": world.optimum, "random": world.random, "enough": world.enough}
    names = FIRST if world.name == "lake" else FIRST[:2]
    found: dict[str, Race] = {}
    for name in names:
        part = {"q": "reward", "dyna": "transition", "counts": "planner"}[name]
        yield Stage(f"{world.name}: {name}", NAMES[name])
        yield diagram(part, _told(world, name))
        replays = params.replays if name == "dyna" else 0
        found[name] = yield from race(name, world, params, replays, curves)
        yield _table(world, found)
        if world.name == "lake":
            yield _map(params, found[name])
        yield Metric(f"{world.name} {name} CPU", found[name].seconds, unit="s")
    if world.name == "lake":
        best = greedy(value_iteration(world.table, _FAR, tolerance=1e-9))
        yield _map(params, Race("optimum", world, policy=best))
    else:
        yield from (_trip(each) for each in found.values())
    return found


def _told(world: World, name: str) -> dict[str, str]:
    """What the five parts are for this learner."""
    model = {
        "q": "unknown and never learned",
        "dyna": "a memory of steps taken, sampled",
        "counts": "counts of what followed, p(s'|s,a)",
    }
    planner = {
        "q": "none: the best value in the table",
        "dyna": "none of its own: the table learns from imagined steps",
        "counts": "value iteration in the counted world",
    }
    return {
        "state": f"one of {world.table.states}",
        "transition": model[name],
        "observation": "the state itself",
        "reward": world.step_reward(),
        "planner": planner[name],
    }


def _table(world: World, found: dict[str, Race]) -> TableEvent:
    base = found["q"].needed()
    rows: list[list[Cell]] = [
        [
            NAMES[name],
            each.steps if each.steps is not None else f"not in {each.taken:,}",
            round(base / each.needed(), 1),
            each.updates,
            round(world.value(each.policy), 3),
        ]
        for name, each in found.items()
    ]
    columns = ["learner", "real steps", "times fewer", "updates of the table", "value reached"]
    note = f"optimum {world.optimum:.3f}, random {world.random:.3f}; judged every {_LOOK} steps"
    return TableEvent(
        f"steps-{world.name}", f"Real steps until good: {world.name}", columns, rows, note
    )


def _map(params: DynaParams, found: Race) -> Text:
    """The greedy policy as arrows; H a hole, G the goal."""
    from gymnasium.envs.toy_text.frozen_lake import MAPS

    rows = MAPS[params.lake]
    side = len(rows)
    arrows = [
        " ".join(
            cell if cell in "HG" else _ARROWS[found.policy[side * i + j]]
            for j, cell in enumerate(row)
        )
        for i, row in enumerate(rows)
    ]
    name = NAMES.get(found.name, "the optimum")
    return Text(f"map-{found.name}", f"Where it would go: {name}", "\n".join(arrows))


def _trip(found: Race, start: int = 0, most: int = 20) -> Text:
    """One taxi trip by the greedy policy, in words; the world is deterministic."""
    table, state, words, total = found.world.table, start, [], 0.0
    state = int(np.flatnonzero(table.begin)[start])
    for _ in range(most):
        action = int(found.policy[state])
        words.append(_TAXI_ACTIONS[action])
        total += float(table.reward[state, action, 0])
        if table.ends[state, action, 0]:
            break
        state = int(table.after[state, action, 0])
    text = f"{', '.join(words)}: {len(words)} actions, return {total:.0f}"
    return Text(f"trip-{found.name}", f"One taxi trip: {NAMES[found.name]}", text)


def _many(world: World, params: DynaParams) -> Steps[Race]:
    """The same lake with five times the replays."""
    replays = 5 * params.replays
    yield Stage("more replays", f"{replays} for each real step")
    return (yield from race("dyna", world, params, replays))


def _outcomes(params: DynaParams, races: dict[str, dict[str, Race]], many: Race) -> Iterator[Event]:
    lake_, few = races["lake"], races["lake"]["dyna"].needed()
    times = lake_["q"].needed() / few
    yield Outcome(
        "times",
        round(times, 1),
        f"{lake_['q'].needed():,} steps against {few:,}; Dyna: {_times(lake_, 'dyna')}.",
    )
    first = min(FIRST, key=lambda name: lake_[name].needed())
    yield Outcome("first", first, f"{NAMES[first]}: {lake_[first].needed():,} steps.")
    gain = few / many.needed()
    place = 0 if gain > 4 else 1 if gain >= 2 else 2
    yield Outcome(
        "five", FIVE[place],
        f"{5 * params.replays} replays need {many.needed():,} steps, {gain:.1f} times fewer, and "
        f"{many.updates / max(1, lake_['dyna'].updates):.1f} times as many updates.",
    )  # fmt: skip


def _claims(races: dict[str, dict[str, Race]], many: Race) -> Iterator[Event]:
    lake_, taxi_ = races["lake"], races["taxi"]
    text = "Q-learning's real steps over Dyna's on the lake"
    yield claim("lake-fewer", text, lake_["q"].needed() / lake_["dyna"].needed(), ">=", 2)
    text = "Q-learning's real steps over those of the counted model on the lake"
    yield claim("counts-fewer", text, lake_["q"].needed() / lake_["counts"].needed(), ">=", 1.5)
    text = "Q-learning's real steps over Dyna's in Taxi"
    yield claim("taxi-fewer", text, taxi_["q"].needed() / taxi_["dyna"].needed(), ">=", 3)
    text = "five times the replays, five times fewer real steps (how many times fewer)"
    gain = lake_["dyna"].needed() / many.needed()
    yield claim("five-times-replays", text, gain, ">=", 4, expect="refuted")
    text = "random actions on the lake are far from good enough (share of the optimum)"
    world = lake_["q"].world
    yield claim("random-fails", text, world.random / world.optimum, "<=", 0.05)


def _times(found: dict[str, Race], name: str) -> str:
    """How many times fewer real steps than Q-learning's, where both got there."""
    if found[name].steps is None:
        return f"not mastered in {found[name].taken:,} real steps"
    times = found["q"].needed() / found[name].needed()
    return f"{'at least ' if found['q'].steps is None else ''}{times:.1f} times fewer real steps"


def _finding(params: DynaParams, races: dict[str, dict[str, Race]]) -> Finding:
    said = [f"{name}, {_times(found, 'dyna')}" for name, found in races.items()]
    return Finding(
        f"{params.replays} replays for each real step, against Q-learning: {'; '.join(said)}; for "
        f"more updates in between. Planning to the end in a counted model: "
        f"{_times(races['lake'], 'counts')} on the lake. Which is best depends on what is dear, real "
        "steps or thinking."
    )


@dataclass(frozen=True)
class DynaExplorer:
    """Shows what a learner would do."""

    races: dict[str, dict[str, Race]]

    def explore(self, request: str) -> Iterator[Event]:
        """`q`, `dyna`, `counts` for the lake; `taxi` or `taxi 17` for a trip from another start."""
        words = request.lower().split()
        if len(words) == 1 and words[0] in self.races["lake"]:
            found = self.races["lake"][words[0]]
            side = {16: "4x4", 64: "8x8"}[found.world.table.states]
            yield _map(DynaParams(lake="4x4" if side == "4x4" else "8x8"), found)
            value = found.world.value(found.policy)
            yield Note(
                f"it arrives in {value:.1%} of walks; the optimum is {found.world.optimum:.1%}"
            )
        elif (
            words[:1] == ["taxi"] and "taxi" in self.races and all(w.isdecimal() for w in words[1:])
        ):
            begins = int((self.races["taxi"]["q"].world.table.begin > 0).sum())
            start = int(words[1]) % begins if len(words) > 1 else 0
            yield from (_trip(each, start) for each in self.races["taxi"].values())
        else:
            yield Note("type q, dyna or counts for the lake; taxi, or taxi 17, for a trip")


if __name__ == "__main__":
    main(DYNA)
