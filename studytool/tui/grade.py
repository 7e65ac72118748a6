"""What the screen can tell of an answer by itself: ticked points, chosen options, a typed number.

Only a suggestion comes of it; the user rates.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from studytool.schedule.model import Rating

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from studytool.deck.model import KeyPoint, Option, Result

#: Shares of the key points' weight from which an answer counts as good, and as hard.
GOOD_FROM = 0.75
HARD_FROM = 0.4


def by_points(points: Sequence[KeyPoint], ticked: Collection[int]) -> Rating | None:
    """A rating from the weight of the ticked points; none while nothing is ticked."""
    if not points or not ticked:
        return None
    share = sum(points[at].weight for at in ticked) / sum(point.weight for point in points)
    if share >= GOOD_FROM:
        return Rating.GOOD
    return Rating.HARD if share >= HARD_FROM else Rating.AGAIN


def share(points: Sequence[KeyPoint], ticked: Collection[int]) -> str:
    """How much was ticked, in a few words; empty while nothing is."""
    if not ticked:
        return ""
    said, total = sum(points[at].weight for at in ticked), sum(point.weight for point in points)
    return f"{said} of {total} by weight"


def by_options(options: Sequence[Option], chosen: Collection[int]) -> Rating | None:
    """Good when exactly the right options were chosen, again otherwise; none without a choice."""
    if not chosen:
        return None
    right = {at for at, option in enumerate(options) if option.correct}
    return Rating.GOOD if set(chosen) == right else Rating.AGAIN


def read_number(text: str) -> float | None:
    """The number that was typed: `5.5`, `5,5`, `1e-3`, `10 000`; None when it is none."""
    word = text.strip().replace(" ", "").replace("_", "")
    if word.count(",") == 1 and "." not in word:
        word = word.replace(",", ".")
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def is_right(value: float, result: Result) -> bool:
    """Whether a number is within the tolerance, with room for the rounding of decimals."""
    return abs(value - result.value) <= result.tolerance * (1 + 1e-9) + 1e-12


def by_number(text: str, result: Result) -> Rating | None:
    """Good when the typed number is right, again when not; none when nothing was typed."""
    value = read_number(text)
    if value is None:
        return None
    return Rating.GOOD if is_right(value, result) else Rating.AGAIN
