"""From an error of SQLite or of the file system to the one StorageError that says what to do."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from studytool.errors import (
    StorageCorrupt,
    StorageError,
    StorageFull,
    StorageLocked,
    StorageReadOnly,
    StorageUnwritable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTHING_LOST = "Every answer that was confirmed is saved."


@contextmanager
def storage_errors(database: Path) -> Iterator[None]:
    """Turn sqlite3 and OS errors inside the block into StorageErrors about `database`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise translate(error, database) from error


def translate(error: BaseException, database: Path) -> StorageError:
    """The StorageError for `error`; an unknown one keeps SQLite's own words."""
    if isinstance(error, OSError):
        return _from_os(error, database)
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    match primary:
        case sqlite3.SQLITE_FULL:
            return full(database)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StorageLocked(
                f"Another program is writing to {database}.",
                hint="Close it and try again. " + NOTHING_LOST,
            )
        case sqlite3.SQLITE_READONLY if not writable(database.parent):
            return unwritable(database, "its folder is read-only")
        case sqlite3.SQLITE_READONLY:
            return StorageReadOnly(
                f"{database} is read-only.",
                hint=f"Make it writable: chmod u+w '{database}'. {NOTHING_LOST}",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return corrupt(database, str(error))
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return unwritable(database, str(error))
        case _:
            return StorageError(f"{database}: {error}.", hint="`studytool doctor` checks it.")


def writable(path: Path) -> bool:
    """Whether this process may write to `path`, in a folder: create files in it."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def corrupt(database: Path, detail: str) -> StorageCorrupt:
    """A damaged database, with the newest backup offered by name."""
    from studytool.store.backup import newest

    saved = newest(database.parent / "backups")
    if saved is None:
        hint = f"There is no backup in {database.parent / 'backups'}. The file is left as it is."
    else:
        hint = (
            f"The newest backup is {saved.name}: `studytool restore latest` goes back to it "
            "and keeps the damaged file aside."
        )
    return StorageCorrupt(f"{database} is damaged: {detail}.", hint=hint)


def full(database: Path) -> StorageFull:
    return StorageFull(
        f"There is no room left to write {database}.",
        hint=f"Free some space and try again. {NOTHING_LOST}",
    )


def unwritable(database: Path, detail: str) -> StorageUnwritable:
    return StorageUnwritable(
        f"{database} can't be written: {detail}.",
        hint="Make the folder writable, or set STUDYTOOL_HOME to one that is.",
    )


def _from_os(error: OSError, database: Path) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full(database)
    return unwritable(database, error.strerror or str(error))
