"""Copies of the database: made whole, thinned by a rule, and restored without a half-way state."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from studytool.errors import StorageCorrupt, StorageError, StorageLocked, StorageTooNew, UsageError
from studytool.services import keeper
from studytool.store import backup, open_store
from tests.unit.store_kit import DECK, add_cards, answer, sample_cards

if TYPE_CHECKING:
    from pathlib import Path

    from studytool.clock import FixedClock
    from studytool.paths import Paths


def answered(paths: Paths, clock: FixedClock, *cards: str) -> None:
    with open_store(paths, clock) as store:
        add_cards(store, *sample_cards())
        for card in cards:
            store.record(answer(store, card))


def reps(paths: Paths, clock: FixedClock, card: str = "alpha") -> int:
    with open_store(paths, clock) as store:
        assert store.examine().sound
        return store.state(card).reps


def names(paths: Paths, reason: str) -> list[str]:
    return [one.name for one in backup.listed(paths.backups) if one.reason == reason]


def test_a_copy_is_saved_on_each_study_day_when_it_is_asked_for(
    paths: Paths, clock: FixedClock
) -> None:
    answered(paths, clock, "alpha")  # a new database has nothing to save
    assert names(paths, backup.DAILY) == []
    for copies in (0, 1):
        with open_store(paths, clock) as store:
            assert len(names(paths, backup.DAILY)) == copies
            store.keep_daily_copy()
    assert names(paths, backup.DAILY) == ["collection-20261123T100000Z-daily.db"]
    clock.advance(timedelta(hours=17, minutes=59))  # 03:59, still the same study day
    with open_store(paths, clock) as store:
        store.keep_daily_copy()
        assert len(names(paths, backup.DAILY)) == 1
    clock.advance(timedelta(minutes=1))
    with open_store(paths, clock) as store:
        store.keep_daily_copy()
        assert len(names(paths, backup.DAILY)) == 2


@pytest.mark.parametrize("write", ["record", "undo", "sync", "draft"])
def test_the_first_write_of_a_study_day_finds_a_copy_of_what_was_before(
    paths: Paths, clock: FixedClock, write: str
) -> None:
    answered(paths, clock, "alpha")
    clock.advance(timedelta(days=1))
    with open_store(paths, clock) as store:
        before = list(store.events())
        assert names(paths, backup.DAILY) == []
        match write:
            case "record":
                store.record(answer(store, "beta"))
            case "undo":
                store.undo()
            case "sync":
                add_cards(store, *sample_cards()[:2])
            case "draft":
                store.save_draft("key", "text")
        (name,) = names(paths, backup.DAILY)
        store.record(answer(store, "gamma"))
        assert names(paths, backup.DAILY) == [name]
    backup.restore(paths.database, paths.backups / name, paths.backups, clock.now())
    with open_store(paths, clock) as store:
        assert list(store.events()) == before
        assert store.draft("key") is None


def test_a_copy_is_one_sound_file(paths: Paths, clock: FixedClock, tmp_path: Path) -> None:
    answered(paths, clock, "alpha")
    target = tmp_path / "copy.db"
    with open_store(paths, clock) as store:  # also while it is open, and what the log still holds
        store.record(answer(store, "beta"))
        assert keeper.save(paths, clock.now(), target) == target
    assert sorted(path.name for path in tmp_path.iterdir() if "copy" in path.name) == ["copy.db"]
    assert backup.verify(target) == backup.verify(paths.database)
    with closing(sqlite3.connect(target)) as connection:
        count = connection.execute("SELECT count(*) FROM events WHERE type = 'review'").fetchone()
    assert count == (2,)


def test_a_copy_that_does_not_verify_is_not_kept(
    paths: Paths, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(paths, clock, "alpha")
    target = tmp_path / "copy.db"
    keeper.save(paths, clock.now(), target)
    before = target.read_bytes()

    def damaged(path: Path) -> int:
        raise StorageCorrupt(f"{path} is damaged.", hint="")

    monkeypatch.setattr(backup, "verify", lambda path: 2 if path == target else damaged(path))
    with pytest.raises(StorageCorrupt):
        keeper.save(paths, clock.now(), target)
    assert target.read_bytes() == before
    assert not target.with_name("copy.db.part").exists()


def test_where_a_copy_may_go(paths: Paths, clock: FixedClock, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no database"):
        keeper.save(paths, clock.now())
    answered(paths, clock, "alpha")
    with pytest.raises(UsageError, match="folder"):
        keeper.save(paths, clock.now(), tmp_path)
    with pytest.raises(UsageError, match="itself"):
        keeper.save(paths, clock.now(), paths.database)
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear reader, " * 100)
    with pytest.raises(UsageError, match="no copy"):
        keeper.save(paths, clock.now(), letter)
    assert letter.read_text().startswith("Dear reader")
    saved = keeper.save(paths, clock.now())
    assert saved.parent == paths.backups
    assert keeper.save(paths, clock.now()) != saved  # within the same second, too
    assert [one.reason for one in keeper.saved(paths)] == ["manual", "manual"]


def test_restore_takes_the_copy_and_keeps_the_present(paths: Paths, clock: FixedClock) -> None:
    answered(paths, clock, "alpha")
    saved = keeper.save(paths, clock.now())
    answered(paths, clock, "alpha", "alpha")
    assert reps(paths, clock) == 3

    done = keeper.restore(paths, clock.now(), "latest")

    assert done.source == saved
    assert done.aside is not None
    assert reps(paths, clock) == 1
    keeper.restore(paths, clock.now(), done.aside.name)  # a name in the backups folder
    assert reps(paths, clock) == 3


def test_latest_is_never_what_a_restore_put_aside(paths: Paths, clock: FixedClock) -> None:
    answered(paths, clock, "alpha")
    saved = keeper.save(paths, clock.now())
    clock.advance(timedelta(minutes=5))
    keeper.restore(paths, clock.now(), "latest")
    assert names(paths, backup.ASIDE)
    assert keeper.restore(paths, clock.now(), "latest").source == saved


def test_a_restored_log_goes_on_under_another_device(paths: Paths, clock: FixedClock) -> None:
    """Numbers that the old log gave to events after the copy are not given again."""
    answered(paths, clock, "alpha")
    saved = keeper.save(paths, clock.now())
    with open_store(paths, clock) as store:
        device = store.log.device
        lost = store.record(answer(store, "beta"))
    keeper.restore(paths, clock.now(), str(saved))
    with open_store(paths, clock) as store:
        assert store.log.device != device
        event = store.record(answer(store, "alpha"))
        assert (event.device, event.seq) != (lost.device, lost.seq)
        assert store.examine().sound
        assert store.state("alpha").reps == 2
        undone = store.undo()
        assert undone is not None
        assert undone[1] == event
        assert store.undo() is None  # what another device did is not this one's to undo


def test_restore_into_an_empty_profile(paths: Paths, clock: FixedClock, tmp_path: Path) -> None:
    answered(paths, clock, "alpha")
    copy = keeper.save(paths, clock.now(), tmp_path / "copy.db")
    for path in sorted(paths.data.iterdir()):
        if path.is_file():
            path.unlink()
    assert keeper.restore(paths, clock.now(), str(copy)).aside is None
    assert reps(paths, clock) == 1


def test_a_stale_write_ahead_log_is_not_replayed_onto_the_copy(
    paths: Paths, clock: FixedClock
) -> None:
    answered(paths, clock, "alpha")
    saved = keeper.save(paths, clock.now())
    with open_store(paths, clock) as store:
        store.record(answer(store, "alpha"))
        left = paths.database.with_name("collection.db-wal").read_bytes()
        data = paths.database.read_bytes()
    paths.database.write_bytes(data)  # as after a kill: the answer is in the log alone
    paths.database.with_name("collection.db-wal").write_bytes(left)
    done = keeper.restore(paths, clock.now(), str(saved))
    assert reps(paths, clock) == 1
    assert done.aside is not None
    with closing(sqlite3.connect(done.aside)) as connection:
        aside = connection.execute("SELECT count(*) FROM events WHERE type = 'review'").fetchone()
    assert aside == (2,)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", StorageError),
        (b"no database" * 1000, StorageCorrupt),
        (None, UsageError),
    ],
)
def test_what_cannot_be_restored(
    paths: Paths, clock: FixedClock, tmp_path: Path, content: bytes | None, error: type[Exception]
) -> None:
    answered(paths, clock, "alpha")
    before = paths.database.read_bytes()
    source = tmp_path / "source.db"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(error):
        keeper.restore(paths, clock.now(), str(source))
    assert paths.database.read_bytes() == before
    assert not paths.backups.exists()


def test_a_newer_copy_cannot_be_restored(paths: Paths, clock: FixedClock, tmp_path: Path) -> None:
    answered(paths, clock, "alpha")
    source = keeper.save(paths, clock.now(), tmp_path / "newer.db")
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(StorageTooNew):
        keeper.restore(paths, clock.now(), str(source))


def test_nothing_is_restored_while_it_is_open(paths: Paths, clock: FixedClock) -> None:
    answered(paths, clock, "alpha")
    saved = keeper.save(paths, clock.now())
    with open_store(paths, clock), pytest.raises(StorageLocked):
        keeper.restore(paths, clock.now(), str(saved))


def test_no_backup_to_restore(paths: Paths, clock: FixedClock) -> None:
    with pytest.raises(UsageError, match="no backup"):
        keeper.restore(paths, clock.now(), "latest")


def test_a_restore_cut_short_leaves_the_old_database(
    paths: Paths, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(paths, clock, "alpha", "alpha")
    saved = keeper.save(paths, clock.now())
    with open_store(paths, clock) as store:
        store.undo()

    def cut(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    for step in ("_copy", "_set_aside", "_flush"):
        with monkeypatch.context() as patch:
            patch.setattr(backup, step, cut)
            with pytest.raises(KeyboardInterrupt):
                keeper.restore(paths, clock.now(), str(saved))
        assert reps(paths, clock) == 1


def test_thinning_keeps_days_weeks_and_months(tmp_path: Path) -> None:
    first = datetime(2026, 11, 23, 9, tzinfo=UTC)
    for day in range(500):
        for hour in (0, 6):
            made = first - timedelta(days=day, hours=hour)
            (tmp_path / f"collection-{made:%Y%m%dT%H%M%S}Z-daily.db").touch()
    for number in range(5):
        (tmp_path / f"collection-2026010{number + 1}T000000Z-migration.db").touch()
    (tmp_path / "collection-20200101T000000Z-manual.db").touch()
    (tmp_path / "collection-20200101T000000Z-aside.db").touch()
    (tmp_path / "my notes.db").touch()

    backup.thin(tmp_path)

    left = backup.listed(tmp_path)
    daily = [one.made for one in left if one.reason == backup.DAILY]
    assert [made.date() for made in daily[:7]] == [
        (first - timedelta(days=day)).date() for day in range(7)
    ]
    assert daily[0] == first  # the newest of its day
    assert len({(made.year, made.month) for made in daily}) == 12
    assert len(daily) <= 7 + 4 + 12
    assert sum(one.reason == backup.MIGRATION for one in left) == 3
    assert {one.reason for one in left} >= {"manual", "aside"}
    assert (tmp_path / "my notes.db").exists()
    assert backup.thin(tmp_path) == []


def test_counts_after_a_restore(paths: Paths, clock: FixedClock) -> None:
    answered(paths, clock, "alpha")
    saved = keeper.save(paths, clock.now())
    keeper.restore(paths, clock.now(), str(saved))
    with open_store(paths, clock) as store:
        assert store.counts(DECK, store.moment()) == (5, 1, 0)
