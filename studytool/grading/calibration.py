"""What the user's own corrections teach: how much easier or harder a verdict is to earn.

The log holds each verdict that the user overrode. If "missed" is corrected to "covered" far more
often than the other way round, the grader is too strict for this user, and the log-odds of
"covered" are raised. With few corrections the shift is small; it never exceeds LIMIT.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from studytool.grading.decide import CLASSES, softmax
from studytool.grading.model import Verdict
from studytool.schedule.model import Override, Undo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studytool.schedule.model import LogEvent

#: Corrections that would have to be seen both ways before one counts for much.
PRIOR = 6.0
#: The largest shift of a log-odds.
LIMIT = 1.5
#: Below this probability a verdict is "unsure".
SURE = 0.66


class Calibration(msgspec.Struct, frozen=True):
    """Shifts of the log-odds of each verdict, in the order of decide.CLASSES."""

    shifts: tuple[float, float, float] = (0.0, 0.0, 0.0)
    sure: float = SURE

    def apply(self, probabilities: tuple[float, float, float]) -> tuple[float, float, float]:
        """The probabilities with this user's shifts."""
        if not any(self.shifts):
            return probabilities
        logits = [
            math.log(max(one, 1e-9)) + shift
            for one, shift in zip(probabilities, self.shifts, strict=True)
        ]
        missed, covered, contradicted = softmax(logits)
        return missed, covered, contradicted


def overrides(events: Iterable[LogEvent]) -> list[Override]:
    """The corrections of a log that were not undone; the last one of a point in a row counts."""
    found: dict[str, Override] = {}
    gone: set[str] = set()
    for event in events:
        if isinstance(event.body, Override):
            found[event.uuid] = event.body
        elif isinstance(event.body, Undo):
            gone.add(event.body.target)
    return [body for uuid, body in found.items() if uuid not in gone]


def calibrate(corrections: Iterable[Override]) -> Calibration:
    """The shifts that the corrections speak for."""
    gained = dict.fromkeys(CLASSES, 0.0)
    lost = dict.fromkeys(CLASSES, 0.0)
    for one in corrections:
        if one.graded == one.chosen:
            continue
        # "Unsure" was no verdict: choosing one says half as much as changing one.
        weight = 0.5 if one.graded == Verdict.UNSURE else 1.0
        if one.chosen in gained:
            gained[one.chosen] += weight
        if one.graded in lost:
            lost[one.graded] += weight
    shifts = [
        max(-LIMIT, min(LIMIT, math.log((gained[name] + PRIOR) / (lost[name] + PRIOR))))
        for name in CLASSES
    ]
    return Calibration((shifts[0], shifts[1], shifts[2]))
