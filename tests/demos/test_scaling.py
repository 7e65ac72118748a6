"""The scaling demo: its laws against brute force, the calculator, small ladders, the default run."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from demos.foundation import scaling as demo
from demos.foundation import scaling_laws as laws
from demos.foundation.scaling_budget import BudgetExplorer, by_rule
from demos.foundation.specs import SCALING, ScalingParams
from demos.kit.bpe import learn
from demos.kit.tokens import TokenText
from studytool.demo.events import (
    Claim,
    Event,
    Failed,
    Note,
    Outcome,
    Prediction,
    Stage,
    Table,
)
from tests.demos.static_kit import cache_folder, check_default, of, one, play, write_topics

SIZES = np.array([1e3, 3e3, 1e4, 3e4, 1e5])


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cache_folder(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_topics(tmp_path_factory.mktemp("text"))


# --------------------------------------------------------------------------------- laws


@given(st.floats(0.02, 0.8), st.floats(0.5, 30))
def test_a_planted_power_law_is_found(exponent: float, scale: float) -> None:
    law = laws.fit_line(SIZES, scale * SIZES**-exponent)

    assert law.exponent == pytest.approx(exponent)
    assert law.scale == pytest.approx(scale)
    assert law.misfit < 1e-9


def test_a_planted_floor_is_found_and_a_line_is_too_hopeful() -> None:
    truth = laws.PowerLaw(scale=20.0, exponent=0.4, floor=1.5)
    losses = np.array([truth(n) for n in SIZES])
    found = laws.fit_with_floor(SIZES, losses)

    assert found.floor == pytest.approx(1.5, abs=0.01)
    assert found.exponent == pytest.approx(0.4, abs=0.01)
    assert found(1e7) == pytest.approx(truth(1e7), rel=0.01)
    assert laws.fit_line(SIZES, losses)(1e7) < truth(1e7) * 0.95


def test_noise_leaves_many_exponents_plausible() -> None:
    truth = laws.PowerLaw(scale=3.0, exponent=0.3, floor=1.8)
    noise = np.random.default_rng(0).normal(0, 0.005, len(SIZES))
    losses = np.array([truth(n) for n in SIZES]) + noise
    exponents = [law.exponent for law in laws.plausible(laws.floors(SIZES, losses))]

    assert max(exponents) > 1.1 * min(exponents)


def test_both_forms_of_two_variables_are_found_from_planted_runs() -> None:
    rng = np.random.default_rng(1)
    for law, fit in ((laws.PUBLISHED, laws.fit_chinchilla), (laws.KAPLAN, laws.fit_kaplan)):
        runs = laws.planted_runs(law, 0, rng)
        assert laws.relative_errors(fit(*runs), law).max() < 1e-5


@given(st.floats(18, 26), st.floats(0.2, 0.5), st.floats(0.2, 0.5))
def test_the_optimum_is_where_no_neighbour_is_better(
    power: float, alpha: float, beta: float
) -> None:
    law, flops = laws.Chinchilla(1.7, 400.0, 400.0, alpha, beta), 10**power
    n, d = law.optimum(flops)

    assert laws.training_flops(n, d) == pytest.approx(flops)
    for factor in (0.99, 1.01):
        assert law(n * factor, d / factor) >= law(n, d)


def test_a_wrong_optimum_is_found_by_search() -> None:
    class Swapped(laws.Chinchilla):
        def optimum(self, flops: float) -> tuple[float, float]:
            return laws.Chinchilla(self.E, self.B, self.A, self.beta, self.alpha).optimum(flops)

    law = Swapped(1.69, 406.4, 410.7, 0.34, 0.28)
    assert abs(law.optimum(1e22)[0] / laws.optimum_by_search(law, 1e22)[0] - 1) > 0.1


def test_the_loss_of_the_form_at_a_point_by_hand() -> None:
    law = laws.Chinchilla(E=1.0, A=8.0, B=9.0, alpha=0.5, beta=1.0)
    assert float(law(16.0, 3.0)) == pytest.approx(1 + 2 + 3)
    assert float(laws.Kaplan(16.0, 2.0, 0.5, 0.25)(4.0, 1.0)) == pytest.approx((4**2 + 2) ** 0.25)


# --------------------------------------------------------------------- the model and its baseline


def letters(text: str) -> TokenText:
    bpe = learn({text: 1}, len(set(text)), every_byte=False)
    ids = np.array(bpe.encode(text), np.int64)
    return TokenText(bpe, ids, ids, 1.0)


def test_n_of_a_rung_is_its_weights_without_embeddings() -> None:
    model = demo.Rung(39, 12, torch.Generator())
    assert model.size() == 96 * 12 + 12 + 12 * 12 + 12 + 12 * 39 + 39
    ids = torch.zeros(5, demo.CONTEXT, dtype=torch.int64)
    assert torch.all(model(ids) == 0)  # so the first loss is ln V


def test_letter_pairs_are_counted_as_by_hand() -> None:
    text = letters("ab" * 30_000)
    known = demo.ngram_loss(text, 2)  # each letter is followed by the other one

    assert known == pytest.approx(-log(30_000 / 30_001), rel=0.2)
    assert demo.ngram_loss(letters("abcd" * 10_000), 1) == pytest.approx(log(4), abs=1e-3)


def test_a_rung_learns_what_is_there_to_learn() -> None:
    text = letters("abcd" * 2_000)
    params = ScalingParams(steps=60)
    assert demo.train_rung(text, 12, params)[1] < 0.1
    assert demo.train_rung(text, 12, params) == demo.train_rung(text, 12, params)


def test_the_rate_falls_with_the_width_unless_told_otherwise() -> None:
    rates = [demo.learning_rate(ScalingParams(lr=0.04), width) for width in (12, 48)]
    assert rates == pytest.approx([0.04, 0.02])
    assert demo.learning_rate(ScalingParams(lr=0.04, rate="constant"), 200) == 0.04


# ------------------------------------------------------------------------------ calculator


@pytest.mark.parametrize(
    ("request_", "n", "d", "c"),
    [
        ("N=70B D=1.4T", 7e10, 1.4e12, 5.88e23),
        ("n = 7e9 c=1e22", 7e9, 1e22 / 6 / 7e9, 1e22),
        ("D=300b C=3.15e23", 1.75e11, 3e11, 3.15e23),
    ],
)
def test_two_of_three_give_the_third(request_: str, n: float, d: float, c: float) -> None:
    (table,) = BudgetExplorer(laws.PowerLaw(1, 0.1)).explore(request_)
    assert isinstance(table, Table)
    assert [float(str(cell)) for cell in (table.rows[0][0], *table.rows[0][2:4])] == pytest.approx(
        [c, n, d], rel=0.01
    )


def test_a_budget_buys_by_the_rule_and_by_the_fit() -> None:
    (table,) = BudgetExplorer(laws.PowerLaw(1, 0.1)).explore("C=5.88e23")
    assert isinstance(table, Table)
    assert [row[4] for row in table.rows] == [20.0, 92.8]
    assert by_rule(5.88e23) == pytest.approx((7e10, 1.4e12))


@pytest.mark.parametrize("request_", ["", "how much?", "N=0", "N=1 D=1 C=1"])
def test_what_it_cannot_read_it_explains(request_: str) -> None:
    (note,) = BudgetExplorer(laws.PowerLaw(1, 0.1)).explore(request_)
    assert isinstance(note, Note)
    assert "N=70B" in note.text


def test_single_sizes_are_answered_in_a_sentence() -> None:
    explorer = BudgetExplorer(laws.PowerLaw(2.0, 0.5, 1.0))
    (size,), (data,) = explorer.explore("N=1e4"), explorer.explore("D=2e9")
    assert isinstance(size, Note)
    assert isinstance(data, Note)
    assert "1.020 nats" in size.text
    assert "1e+08" in data.text


# ------------------------------------------------------------------------------- small runs


def test_a_small_run_registers_its_forecast_before_the_largest_is_trained(
    cache: Path, topics: Path
) -> None:
    params = ScalingParams(steps=6, corpus=str(topics))
    events, explorer = play(demo.run, params, cache)

    names = [event.name for event in of(Stage, events)]
    stage = next(n for n, e in enumerate(events) if isinstance(e, Stage) and e.name == "largest")
    assert names[-3:] == ["ladder", "largest", "two variables"]
    assert {e.id for e in of(Prediction, events[:stage])} == {
        "largest-loss", "line-errs", "bigger-better",
    }  # fmt: skip
    assert one(Table, events[:stage], "forecasts").rows
    assert len(of(Outcome, events[stage:])) == 3
    assert not {claim.id for claim in of(Claim, events)} & {"floor-forecast", "straight-line"}
    assert isinstance(explorer, BudgetExplorer)
    assert play(demo.run, params, cache)[0] == [e for e in events if not_corpus(e)]


def not_corpus(event: Event) -> bool:
    """Reading the text is only reported the first time."""
    is_reading = isinstance(event, Stage) and event.name == "corpus"
    return not is_reading and getattr(event, "unit", "") != "byte"


def test_outcomes_differ_when_parameters_differ(cache: Path, topics: Path) -> None:
    outcomes: list[dict[str, Any]] = []
    for rate, lr in (("width", 0.043), ("constant", 1.0)):
        given = ScalingParams(steps=30, corpus=str(topics), lr=lr)
        events, _ = play(demo.run, msgspec.structs.replace(given, rate=rate), cache)
        outcomes.append({event.prediction: event.value for event in of(Outcome, events)})
    assert float(outcomes[0]["largest-loss"]) < float(outcomes[1]["largest-loss"])
    assert outcomes[1]["bigger-better"] == "no"


def test_a_missing_text_is_one_clear_message(cache: Path) -> None:
    events, explorer = play(demo.run, ScalingParams(corpus="nowhere.txt"), cache)
    (failed,) = of(Failed, events)
    assert "nowhere.txt" in failed.error
    assert failed.hint
    assert explorer is None


# ------------------------------------------------------------------------- the default run

REFUTED = {"straight-line", "exponent-known", "twenty-tokens"}


def checked(seed: int, cache: Path) -> dict[str, float]:
    events, _ = play(demo.run, msgspec.structs.replace(ScalingParams(), seed=seed), cache)
    check_default(events, SCALING.info.claims, REFUTED)
    outcomes = {event.prediction: event.value for event in of(Outcome, events)}
    assert outcomes["bigger-better"] == "yes"
    assert outcomes["line-errs"] == demo.LINE_ERRS[0]
    return {claim.id: claim.value for claim in of(Claim, events)}


@pytest.fixture(scope="session")
def default_claims(cache: Path) -> dict[str, float]:
    return checked(0, cache)


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(default_claims: dict[str, float]) -> None:
    assert set(default_claims) == set(SCALING.info.claims)


@pytest.mark.seeds
def test_the_bars_hold_over_seeds(
    cache: Path, default_claims: dict[str, float], record_property: Callable[[str, object], None]
) -> None:
    runs = [default_claims, *(checked(seed, cache) for seed in (1, 2, 3))]
    median = {name: float(np.median([run[name] for run in runs])) for name in default_claims}
    record_property("medians", median)
    assert median["floor-forecast"] <= 0.01
    assert median["against-naive"] <= 0.5
    assert median["line-forecast"] <= 0.015
