"""Steps, graduation, lapses, fuzz and leeches; and what holds for any card and any policy."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool import schedule
from studytool.schedule import fsrs
from studytool.schedule.model import CardState, Moment, Phase, Policy, Rating, Rollover
from studytool.schedule.scheduler import (
    DAY_MS,
    answer,
    became_leech,
    is_leech,
    preview,
)

AGAIN, HARD, GOOD, EASY = Rating
TODAY = 739_943
NOW = Moment(TODAY * DAY_MS, TODAY)
MINUTE = 60_000
TONIGHT = Rollover(NOW.at_ms + 18 * 60 * MINUTE)
PLAIN = Policy(fuzz=False)
NEW = CardState()


def step(
    state: CardState, rating: Rating, policy: Policy = PLAIN, moment: Moment = NOW
) -> CardState:
    return answer(state, rating, moment, policy, "seed", TONIGHT)


def in_review(stability: float = 10.0, *, ago: int = 10, lapses: int = 0) -> CardState:
    return CardState(
        phase=Phase.REVIEW,
        stability=stability,
        difficulty=5.0,
        due_day=TODAY,
        last_at=NOW.at_ms - ago * DAY_MS,
        last_day=TODAY - ago,
        interval=ago,
        reps=3,
        lapses=lapses,
    )


def minutes(state: CardState) -> float:
    assert state.due_at is not None
    return (state.due_at - NOW.at_ms) / MINUTE


# Steps -----------------------------------------------------------------------------------------


def test_a_new_card_walks_the_steps_and_graduates() -> None:
    first = step(NEW, GOOD)
    assert (first.phase, first.step, minutes(first)) == (Phase.LEARNING, 1, 10)
    assert first.due_day is None

    second = step(first, GOOD)
    assert second.phase is Phase.REVIEW
    assert second.due_at is None
    assert second.due_day == TODAY + second.interval
    assert second.interval >= 1
    assert second.reps == 2


@pytest.mark.parametrize(
    ("steps", "waits"),
    [((60, 600), (1, 5.5, 10)), ((60, 120, 180), (1, 1.5, 2))],
)
def test_the_first_step(steps: tuple[int, ...], waits: tuple[float, ...]) -> None:
    policy = Policy(fuzz=False, learning_steps=steps)

    again, hard, good, easy = preview(NEW, NOW, policy, "seed", TONIGHT)

    assert tuple(map(minutes, (again, hard, good))) == waits
    assert (again.step, hard.step, good.step) == (0, 0, 1)
    assert easy.phase is Phase.REVIEW


def test_a_single_step() -> None:
    again, hard, good, easy = preview(
        NEW, NOW, Policy(fuzz=False, learning_steps=(600,)), "seed", TONIGHT
    )

    assert (minutes(again), minutes(hard)) == (10, 15)
    assert good.phase is easy.phase is Phase.REVIEW


def test_without_steps_every_button_leads_to_review() -> None:
    policy = Policy(fuzz=False, learning_steps=(), relearning_steps=())

    for state in (NEW, in_review()):
        after = preview(state, NOW, policy, "seed", TONIGHT)
        assert {one.phase for one in after} == {Phase.REVIEW}
        assert all(one.interval >= 1 for one in after)
    assert step(in_review(), AGAIN, policy).lapses == 1


def test_hard_repeats_a_later_step_and_again_starts_over() -> None:
    second = step(NEW, GOOD)

    assert (step(second, HARD).step, minutes(step(second, HARD))) == (1, 10)
    assert (step(second, AGAIN).step, minutes(step(second, AGAIN))) == (0, 1)


def test_a_step_that_the_policy_has_no_longer_graduates() -> None:
    state = msgspec.structs.replace(step(NEW, GOOD), step=4)

    assert step(state, HARD).phase is Phase.REVIEW
    assert step(state, AGAIN).phase is Phase.LEARNING


def test_a_lapse_goes_through_relearning() -> None:
    lapsed = step(in_review(), AGAIN)
    assert (lapsed.phase, lapsed.step, lapsed.lapses) == (Phase.RELEARNING, 0, 1)
    assert minutes(lapsed) == 10
    assert lapsed.stability is not None
    assert lapsed.stability < 10.0

    again = step(lapsed, AGAIN)
    assert (again.phase, again.lapses) == (Phase.RELEARNING, 1)

    back = step(lapsed, GOOD)
    assert back.phase is Phase.REVIEW
    assert back.lapses == 1


def test_a_step_that_crosses_the_end_of_the_study_day_waits_for_the_next_one() -> None:
    ends = NOW.at_ms + 5 * MINUTE

    crossing = answer(NEW, GOOD, NOW, PLAIN, "seed", Rollover(ends))
    within = answer(NEW, AGAIN, NOW, PLAIN, "seed", Rollover(ends))

    assert (crossing.due_at, crossing.due_day, crossing.interval) == (ends, TODAY + 1, 1)
    assert (within.due_at, within.due_day, within.interval) == (NOW.at_ms + MINUTE, None, 0)


def test_steps_of_days_count_study_days() -> None:
    policy = Policy(fuzz=False, learning_steps=(60, 3 * 86_400))

    state = step(NEW, GOOD, policy)

    assert (state.phase, state.due_day) == (Phase.LEARNING, TODAY + 3)
    assert state.due_at == (TONIGHT.ends_at or 0) + 2 * DAY_MS


def test_without_a_known_end_of_day_a_step_is_just_time() -> None:
    state = answer(NEW, GOOD, NOW, PLAIN, "seed", Rollover())

    assert (minutes(state), state.due_day) == (10, None)


# Intervals -------------------------------------------------------------------------------------


def test_intervals_are_those_of_fsrs_in_whole_days() -> None:
    expected = fsrs.outcomes(fsrs.Memory(10.0, 5.0), 10, desired_retention=0.8)

    for rating in (HARD, GOOD, EASY):
        state = step(in_review(), rating, Policy(fuzz=False, desired_retention=0.8))
        assert state.interval == round(expected[rating - 1].days)
        assert state.stability == expected[rating - 1].memory.stability
        assert state.due_day == TODAY + state.interval


def test_wanting_less_retention_means_longer_intervals() -> None:
    intervals = [
        step(in_review(), GOOD, Policy(fuzz=False, desired_retention=retention)).interval
        for retention in (0.97, 0.9, 0.8, 0.7)
    ]
    assert intervals == sorted(set(intervals))


def test_the_maximum_interval_holds_with_fuzz_too() -> None:
    policy = Policy(maximum_interval=30)

    for seed in map(str, range(200)):
        after = preview(in_review(500.0, ago=400), NOW, policy, seed, TONIGHT)
        assert max(state.interval for state in after) <= 30


def test_an_early_answer_counts_the_days_that_have_passed() -> None:
    early, on_time = (step(in_review(ago=ago), GOOD) for ago in (2, 10))

    assert early.stability is not None
    assert on_time.stability is not None
    assert early.stability < on_time.stability


# Fuzz ------------------------------------------------------------------------------------------


def test_fuzz_spreads_evenly_around_the_interval() -> None:
    plain = step(in_review(30.0, ago=30), GOOD).interval
    counts = Counter(
        answer(in_review(30.0, ago=30), GOOD, NOW, Policy(), f"uuid-{n}", TONIGHT).interval
        for n in range(4_000)
    )
    low, high = min(counts), max(counts)

    assert low < plain < high
    assert abs((low + high) / 2 - plain) <= 0.5
    assert set(counts) == set(range(low, high + 1))
    assert min(counts.values()) > 0.7 * 4_000 / len(counts)


def test_fuzz_comes_from_the_seed_alone() -> None:
    random.seed(1)
    first = [answer(in_review(), GOOD, NOW, Policy(), seed, TONIGHT) for seed in "abcdef"]
    random.seed(2)
    second = [answer(in_review(), GOOD, NOW, Policy(), seed, TONIGHT) for seed in "abcdef"]

    assert first == second
    assert len({state.interval for state in first}) > 1


def test_short_intervals_have_no_fuzz() -> None:
    for seed in map(str, range(50)):
        assert answer(in_review(1.0, ago=0), GOOD, NOW, Policy(), seed, TONIGHT).interval <= 2


def test_the_schedule_has_no_clock_and_no_dice_of_its_own() -> None:
    for path in Path(schedule.__path__[0]).glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|from) (random|time|numpy|os|sqlite3)\b", text, re.M), (
            path
        )
        assert not re.search(r"\.(now|today|utcnow)\(", text), path


# Leeches ---------------------------------------------------------------------------------------


def test_a_leech_at_eight_lapses_then_after_every_four() -> None:
    assert [n for n in range(30) if is_leech(n, Policy())] == [8, 12, 16, 20, 24, 28]
    assert not any(is_leech(n, Policy(leech_lapses=0)) for n in range(30))
    assert [n for n in range(4) if is_leech(n, Policy(leech_lapses=1))] == [1, 2, 3]


def test_the_lapse_that_makes_a_leech_marks_the_card() -> None:
    before = in_review(lapses=7)
    after = step(before, AGAIN)
    later = step(after, AGAIN)

    assert after.leech
    assert became_leech(before, after, PLAIN)
    assert later.leech
    assert not became_leech(after, later, PLAIN)
    assert not step(in_review(lapses=6), AGAIN).leech
    assert not step(before, GOOD).leech


# Properties ------------------------------------------------------------------------------------

seconds = st.integers(1, 5 * 86_400)
policies = st.builds(
    Policy,
    desired_retention=st.floats(0.7, 0.99),
    learning_steps=st.lists(seconds, max_size=3).map(tuple),
    relearning_steps=st.lists(seconds, max_size=3).map(tuple),
    maximum_interval=st.integers(1, 36_500),
    fuzz=st.booleans(),
    leech_lapses=st.integers(0, 10),
)
seeds = st.uuids().map(str)
rollovers = st.builds(
    Rollover, st.none() | st.integers(-MINUTE, 25 * 60 * MINUTE).map(lambda x: NOW.at_ms + x)
)
states = st.just(NEW) | st.builds(
    CardState,
    phase=st.sampled_from([Phase.LEARNING, Phase.REVIEW, Phase.RELEARNING]),
    step=st.integers(0, 4),
    stability=st.floats(0.001, 36_500),
    difficulty=st.floats(1, 10),
    last_day=st.integers(TODAY - 5_000, TODAY + 2),
    lapses=st.integers(0, 20),
)


def order(state: CardState) -> tuple[int, int]:
    """When a state is due: the study day, then the millisecond within it."""
    if state.due_day is not None:
        return state.due_day, 0
    assert state.due_at is not None
    return TODAY, state.due_at


@given(states, policies, seeds, rollovers)
def test_the_buttons_are_in_order_and_nothing_is_due_in_the_past(
    state: CardState, policy: Policy, seed: str, rollover: Rollover
) -> None:
    after = preview(state, NOW, policy, seed, rollover)

    assert [order(one) for one in after] == sorted(order(one) for one in after)
    for one in after:
        assert one.due_at is None or one.due_at >= NOW.at_ms
        assert one.due_day is None or one.due_day > TODAY
        assert (one.due_at is None) == (one.phase is Phase.REVIEW)
        if one.phase is Phase.REVIEW:
            assert one.interval >= 1
            assert one.due_day == TODAY + one.interval
        assert one.stability is not None
        assert fsrs.STABILITY_MIN * 0.999 <= one.stability <= fsrs.STABILITY_MAX


@given(states, policies, seeds, rollovers)
def test_the_preview_is_what_the_answer_gives(
    state: CardState, policy: Policy, seed: str, rollover: Rollover
) -> None:
    four = preview(state, NOW, policy, seed, rollover)

    for rating, shown in zip(Rating, four, strict=True):
        assert answer(state, rating, NOW, policy, seed, rollover) == shown


@given(states, seeds)
def test_a_better_rating_never_gives_less_stability(state: CardState, seed: str) -> None:
    stabilities = [one.stability or 0.0 for one in preview(state, NOW, PLAIN, seed, TONIGHT)]

    assert stabilities == sorted(stabilities)


@given(st.floats(0.5, 5_000), st.floats(1, 10), st.integers(1, 2_000), st.integers(1, 2_000))
def test_a_later_success_never_gives_less_stability(
    stability: float, difficulty: float, first: int, second: int
) -> None:
    memory = fsrs.Memory(stability, difficulty)
    early, late = (
        fsrs.outcomes(memory, days, desired_retention=0.9).good.memory.stability
        for days in sorted((first, second))
    )
    assert early <= late * (1 + 1e-6)
    assert early >= stability * (1 - 1e-6)


@given(st.lists(st.tuples(st.sampled_from(Rating), st.integers(0, 90)), max_size=25), policies)
def test_any_history_keeps_a_card_whole(history: list[tuple[Rating, int]], policy: Policy) -> None:
    state, moment = NEW, NOW
    for number, (rating, gap) in enumerate(history, start=1):
        moment = Moment(moment.at_ms + gap * DAY_MS + MINUTE, moment.day + gap)
        before, state = state, answer(state, rating, moment, policy, str(number), Rollover())
        assert state.reps == number
        assert state.lapses - before.lapses in (0, 1)
        assert state.last_day == moment.day
        assert state.leech or policy.leech_lapses == 0 or state.lapses < policy.leech_lapses
