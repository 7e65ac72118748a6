"""From the live events of one card to its row and to its share of the daily numbers.

*Live* means not undone. The daily numbers are sums over cards, so whatever changes one card's
history (an undo, an event that arrives late) changes them by the difference of two folds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from studytool.schedule import projection
from studytool.schedule.model import CardState, Phase, Rating, Review
from studytool.store.figures import DayNumbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from studytool.schedule.model import LogEvent, Policy

FRESH = CardState()


class Folded(NamedTuple):
    """What the log says of one card: None where no live event touches it.

    `head_at` is the time of its newest live event; an event before it can't simply be applied
    on top of `state`. `unlike_before` counts the answers that name another state before them
    than the fold shows, as after a merge of two logs.
    """

    state: CardState | None
    head_at: int
    days: dict[int, DayNumbers]
    unlike_before: int


def fold(events: Iterable[LogEvent], policies: Mapping[str, Policy]) -> Folded:
    """Fold one card's live events, handed in the order of the log."""
    state: CardState | None = None
    head_at = 0
    days: dict[int, DayNumbers] = {}
    unlike_before = 0
    for event in events:
        if projection.touched_card(event) is None:
            continue
        before = state or FRESH
        state = projection.apply(before, event, policies)
        head_at = event.at_ms
        numbers = numbers_of(event, before)
        if numbers is not None:
            days[event.day] = add(days.get(event.day), numbers)
        if isinstance(event.body, Review) and event.body.before != before:
            unlike_before += 1
    return Folded(state, head_at, days, unlike_before)


def numbers_of(event: LogEvent, before: CardState) -> DayNumbers | None:
    """What one event adds to its study day; None for all but answers."""
    body = event.body
    if not isinstance(body, Review):
        return None
    in_review = before.phase is Phase.REVIEW
    again = body.rating == Rating.AGAIN
    return DayNumbers(
        event.day,
        1,
        int(again),
        int(before.phase is Phase.NEW),
        int(in_review),
        int(in_review and not again),
        body.duration_ms,
    )


def add(total: DayNumbers | None, part: DayNumbers, sign: int = 1) -> DayNumbers:
    """`total` plus (or with sign -1, minus) `part`; both of one day."""
    if total is None:
        total = DayNumbers(part.day)
    return DayNumbers(part.day, *(a + sign * b for a, b in zip(total[1:], part[1:], strict=True)))


def difference(new: Mapping[int, DayNumbers], old: Mapping[int, DayNumbers]) -> list[DayNumbers]:
    """For each day, what `new` has more than `old`; days without a difference are left out."""
    result = []
    for day in sorted(new.keys() | old.keys()):
        change = add(new.get(day), old.get(day, DayNumbers(day)), -1)
        if any(change[1:]):
            result.append(change)
    return result
