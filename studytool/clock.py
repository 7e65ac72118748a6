"""Time, handed in: nothing else in studytool asks the system what time it is.

A *study day* is a local calendar day that begins at the rollover hour (04:00 unless set
otherwise), so that a session past midnight still belongs to the evening before.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Protocol


class Clock(Protocol):
    """What the rest of the program may ask about time."""

    def now(self) -> datetime:
        """The moment, timezone-aware, in UTC."""
        ...

    def zone(self) -> tzinfo:
        """The user's time zone at this moment."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards, for durations."""
        ...


class _LocalZone(tzinfo):
    """The system's zone with its daylight-saving rules, without a zone name."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        if dt is None:
            return None
        return dt.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, dt: datetime | None) -> timedelta | None:
        return None

    def tzname(self, dt: datetime | None) -> str | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, dt: datetime) -> datetime:
        local = dt.replace(tzinfo=UTC).astimezone()
        return local.replace(tzinfo=self)


class SystemClock:
    """The real clock; `zone` overrides the system's."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone or _LocalZone()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def zone(self) -> tzinfo:
        return self._zone

    def monotonic(self) -> float:
        return time.monotonic()


class FixedClock:
    """A clock that stands still until it is told to move; for tests and for replays."""

    def __init__(self, at: datetime, zone: tzinfo = UTC) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock needs a timezone-aware moment")
        self._at = at.astimezone(UTC)
        self._zone = zone
        self._ticks = 0.0

    def now(self) -> datetime:
        return self._at

    def zone(self) -> tzinfo:
        return self._zone

    def monotonic(self) -> float:
        return self._ticks

    def advance(self, by: timedelta) -> None:
        """Move on; a negative step is a clock set back, which monotonic() ignores."""
        self._at += by
        self._ticks += max(0.0, by.total_seconds())

    def move_to(self, zone: tzinfo) -> None:
        """Travel: the same moment in another time zone."""
        self._zone = zone


def study_day(now: datetime, rollover_hour: int, zone: tzinfo) -> date:
    """The study day of a moment.

    The wall clock decides, not elapsed hours, so a night with a daylight-saving change
    still holds exactly one rollover. `now` must be timezone-aware.
    """
    if now.tzinfo is None:
        raise ValueError("a study day needs a timezone-aware moment")
    local = now.astimezone(zone)
    return local.date() if local.hour >= rollover_hour else local.date() - timedelta(days=1)
