"""Moments and the end of a study day, from a wall clock that is handed in.

A study day begins at the rollover hour of the local wall clock (`studytool.clock.study_day`),
so it has 23 or 25 hours when daylight saving changes, and any length for somebody who flies.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from studytool.schedule.model import Moment, Rollover

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """UTC milliseconds since 1970 of an aware moment, rounded down."""
    return (at - _EPOCH) // _MS


def from_ms(at_ms: int) -> datetime:
    """The aware UTC moment of `to_ms`."""
    return _EPOCH + at_ms * _MS


def moment(now: datetime, day: date) -> Moment:
    """A moment of the schedule: the instant `now` within the study day `day`."""
    return Moment(to_ms(now), day.toordinal())


def rollover(day: date, rollover_hour: int, zone: tzinfo) -> Rollover:
    """When the study day `day` ends: at the rollover hour of the next calendar day in `zone`.

    Where the clock jumps over that hour, the day ends with the jump.
    """
    ends = datetime.combine(day + timedelta(days=1), time(rollover_hour), tzinfo=zone)
    return Rollover(to_ms(ends.astimezone(UTC)))
