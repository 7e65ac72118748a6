"""What stands in the header of a database file, readable before any table is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.errors import StorageError, StorageTooNew

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

#: "STUD": the application id, so that no other program's SQLite file is touched.
APPLICATION_ID = 0x53545544

#: The newest revision of the schema; `migrations/versions` holds one file for each from 1 on.
SCHEMA = 3


def read_schema(connection: sqlite3.Connection, path: Path) -> int:
    """The schema of an open file; 0 for an empty one.

    Raises StorageTooNew for a later schema than this program knows, StorageError for a SQLite
    file that isn't studytool's, sqlite3.Error for one that can't be read.
    """
    schema = int(connection.execute("PRAGMA user_version").fetchone()[0])
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if owner != APPLICATION_ID and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StorageError(
            f"{path} is a SQLite file of another program.",
            hint="Move it away, or set STUDYTOOL_HOME to another folder. It was not changed.",
        )
    if schema > SCHEMA:
        raise StorageTooNew(
            f"{path} has schema {schema}; this studytool knows schemas up to {SCHEMA}.",
            hint="Upgrade studytool. The file was not changed.",
        )
    return schema
