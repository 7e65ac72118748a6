"""A desk that answers from memory and notes what was asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from studytool.clock import FixedClock
from studytool.demo.events import Event, Outcome, Prediction
from studytool.demo.params import Value, describe
from studytool.demo.spec import DemoInfo, Params
from studytool.errors import StudytoolError, UsageError
from studytool.grading.model import Graded
from studytool.interview.model import Setup
from studytool.schedule.model import Override, Rating
from studytool.services.demo_history import PastRun
from studytool.services.interviews import Format
from studytool.services.story import Told
from studytool.services.types import (
    Counts,
    Overview,
    Question,
    Rated,
    SessionQuery,
    Summary,
    Undone,
)
from studytool.settings import Settings
from studytool.tui.interview_ports import Reception, ReportSheet, Talk
from studytool.tui.ports import (
    CardLine,
    DemoLine,
    DemoSheet,
    Opened,
    Sheet,
    View,
)
from tests.tui import sample

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class FakeSitting:
    """A session over a list of sheets; a rating of 1 brings the card back at the end."""

    def __init__(self, desk: FakeDesk, sheets: Sequence[Sheet]) -> None:
        self.desk = desk
        self.sheets = list(sheets)
        self.at = 0
        self.rated: list[tuple[str, Rating, str, tuple[int, ...]]] = []
        self.calls: list[tuple[Any, ...]] = []
        self.corrections: list[Override] = []
        self.suggested: list[Rating | None] = []
        self.fail: StudytoolError | None = None
        self.hold: asyncio.Event | None = None

    def _view(self) -> View:
        sheet = self.sheets[self.at] if self.at < len(self.sheets) else None
        ahead = self.sheets[self.at + 1] if self.at + 1 < len(self.sheets) else None
        return View(sheet, ahead, self.at, len(self.sheets))

    async def view(self) -> View:
        return self._view()

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
        if self.hold is not None:
            await self.hold.wait()
        if self.fail is not None:
            raise self.fail
        del duration_ms
        self.corrections.extend(corrections)
        self.suggested.append(suggested)
        card_id = self.sheets[self.at].question.card_id
        self.rated.append((card_id, rating, typed, tuple(ticked)))
        self.desk.drafts.pop(card_id, None)
        self.at += 1
        event = f"event-{len(self.rated) - 1}"
        return Rated(card_id, rating, sample.TODAY, "6d", event), self._view()

    async def undo(self) -> tuple[Undone | None, View]:
        if not self.rated:
            return None, self._view()
        card_id, rating, _, _ = self.rated.pop()
        self.at -= 1
        return Undone(card_id, "review", rating, f"event-{len(self.rated)}"), self._view()

    def _drop(self, name: str) -> View:
        self.calls.append((name, self.sheets[self.at].question.card_id))
        del self.sheets[self.at]
        return self._view()

    async def suspend(self) -> View:
        return self._drop("suspend")

    async def bury(self) -> View:
        return self._drop("bury")

    async def reset(self) -> View:
        self.calls.append(("reset", self.sheets[self.at].question.card_id))
        return self._view()

    async def flag(self, flag: int) -> View:
        self.calls.append(("flag", flag))
        return self._change_state(flag=flag)

    async def note(self, text: str) -> View:
        self.calls.append(("note", text))
        return self._change_state(note=text)

    def _change_state(self, **changes: Any) -> View:
        import msgspec

        sheet = self.sheets[self.at]
        state = msgspec.structs.replace(sheet.question.state, **changes)
        question = msgspec.structs.replace(sheet.question, state=state)
        self.sheets[self.at] = Sheet(
            question, sheet.claims, sheet.follow_ups, sheet.demo_title, sheet.draft
        )
        return self._view()

    async def insert(self, card_id: str) -> View:
        self.calls.append(("insert", card_id))
        card = next(card for card in sample.CARDS if card.id == card_id)
        self.sheets.insert(self.at, self.desk.make_sheet(card))
        return self._view()

    async def refresh(self) -> View:
        self.calls.append(("refresh",))
        return self._view()

    async def save_draft(self, card_id: str, text: str) -> None:
        if text:
            self.desk.drafts[card_id] = text
        else:
            self.desk.drafts.pop(card_id, None)

    async def summary(self) -> Summary:
        counts = {rating: sum(r is rating for _, r, _, _ in self.rated) for rating in Rating}
        return Summary(
            answered=len(self.rated),
            again=counts[Rating.AGAIN],
            hard=counts[Rating.HARD],
            good=counts[Rating.GOOD],
            easy=counts[Rating.EASY],
            seconds=95.0,
            lapsed_cards=tuple(c for c, r, _, _ in self.rated if r is Rating.AGAIN),
            remaining=Counts(new=3, review=2),
            tomorrow=14,
        )


class FakeRun:
    """A run that says the given events, waits where it is told to, and can be cancelled."""

    def __init__(self, demo: FakeDemo, on_log: Callable[[str], None]) -> None:
        self.demo = demo
        self.on_log = on_log
        self.go_on = asyncio.Event()
        self.cancelled = False

    async def __aiter__(self) -> AsyncIterator[Event]:
        for line in self.demo.log:
            self.on_log(line)
        for number, event in enumerate(self.demo.script):
            if number == self.demo.pause_at:
                await self.go_on.wait()
            if self.cancelled:
                return
            yield event

    async def explore(self, request: str) -> AsyncIterator[Event]:
        for event in self.demo.answers.get(request, ()):
            yield event

    async def cancel(self) -> None:
        self.cancelled = True
        self.go_on.set()


@dataclass
class FakeDemo:
    """What the fake desk knows of one demo."""

    info: DemoInfo
    params: type[Params]
    script: Sequence[Event] = ()
    log: Sequence[str] = ()
    answers: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    installed: bool = True
    missing: str = ""
    history: tuple[PastRun, ...] = ()
    pause_at: int | None = None


class FakeGrades:
    """Says the verdicts it was given; without any, that every point was missed.

    `words` is the verdict on words alone, `meaning` the one by the encoder, which comes when
    `loaded` is set; `why` says why there is no encoder.
    """

    def __init__(self) -> None:
        self.words: Graded | None = None
        self.meaning: Graded | None = None
        self.why = ""
        self.loaded = asyncio.Event()
        self.asked: list[tuple[str, str]] = []
        self.prepared: list[str] = []

    async def prepare(self, question: Question | None = None) -> None:
        self.prepared.append("" if question is None else question.card_id)

    async def grade(self, question: Question, answer: str) -> Graded:
        self.asked.append((question.card_id, answer))
        if self.loaded.is_set() and self.meaning is not None:
            return self.meaning
        return self.words or sample.graded(question.card)

    async def complete(self) -> str:
        if self.meaning is not None:
            await self.loaded.wait()
        return self.why


class FakeInterviews:
    """A desk without interviews; `tests/tui/test_interview.py` holds real ones."""

    async def reception(self) -> Reception:
        return Reception((("static", "Word vectors"),))

    async def begin(self, setup: Setup, *, choose_seed: bool) -> Talk:
        raise UsageError("There is no card that an interviewer could ask.")

    async def resume(self) -> Talk:
        raise UsageError("There is no interview to go on with.")

    async def report(self, number: int) -> ReportSheet:
        raise UsageError("No interview was finished yet.")

    async def queue_missed(self, number: int) -> tuple[str, ...]:
        return ()

    async def export(self, number: int, form: Format) -> str:
        return ""


class FakeDesk:
    """Answers at once; `fault` is raised on opening, `hold` delays it."""

    def __init__(
        self,
        *,
        overview: Overview = sample.OVERVIEW,
        cards: Sequence[Any] = sample.CARDS,
        opened: Opened | None = None,
        demos: Sequence[FakeDemo] = (),
        settings: Settings | None = None,
    ) -> None:
        self._clock = FixedClock(NOW)
        self._settings = settings or Settings()
        self._overview = overview
        self.told: Sequence[Told] = (sample.STORY,)
        self._opened = opened or Opened("/decks/mine", overview.total_cards, story=True)
        self.cards = list(cards)
        self.demos = {demo.info.id: demo for demo in demos}
        self.drafts: dict[str, str] = {}
        self.sitting: FakeSitting | None = None
        self.early: View | None = None
        self.copy_fault: StudytoolError | None = None
        self.copy_warnings: Sequence[str] = ()
        self.queries: list[SessionQuery] = []
        self.runs: list[FakeRun] = []
        self.started: list[tuple[str, dict[str, Value]]] = []
        self.kept: list[tuple[str, bool, int, str]] = []
        self.guesses: list[tuple[str, str | float, str | float]] = []
        self.saved: list[Settings] = []
        self.lines: Sequence[CardLine] | None = None
        self.fault: StudytoolError | None = None
        self.settings_fault: StudytoolError | None = None
        self.hold: asyncio.Event | None = None
        self.closed = False
        self.prepared = False
        self.interviews = FakeInterviews()
        self.grading = FakeGrades()
        self.synced = 0

    @property
    def clock(self) -> FixedClock:
        return self._clock

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def folder(self) -> str:
        return self._opened.folder

    def theme_hint(self) -> str:
        return self._settings.ui.theme

    async def prepare(self) -> None:
        self.prepared = True

    async def glance(self) -> Overview | None:
        return None

    async def open(self) -> Opened:
        if self.hold is not None:
            await self.hold.wait()
        if self.fault is not None:
            raise self.fault
        return self._opened

    async def keep_daily_copy(self) -> Sequence[str]:
        if self.copy_fault is not None:
            raise self.copy_fault
        return self.copy_warnings

    async def overview(self) -> Overview:
        return self._overview

    def make_sheet(self, card: Any, **changes: Any) -> Sheet:
        titles = {each.id: each.question for each in sample.CARDS}
        return Sheet(
            sample.question(card, **changes),
            {"clip/tau-one": "R@1 0.12"},
            tuple((each, titles[each]) for each in card.follow_ups),
            self.demos[card.demo].info.title if card.demo in self.demos else "",
            self.drafts.get(card.id, ""),
        )

    async def first(self, query: SessionQuery) -> View | None:
        del query
        return self.early

    async def sit(self, query: SessionQuery) -> FakeSitting:
        self.queries.append(query)
        cards = [card for card in self.cards if not query.cards or card.id in query.cards]
        self.sitting = FakeSitting(self, [self.make_sheet(card) for card in cards])
        return self.sitting

    async def sync(self) -> Opened:
        self.synced += 1
        return self._opened

    async def card_lines(self) -> AsyncIterator[Sequence[CardLine]]:
        if self.lines is not None:
            yield self.lines
            return
        yield [
            CardLine(
                card.id,
                card.question,
                card.chapter,
                "\n".join((card.id, card.question, card.chapter, *card.tags)).lower(),
            )
            for card in self.cards
        ]

    def place(self, question: Question) -> str:
        return f"{self.folder}/{question.path}"

    async def sheet(self, card_id: str) -> Sheet | None:
        found = [card for card in self.cards if card.id == card_id]
        return self.make_sheet(found[0]) if found else None

    async def stories(self) -> Sequence[Told]:
        return self.told

    async def demo_lines(self) -> tuple[Sequence[DemoLine], Sequence[str]]:
        lines = [
            DemoLine(
                demo.info,
                demo.installed,
                demo.missing,
                demo.history[0].at if demo.history else None,
                demo.history[0].passed if demo.history else None,
            )
            for demo in self.demos.values()
        ]
        return lines, ()

    async def demo(self, demo_id: str) -> DemoSheet:
        demo = self.demos[demo_id]
        return DemoSheet(
            demo.info, describe(demo.params), demo.installed, demo.missing, demo.history
        )

    async def run(
        self, demo_id: str, params: Mapping[str, Value], on_log: Callable[[str], None]
    ) -> FakeRun:
        demo = self.demos[demo_id]
        self.started.append((demo_id, dict(params)))
        run = FakeRun(demo, on_log)
        self.runs.append(run)
        return run

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
        del params, seconds
        self.kept.append((demo_id, cancelled, len(events), card))
        return len(self.kept)

    async def keep_guess(
        self, demo_id: str, asked: Prediction, guess: str | float, outcome: Outcome, run: int
    ) -> None:
        del demo_id, run
        self.guesses.append((asked.id, guess, outcome.value))

    async def save_report(
        self, demo_id: str, params: Mapping[str, Value], events: Sequence[Event]
    ) -> str:
        del params
        return f"/saved/{demo_id}-{len(events)}"

    async def save_settings(self, settings: Settings) -> None:
        if self.settings_fault is not None:
            raise self.settings_fault
        self._settings = settings
        self.saved.append(settings)

    async def close(self) -> None:
        self.closed = True
