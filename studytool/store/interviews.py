"""Mock interviews on disk: one row each, replaced after every step in a transaction of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.sqlite import insert

from studytool.store.records import InterviewRecord
from studytool.store.tables import interviews

if TYPE_CHECKING:
    from sqlalchemy import Select

    from studytool.store.engine import Database

_FIELDS = InterviewRecord.__struct_fields__
_COLUMNS = [interviews.c[name] for name in _FIELDS]


class Interviews:
    """The interviews of one database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, record: InterviewRecord) -> int:
        """Store a new interview; returns its id."""
        values = msgspec.structs.asdict(record)
        del values["id"]
        with self._db.transaction():
            return self._db.insert(insert(interviews).values(values))

    def save_state(self, interview: int, state: str) -> None:
        """Replace the state of an interview; on disk when this returns."""
        with self._db.transaction():
            self._db.run(update(interviews).where(interviews.c.id == interview).values(state=state))

    def finish(self, interview: int, state: str, report: str, finished_ms: int) -> None:
        """Store the last state and the report together."""
        with self._db.transaction():
            self._db.run(
                update(interviews)
                .where(interviews.c.id == interview)
                .values(state=state, report=report, finished_ms=finished_ms)
            )

    def get(self, interview: int) -> InterviewRecord | None:
        """One interview, or None."""
        row = self._db.first(select(*_COLUMNS).where(interviews.c.id == interview))
        return None if row is None else InterviewRecord(**dict(zip(_FIELDS, row, strict=True)))

    def unfinished(self, deck: str) -> InterviewRecord | None:
        """The newest interview over `deck` that has no report."""
        found = self._records(_of(deck).where(interviews.c.report.is_(None)).limit(1))
        return found[0] if found else None

    def finished(self, deck: str, limit: int | None = None) -> list[InterviewRecord]:
        """The interviews over `deck` that have a report, the newest first."""
        return self._records(_of(deck).where(interviews.c.report.is_not(None)).limit(limit))

    def save_report(self, interview: int, report: str) -> None:
        """Replace the report of a finished interview."""
        with self._db.transaction():
            self._db.run(
                update(interviews).where(interviews.c.id == interview).values(report=report)
            )

    def count(self, deck: str) -> int:
        """How many interviews over `deck` were begun."""
        row = self._db.first(select(func.count()).where(interviews.c.deck == deck))
        return int(row[0]) if row else 0

    def _records(self, query: Select[*tuple[Any, ...]]) -> list[InterviewRecord]:
        return [
            InterviewRecord(**dict(zip(_FIELDS, row, strict=True))) for row in self._db.all(query)
        ]


def _of(deck: str) -> Select[*tuple[Any, ...]]:
    return (
        select(*_COLUMNS)
        .where(interviews.c.deck == deck)
        .order_by(interviews.c.started_ms.desc(), interviews.c.id.desc())
    )
