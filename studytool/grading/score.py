"""The score of an answer and the rating that it suggests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.grading.model import Verdict
from studytool.schedule.model import Rating

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.grading.model import Number, PointVerdict

#: What a contradicted point costs, as a share of its weight.
CONTRADICTION_COST = 0.5
#: Scores below which an answer is Again, Hard, Good.
AGAIN_BELOW, HARD_BELOW, GOOD_BELOW = 0.35, 0.6, 0.9
#: A larger share of unsure points leaves the rating to the user.
UNSURE_SHARE = 1 / 3
#: The share of a compute card's score that its number is worth.
NUMBER_SHARE = 0.5
#: The score of an answer whose points all rest on one short unit can't be higher.
ONE_UNIT_CAP = 0.5


def score(
    points: Sequence[PointVerdict],
    covered: Sequence[float],
    number: Number | None,
    *,
    capped: bool = False,
) -> float:
    """Weighted covered minus half of weighted contradicted, clipped to 0..1.

    `covered` has the probability that each point is covered: an unsure one counts by it. The
    number of a compute card is worth half of the whole.
    """
    total = sum(point.weight for point in points)
    value = 0.0
    for point, chance in zip(points, covered, strict=True):
        if point.verdict is Verdict.COVERED:
            value += point.weight / total
        elif point.verdict is Verdict.CONTRADICTED:
            value -= CONTRADICTION_COST * point.weight / total
        elif point.verdict is Verdict.UNSURE:
            value += chance * point.weight / total
    if number is not None:
        share = NUMBER_SHARE if points else 1.0
        value = (1 - share) * value + share * number.right
    if capped:
        value = min(value, ONE_UNIT_CAP)
    return min(1.0, max(0.0, value))


def rating(
    points: Sequence[PointVerdict], value: float, number: Number | None, *, voiced: bool
) -> Rating | None:
    """The rating to suggest; None when more than a third of the points are unsure."""
    unsure = sum(point.verdict is Verdict.UNSURE for point in points)
    if points and unsure > UNSURE_SHARE * len(points):
        return None
    if voiced or any(point.verdict is Verdict.CONTRADICTED for point in points):
        return Rating.AGAIN
    if number is not None and not number.right:
        return Rating.AGAIN
    if value < AGAIN_BELOW:
        return Rating.AGAIN
    if value < HARD_BELOW:
        return Rating.HARD
    return Rating.GOOD if value < GOOD_BELOW else Rating.EASY
