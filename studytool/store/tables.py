"""The tables as the queries see them. What creates them are the migrations; a test compares both.

Three layers, from truth to convenience:

- `events` is the log and the truth for memory; triggers refuse UPDATE and DELETE on it.
- `card_state`, `day_stats` and `undone` are its projection (folding.py); `doctor` recomputes them.
- `items` and `ready_counts` join memory to the cards of a deck, so that "what is new" is the
  beginning of an index and "how much is due" a handful of rows. Triggers of the database keep
  them in step with `card_state`, whoever writes.

Beside them stand the copy of the deck (`decks`, `files`, `deck_cards`, `texts`) and what is
neither: demo runs, predictions, drafts, interviews, and `meta`.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uuid", Text, nullable=False, unique=True),
    Column("device", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("day", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("card", Text),
    Column("group", Text, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("device", "seq"),
    CheckConstraint("seq >= 1", "seq"),
    CheckConstraint("json_extract(body, '$.type') = type", "type"),
)

undone = Table("undone", metadata, Column("target", Text, primary_key=True))

card_state = Table(
    "card_state",
    metadata,
    Column("card", Text, primary_key=True),
    Column("phase", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("stability", Float),
    Column("difficulty", Float),
    Column("due_at", Integer),
    Column("due_day", Integer),
    Column("last_at", Integer),
    Column("last_day", Integer),
    Column("interval", Integer, nullable=False),
    Column("reps", Integer, nullable=False),
    Column("lapses", Integer, nullable=False),
    Column("leech", Integer, nullable=False),
    Column("suspended", Integer, nullable=False),
    Column("buried_day", Integer),
    Column("flag", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("head_at", Integer, nullable=False),
    Column("kind", Integer, Computed("", persisted=False), nullable=False),
    Column("ready", Integer, Computed("", persisted=False), nullable=False),
)

day_stats = Table(
    "day_stats",
    metadata,
    Column("day", Integer, primary_key=True),
    Column("reviews", Integer, nullable=False),
    Column("again", Integer, nullable=False),
    Column("introduced", Integer, nullable=False),
    Column("reviewed", Integer, nullable=False),
    Column("recalled", Integer, nullable=False),
    Column("duration_ms", Integer, nullable=False),
)

decks = Table(
    "decks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("folder", Text, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("deck_id", Integer, ForeignKey("decks.id"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("hash", Text, nullable=False),
)

texts = Table(
    "texts",
    metadata,
    Column("card", Text, primary_key=True),
    Column("hash", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

deck_cards = Table(
    "deck_cards",
    metadata,
    Column("deck_id", Integer, ForeignKey("decks.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("chapter", Text, nullable=False),
    Column("needs", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("retired", Integer, nullable=False),
    ForeignKeyConstraint(["id", "content_hash"], ["texts.card", "texts.hash"]),
    CheckConstraint("retired IN (0, 1)", "retired"),
)

items = Table(
    "items",
    metadata,
    Column("card", Text, primary_key=True),
    Column("deck_id", Integer, primary_key=True),
    Column("base", Text, nullable=False),
    Column("chapter", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("fresh", Integer, nullable=False),
    ForeignKeyConstraint(["deck_id", "base"], ["deck_cards.deck_id", "deck_cards.id"]),
    CheckConstraint("fresh IN (0, 1)", "fresh"),
)

ready_counts = Table(
    "ready_counts",
    metadata,
    Column("deck_id", Integer, ForeignKey("decks.id"), primary_key=True),
    Column("kind", Integer, primary_key=True),
    Column("ready", Integer, primary_key=True),
    Column("chapter", Text, primary_key=True),
    Column("n", Integer, nullable=False),
    CheckConstraint("n >= 0", "n"),
)

demo_runs = Table(
    "demo_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("demo", Text, nullable=False),
    Column("params", Text, nullable=False),
    Column("started_ms", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("status", Text, nullable=False),
    Column("card", Text),
    Column("finding", Text, nullable=False),
    Column("claims", Text, nullable=False),
    Column("log", Text, nullable=False),
)

predictions = Table(
    "predictions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Integer, ForeignKey("demo_runs.id")),
    Column("demo", Text, nullable=False),
    Column("prediction", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("guess", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("right", Integer),
    Column("at_ms", Integer, nullable=False),
)

drafts = Table(
    "drafts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("at_ms", Integer, nullable=False),
)

interviews = Table(
    "interviews",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("deck", Text, nullable=False),
    Column("started_ms", Integer, nullable=False),
    Column("finished_ms", Integer),
    Column("setup", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("report", Text),
)
