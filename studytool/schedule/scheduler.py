"""From an answer to the next due date: learning steps, FSRS intervals, fuzz, leeches.

A new card walks the learning steps, then graduates to review, where FSRS decides. Again on a
review card is a lapse and sends it through the relearning steps. Pure: the moment, the policy
and the seed come in, a new state goes out. For any state and any policy

- the four due dates are in order: again <= hard <= good <= easy, also after fuzz, since all
  four buttons share one random number drawn from the seed;
- nothing is due before the moment of the answer;
- elapsed days are never negative, whatever clock or time zone did.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple

import msgspec

from studytool.schedule import fsrs
from studytool.schedule.model import CardState, Moment, Phase, Policy, Rating, Rollover

DAY_MS = 86_400_000

#: The buttons in their order; iterating over the enum itself is slower than what is done for each.
_RATINGS = tuple(Rating)

#: How far fuzz may move an interval: one day, plus a share of each stretch of the interval.
_FUZZ_BANDS = ((2.5, 7.0, 0.15), (7.0, 20.0, 0.10), (20.0, float("inf"), 0.05))


class _Due(NamedTuple):
    """Where one button leads: a phase, and either seconds from now or whole days."""

    phase: Phase
    step: int
    seconds: int
    days: int


def elapsed_days(state: CardState, moment: Moment) -> int:
    """Study days since the last answer; 0 on the same day or when the clock went back."""
    return 0 if state.last_day is None else max(0, moment.day - state.last_day)


def preview(
    state: CardState, moment: Moment, policy: Policy, seed: str, rollover: Rollover
) -> tuple[CardState, CardState, CardState, CardState]:
    """The four states that again, hard, good and easy lead to; exactly what `answer` gives."""
    outcomes, dues = _ways(state, moment, policy, seed, rollover)
    again, hard, good, easy = (
        _state(state, rating, moment, policy, outcome.memory, due, rollover)
        for rating, outcome, due in zip(_RATINGS, outcomes, dues, strict=True)
    )
    return again, hard, good, easy


def answer(
    state: CardState, rating: Rating, moment: Moment, policy: Policy, seed: str, rollover: Rollover
) -> CardState:
    """The state after `rating`. `seed` is the UUID of the review, so a replay gives the same."""
    outcomes, dues = _ways(state, moment, policy, seed, rollover)
    memory, due = outcomes[rating - 1].memory, dues[rating - 1]
    return _state(state, rating, moment, policy, memory, due, rollover)


def _ways(
    state: CardState, moment: Moment, policy: Policy, seed: str, rollover: Rollover
) -> tuple[fsrs.Outcomes, list[_Due]]:
    """What the four buttons make of the memory, and where they lead."""
    memory = None
    if state.stability is not None and state.difficulty is not None:
        memory = fsrs.Memory(state.stability, state.difficulty)
    outcomes = fsrs.outcomes(
        memory,
        elapsed_days(state, moment),
        desired_retention=policy.desired_retention,
        weights=policy.weights,
    )
    return outcomes, _dues(state, moment, policy, outcomes, seed, rollover)


def is_leech(lapses: int, policy: Policy) -> bool:
    """Whether this number of lapses makes the card a leech, at first or once more.

    Once at `leech_lapses`, then after every further half of that; 0 switches leeches off.
    """
    limit = policy.leech_lapses
    if limit <= 0 or lapses < limit:
        return False
    return (lapses - limit) % max(1, (limit + 1) // 2) == 0


def became_leech(before: CardState, after: CardState, policy: Policy) -> bool:
    """Whether the answer between the two states was the lapse that should suspend the card."""
    return after.lapses > before.lapses and is_leech(after.lapses, policy)


def _dues(
    state: CardState,
    moment: Moment,
    policy: Policy,
    outcomes: fsrs.Outcomes,
    seed: str,
    rollover: Rollover,
) -> list[_Due]:
    """Where the four buttons lead, each at least as far as the one before it."""
    draw = _draw(seed) if policy.fuzz else None
    steps, phase = policy.learning_steps, Phase.LEARNING
    if state.phase in (Phase.REVIEW, Phase.RELEARNING):
        steps, phase = policy.relearning_steps, Phase.RELEARNING
    dues: list[_Due] = []
    for rating, outcome in zip(_RATINGS, outcomes, strict=True):
        move = _step(state, rating, steps)
        if move is None:
            days = _whole_days(outcome.days, policy, draw)
            due = _Due(Phase.REVIEW, 0, 0, days)
        else:
            step, seconds = move
            due = _Due(phase, step, seconds, _days_ahead(seconds, moment, rollover))
        dues.append(_at_least(due, dues[-1]) if dues else due)
    return dues


def _step(state: CardState, rating: Rating, steps: tuple[int, ...]) -> tuple[int, int] | None:
    """The index and the seconds of the next step, or None where the card goes to review."""
    if not steps:
        return None
    if state.phase is Phase.REVIEW:
        return (0, steps[0]) if rating is Rating.AGAIN else None
    here = state.step
    if rating is Rating.AGAIN:
        return 0, steps[0]
    if rating is Rating.EASY or here >= len(steps):
        return None
    if rating is Rating.HARD:
        return here, _hard_seconds(here, steps)
    return (here + 1, steps[here + 1]) if here + 1 < len(steps) else None


def _hard_seconds(here: int, steps: tuple[int, ...]) -> int:
    """Hard repeats the step; on the first one it waits between again and good."""
    if here > 0:
        return steps[here]
    if len(steps) > 1:
        return (steps[0] + steps[1]) // 2
    return steps[0] + min(steps[0] // 2, DAY_MS // 1000)


def _days_ahead(seconds: int, moment: Moment, rollover: Rollover) -> int:
    """In how many study days a step of `seconds` ends; 0 for later today."""
    if rollover.ends_at is None:
        return seconds * 1000 // DAY_MS
    over = moment.at_ms + seconds * 1000 - rollover.ends_at
    return 0 if over < 0 else 1 + over // DAY_MS


def _at_least(due: _Due, other: _Due) -> _Due:
    """`due`, moved later where it would come before `other`."""
    if due.days >= other.days and due.seconds >= other.seconds:
        return due
    return due._replace(days=max(due.days, other.days), seconds=max(due.seconds, other.seconds))


def _whole_days(days: float, policy: Policy, draw: float | None) -> int:
    """An FSRS interval as whole days in 1..maximum_interval, fuzzed unless `draw` is None."""
    top = max(1, policy.maximum_interval)
    whole = round(min(max(1.0, days), top))
    return whole if draw is None else _fuzzed(whole, top, draw)


def _fuzzed(days: int, top: int, draw: float) -> int:
    """An interval drawn evenly from the days around `days`, at most `top`.

    For one `draw` the result never falls when `days` grows, which keeps the buttons in order.
    """
    if days < 2.5:
        return days
    low, high = _fuzz_range(days, top)
    return low + int(draw * (high - low + 1))


@lru_cache(maxsize=4096)
def _fuzz_range(days: int, top: int) -> tuple[int, int]:
    """The days that fuzz may make of `days`, from the first to the last."""
    reach = 1.0
    for start, end, share in _FUZZ_BANDS:
        if days <= start:
            break
        reach += share * (min(days, end) - start)
    high = min(top, round(days + reach))
    return min(max(2, round(days - reach)), high), high


@lru_cache(maxsize=16)
def _draw(seed: str) -> float:
    """A number in [0, 1) that depends on the seed alone."""
    digest = hashlib.blake2b(seed.encode(), digest_size=8, person=b"studytool-fuzz").digest()
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


def _state(
    state: CardState,
    rating: Rating,
    moment: Moment,
    policy: Policy,
    memory: fsrs.Memory,
    due: _Due,
    rollover: Rollover,
) -> CardState:
    lapses = state.lapses + (rating is Rating.AGAIN and state.phase is Phase.REVIEW)
    due_day = moment.day + due.days if due.days else None
    return msgspec.structs.replace(
        state,
        phase=due.phase,
        step=due.step,
        stability=memory.stability,
        difficulty=memory.difficulty,
        due_at=None if due.phase is Phase.REVIEW else _due_at(due, moment, rollover),
        due_day=due_day,
        last_at=moment.at_ms,
        last_day=moment.day,
        interval=due.days,
        reps=state.reps + 1,
        lapses=lapses,
        leech=state.leech or (lapses > state.lapses and is_leech(lapses, policy)),
    )


def _due_at(due: _Due, moment: Moment, rollover: Rollover) -> int:
    """The millisecond a learning card is due; the start of its study day when it crosses one."""
    if due.days and rollover.ends_at is not None:
        return max(moment.at_ms, rollover.ends_at + (due.days - 1) * DAY_MS)
    return moment.at_ms + due.seconds * 1000
