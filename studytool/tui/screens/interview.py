"""The interview: a question, an answer by keyboard or out loud, probes, and no verdict until the end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content

from studytool.interview import prompts
from studytool.interview.model import Phase
from studytool.tui import interview_text as words
from studytool.tui import prose
from studytool.tui.interview_keys import InterviewKeys
from studytool.tui.widgets.answer_box import Typed  # noqa: TC001 - Textual reads the handler's type
from studytool.tui.widgets.check_list import CheckList, Item
from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.lines import Passage
from studytool.tui.widgets.rule import Rule
from studytool.tui.widgets.speech_box import SpeechBox
from studytool.tui.widgets.title_bar import TitleBar
from studytool.tui.work import work

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult
    from textual.timer import Timer

    from studytool.services.interview import View
    from studytool.tui.interview_ports import Start, Talk

DRAFT_DELAY = 0.4
#: How often the clock is saved while nothing is typed, in seconds.
KEEP_EVERY = 2


class InterviewScreen(InterviewKeys):
    """One interview. Every step is saved before the next is shown; escape pauses and leaves."""

    DEFAULT_CSS = """
    InterviewScreen #sheet { padding: 0 1; }
    InterviewScreen SpeechBox, InterviewScreen #you { display: none; }
    InterviewScreen #you { margin-top: 1; }
    InterviewScreen #points, InterviewScreen #said { margin-top: 1; }
    """

    def __init__(self, start: Start) -> None:
        super().__init__()
        self.start = start
        self._taken_at = 0.0
        self._ticks = 0
        self._draft_timer: Timer | None = None
        self._typed = ""
        self._away = False
        self._over = False

    def compose(self) -> ComposeResult:
        yield TitleBar(Content.styled("Interview", "bold"))
        with VerticalScroll(id="sheet", can_focus=False):
            yield words.TalkView()
            yield CheckList(id="points")
            yield Passage(Content.styled("You", words.STYLES["You"]), id="you")
            yield SpeechBox("")
            yield Passage(id="said")
        yield Rule(dotted=True)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(CheckList).show(())
        self.query_one("#said", Passage).show(Content.styled("One moment…", "$muted"))
        work(self, self._begin, "talk")
        self.set_interval(1.0, self._tick)

    async def _begin(self) -> None:
        await self.app.ready.wait()
        desk, start = self.app.desk.interviews, self.start
        if start.resume or start.setup is None:
            self.talk = await desk.resume()
        else:
            self.talk = await desk.begin(start.setup, choose_seed=start.choose_seed)
        await self._take(await self.talk.view())

    # steps

    def do(self, call: Callable[[Talk], Awaitable[View]]) -> None:
        """Take a step in the background, after those begun before; keys wait for it."""
        if self.talk is not None:
            self.busy += 1
            self.refresh_bindings()
            work(self, partial(self._do, self.talk, call), "talk")

    async def _do(self, talk: Talk, call: Callable[[Talk], Awaitable[View]]) -> None:
        try:
            await self._take(await call(talk))
        finally:
            self.busy -= 1
            self.refresh_bindings()

    async def _take(self, view: View) -> None:
        """Show how it stands; have an answer judged, and go on to the report at the end."""
        if self._over:
            return
        self._show(view)
        if view.phase is Phase.JUDGING and not view.paused and self.talk is not None:
            view = await self.talk.judge()
            self._show(view)
        if view.phase is Phase.OVER:
            from studytool.tui.screens.report import ReportScreen

            self._over = True
            sheet = await self.app.desk.interviews.report(view.id)
            # Not awaited: the switch waits for the work of this screen, which this is.
            self.app.switch_screen(ReportScreen(sheet))

    # what is drawn

    def _show(self, view: View) -> None:
        before, self.view = self.view, view
        self._taken_at = self.app.desk.clock.monotonic()
        self.query_one(TitleBar).show(words.title(view.setup), words.place(view))
        self.query_one(words.TalkView).show(() if view.paused else view.lines)
        self._show_points(view)
        said = Content("")
        if view.paused:
            said = Content.assemble(("Paused. ", "bold"), ("z", "bold $accent"), " goes on.")
        elif view.verdict is not None:
            said = words.verdict(view.verdict)
        self.query_one("#said", Passage).show(said)
        place = (view.number, view.probe, view.phase, view.paused)
        asks = view.phase is Phase.ASKING and not view.paused
        if before is None or place != (before.number, before.probe, before.phase, before.paused):
            self._stop_draft()
            self._typed = view.draft
            self._offer_box(asks)
        self._draw_clock()
        self.refresh_bindings()
        self.call_after_refresh(self.query_one("#sheet").scroll_end, animate=False)

    def _show_points(self, view: View) -> None:
        points = self.query_one(CheckList)
        if view.phase is Phase.TICKING and not view.paused:
            if not points.items:
                points.show(
                    [
                        Item(prose.inline(prompts.spoken(one.text)), f"weight {one.weight}")
                        for one in view.points
                    ]
                )
            points.focus()
        else:
            points.show(())

    def _draw_clock(self) -> None:
        view, rule = self.view, self.query_one(Rule)
        if view is None:
            return
        left = {
            Phase.ASKING: "ctrl+enter or ctrl+s answers, esc for the other keys",
            Phase.SURE: "1 guessing · 2 · 3 even · 4 · 5 certain",
            Phase.TICKING: "x ticks what you said, enter goes on",
        }.get(view.phase, "")
        if view.phase is Phase.ASKING and not self.typing:
            left = "t goes on typing"
        right = ""
        if view.phase is Phase.ASKING:
            right = words.clock(view, self._spent(view))
        rule.show("paused" if view.paused else left, right)

    def _spent(self, view: View) -> float:
        """The time on this answer: what the session knows of, and since."""
        if view.paused or self.talk is None:
            return view.seconds
        return view.seconds + self.app.desk.clock.monotonic() - self._taken_at

    def _tick(self) -> None:
        self._draw_clock()
        self._ticks += 1
        view = self.view
        asks = view is not None and view.phase is Phase.ASKING and not view.paused
        if asks and self.talk is not None and self._ticks % KEEP_EVERY == 0 and not self.busy:
            work(self, self.talk.keep_time, "draft")

    # typing

    @property
    def typing(self) -> bool:
        """Whether the answer has the keys."""
        return self.query_one(SpeechBox).has_focus

    def _offer_box(self, asks: bool) -> None:
        """Show the field with what was typed of this answer, or take it away."""
        box = self.query_one(SpeechBox)
        box.display = self.query_one("#you").display = asks
        if box.text != self._typed:
            box.text = self._typed
            box.move_cursor(box.document.end)
        if asks:
            self.open_box()
        elif not self.query_one(CheckList).items:
            self.set_focus(None)

    def open_box(self) -> None:
        """Type, from where it was left."""
        self.query_one(SpeechBox).focus()
        self.refresh_bindings()
        self._draw_clock()

    def on_descendant_focus(self) -> None:
        self._draw_clock()

    def on_descendant_blur(self) -> None:
        self._draw_clock()

    def on_typed(self, message: Typed) -> None:
        message.stop()
        # The message may be older than what the field holds by now.
        self._typed = self.query_one(SpeechBox).text
        asks = self.view is not None and self.view.phase is Phase.ASKING
        if asks and self._draft_timer is None:
            self._draft_timer = self.set_timer(DRAFT_DELAY, self._keep_draft)

    def _stop_draft(self) -> None:
        if self._draft_timer is not None:
            self._draft_timer.stop()
            self._draft_timer = None

    def _keep_draft(self) -> None:
        self._stop_draft()
        if self.talk is not None and not self.busy:
            work(self, partial(self.talk.draft, self._typed), "draft")

    def on_speech_box_left(self, message: SpeechBox.Left) -> None:
        message.stop()
        self._keep_draft()
        self.set_focus(None)
        self.refresh_bindings()
        self._draw_clock()

    def on_speech_box_sent(self, message: SpeechBox.Sent) -> None:
        message.stop()
        if not message.text.strip():
            said = "Nothing is typed yet. esc, then k says that you don't know, s skips."
            self.query_one("#said", Passage).show(Content.styled(said, "$due"))
            return
        self._stop_draft()
        self.do(lambda talk: talk.answer(message.text))

    # out of sight

    def on_screen_suspend(self) -> None:
        """The clock stands while the demo or the help is on top."""
        view = self.view
        if self.talk is not None and view is not None and not (view.paused or self._over):
            self._away = True
            if self._draft_timer is not None:
                self._keep_draft()
            work(self, self.talk.pause, "talk")

    def on_screen_resume(self) -> None:
        if self._away and self.talk is not None:
            self._away = False
            self.do(lambda talk: talk.unpause())
