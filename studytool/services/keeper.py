"""Care for the database: copies of it, going back to one, and whether it is sound."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from studytool.errors import StorageError, UsageError
from studytool.store import backup
from studytool.store.faults import storage_errors
from studytool.store.header import read_schema

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from studytool.paths import Paths
    from studytool.services.context import App
    from studytool.store.doctor import Report

LATEST = "latest"


class Saved(NamedTuple):
    """A copy in the backups folder, as a list shows it; `made` is in UTC."""

    name: str
    made: datetime
    reason: str
    size: int


class Restored(NamedTuple):
    """What a restore did: the copy it took, and where the database before it is (None: there was none)."""

    source: Path
    aside: Path | None


def examine(app: App, *, quick: bool = False, rebuild: bool = False) -> Report | None:
    """What the doctor finds, and with `rebuild` mends; None when there is no database yet."""
    if not app.paths.database.exists():
        return None
    return app.store.examine(quick=quick, rebuild=rebuild)


def saved(paths: Paths) -> list[Saved]:
    """The copies in the backups folder, newest first."""
    return [
        Saved(one.name, one.made, one.reason, one.path.stat().st_size)
        for one in backup.listed(paths.backups)
    ]


def save(paths: Paths, now: datetime, target: Path | None = None) -> Path:
    """Copy the database, verified, to `target` or into the backups folder; also while it is in use.

    Raises UsageError when there is nothing to copy, or `target` is a file that isn't a copy.
    """
    database = paths.database
    if not database.exists():
        raise UsageError(
            f"There is no database at {database} yet.", hint="The first review creates it."
        )
    if target is not None:
        _check_target(target, database)
    with storage_errors(database), closing(backup.open_read_only(database)) as connection:
        read_schema(connection, database)
        if target is None:
            return backup.make(connection, paths.backups, now, backup.MANUAL)
        backup.copy(connection, target)
        return target


def restore(paths: Paths, now: datetime, name: str) -> Restored:
    """Go back to the copy `name`: a file, the name of one in the backups folder, or "latest"."""
    source = _source(paths, name)
    return Restored(source, backup.restore(paths.database, source, paths.backups, now))


def _source(paths: Paths, name: str) -> Path:
    from pathlib import Path

    if name == LATEST:
        newest = backup.newest(paths.backups)
        if newest is None:
            raise UsageError(
                f"There is no backup in {paths.backups}.",
                hint="`studytool backup` makes one.",
            )
        return newest.path
    path = Path(name)
    inside = paths.backups / name
    return inside if not path.exists() and inside.exists() else path


def _check_target(target: Path, database: Path) -> None:
    """A copy may replace an older copy, and nothing else."""
    if target.is_dir():
        raise UsageError(f"{target} is a folder.", hint="--to takes the name of a file.")
    if not target.exists():
        return
    if target.samefile(database):
        raise UsageError(f"{target} is the database itself.", hint="Choose another name.")
    try:
        backup.verify(target)
    except StorageError as error:
        raise UsageError(
            f"{target} exists and is no copy of a studytool database.",
            hint="Choose another name; it was not touched.",
        ) from error
