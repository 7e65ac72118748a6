"""The event log and its projection: record, undo, read back.

One call writes one transaction: the events, the cards they touch, and the daily numbers; it
returns after the commit. Nothing outside this module and doctor.py writes these tables.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
from sqlalchemy import func, literal_column, select

from studytool.clock import study_day
from studytool.schedule import projection
from studytool.schedule.model import (
    CardState,
    LogEvent,
    Moment,
    PolicySet,
    Review,
    Undo,
    policy_id,
)
from studytool.store import statements as sql
from studytool.store.faults import translate
from studytool.store.figures import DayNumbers
from studytool.store.folding import FRESH, Folded, difference, fold, numbers_of
from studytool.store.rows import (
    EVENT_FIELDS,
    STATE_FIELDS,
    decode_body,
    encode_body,
    event_of,
    state_of,
    state_row,
)
from studytool.store.tables import card_state, events, items

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from studytool.clock import Clock
    from studytool.schedule.model import Body, Policy
    from studytool.store.engine import Database

_EVENT_COLUMNS = [events.c[name] for name in EVENT_FIELDS]
_STATE_COLUMNS = [card_state.c[name] for name in STATE_FIELDS]


class Log:
    """The log of one database, written in the name of one device."""

    def __init__(self, database: Database, clock: Clock, device: str, rollover_hour: int) -> None:
        self._db = database
        self._clock = clock
        self.device = device
        self.rollover_hour = rollover_hour
        #: What was read last, since the card on the table is the one answered next. It can't
        #: go stale: by the instance lock nobody else writes, and each write forgets it.
        self._last: tuple[str, CardState | None, int] | None = None
        self.refresh()

    def refresh(self) -> None:
        """Read again what is kept in memory of the log: the last number, the policies."""
        self._last = None
        newest = self._db.first(
            select(func.max(events.c.seq)).where(events.c.device == self.device)
        )
        self._seq: int = (newest and newest[0]) or 0
        foreign = select(events.c.id).where(events.c.device != self.device).limit(1)
        self._alone = self._db.first(foreign) is None
        # The literal is what the partial index names; a bound value would not use it.
        policies = select(events.c.body).where(events.c.type == literal_column("'policyset'"))
        bodies = (decode_body(row.body) for row in self._db.all(policies))
        self.policies: dict[str, Policy] = {
            body.id: body.policy for body in bodies if isinstance(body, PolicySet)
        }

    @property
    def empty(self) -> bool:
        """Whether nothing was ever recorded here."""
        return self._seq == 0 and self._alone

    def moment(self) -> Moment:
        """Now, as the schedule sees it."""
        now = self._clock.now()
        day = study_day(now, self.rollover_hour, self._clock.zone())
        return Moment(int(now.timestamp() * 1000), day.toordinal())

    # writing

    def record(self, bodies: Sequence[Body], uuids: Sequence[str] = ()) -> list[LogEvent]:
        """Append `bodies` as one step of the user's, in one transaction.

        `uuids` names them when the caller has drawn them already (a review's UUID seeds its
        fuzz). The `before` of a review is set to the state it is given in. Raises StorageError;
        then nothing was written.
        """
        moment = self.moment()
        names = list(uuids) or [uuid4().hex for _ in bodies]
        set_now = {body.id: body.policy for body in bodies if isinstance(body, PolicySet)}
        policies = self.policies | set_now if set_now else self.policies
        written: list[LogEvent] = []
        with self._db.transaction():
            for uuid, body in zip(names, bodies, strict=True):
                event = LogEvent(
                    uuid=uuid,
                    device=self.device,
                    seq=self._seq + len(written) + 1,
                    at_ms=moment.at_ms,
                    day=moment.day,
                    body=body,
                    group=names[0],
                )
                written.append(self._append(event, policies))
        self._seq += len(written)
        self.policies = policies
        return written

    def undo(self) -> tuple[LogEvent, LogEvent] | None:
        """Take back the newest step of this device: the first tombstone and what it undid.

        None when there is nothing left to undo. A step of several events (an answer and the
        burying that came with it) goes as a whole.
        """
        with self._db.reading() as raw:
            row = raw.execute(sql.SELECT_NEWEST, (self.device,)).fetchone()
            if row is None:
                return None
            newest = event_of(row)
            key = (self.device, newest.seq, newest.group)
            step = [event_of(row) for row in raw.execute(sql.SELECT_STEP, key)]
        touched = {card for event in step if (card := projection.touched_card(event))}
        moment = self.moment()
        group = uuid4().hex
        tombstones: list[LogEvent] = []
        with self._db.transaction() as raw:
            old = {card: self._fold(card, self.policies) for card in touched}
            for event in step:
                tombstone = LogEvent(
                    uuid=uuid4().hex if tombstones else group,
                    device=self.device,
                    seq=self._seq + len(tombstones) + 1,
                    at_ms=moment.at_ms,
                    day=moment.day,
                    body=Undo(target=event.uuid, card=getattr(event.body, "card", None)),
                    group=group,
                )
                self._insert(tombstone)
                raw.execute(sql.INSERT_UNDONE, (event.uuid,))
                tombstones.append(tombstone)
            for card in touched:
                self._write(card, self._fold(card, self.policies), old[card])
        self._seq += len(tombstones)
        return tombstones[0], step[0]

    def ensure_policy(self, policy: Policy) -> str:
        """The id of `policy`; logs it when the log doesn't hold it yet."""
        name = policy_id(policy)
        if name not in self.policies:
            self.record([PolicySet(id=name, policy=policy)])
        return name

    def _append(self, event: LogEvent, policies: Mapping[str, Policy]) -> LogEvent:
        """Insert one new event and bring its card up to date. Returns it as it was written."""
        body = event.body
        if isinstance(body, Undo):
            raise ValueError("an Undo is recorded by undo(), which also takes the step back")
        card = projection.touched_card(event)
        if card is None:
            self._insert(event)
            return event
        state, head_at = self._state_and_head(card)
        before = state or FRESH
        if isinstance(body, Review) and body.before != before:
            event = msgspec.structs.replace(
                event, body=msgspec.structs.replace(body, before=before)
            )
        if event.at_ms > head_at or (event.at_ms == head_at and self._alone):
            self._insert(event)
            after = projection.apply(before, event, policies)
            self._db.raw.execute(sql.UPSERT_STATE, (card, *state_row(after), event.at_ms))
            numbers = numbers_of(event, before)
            if numbers is not None:
                self._db.raw.execute(sql.ADD_ANSWER, numbers)
        else:
            # The clock went back, or another device was ahead: the log's order decides.
            old = self._fold(card, policies)
            self._insert(event)
            self._write(card, self._fold(card, policies), old)
        return event

    def _insert(self, event: LogEvent) -> None:
        body = event.body
        self._db.raw.execute(
            sql.INSERT_EVENT,
            (
                event.uuid,
                event.device,
                event.seq,
                event.at_ms,
                event.day,
                type(body).__name__.lower(),
                getattr(body, "card", None),
                event.group,
                encode_body(body).decode(),
            ),
        )

    def _fold(self, card: str, policies: Mapping[str, Policy]) -> Folded:
        rows = self._db.raw.execute(sql.SELECT_LIVE, (card,))
        return fold(map(event_of, rows), policies)

    def _write(self, card: str, new: Folded, old: Folded) -> None:
        """Replace what stands of `card` by `new`, and correct the daily numbers."""
        raw = self._db.raw
        self._last = None
        if new.state is None:
            raw.execute(sql.DELETE_STATE, (card,))
        else:
            raw.execute(sql.UPSERT_STATE, (card, *state_row(new.state), new.head_at))
        for change in difference(new.days, old.days):
            raw.execute(sql.INSERT_DAY, DayNumbers(change.day))
            raw.execute(sql.SHIFT_DAY, (*change[1:], change.day))
            raw.execute(sql.DELETE_EMPTY_DAY, (change.day,))

    # reading

    def state(self, card: str) -> CardState:
        """What the log says of a card; a fresh state for one it doesn't know."""
        try:
            state, head_at = self._state_and_head(card)
        except sqlite3.Error as error:
            raise translate(error, self._db.path) from error
        self._last = (card, state, head_at)
        return state or CardState()

    def states(self, deck_id: int) -> Iterator[tuple[str, CardState]]:
        """The cards of a deck that the log knows, with their states."""
        query = (
            select(*_STATE_COLUMNS, card_state.c.card)
            .join(items, items.c.card == card_state.c.card)
            .where(items.c.deck_id == deck_id)
            .order_by(items.c.position, items.c.card)
        )
        for row in self._db.stream(query):
            yield row[-1], state_of(row)

    def events(
        self, *, card: str | None = None, since: int | None = None, kinds: Sequence[str] = ()
    ) -> Iterator[LogEvent]:
        """The log in its total order: all of it, of one card, from the time `since` (ms) on, or of
        some `kinds` (the tags of the bodies)."""
        query = select(*_EVENT_COLUMNS).order_by(events.c.at_ms, events.c.device, events.c.seq)
        if card is not None:
            query = query.where(events.c.card == card)
        if since is not None:
            query = query.where(events.c.at_ms >= since)
        if kinds:
            query = query.where(events.c.type.in_(kinds))
        return map(event_of, self._db.stream(query))

    def _state_and_head(self, card: str) -> tuple[CardState | None, int]:
        last, self._last = self._last, None
        if last is not None and last[0] == card:
            return last[1], last[2]
        row = self._db.raw.execute(sql.SELECT_STATE, (card,)).fetchone()
        return (None, 0) if row is None else (state_of(row), row[-1])
