"""Bad situations: one clear error of the right class, exit code 3, and nothing lost."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from studytool.errors import (
    StorageCorrupt,
    StorageError,
    StorageFull,
    StorageLocked,
    StorageReadOnly,
    StorageUnwritable,
)
from studytool.paths import Paths
from studytool.schedule.model import Rating
from studytool.store import backup, engine, open_store, peek
from studytool.store.faults import translate
from studytool.store.lock import InstanceLock
from tests.unit.store_kit import DECK, add_cards, answer, sample_cards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studytool.clock import FixedClock

NOBODY = 65534
needs_posix = pytest.mark.skipif(os.name == "nt", reason="permissions and users are POSIX's")


def with_one_answer(paths: Paths, clock: FixedClock) -> None:
    with open_store(paths, clock) as store:
        add_cards(store, *sample_cards())
        store.record(answer(store, "alpha", Rating.EASY))


def assert_nothing_lost(paths: Paths, clock: FixedClock) -> None:
    with open_store(paths, clock) as store:
        assert store.state("alpha").reps == 1
        assert store.examine().sound


def assert_told(error: StorageError) -> None:
    assert error.exit_code == 3
    assert error.message.endswith(".")
    assert error.hint


def test_locked_by_another_instance(paths: Paths, clock: FixedClock) -> None:
    with_one_answer(paths, clock)
    with open_store(paths, clock) as store:
        with pytest.raises(StorageLocked, match=f"process {os.getpid()}") as caught:
            open_store(paths, clock)
        assert_told(caught.value)
        assert str(paths.database) in caught.value.message
        # Readers still work, and so does the one that has it open.
        assert peek.peek_counts(paths.database, DECK, store.moment()).new == 5
        store.record(answer(store, "beta"))
    assert_nothing_lost(paths, clock)


def test_the_lock_goes_with_the_process(paths: Paths, clock: FixedClock) -> None:
    code = (
        "import os, signal; from studytool.clock import SystemClock; "
        "from studytool.paths import default_paths; from studytool.store import open_store; "
        "store = open_store(default_paths(), SystemClock()); print(os.getpid(), flush=True); "
        "input()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        pid = child.stdout.readline().strip()
        with pytest.raises(StorageLocked, match=f"process {pid}"):
            open_store(paths, clock)
    finally:
        child.kill()
        child.communicate()
    open_store(paths, clock).close()


def test_a_lock_is_released_when_opening_fails(paths: Paths, clock: FixedClock) -> None:
    paths.data.mkdir(parents=True)
    paths.database.write_bytes(b"no database at all, but long enough to be looked at" * 50)
    for _ in range(2):
        with pytest.raises(StorageCorrupt):
            open_store(paths, clock)
    InstanceLock(paths.database).release()


def test_a_corrupt_file_names_the_newest_backup(paths: Paths, clock: FixedClock) -> None:
    with_one_answer(paths, clock)
    clock.advance(timedelta(days=1))
    with open_store(paths, clock) as store:
        store.keep_daily_copy()
    (saved,) = backup.listed(paths.backups)
    damaged = b"x" * 100 + paths.database.read_bytes()[100:]
    paths.database.write_bytes(damaged)
    with pytest.raises(StorageCorrupt, match="damaged") as caught:
        open_store(paths, clock)
    assert_told(caught.value)
    assert saved.name in caught.value.hint
    assert "studytool restore latest" in caught.value.hint
    assert paths.database.read_bytes() == damaged  # left as it is

    aside = backup.restore(paths.database, saved.path, paths.backups, clock.now())
    assert aside is not None
    assert aside.read_bytes() == damaged
    assert_nothing_lost(paths, clock)


def test_a_corrupt_file_without_a_backup(paths: Paths, clock: FixedClock) -> None:
    paths.data.mkdir(parents=True)
    paths.database.write_bytes(b"\0" * 4096)
    with pytest.raises(StorageCorrupt) as caught:
        open_store(paths, clock)
    assert "no backup" in caught.value.hint


def test_damage_inside_is_found_by_the_daily_copy(paths: Paths, clock: FixedClock) -> None:
    """A page that nothing has read yet is read by the copy of the day, and checked."""
    with_one_answer(paths, clock)
    with closing(sqlite3.connect(paths.database)) as connection:
        page = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'demo_runs'"
        ).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    data = bytearray(paths.database.read_bytes())
    data[(page - 1) * size : page * size] = b"\xff" * size
    paths.database.write_bytes(data)
    clock.advance(timedelta(days=1))
    with open_store(paths, clock) as store:
        before = list(store.events())
        for write in (store.keep_daily_copy, lambda: store.save_draft("key", "text")):
            with pytest.raises(StorageCorrupt) as caught:
                write()
            assert str(paths.database) in caught.value.message
        assert list(store.events()) == before


@pytest.mark.parametrize("fill", ["record", "sync", "draft"])
def test_a_full_disk(paths: Paths, clock: FixedClock, fill: str) -> None:
    """SQLite's own limit on pages gives the error of a full disk at the same place."""
    with_one_answer(paths, clock)
    with open_store(paths, clock) as store:
        raw = store.database.raw
        review = answer(store, "beta")
        before = list(store.events()), store.states(DECK), store.known_files(DECK)
        raw.execute(f"PRAGMA max_page_count = {raw.execute('PRAGMA page_count').fetchone()[0]}")
        with pytest.raises(StorageFull, match="no room") as caught:
            for number in range(500):
                match fill:
                    case "record":
                        store.record(review)
                    case "sync":
                        store.sync_files(DECK, "f", [(f"{number}" * 2000, "h", [])], [])
                    case _:
                        store.save_draft(str(number), "a long answer " * 200)
        assert_told(caught.value)
        assert not raw.in_transaction
        raw.execute("PRAGMA max_page_count = 1000000")
        if fill == "sync":
            assert list(store.events()) == before[0]
        store.record(review)  # there is room again, and the same store goes on
        assert store.examine().sound
    assert_nothing_lost(paths, clock)


