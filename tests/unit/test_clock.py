"""Study days follow the wall clock with its rollover, through daylight saving and travel."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.clock import FixedClock, SystemClock, study_day

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def test_a_session_past_midnight_belongs_to_the_evening_before() -> None:
    late = datetime(2026, 11, 24, 2, 30, tzinfo=BERLIN)

    assert study_day(late, 4, BERLIN) == date(2026, 11, 23)


def test_the_rollover_hour_itself_begins_the_day() -> None:
    assert study_day(datetime(2026, 11, 24, 4, 0, tzinfo=BERLIN), 4, BERLIN) == date(2026, 11, 24)


@pytest.mark.parametrize("change", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_night_with_a_clock_change_holds_one_rollover(change: date) -> None:
    start = datetime(change.year, change.month, change.day, 0, 0, tzinfo=BERLIN).astimezone(UTC)
    days = [study_day(start + timedelta(minutes=m), 4, BERLIN) for m in range(0, 24 * 60, 10)]

    assert days == sorted(days)
    assert set(days) <= {change - timedelta(days=1), change, change + timedelta(days=1)}
    assert sum(a != b for a, b in itertools.pairwise(days)) == 1


def test_travel_changes_the_day_but_not_the_moment() -> None:
    moment = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

    assert study_day(moment, 4, BERLIN) == date(2026, 11, 24)
    assert study_day(moment, 4, NEW_YORK) == date(2026, 11, 23)


MOMENTS = st.integers(946_684_800, 2_840_140_800).map(lambda s: datetime.fromtimestamp(s, UTC))


@given(
    MOMENTS,
    st.integers(0, 23),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "UTC"]),
)
def test_the_study_day_is_within_a_day_of_the_local_date(
    moment: datetime, rollover: int, zone: str
) -> None:
    local = moment.astimezone(ZoneInfo(zone)).date()

    assert study_day(moment, rollover, ZoneInfo(zone)) in {local, local - timedelta(days=1)}


def test_naive_moments_are_refused() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        study_day(datetime(2026, 1, 1), 4, UTC)  # noqa: DTZ001 - the fault under test


def test_a_fixed_clock_moves_only_when_told_and_never_back_in_durations() -> None:
    clock = FixedClock(datetime(2026, 11, 23, 10, tzinfo=UTC))

    clock.advance(timedelta(minutes=-5))

    assert clock.now() == datetime(2026, 11, 23, 9, 55, tzinfo=UTC)
    assert clock.monotonic() == 0


def test_the_system_zone_agrees_with_the_system() -> None:
    clock = SystemClock()
    now = clock.now()

    assert now.astimezone(clock.zone()).replace(tzinfo=None) == now.astimezone().replace(
        tzinfo=None
    )
