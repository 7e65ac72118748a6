"""The store: one object in front of the log, the copy of the deck, and the queries.

Opened once, used from one thread at a time (which need not be the one that opened it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from studytool.clock import study_day
from studytool.errors import StorageCorrupt, StorageError, StorageFull
from studytool.store import backup, doctor, extras, queries
from studytool.store.deckcopy import DeckCopy
from studytool.store.engine import Database
from studytool.store.faults import corrupt, storage_errors, unwritable
from studytool.store.interviews import Interviews
from studytool.store.lock import InstanceLock
from studytool.store.log import Log
from studytool.store.migrate import upgrade
from studytool.store.tables import meta, ready_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from types import TracebackType

    from studytool.clock import Clock
    from studytool.deck.model import Card, Located
    from studytool.paths import Paths
    from studytool.schedule.model import Body, CardState, LogEvent, Moment, Policy
    from studytool.store.figures import ChapterNumbers, Counts, DayNumbers
    from studytool.store.records import (
        ClaimRecord,
        DemoRunRecord,
        DueRow,
        PredictionRecord,
        StoredCard,
        SyncReport,
    )


def open_store(
    paths: Paths, clock: Clock, *, device: str | None = None, rollover_hour: int = 4
) -> Store:
    """Open the collection of this profile, creating or migrating it where needed.

    Takes the instance lock, backs up before a migration and before a study day's first write. `device` names
    the writer of the log; None takes the one this database remembers. Raises StorageLocked,
    StorageReadOnly, StorageCorrupt, StorageTooNew, StorageFull or StorageUnwritable; then the
    file is as it was.
    """
    path = paths.database
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise unwritable(path, "it is a folder")
    lock = InstanceLock(path)
    database: Database | None = None
    try:
        database = Database(path)
        store = Store(paths, clock, database, lock)
        store._prepare(device, rollover_hour)
    except BaseException:
        if database is not None:
            database.close()
        lock.release()
        raise
    return store


class Store:
    """See `open_store`. A context manager; every method raises StorageError when the disk does."""

    def __init__(self, paths: Paths, clock: Clock, database: Database, lock: InstanceLock) -> None:
        self.paths = paths
        self.database = database
        #: What the user should be told once, such as a daily backup that found no room.
        self.warnings: list[str] = []
        self._clock = clock
        self._lock = lock
        self._deck = DeckCopy(database)
        #: The mock interviews.
        self.interviews = Interviews(database)
        self.log: Log

    def _prepare(self, device: str | None, rollover_hour: int) -> None:
        upgrade(self.database, lambda: self.back_up(backup.MIGRATION))
        with self.database.transaction():  # A file that can't be written is found out here.
            self.database.run(delete(ready_counts).where(ready_counts.c.n == 0))
        self.log = Log(self.database, self._clock, device or self._device(), rollover_hour)
        if not self.log.empty and self._copy_is_due():
            self.database.before_write = self.keep_daily_copy

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let another studytool in. May be called twice."""
        self.database.close()
        self._lock.release()

    # the copy of the deck

    def known_files(self, deck: str) -> dict[str, str]:
        """The files the deck was last read from, with the hashes they had."""
        return self._deck.known_files(deck)

    def sync_files(
        self,
        deck: str,
        folder: str,
        changed: Sequence[tuple[str, str, Sequence[Located]]],
        removed: Sequence[str],
    ) -> SyncReport:
        """Take over changed files (path, hash, cards), forget removed ones; keeps all memory."""
        return self._deck.sync(deck, folder, changed, removed)

    def card(self, deck: str, card_id: str) -> StoredCard | None:
        """A card of the deck, also by the id of a cloze sibling and also when retired."""
        return self._deck.card(deck, card_id)

    def cards(self, deck: str, *, retired: bool = False) -> Iterator[StoredCard]:
        """The cards of a deck in study order; with `retired`, those that went away."""
        return self._deck.cards(deck, retired=retired)

    def old_text(self, card_id: str, content_hash: str) -> Card | None:
        """A card as it read when its content had that hash, for "changed since your last review"."""
        return self._deck.old_text(card_id, content_hash)

    # the log

    def moment(self) -> Moment:
        """Now, as the next event would be stamped."""
        return self.log.moment()

    def record(self, body: Body, *, uuid: str | None = None) -> LogEvent:
        """Write one event and the rows it changes: one transaction, one fsync; returns after it."""
        return self.log.record([body], [uuid] if uuid else ())[0]

    def record_many(self, bodies: Sequence[Body], *, uuid: str | None = None) -> list[LogEvent]:
        """Write several events as one step, undone as one; `uuid` names the first."""
        uuids = [uuid, *(uuid4().hex for _ in bodies[1:])] if uuid else ()
        return self.log.record(bodies, uuids) if bodies else []

    def undo(self) -> tuple[LogEvent, LogEvent] | None:
        """Take back this device's newest step; (tombstone, first event of the step) or None."""
        return self.log.undo()

    def events(
        self, *, card: str | None = None, since: int | None = None, kinds: Sequence[str] = ()
    ) -> Iterator[LogEvent]:
        """The log in its total order: all, of one card, since a time (UTC ms), or of some kinds."""
        return self.log.events(card=card, since=since, kinds=kinds)

    def state(self, card_id: str) -> CardState:
        """What the log says of a card."""
        return self.log.state(card_id)

    def states(self, deck: str) -> Iterator[tuple[str, CardState]]:
        """The cards of a deck that the log knows, with their states, in study order."""
        return self.log.states(self._deck.deck_id(deck))

    def ensure_policy(self, policy: Policy) -> str:
        """The id of a policy, logged once."""
        return self.log.ensure_policy(policy)

    # what is due

    def due(
        self,
        deck: str,
        moment: Moment,
        *,
        chapters: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[DueRow]:
        """Cards in learning or review that may be served today, learning first."""
        return queries.due(self.database, self._deck.deck_id(deck), moment, chapters, limit)

    def new_cards(
        self,
        deck: str,
        moment: Moment,
        *,
        chapters: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[DueRow]:
        """Cards never answered, in study order, prerequisites first."""
        return queries.new_cards(self.database, self._deck.deck_id(deck), moment, chapters, limit)

    def siblings(self, deck: str, moment: Moment) -> list[tuple[str, int]]:
        """(card of the deck, Kind) of each cloze sibling that may be served today."""
        return queries.siblings(self.database, self._deck.deck_id(deck), moment)

    def counts(self, deck: str, moment: Moment) -> Counts:
        """How many cards may be served today, before the limits of the day."""
        return queries.counts(self.database, self._deck.deck_id(deck), moment)

    def chapter_rows(self, deck: str, moment: Moment) -> list[ChapterNumbers]:
        """The numbers of each chapter, by name; `memories` gives what readiness is made of."""
        return queries.chapters(self.database, self._deck.deck_id(deck), moment)

    def memories(self, deck: str) -> Iterator[tuple[str, float, int]]:
        """(chapter, stability, last study day) of each card with a memory."""
        return queries.memories(self.database, self._deck.deck_id(deck))

    def ahead(self, deck: str, moment: Moment) -> list[tuple[int, int]]:
        """(study day, cards) for the coming days on which cards fall due."""
        return queries.ahead(self.database, self._deck.deck_id(deck), moment)

    def done_today(self, day: int) -> tuple[int, int]:
        """(new cards introduced, reviews answered) on a study day, over all decks."""
        return queries.done_today(self.database, day)

    def days(self, first: int, last: int) -> list[DayNumbers]:
        """The study days from `first` to `last` that have answers."""
        return queries.days(self.database, first, last)

    # demos and drafts

    def save_run(self, run: DemoRunRecord) -> int:
        """Store a run of a demo; returns its id."""
        return extras.save_run(self.database, run)

    def runs(self, demo_id: str) -> list[DemoRunRecord]:
        """The runs of a demo, newest first."""
        return extras.runs(self.database, demo_id)

    def last_claims(self, demo_id: str) -> dict[str, ClaimRecord]:
        """Each claim of a demo as the newest finished run measured it."""
        return extras.last_claims(self.database, demo_id)

    def save_prediction(self, prediction: PredictionRecord) -> int:
        """Store a guess with its outcome; returns its id."""
        return extras.save_prediction(self.database, prediction)

    def predictions(self, demo_id: str) -> list[PredictionRecord]:
        """The predictions about a demo, newest first."""
        return extras.all_predictions(self.database, demo_id)

    def save_draft(self, key: str, text: str) -> None:
        """Keep an answer half typed; it survives a kill and is no part of the log."""
        extras.save_draft(self.database, key, text, self.moment().at_ms)

    def draft(self, key: str) -> str | None:
        """The half-typed answer under `key`, or None."""
        return extras.draft(self.database, key)

    def clear_draft(self, key: str) -> None:
        """Forget the draft under `key`."""
        extras.clear_draft(self.database, key)

    # care

    def examine(self, *, quick: bool = False, rebuild: bool = False) -> doctor.Report:
        """Check the file and compare the derived tables with the log; see doctor.py."""
        return doctor.examine(self.database, self.log, quick=quick, rebuild=rebuild)

    def back_up(self, reason: str = backup.MANUAL) -> str:
        """Save a verified copy in the backups folder; returns its name.

        Raises StorageCorrupt when the copy, and so this database, is damaged.
        """
        now = self._clock.now()
        try:
            return backup.make(self.database.raw, self.paths.backups, now, reason).name
        except StorageCorrupt as error:
            raise corrupt(self.paths.database, error.message) from error

    def keep_daily_copy(self) -> None:
        """Save the copy of the study day, unless there is one; without room for it, studying goes on.

        Called when there is time for it, and at the latest by the first write of the day. Raises
        StorageCorrupt when the copy, and so this database, is damaged.
        """
        if self.log.empty or not self._copy_is_due():
            return
        try:
            self.back_up(backup.DAILY)
            backup.thin(self.paths.backups)
        except StorageFull as error:
            self.warnings.append(f"There is no backup of today: {error.message}")
        self.database.before_write = None

    def _copy_is_due(self) -> bool:
        copies = backup.listed(self.paths.backups)
        last = next((one.made for one in copies if one.reason == backup.DAILY), None)
        return last is None or self._day(last) != self._day(self._clock.now())

    def _day(self, when: datetime) -> int:
        return study_day(when, self.log.rollover_hour, self._clock.zone()).toordinal()

    def _device(self) -> str:
        """The name under which this database writes its log, drawn when it is first opened."""
        query = select(meta.c.value).where(meta.c.key == "device")
        row = self.database.first(query)
        if row is None:
            with self.database.transaction():
                self.database.run(insert(meta).values(key="device", value=uuid4().hex))
            row = self.database.first(query)
        if row is None:
            raise StorageError(
                f"{self.paths.database} has no device.", hint="Run `studytool doctor`."
            )
        return str(row[0])
