"""Runs of demos with their claims, predictions with their outcomes, and answers half typed."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision: str | None = "0001"

STATEMENTS = (
    """
    CREATE TABLE demo_runs (
        id INTEGER NOT NULL,
        demo TEXT NOT NULL,
        params TEXT NOT NULL,
        started_ms INTEGER NOT NULL,
        seconds REAL NOT NULL,
        status TEXT NOT NULL,
        card TEXT,
        finding TEXT NOT NULL,
        claims TEXT NOT NULL,
        log TEXT NOT NULL,
        CONSTRAINT pk_demo_runs PRIMARY KEY (id),
        CONSTRAINT ck_demo_runs_status CHECK (status IN ('done', 'failed', 'cancelled')),
        CONSTRAINT ck_demo_runs_json CHECK (json_valid(params) AND json_valid(claims))
    ) STRICT
    """,
    """
    CREATE INDEX ix_demo_runs_demo ON demo_runs (demo, started_ms)
    """,
    """
    CREATE TABLE predictions (
        id INTEGER NOT NULL,
        run_id INTEGER,
        demo TEXT NOT NULL,
        prediction TEXT NOT NULL,
        question TEXT NOT NULL,
        guess TEXT NOT NULL,
        outcome TEXT NOT NULL,
        right INTEGER,
        at_ms INTEGER NOT NULL,
        CONSTRAINT pk_predictions PRIMARY KEY (id),
        CONSTRAINT fk_predictions_run_id_demo_runs
            FOREIGN KEY (run_id) REFERENCES demo_runs (id),
        CONSTRAINT ck_predictions_right CHECK (right IN (0, 1))
    ) STRICT
    """,
    """
    CREATE INDEX ix_predictions_demo ON predictions (demo, at_ms)
    """,
    """
    CREATE TABLE drafts (
        key TEXT NOT NULL,
        text TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        CONSTRAINT pk_drafts PRIMARY KEY (key)
    ) STRICT, WITHOUT ROWID
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
