"""The dyna demo: its learners against definitions, gymnasium's own steps, small runs, the bars."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from demos.kit.mdp import greedy, value_iteration
from demos.world import dyna as demo
from demos.world.dyna_learners import Counts, Real, Table, dyna
from demos.world.specs import DYNA, DynaParams
from studytool.demo.events import (
    Claim,
    Event,
    Metric,
    Note,
    Outcome,
    Series,
    Text,
)
from studytool.demo.events import Table as TableEvent
from tests.demos.static_kit import check_default, of, one, play

TINY = DynaParams(lake="4x4", taxi=False, most=1500, replays=2)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dyna")


@pytest.fixture(scope="session")
def small_lake() -> demo.World:
    return demo.lake(TINY)


# -------------------------------------------------------------------------------- learners


def test_the_rule_by_hand() -> None:
    table = Table([[0.0, 0.0], [2.0, 4.0]], rate=0.5, gamma=0.9)
    table.learn((0, 1, 1.0, 1, False))
    assert table.q[0] == [0.0, 0.5 * (1 + 0.9 * 4)]
    table.learn((0, 0, 1.0, 1, True))  # nothing counts after an end
    assert table.q[0][0] == 0.5


def test_ties_are_drawn_and_random_actions_come_as_often_as_asked() -> None:
    table, rng = Table([[1.0, 1.0, 0.0]], 0.1, 0.9), random.Random(0)
    assert {table.act(0, 0.0, rng) for _ in range(50)} == {0, 1}
    third = sum(table.act(0, 0.3, rng) == 2 for _ in range(20_000)) / 20_000
    assert third == pytest.approx(0.1, abs=0.01)


def test_without_replays_dyna_is_q_learning(small_lake: demo.World) -> None:
    def learned(replays: int) -> list[list[float]]:
        table = Table.new(small_lake.table, 1.0, 0.1, 0.99)
        real = Real(small_lake.table, 100, 7)
        list(islice(dyna(real, table, replays, 0.1, random.Random(1)), 300))
        return table.q

    table, real, rng = Table.new(small_lake.table, 1.0, 0.1, 0.99), None, random.Random(1)
    real = Real(small_lake.table, 100, 7)
    for _ in range(300):
        table.learn(real.step(table.act(real.state, 0.1, rng)))
    assert learned(0) == table.q
    assert learned(3) != table.q


def test_real_steps_follow_gymnasiums_environment(small_lake: demo.World) -> None:
    from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv

    made = FrozenLakeEnv(map_name="4x4")
    made.reset(seed=3)
    theirs = np.zeros(16)
    for _ in range(6000):
        made.s = 9
        theirs[made.step(1)[0]] += 1
    real, ours = Real(small_lake.table, 100, 3), np.zeros(16)
    for _ in range(6000):
        real.state = 9
        ours[real.step(1)[3]] += 1
    np.testing.assert_allclose(ours / 6000, theirs / 6000, atol=0.03)


def test_an_episode_is_cut_off_at_the_limit(small_lake: demo.World) -> None:
    real = Real(small_lake.table, 5, 0)
    for _ in range(5):
        real.state = 0
        real.step(3)
    assert real.state == 0
    assert real.steps == 5


def test_a_counted_world_known_well_is_planned_like_the_true_one(small_lake: demo.World) -> None:
    world, model = small_lake.table, Counts(small_lake.table, known=1, best=1.0)
    rng = np.random.default_rng(0)
    for state in range(world.states):
        for action in range(world.actions):
            for _ in range(900):
                after, reward, ends = world.draw(state, action, rng)
                model.add((state, action, reward, after, ends))
    exact = value_iteration(world, 0.95)
    np.testing.assert_allclose(model.plan(np.zeros(16), 0.95, 400), exact, atol=0.05)


def test_an_unknown_action_is_believed_to_be_the_best(small_lake: demo.World) -> None:
    model = Counts(small_lake.table, known=2, best=1.0)
    model.add((0, 1, 0.0, 0, False))
    plan = model.plan(np.zeros(16), 0.9, 1)
    assert np.all(plan == 1.0)  # one try is not yet two
    model.add((0, 1, 0.0, 0, False))
    assert model.plan(np.zeros(16), 0.9, 1)[0, 1] == 0.0


# ---------------------------------------------------------------------------------- worlds


def test_value_iteration_is_checked_and_a_wrong_one_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert demo.brute_force_error(np.random.default_rng(0)) < 1e-9
    right = value_iteration

    def wrong(world: Any, gamma: float, **given: Any) -> Any:
        return right(world, gamma * 0.99, **given)

    monkeypatch.setattr(demo, "value_iteration", wrong)
    assert demo.brute_force_error(np.random.default_rng(0)) > 1e-3


def test_the_optimum_beats_walking_at_random(small_lake: demo.World) -> None:
    assert small_lake.random < 0.05 < small_lake.enough < small_lake.optimum < 1
    taxi = demo.taxi()
    assert taxi.optimum == pytest.approx(7.93, abs=0.01)
    best = greedy(value_iteration(taxi.table, 0.99))
    assert taxi.value(best) == pytest.approx(taxi.optimum)
    assert taxi.random < -500


# ------------------------------------------------------------------------------ small runs


def untimed(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Metric)]


def test_a_small_run_draws_the_parts_and_repeats_itself(cache: Path) -> None:
    events, explorer = play(demo.run, TINY, cache)

    assert untimed(events) == untimed(play(demo.run, TINY, cache)[0])
    lit = {event.title for event in of(Text, events) if event.id == "parts"}
    assert lit == {f"The five parts: {part} is lit" for part in ("reward", "transition", "planner")}
    series = one(Series, events, "value-lake")
    assert series.x_label == "real steps"
    assert {"optimum", "random", "enough"} == set(series.levels)
    assert {line.name for line in series.lines} == set(demo.FIRST)
    assert len(one(Text, events, "map-optimum").text.splitlines()) == 4
    assert [claim.id for claim in of(Claim, events)] == ["brute-force"]
    assert len(one(TableEvent, events, "steps-lake").rows) == 3
    shown, said = explorer.explore("dyna")
    assert "G" in shown.text
    assert "optimum" in said.text
    for request in ("", "taxi", "sarsa"):
        (note,) = explorer.explore(request)
        assert isinstance(note, Note)


def test_outcomes_differ_when_parameters_differ(cache: Path) -> None:
    outcomes = []
    for replays in (1, 10):
        params = msgspec.structs.replace(TINY, replays=replays, most=20_000)
        events, _ = play(demo.run, params, cache)
        outcomes.append({event.prediction: event.value for event in of(Outcome, events)})
    assert outcomes[0]["times"] != outcomes[1]["times"]


# ------------------------------------------------------------------------- the default run


def checked(seed: int, cache: Path) -> dict[str, float]:
    events, explorer = play(demo.run, DynaParams(seed=seed), cache)
    check_default(events, DYNA.info.claims, {"five-times-replays"})
    trips = list(explorer.explore("taxi 17"))
    assert len(trips) == 2
    return {claim.id: claim.value for claim in of(Claim, events)}


@pytest.fixture(scope="session")
def default_claims(cache: Path) -> dict[str, float]:
    return checked(0, cache)


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(default_claims: dict[str, float]) -> None:
    assert set(default_claims) == set(DYNA.info.claims)


@pytest.mark.seeds
def test_the_bars_hold_over_five_seeds(cache: Path, default_claims: dict[str, float]) -> None:
    runs = [default_claims, *(checked(seed, cache) for seed in (1, 2, 3, 4))]
    for name in ("lake-fewer", "taxi-fewer", "counts-fewer"):
        print(name, [round(run[name], 2) for run in runs])
        assert np.median([run[name] for run in runs]) >= 4
