"""The transition demo: densities against torch's own, the pendulum against gymnasium, the bars."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, pi
from pathlib import Path
from typing import Any

import gymnasium
import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, distributions

from demos.world import transition as demo
from demos.world import transition_models as models
from demos.world import transition_talk as talk
from demos.world import transition_world as worlds
from demos.world.specs import TRANSITION, TransitionParams
from studytool.demo.events import Claim, Note, Outcome, Series, Table, Text
from tests.demos.static_kit import check_default, of, one, play

TINY = TransitionParams(examples=60, steps=6, paths=3)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("transition")


# ---------------------------------------------------------------------------------- the wedge


@given(st.floats(0, 20), st.floats(0.05, 0.4), st.floats(-1, 1))
def test_the_worlds_density_is_one_and_has_the_mean(
    sharp: float, noise: float, place: float
) -> None:
    world, rest = worlds.Wedge(sharp, noise), np.linspace(-4, 4, 4001)
    where = np.tile([place, 0.3], (len(rest), 1))
    density = np.exp(world.log_density(where, rest))
    assert np.trapezoid(density, rest) == pytest.approx(1, abs=1e-6)
    assert np.trapezoid(density * rest, rest) == pytest.approx(world.mean(where)[0], abs=1e-6)


def test_balls_go_right_as_often_as_they_should() -> None:
    world, rng = worlds.Wedge(3, 0.1), np.random.default_rng(0)
    where = np.tile([0.2, -0.3], (20_000, 1))
    right = (world.draw(where, rng) > 0).mean()
    assert right == pytest.approx(1 / (1 + np.exp(0.3)), abs=0.015)
    assert -1 <= world.start(rng) <= 1
    sure, ends = worlds.Wedge(100, 0.02).step(0.5, 2, rng)
    assert ends
    assert sure == pytest.approx(1, abs=0.1)


def test_the_cost_of_the_mean_and_of_a_draw() -> None:
    world, rng = worlds.Wedge(3, 0.2), np.random.default_rng(1)
    where, rest = worlds.drops(world, 60_000, rng)
    cost = demo.cost_of_mean(world.right(where), 0.2)
    assert ((world.mean(where) - rest) ** 2).mean() == pytest.approx(cost, rel=0.02)
    assert ((world.draw(where, rng) - rest) ** 2).mean() == pytest.approx(2 * cost, rel=0.03)
    assert demo.cost_of_mean(np.array([0.5]), 0.0) == 1  # a fair coin, always 0


# ----------------------------------------------------------------------------------- the heads


def raws(seed: int, outputs: int, rows: int = 5) -> tuple[Tensor, Tensor]:
    noise = torch.Generator().manual_seed(seed)
    raw = torch.randn(rows, outputs, generator=noise, dtype=torch.float64)
    return raw, torch.randn(rows, generator=noise, dtype=torch.float64)


def reference(head: models.Mixture, raw: Tensor) -> distributions.MixtureSameFamily:
    weight, place, spread = head.parts(raw)
    return distributions.MixtureSameFamily(
        distributions.Categorical(logits=weight), distributions.Normal(place, spread)
    )


@given(st.integers(0, 1000), st.integers(1, 6))
def test_the_mixture_is_torchs_own(seed: int, kernels: int) -> None:
    head = models.Mixture(kernels)
    raw, rest = raws(seed, head.outputs)
    want = reference(head, raw)
    torch.testing.assert_close(head.loss(raw, rest), -want.log_prob(rest))
    torch.testing.assert_close(head.mean(raw), want.mean)


def test_a_loss_that_averages_the_kernels_is_found() -> None:
    head = models.Mixture(4)
    raw, rest = raws(3, head.outputs)
    weight, place, spread = head.parts(raw)
    each = distributions.Normal(place, spread).log_prob(rest[:, None])
    wrong = -(weight.exp() * each).sum(dim=1)
    assert (wrong > head.loss(raw, rest) + 1e-3).all()  # Jensen


def test_the_gradient_by_a_mean_is_bishops() -> None:
    head = models.Mixture(3)
    raw, rest = raws(4, head.outputs)
    raw.requires_grad_()
    (got,) = torch.autograd.grad(head.loss(raw, rest).sum(), raw)
    weight, place, spread = head.parts(raw.detach())
    joint = weight + distributions.Normal(place, spread).log_prob(rest[:, None])
    share = joint.softmax(dim=1)  # how much each kernel answers for this outcome
    torch.testing.assert_close(got[:, 3:6], share * (place - rest[:, None]) / spread**2)
    torch.testing.assert_close(got[:, :3], weight.exp() - share)


def test_one_kernel_is_the_gaussian() -> None:
    raw = torch.zeros(1, 3)
    spread = models.Mixture(1).parts(raw)[2].item()
    loss = models.Mixture(1).loss(raw, torch.tensor([0.5])).item()
    assert loss == pytest.approx(0.5 * log(2 * pi * spread**2) + 0.5 * (0.5 / spread) ** 2)


def test_the_mixtures_draws_follow_its_density() -> None:
    head = models.Mixture(2)
    raw, _ = raws(5, head.outputs, rows=1)
    said = head.draw(raw.expand(40_000, -1), torch.Generator().manual_seed(0))
    want = reference(head, raw)
    assert said.mean().item() == pytest.approx(want.mean.item(), abs=0.03)
    assert said.var().item() == pytest.approx(want.variance.item(), rel=0.05)


@given(st.integers(0, 1000), st.integers(2, 60))
def test_the_categorical_is_a_density(seed: int, bins: int) -> None:
    head = models.Categorical(bins)
    raw, _ = raws(seed, bins, rows=1)
    edges = torch.linspace(-1.5, 1.5, bins + 1, dtype=torch.float64)
    centres = (edges[1:] + edges[:-1]) / 2
    density = torch.exp(-head.loss(raw.expand(bins, -1), centres))
    assert (density * head.width).sum().item() == pytest.approx(1)
    assert head.mean(raw).item() == pytest.approx((density * head.width * centres).sum().item())
    assert head.bin(torch.tensor([-9.0, 9.0])).tolist() == [0, bins - 1]


def test_the_categoricals_draws_fall_in_their_bins() -> None:
    head = models.Categorical(5)
    raw = torch.full((1000, 5), -50.0)
    raw[:, 3] = 50
    said = head.draw(raw, torch.Generator().manual_seed(0))
    assert said.min() >= 0.3
    assert said.max() <= 0.9
    assert said.std().item() == pytest.approx(0.6 / 12**0.5, rel=0.1)


def test_squared_error_learns_the_mean_of_two_outcomes() -> None:
    torch.manual_seed(0)
    where, rest = np.zeros((400, 2)), np.tile([1.0, 1.0, 1.0, -1.0], 100)
    model = models.Learned(models.Point(), models.network(2, 1))
    list(models.fit(model, where, rest, 200, np.random.default_rng(0)))
    assert model.mean(where[:1])[0] == pytest.approx(0.5, abs=0.1)
    assert talk.impossible_share(model.draw(where, 0)) == 1


# ------------------------------------------------------------------------------- the pendulum


def test_the_pendulum_is_gymnasiums() -> None:
    env: Any = gymnasium.make("Pendulum-v1").unwrapped
    rng = np.random.default_rng(0)
    for _ in range(50):
        state = rng.uniform([-3, -8], [3, 8])
        torque = rng.uniform(-3, 3, 1)
        env.reset(seed=0)
        env.state = state.copy()
        env.step(torque)
        ours = worlds.swing(torch.from_numpy(state), torch.tensor(torque[0]))
        np.testing.assert_allclose(ours.numpy(), env.state, atol=1e-6)


def test_paths_are_the_pendulums_own() -> None:
    paths, torques = worlds.swings(4, 7, np.random.default_rng(1))
    torch.testing.assert_close(models.roll(worlds.swing, paths[:, 0], torques), paths)


@settings(max_examples=20)
@given(st.floats(-3, 3), st.floats(-5, 5), st.floats(-1.9, 1.9))
def test_the_true_gradient_is_the_product_of_jacobians(
    angle: float, speed: float, torque: float
) -> None:
    def jacobian(at: Tensor) -> Tensor:
        pull = 15 * torch.cos(at[0]).item() * 0.05  # ∂ω'/∂θ
        return torch.tensor([[1 + 0.05 * pull, 0.05], [pull, 1.0]], dtype=torch.float64)

    start = torch.tensor([angle, speed], dtype=torch.float64)
    torques = torch.full((1, 3), torque, dtype=torch.float64)
    path = models.roll(worlds.swing, start[None], torques)[0]
    want = torch.tensor([0.05 * 3 * 0.05, 3 * 0.05], dtype=torch.float64)
    for at in path[1:-1]:
        want = jacobian(at) @ want
    got = models.sensitivity(worlds.swing, start[None], torques)
    assert got.item() == pytest.approx(want[0].item(), rel=1e-9)


def random_model() -> models.Swinger:
    torch.manual_seed(1)
    net = models.network(4, 2)
    torch.nn.init.normal_(net[-1].weight, std=0.3)
    return models.Swinger(net.double(), torch.tensor([0.2, 0.5], dtype=torch.float64))


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    true, torques = worlds.swings(5, 6, np.random.default_rng(2))
    model = random_model()
    assert demo.gradient_error(model, true[:, 0], torques) < 1e-7

    def wrong(step: Any, start: Tensor, given: Tensor) -> Tensor:
        return 1.001 * models.sensitivity(step, start, given)

    monkeypatch.setattr(demo, "sensitivity", wrong)
    assert demo.gradient_error(model, true[:, 0], torques) > 1e-4


def test_an_untrained_model_says_that_nothing_changes() -> None:
    paths, torques = worlds.swings(3, 5, np.random.default_rng(3))
    model = models.Swinger.new(paths)
    with torch.no_grad():
        rolled = models.roll(model.step, paths[:, 0].float(), torques.float())
    torch.testing.assert_close(rolled[:, -1], paths[:, 0].float())


@dataclass(frozen=True)
class Shifted(models.Swinger):
    """The true pendulum, but for a constant added to the speed."""

    by: float = 0.0

    def step(self, state: Tensor, torque: Tensor) -> Tensor:
        return worlds.swing(state, torque) + torch.tensor([0.0, self.by])


def test_errors_of_a_perfect_and_of_a_shifted_model() -> None:
    true, torques = worlds.swings(30, 8, np.random.default_rng(4))
    net, scale = torch.nn.Identity(), torch.ones(2)
    perfect = talk.Ahead.of(Shifted(net, scale), true, torques)
    assert perfect.errors().max() == 0
    assert perfect.on_own.max() == 0
    shifted = talk.Ahead.of(Shifted(net, scale, 0.08), true, torques)
    one = 0.01 / 3**0.5  # 0.08 of 8 in one feature of three
    assert shifted.errors()[1] == pytest.approx(one)
    np.testing.assert_allclose(shifted.on_true.numpy(), one, rtol=1e-6)
    np.testing.assert_allclose(shifted.on_own.numpy(), one, rtol=1e-6)
    assert shifted.own_over_true == pytest.approx(1)
    assert (np.diff(shifted.errors()) > 0).all()
    assert shifted.growth > 8  # each step's shift also turns the angle


def test_the_worst_twentieth() -> None:
    true = torch.zeros(40, 2, 2, dtype=torch.float64)
    found = true.clone()
    found[:, 1, 1] = 0.1
    found[:2, 1, 1] = 1.0
    ahead = talk.Ahead(found, true, torch.ones(40, 1), torch.ones(40, 1))
    assert ahead.worst_share == pytest.approx(2 / (2 + 38 * 0.01))
    assert ahead.medians()[1] == pytest.approx(0.1 / 8 / 3**0.5)
    true[2:, :, 0] = torch.pi  # all but the two worst hang
    assert talk.Ahead(found + true, true, *[torch.ones(40, 1)] * 2).near_upright() == (0.0, 2.0)


def test_training_on_own_steps_learns_too() -> None:
    paths, torques = worlds.swings(5, 20, np.random.default_rng(5))
    for unroll in (1, 3):
        torch.manual_seed(0)
        model = models.Swinger.new(paths)
        rng = np.random.default_rng(0)
        losses = [loss for _, loss in model.fit(paths, torques, 100, unroll, rng)]
        with torch.no_grad():
            ahead = models.roll(model.step, paths[:, 0].float(), torques.float())
        assert losses[-1] < 0.1
        still = models.error_by_horizon(paths[:, :1].expand_as(paths), paths)
        assert models.error_by_horizon(ahead, paths)[3] < 0.5 * still[3]


# ------------------------------------------------------------------------------------ showing


def test_the_strip_is_a_histogram() -> None:
    line = talk.strip(np.array([-1.49, 0.0, 0.0, 1.49, 7.0]))
    assert len(line) == 61
    assert (line[0], line[30], line[60]) == ("▄", "█", "▄")
    assert set(line[1:30]) == {" "}


def test_a_single_number_is_infinitely_surprised() -> None:
    rest = np.array([1.0, -1.0])
    score = talk.Score.of("always 0", np.zeros(2), np.zeros(2), rest)
    assert score.surprise == inf
    assert score.row == ["always 0", 1.0, 1.0, 1.0, "infinite"]


def test_a_small_run_repeats_itself_and_answers(cache: Path) -> None:
    events, explorer = play(demo.run, TINY, cache)

    assert events == play(demo.run, TINY, cache)[0]
    assert [claim.id for claim in of(Claim, events)] == ["gradient-check"]
    assert of(Claim, events)[0].holds
    assert [row[0] for row in one(Table, events, "models").rows][1:5] == list(talk.NAMES)
    assert len(one(Series, events, "path-worst").lines) == 2
    assert {event.title for event in of(Text, events) if event.id == "parts"} == {
        "The five parts: transition is lit"
    }
    shown, said = explorer.explore("0.2 left")
    assert "no ball rests here" in shown.text
    assert "42.6%" in said.text  # σ(3 · -0.1)
    for request in ("", "up", "0.2 down", "2", "nan", "0.1 left left"):
        (note,) = explorer.explore(request)
        assert isinstance(note, Note)


def test_outcomes_differ_when_parameters_differ(cache: Path) -> None:
    found = []
    for steps in (1, 100):
        params = msgspec.structs.replace(TINY, steps=steps, examples=1000)
        events, _ = play(demo.run, params, cache)
        outcomes = {event.prediction: event.value for event in of(Outcome, events)}
        found.append({name: float(outcomes[name]) for name in ("gap", "growth")})
    assert found[0]["gap"] > found[1]["gap"] + 0.1  # the untrained bell stands on the gap
    assert found[1]["growth"] > 2 * found[0]["growth"]


# ------------------------------------------------------------------------- the default run

REFUTED = {"lowest-error-possible", "own-states-worse"}


def checked(seed: int, cache: Path) -> dict[str, float]:
    events, _ = play(demo.run, TransitionParams(seed=seed), cache)
    check_default(events, TRANSITION.info.claims, REFUTED)
    return {claim.id: claim.value for claim in of(Claim, events)}


@pytest.fixture(scope="session")
def default_claims(cache: Path) -> dict[str, float]:
    return checked(0, cache)


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(default_claims: dict[str, float]) -> None:
    assert set(default_claims) == set(TRANSITION.info.claims)


@pytest.mark.seeds
def test_the_bars_hold_over_four_seeds(cache: Path, default_claims: dict[str, float]) -> None:
    runs = [default_claims, *(checked(seed, cache) for seed in (1, 2, 3))]
    for name in default_claims:
        print(name, [round(run[name], 4) for run in runs])
    assert min(run["impossible-mean"] for run in runs) >= 0.5
    assert min(run["impossible-gaussian"] for run in runs) >= 0.4
    assert max(run["impossible-mixture"] for run in runs) <= 0.01
    assert max(run["impossible-categorical"] for run in runs) <= 0.01
    assert np.median([run["mean-wins-error"] for run in runs]) >= 1.9
