"""Review: one question after the other, the next at once while the last is being saved."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content

from studytool.deck.model import Kind
from studytool.errors import StudytoolError
from studytool.tui import card_parts, card_text
from studytool.tui.parts import Line, Words
from studytool.tui.review_ahead import Ahead, content
from studytool.tui.review_driver import Driver
from studytool.tui.review_keys import ReviewKeys
from studytool.tui.text import bar, seconds
from studytool.tui.widgets.card_sheet import CardSheet
from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.rate_bar import RateBar
from studytool.tui.widgets.rule import Rule
from studytool.tui.widgets.title_bar import TitleBar
from studytool.tui.work import work

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer

    from studytool.services.types import SessionQuery
    from studytool.tui.ports import Sitting
    from studytool.tui.review_state import Table
    from studytool.tui.widgets.answer_box import DoneTyping, Typed

DRAFT_DELAY = 0.25
#: How long a question stands before its answer is set: the frame of the question comes first.
PREPARE_DELAY = 0.1
BAR_WIDTH = 12
HINTS = {
    Kind.CHOICE: "x picks, space reveals",
    Kind.COMPUTE: "t to type the number, space reveals",
}
HINT = "t to type, space to think and reveal"
TYPING_HINT = "esc keeps it and leaves, ctrl+r reveals"


class ReviewScreen(ReviewKeys):
    """One session over the cards of a query."""

    DEFAULT_CSS = """
    ReviewScreen #box { height: auto; display: none; padding: 0 1; }
    """

    def __init__(self, query: SessionQuery) -> None:
        super().__init__()
        self.session_query = query
        self._drawn: object = None
        self._ahead = Ahead()
        self._draft_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield CardSheet(id="sheet")
        yield Vertical(id="box")
        yield RateBar()
        yield KeyBar()

    def on_mount(self) -> None:
        self.driver = Driver(self.app.desk, self._show, self.app.tell)
        self._show()
        work(self, self._start, "session")
        self.set_interval(1.0, self._second)

    async def _start(self) -> None:
        assert self.driver is not None
        try:
            await self.app.prepared.wait()
            if not self.app.dealt.is_set():
                await self.driver.deal_first(self.session_query)
                await self._painted()
        finally:
            self.app.dealt.set()
        await self.app.ready.wait()
        await self.driver.start(self.session_query)
        if self.driver.table is not None:
            await self.app.desk.grading.prepare()

    async def _painted(self) -> None:
        """Wait until what has been drawn is on the screen."""
        for _ in range(2):  # a widget tells its screen of a change when it is idle itself
            painted = asyncio.Event()
            self.sheet.call_after_refresh(painted.set)
            await painted.wait()

    def on_screen_suspend(self) -> None:
        if self.driver is not None:
            self.driver.pause()

    def on_screen_resume(self) -> None:
        if self.driver is not None:
            self.driver.resume()
            self._tick()

    # What is drawn

    def _show(self) -> None:
        """Draw what has changed since the last time."""
        driver = self.driver
        if driver is None or not self.is_mounted:
            return
        table = driver.table
        self._draw_title(driver)
        if table is None:
            self._drawn = None
            self._draw_nothing(driver)
        else:
            self._draw_card(table)
            if table.wants_verdict:
                table.judging = True
                work(self, partial(driver.judge, table), "grade")

    def _draw_title(self, driver: Driver) -> None:
        table = driver.table
        left = card_text.head(table.sheet.question) if table else Content.styled("Review", "bold")
        parts = [Content.styled(driver.status, "$right" if "✓" in driver.status else "$due")]
        if driver.total:
            full, empty = bar(driver.done / driver.total, BAR_WIDTH)
            parts += [
                Content(f"{min(driver.done + 1, driver.total)} / {driver.total}"),
                Content.assemble((full, "$accent"), (empty, "$track")),
            ]
        self.query_one(TitleBar).show(left, Content("  ").join(part for part in parts if part))

    def _draw_nothing(self, driver: Driver) -> None:
        words = Content.styled("Reading the deck…", "$muted")
        if driver.over and not driver.rated:
            words = Content.assemble(
                ("Nothing is due here.\n\n", "bold"), ("esc", "bold $accent"), " goes back."
            )
        elif driver.over:
            words = Content("")
            self._finish()
        self.sheet.show([Words(Content(" "), gap=False), Words(words)], home=True)
        self.query_one(RateBar).show((), None)
        self.refresh_bindings()

    def _draw_card(self, table: Table) -> None:
        """The card in hand; drawn anew only when what it says, or how much is open, is another."""
        opened = self.opened(table)
        said = content(table)
        state = (id(table), table.revealed, opened, self._typing, said)
        if state != self._drawn:
            new = not isinstance(self._drawn, tuple) or self._drawn[:2] != state[:2]
            fresh = not isinstance(self._drawn, tuple) or self._drawn[0] != state[0]
            if new:
                self._close_box()
                self.set_focus(None)
            self._drawn = (*state[:3], self._typing, said)
            if table.revealed:
                self.sheet.show(self._ahead.take(table, opened), home=fresh)
            else:
                self.sheet.show(card_parts.asked(table), home=fresh)
                self.sheet.activate("options")
            if fresh:
                self.set_timer(PREPARE_DELAY, self._prepare)
            self._tick()
        self.suggestion_changed(table)

    def suggestion_changed(self, table: Table) -> None:
        choices = table.sheet.question.choices if table.revealed else ()
        self.query_one(RateBar).show(choices, table.suggested, table.reason)
        said, settled = self.sheet.part("said"), table.settled
        if isinstance(said, Line) and settled is not None:
            said.right = card_text.tally(settled)
            self.sheet.update("said")
        self.refresh_bindings()

    def _prepare(self) -> None:
        """Set the answer while the question is read."""
        table = self.table
        if table is not None and not table.revealed and not self._typing:
            self._ahead.prepare(self.sheet, table, self.opened(table))

    def _second(self) -> None:
        self._tick()
        self._prepare()

    def _tick(self) -> None:
        """The line under the question: what may be done there, and the time spent so far."""
        table = self.driver.table if self.driver is not None else None
        if table is None or table.revealed:
            return
        time = seconds(table.seconds(self.app.desk.clock.monotonic()))
        if self._typing:
            self.query_one("#box Rule", Rule).show(TYPING_HINT, time)
            return
        rule = self.sheet.part("rule")
        words = HINTS.get(table.kind, HINT)
        if isinstance(rule, Line) and (rule.left, rule.right) != (words, time):
            rule.left, rule.right = words, time
            self.sheet.update("rule")

    # Typing

    @property
    def _typing(self) -> bool:
        return bool(self.query_one("#box").display)

    def _close_box(self) -> None:
        box = self.query_one("#box", Vertical)
        if box.display:
            box.display = False
            box.remove_children()

    def open_box(self, table: Table) -> None:
        """Open the field for a typed answer, with what was typed before."""
        from studytool.tui.widgets.answer_box import AnswerBox, NumberBox

        result = table.sheet.question.card.result
        field = (
            NumberBox(table.typed, result.unit)
            if table.kind is Kind.COMPUTE and result is not None
            else AnswerBox(table.typed)
        )
        if table.kind is not Kind.CLOZE and isinstance(field, AnswerBox):
            ready = partial(self.app.desk.grading.prepare, table.sheet.question)
            work(self, ready, "grade")
        box = self.query_one("#box", Vertical)
        box.display = True
        box.mount(Rule(dotted=True), field)
        field.focus()
        self._draw_card(table)

    def on_typed(self, message: Typed) -> None:
        if self.driver is None:
            return
        self.driver.type(message.text)
        if self._draft_timer is None:
            self._draft_timer = self.set_timer(DRAFT_DELAY, self._keep_draft)

    def _keep_draft(self) -> None:
        if self._draft_timer is not None:
            self._draft_timer.stop()
            self._draft_timer = None
            assert self.driver is not None
            work(self, self.driver.save_draft, "draft")

    def on_done_typing(self, message: DoneTyping) -> None:
        message.stop()
        self._keep_draft()
        assert self.driver is not None
        table = self.driver.table
        self._close_box()
        self.set_focus(None)
        if message.reveal:
            self.driver.reveal()
        elif table is not None:
            self._draw_card(table)
        self.refresh_bindings()

    # Ends

    def leave(self) -> None:
        """Close the screen, once a rating that is on its way is on the disk."""
        self._keep_draft()
        if self.driver is not None and self.driver.busy:
            work(self, self._leave_saved, "leave", exclusive=True)
        else:
            self.dismiss()

    async def _leave_saved(self) -> None:
        await self.settled()
        # Not awaited: closing waits for the work of this screen, which this is.
        self.dismiss()

    async def settled(self) -> None:
        """Wait until no rating is on its way to the disk."""
        if self.driver is not None:
            await self.driver.settled.wait()

    def _finish(self) -> None:
        """All cards are done: tell how it went."""
        assert self.driver is not None
        assert self.driver.sitting is not None
        work(self, partial(self._summary, self.driver.sitting), "end", exclusive=True)

    async def _summary(self, sitting: Sitting) -> None:
        from studytool.tui.screens.summary import SummaryScreen

        try:
            summary = await sitting.summary()
        except StudytoolError as fault:
            self.app.tell(fault)
            return
        # Not awaited: the switch waits for the work of this screen, which this is.
        self.app.switch_screen(SummaryScreen(summary, single=bool(self.session_query.cards)))
