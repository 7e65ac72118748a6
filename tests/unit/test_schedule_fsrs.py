"""Our memory model against py-fsrs, the reference in Python.

What is compared: stability and difficulty after every answer of 10,000 random histories, with
the default weights and with other ones. py-fsrs counts 24-hour periods in UTC; the answers are
given at times where its count equals the study days, so that both see the same elapsed days,
same-day answers included. fsrs-rs computes in single precision, so equality is to a few parts
in 100,000. No history here reaches the 36,500 days at which fsrs-rs stops stability and
py-fsrs does not.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import fsrs as oracle
import fsrs_rs_python
import pytest
from fsrs.scheduler import DEFAULT_PARAMETERS as PY_FSRS_DEFAULTS

from studytool.schedule import fsrs
from studytool.schedule.model import Rating

BOUND = 1e-3  # what the issue asks for
SHARP = 1e-4  # what single precision allows over a long history
OTHER_WEIGHTS = (
    0.4, 1.1, 3.2, 16.0, 7.1, 0.6, 2.5, 0.02, 1.4, 0.12, 0.9,
    1.9, 0.11, 0.29, 2.2, 0.25, 2.9, 0.6, 0.2, 0.14, 0.3,
)  # fmt: skip


def histories(count: int, seed: int) -> list[list[tuple[int, Rating]]]:
    """Random histories of 1 to 24 answers: (days since the last one, rating)."""
    draw = random.Random(seed)
    result = []
    for _ in range(count):
        easy_going = draw.random()
        history = []
        for number in range(draw.randint(1, 24)):
            gap = draw.choice((0, 0, 1, 2, draw.randint(1, 30), draw.randint(1, 900)))
            weights = (1 - easy_going, 0.3, 1.0, easy_going)
            rating = draw.choices(list(Rating), weights)[0]
            history.append((gap if number else 0, rating))
        result.append(history)
    return result


def largest_difference(
    runs: list[list[tuple[int, Rating]]], weights: tuple[float, ...]
) -> tuple[float, int]:
    """The largest relative difference, and how many answers were compared."""
    scheduler = oracle.Scheduler(parameters=weights, enable_fuzzing=False)
    worst, compared = 0.0, 0
    template = oracle.Card(card_id=1)
    for history in runs:
        now = datetime(2026, 1, 1, 12, tzinfo=UTC)
        card, memory = template, None
        for gap, rating in history:
            # Ten minutes keep a same-day answer on the same day for both ways of counting.
            now += timedelta(days=gap) if gap else timedelta(minutes=10)
            card, _ = scheduler.review_card(card, oracle.Rating(int(rating)), now)
            outcome = fsrs.outcomes(memory, gap, desired_retention=0.9, weights=weights)[rating - 1]
            memory = outcome.memory
            assert card.stability is not None
            assert card.difficulty is not None
            worst = max(
                worst,
                abs(memory.stability - card.stability) / card.stability,
                abs(memory.difficulty - card.difficulty) / card.difficulty,
            )
            compared += 1
    return worst, compared


@pytest.mark.parametrize(
    ("weights", "count"), [(fsrs.DEFAULT_WEIGHTS, 10_000), (OTHER_WEIGHTS, 1_000)]
)
def test_memory_equals_py_fsrs(weights: tuple[float, ...], count: int) -> None:
    worst, compared = largest_difference(histories(count, seed=count), weights)

    print(f"{count} histories, {compared} answers: largest relative difference {worst:.2e}")
    assert compared > 10 * count
    assert worst <= BOUND
    assert worst <= SHARP


def test_the_defaults_are_the_published_ones() -> None:
    assert list(fsrs.DEFAULT_WEIGHTS) == list(PY_FSRS_DEFAULTS)
    assert list(fsrs_rs_python.DEFAULT_PARAMETERS) == pytest.approx(
        list(fsrs.DEFAULT_WEIGHTS), rel=1e-6
    )
    assert fsrs.outcomes(None, 0, desired_retention=0.9) == fsrs.outcomes(
        None, 0, desired_retention=0.9, weights=fsrs.DEFAULT_WEIGHTS
    )


@pytest.mark.parametrize("weights", [fsrs.DEFAULT_WEIGHTS, OTHER_WEIGHTS])
@pytest.mark.parametrize("retention", [0.7, 0.8, 0.9, 0.97])
def test_recall_falls_to_the_desired_retention_at_the_interval(
    weights: tuple[float, ...], retention: float
) -> None:
    for outcome in fsrs.outcomes(
        fsrs.Memory(10.0, 5.0), 12, desired_retention=retention, weights=weights
    ):
        recall = fsrs.retrievability(outcome.memory.stability, outcome.days, weights)
        assert recall == pytest.approx(retention, abs=1e-5)


def test_retrievability_equals_py_fsrs() -> None:
    scheduler = oracle.Scheduler()
    begin = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for stability in (0.01, 1.0, 33.3, 4_000.0):
        card = oracle.Card(card_id=1, stability=stability, difficulty=5.0, last_review=begin)
        for days in (0, 1, 7, 365):
            ours = fsrs.retrievability(stability, days)
            theirs = scheduler.get_card_retrievability(card, begin + timedelta(days=days))
            assert ours == pytest.approx(theirs, rel=1e-12)
    assert fsrs.retrievability(5.0, -3) == 1.0


def test_stability_stays_within_its_bounds() -> None:
    top = fsrs.outcomes(fsrs.Memory(36_000.0, 1.0), 20_000, desired_retention=0.9)
    low = fsrs.outcomes(fsrs.Memory(0.001, 10.0), 0, desired_retention=0.9)

    assert top.easy.memory.stability == fsrs.STABILITY_MAX
    assert low.again.memory.stability == pytest.approx(fsrs.STABILITY_MIN)


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match="negative"):
        fsrs.outcomes(None, -1, desired_retention=0.9)
    with pytest.raises(ValueError, match="Parameters"):
        fsrs.outcomes(None, 0, desired_retention=0.9, weights=(1.0, 2.0))
