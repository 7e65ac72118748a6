"""The report of an interview, with one key for each next step."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen

from studytool.interview import document
from studytool.interview.model import Style
from studytool.interview.scoring import PASS
from studytool.services import interviews
from studytool.tui.plots import Trace
from studytool.tui.text import plain_line
from studytool.tui.widgets.curve_plot import CurvePlot
from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.lines import Passage
from studytool.tui.widgets.report_view import ReportView
from studytool.tui.widgets.title_bar import TitleBar
from studytool.tui.work import work

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from studytool.interview.lines import Report
    from studytool.tui.app import StudyApp
    from studytool.tui.interview_ports import ReportSheet


class ReportScreen(Screen[None]):
    """Read, export, put what was missed into the next review, open what to do next."""

    app: StudyApp
    AUTO_FOCUS = ""

    DEFAULT_CSS = """
    ReportScreen #sheet { padding: 1 1 0 1; }
    ReportScreen CurvePlot { margin-top: 1; height: 10; max-width: 90; }
    ReportScreen #told { padding: 0 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "next_step(0)", "step 1", show=False, tooltip="the first next step",
                id="report.step1"),
        Binding("2", "next_step(1)", "step 2", show=False, tooltip="the second next step",
                id="report.step2"),
        Binding("3", "next_step(2)", "step 3", show=False, tooltip="the third next step",
                id="report.step3"),
        Binding("a", "queue", "to review", tooltip="put the missed cards into the next review",
                id="report.queue"),
        Binding("e", "export", "export", tooltip="write it as Markdown, HTML or JSON",
                id="report.export"),
        Binding("d", "demo", "demo", tooltip="run the demo of the first next step that has one",
                id="report.demo"),
        Binding("S", "story", "story", tooltip="read the story that was asked for",
                id="report.story"),
        Binding("down,j", "scroll(1)", "line down", show=False),
        Binding("up,k", "scroll(-1)", "line up", show=False),
        Binding("space,pagedown", "scroll(16)", "page down", show=False),
        Binding("pageup", "scroll(-16)", "page up", show=False),
        Binding("escape,enter", "back", "back", id="report.back"),
    ]  # fmt: skip

    def __init__(self, sheet: ReportSheet) -> None:
        super().__init__()
        self.past = sheet.past
        self.when = sheet.when

    @property
    def report(self) -> Report:
        return self.past.report

    def compose(self) -> ComposeResult:
        score = document.percent(self.report.score)
        left = Content.assemble(("Report", "bold"), f"   {score}")
        yield TitleBar(left, plain_line(self.when, "$muted"))
        with VerticalScroll(id="sheet", can_focus=False):
            yield ReportView(self.report)
            if self.report.earlier and self.report.answers:
                yield CurvePlot("Score of the last interviews, in %")
        yield Passage(id="told")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#told", Passage).show("")
        scores = [100 * past.score for past in self.report.earlier] + [100 * self.report.score]
        for plot in self.query(CurvePlot):
            places = [float(at) for at in range(1, len(scores) + 1)]
            known = {"known from": 100 * PASS}
            plot.show([Trace("score", places, scores)], levels=known, labels=("interview", ""))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "next_step":
            at = parameters[0]
            steps = self.report.steps
            return isinstance(at, int) and at < len(steps)
        if action == "queue":
            return bool(set(self.report.missed) - set(self.report.queued))
        if action == "demo":
            return any(step.demo for step in self.report.steps)
        if action == "story":
            asked = any(answer.question.startswith("Tell ") for answer in self.report.answers)
            return asked or self.report.setup.style is Style.STORY
        return True

    def action_next_step(self, at: int) -> None:
        """Read the card of a step; a step without a card is another interview."""
        step = self.report.steps[at]
        if step.card:
            from studytool.tui.screens.browse import BrowseScreen

            self.app.push_screen(BrowseScreen(cards=(step.card,)))
        else:
            from studytool.tui.screens.interview_setup import InterviewSetupScreen

            self.app.switch_screen(InterviewSetupScreen())

    def action_demo(self) -> None:
        """Run the demo of the first step that has one."""
        for step in self.report.steps:
            if step.demo:
                self.app.open_demo(step.demo, card=step.card)
                return

    def action_story(self) -> None:
        """Read how the story goes that the interview asked to be told."""
        self.app.action_story()

    def action_queue(self) -> None:
        """Put the missed cards into the review queue, after asking."""
        from studytool.tui.screens.confirm import ConfirmScreen

        cards = [card for card in self.report.missed if card not in self.report.queued]

        def sure(yes: bool | None) -> None:
            if yes:
                work(self, self._queue, "queue")

        question = (
            f"Rate {document.counted(len(cards), 'missed card')} Again, so that the next review "
            "asks them? Undo in review takes it back."
        )
        self.app.push_screen(ConfirmScreen(question, "put them there"), sure)

    async def _queue(self) -> None:
        done = await self.app.desk.interviews.queue_missed(self.past.id)
        self.past = (await self.app.desk.interviews.report(self.past.id)).past
        self.query_one(ReportView).show(self.report)
        self._tell(f"✓ {document.counted(len(done), 'card')} put into the review queue")
        self.refresh_bindings()

    def action_export(self) -> None:
        """Write the report in a format that is asked for."""
        from studytool.tui.screens.pick import PickScreen

        names = {"md": "Markdown", "html": "HTML", "json": "JSON"}

        def chosen(at: int | None) -> None:
            if at is not None:
                work(self, partial(self._export, interviews.FORMATS[at]), "export")

        self.app.push_screen(
            PickScreen("Write it as", [names[f] for f in interviews.FORMATS]), chosen
        )

    async def _export(self, form: interviews.Format) -> None:
        self._tell(f"✓ {await self.app.desk.interviews.export(self.past.id, form)}")

    def _tell(self, words: str) -> None:
        self.query_one("#told", Passage).show(plain_line(words, "$right"))

    def action_scroll(self, by: int) -> None:
        self.query_one("#sheet").scroll_relative(y=by, animate=False)

    def action_back(self) -> None:
        self.dismiss()
