"""The words of the schedule: ratings, moments, policies, card states, and the events of the log.

The event log is the truth. A card's state is the fold of its events, in the total order
(at_ms, device, seq), without those that an Undo names. Every review names the policy it was
scheduled under, so any machine folds the same log to the same state, bit for bit.

The structs hold no cycles, so Python's garbage collector needn't look at them (`gc=False`).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TypeAlias

import msgspec


class Rating(IntEnum):
    AGAIN = 1
    HARD = 2
    GOOD = 3
    EASY = 4


class Phase(StrEnum):
    NEW = "new"
    LEARNING = "learning"
    REVIEW = "review"
    RELEARNING = "relearning"


class Moment(msgspec.Struct, frozen=True, gc=False):
    """A point in time as the schedule sees it.

    `at_ms` is UTC in milliseconds since 1970; `day` the study day as a proleptic ordinal
    (`date.toordinal()`), decided once, when the answer was given, in the zone where it was given.
    """

    at_ms: int
    day: int


class Rollover(msgspec.Struct, frozen=True, gc=False):
    """When the present study day ends, in UTC milliseconds; None when that is not known.

    A learning step that reaches past it waits for the next study day instead of a minute in
    the night.
    """

    ends_at: int | None = None


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides an interval. Steps are in seconds; intervals in days."""

    scheduler: str = "fsrs-6"
    weights: tuple[float, ...] = ()
    desired_retention: float = 0.9
    learning_steps: tuple[int, ...] = (60, 600)
    relearning_steps: tuple[int, ...] = (600,)
    maximum_interval: int = 36_500
    fuzz: bool = True
    leech_lapses: int = 8


class CardState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the log says of one card.

    New: no memory. Learning and relearning: `due_at` (ms) counts and `step` is the index of the
    present step; a step that ends on a later study day has that day in `due_day` and its start
    in `due_at`. Review: `due_day` counts, `due_at` is None. `buried_day` hides the card through
    that study day.
    """

    phase: Phase = Phase.NEW
    step: int = 0
    stability: float | None = None
    difficulty: float | None = None
    due_at: int | None = None
    due_day: int | None = None
    last_at: int | None = None
    last_day: int | None = None
    interval: int = 0
    reps: int = 0
    lapses: int = 0
    leech: bool = False
    suspended: bool = False
    buried_day: int | None = None
    flag: int = 0
    note: str = ""
    content_hash: str = ""


class _Body(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=str.lower, gc=False):
    """What happened. The tag is the class name in lower case."""


class Review(_Body, frozen=True):
    """One answer. `before` is the state it was given in (checked by doctor, not used by the fold).

    `day_ends_at` is when the study day of the answer ended (UTC ms), so that the fold can tell
    whether a learning step crosses it without knowing the time zone; None where it is unknown.
    """

    card: str
    rating: Rating
    duration_ms: int
    policy: str
    content_hash: str = ""
    typed: str = ""
    ticked: tuple[int, ...] = ()
    suggested: Rating | None = None
    day_ends_at: int | None = None
    before: CardState = CardState()


class Suspend(_Body, frozen=True):
    card: str
    on: bool = True
    by_leech: bool = False


class Bury(_Body, frozen=True):
    """Hide `card` through study day `day`; None brings it back."""

    card: str
    day: int | None
    sibling: bool = False


class Reset(_Body, frozen=True):
    """Forget the memory of `card`; the history stays in the log."""

    card: str


class Flag(_Body, frozen=True):
    card: str
    flag: int


class Note(_Body, frozen=True):
    """The user's own note on a card; an empty text removes it."""

    card: str
    text: str


class Override(_Body, frozen=True):
    """The user's verdict on a key point where the grader's differed."""

    card: str
    point: int
    graded: str
    chosen: str


class PolicySet(_Body, frozen=True):
    """A policy and its id (`policy_id`); reviews name the id."""

    id: str
    policy: Policy


class Undo(_Body, frozen=True):
    """The tombstone of another event; `target` is its UUID. `card` is the card it touched, if one."""

    target: str
    card: str | None = None


Body: TypeAlias = (
    Review | Suspend | Bury | Reset | Flag | Note | Override | PolicySet | Undo
)  # fmt: skip


class LogEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of the log: who, when, and what.

    `group` is the UUID of the first event of one step of the user's: an answer and the burying
    or suspending that came with it are undone together. Empty means a step of its own.
    """

    uuid: str
    device: str
    seq: int
    at_ms: int
    day: int
    body: Body
    group: str = ""

    @property
    def moment(self) -> Moment:
        return Moment(self.at_ms, self.day)

    @property
    def order(self) -> tuple[int, str, int]:
        """The total order of the log."""
        return (self.at_ms, self.device, self.seq)


def policy_id(policy: Policy) -> str:
    """A short name for a policy that any machine computes the same way."""
    import hashlib

    text = msgspec.json.encode(policy, order="sorted")
    return hashlib.blake2b(text, digest_size=6).hexdigest()
