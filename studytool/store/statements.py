"""The statements of the hot path: written with SQLAlchemy Core, compiled once, run by the driver.

An answer runs five statements. Through SQLAlchemy's own execution each would cost several times
what SQLite needs for it, so their compiled text goes to the driver's connection directly, with
the values in the order that `prepare` checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, literal_column, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert

from studytool.store.rows import EVENT_FIELDS, STATE_FIELDS
from studytool.store.tables import card_state, day_stats, deck_cards, events, texts, undone

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Delete, Select, Table, Update
    from sqlalchemy.dialects.sqlite import Insert

_DIALECT = sqlite.dialect(paramstyle="qmark")


def prepare(statement: Insert | Update | Delete | Select[*tuple[object, ...]], *names: str) -> str:
    """The SQL of `statement` with `?` for its parameters, which come in the order of `names`."""
    compiled = statement.compile(dialect=_DIALECT)
    order = tuple(compiled.positiontup or ())
    if order != names:
        raise ValueError(f"the parameters are {order}, expected {names}")
    return str(compiled)


def _all_binds(table: Table, names: tuple[str, ...]) -> Insert:
    return insert(table).values({name: bindparam(name) for name in names})


def _upsert_state() -> str:
    names = (*STATE_FIELDS, "head_at")
    row = _all_binds(card_state, ("card", *names))
    statement = row.on_conflict_do_update(
        index_elements=["card"], set_={name: row.excluded[name] for name in names}
    )
    return prepare(statement, "card", *names)


_DAY_SUMS = tuple(column.name for column in day_stats.columns if column.name != "day")


def _add_answer() -> str:
    row = _all_binds(day_stats, ("day", *_DAY_SUMS))
    sums: dict[str, ColumnElement[int]] = {
        name: day_stats.c[name] + row.excluded[name] for name in _DAY_SUMS
    }
    return prepare(row.on_conflict_do_update(index_elements=["day"], set_=sums), "day", *_DAY_SUMS)


def _shift_day() -> str:
    shifted = {name: day_stats.c[name] + bindparam(f"by_{name}") for name in _DAY_SUMS}
    statement = update(day_stats).where(day_stats.c.day == bindparam("at_day")).values(shifted)
    return prepare(statement, *(f"by_{name}" for name in _DAY_SUMS), "at_day")


_event_columns = [events.c[name] for name in EVENT_FIELDS]
_first = events.alias()
_order = (events.c.at_ms, events.c.device, events.c.seq)
#: A step is named by the UUID of its first event.
_first_of_step = select(_first.c.seq).where(_first.c.uuid == bindparam("group")).scalar_subquery()
_not_undone = events.c.uuid.not_in(select(undone.c.target))

#: card -> STATE_FIELDS and head_at
SELECT_STATE = prepare(
    select(*(card_state.c[name] for name in STATE_FIELDS), card_state.c.head_at).where(
        card_state.c.card == bindparam("card")
    ),
    "card",
)
#: card, STATE_FIELDS, head_at
UPSERT_STATE = _upsert_state()
DELETE_STATE = prepare(delete(card_state).where(card_state.c.card == bindparam("card")), "card")
#: uuid, device, seq, at_ms, day, type, card, group, body
INSERT_EVENT = prepare(
    _all_binds(events, ("uuid", "device", "seq", "at_ms", "day", "type", "card", "group", "body")),
    *("uuid", "device", "seq", "at_ms", "day", "type", "card", "group", "body"),
)
#: day and its numbers, added to what the day has
ADD_ANSWER = _add_answer()
#: the day, when it has no row yet
INSERT_DAY = prepare(
    _all_binds(day_stats, ("day", *_DAY_SUMS)).on_conflict_do_nothing(), "day", *_DAY_SUMS
)
#: what to add to each number (may be negative), and the day
SHIFT_DAY = _shift_day()
DELETE_EMPTY_DAY = prepare(
    delete(day_stats).where(
        day_stats.c.day == bindparam("day"), day_stats.c.reviews == literal_column("0")
    ),
    "day",
)
INSERT_UNDONE = prepare(_all_binds(undone, ("target",)).on_conflict_do_nothing(), "target")
#: card -> EVENT_FIELDS of its live events, in the order of the log
SELECT_LIVE = prepare(
    select(*_event_columns)
    .where(events.c.card == bindparam("card"), _not_undone)
    .order_by(*_order),
    "card",
)
#: device, the newest seq, the group -> EVENT_FIELDS of a step, in the order it was recorded
SELECT_STEP = prepare(
    select(*_event_columns)
    .where(
        events.c.device == bindparam("device"),
        events.c.seq <= bindparam("newest"),
        events.c.seq >= _first_of_step,
    )
    .order_by(events.c.seq),
    "device",
    "newest",
    "group",
)
#: device -> EVENT_FIELDS of the newest event of the user's that isn't undone
SELECT_NEWEST = prepare(
    select(*_event_columns)
    .where(
        events.c.device == bindparam("device"),
        events.c.type != literal_column("'undo'"),
        events.c.type != literal_column("'policyset'"),
        _not_undone,
    )
    .order_by(events.c.seq.desc())
    .limit(literal_column("1"))
    .offset(literal_column("0")),
    "device",
)


def card_query() -> Select[str, str, int, str, int]:
    """The cards of the deck copy: text as JSON, path, line, content hash, retired."""
    return select(
        texts.c.body,
        deck_cards.c.path,
        deck_cards.c.line,
        deck_cards.c.content_hash,
        deck_cards.c.retired,
    ).join(texts, (texts.c.card == deck_cards.c.id) & (texts.c.hash == deck_cards.c.content_hash))


#: deck_id, id -> a row of card_query()
SELECT_CARD = prepare(
    card_query().where(
        deck_cards.c.deck_id == bindparam("deck"), deck_cards.c.id == bindparam("card")
    ),
    "deck",
    "card",
)
