"""Study days under daylight saving, travel and clocks that go back."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.clock import study_day
from studytool.schedule import days
from studytool.schedule.model import CardState, Moment, Phase, Policy, Rating, Rollover
from studytool.schedule.scheduler import DAY_MS, answer, elapsed_days

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
AUCKLAND = ZoneInfo("Pacific/Auckland")
HONOLULU = ZoneInfo("Pacific/Honolulu")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # daylight saving of half an hour
HOUR_MS = DAY_MS // 24
PLAIN = Policy(fuzz=False)


def at(now: datetime, zone: tzinfo, hour: int = 4) -> Moment:
    return days.moment(now, study_day(now, hour, zone))


def local(zone: tzinfo, *parts: int) -> datetime:
    year, month, day, hour, minute = (*parts, 0, 0)[:5]
    return datetime(year, month, day, hour, minute, tzinfo=zone).astimezone(UTC)


def good(state: CardState, moment: Moment) -> CardState:
    return answer(state, Rating.GOOD, moment, PLAIN, "seed", Rollover())


def seen(moment: Moment) -> CardState:
    """A card in review, last answered at `moment`."""
    return CardState(
        phase=Phase.REVIEW,
        stability=2.3,
        difficulty=5.0,
        due_day=moment.day + 2,
        last_at=moment.at_ms,
        last_day=moment.day,
        interval=2,
        reps=1,
    )


def test_the_next_morning_is_another_day() -> None:
    """Monday 22:00 to Tuesday 08:00 is one day, where 24-hour counting says none."""
    monday = at(local(BERLIN, 2026, 11, 23, 22), BERLIN)
    tuesday = at(local(BERLIN, 2026, 11, 24, 8), BERLIN)

    assert elapsed_days(seen(monday), tuesday) == 1
    assert elapsed_days(seen(monday), at(local(BERLIN, 2026, 11, 24, 3, 59), BERLIN)) == 0


@pytest.mark.parametrize(
    ("zone", "before", "after", "hours"),
    [
        (BERLIN, (2026, 3, 28, 12), (2026, 3, 29, 12), 23),
        (BERLIN, (2026, 10, 24, 12), (2026, 10, 25, 12), 25),
        (NEW_YORK, (2026, 3, 7, 23), (2026, 3, 8, 23), 23),
        (NEW_YORK, (2026, 10, 31, 23), (2026, 11, 1, 23), 25),
        (AUCKLAND, (2026, 9, 26, 6), (2026, 9, 27, 6), 23),
    ],
)
def test_a_day_of_23_or_25_hours_is_one_day(
    zone: ZoneInfo, before: tuple[int, ...], after: tuple[int, ...], hours: int
) -> None:
    first, second = local(zone, *before), local(zone, *after)
    assert second - first == timedelta(hours=hours)

    assert elapsed_days(seen(at(first, zone)), at(second, zone)) == 1


def test_the_night_of_the_change_holds_one_rollover() -> None:
    """Minute by minute through both changes, the study day goes up once, at 04:00 on the wall."""
    for begin in (local(BERLIN, 2026, 3, 29, 0), local(BERLIN, 2026, 10, 25, 0)):
        minutes = [begin + timedelta(minutes=minute) for minute in range(8 * 60)]
        turns = [
            now.astimezone(BERLIN)
            for last, now in itertools.pairwise(minutes)
            if at(now, BERLIN).day != at(last, BERLIN).day
        ]
        assert [(turn.hour, turn.minute) for turn in turns] == [(4, 0)]


def test_flying_over_the_date_line_never_gives_negative_days() -> None:
    """From Auckland on Tuesday morning to Honolulu, where it is still Monday."""
    auckland = local(AUCKLAND, 2026, 11, 24, 9)
    state = good(seen(at(local(AUCKLAND, 2026, 11, 20, 9), AUCKLAND)), at(auckland, AUCKLAND))
    landed = at(auckland + timedelta(hours=9), HONOLULU)
    assert landed.day == date(2026, 11, 23).toordinal()
    assert state.last_day == landed.day + 1

    after = good(state, landed)

    assert elapsed_days(state, landed) == 0
    assert after.stability is not None
    assert state.stability is not None
    assert after.stability >= state.stability
    assert after.due_day is not None
    assert after.due_day > landed.day


def test_flying_west_over_the_date_line_counts_the_calendar_day() -> None:
    """Nine hours of flight from Monday morning, and the wall says Tuesday afternoon."""
    honolulu = local(HONOLULU, 2026, 11, 23, 9)
    landed = at(honolulu + timedelta(hours=9), AUCKLAND)

    assert elapsed_days(seen(at(honolulu, HONOLULU)), landed) == 1


def test_a_clock_set_back_counts_as_the_same_day() -> None:
    now = at(datetime(2026, 11, 23, 12, tzinfo=UTC), UTC)
    earlier = at(datetime(2025, 1, 1, 12, tzinfo=UTC), UTC)
    state = good(seen(now), earlier)

    assert elapsed_days(seen(now), earlier) == 0
    assert state.due_day is not None
    assert state.due_day > earlier.day


zones = st.sampled_from([BERLIN, NEW_YORK, AUCKLAND, HONOLULU, LORD_HOWE, UTC])
instants = st.integers(0, 4 * 366 * DAY_MS).map(
    lambda ms: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)


@given(instants, zones, instants, zones)
def test_elapsed_days_are_never_negative(
    first: datetime, here: tzinfo, second: datetime, there: tzinfo
) -> None:
    assert elapsed_days(seen(at(first, here)), at(second, there)) >= 0


@given(instants, zones, st.integers(0, 23))
def test_a_study_day_ends_where_the_next_one_begins(now: datetime, zone: tzinfo, hour: int) -> None:
    day = study_day(now, hour, zone)

    ends = days.rollover(day, hour, zone).ends_at

    assert ends is not None
    assert days.to_ms(now) < ends <= days.to_ms(now) + 25 * HOUR_MS
    assert study_day(days.from_ms(ends), hour, zone) == day + timedelta(days=1)
    assert study_day(days.from_ms(ends - 1), hour, zone) == day


@given(instants)
def test_milliseconds_there_and_back(now: datetime) -> None:
    assert days.from_ms(days.to_ms(now)) == now
    assert days.to_ms(now + timedelta(microseconds=999)) == days.to_ms(now)
