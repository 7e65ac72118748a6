"""The numbers of Home and of `studytool stats`."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from studytool.schedule.fsrs import retrievability
from studytool.services import chapters, interviews, line
from studytool.services.types import ChapterRow, Overview

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from studytool.services.context import App
    from studytool.store.figures import ChapterNumbers, Counts, DayNumbers

#: What one answer takes before there is anything to measure, in seconds: a spoken answer.
USUAL_SECONDS = 60.0
#: How far back the average time of an answer and the streak look, in study days.
RECENT_DAYS, STREAK_DAYS = 30, 400


class TodayStats(msgspec.Struct, frozen=True, kw_only=True):
    """What was done on the present study day."""

    reviews: int
    new: int
    again: int
    minutes: float


class ChapterStats(msgspec.Struct, frozen=True):
    """One chapter; `ready` as in ChapterRow."""

    cards: int
    seen: int
    due: int
    new: int
    ready: float


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What `studytool stats --json` prints.

    `reviews` counts all answers that stand (not undone), `due` the cards in learning and review
    that may be served today. `retention_30d` is the share of answers to cards in review, over
    the last 30 study days, that were not Again; None without such answers. `forecast` is the
    load of the coming seven days, tomorrow first.
    """

    reviews: int
    cards: int
    seen: int
    due: int
    new: int
    streak: int
    today: TodayStats
    retention_30d: float | None
    by_chapter: dict[str, ChapterStats]
    forecast: tuple[int, ...]


def overview(app: App) -> Overview:
    """All that Home shows, from the store."""
    store, now = app.store, app.moment
    days = store.days(now.day - STREAK_DAYS, now.day)
    counts = line.counts(app, store, store.counts(app.deck_name, now), now)
    seen = _overview(
        counts,
        _chapter_rows(app, store.chapter_rows(app.deck_name, now)),
        now.day,
        answers={day.day: day.reviews for day in days},
        minutes=_minutes(counts.total, [day for day in days if day.day > now.day - RECENT_DAYS]),
        ahead=store.ahead(app.deck_name, now),
    )
    return msgspec.structs.replace(seen, interview=interviews.last(app))


def glance(app: App) -> Overview | None:
    """Home's first numbers without opening the store; None when there is no database yet.

    What takes longer to find out is left out: readiness is 0, the week is empty.
    """
    from studytool.store import peek, peek_cards

    database = app.paths.database
    now = app.moment
    with peek_cards.reading(database) as reader:
        if reader is None:
            return None
        seen = peek.peek_overview(database, app.deck_name, now)
        counts = line.counts(app, reader, seen.counts, now)
    rows = [_row(numbers, 0.0) for numbers in seen.chapters]
    first = _overview(
        counts,
        rows,
        now.day,
        answers=dict.fromkeys(seen.days, 1),
        minutes=_minutes(counts.total, [seen.today]),
        ahead=seen.ahead,
    )
    return msgspec.structs.replace(first, week=())


def stats(app: App) -> Stats:
    """The numbers of `studytool stats`."""
    store, now = app.store, app.moment
    days = store.days(0, now.day)
    recent = [day for day in days if day.day > now.day - RECENT_DAYS]
    reviewed, recalled = sum(d.reviewed for d in recent), sum(d.recalled for d in recent)
    rows = _chapter_rows(app, store.chapter_rows(app.deck_name, now))
    today = next((day for day in days if day.day == now.day), None)
    ahead = dict(store.ahead(app.deck_name, now))
    return Stats(
        reviews=sum(day.reviews for day in days),
        cards=sum(row.cards for row in rows),
        seen=sum(row.seen for row in rows),
        due=sum(row.due for row in rows),
        new=sum(row.new for row in rows),
        streak=streak({day.day for day in days}, now.day),
        today=TodayStats(
            reviews=today.reviews if today else 0,
            new=today.introduced if today else 0,
            again=today.again if today else 0,
            minutes=round(today.seconds / 60, 1) if today else 0.0,
        ),
        retention_30d=round(recalled / reviewed, 4) if reviewed else None,
        by_chapter={
            row.chapter: ChapterStats(row.cards, row.seen, row.due, row.new, round(row.ready, 4))
            for row in rows
        },
        forecast=tuple(ahead.get(now.day + day, 0) for day in range(1, 8)),
    )


def streak(days: set[int], today: int) -> int:
    """Study days in a row with an answer, up to today or, before today's first, to yesterday."""
    last = today if today in days else today - 1
    length = 0
    while last - length in days:
        length += 1
    return length


def _overview(
    counts: Counts,
    rows: Sequence[ChapterRow],
    today: int,
    *,
    answers: Mapping[int, int],
    minutes: int,
    ahead: Iterable[tuple[int, int]],
) -> Overview:
    next_day = min((day for day, _ in ahead), default=None)
    if any(row.new for row in rows) and not counts.new:
        next_day = today + 1
    return Overview(
        counts=counts,
        chapters=tuple(sorted(rows, key=lambda row: chapters.rank(row.chapter))),
        streak=streak(set(answers), today),
        week=tuple(answers.get(day, 0) for day in range(today - 6, today + 1)),
        minutes=minutes,
        next_due=None if next_day is None else date.fromordinal(next_day),
        total_cards=sum(row.cards for row in rows),
    )


def _chapter_rows(app: App, numbers: Iterable[ChapterNumbers]) -> list[ChapterRow]:
    """Rows with readiness: the mean predicted recall of all cards, 0 for those never seen."""
    today = app.today.toordinal()
    recall: dict[str, float] = defaultdict(float)
    for chapter, stability, last_day in app.store.memories(app.deck_name):
        recall[chapter] += retrievability(stability, today - last_day)
    rows = [_row(one, recall[one.chapter] / one.cards if one.cards else 0.0) for one in numbers]
    return sorted(rows, key=lambda row: chapters.rank(row.chapter))


def _row(numbers: ChapterNumbers, ready: float) -> ChapterRow:
    return ChapterRow(
        chapter=numbers.chapter,
        title=chapters.title(numbers.chapter),
        cards=numbers.cards,
        seen=numbers.seen,
        due=numbers.due,
        new=numbers.new,
        ready=ready,
    )


def _minutes(cards: int, days: Sequence[DayNumbers]) -> int:
    """How long `cards` will take at the pace of `days`."""
    answers = sum(day.reviews for day in days)
    pace = sum(day.seconds for day in days) / answers if answers else USUAL_SECONDS
    return math.ceil(cards * pace / 60)
