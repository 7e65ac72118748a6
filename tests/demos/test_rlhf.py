"""Learning from preferences: losses, closed forms, the small world, runs, the default claims."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from demos.foundation import rlhf as demo
from demos.foundation.rlhf_talk import ENDS, Curve, Explorer
from demos.foundation.rlhf_world import (
    HELPFUL,
    LENGTH,
    SIZE,
    WORDS,
    Language,
    Policy,
    RewardModel,
    chosen,
)
from demos.foundation.specs import RLHF, RlhfParams
from studytool.demo.events import Claim, Event, Finding, Note, Outcome, Prediction, Series, Table
from tests.demos.static_kit import check_default, of, one, play

torch.set_num_threads(1)


def small(**changes: Any) -> RlhfParams:
    given = {"steps": 12, "dpo_steps": 10, "batch": 32, "preferences": 60, **changes}
    given = {"sft_steps": 10, "rm_steps": 20, **given}
    return RlhfParams(**given)


@pytest.fixture(scope="session")
def language() -> Language:
    return Language.draw(np.random.default_rng(3))


# ------------------------------------------------------------------------- closed forms


def test_the_preference_loss_by_hand() -> None:
    better, worse = torch.tensor([math.log(3), 0.0]), torch.tensor([0.0, 0.0])

    loss = demo.preference_loss(better, worse).item()

    assert loss == pytest.approx((math.log(4 / 3) + math.log(2)) / 2, rel=1e-6)


def test_the_policy_gradient_equals_finite_differences() -> None:
    assert demo.policy_gradient_error(np.random.default_rng(0)) < 1e-7


def test_a_policy_gradient_without_the_penalty_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = demo.policy_gradient
    monkeypatch.setattr(demo, "policy_gradient", lambda z, r, ref, beta: right(z, r, ref, 0.0))

    assert demo.policy_gradient_error(np.random.default_rng(0)) > 0.01


@given(st.integers(0, 10**6), st.sampled_from([0.2, 0.5, 1.0, 3.0]))
@settings(max_examples=30, deadline=None)
def test_the_tilted_policy_is_the_best(seed: int, beta: float) -> None:
    rng = np.random.default_rng(seed)
    reference, reward = rng.dirichlet(np.ones(5) * 2), rng.normal(0, 1, 5)
    best = np.log(demo.tilted(reference, reward, beta))

    top = demo.objective(best, reward, reference, beta)

    assert np.abs(demo.policy_gradient(best, reward, reference, beta)).max() < 1e-9
    for _ in range(5):
        other = best + rng.normal(0, 0.3, 5)
        assert demo.objective(other, reward, reference, beta) <= top + 1e-12


@given(st.integers(0, 10**6), st.sampled_from([0.1, 0.5, 2.0]))
@settings(max_examples=25, deadline=None)
def test_dpo_finds_the_tilted_policy_without_a_reward(seed: int, beta: float) -> None:
    rng = np.random.default_rng(seed)
    reference, reward = rng.dirichlet(np.ones(6) * 2), rng.normal(0, 1, 6)

    found = demo.dpo_optimum(reference, reward, beta)

    np.testing.assert_allclose(found, demo.tilted(reference, reward, beta), atol=1e-9)


def test_without_the_reference_another_policy_is_found() -> None:
    rng = np.random.default_rng(1)
    reference, reward = rng.dirichlet(np.ones(6)), rng.normal(0, 1, 6)

    ignoring = demo.tilted(np.ones(6) / 6, reward, 0.5)

    assert np.abs(ignoring - demo.dpo_optimum(reference, reward, 0.5)).max() > 0.05


def test_dpos_gradient_is_its_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    policy, reference = Policy(8), Policy(8)
    words = torch.randint(SIZE, (2, 6, LENGTH), generator=torch.Generator().manual_seed(1))
    pairs = demo.Pairs(words[0], words[1])

    assert demo.dpo_gradient_error(policy, reference, pairs, 0.3) < 1e-9
    monkeypatch.setattr(
        demo, "dpo_margin", lambda log_pi, ref, beta: beta * (log_pi[0] - log_pi[1])
    )
    monkeypatch.setattr(
        demo, "dpo_loss", lambda log_pi, ref, beta: (log_pi[1] - log_pi[0]).mean() * beta
    )
    assert demo.dpo_gradient_error(policy, reference, pairs, 0.3) > 0.01


def test_the_sampled_policy_gradient_is_the_exact_one() -> None:
    """All answers, weighted by their chance: REINFORCE's gradient is that of the expected reward."""
    logits = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64, requires_grad=True)
    reward = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    chances = logits.softmax(0)
    (exact,) = torch.autograd.grad(chances @ reward, logits)
    advantage = (reward - chances @ reward).detach()
    weighted = demo.reinforce_loss(logits.log_softmax(0), 3 * chances.detach() * advantage)
    (estimate,) = torch.autograd.grad(-weighted, logits)

    torch.testing.assert_close(estimate, exact)


