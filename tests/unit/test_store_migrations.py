"""The schema: what the migrations make, what the tables say, and the way from one to the next."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Float, Integer, Text

from studytool.errors import StorageError, StorageFull, StorageTooNew
from studytool.schedule.model import CardState
from studytool.store import backup, doctor, migrate, open_store
from studytool.store.engine import Database
from studytool.store.header import APPLICATION_ID, SCHEMA
from studytool.store.tables import metadata
from tests.unit.store_kit import POLICY

if TYPE_CHECKING:
    from studytool.clock import FixedClock
    from studytool.paths import Paths

FIXTURES = Path(__file__).parents[1] / "fixtures" / "store"
VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"
_SQL_TYPES = {Integer: "INTEGER", Text: "TEXT", Float: "REAL"}


def schema(paths: Paths, clock: FixedClock) -> sqlite3.Connection:
    open_store(paths, clock).close()
    return sqlite3.connect(paths.database)


def test_the_tables_are_what_the_migrations_make(paths: Paths, clock: FixedClock) -> None:
    with closing(schema(paths, clock)) as connection:
        made = {
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        assert made == {*metadata.tables, "alembic_version"}
        for table in metadata.tables.values():
            rows = connection.execute(f"PRAGMA table_xinfo({table.name})").fetchall()
            found = {
                name: (type_, bool(notnull), key > 0, hidden > 0)
                for _, name, type_, notnull, _, key, hidden in rows
            }
            expected = {
                column.name: (
                    _SQL_TYPES[type(column.type)],
                    not column.nullable,
                    column.primary_key,
                    column.computed is not None,
                )
                for column in table.columns
            }
            assert found == expected, table.name


def test_keys_constraints_and_triggers(paths: Paths, clock: FixedClock) -> None:
    with closing(schema(paths, clock)) as connection:
        for table in metadata.tables.values():
            rows = connection.execute(f"PRAGMA foreign_key_list({table.name})").fetchall()
            found = {(row[2], row[3], row[4]) for row in rows}
            expected = {
                (key.column.table.name, key.parent.name, key.column.name)
                for key in table.foreign_keys
            }
            assert found == expected, table.name
        triggers = {
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            )
        }
        assert triggers == doctor.TRIGGERS
        lax = connection.execute(
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' "
            "AND NOT strict AND name NOT LIKE 'sqlite%' AND name <> 'alembic_version'"
        ).fetchall()
        assert lax == []


def test_every_constraint_has_a_name(paths: Paths, clock: FixedClock) -> None:
    with closing(schema(paths, clock)) as connection:
        for name, text in connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'"
        ):
            keywords = re.findall(r"\b(?:PRIMARY KEY|UNIQUE|FOREIGN KEY|CHECK)\b", text)
            named = re.findall(rf"\bCONSTRAINT (?:pk|uq|fk|ck)_{name}", text)
            assert len(keywords) == len(named), name


def test_the_revisions_are_one_line_up_to_the_schema(paths: Paths, clock: FixedClock) -> None:
    files = sorted(path.name for path in VERSIONS.glob("m*.py"))
    assert [int(name[1:5]) for name in files] == list(range(1, SCHEMA + 1))
    with closing(schema(paths, clock)) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        assert row == [(f"{SCHEMA:04d}",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


def test_alembic_is_imported_only_for_a_migration(paths: Paths, clock: FixedClock) -> None:
    open_store(paths, clock).close()
    code = (
        "import sys; from studytool.store import open_store; from studytool.clock import "
        "SystemClock; from studytool.paths import default_paths; "
        "open_store(default_paths(), SystemClock()).close(); "
        "print('alembic' in sys.modules, 'sqlalchemy.orm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("fixture", sorted(FIXTURES.glob("*.sql")), ids=lambda path: path.stem)
def test_a_stored_database_is_upgraded(fixture: Path, paths: Paths, clock: FixedClock) -> None:
    """Databases as earlier releases left them: nothing is lost, and a backup is made first."""
    paths.data.mkdir(parents=True)
    with closing(sqlite3.connect(paths.database)) as connection:
        connection.executescript(fixture.read_text(encoding="utf-8"))
        events = connection.execute("SELECT * FROM events ORDER BY id").fetchall()
        states = connection.execute("SELECT * FROM card_state ORDER BY card").fetchall()
    assert events

    with open_store(paths, clock) as store:
        raw = store.database.raw
        assert raw.execute("SELECT * FROM events ORDER BY id").fetchall() == events
        assert raw.execute("SELECT * FROM card_state ORDER BY card").fetchall() == states
        assert store.examine().sound
        assert store.runs("skipgram") == []
        assert store.draft("alpha") is None
        assert store.undo() is not None
        assert store.ensure_policy(POLICY) in store.log.policies

    (saved,) = [one for one in backup.listed(paths.backups) if one.reason == backup.MIGRATION]
    assert backup.verify(saved.path) == int(fixture.stem[:4])


def test_a_migration_that_fails_leaves_the_old_schema(
    paths: Paths, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.data.mkdir(parents=True)
    with closing(sqlite3.connect(paths.database)) as connection:
        fixture = FIXTURES / "0001_answers.sql"
        connection.executescript(fixture.read_text(encoding="utf-8"))
    raw_execute = Database.migration

    def cut(database: Database) -> object:
        database.raw.execute("PRAGMA max_page_count = 1")  # SQLite then keeps what there is
        return raw_execute(database)

    monkeypatch.setattr(Database, "migration", cut)
    with pytest.raises(StorageFull):
        open_store(paths, clock)
    monkeypatch.undo()
    with closing(sqlite3.connect(paths.database)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'drafts'")
        assert tables.fetchall() == []
    with open_store(paths, clock) as store:
        assert store.state("alpha") != CardState()


def test_a_newer_schema_is_left_alone(paths: Paths, clock: FixedClock) -> None:
    schema(paths, clock).close()
    with closing(sqlite3.connect(paths.database)) as connection:
        connection.execute("PRAGMA user_version = 999")
    before = paths.database.read_bytes()
    with pytest.raises(StorageTooNew, match="999") as caught:
        open_store(paths, clock)
    assert "Upgrade studytool" in caught.value.hint
    assert caught.value.exit_code == 3
    assert paths.database.read_bytes() == before


def test_the_database_of_another_program_is_left_alone(paths: Paths, clock: FixedClock) -> None:
    paths.data.mkdir(parents=True)
    with closing(sqlite3.connect(paths.database)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.commit()
    with pytest.raises(StorageError, match="another program") as caught:
        open_store(paths, clock)
    assert caught.value.exit_code == 3
    with closing(sqlite3.connect(paths.database)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master").fetchall()
        assert names == [("theirs",)]
