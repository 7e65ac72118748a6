"""What the store takes and gives besides the words of the deck and the schedule."""

from __future__ import annotations

from typing import Literal

import msgspec

from studytool.deck.model import Card, Scalar
from studytool.schedule.model import Phase


class SyncReport(msgspec.Struct, frozen=True):
    """What a synchronisation did, in cards; `total` is how many the deck has afterwards."""

    added: int = 0
    changed: int = 0
    moved: int = 0
    retired: int = 0
    total: int = 0


class StoredCard(msgspec.Struct, frozen=True):
    """A card of the deck's copy: its text, and where that stood when it was last read."""

    card: Card
    path: str
    line: int
    content_hash: str
    retired: bool = False


class DueRow(msgspec.Struct, frozen=True):
    """A card that may be served, with what the queue needs to order it.

    `card_id` names the memory (`id/c1` for a cloze sibling), `base_id` the card in the deck.
    """

    card_id: str
    base_id: str
    chapter: str
    phase: Phase
    due_at: int | None
    due_day: int | None
    stability: float | None
    last_day: int | None
    position: int


class ClaimRecord(msgspec.Struct, frozen=True):
    """A claim as a run measured it; the fields of the demo's Claim event."""

    id: str
    text: str
    value: float
    op: str
    bound: float
    holds: bool
    unit: str = ""
    expect: str = "holds"


class DemoRunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a demo. `log` is the file that holds its events; `id` is 0 until it is saved."""

    demo: str
    params: dict[str, Scalar]
    started_ms: int
    seconds: float
    status: Literal["done", "failed", "cancelled"]
    claims: tuple[ClaimRecord, ...] = ()
    finding: str = ""
    card: str | None = None
    log: str = ""
    id: int = 0


class PredictionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the user guessed and what came out; `right` is None where it can't be said."""

    demo: str
    prediction: str
    question: str
    guess: str
    outcome: str
    right: bool | None
    at_ms: int
    run_id: int | None = None
    id: int = 0


class InterviewRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A mock interview; `setup`, `state` and `report` are JSON texts that their makers read.

    `finished_ms` and `report` are None until it is over; `id` is 0 until it is saved.
    """

    deck: str
    started_ms: int
    setup: str
    state: str
    finished_ms: int | None = None
    report: str | None = None
    id: int = 0
