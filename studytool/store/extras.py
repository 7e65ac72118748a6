"""What is remembered beside the log: runs of demos, predictions, and answers half typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from studytool.store.records import ClaimRecord, DemoRunRecord, PredictionRecord
from studytool.store.tables import demo_runs, drafts, predictions

if TYPE_CHECKING:
    from studytool.store.engine import Database

_encode = msgspec.json.encode
_RUN_COLUMNS = [demo_runs.c[name] for name in DemoRunRecord.__struct_fields__]
_PREDICTION_COLUMNS = [predictions.c[name] for name in PredictionRecord.__struct_fields__]


def save_run(database: Database, run: DemoRunRecord) -> int:
    """Store a run; returns its id."""
    values = msgspec.structs.asdict(run)
    del values["id"]
    values["params"] = _encode(run.params).decode()
    values["claims"] = _encode(run.claims).decode()
    with database.transaction():
        return database.insert(insert(demo_runs).values(values))


def runs(database: Database, demo: str) -> list[DemoRunRecord]:
    """The runs of a demo, newest first."""
    query = (
        select(*_RUN_COLUMNS)
        .where(demo_runs.c.demo == demo)
        .order_by(demo_runs.c.started_ms.desc(), demo_runs.c.id.desc())
    )
    found = []
    for row in database.all(query):
        values = dict(row._mapping)
        values["params"] = msgspec.json.decode(values["params"])
        values["claims"] = msgspec.json.decode(values["claims"], type=tuple[ClaimRecord, ...])
        found.append(DemoRunRecord(**values))
    return found


def last_claims(database: Database, demo: str) -> dict[str, ClaimRecord]:
    """Each claim of a demo as the newest finished run that made it measured it."""
    query = (
        select(demo_runs.c.claims)
        .where(demo_runs.c.demo == demo, demo_runs.c.status == "done")
        .order_by(demo_runs.c.started_ms, demo_runs.c.id)
    )
    found: dict[str, ClaimRecord] = {}
    for row in database.all(query):
        claims = msgspec.json.decode(row.claims, type=tuple[ClaimRecord, ...])
        found.update({claim.id: claim for claim in claims})
    return found


def save_prediction(database: Database, prediction: PredictionRecord) -> int:
    """Store a guess with its outcome; returns its id."""
    values = msgspec.structs.asdict(prediction)
    del values["id"]
    with database.transaction():
        return database.insert(insert(predictions).values(values))


def all_predictions(database: Database, demo: str) -> list[PredictionRecord]:
    """The predictions about a demo, newest first."""
    query = (
        select(*_PREDICTION_COLUMNS)
        .where(predictions.c.demo == demo)
        .order_by(predictions.c.at_ms.desc(), predictions.c.id.desc())
    )
    found = []
    for row in database.all(query):
        values = dict(row._mapping)
        values["right"] = None if values["right"] is None else values["right"] == 1
        found.append(PredictionRecord(**values))
    return found


def save_draft(database: Database, key: str, text: str, at_ms: int) -> None:
    """Keep a half-typed answer under `key`, replacing the one before."""
    row = insert(drafts).values(key=key, text=text, at_ms=at_ms)
    with database.transaction():
        database.run(
            row.on_conflict_do_update(
                index_elements=["key"],
                set_={"text": row.excluded.text, "at_ms": row.excluded.at_ms},
            )
        )


def draft(database: Database, key: str) -> str | None:
    """The half-typed answer under `key`, or None."""
    row = database.first(select(drafts.c.text).where(drafts.c.key == key))
    return None if row is None else str(row[0])


def clear_draft(database: Database, key: str) -> None:
    """Forget the draft under `key`."""
    with database.transaction():
        database.run(delete(drafts).where(drafts.c.key == key))
