"""FSRS-6, the memory model: the only module that knows the library behind it.

A card's memory is two numbers: *stability*, the days after which recall is predicted to be
0.9, and *difficulty* between 1 and 10. Recall after `t` days (the forgetting curve of FSRS-6,
with w20 the last weight):

    R(t, S) = (1 + factor * t / S) ** -w20        factor = 0.9 ** (-1 / w20) - 1

The numbers come from `fsrs-rs` (compiled, about a microsecond for all four ratings). It works
in single precision and keeps stability between 0.001 and 36,500 days; py-fsrs, the oracle of
tests/unit/test_schedule_fsrs.py, works in double precision and has no upper bound. Between
the bounds the two agree to a few parts in 100,000 over histories of 24 answers.

An answer on the same study day (`elapsed_days` 0) is scored by the short-term formula, any
later one by the long-term formula.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import fsrs_rs_python

#: The published default weights of FSRS-6, written out so that a stored policy never changes
#: its meaning with a new version of the library.
DEFAULT_WEIGHTS: tuple[float, ...] = (
    0.212, 1.2931, 2.3065, 8.2956,  # first stability after again, hard, good, easy
    6.4133, 0.8334, 3.0194, 0.001,  # difficulty
    1.8722, 0.1666, 0.796,  # growth of stability after recall
    1.4835, 0.0614, 0.2629, 1.6483,  # stability after forgetting
    0.6014, 1.8729,  # hard penalty, easy bonus
    0.5425, 0.0912, 0.0658,  # same-day answers
    0.1542,  # decay of the forgetting curve
)  # fmt: skip

STABILITY_MIN = 0.001
STABILITY_MAX = 36_500.0


class Memory(NamedTuple):
    """Stability in days and difficulty in 1..10."""

    stability: float
    difficulty: float


class Outcome(NamedTuple):
    """What one rating leads to; `days` is where recall falls to the desired retention."""

    memory: Memory
    days: float


class Outcomes(NamedTuple):
    """The outcomes of the four ratings, in the order of the buttons."""

    again: Outcome
    hard: Outcome
    good: Outcome
    easy: Outcome


@lru_cache(maxsize=32)
def _model(weights: tuple[float, ...]) -> fsrs_rs_python.FSRS:
    return fsrs_rs_python.FSRS(list(weights or DEFAULT_WEIGHTS))


def outcomes(
    memory: Memory | None,
    elapsed_days: int,
    *,
    desired_retention: float,
    weights: tuple[float, ...] = (),
) -> Outcomes:
    """All four outcomes of an answer given `elapsed_days` after the last one.

    `memory` is None for a card never answered; no `weights` means the published defaults.
    Raises ValueError for a negative number of days or weights that FSRS-6 does not accept.
    """
    return _outcomes(memory, elapsed_days, desired_retention, weights)


@lru_cache(maxsize=64)
def _outcomes(
    memory: Memory | None, elapsed_days: int, desired_retention: float, weights: tuple[float, ...]
) -> Outcomes:
    """Kept for a while: what was previewed on a card is asked once more when it is answered."""
    if elapsed_days < 0:
        raise ValueError(f"elapsed days must not be negative, got {elapsed_days}")
    before = None if memory is None else fsrs_rs_python.MemoryState(*memory)
    states = _model(weights).next_states(before, desired_retention, elapsed_days)
    return Outcomes(*map(_outcome, (states.again, states.hard, states.good, states.easy)))


def _outcome(state: fsrs_rs_python.ItemState) -> Outcome:
    memory = state.memory
    return Outcome(Memory(memory.stability, memory.difficulty), state.interval)


def retrievability(stability: float, elapsed_days: float, weights: tuple[float, ...] = ()) -> float:
    """The predicted probability of recall, R(t, S) above; 1 at no elapsed days."""
    decay = -(weights or DEFAULT_WEIGHTS)[20]
    factor = 0.9 ** (1.0 / decay) - 1.0
    return float((1.0 + factor * max(0.0, elapsed_days) / stability) ** decay)
