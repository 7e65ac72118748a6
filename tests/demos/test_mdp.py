"""Tabular worlds: value iteration against brute force, evaluation against simulation, the five parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.kit import mdp
from demos.kit.parts import PARTS, diagram


def random_world(seed: int, states: int = 4, actions: int = 2) -> mdp.Tabular:
    rng = np.random.default_rng(seed)
    chance = rng.dirichlet(np.ones(states), (states, actions))
    return mdp.Tabular(
        chance=chance,
        after=np.broadcast_to(np.arange(states), chance.shape),
        reward=rng.normal(0, 1, chance.shape),
        ends=rng.random(chance.shape) < 0.2,
        begin=rng.dirichlet(np.ones(states)),
    )


@given(st.integers(0, 10_000), st.floats(0.1, 0.95))
def test_value_iteration_is_the_best_of_all_policies(seed: int, gamma: float) -> None:
    world = random_world(seed)
    q = mdp.value_iteration(world, gamma)
    np.testing.assert_allclose(q.max(axis=1), mdp.best_by_force(world, gamma), atol=1e-8)
    np.testing.assert_allclose(mdp.evaluate(world, mdp.greedy(q), gamma), q.max(axis=1), atol=1e-8)
    np.testing.assert_allclose(mdp.action_values(world, q.max(axis=1), gamma), q, atol=1e-9)


def test_one_step_by_hand() -> None:
    world = mdp.Tabular(
        chance=np.array([[[0.25, 0.75]], [[1.0, 0.0]]]),
        after=np.array([[[0, 1]], [[1, 0]]]),
        reward=np.array([[[1.0, 2.0]], [[0.0, 0.0]]]),
        ends=np.array([[[False, True]], [[True, False]]]),
        begin=np.array([1.0, 0.0]),
    )
    values = np.array([10.0, 100.0])
    assert mdp.action_values(world, values, 0.5)[0, 0] == 0.25 * (1 + 5) + 0.75 * 2
    assert world.expected_reward()[0, 0] == 1.75
    assert world.with_reward(np.zeros((2, 1, 2))).expected_reward()[0, 0] == 0


@given(st.integers(0, 10_000))
def test_many_steps_within_a_limit_approach_the_exact_value(seed: int) -> None:
    world, gamma = random_world(seed), 0.8
    policy = np.random.default_rng(seed).integers(0, 2, 4)
    within = mdp.evaluate_within(world, mdp.as_chances(policy, 2), 200, gamma)
    np.testing.assert_allclose(within, mdp.evaluate(world, policy, gamma), atol=1e-10)


def test_drawing_follows_the_table() -> None:
    world, rng = random_world(3), np.random.default_rng(0)
    drawn = [world.draw(1, 0, rng) for _ in range(20_000)]
    share = np.bincount([after for after, _, _ in drawn], minlength=4) / len(drawn)
    np.testing.assert_allclose(share, world.chance[1, 0], atol=0.015)
    for after, reward, ends in drawn[:100]:
        assert reward == world.reward[1, 0, after]
        assert ends == world.ends[1, 0, after]
    begun = np.bincount([world.start(rng) for _ in range(20_000)], minlength=4) / 20_000
    np.testing.assert_allclose(begun, world.begin, atol=0.015)


def test_a_table_of_gymnasium_is_read_as_it_is() -> None:
    table = {
        0: {0: [(0.5, 0, 0.0, False), (0.5, 1, 1.0, True)], 1: [(1.0, 0, -1.0, False)]},
        1: {0: [(1.0, 1, 0.0, True)], 1: [(1.0, 1, 0.0, True)]},
    }
    world = mdp.from_gymnasium(table, np.array([2.0, 0.0]))
    assert world.chance.shape == (2, 2, 2)
    np.testing.assert_array_equal(world.chance.sum(axis=2), 1)
    assert world.begin.tolist() == [1, 0]
    assert mdp.evaluate(world, np.array([0, 0]), 1.0)[0] == pytest.approx(1.0)


def test_the_active_part_alone_is_lit() -> None:
    for part in PARTS:
        text = diagram(part, {"state": "a number"}).text
        lit = [line for line in text.splitlines() if "▶" in line]
        assert len(lit) == 1
        assert part in lit[0]
        assert len({len(line) for line in text.splitlines() if line[0] in "╔║╚┌│└"}) == 1
    with pytest.raises(ValueError, match="no such part: engine"):
        diagram("engine", {})


def test_a_long_explanation_stays_in_its_box() -> None:
    text = diagram("planner", {"planner": "x" * 300}).text
    assert max(map(len, text.splitlines())) <= 80
