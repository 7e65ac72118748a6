"""Home's numbers and those of `studytool stats`, over the real store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from studytool.clock import FixedClock
from studytool.paths import Paths
from studytool.schedule.load import forecast
from studytool.schedule.model import Rating
from studytool.services.context import App, open_app
from studytool.services.overview import streak
from studytool.services.study import Session, glance, overview, stats
from studytool.services.types import Counts, Overview, SessionQuery
from tests.unit.study_deck import card, study, write

TODAY = date(2026, 11, 23)


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock, paths: Paths) -> Iterator[App]:
    """Four cards in `static`, two in `lexical`, and a chapter of somebody else's."""
    folder = write(
        tmp_path / "deck",
        *(card(f"s{n}", "static") for n in range(4)),
        card("l0"),
        card("l1"),
        card("o", "own-things"),
    )
    with study(folder, clock, paths) as opened:
        yield opened


def answer(app: App, *ratings: Rating, cards: tuple[str, ...] = ()) -> Session:
    session = Session(app, SessionQuery(cards=cards))
    for rating in ratings:
        session.rate(rating, duration_ms=30_000)
    return session


def test_before_the_first_answer(app: App) -> None:
    seen = overview(app)

    assert seen.counts == Counts(new=7)
    assert [row.title for row in seen.chapters] == ["Counting words", "Word vectors", "Own things"]
    assert [(row.cards, row.seen, row.new, row.ready) for row in seen.chapters] == [
        (2, 0, 2, 0.0),
        (4, 0, 4, 0.0),
        (1, 0, 1, 0.0),
    ]
    assert (seen.streak, seen.week, seen.total_cards) == (0, (0,) * 7, 7)
    assert seen.minutes == 7, "a minute for each card until there is something to measure"


def test_after_some_days(app: App, clock: FixedClock) -> None:
    answer(app, Rating.EASY, Rating.EASY, cards=("s0", "s1"))
    clock.advance(timedelta(days=1))
    answer(app, Rating.EASY, cards=("l0",))

    seen = overview(app)

    assert (seen.streak, seen.week) == (2, (0, 0, 0, 0, 0, 2, 1))
    assert seen.counts == Counts(new=4)
    assert seen.minutes == 2, "four cards at half a minute"
    lexical, static = seen.chapters[:2]
    assert (lexical.seen, lexical.ready) == (1, 0.5)
    assert 0.48 < static.ready < 0.5
    assert seen.next_due is not None
    assert seen.next_due > TODAY + timedelta(days=1)


def test_the_limits_of_the_day_hold_in_the_numbers(
    tmp_path: Path, clock: FixedClock, paths: Paths
) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text("[study]\nnew_per_day = 3\n")
    folder = write(tmp_path / "deck", *(card(f"c{n}") for n in range(9)))
    with study(folder, clock, paths) as app:
        answer(app, Rating.EASY, Rating.EASY)

        assert overview(app).counts == Counts(new=1)
        assert glance(app) is not None
        answer(app, Rating.EASY)
        after = overview(app)
        assert after.counts == Counts()
        assert after.next_due == TODAY + timedelta(days=1), "tomorrow brings new cards"


def test_a_glance_agrees_with_the_store(app: App, clock: FixedClock) -> None:
    answer(app, Rating.AGAIN, Rating.EASY, Rating.GOOD, cards=("s0", "l0", "o"))
    clock.advance(timedelta(days=1))

    first, whole = glance(app), overview(app)

    assert first is not None
    assert first.counts == whole.counts == Counts(new=4, learning=2)
    assert first.streak == whole.streak == 1
    assert first.next_due == whole.next_due
    assert first.total_cards == whole.total_cards
    assert [(row.chapter, row.due, row.new) for row in first.chapters] == [
        (row.chapter, row.due, row.new) for row in whole.chapters
    ]


def test_without_a_database_there_is_no_glance(
    tmp_path: Path, clock: FixedClock, paths: Paths
) -> None:
    with open_app(write(tmp_path / "deck"), clock, paths) as app:
        assert glance(app) is None
        assert not paths.database.exists()
        assert overview(app) == Overview(counts=Counts(), week=(0,) * 7)


def test_streaks() -> None:
    assert streak(set(), 10) == 0
    assert streak({10}, 10) == 1
    assert streak({8, 9}, 10) == 2, "today is not over"
    assert streak({7, 8}, 10) == 0
    assert streak({5, 7, 8, 9, 10}, 10) == 4


def test_stats(app: App, clock: FixedClock) -> None:
    empty = stats(app)
    assert (empty.reviews, empty.cards, empty.seen, empty.retention_30d) == (0, 7, 0, None)

    answer(app, *[Rating.EASY] * 4, cards=("s0", "s1", "s2", "s3"))
    ahead = stats(app).forecast
    assert len(ahead) == 7
    clock.advance(timedelta(days=20))
    answer(app, Rating.GOOD, Rating.AGAIN, Rating.GOOD, Rating.HARD, cards=("s0", "s1", "s2", "s3"))
    session = answer(app, Rating.EASY, cards=("l0",))
    session.undo()

    found = stats(app)

    assert found.reviews == 8
    assert (found.seen, found.new, found.due) == (4, 3, 1)
    assert found.retention_30d == 0.75
    assert (found.today.reviews, found.today.new, found.today.again) == (4, 0, 1)
    assert found.today.minutes == 2.0
    assert found.streak == 1
    assert list(found.by_chapter) == ["lexical", "static", "own-things"]
    assert found.by_chapter["static"].seen == 4


def test_the_forecast_of_the_store_is_that_of_the_schedule(app: App, clock: FixedClock) -> None:
    answer(app, *[Rating.EASY] * 3, Rating.GOOD, Rating.AGAIN, cards=("s0", "s1", "s2", "l0", "o"))
    clock.advance(timedelta(days=3))
    session = answer(app, Rating.AGAIN, Rating.EASY, cards=("s0", "l0"))
    session.bury()

    states = [state for _, state in app.store.states(app.deck_name)]

    assert stats(app).forecast == forecast(states, app.today.toordinal(), 8)[1:]
    assert sum(stats(app).forecast) > 0
