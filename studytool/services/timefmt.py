"""Dates and intervals as people read them, short enough for a button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.schedule.model import Phase

if TYPE_CHECKING:
    from datetime import date

    from studytool.schedule.model import CardState, Moment

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_MONTH, _YEAR = 365 / 12, 365.0


def interval(state: CardState, moment: Moment) -> str:
    """How far `state` is from `moment`: "<10m", "4h", "2d", "3.1mo", "1.4y".

    "<" says that a step is shown as soon as its time has come, not after it.
    """
    if state.phase is Phase.NEW:
        return "new"
    if state.due_day is not None:
        return days(state.due_day - moment.day)
    return seconds(((state.due_at or moment.at_ms) - moment.at_ms) / 1000)


def seconds(count: float) -> str:
    """A step of less than a day."""
    if count < _HOUR:
        return f"<{max(1, round(count / _MINUTE))}m"
    return f"{count / _HOUR:.1f}".removesuffix(".0") + "h"


def days(count: int) -> str:
    """Whole study days; months from 30 days on, years from 365 days on."""
    if count < 30:
        return f"{count}d"
    if count < _YEAR:
        return f"{count / _MONTH:.1f}".removesuffix(".0") + "mo"
    return f"{count / _YEAR:.1f}".removesuffix(".0") + "y"


def duration(count: float) -> str:
    """A stretch of work: "40 s", "18 min", "2 h 5 min"."""
    if count < _MINUTE:
        return f"{round(count)} s"
    minutes = round(count / _MINUTE)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def relative_day(day: date, today: date) -> str:
    """ "today", "tomorrow", "in 5 days", "3 days ago"."""
    ahead = (day - today).days
    if ahead == 0:
        return "today"
    if abs(ahead) == 1:
        return "tomorrow" if ahead > 0 else "yesterday"
    return f"in {ahead} days" if ahead > 0 else f"{-ahead} days ago"
