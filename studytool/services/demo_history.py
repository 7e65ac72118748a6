"""What a run of a demo leaves behind: its claims, numbers and guesses, and how two runs compare."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from uuid import uuid4

import msgspec

from studytool.demo.events import (
    Claim,
    Event,
    Failed,
    Finding,
    Image,
    Metric,
    Outcome,
    Prediction,
    decode,
    encode,
)
from studytool.demo.report import newest
from studytool.demo.save import write_atomic
from studytool.demo.words import number
from studytool.services.measured import Measured, recorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from studytool.demo.params import Value
    from studytool.services.context import App
    from studytool.store.records import ClaimRecord, DemoRunRecord

#: A guessed number counts as right within this share of the outcome.
NEAR = 0.1
#: How a line of a kept log begins that holds a Metric.
_METRIC = b'{"type":"metric"'
#: How many runs of one demo keep their events; older ones keep their claims alone.
KEPT_RUNS = 10
Guess: TypeAlias = str | float


@dataclass(frozen=True, slots=True)
class PastRun:
    """An earlier run. `passed` is None for a cancelled one; `metrics` are the last values by name."""

    id: int
    demo: str
    at: datetime
    params: Mapping[str, Value]
    seconds: float
    passed: bool | None
    claims: Mapping[str, Claim] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    finding: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """How a guess did: `right` for options, the relative `error` for numbers."""

    right: bool | None = None
    error: float | None = None

    @property
    def text(self) -> str:
        if self.error is None:
            return "right" if self.right else "not so"
        return f"off by {self.error:.0%}" if self.error < 10 else "far off"


@dataclass(frozen=True, slots=True)
class Pair:
    """One claim or metric in two runs; None where a run lacks it."""

    name: str
    first: float | None
    second: float | None

    @property
    def change(self) -> float | None:
        return None if self.first is None or self.second is None else self.second - self.first


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side: which parameters differ, and what came out."""

    params: Mapping[str, tuple[Value | None, Value | None]]
    claims: tuple[Pair, ...]
    metrics: tuple[Pair, ...]


def score(guess: Guess, outcome: str | float) -> Score:
    """Compare a guess with what came out.

    The error of a number is |guess - outcome| / |outcome|, or the plain difference where the
    outcome is 0; a number counts as right within a tenth.
    """
    if isinstance(guess, str) or isinstance(outcome, str):
        return Score(right=str(guess).strip().casefold() == str(outcome).strip().casefold())
    error = abs(guess - outcome) / (abs(outcome) or 1.0)
    return Score(right=error <= NEAR, error=error)


def keep_run(
    app: App,
    demo_id: str,
    params: Mapping[str, Value],
    events: Sequence[Event],
    *,
    seconds: float,
    cancelled: bool = False,
    card: str | None = None,
) -> int:
    """Store a run that has just ended; returns its id. Raises StorageError.

    A claim whose value is not a number is not kept.
    """
    from studytool.store.records import ClaimRecord, DemoRunRecord

    started = app.clock.now() - timedelta(seconds=seconds)
    findings = [event.text for event in events if isinstance(event, Finding)]
    failed = any(isinstance(event, Failed) for event in events)
    record = DemoRunRecord(
        demo=demo_id,
        params=dict(params),
        started_ms=round(started.timestamp() * 1000),
        seconds=seconds,
        status="cancelled" if cancelled else "failed" if failed else "done",
        claims=tuple(
            ClaimRecord(c.id, c.text, c.value, c.op, c.bound, c.holds, c.unit, c.expect)
            for c in events
            if isinstance(c, Claim) and math.isfinite(c.value) and math.isfinite(c.bound)
        ),
        finding=findings[-1] if findings else "",
        card=card,
        log=_write_log(app, demo_id, started, events),
    )
    return app.store.save_run(record)


def keep_guess(
    app: App, demo_id: str, asked: Prediction, guess: Guess, outcome: Outcome, run_id: int | None
) -> Score:
    """Store a guess with what came out, and say how it did. Raises StorageError."""
    from studytool.store.records import PredictionRecord

    result = score(guess, outcome.value)
    record = PredictionRecord(
        demo=demo_id,
        prediction=asked.id,
        question=asked.question,
        guess=str(guess),
        outcome=str(outcome.value),
        right=result.right,
        at_ms=round(app.clock.now().timestamp() * 1000),
        run_id=run_id,
    )
    app.store.save_prediction(record)
    return result


