"""Is the database sound, and is every derived table what the log says? If not: compute it again."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from studytool.errors import StorageError
from studytool.schedule.model import CardState, Undo
from studytool.store.figures import DayNumbers
from studytool.store.folding import Folded, add, fold
from studytool.store.rows import EVENT_FIELDS, STATE_FIELDS, event_of, state_of, state_row
from studytool.store.tables import card_state, day_stats, events, items, ready_counts, undone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from studytool.store.engine import Database
    from studytool.store.log import Log

#: Without these the log could be changed, or the counts go stale.
TRIGGERS = frozenset(
    {
        "events_no_update",
        "events_no_delete",
        "items_inserted",
        "items_deleted",
        "card_state_inserted",
        "card_state_updated",
        "card_state_deleted",
        "card_state_first_seen",
        "card_state_seen",
        "card_state_unseen",
    }
)
_MOST_SHOWN = 200


class Difference(msgspec.Struct, frozen=True):
    """One value that is not what it should be; both as text, "" for a row that isn't there."""

    where: str
    field: str
    stored: str
    expected: str

    def __str__(self) -> str:
        stored, expected = self.stored or "missing", self.expected or "absent"
        return f"{self.where}: {self.field} is {stored}, should be {expected}"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the doctor found. `faults` can't be rebuilt; `differences` can; `notes` are no fault.

    `differences` holds the first 200; `more` says how many there are beyond.
    """

    events: int
    cards: int
    faults: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    more: int = 0
    notes: tuple[str, ...] = ()
    rebuilt: bool = False

    @property
    def sound(self) -> bool:
        """Whether the database can be trusted as it stands after this examination."""
        return not self.faults and (self.rebuilt or not self.differences)


class _Projection(msgspec.Struct, frozen=True):
    """All that the log determines."""

    states: dict[str, Folded]
    days: dict[int, DayNumbers]
    undone: set[str]
    unlike_before: int


def examine(database: Database, log: Log, *, quick: bool = False, rebuild: bool = False) -> Report:
    """Check the file, then compare every derived table with what the log says.

    `quick` leaves out the check that each index agrees with its table. With `rebuild` the
    derived tables are written anew when they differ, in one transaction.
    """
    faults = [*_file_faults(database, quick), *_log_faults(database)]
    total, cards = _sizes(database)
    try:
        projected = _project(database, log)
    except StorageError as error:
        return Report(events=total, cards=cards, faults=(*faults, error.message))
    differences = [
        *_state_differences(database, projected),
        *_table_differences(database, projected),
        *_count_differences(database),
    ]
    if rebuild and differences:
        with database.transaction():
            _rewrite(database, projected)
    note = f"{projected.unlike_before} answers were given in another state than the log now shows"
    return Report(
        events=total,
        cards=cards,
        faults=tuple(faults),
        differences=tuple(differences[:_MOST_SHOWN]),
        more=max(0, len(differences) - _MOST_SHOWN),
        notes=(note,) if projected.unlike_before else (),
        rebuilt=bool(rebuild and differences),
    )


def _sizes(database: Database) -> tuple[int, int]:
    events_row = database.first(select(func.count()).select_from(events))
    cards_row = database.first(select(func.count()).select_from(card_state))
    return (events_row[0] if events_row else 0), (cards_row[0] if cards_row else 0)


def _file_faults(database: Database, quick: bool) -> Iterator[str]:
    pragma = "quick_check" if quick else "integrity_check"
    with database.reading() as raw:
        found = [str(row[0]) for row in raw.execute(f"PRAGMA {pragma}(20)")]
        if found != ["ok"]:
            yield from found
        for table, row, parent, _ in raw.execute("PRAGMA foreign_key_check"):
            yield f"row {row} of {table} refers to a row of {parent} that isn't there"
        present = {
            row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        }
    for missing in sorted(TRIGGERS - present):
        yield f"the trigger {missing} is missing"


def _log_faults(database: Database) -> Iterator[str]:
    query = select(
        events.c.device, func.count(), func.min(events.c.seq), func.max(events.c.seq)
    ).group_by(events.c.device)
    for device, count, first, last in database.all(query):
        if first != 1 or last != count:
            yield f"the log of device {device} has {count} events but is numbered {first} to {last}"


def _project(database: Database, log: Log) -> _Projection:
    """Fold the whole log, card by card. Raises StorageError for an event that can't be folded."""
    columns = [events.c[name] for name in EVENT_FIELDS]
    tombstones = (
        event_of(row) for row in database.stream(select(*columns).where(events.c.type == "undo"))
    )
    gone = {event.body.target for event in tombstones if isinstance(event.body, Undo)}
    query = (
        select(events.c.card, *columns)
        .where(events.c.card.is_not(None))
        .order_by(events.c.card, events.c.at_ms, events.c.device, events.c.seq)
    )
    states: dict[str, Folded] = {}
    days: dict[int, DayNumbers] = {}
    unlike = 0
    for card, rows in groupby(database.stream(query), key=lambda row: row[0]):
        live = [event for row in rows if (event := event_of(row[1:])).uuid not in gone]
        folded = fold(live, log.policies)
        if folded.state is not None:
            states[card] = folded
        for day, numbers in folded.days.items():
            days[day] = add(days.get(day), numbers)
        unlike += folded.unlike_before
    return _Projection(states, days, gone, unlike)


