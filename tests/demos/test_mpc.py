"""The mpc demo: the pendulum against gymnasium, gradients, the searches, a small run, the bars."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from gymnasium.envs.classic_control.pendulum import PendulumEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from demos.world import mpc as demo
from demos.world import mpc_planners as planners
from demos.world import mpc_world as world
from demos.world.mpc_model import Ensemble, Transitions, mean_squared
from demos.world.specs import MPC, MpcParams
from studytool.demo.events import Claim, Event, Note, Outcome, Series, Table, Text
from tests.demos.static_kit import check_default, of, one, play

TINY = MpcParams(fitting=4, few=1, nets=2, offline=10, horizon=2, tries=5, episodes=1)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mpc")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def states(angles: Tensor, speeds: Tensor) -> Tensor:
    return torch.stack((torch.cos(angles), torch.sin(angles), speeds), dim=-1)


# ------------------------------------------------------------------------------ the world


@given(st.floats(-3.1, 3.1), st.floats(-8, 8), st.floats(-3, 3))
def test_a_step_and_its_reward_are_gymnasiums_own(
    angle: float, speed: float, torque: float
) -> None:
    real = PendulumEnv()
    real.state = np.array([angle, speed])
    seen, paid, *_ = real.step(np.array([torque]))
    before = states(*torch.tensor([angle, speed], dtype=torch.float64))
    applied = torch.tensor(torque, dtype=torch.float64)
    np.testing.assert_allclose(world.true_step(before, applied), seen, atol=1e-5)
    kept = applied.clamp(-world.TORQUE, world.TORQUE)
    assert world.reward(before, kept).item() == pytest.approx(float(paid), abs=1e-9)


def test_a_wrong_gravity_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = world.Reality([1])
    before, torque = real.states, torch.tensor([0.5])
    real.step(torque)
    assert (world.true_step(before, torque) - real.states).abs().max() < 1e-5
    monkeypatch.setattr(world, "_GRAVITY", 9.81)
    assert (world.true_step(before, torque) - real.states).abs().max() > 1e-4


def test_the_gradient_of_the_true_step_is_that_of_finite_differences() -> None:
    angles, speeds = torch.tensor([0.3, 2.0]).double(), torch.tensor([1.0, -3.0]).double()
    before = states(angles, speeds).requires_grad_(True)
    torques = torch.tensor([0.5, -1.5]).double().requires_grad_(True)
    assert torch.autograd.gradcheck(world.true_step, (before, torques))


def test_arrows_point_where_the_pendulum_does() -> None:
    angles = torch.tensor([0.0, 0.8, np.pi / 2, np.pi, -np.pi, -np.pi / 2])
    assert world.arrows(states(angles, torch.zeros(6)), every=1) == "↑↖←↓↓→"


# ------------------------------------------------------------------------------- the nets


def test_the_gradient_of_a_net_is_that_of_finite_differences() -> None:
    model = Ensemble(2, seeded())
    for weight in model.weights:
        weight.data = weight.data.double()
    before = states(torch.tensor([[0.3, 2.0]] * 2).double(), torch.ones(2, 2).double())
    torques = torch.full((2, 2), 0.4).double()

    def outputs(moved: Tensor, applied: Tensor) -> Tensor:
        return model.change(moved, applied)

    inputs = before.requires_grad_(True), torques.requires_grad_(True)
    assert torch.autograd.gradcheck(outputs, inputs)


def test_members_are_independent_nets() -> None:
    model = Ensemble(3, seeded())
    before, torques = torch.randn(3, 5, 3), torch.randn(3, 5)
    first, bias, second, other, last, end = (weight.detach() for weight in model.weights)
    rows = torch.cat((before[1, :, :2], before[1, :, 2:] / 8, torques[1, :, None] / 2), dim=1)
    hidden = torch.nn.functional.silu(rows @ first[1] + bias[1])
    hidden = torch.nn.functional.silu(hidden @ second[1] + other[1])
    found = model.change(before, torques).detach()[1]
    torch.testing.assert_close(found, hidden @ last[1] + end[1])


def test_the_loss_by_hand() -> None:
    said, target = torch.zeros(1, 2, 3), torch.tensor([[[1.0, 0, 0], [0, 2.0, 0]]])
    assert mean_squared(said, target).item() == pytest.approx(5 / 6)


def test_fitting_lowers_the_error_and_states_stay_on_the_circle() -> None:
    generator = seeded(3)
    before = states(6.28 * torch.rand(300, generator=generator), torch.zeros(300))
    torques = 4 * torch.rand(300, generator=generator) - 2
    data = Transitions(before, torques, world.true_step(before, torques))
    model = Ensemble(1, generator)
    losses = [loss for _, loss in model.fit(data, 200)]
    assert losses[-1] < 0.05  # the targets have a variance of 1
    with torch.no_grad():
        moved = model.step(before[None], torques)[0]
    torch.testing.assert_close(moved[:, :2].norm(dim=1), torch.ones(300))
    assert (moved - data.after).abs().max() < (before - data.after).abs().max()


# --------------------------------------------------------------------------- the searches


def test_imagined_returns_are_those_of_single_steps() -> None:
    start, torques = states(torch.tensor([0.5, 3.0]), torch.zeros(2)), torch.randn(2, 4, 6)
    found = planners.imagine(world.Truth(), start, torques)
    for place in range(2):
        for number in range(4):
            state, total = start[place], 0.0
            for torque in torques[place, number]:
                total += world.reward(state, torque).item()
                state = world.true_step(state, torque)
            assert found.returns[place, number].item() == pytest.approx(total, rel=1e-4)
            torch.testing.assert_close(found.states[place, number, -1], state)


def test_elites_and_weights_by_hand() -> None:
    torques = torch.tensor([[[1.0, 0], [3.0, 2], [9.0, 9]]])
    returns = torch.tensor([[5.0, 4.0, -50.0]])
    mean, spread = planners.refit(torques, returns, 2)
    torch.testing.assert_close(mean, torch.tensor([[2.0, 1.0]]))
    torch.testing.assert_close(spread, torch.tensor([[1.0, 1.0]]))
    share = 1 / (1 + np.exp(-1))
    mixed = planners.weighted(torques, returns, 1.0)
    torch.testing.assert_close(mixed, torch.tensor([[share + 3 * (1 - share), 2 * (1 - share)]]),
                               check_dtype=False)  # fmt: skip
    cold = planners.weighted(torques, returns, 1e-6)
    torch.testing.assert_close(cold, torques[:, 0])


@settings(max_examples=5)
@given(st.sampled_from(planners.METHODS), st.integers(0, 100))
def test_any_search_beats_doing_nothing_in_the_true_world(method: str, seed: int) -> None:
    start = states(torch.tensor([0.3]), torch.zeros(1))
    planner = planners.Planner(world.Truth(), method, 10, 100, seeded(seed))
    planner.begin(1)
    found = planner.plan(start)[None]
    assert found.abs().max() <= world.TORQUE
    nothing = planners.imagine(world.Truth(), start, torch.zeros(1, 1, 10)).returns
    assert planners.imagine(world.Truth(), start, found).returns > nothing


def test_more_rounds_find_better_plans() -> None:
    start, returns = states(torch.tensor([3.0] * 10), torch.zeros(10)), []
    for rounds in (1, 3, 9):
        planner = planners.Planner(world.Truth(), "cem", 15, 60, seeded(), rounds)
        planner.begin(10)
        plans = planner.plan(start)[:, None]
        returns.append(planners.imagine(world.Truth(), start, plans).returns.mean().item())
    assert all(later > earlier for earlier, later in pairwise(returns))


# ------------------------------------------------------------------------------ small runs


@pytest.fixture(scope="session")
def tiny(cache: Path) -> tuple[list[Event], demo.MpcExplorer]:
    return play(demo.run, TINY, cache)


def test_a_small_run_draws_fans_and_repeats_itself(
    cache: Path, tiny: tuple[list[Event], demo.MpcExplorer]
) -> None:
    events, explorer = tiny
    assert events == play(demo.run, TINY, cache)[0]
    assert [claim.id for claim in of(Claim, events)] == ["gymnasium"]
    fan = one(Series, events, "fan-0")
    assert [line.name for line in fan.lines][-2:] == ["plan, promised", "plan, real"]
    assert {line.y[0] for line in fan.lines} == {fan.lines[0].y[0]}
    assert set(one(Series, events, "steps").levels) == {"true equations", "random"}
    assert len(one(Table, events, "promise").rows) == 6
    for request in ("mppi", "shooting", "true", "fit 2"):
        assert of(Text, list(explorer.explore(request)))
    for request in ("", "fit", "fit x", "cem now"):
        (note,) = explorer.explore(request)
        assert isinstance(note, Note)


def test_outcomes_differ_when_parameters_differ(
    cache: Path, tiny: tuple[list[Event], demo.MpcExplorer]
) -> None:
    shooting, _ = play(demo.run, msgspec.structs.replace(TINY, planner="shooting"), cache)
    outcomes = [
        {event.prediction: event.value for event in of(Outcome, events)}
        for events in (tiny[0], shooting)
    ]
    assert outcomes[0]["after"] != outcomes[1]["after"]


# ------------------------------------------------------------------------- the default run


def checked(seed: int, cache: Path) -> dict[str, float]:
    events, _ = play(demo.run, MpcParams(seed=seed), cache)
    check_default(events, MPC.info.claims, {"ensemble-needed"})
    return {claim.id: claim.value for claim in of(Claim, events)}


@pytest.fixture(scope="session")
def default_claims(cache: Path) -> dict[str, float]:
    return checked(0, cache)


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(default_claims: dict[str, float]) -> None:
    assert set(default_claims) == set(MPC.info.claims)


@pytest.mark.seeds
def test_the_bars_hold_over_five_seeds(cache: Path, default_claims: dict[str, float]) -> None:
    runs = [default_claims, *(checked(seed, cache) for seed in (1, 2, 3, 4))]
    for name in default_claims:
        print(name, [round(run[name], 4) for run in runs])
    assert np.mean([run["after-400"] for run in runs]) >= -220
