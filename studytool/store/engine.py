"""The connection: one SQLite file, one SQLAlchemy connection, transactions said out loud.

SQLAlchemy is kept in autocommit, so it never begins or ends a transaction on its own; writers
use `Database.transaction`, which is BEGIN IMMEDIATE … COMMIT. With WAL and synchronous=FULL a
commit is one fsync of the write-ahead log, and returns after it.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVarTuple

from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from studytool.errors import StorageError
from studytool.store.faults import storage_errors, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from sqlalchemy import Connection, Insert, Row, Select
    from sqlalchemy.sql.expression import Executable

Ts = TypeVarTuple("Ts")

#: STRICT tables came with this one.
OLDEST_SQLITE = (3, 37, 0)

_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",  # INSERT OR REPLACE then meets the trigger against DELETE
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -32000",
    "PRAGMA secure_delete = OFF",  # some builds zero every freed byte, which is another page to write
)


class Database:
    """An open database file. May be opened in one thread and then used in another."""

    def __init__(self, path: Path) -> None:
        """Open `path`, creating it when it isn't there. Raises StorageError."""
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            needed = ".".join(map(str, OLDEST_SQLITE))
            raise StorageError(
                f"This Python has SQLite {sqlite3.sqlite_version}; {path} needs {needed} or newer.",
                hint="Use a Python built with a newer SQLite. The file was not touched.",
            )
        self.path = path
        #: Called once, before the next transaction.
        self.before_write: Callable[[], None] | None = None
        self._engine = create_engine(
            URL.create("sqlite", database=str(path)),
            creator=lambda: _connect(path),
            poolclass=StaticPool,
            isolation_level="AUTOCOMMIT",
        )
        try:
            self.connection: Connection = self._engine.connect()
        except DBAPIError as error:
            self._engine.dispose()
            raise translate(error.orig or error, path) from error
        driver = self.connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        #: The driver's own connection, for the prepared statements of the hot path.
        self.raw: sqlite3.Connection = driver

    def close(self) -> None:
        self.connection.close()
        self._engine.dispose()

    def transaction(self) -> _Transaction:
        """All or nothing: commits at the end of the block, rolls back when it raises."""
        return _Transaction(self)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The driver's connection for a prepared query, errors translated."""
        with storage_errors(self.path):
            yield self.raw

    @contextmanager
    def migration(self) -> Iterator[None]:
        """A transaction that SQLAlchemy knows of, so that Alembic works inside it and not beside it."""
        with self._errors():
            self.connection.rollback()
            with self.connection.begin():
                self.raw.execute("BEGIN IMMEDIATE")
                yield

    def run(self, statement: Executable, rows: Sequence[Mapping[str, Any]] = ()) -> int:
        """Execute a writing statement, once or for each of `rows`; returns the rows changed."""
        with self._errors():
            if rows:
                return self.connection.execute(statement, list(rows)).rowcount
            return self.connection.execute(statement).rowcount

    def insert(self, statement: Insert) -> int:
        """Insert one row; returns the number SQLite gave it."""
        with self._errors():
            key = self.connection.execute(statement).inserted_primary_key
        assert key is not None
        return int(key[0])

    def all(self, statement: Select[*Ts]) -> Sequence[Row[*Ts]]:
        """All rows of a query."""
        with self._errors():
            return self.connection.execute(statement).all()

    def first(self, statement: Select[*Ts]) -> Row[*Ts] | None:
        """The first row of a query, or None."""
        with self._errors():
            return self.connection.execute(statement).first()

    def stream(self, statement: Select[*Ts]) -> Iterator[Row[*Ts]]:
        """The rows of a query, fetched 500 at a time; for results that may be large."""
        with self._errors():
            yield from self.connection.execute(statement, execution_options={"yield_per": 500})

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise translate(cause or error, self.path) from error


class _Transaction:
    """See `Database.transaction`. A class, since a generator would cost as much as a statement."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Connection:
        database = self._database
        if database.before_write is not None:
            database.before_write()
            database.before_write = None
        try:
            database.raw.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise translate(error, database.path) from error
        return database.raw

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        raw, path = self._database.raw, self._database.path
        try:
            if error is None:
                raw.execute("COMMIT")
                return
        except sqlite3.Error as fault:
            self._roll_back()
            raise translate(fault, path) from fault
        self._roll_back()
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, sqlite3.Error | OSError):
            raise translate(cause, path) from error

    def _roll_back(self) -> None:
        if self._database.raw.in_transaction:
            self._database.raw.execute("ROLLBACK")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
