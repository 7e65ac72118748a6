"""The first numbers without SQLAlchemy: the standard library's sqlite3, read-only.

`due` and the first paint of Home use it. Each function gives exactly what the Store's query of
the same name gives (tested with hypothesis), and nothing at all for a database that isn't there.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from studytool.store.backup import open_read_only
from studytool.store.faults import storage_errors, unwritable
from studytool.store.figures import ChapterNumbers, Counts, DayNumbers, Glance
from studytool.store.header import read_schema

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from studytool.schedule.model import Moment

#: How far back `Glance.days` looks.
DAYS_BACK = 400

_COUNTS = """
    SELECT
        coalesce(sum(n) FILTER (WHERE kind = 0), 0),
        coalesce(sum(n) FILTER (WHERE kind = 1), 0),
        coalesce(sum(n) FILTER (WHERE kind = 2), 0)
    FROM ready_counts
    WHERE deck_id = (SELECT id FROM decks WHERE name = ?) AND kind IN (0, 1, 2) AND ready <= ?
"""
_CHAPTERS = """
    SELECT
        chapter,
        sum(n),
        coalesce(sum(n) FILTER (WHERE kind IN (1, 2, 4)), 0),
        coalesce(sum(n) FILTER (WHERE kind IN (1, 2) AND ready <= :day), 0),
        coalesce(sum(n) FILTER (WHERE kind = 0 AND ready <= :day), 0)
    FROM ready_counts
    WHERE deck_id = (SELECT id FROM decks WHERE name = :deck)
    GROUP BY chapter HAVING sum(n) > 0 ORDER BY chapter
"""
_AHEAD = """
    SELECT ready, sum(n)
    FROM ready_counts
    WHERE deck_id = (SELECT id FROM decks WHERE name = ?) AND kind IN (1, 2) AND ready > ?
    GROUP BY ready HAVING sum(n) > 0 ORDER BY ready
"""
_DAY = """
    SELECT day, reviews, again, introduced, reviewed, recalled, duration_ms
    FROM day_stats WHERE day = ?
"""
_DAYS = "SELECT day FROM day_stats WHERE day BETWEEN ? AND ? ORDER BY day DESC"
_FILES = """
    SELECT path, hash FROM files WHERE deck_id = (SELECT id FROM decks WHERE name = ?)
"""


def peek_counts(database: Path, deck: str, moment: Moment) -> Counts:
    """How many cards of a deck may be served today, before the limits of the day."""
    with reading(database) as connection:
        if connection is None:
            return Counts()
        return counts(connection, deck, moment)


def peek_done(database: Path, day: int) -> tuple[int, int]:
    """New cards introduced and reviews answered on a study day."""
    with reading(database) as connection:
        if connection is None:
            return 0, 0
        return done(connection, day)


def peek_files(database: Path, deck: str) -> dict[str, str]:
    """The files a deck was last synchronised from, with their hashes; empty when it never was."""
    with reading(database) as connection:
        return {} if connection is None else dict(connection.execute(_FILES, (deck,)).fetchall())


def peek_overview(database: Path, deck: str, moment: Moment) -> Glance:
    """The first numbers of Home, all from one moment of the database."""
    with reading(database) as connection:
        if connection is None:
            return Glance(today=DayNumbers(moment.day))
        chapters = tuple(chapter_rows(connection, deck, moment))
        back = (moment.day - DAYS_BACK, moment.day)
        return Glance(
            counts=counts(connection, deck, moment),
            chapters=chapters,
            total_cards=sum(chapter.cards for chapter in chapters),
            today=_day(connection, moment.day),
            days=tuple(row[0] for row in connection.execute(_DAYS, back)),
            ahead=tuple(connection.execute(_AHEAD, (deck, moment.day)).fetchall()),
        )


def chapter_rows(connection: sqlite3.Connection, deck: str, moment: Moment) -> list[ChapterNumbers]:
    """The numbers of each chapter, by name."""
    names = {"deck": deck, "day": moment.day}
    return [ChapterNumbers(*row) for row in connection.execute(_CHAPTERS, names)]


def done(connection: sqlite3.Connection, day: int) -> tuple[int, int]:
    """(new cards introduced, reviews answered) on a study day."""
    numbers = _day(connection, day)
    return numbers.introduced, numbers.reviewed


def counts(connection: sqlite3.Connection, deck: str, moment: Moment) -> Counts:
    """How many cards may be served today, before the limits of the day."""
    return Counts(*connection.execute(_COUNTS, (deck, moment.day)).fetchone())


def _day(connection: sqlite3.Connection, day: int) -> DayNumbers:
    row = connection.execute(_DAY, (day,)).fetchone()
    return DayNumbers(day) if row is None else DayNumbers(*row)


@contextmanager
def reading(database: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection in one read transaction; None where there is no database yet."""
    if not database.exists():
        yield None
        return
    if database.is_dir():
        raise unwritable(database, "it is a folder")
    with storage_errors(database), closing(open_read_only(database)) as connection:
        connection.execute("BEGIN")
        yield connection if read_schema(connection, database) else None
