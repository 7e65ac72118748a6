"""Mock interviews: the set-up, the state after the last step, and the report when it is over."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision: str | None = "0002"

STATEMENTS = (
    """
    CREATE TABLE interviews (
        id INTEGER NOT NULL,
        deck TEXT NOT NULL,
        started_ms INTEGER NOT NULL,
        finished_ms INTEGER,
        setup TEXT NOT NULL,
        state TEXT NOT NULL,
        report TEXT,
        CONSTRAINT pk_interviews PRIMARY KEY (id),
        CONSTRAINT ck_interviews_json
            CHECK (json_valid(setup) AND json_valid(state) AND (report IS NULL OR json_valid(report))),
        CONSTRAINT ck_interviews_finished CHECK ((finished_ms IS NULL) = (report IS NULL))
    ) STRICT
    """,
    """
    CREATE INDEX ix_interviews_deck ON interviews (deck, started_ms)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
