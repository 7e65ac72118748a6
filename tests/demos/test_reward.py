"""The reward demo: shaping exactly, the hacked optimum, rewards from preferences, the bars."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from demos.kit.mdp import evaluate, value_iteration
from demos.world import reward as demo
from demos.world import reward_learned as learned
from demos.world import reward_world as grids
from demos.world.specs import REWARD, RewardParams
from studytool.demo.events import Claim, Note, Outcome, Text
from studytool.demo.events import Table as TableEvent
from tests.demos.static_kit import check_default, of, one, play

TINY = RewardParams(preferences=20, most=600)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reward")


# ----------------------------------------------------------------------------------- grid


def test_walls_stop_and_the_goal_is_22_steps_away() -> None:
    assert grids.AFTER[grids.START].tolist() == [0, grids.SIDE, 1, 0]
    assert grids.DISTANCES[grids.START] == 22
    assert grids.DISTANCES[grids.GOAL] == 0
    best = grids.walk(grids.best_policy(grids.sparse(), 0.99), 400)
    assert best.arrives
    assert len(best.cells) == 23
    assert best.pays(grids.sparse()) == 1
    values = value_iteration(grids.sparse(), 0.9).max(axis=1)
    np.testing.assert_allclose(values[:-1], 0.9 ** (grids.DISTANCES[:-1] - 1), atol=1e-12)


@given(st.integers(0, 500))
def test_past_the_lava_a_shortest_way_is_left(seed: int) -> None:
    lava = grids.lava_field(np.random.default_rng(seed))
    assert len(set(lava.tolist())) == 22
    assert not {grids.START, grids.GOAL} & set(lava.tolist())
    world = grids.by_cell(grids.true_rewards(lava))
    best = grids.walk(grids.best_policy(world, 0.97), 100)
    assert best.pays(world) == pytest.approx(5 - 0.1 * 21)


def test_a_wall_of_lava_is_noticed() -> None:
    row = np.arange(12, 24)
    assert not grids.shortest_past(row)
    assert grids.shortest_past(row[:-1])


def test_the_drawing_counts_visits() -> None:
    text = grids.draw(grids.Walk((0, 1, 0, 1, 2)), lava=[2, 3])
    assert text.splitlines()[0].startswith("S 2 ! ~ .")
    assert text.splitlines()[-1].endswith("G")


# -------------------------------------------------------------------------------- shaping


@settings(max_examples=10)
@given(st.integers(0, 1000), st.floats(0.8, 0.97))
def test_any_potential_moves_q_by_itself_and_leaves_every_policy_its_rank(
    seed: int, gamma: float
) -> None:
    phi = np.random.default_rng(seed).normal(0, 3, 144)
    assert demo.identity_error(phi, gamma) < 1e-11
    phi[grids.GOAL] = 0
    policy = np.random.default_rng(seed + 1).integers(0, 4, 144)
    moved = evaluate(grids.shaped(phi, gamma), policy, gamma)
    plain = evaluate(grids.sparse(), policy, gamma)
    np.testing.assert_allclose((moved - plain)[:-1], -phi[:-1], atol=1e-9)


def test_a_shaping_without_gamma_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(phi: Any, gamma: float) -> Any:
        del gamma
        return grids.shaped(phi, 1.0)

    monkeypatch.setattr(demo, "shaped", wrong)
    assert demo.identity_error(grids.discounted_distance(0.99), 0.99) > 1e-3


def test_a_bonus_is_hacked_and_a_tiny_one_is_not() -> None:
    hacked = grids.walk(grids.best_policy(grids.bonus(0.1), 0.99), 400)
    assert not hacked.arrives
    steps = [abs(a - b) for a, b in pairwise(hacked.cells)]
    assert set(steps[-10:]) <= {0, 1, 12}
    assert len(set(hacked.cells[-10:])) == 2  # to and fro
    assert hacked.pays(grids.bonus(0.1)) > 1 + 0.1 * 22
    assert grids.walk(grids.best_policy(grids.bonus(0.001), 0.99), 400).arrives


def test_learning_is_reported_in_real_steps_or_given_up() -> None:
    world = grids.shaped(grids.discounted_distance(0.99), 0.99)
    steps = demo.steps_until_good(world, 0, 5000)
    assert steps is not None
    assert 300 < steps < 2500
    assert demo.steps_until_good(grids.sparse(), 0, 1000) is None


# ---------------------------------------------------------------------------- preferences


def test_the_loss_of_a_comparison_by_hand() -> None:
    rewards = torch.tensor([0.0, 1.0, 3.0])
    pairs = torch.tensor([[[0, 1], [2, 0]]])  # sums 1 and 3
    for second, want in ((1.0, log(1 + exp(-2))), (0.0, log(1 + exp(2)))):
        loss = learned.preference_loss(rewards, pairs, torch.tensor([second]))
        assert loss.item() == pytest.approx(want, rel=1e-5)
    constant = learned.preference_loss(rewards + 7, pairs, torch.tensor([1.0]))
    assert constant.item() == pytest.approx(log(1 + exp(-2)), rel=1e-5)  # a constant is free


def test_labels_follow_bradley_and_terry() -> None:
    rng, utility = np.random.default_rng(0), np.zeros(144)
    utility[:72] = 0.3
    asked = learned.compare(rng, 30_000, utility)
    sums = utility[asked.clips].sum(axis=2)
    gap = sums[:, 1] - sums[:, 0]
    for value in (-1.5, 0.0, 1.5):
        near = np.abs(gap - value) < 0.2
        want = (1 / (1 + np.exp(-gap[near]))).mean()
        assert asked.second[near].mean() == pytest.approx(want, abs=0.04)


def test_clips_stay_at_the_goal_and_move_one_cell() -> None:
    seen = learned.clips(np.random.default_rng(1), 2000)
    for before, after in zip(seen[:, :-1].ravel(), seen[:, 1:].ravel(), strict=True):
        assert after in grids.AFTER[before] or before == after == grids.GOAL


def test_agreement_of_a_reward_with_itself_and_with_its_opposite() -> None:
    utility = np.random.default_rng(2).normal(0, 1, 144)
    rng = np.random.default_rng(3)
    assert learned.agreement(utility + 5, utility, rng) == 1
    assert learned.agreement(-utility, utility, rng) == 0
    noise = np.random.default_rng(4).normal(0, 1, 144)
    assert learned.agreement(noise, utility, rng) == pytest.approx(0.5, abs=0.15)


def test_the_level_is_a_constant() -> None:
    rewards = np.array([1.0, 2.0, 2.0, 9.0])
    np.testing.assert_allclose(learned.levelled(rewards), [-1.1, -0.1, -0.1, 6.9])


# ------------------------------------------------------------------------------ small runs


def test_a_small_run_draws_walks_and_repeats_itself(cache: Path) -> None:
    events, explorer = play(demo.run, TINY, cache)

    assert events == play(demo.run, TINY, cache)[0]
    assert [claim.id for claim in of(Claim, events)] == ["q-identity"]
    assert "*" in one(Text, events, "hacked").text
    assert len(one(TableEvent, events, "learned").rows) == 3
    lit = {event.title for event in of(Text, events) if event.id == "parts"}
    assert lit == {f"The five parts: {part} is lit" for part in ("reward", "planner")}
    shown, said = explorer.explore("40 table")
    assert "agreement" in shown.title
    assert "the best pays" in said.text
    for request in ("", "many", "30 forest", "1 2 3"):
        (note,) = explorer.explore(request)
        assert isinstance(note, Note)


def test_outcomes_differ_when_parameters_differ(cache: Path) -> None:
    outcomes = []
    for bonus in (0.1, 0.001):
        events, _ = play(demo.run, msgspec.structs.replace(TINY, bonus=bonus), cache)
        outcomes.append({event.prediction: event.value for event in of(Outcome, events)})
    assert outcomes[0]["bonus"] == demo.ARRIVES[2]
    assert outcomes[1]["bonus"] == demo.ARRIVES[0]


# ------------------------------------------------------------------------- the default run

REFUTED = {"any-bonus", "agreement-is-enough"}


def checked(seed: int, cache: Path) -> dict[str, float]:
    events, _ = play(demo.run, RewardParams(seed=seed), cache)
    check_default(events, REWARD.info.claims, REFUTED)
    return {claim.id: claim.value for claim in of(Claim, events)}


@pytest.fixture(scope="session")
def default_claims(cache: Path) -> dict[str, float]:
    return checked(0, cache)


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(default_claims: dict[str, float]) -> None:
    assert set(default_claims) == set(REWARD.info.claims)


@pytest.mark.seeds
def test_the_bars_hold_over_five_seeds(cache: Path, default_claims: dict[str, float]) -> None:
    runs = [default_claims, *(checked(seed, cache) for seed in (1, 2, 3, 4))]
    for name in default_claims:
        print(name, [round(run[name], 4) for run in runs])
    assert np.median([run["shaping-faster"] for run in runs]) >= 8
    assert np.median([run["learned-agrees"] for run in runs]) >= 0.99
    assert max(run["q-identity"] for run in runs) <= 1e-12