def history(app: App, demo_id: str) -> tuple[PastRun, ...]:
    """The runs of a demo, the newest first."""
    return tuple(_past(app, record) for record in app.store.runs(demo_id))


def claim_texts(app: App, demo_id: str) -> dict[str, str]:
    """What a card shows for `{claim:demo/id}`, by `demo/id`: the user's last run, else the recorded value."""
    claims: dict[str, Measured | ClaimRecord] = {**recorded().get(demo_id, {})}
    claims.update(app.store.last_claims(demo_id))
    return {
        f"{demo_id}/{claim_id}": f"{number(claim.value)} {claim.unit}".rstrip()
        for claim_id, claim in claims.items()
    }


def compare(first: PastRun, second: PastRun) -> Comparison:
    """Two runs of one demo, side by side."""
    names = [*first.params, *(name for name in second.params if name not in first.params)]
    differ = {
        name: (first.params.get(name), second.params.get(name))
        for name in names
        if first.params.get(name) != second.params.get(name)
    }
    left = {claim.id: claim.value for claim in first.claims.values()}
    right = {claim.id: claim.value for claim in second.claims.values()}
    return Comparison(differ, _pairs(left, right), _pairs(first.metrics, second.metrics))


def last_metrics(events: Sequence[Event]) -> dict[str, float]:
    """The last value of each metric; one that is not a number is left out."""
    found = {event.name: event.value for event in events if isinstance(event, Metric)}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _pairs(first: Mapping[str, float], second: Mapping[str, float]) -> tuple[Pair, ...]:
    names = [*first, *(name for name in second if name not in first)]
    return tuple(Pair(name, first.get(name), second.get(name)) for name in names)


def _past(app: App, record: DemoRunRecord) -> PastRun:
    claims = {claim.id: _claim(claim) for claim in record.claims}
    good = record.status == "done" and all(claim.as_expected for claim in claims.values())
    return PastRun(
        id=record.id,
        demo=record.demo,
        at=datetime.fromtimestamp(record.started_ms / 1000, UTC),
        params=record.params,
        seconds=record.seconds,
        passed=None if record.status == "cancelled" else good,
        claims=claims,
        metrics=last_metrics(_read(app, record.log, _METRIC)),
        finding=record.finding,
    )


def _claim(record: ClaimRecord) -> Claim:
    op, expect = record.op, record.expect
    return Claim(
        record.id,
        record.text,
        record.value,
        op,  # type: ignore[arg-type]  # stored from a Claim, whose operators are checked
        record.bound,
        record.holds,
        record.unit,
        expect,  # type: ignore[arg-type]
    )


def _folder(app: App) -> Path:
    return app.paths.data / "runs"


def _write_log(app: App, demo_id: str, started: datetime, events: Sequence[Event]) -> str:
    """Keep the events of a run, without pictures and what was replaced; returns the file's name."""
    folder = _folder(app)
    name = f"{demo_id}.{started:%Y%m%dT%H%M%S%f}.{uuid4().hex[:8]}.jsonl"
    kept = [event for event in newest(events) if not isinstance(event, Image)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / name, b"".join(encode(event) + b"\n" for event in kept))
        for old in sorted(folder.glob(f"{demo_id}.*.jsonl"))[:-KEPT_RUNS]:
            old.unlink(missing_ok=True)
    except OSError:
        return ""  # the numbers that matter are in the database; the log is a convenience
    return name


def read_log(app: App, name: str) -> list[Event]:
    """The events that are still kept of a run; none when they were thinned out or damaged."""
    return _read(app, name)


def _read(app: App, name: str, begin: bytes = b"") -> list[Event]:
    """The events of a kept log whose lines begin like that; the others aren't even decoded."""
    if not name or Path(name).name != name:
        return []
    try:
        lines = (_folder(app) / name).read_bytes().splitlines()
        return [decode(line) for line in lines if line.startswith(begin)]
    except (OSError, msgspec.MsgspecError):
        return []
