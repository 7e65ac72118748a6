"""The emergence demo: school addition, metrics by hand, small runs, the default run and its bars."""

from __future__ import annotations

from math import log
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from demos.foundation import emergence as demo
from demos.foundation.specs import EMERGENCE, EmergenceParams
from studytool.demo.events import Claim, Event, Note, Outcome, Prediction, Series, Table
from tests.demos.static_kit import check_default, of, one, play


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("emergence")


TINY = EmergenceParams(digits=3, steps=5)


# ------------------------------------------------------------------------------- the task


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))
def test_school_addition_equals_pythons(a: int, b: int) -> None:
    pairs = np.array(demo.columns((a, b), 10), np.int64).T[None]
    written = demo.add(pairs)[0]
    assert int("".join(map(str, written[::-1]))) == a + b


def test_sums_begin_with_the_last_digit_and_end_with_room_for_the_carry() -> None:
    pairs, answer = demo.sums(np.random.default_rng(0), 200, 4)
    assert pairs.shape == (200, 5, 2)
    assert answer.shape == (200, 5)
    assert np.all(pairs[:, -1] == 0)
    assert set(answer[:, -1]) == {0, 1}


# --------------------------------------------------------------------------------- metrics


def test_scores_of_four_answers_by_hand() -> None:
    right = np.array([[1, 1], [1, 0], [0, 1], [1, 1]], bool)
    score = demo.score_of(right, np.full((4, 2), 0.5))
    assert (score.exact, score.digit, score.loss) == (0.5, 0.75, 0.5)
    assert score.product == 0.75**2
    assert score.gap == 0.0625


@given(st.integers(0, 2**31), st.integers(1, 6))
def test_exact_match_never_beats_the_digits(seed: int, places: int) -> None:
    rng = np.random.default_rng(seed)
    right = rng.random((50, places)) < rng.random()
    score = demo.score_of(right, rng.random((50, places)))
    assert score.exact <= score.digit
    assert places > 1 or score.exact == score.digit == score.product


def test_independent_errors_make_the_product_and_dependent_ones_break_it() -> None:
    rng = np.random.default_rng(1)
    free = rng.random((20_000, 9)) < 0.9
    tied = np.repeat(rng.random((20_000, 1)) < 0.9, 9, axis=1)
    loss = np.zeros(free.shape)
    assert demo.score_of(free, loss).gap < 0.01
    assert demo.score_of(tied, loss).gap > 0.4  # so the claim about p^k could fail


def test_an_untrained_network_knows_nothing_and_an_oracle_all() -> None:
    score = demo.test(demo.Adder(8, 0), 8, np.random.default_rng(0))
    assert score.loss == pytest.approx(log(10), rel=0.1)
    assert score.exact == 0

    class Oracle(demo.Adder):
        def forward(self, pairs: torch.Tensor) -> torch.Tensor:
            digits = torch.from_numpy(demo.add(pairs.numpy()))
            return 50.0 * torch.nn.functional.one_hot(digits, 10).float()

    perfect = demo.test(Oracle(1, 0), 16, np.random.default_rng(0))
    assert (perfect.exact, perfect.digit, perfect.product) == (1, 1, 1)
    assert perfect.loss < 1e-12


def test_a_network_can_be_trained_to_add_single_columns() -> None:
    model, params = demo.Adder(24, 0), EmergenceParams(digits=2, steps=100)
    before = demo.test(model, 2, np.random.default_rng(1)).loss
    demo.train(model, params, np.random.default_rng(0))
    assert demo.test(model, 2, np.random.default_rng(1)).loss < 0.75 * before


def test_the_largest_step_of_a_rise() -> None:
    assert demo.jump([0.0, 0.1, 0.9, 1.0]) == pytest.approx(0.8)
    assert demo.jump(np.linspace(0.1, 1, 11).tolist()) == pytest.approx(0.1)


# ------------------------------------------------------------------------------ small runs


def test_a_small_run_shows_cases_and_repeats_itself(cache: Path) -> None:
    events, explorer = play(demo.run, TINY, cache)

    assert events == play(demo.run, TINY, cache)[0]
    assert {event.id for event in of(Prediction, events)} == {
        event.prediction for event in of(Outcome, events)
    }
    assert one(Table, events, "case-0").title == "999 + 1 = 1000"
    assert len(one(Table, events, "sizes").rows) == len(demo.WIDTHS)
    assert one(Series, events, "loss").levels["uniform: ln 10"] == pytest.approx(log(10))
    assert not of(Claim, events)  # the bars are for the recipe
    answers(explorer)


def answers(explorer: demo.AdditionExplorer) -> None:
    (asked,) = explorer.explore("99 + 2")
    assert isinstance(asked, Table)
    assert asked.title == "99 + 2 = 101"
    assert {row[2] for row in asked.rows} <= {f"{n} of 3" for n in range(4)}
    (length,) = explorer.explore("5 digits")
    assert isinstance(length, Table)
    assert length.columns[-1] == "p^6"
    for request in ("", "1 + x", "many digits", "²+1"):
        (note,) = explorer.explore(request)
        assert isinstance(note, Note)


def test_what_is_told_differs_with_the_number_of_digits(cache: Path) -> None:
    told = []
    for digits in (2, 8):
        params = EmergenceParams(digits=digits, steps=5)
        events: list[Event] = list(demo._outcomes(params, *untrained(digits)))
        told.append(next(e.value for e in of(Outcome, events) if e.prediction == "half-digits"))
    assert told == [pytest.approx(72.9), pytest.approx(38.7)]


def untrained(digits: int) -> tuple[list[demo.Adder], list[dict[int, demo.Score]]]:
    models = [demo.Adder(width, 0) for width in (1, 2)]
    scores = [{digits: demo.test(m, digits, np.random.default_rng(0))} for m in models]
    return models, scores


# ------------------------------------------------------------------------- the default run


def checked(seed: int, cache: Path) -> dict[str, float]:
    params = msgspec.structs.replace(EmergenceParams(), seed=seed)
    events, _ = play(demo.run, params, cache)
    check_default(events, EMERGENCE.info.claims, {"metric-is-all"})
    outcomes = {event.prediction: event.value for event in of(Outcome, events)}
    assert outcomes["digit-curve"] == demo.SMOOTH[1]
    return {claim.id: claim.value for claim in of(Claim, events)}


@pytest.fixture(scope="session")
def default_claims(cache: Path) -> dict[str, float]:
    return checked(0, cache)


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(default_claims: dict[str, float]) -> None:
    assert set(default_claims) == set(EMERGENCE.info.claims)


@pytest.mark.seeds
def test_the_bars_hold_over_seeds(cache: Path, default_claims: dict[str, float]) -> None:
    runs = [default_claims, *(checked(seed, cache) for seed in (1, 2, 3))]
    for name in default_claims:
        print(name, [round(run[name], 4) for run in runs])
    assert max(run["product"] for run in runs) <= 0.04
    assert np.median([run["present-large"] for run in runs]) > 0.9
    assert np.median([run["loss-falls"] for run in runs]) < 0