def test_clipping_stops_what_has_moved_far_enough() -> None:
    old = torch.zeros(4)
    now = torch.tensor([0.5, -0.5, 0.5, -0.5], requires_grad=True)
    advantage = torch.tensor([1.0, 1.0, -1.0, -1.0])

    demo.clipped_loss(now, old, advantage, 0.2).backward()

    assert now.grad is not None
    assert (now.grad != 0).tolist() == [False, True, True, False]
    inside = torch.tensor([0.1, -0.1], requires_grad=True)
    loss = demo.clipped_loss(inside, torch.zeros(2), torch.tensor([1.0, -1.0]), 0.2)
    assert loss.item() == pytest.approx(-(math.exp(0.1) - math.exp(-0.1)) / 2, rel=1e-5)


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_best_of_n_without_drawing_equals_all_choices(n: int) -> None:
    rng = np.random.default_rng(0)
    count = 20 if n == 20 else 9
    proxy, values = rng.normal(size=(2, count))

    picks = [
        max(chosen, key=lambda i: proxy[i]) for chosen in itertools.combinations(range(count), n)
    ]

    assert demo.best_of_n(proxy, values, n) == pytest.approx(np.mean(values[picks]))


@pytest.mark.parametrize("n", [2, 4, 16])
def test_best_of_n_moves_no_further_than_its_formula(n: int) -> None:
    chances = np.random.default_rng(2).dirichlet(np.ones(50))
    edges = np.concatenate([[0], chances.cumsum()])
    best = np.diff(edges**n)  # the chance that the highest of n falls on each answer

    exact = float((best * np.log(best / chances)).sum())

    assert exact <= demo.best_of_n_kl(n)
    assert exact >= 0.8 * demo.best_of_n_kl(n)


# ----------------------------------------------------------------------- the small world


def test_gold_by_hand(language: Language) -> None:
    sentence = np.array([[WORDS.index(word) for word in ("because", "so", "because", "check")]])

    parts = language.parts(sentence)

    follows = [language.follow[a, b] for a, b in itertools.pairwise(sentence[0])]
    assert (parts.helpful[0], parts.repeats[0]) == (2, 1)
    assert parts.grammar[0] == pytest.approx(np.mean(np.log(follows)))
    assert parts.gold[0] == pytest.approx(2 - 1 + parts.grammar[0])


def test_the_language_follows_its_chain(language: Language) -> None:
    texts = language.write(4000, np.random.default_rng(0))
    counts = np.zeros((SIZE, SIZE))
    np.add.at(counts, (texts[:, :-1].ravel(), texts[:, 1:].ravel()), 1)

    rates = counts / counts.sum(1, keepdims=True)

    assert np.abs(rates - language.follow).max() < 0.06
    surprise = -np.log(language.follow[texts[:, :-1], texts[:, 1:]]).sum(1) + math.log(SIZE)
    assert surprise.mean() / LENGTH == pytest.approx(language.entropy(), abs=0.02)


def test_the_search_beats_every_written_sentence(language: Language) -> None:
    best = language.search(50)

    assert len(best) == LENGTH
    assert (
        language.gold(best[None])[0]
        > language.gold(language.write(3000, np.random.default_rng(1))).max()
    )


def test_chances_of_sentences_sum_to_one() -> None:
    torch.manual_seed(0)
    policy = Policy(8)
    pairs = torch.tensor(list(itertools.product(range(SIZE), repeat=2)))

    with torch.no_grad():
        total = chosen(policy(pairs), pairs).exp().sum().item()

    assert total == pytest.approx(1, abs=1e-5)


def test_samples_follow_the_policy() -> None:
    torch.manual_seed(0)
    policy = Policy(8)
    said = policy.sample(6000, torch.Generator().manual_seed(0))

    with torch.no_grad():
        first = policy(said[:1])[0, 0].exp().numpy()

    rates = np.bincount(said[:, 0].numpy(), minlength=SIZE) / len(said)
    assert np.abs(rates - first).max() < 0.02


def test_the_kl_along_sentences_is_the_mean_log_ratio() -> None:
    torch.manual_seed(0)
    policy, reference = Policy(8), Policy(8)
    said = policy.sample(20_000, torch.Generator().manual_seed(0))

    with torch.no_grad():
        now, then = policy(said), reference(said)
        exact = demo.kl_per_sentence(now, then)
        ratio = chosen(now, said) - chosen(then, said)

    assert exact.min() >= 0
    assert ratio.min() < 0  # which is why single batches of it alarm people
    assert exact.mean().item() == pytest.approx(ratio.mean().item(), abs=0.02)


