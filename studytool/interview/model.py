"""What an interview is made of: the set-up, the plan, the turns, and the state between two steps.

Every value is frozen and serialises to JSON, so an interview is saved after each step and goes
on from there after a kill. Times are seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeAlias

import msgspec

from studytool.deck.model import Card, Level
from studytool.grading.model import Graded

Meta = msgspec.Meta

#: The longest answer that is taken; what comes after is cut off and the candidate is told.
LONGEST_ANSWER = 60_000


class Grade(StrEnum):
    """How hard the interviewer asks. `adaptive` goes over all four levels of the deck."""

    JUNIOR = "junior"
    MEDIUM = "medium"
    HARD = "hard"
    STAFF = "staff"
    ADAPTIVE = "adaptive"


class Style(StrEnum):
    """`screening` goes broad; `deep-dive` follows one line into two chapters; `rapid-fire` gives
    one minute a question and never probes; `story` begins with the narratives of the field."""

    SCREENING = "screening"
    DEEP_DIVE = "deep-dive"
    RAPID_FIRE = "rapid-fire"
    STORY = "story"


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What the candidate asked for; no `chapters` means all. `verdicts` shows each verdict at once."""

    minutes: Annotated[int, Meta(ge=1, le=240)] = 30
    chapters: tuple[str, ...] = ()
    level: Grade = Grade.ADAPTIVE
    style: Style = Style.SCREENING
    seed: int = 0
    verdicts: bool = False


class Planned(msgspec.Struct, frozen=True):
    """A card that may be asked. `stale` was asked in one of the last interviews."""

    card: str
    question: str
    chapter: str
    level: Level
    leads_to: tuple[str, ...] = ()
    story: bool = False
    stale: bool = False


class Plan(msgspec.Struct, frozen=True):
    """The chapter of each question to come, and the cards to choose from, the most needed first."""

    chapters: tuple[str, ...]
    pool: tuple[Planned, ...]


class Outcome(StrEnum):
    ANSWERED = "answered"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One thing asked and what was said to it. `point` is the key point that a probe is about."""

    prompt: str
    point: int = -1
    answer: str = ""
    seconds: float = 0.0
    graded: Graded | None = None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One question with its probes; the first exchange is the question itself.

    `limit` is the soft limit of the first answer. `confidence` (1 to 5) was given before any
    verdict. A finished turn keeps of its card what a report needs.
    """

    card: Card
    limit: float
    exchanges: tuple[Exchange, ...]
    hints: tuple[str, ...] = ()
    confidence: int | None = None
    aloud: bool = False
    shown: bool = False
    outcome: Outcome = Outcome.ANSWERED

    @property
    def seconds(self) -> float:
        """The time on this question, probes included."""
        return sum(exchange.seconds for exchange in self.exchanges)


class Phase(StrEnum):
    """What the interviewer waits for."""

    NEXT = "next"  # the card of the next question
    ASKING = "asking"  # an answer, to the question or to a probe
    SURE = "sure"  # how sure the candidate is
    TICKING = "ticking"  # which key points were said aloud
    JUDGING = "judging"  # the grader's verdict
    VERDICT = "verdict"  # the candidate has read the verdict
    OVER = "over"  # nothing


class State(msgspec.Struct, frozen=True, kw_only=True):
    """An interview between two steps.

    `rung` is the level to ask at, as an index of LEVELS; `turn` is the question on the table,
    `turns` those behind it; `draft` is the answer half typed; `gone` are cards that the deck
    turned out not to have.
    """

    setup: Setup
    plan: Plan
    rung: int
    phase: Phase = Phase.NEXT
    paused: bool = False
    turn: Turn | None = None
    turns: tuple[Turn, ...] = ()
    draft: str = ""
    gone: tuple[str, ...] = ()

    @property
    def used(self) -> float:
        """The time on all questions so far."""
        return sum(turn.seconds for turn in self.turns) + (self.turn.seconds if self.turn else 0.0)

    @property
    def number(self) -> int:
        """The question on the table, or the one that comes, counted from 1."""
        return len(self.turns) + 1

    @property
    def total(self) -> int:
        """How many questions the plan has."""
        return len(self.plan.chapters)


class _Event(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    """What happens in an interview."""


class Ask(_Event, frozen=True):
    """The card that `session.wanted` named."""

    card: Card


class Gone(_Event, frozen=True):
    """The deck does not have the card that `session.wanted` named."""

    card: str


class Draft(_Event, frozen=True):
    """The answer as far as it is typed."""

    text: str


class Answer(_Event, frozen=True):
    """A typed answer; must hold more than white space."""

    text: str


class Spoke(_Event, frozen=True):
    """The question was answered out loud."""


class Sure(_Event, frozen=True):
    """How sure the candidate is, 1 to 5; None when not said."""

    level: Annotated[int, Meta(ge=1, le=5)] | None


class Ticked(_Event, frozen=True):
    """The key points that were said out loud, by their places."""

    points: tuple[int, ...]


class Judged(_Event, frozen=True):
    """What the grader says of the newest answer."""

    graded: Graded


class Hint(_Event, frozen=True):
    """A hint is asked for; it costs score."""


class Skip(_Event, frozen=True):
    """On to the next question."""


class Unknown(_Event, frozen=True):
    """The candidate says that they don't know."""


class Showed(_Event, frozen=True):
    """The candidate showed the card's demo."""


class GoOn(_Event, frozen=True):
    """The verdict has been read."""


class Pause(_Event, frozen=True):
    """Stop the clock."""


class Resume(_Event, frozen=True):
    """Let the clock run again."""


class Finish(_Event, frozen=True):
    """End the interview now; a question without an answer is left out of the report."""


Event: TypeAlias = (
    Ask | Gone | Draft | Answer | Spoke | Sure | Ticked | Judged | Hint | Skip | Unknown | Showed
    | GoOn | Pause | Resume | Finish
)  # fmt: skip


class NotNow(ValueError):
    """A step that the state of the interview doesn't allow."""
