"""The event log, its projection, and the copy of the deck.

The statements are written out rather than taken from tables.py: a migration must create what
it created on the day it was released, whatever the tables become later.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision: str | None = None

LOG = (
    """
    CREATE TABLE meta (
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        CONSTRAINT pk_meta PRIMARY KEY (key)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE events (
        id INTEGER NOT NULL,
        uuid TEXT NOT NULL,
        device TEXT NOT NULL,
        seq INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        day INTEGER NOT NULL,
        type TEXT NOT NULL,
        card TEXT,
        "group" TEXT NOT NULL,
        body TEXT NOT NULL,
        CONSTRAINT pk_events PRIMARY KEY (id),
        CONSTRAINT uq_events_uuid UNIQUE (uuid),
        CONSTRAINT uq_events_device_seq UNIQUE (device, seq),
        CONSTRAINT ck_events_seq CHECK (seq >= 1),
        CONSTRAINT ck_events_type CHECK (json_extract(body, '$.type') = type)
    ) STRICT
    """,
    """
    CREATE INDEX ix_events_card ON events (card, at_ms, device, seq) WHERE card IS NOT NULL
    """,
    """
    CREATE INDEX ix_events_policies ON events (id) WHERE type = 'policyset'
    """,
    """
    CREATE TRIGGER events_no_update BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END
    """,
    """
    CREATE TRIGGER events_no_delete BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END
    """,
)

PROJECTION = (
    """
    CREATE TABLE undone (
        target TEXT NOT NULL,
        CONSTRAINT pk_undone PRIMARY KEY (target)
    ) STRICT, WITHOUT ROWID
    """,
    # kind and ready say what a card waits for and from which study day it may be served:
    # kind 0 new, 1 learning, 2 review, 3 suspended unseen, 4 suspended seen (figures.Kind).
    """
    CREATE TABLE card_state (
        card TEXT NOT NULL,
        phase TEXT NOT NULL,
        step INTEGER NOT NULL,
        stability REAL,
        difficulty REAL,
        due_at INTEGER,
        due_day INTEGER,
        last_at INTEGER,
        last_day INTEGER,
        interval INTEGER NOT NULL,
        reps INTEGER NOT NULL,
        lapses INTEGER NOT NULL,
        leech INTEGER NOT NULL,
        suspended INTEGER NOT NULL,
        buried_day INTEGER,
        flag INTEGER NOT NULL,
        note TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        head_at INTEGER NOT NULL,
        kind INTEGER NOT NULL GENERATED ALWAYS AS (
            CASE WHEN suspended THEN iif(phase = 'new', 3, 4)
                 WHEN phase = 'new' THEN 0
                 WHEN phase = 'review' THEN 2
                 ELSE 1 END
        ) VIRTUAL,
        ready INTEGER NOT NULL GENERATED ALWAYS AS (
            max(coalesce(due_day, 0), coalesce(buried_day + 1, 0))
        ) VIRTUAL,
        CONSTRAINT pk_card_state PRIMARY KEY (card),
        CONSTRAINT ck_card_state_phase
            CHECK (phase IN ('new', 'learning', 'review', 'relearning')),
        CONSTRAINT ck_card_state_numbers
            CHECK (step >= 0 AND interval >= 0 AND reps >= 0 AND lapses >= 0 AND flag >= 0),
        CONSTRAINT ck_card_state_booleans CHECK (leech IN (0, 1) AND suspended IN (0, 1)),
        CONSTRAINT ck_card_state_memory
            CHECK ((stability IS NULL) = (difficulty IS NULL) AND coalesce(stability, 1) > 0)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE INDEX ix_card_state_due ON card_state (ready) WHERE kind IN (1, 2)
    """,
    """
    CREATE TABLE day_stats (
        day INTEGER NOT NULL,
        reviews INTEGER NOT NULL,
        again INTEGER NOT NULL,
        introduced INTEGER NOT NULL,
        reviewed INTEGER NOT NULL,
        recalled INTEGER NOT NULL,
        duration_ms INTEGER NOT NULL,
        CONSTRAINT pk_day_stats PRIMARY KEY (day),
        CONSTRAINT ck_day_stats_numbers CHECK (
            reviews >= 0 AND again BETWEEN 0 AND reviews AND introduced BETWEEN 0 AND reviews
            AND reviewed BETWEEN 0 AND reviews AND recalled BETWEEN 0 AND reviewed
        )
    ) STRICT
    """,
)

DECK = (
    """
    CREATE TABLE decks (
        id INTEGER NOT NULL,
        name TEXT NOT NULL,
        folder TEXT NOT NULL,
        CONSTRAINT pk_decks PRIMARY KEY (id),
        CONSTRAINT uq_decks_name UNIQUE (name)
    ) STRICT
    """,
    """
    CREATE TABLE files (
        deck_id INTEGER NOT NULL,
        path TEXT NOT NULL,
        hash TEXT NOT NULL,
        CONSTRAINT pk_files PRIMARY KEY (deck_id, path),
        CONSTRAINT fk_files_deck_id_decks FOREIGN KEY (deck_id) REFERENCES decks (id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE texts (
        card TEXT NOT NULL,
        hash TEXT NOT NULL,
        body TEXT NOT NULL,
        CONSTRAINT pk_texts PRIMARY KEY (card, hash)
    ) STRICT
    """,
    """
    CREATE TABLE deck_cards (
        deck_id INTEGER NOT NULL,
        id TEXT NOT NULL,
        path TEXT NOT NULL,
        line INTEGER NOT NULL,
        place INTEGER NOT NULL,
        position INTEGER NOT NULL,
        chapter TEXT NOT NULL,
        needs TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        retired INTEGER NOT NULL,
        CONSTRAINT pk_deck_cards PRIMARY KEY (deck_id, id),
        CONSTRAINT fk_deck_cards_deck_id_decks FOREIGN KEY (deck_id) REFERENCES decks (id),
        CONSTRAINT fk_deck_cards_id_texts
            FOREIGN KEY (id, content_hash) REFERENCES texts (card, hash),
        CONSTRAINT ck_deck_cards_retired CHECK (retired IN (0, 1))
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE INDEX ix_deck_cards_position ON deck_cards (deck_id, position)
    """,
    """
    CREATE TABLE items (
        card TEXT NOT NULL,
        deck_id INTEGER NOT NULL,
        base TEXT NOT NULL,
        chapter TEXT NOT NULL,
        position INTEGER NOT NULL,
        fresh INTEGER NOT NULL,
        CONSTRAINT pk_items PRIMARY KEY (card, deck_id),
        CONSTRAINT fk_items_deck_id_deck_cards
            FOREIGN KEY (deck_id, base) REFERENCES deck_cards (deck_id, id),
        CONSTRAINT ck_items_fresh CHECK (fresh IN (0, 1))
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE INDEX ix_items_new ON items (deck_id, position) WHERE fresh = 1
    """,
    """
    CREATE INDEX ix_items_base ON items (deck_id, base)
    """,
    """
    CREATE TABLE ready_counts (
        deck_id INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        ready INTEGER NOT NULL,
        chapter TEXT NOT NULL,
        n INTEGER NOT NULL,
        CONSTRAINT pk_ready_counts PRIMARY KEY (deck_id, kind, ready, chapter),
        CONSTRAINT fk_ready_counts_deck_id_decks FOREIGN KEY (deck_id) REFERENCES decks (id),
        CONSTRAINT ck_ready_counts_n CHECK (n >= 0)
    ) STRICT, WITHOUT ROWID
    """,
)

# A card leaves one counter of each deck it is in and enters another. A counter that is wrong
# must never keep an answer from being stored, so it stops at 0; the doctor finds it.
_LEAVE = """
    INSERT INTO ready_counts (deck_id, kind, ready, chapter, n)
    SELECT deck_id, {kind}, {ready}, chapter, 0 FROM items WHERE card = {card}
    ON CONFLICT (deck_id, kind, ready, chapter) DO UPDATE SET n = max(n - 1, 0);
"""
_ENTER = """
    INSERT INTO ready_counts (deck_id, kind, ready, chapter, n)
    SELECT deck_id, {kind}, {ready}, chapter, 1 FROM items WHERE card = {card}
    ON CONFLICT (deck_id, kind, ready, chapter) DO UPDATE SET n = n + 1;
"""
_OLD = {"kind": "OLD.kind", "ready": "OLD.ready", "card": "OLD.card"}
_NEW = {"kind": "NEW.kind", "ready": "NEW.ready", "card": "NEW.card"}
_UNSEEN = {"kind": "0", "ready": "0"}

# What a deck's own row of a card adds or takes, by whatever the card's memory is.
_MEMORY = """
    SELECT {row}.deck_id, coalesce(kind, 0), coalesce(ready, 0), {row}.chapter, {n}
    FROM (SELECT 1) LEFT JOIN card_state ON card_state.card = {row}.card WHERE true
    ON CONFLICT (deck_id, kind, ready, chapter) DO UPDATE SET n = {change};
"""
_INTO = "INSERT INTO ready_counts (deck_id, kind, ready, chapter, n)"
_ADD_ITEM = _INTO + _MEMORY.format(row="NEW", n=1, change="n + 1")
_DROP_ITEM = _INTO + _MEMORY.format(row="OLD", n=0, change="max(n - 1, 0)")

COUNTERS = (
    f"CREATE TRIGGER items_inserted AFTER INSERT ON items BEGIN {_ADD_ITEM} END",
    f"CREATE TRIGGER items_deleted AFTER DELETE ON items BEGIN {_DROP_ITEM} END",
    f"""
    CREATE TRIGGER card_state_inserted AFTER INSERT ON card_state
    WHEN NEW.kind <> 0 OR NEW.ready <> 0
    BEGIN {_LEAVE.format(**_UNSEEN, card="NEW.card")} {_ENTER.format(**_NEW)} END
    """,
    f"""
    CREATE TRIGGER card_state_updated AFTER UPDATE ON card_state
    WHEN NEW.kind <> OLD.kind OR NEW.ready <> OLD.ready
    BEGIN {_LEAVE.format(**_OLD)} {_ENTER.format(**_NEW)} END
    """,
    f"""
    CREATE TRIGGER card_state_deleted AFTER DELETE ON card_state
    WHEN OLD.kind <> 0 OR OLD.ready <> 0
    BEGIN {_LEAVE.format(**_OLD)} {_ENTER.format(**_UNSEEN, card="OLD.card")} END
    """,
    """
    CREATE TRIGGER card_state_first_seen AFTER INSERT ON card_state WHEN NEW.kind <> 0
    BEGIN UPDATE items SET fresh = 0 WHERE card = NEW.card; END
    """,
    """
    CREATE TRIGGER card_state_seen AFTER UPDATE ON card_state
    WHEN (NEW.kind = 0) <> (OLD.kind = 0)
    BEGIN UPDATE items SET fresh = (NEW.kind = 0) WHERE card = NEW.card; END
    """,
    """
    CREATE TRIGGER card_state_unseen AFTER DELETE ON card_state WHEN OLD.kind <> 0
    BEGIN UPDATE items SET fresh = 1 WHERE card = OLD.card; END
    """,
)


def upgrade() -> None:
    for statement in (*LOG, *PROJECTION, *DECK, *COUNTERS):
        op.execute(statement)
