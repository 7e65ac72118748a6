"""What the screens ask of the rest of studytool. Every call is awaited and never blocks the UI.

`studytool.tui.desk` answers with the real services, each on the thread that owns the store;
the tests answer with values they have made up. Faults are raised as StudytoolError.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from datetime import datetime

    from studytool.clock import Clock
    from studytool.demo.events import Event, Outcome, Prediction
    from studytool.demo.params import Param, Value
    from studytool.demo.spec import DemoInfo
    from studytool.grading.model import Graded
    from studytool.schedule.model import Override, Rating
    from studytool.services.demo_history import PastRun
    from studytool.services.story import Told
    from studytool.services.types import Overview, Question, Rated, SessionQuery, Summary, Undone
    from studytool.settings import Settings
    from studytool.tui.interview_ports import Interviews


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of opening the store and reading the deck; `warnings` name files with faults.

    `story` says whether the deck tells one.
    """

    folder: str
    cards: int
    warnings: tuple[str, ...] = ()
    story: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A question with what the screen needs around it.

    `claims` are values by "demo/claim", from the user's own last run or the recorded ones;
    `follow_ups` are (card id, question); `demo_title` is empty when the card has no demo that
    this installation knows.
    """

    question: Question
    claims: Mapping[str, str] = field(default_factory=dict)
    follow_ups: tuple[tuple[str, str], ...] = ()
    demo_title: str = ""
    draft: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """Where a session stands: the card on the table, the one after it if it is known, how far."""

    sheet: Sheet | None
    ahead: Sheet | None
    done: int
    total: int


class Sitting(Protocol):
    """A study session; each call answers with where the session stands after it."""

    async def view(self) -> View: ...
    async def rate(
        self,
        rating: Rating,
        *,
        duration_ms: int,
        typed: str,
        ticked: Sequence[int],
        suggested: Rating | None,
        corrections: Sequence[Override] = (),
    ) -> tuple[Rated, View]:
        """Store the answer, and the verdicts on key points that the user has changed, as one step."""
        ...

    async def undo(self) -> tuple[Undone | None, View]: ...
    async def suspend(self) -> View: ...
    async def bury(self) -> View: ...
    async def reset(self) -> View: ...
    async def flag(self, flag: int) -> View: ...
    async def note(self, text: str) -> View: ...
    async def insert(self, card_id: str) -> View: ...
    async def refresh(self) -> View: ...
    async def save_draft(self, card_id: str, text: str) -> None: ...
    async def summary(self) -> Summary: ...


class Grades(Protocol):
    """Verdicts on typed answers, made on threads of their own."""

    async def prepare(self, question: Question | None = None) -> None:
        """Begin to load the sentence encoder, then the vectors of a question's card."""
        ...

    async def grade(self, question: Question, answer: str) -> Graded:
        """The verdict that can be had at once: on words alone until the encoder is there."""
        ...

    async def complete(self) -> str:
        """Wait for the encoder. One line on why verdicts rest on words alone, empty if they don't."""
        ...


class CardLine(msgspec.Struct, frozen=True, gc=False):
    """One line of the card browser; `hay` is what a filter looks through, in lower case.

    A hundred thousand of them would make each full collection of garbage a visible pause, so
    the collector doesn't track them: they hold nothing but text.
    """

    id: str
    question: str
    chapter: str
    hay: str


@dataclass(frozen=True, slots=True)
class DemoLine:
    """One line of the demo list; `missing` is the command that installs what is not there."""

    info: DemoInfo
    installed: bool
    missing: str = ""
    last: datetime | None = None
    passed: bool | None = None


@dataclass(frozen=True, slots=True)
class DemoSheet:
    """All that the demo screen needs before a run."""

    info: DemoInfo
    params: tuple[Param, ...]
    installed: bool
    missing: str = ""
    history: tuple[PastRun, ...] = ()


class Run(Protocol):
    """One run of a demo in its child process; iterating it starts it."""

    def __aiter__(self) -> AsyncIterator[Event]:
        """Everything the run says; ends with a Done or a Failed, at once after `cancel`."""
        ...

    def explore(self, request: str) -> AsyncIterator[Event]:
        """The answer to one request, of a run whose Done offered it."""
        ...

    async def cancel(self) -> None:
        """Stop the run and all it started, within a second; harmless when it is over."""
        ...


class Desk(Protocol):
    """All use cases of the app."""

    @property
    def clock(self) -> Clock: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def folder(self) -> str: ...
    @property
    def grading(self) -> Grades:
        """Verdicts on typed answers; review and interviews share one grader."""
        ...

    @property
    def interviews(self) -> Interviews:
        """The use cases of the interview screens."""
        ...

    def theme_hint(self) -> str:
        """The theme that the settings name, before they are read; empty for the app's own."""
        ...

    async def prepare(self) -> None:
        """Read the settings and find the deck; clock and settings may be asked for afterwards.

        Raises UsageError for a deck that isn't there.
        """
        ...

    async def glance(self) -> Overview | None:
        """Home's first numbers, read without SQLAlchemy; None when there is no database yet."""
        ...

    async def open(self) -> Opened:
        """Open the store, migrate it, read the deck. Raises StorageError."""
        ...

    async def keep_daily_copy(self) -> Sequence[str]:
        """Save the copy of the study day; warnings about it. Raises StorageCorrupt for a damaged store."""
        ...

    async def overview(self) -> Overview: ...
    async def first(self, query: SessionQuery) -> View | None:
        """The first card of a session before `open`; None when that can't be said yet.

        Its sheet has no claims, follow-ups or demo; `sit` with the same query begins with this card.
        """
        ...

    async def sit(self, query: SessionQuery) -> Sitting: ...
    async def sync(self) -> Opened: ...
    def card_lines(self) -> AsyncIterator[Sequence[CardLine]]:
        """All cards in reading order, in batches."""
        ...

    def place(self, question: Question) -> str:
        """The path of the file that holds the text of a question."""
        ...

    async def sheet(self, card_id: str) -> Sheet | None: ...
    async def stories(self) -> Sequence[Told]:
        """The stories of the deck with what their cards and demos are called."""
        ...

    async def demo_lines(self) -> tuple[Sequence[DemoLine], Sequence[str]]: ...
    async def demo(self, demo_id: str) -> DemoSheet: ...
    async def run(
        self, demo_id: str, params: Mapping[str, Value], on_log: Callable[[str], None]
    ) -> Run: ...
    async def keep_run(
        self,
        demo_id: str,
        params: Mapping[str, Value],
        events: Sequence[Event],
        *,
        seconds: float,
        cancelled: bool,
        card: str,
    ) -> int:
        """Store a run that has ended; answers with its id."""
        ...

    async def keep_guess(
        self, demo_id: str, asked: Prediction, guess: str | float, outcome: Outcome, run: int
    ) -> None: ...
    async def save_report(
        self, demo_id: str, params: Mapping[str, Value], events: Sequence[Event]
    ) -> str:
        """Write events, report and pictures of a run; answers with the folder."""
        ...

    async def save_settings(self, settings: Settings) -> None: ...
    async def close(self) -> None: ...
