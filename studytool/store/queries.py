"""What is due, and how much of it: reading queries over `card_state`, `items` and `ready_counts`.

The literals in the conditions on `kind` and `fresh` are those of the partial indexes; bound
values would not use them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, func, literal_column, select

from studytool.schedule.model import Phase
from studytool.store.figures import ChapterNumbers, Counts, DayNumbers, Kind
from studytool.store.records import DueRow
from studytool.store.tables import card_state, day_stats, items, ready_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from studytool.schedule.model import Moment
    from studytool.store.engine import Database

_DUE = card_state.c.kind.in_([literal_column("1"), literal_column("2")])
#: An expression, not a column: few cards are due, so SQLite shall begin there and not with the deck.
_of_deck = items.c.deck_id + literal_column("0")
_NEW = items.c.fresh == literal_column("1")


def due(
    database: Database,
    deck_id: int,
    moment: Moment,
    chapters: Sequence[str] = (),
    limit: int | None = None,
) -> list[DueRow]:
    """Cards in learning or review that may be served today, learning first, longest due first.

    A learning card of today is among them before its time has come: `due_at` says when.
    """
    query = (
        select(
            items.c.card,
            items.c.base,
            items.c.chapter,
            card_state.c.phase,
            card_state.c.due_at,
            card_state.c.due_day,
            card_state.c.stability,
            card_state.c.last_day,
            items.c.position,
        )
        .join(card_state, card_state.c.card == items.c.card)
        .where(_of_deck == deck_id, _DUE, card_state.c.ready <= moment.day)
        .order_by(card_state.c.kind, card_state.c.ready, items.c.position, items.c.card)
        .limit(limit)
    )
    if chapters:
        query = query.where(items.c.chapter.in_(chapters))
    return [
        DueRow(card, base, chapter, Phase(phase), *rest)
        for card, base, chapter, phase, *rest in database.all(query)
    ]


def new_cards(
    database: Database,
    deck_id: int,
    moment: Moment,
    chapters: Sequence[str] = (),
    limit: int | None = None,
) -> list[DueRow]:
    """Cards never answered, in study order: as written, prerequisites first."""
    query = (
        select(items.c.card, items.c.base, items.c.chapter, items.c.position)
        .outerjoin(card_state, card_state.c.card == items.c.card)
        .where(
            items.c.deck_id == deck_id,
            _NEW,
            func.coalesce(card_state.c.ready, 0) <= moment.day,
        )
        .order_by(items.c.position, items.c.card)
        .limit(limit)
    )
    if chapters:
        query = query.where(items.c.chapter.in_(chapters))
    return [
        DueRow(card, base, chapter, Phase.NEW, None, None, None, None, position)
        for card, base, chapter, position in database.all(query)
    ]


def siblings(database: Database, deck_id: int, moment: Moment) -> list[tuple[str, int]]:
    """The card and the Kind of each cloze sibling that may be served today."""
    kind = func.coalesce(card_state.c.kind, 0)
    query = (
        select(items.c.base, kind)
        .outerjoin(card_state, card_state.c.card == items.c.card)
        .where(
            items.c.deck_id == deck_id,
            items.c.card != items.c.base,
            kind.in_([Kind.NEW, Kind.LEARNING, Kind.REVIEW]),
            func.coalesce(card_state.c.ready, 0) <= moment.day,
        )
        .order_by(items.c.card)
    )
    return [(base, kind) for base, kind in database.all(query)]


def counts(database: Database, deck_id: int, moment: Moment) -> Counts:
    """How many cards may be served today, before the limits of the day."""
    query = (
        select(ready_counts.c.kind, func.sum(ready_counts.c.n))
        .where(
            ready_counts.c.deck_id == deck_id,
            ready_counts.c.kind.in_([Kind.NEW, Kind.LEARNING, Kind.REVIEW]),
            ready_counts.c.ready <= moment.day,
        )
        .group_by(ready_counts.c.kind)
    )
    found = {row[0]: row[1] for row in database.all(query)}
    return Counts(*(found.get(kind, 0) for kind in (Kind.NEW, Kind.LEARNING, Kind.REVIEW)))


def chapters(database: Database, deck_id: int, moment: Moment) -> list[ChapterNumbers]:
    """The numbers of each chapter, in the order of their names."""
    kind, n = ready_counts.c.kind, ready_counts.c.n
    served = ready_counts.c.ready <= moment.day
    query = (
        select(
            ready_counts.c.chapter,
            func.sum(n),
            func.sum(case((kind.not_in([Kind.NEW, Kind.SUSPENDED_NEW]), n), else_=0)),
            func.sum(case((kind.in_([Kind.LEARNING, Kind.REVIEW]) & served, n), else_=0)),
            func.sum(case(((kind == Kind.NEW) & served, n), else_=0)),
        )
        .where(ready_counts.c.deck_id == deck_id)
        .group_by(ready_counts.c.chapter)
        .having(func.sum(n) > 0)
        .order_by(ready_counts.c.chapter)
    )
    return [ChapterNumbers(*row) for row in database.all(query)]


def memories(database: Database, deck_id: int) -> Iterator[tuple[str, float, int]]:
    """Chapter, stability and last study day of each card with a memory: what recall is made of."""
    query = (
        select(items.c.chapter, card_state.c.stability, card_state.c.last_day)
        .join(card_state, card_state.c.card == items.c.card)
        .where(items.c.deck_id == deck_id, card_state.c.stability.is_not(None))
    )
    return (tuple(row) for row in database.stream(query))


def ahead(database: Database, deck_id: int, moment: Moment) -> list[tuple[int, int]]:
    """The coming study days on which cards fall due, with how many."""
    query = (
        select(ready_counts.c.ready, func.sum(ready_counts.c.n))
        .where(
            ready_counts.c.deck_id == deck_id,
            ready_counts.c.kind.in_([Kind.LEARNING, Kind.REVIEW]),
            ready_counts.c.ready > moment.day,
        )
        .group_by(ready_counts.c.ready)
        .having(func.sum(ready_counts.c.n) > 0)
        .order_by(ready_counts.c.ready)
    )
    return [(day, total) for day, total in database.all(query)]


def days(database: Database, first: int, last: int) -> list[DayNumbers]:
    """The study days from `first` to `last` (both included) that have answers, in order."""
    query = select(day_stats).where(day_stats.c.day.between(first, last)).order_by(day_stats.c.day)
    return [DayNumbers(*row) for row in database.all(query)]


def done_today(database: Database, day: int) -> tuple[int, int]:
    """New cards introduced and reviews answered on a study day, for the limits of the day."""
    found = days(database, day, day)
    return (found[0].introduced, found[0].reviewed) if found else (0, 0)