def test_an_untrained_reward_model_scores_all_alike() -> None:
    words = torch.randint(SIZE, (5, LENGTH), generator=torch.Generator().manual_seed(0))

    assert RewardModel()(words).tolist() == [0.0] * 5


def test_labellers_prefer_by_gold_and_care(language: Language) -> None:
    torch.manual_seed(0)
    policy = Policy(8)

    def share(scale: float) -> float:
        pairs = demo.compare(policy, language, 3000, scale, torch.Generator().manual_seed(0))
        return float(np.mean(language.gold(pairs.better) > language.gold(pairs.worse)))

    assert share(100.0) == pytest.approx(0.5, abs=0.03)
    assert share(0.01) > 0.97
    assert 0.6 < share(1.0) < 0.95


def test_curves_know_their_peak_and_fall() -> None:
    curve = Curve()
    for step in range(60):
        curve.point(proxy=step / 10, gold=2 - abs(step - 20) / 10, kl=step)

    assert curve.setback == 0
    assert curve.peak + 5 == pytest.approx(20, abs=1)
    assert curve.fall == pytest.approx(3.1, abs=0.2)


# ------------------------------------------------------------------------------ the run


def test_the_same_seed_gives_the_same_events(tmp_path: Path) -> None:
    first, second = (play(demo.run, small(), tmp_path)[0] for _ in range(2))
    other = play(demo.run, small(seed=1), tmp_path)[0]

    assert first == second
    assert first != other


@pytest.mark.parametrize("changes", [{"method": "ppo"}, {"beta": 0.0}, {"beta": 3.0}])
def test_runs_with_other_settings_tell_all_of_it(tmp_path: Path, changes: dict[str, Any]) -> None:
    events, explorer = play(demo.run, small(**changes), tmp_path)

    assert {each.id for each in of(Claim, events)} == {
        "policy-gradient", "dpo-optimum", "dpo-gradient", "start-loss", "rm-accuracy",
    }  # fmt: skip
    asked = {each.id for each in of(Prediction, events)}
    assert asked == {each.prediction for each in of(Outcome, events)}
    names = [str(row[0]) for row in one(Table, events, "methods").rows]
    leashed = ["leash β = 3"] if changes.get("beta") else []
    leashed = leashed or ([] if "beta" in changes else ["leash β = 0.1"])
    assert names == ["SFT", "no leash", *leashed, "DPO", "best of 64", "best sentence, by search"]
    assert len(of(Finding, events)) == 1
    assert isinstance(explorer, Explorer)


def test_a_strong_leash_holds_the_policy(tmp_path: Path) -> None:
    events, _ = play(demo.run, small(beta=5.0, steps=40, lr=5e-3), tmp_path)

    rows = {str(row[0]): row for row in one(Table, events, "methods").rows}
    assert float(rows["leash β = 5"][3] or 0) < 0.3 * float(rows["no leash"][3] or 0)


def test_requests_are_answered(tmp_path: Path) -> None:
    _, explorer = play(demo.run, small(), tmp_path)

    def answer(request: str) -> Event:
        (event,) = explorer.explore(request)
        return event

    table = answer("because because check")
    assert isinstance(table, Table)
    said = {str(row[0]): row[1] for row in table.rows}
    assert (said["different helpful words"], said["repeats"]) == (2, 1)
    samples = answer("sample")
    assert isinstance(samples, Table)
    assert {str(row[0]) for row in samples.rows} == {"SFT", "no leash", "leash β = 0.1", "DPO"}
    for wrong in ("", "because xyzzy", "because " * (LENGTH + 1)):
        note = answer(wrong)
        assert isinstance(note, Note)
        assert HELPFUL[0] in note.text


# ------------------------------------------------------------- the default run, for real


def check(events: list[Event]) -> dict[str, float]:
    """Checks the run; returns the figures that the bar speaks of."""
    check_default(events, RLHF.info.claims, {"leash-prevents"})
    outcomes = {each.prediction: each.value for each in of(Outcome, events)}
    assert outcomes["gold-end"] in ENDS[1:]
    plot = one(Series, events, "overopt")
    assert [line.name for line in plot.lines] == [
        "gold, no leash", "gold, leash β = 0.1", "gold, DPO", "gold, best of n", "proxy, no leash",
    ]  # fmt: skip
    return {each.id: each.value for each in of(Claim, events)}


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(tmp_path: Path) -> None:
    check(play(demo.run, RlhfParams(), tmp_path)[0])


@pytest.mark.seeds
def test_the_bar_over_seeds(tmp_path: Path) -> None:
    found = [
        check(play(demo.run, msgspec.structs.replace(RlhfParams(), seed=seed), tmp_path)[0])
        for seed in range(5)
    ]

    print(found)
    assert float(np.median([each["gold-falls"] for each in found])) >= 0.3
    assert float(np.median([each["proxy-rises"] for each in found])) <= 0.05