def test_a_real_full_disk(clock: FixedClock) -> None:
    """A file system of two megabytes, where this may be mounted."""
    with small_disk() as folder:
        paths = Paths(folder, folder, folder, folder)
        acknowledged = 0
        with open_store(paths, clock) as store:
            add_cards(store, *sample_cards())
            with pytest.raises(StorageFull) as caught:
                for _ in range(5000):
                    store.record(answer(store, "alpha"))
                    acknowledged += 1
            assert_told(caught.value)
        with open_store(paths, clock) as store:
            assert acknowledged > 20
            assert sum(1 for _ in store.events()) == acknowledged + 1  # and the policy


@contextmanager
def small_disk() -> Iterator[Path]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting needs root on Linux")
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "studytool-test", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("this machine does not allow mounting a tmpfs")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def test_a_disk_too_full_for_the_daily_copy_does_not_stop_studying(
    paths: Paths, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_one_answer(paths, clock)

    def no_room(*args: object, **kwargs: object) -> None:
        raise StorageFull("There is no room left.", hint="Free some.")

    monkeypatch.setattr(backup, "copy", no_room)
    with open_store(paths, clock) as store:
        store.record(answer(store, "beta"))
        assert "no backup of today" in store.warnings[0]
        assert len(store.warnings) == 1
        store.record(answer(store, "beta"))
        assert len(store.warnings) == 1


@needs_posix
def test_a_read_only_file(clock: FixedClock) -> None:
    with as_a_user_without_rights() as paths:
        with_one_answer(paths, clock)
        hand_over(paths.data)
        paths.database.chmod(0o444)
        with as_nobody(), pytest.raises(StorageReadOnly, match="read-only") as caught:
            open_store(paths, clock)
        assert_told(caught.value)
        paths.database.chmod(0o644)
        assert_nothing_lost(paths, clock)


@needs_posix
def test_an_unwritable_folder(clock: FixedClock) -> None:
    with as_a_user_without_rights() as paths:
        with_one_answer(paths, clock)
        hand_over(paths.data)
        paths.data.chmod(0o555)
        with as_nobody():
            with pytest.raises(StorageUnwritable) as caught:
                open_store(paths, clock)
            moment_day = clock.now().date().toordinal()
            counts = peek.peek_done(paths.database, moment_day)
        assert_told(caught.value)
        assert counts == (1, 0)  # reading still works
        paths.data.chmod(0o755)
        assert_nothing_lost(paths, clock)


@contextmanager
def as_a_user_without_rights() -> Iterator[Paths]:
    """Folders that another user may enter; pytest's own may not be entered by anybody else."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        yield Paths(root / "data", root / "config", root / "cache", root / "state")


def hand_over(folder: Path) -> None:
    """Make a folder and its files those of the user that `as_nobody` becomes."""
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write everywhere, so root becomes somebody else for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_below_a_file(paths: Paths, clock: FixedClock) -> None:
    paths.data.parent.mkdir(parents=True, exist_ok=True)
    paths.data.write_text("a file where the folder should be")
    with pytest.raises(StorageUnwritable) as caught:
        open_store(paths, clock)
    assert_told(caught.value)
    assert "STUDYTOOL_HOME" in caught.value.hint


def test_a_path_that_is_a_folder(paths: Paths, clock: FixedClock) -> None:
    paths.database.mkdir(parents=True)
    with pytest.raises(StorageUnwritable, match="folder") as caught:
        open_store(paths, clock)
    assert_told(caught.value)


def test_another_program_holds_the_file(
    paths: Paths, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_one_answer(paths, clock)
    quick = tuple(
        "PRAGMA busy_timeout = 10" if "busy" in pragma else pragma for pragma in engine._PRAGMAS
    )
    monkeypatch.setattr(engine, "_PRAGMAS", quick)
    with open_store(paths, clock) as store, closing(sqlite3.connect(paths.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageLocked) as caught:
            store.record(answer(store, "beta"))
        assert_told(caught.value)
        other.rollback()
        store.record(answer(store, "beta"))
        assert store.examine().sound


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, StorageFull),
        (sqlite3.SQLITE_BUSY, StorageLocked),
        (sqlite3.SQLITE_READONLY, StorageReadOnly),
        (sqlite3.SQLITE_NOTADB, StorageCorrupt),
        (sqlite3.SQLITE_CORRUPT | (1 << 8), StorageCorrupt),  # an extended code
        (sqlite3.SQLITE_CANTOPEN, StorageUnwritable),
        (sqlite3.SQLITE_IOERR, StorageError),
    ],
)
def test_every_code_has_its_class(tmp_path: Path, code: int, kind: type[StorageError]) -> None:
    error = sqlite3.OperationalError("words of SQLite")
    error.sqlite_errorcode = code
    told = translate(error, tmp_path / "collection.db")
    assert type(told) is kind
    assert_told(told)
    assert str(tmp_path) in told.message


def test_a_full_disk_said_by_the_system(tmp_path: Path) -> None:
    told = translate(OSError(28, "No space left on device"), tmp_path / "collection.db")
    assert type(told) is StorageFull
