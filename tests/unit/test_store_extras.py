"""Demo runs, predictions and drafts: kept beside the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from studytool.store import open_store
from studytool.store.records import ClaimRecord, DemoRunRecord, PredictionRecord

if TYPE_CHECKING:
    from studytool.clock import FixedClock
    from studytool.paths import Paths


def claim(name: str, value: float) -> ClaimRecord:
    return ClaimRecord(name, f"{name} is large", value, ">=", 0.5, value >= 0.5, unit="rho")


def run(started_ms: int, *claims: ClaimRecord, **changes: object) -> DemoRunRecord:
    record = DemoRunRecord(
        demo="skipgram",
        params={"window": 5, "rate": 0.025, "fast": True, "corpus": "wiki"},
        started_ms=started_ms,
        seconds=12.5,
        status="done",
        claims=claims,
        finding="It works.",
        card="alpha",
        log="runs/1.jsonl",
    )
    return msgspec.structs.replace(record, **changes)


def test_runs_come_back_newest_first(paths: Paths, clock: FixedClock) -> None:
    old, new = run(1000, claim("rho", 0.4)), run(2000, claim("rho", 0.6), card=None)
    with open_store(paths, clock) as store:
        ids = [store.save_run(new), store.save_run(old)]
        store.save_run(run(3000, demo="clip"))
    with open_store(paths, clock) as store:
        assert store.runs("skipgram") == [
            msgspec.structs.replace(new, id=ids[0]),
            msgspec.structs.replace(old, id=ids[1]),
        ]
        assert store.runs("nothing") == []
        assert list(store.events()) == []  # runs are no part of the log


def test_the_last_claims_are_of_runs_that_finished(paths: Paths, clock: FixedClock) -> None:
    with open_store(paths, clock) as store:
        store.save_run(run(1000, claim("rho", 0.4), claim("speed", 2.0)))
        store.save_run(run(3000, claim("rho", 0.9), status="cancelled"))
        store.save_run(run(2000, claim("rho", 0.6)))
        assert store.last_claims("skipgram") == {
            "rho": claim("rho", 0.6),
            "speed": claim("speed", 2.0),
        }
        assert store.last_claims("nothing") == {}


def test_predictions(paths: Paths, clock: FixedClock) -> None:
    with open_store(paths, clock) as store:
        number = store.save_run(run(1000))
        guess = PredictionRecord(
            demo="skipgram",
            prediction="which",
            question="Which is nearer?",
            guess="cat",
            outcome="dog",
            right=False,
            at_ms=5,
            run_id=number,
        )
        open_ended = msgspec.structs.replace(guess, right=None, run_id=None, at_ms=6)
        ids = [store.save_prediction(guess), store.save_prediction(open_ended)]
        assert store.predictions("skipgram") == [
            msgspec.structs.replace(open_ended, id=ids[1]),
            msgspec.structs.replace(guess, id=ids[0]),
        ]


def test_a_draft_survives_and_is_replaced(paths: Paths, clock: FixedClock) -> None:
    with open_store(paths, clock) as store:
        assert store.draft("alpha") is None
        store.save_draft("alpha", "The dot pro")
        store.save_draft("alpha", "The dot product\x1b[31m, ünd")
    with open_store(paths, clock) as store:
        assert store.draft("alpha") == "The dot product\x1b[31m, ünd"
        store.clear_draft("alpha")
        store.clear_draft("alpha")
        assert store.draft("alpha") is None
        assert store.undo() is None
