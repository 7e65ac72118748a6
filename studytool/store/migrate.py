"""Bring a database file to the present schema; Alembic is imported only when it isn't there yet.

The revision stands twice, and both change in the transaction of the migration: in Alembic's own
table, and as a number in the file's header (PRAGMA user_version), which is read in microseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.store.faults import storage_errors
from studytool.store.header import APPLICATION_ID, SCHEMA, read_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from studytool.store.engine import Database


def upgrade(database: Database, before: Callable[[], object], target: int = SCHEMA) -> bool:
    """Migrate to `target` in one transaction; True when something was done.

    `before` is called first when there is data to lose: it makes the backup. Raises what
    `read_schema` raises, and StorageError when the file can't be written.
    """
    with storage_errors(database.path):
        present = read_schema(database.raw, database.path)
    if present >= target:
        return False
    if present:
        before()
    _run_alembic(database, target)
    return True


def _run_alembic(database: Database, target: int) -> None:
    from pathlib import Path

    from alembic import command
    from alembic.config import Config

    folder = str(Path(__file__).parent / "migrations")
    config = Config()
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["connection"] = database.connection
    with database.migration():
        command.upgrade(config, f"{target:04d}")
        database.raw.execute(f"PRAGMA user_version = {target}")
        database.raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
