"""Copies of the database: made by SQLite's online backup, verified, and put in place whole.

A copy is written under another name, checked, flushed to disk and then renamed, so that a
backup either is there and sound or isn't there. Standard library only.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from studytool.errors import StorageCorrupt, StorageError, UsageError
from studytool.store.faults import storage_errors, writable
from studytool.store.header import read_schema
from studytool.store.lock import InstanceLock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DAILY, MIGRATION, MANUAL = "daily", "migration", "manual"
#: What `restore` put aside: a sound database as a copy, a damaged one byte for byte.
ASIDE, DAMAGED = "aside", "damaged"

#: How many daily copies stay: the newest of each of so many days, weeks and months.
KEEP_DAYS, KEEP_WEEKS, KEEP_MONTHS = 7, 4, 12
KEEP_MIGRATIONS = 3

_NAME = re.compile(r"collection-(\d{8}T\d{6})Z-([a-z]+)(?:-\d+)?\.db")


class Backup(NamedTuple):
    """A copy in the backups folder; `made` is in UTC, to the second."""

    path: Path
    made: datetime
    reason: str

    @property
    def name(self) -> str:
        return self.path.name


def listed(folder: Path) -> list[Backup]:
    """The copies in `folder`, newest first; other files are ignored."""
    found = []
    for path in folder.glob("collection-*.db"):
        match = _NAME.fullmatch(path.name)
        if match:
            made = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            found.append(Backup(path, made, match[2]))
    return sorted(found, key=lambda backup: (backup.made, backup.name), reverse=True)


def newest(folder: Path) -> Backup | None:
    """The newest copy that `restore latest` would take; not one that a restore put aside."""
    kept = (one for one in listed(folder) if one.reason not in (ASIDE, DAMAGED))
    return next(kept, None)


def make(source: sqlite3.Connection, folder: Path, now: datetime, reason: str) -> Path:
    """Copy the database of `source` into `folder`; returns the new file. Raises StorageError."""
    target = _free_name(folder, now, reason)
    with storage_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
    copy(source, target)
    return target


def copy(source: sqlite3.Connection, target: Path) -> None:
    """Copy a database to `target`, replacing what is there only when the copy is sound."""
    part = target.with_name(target.name + ".part")
    try:
        _copy(source, part)
        verify(part)
        with storage_errors(target):
            part.replace(target)
            _flush(target.parent)
    finally:
        part.unlink(missing_ok=True)


def verify(path: Path) -> int:
    """The schema of a sound database file. Raises StorageError (StorageCorrupt, StorageTooNew …)."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", hint="`studytool backup --list` names them.")
    try:
        with closing(open_read_only(path)) as connection:
            schema = read_schema(connection, path)
            faults = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    except sqlite3.DatabaseError as error:
        raise StorageCorrupt(
            f"{path} is not a sound database: {error}.",
            hint="`studytool backup --list` names other copies.",
        ) from error
    if faults != ["ok"]:
        raise StorageCorrupt(
            f"{path} is damaged: {faults[0]}.",
            hint="`studytool backup --list` names other copies.",
        )
    if not schema:
        raise StorageError(f"{path} is an empty file.", hint="It holds nothing to restore.")
    return schema


def open_read_only(path: Path) -> sqlite3.Connection:
    """A read-only connection that also works where nothing beside `path` can be created."""
    aside = path.with_name(path.name + "-wal")
    alone = not aside.exists() and not writable(path.parent)
    mode = "mode=ro&immutable=1" if alone or path.suffix == ".part" else "mode=ro"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=2.0)
    connection.isolation_level = None
    return connection


def thin(folder: Path) -> list[Path]:
    """Delete daily and migration copies beyond what is kept; returns what was deleted.

    Copies that the user asked for, and what a restore put aside, are never deleted.
    """
    copies = listed(folder)
    daily = [one for one in copies if one.reason == DAILY]
    kept = {
        *_first_of_each(daily, "%Y-%m-%d", KEEP_DAYS),
        *_first_of_each(daily, "%G-W%V", KEEP_WEEKS),
        *_first_of_each(daily, "%Y-%m", KEEP_MONTHS),
    }
    dropped = [one.path for one in daily if one.path not in kept]
    dropped += [one.path for one in copies if one.reason == MIGRATION][KEEP_MIGRATIONS:]
    for path in dropped:
        with storage_errors(path):
            path.unlink(missing_ok=True)
    return dropped


def restore(database: Path, source: Path, folder: Path, now: datetime) -> Path | None:
    """Put the copy `source` in place of `database`; returns where the present one was put aside.

    Killed at any moment it leaves the old database or the new one, never half of either. The
    restored log goes on under a new device, since the old one may have numbered other events.
    Raises StorageLocked while a studytool has the database open, StorageError when `source`
    isn't sound.
    """
    with storage_errors(database):
        database.parent.mkdir(parents=True, exist_ok=True)
    lock = InstanceLock(database)
    part = database.with_name(database.name + ".part")
    try:
        verify(source)
        with closing(open_read_only(source)) as connection:
            _copy(connection, part, device=uuid4().hex)
        verify(part)
        aside = _set_aside(database, folder, now)
        with storage_errors(database):
            # A write-ahead log that stayed behind would be replayed onto the new file.
            for ending in ("-wal", "-shm"):
                database.with_name(database.name + ending).unlink(missing_ok=True)
            part.replace(database)
            _flush(database.parent)
        return aside
    finally:
        part.unlink(missing_ok=True)
        lock.release()


def _set_aside(database: Path, folder: Path, now: datetime) -> Path | None:
    """A copy of the present database: through SQLite when it is sound, else byte for byte."""
    if not database.exists():
        return None
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            aside = make(connection, folder, now, ASIDE)
            connection.execute("PRAGMA journal_mode = DELETE")
            return aside
    except (sqlite3.DatabaseError, StorageCorrupt):
        aside = _free_name(folder, now, DAMAGED)
        with storage_errors(aside):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(database, aside)
            log = database.with_name(database.name + "-wal")
            if log.exists():
                shutil.copy2(log, aside.with_name(aside.name + "-wal"))
            _flush(aside)
            _flush(folder)
        return aside


def _copy(source: sqlite3.Connection, part: Path, device: str | None = None) -> None:
    part.unlink(missing_ok=True)
    with storage_errors(part), closing(sqlite3.connect(part, isolation_level=None)) as target:
        source.backup(target)
        # Without a write-ahead log the copy is one file, complete in itself.
        target.execute("PRAGMA journal_mode = DELETE")
        if device is not None:
            target.execute("UPDATE meta SET value = ? WHERE key = 'device'", (device,))
    with storage_errors(part):
        _flush(part)


def _flush(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows has no handle for a folder and flushes names by itself.
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _first_of_each(copies: Sequence[Backup], period: str, limit: int) -> list[Path]:
    """The newest copy of each of the last `limit` periods that have one."""
    found: dict[str, Path] = {}
    for one in copies:
        found.setdefault(one.made.strftime(period), one.path)
    return list(found.values())[:limit]


def _free_name(folder: Path, now: datetime, reason: str) -> Path:
    stem = f"collection-{now.astimezone(UTC):%Y%m%dT%H%M%S}Z-{reason}"
    path = folder / f"{stem}.db"
    number = 2
    while path.exists():
        path = folder / f"{stem}-{number}.db"
        number += 1
    return path