def _state_differences(database: Database, projected: _Projection) -> Iterator[Difference]:
    columns = [card_state.c[name] for name in (*STATE_FIELDS, "head_at", "card")]
    stored: dict[str, tuple[CardState, int]] = {
        row[-1]: (state_of(row), row[-2]) for row in database.stream(select(*columns))
    }
    for card in sorted(stored.keys() | projected.states.keys()):
        state, head_at = stored.get(card, (None, 0))
        folded = projected.states.get(card)
        wanted = folded.state if folded else None
        if state is None or wanted is None:
            yield Difference(
                f"card {card}",
                "state",
                "" if state is None else "there",
                "" if wanted is None else "there",
            )
            continue
        for name in STATE_FIELDS:
            have, want = getattr(state, name), getattr(wanted, name)
            if have != want:
                yield Difference(f"card {card}", name, repr(have), repr(want))
        if folded and head_at != folded.head_at:
            yield Difference(f"card {card}", "head_at", str(head_at), str(folded.head_at))


def _table_differences(database: Database, projected: _Projection) -> Iterator[Difference]:
    stored = {row.day: DayNumbers(*row) for row in database.all(select(day_stats))}
    for day in sorted(stored.keys() | projected.days.keys()):
        empty = DayNumbers(day)
        have, want = stored.get(day, empty), projected.days.get(day, empty)
        for name, a, b in zip(DayNumbers._fields, have, want, strict=True):
            if a != b:
                yield Difference(f"study day {day}", name, str(a), str(b))
    marked = {row.target for row in database.all(select(undone))}
    for target in sorted(marked ^ projected.undone):
        is_marked = target in marked
        yield Difference(f"event {target}", "undone", str(is_marked), str(not is_marked))


def _count_differences(database: Database) -> Iterator[Difference]:
    """Where items disagree with the card states, or the counters with the items."""
    fresh = func.coalesce(card_state.c.kind, 0) == 0
    query = (
        select(items.c.card, items.c.fresh, fresh)
        .outerjoin(card_state, card_state.c.card == items.c.card)
        .where(items.c.fresh != fresh)
    )
    for card, have, want in database.all(query):
        yield Difference(f"item {card}", "fresh", str(have), str(int(want)))
    stored = _counters(database, select(ready_counts).where(ready_counts.c.n != 0))
    wanted = _counters(database, _counted_items())
    for key in sorted(stored.keys() | wanted.keys()):
        if stored.get(key) != wanted.get(key):
            where = "count of deck {}, kind {}, day {}, chapter {}".format(*key)
            yield Difference(where, "n", str(stored.get(key, "")), str(wanted.get(key, "")))


def _counted_items() -> Any:
    kind, ready = func.coalesce(card_state.c.kind, 0), func.coalesce(card_state.c.ready, 0)
    keys = (items.c.deck_id, kind, ready, items.c.chapter)
    return (
        select(*keys, func.count())
        .outerjoin_from(items, card_state, card_state.c.card == items.c.card)
        .group_by(*keys)
    )


def _counters(database: Database, query: Any) -> dict[tuple[Any, ...], int]:
    return {tuple(row[:4]): row[4] for row in database.all(query)}


def _rewrite(database: Database, projected: _Projection) -> None:
    """Write every derived table anew; the counters are emptied first, so that no step misleads them."""
    for table in (ready_counts, undone, day_stats, card_state):
        database.run(delete(table))
    _fill(database, undone, ({"target": target} for target in projected.undone))
    _fill(database, day_stats, (numbers._asdict() for numbers in projected.days.values()))
    names = ("card", *STATE_FIELDS, "head_at")
    _fill(
        database,
        card_state,
        (
            dict(zip(names, (card, *state_row(folded.state), folded.head_at), strict=True))
            for card, folded in projected.states.items()
            if folded.state is not None
        ),
    )
    memory = select(card_state.c.kind).where(card_state.c.card == items.c.card)
    fresh = func.coalesce(memory.scalar_subquery(), 0) == 0
    database.run(items.update().values(fresh=fresh))
    database.run(delete(ready_counts))
    database.run(
        upsert(ready_counts).from_select(
            ["deck_id", "kind", "ready", "chapter", "n"], _counted_items()
        )
    )


def _fill(database: Database, table: Any, rows: Iterable[dict[str, Any]]) -> None:
    found = list(rows)
    if found:
        database.run(insert(table), found)
