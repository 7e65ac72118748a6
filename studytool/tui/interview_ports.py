"""What the interview screens ask of the rest of studytool; `interview_desk` answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.interview.model import Setup
    from studytool.services.interview import View
    from studytool.services.interviews import Format, PastInterview, Waiting


@dataclass(frozen=True, slots=True)
class Start:
    """How the app is to open an interview: with a set-up, going on with the last, or by asking.

    `choose_seed` leaves the seed of `setup` to studytool.
    """

    setup: Setup | None = None
    resume: bool = False
    choose_seed: bool = True


@dataclass(frozen=True, slots=True)
class Reception:
    """What the set-up screen shows: the chapters to choose from, what waits, what was held."""

    chapters: tuple[tuple[str, str], ...]
    waiting: Waiting | None = None
    held: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReportSheet:
    """A report with its date in words."""

    past: PastInterview
    when: str


class Talk(Protocol):
    """An interview in progress; each call answers with how it stands after it, saved."""

    async def view(self) -> View: ...
    async def answer(self, text: str) -> View: ...
    async def draft(self, text: str) -> None: ...
    async def spoke(self) -> View: ...
    async def sure(self, level: int | None) -> View: ...
    async def tick(self, points: Sequence[int]) -> View: ...
    async def judge(self) -> View: ...
    async def hint(self) -> View: ...
    async def skip(self) -> View: ...
    async def unknown(self) -> View: ...
    async def showed(self) -> View: ...
    async def go_on(self) -> View: ...
    async def pause(self) -> View: ...
    async def unpause(self) -> View: ...
    async def finish(self) -> View: ...
    async def keep_time(self) -> None: ...


class Interviews(Protocol):
    """All use cases of the interview screens."""

    async def reception(self) -> Reception: ...
    async def begin(self, setup: Setup, *, choose_seed: bool) -> Talk: ...
    async def resume(self) -> Talk: ...
    async def report(self, number: int) -> ReportSheet: ...
    async def queue_missed(self, number: int) -> tuple[str, ...]:
        """Put the missed cards into the review queue; answers with those put there."""
        ...

    async def export(self, number: int, form: Format) -> str:
        """Write the report into the user's reports folder; answers with the file."""
        ...
