"""The set-up of an interview: a form, and what waits or was held before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen

from studytool.interview.model import Grade, Setup, Style
from studytool.tui.interview_ports import Start
from studytool.tui.widgets.form import Field, Form
from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.lines import Passage
from studytool.tui.widgets.title_bar import TitleBar
from studytool.tui.work import work

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from studytool.tui.app import StudyApp
    from studytool.tui.interview_ports import Reception

YES, NO = "yes", "no"
ALL = "all"
STYLE_WORDS = (
    "deep-dive follows one line, rapid-fire gives a minute each, story begins with narratives"
)


def _whole(low: int, high: int, empty: int | None, text: str) -> int | None:
    word = text.strip()
    if not word and empty is not None:
        return None
    if not word.isdecimal() or not low <= int(word) <= high:
        raise ValueError(f"a whole number from {low} to {high}")
    return int(word)


def _choice(choices: tuple[str, ...], text: str) -> str:
    if text.strip() not in choices:
        raise ValueError(f"one of {', '.join(choices)}")
    return text.strip()


def _chapters(known: tuple[str, ...], text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(text.replace(",", " ").split()))
    if words in ((), (ALL,)):
        return ()
    unknown = [word for word in words if word not in known]
    if unknown:
        raise ValueError(f"{unknown[0]} is no chapter; there are {', '.join(known)}")
    return words


class InterviewSetupScreen(Screen[None]):
    """Enter begins; f2 goes on with the interview that waits, f3 reads an earlier report."""

    app: StudyApp

    DEFAULT_CSS = """
    InterviewSetupScreen VerticalScroll { padding: 0 1; }
    InterviewSetupScreen #waiting { margin-bottom: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,ctrl+s", "begin", "begin", id="setup.begin"),
        Binding("f2", "resume", "go on", tooltip="go on with the interview that waits",
                id="setup.resume"),
        Binding("f3", "reports", "reports", tooltip="read the report of an earlier interview",
                id="setup.reports"),
        Binding("tab", "app.focus_next", "next field", show=True),
        Binding("escape", "back", "back", id="setup.back"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.reception: Reception | None = None

    def compose(self) -> ComposeResult:
        yield TitleBar(Content.styled("Interview", "bold"))
        with VerticalScroll(can_focus=False):
            yield Passage(id="waiting")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#waiting", Passage).show("")
        work(self, self._load, "load")

    def on_screen_resume(self) -> None:
        """Back from an interview or a report: something else may wait, or nothing."""
        if self.reception is not None:
            work(self, self._load, "load", exclusive=True)

    async def _load(self) -> None:
        await self.app.ready.wait()
        self.reception = reception = await self.app.desk.interviews.reception()
        words = Content("")
        waiting = reception.waiting
        if waiting is not None:
            words = Content.assemble(
                ("An interview waits ", "bold $due"),
                f"at question {waiting.question} of {waiting.total}: ",
                ("f2", "bold $accent"),
                " goes on. Beginning a new one ends it and keeps its report.",
            )
        self.query_one("#waiting", Passage).show(words)
        if not self.query(Form):
            await self.query_one(VerticalScroll).mount(Form(self._fields(reception)))
            self.query_one("#field-minutes").focus()
        self.refresh_bindings()

    def _fields(self, reception: Reception) -> list[Field]:
        usual = Setup()
        levels = tuple(grade.value for grade in Grade)
        styles = tuple(style.value for style in Style)
        names = tuple(name for name, _ in reception.chapters)
        return [
            Field("minutes", "Minutes", str(usual.minutes), partial(_whole, 1, 240, None)),
            Field("level", "Level", usual.level.value, partial(_choice, levels),
                  "up and down choose; adaptive follows how it goes", levels),
            Field("style", "Style", usual.style.value, partial(_choice, styles), STYLE_WORDS,
                  styles),
            Field("chapters", "Chapters", ALL, partial(_chapters, names),
                  f"{ALL}, or some of: {', '.join(names)}", (ALL, *names)),
            Field("seed", "Seed", "", partial(_whole, 0, 2**31 - 1, 0),
                  "the same seed and history give the same questions; empty: a new one"),
            Field("verdicts", "Verdict at once", NO, partial(_choice, (YES, NO)),
                  "after each question instead of at the end", (NO, YES)),
        ]  # fmt: skip

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        reception = self.reception
        if action == "resume":
            return reception is not None and reception.waiting is not None
        if action == "reports":
            return reception is not None and bool(reception.held)
        return action != "begin" or reception is not None

    def on_form_submitted(self, message: Form.Submitted) -> None:
        message.stop()
        self.action_begin()

    def action_begin(self) -> None:
        """Begin with what was entered, or mark what can't be."""
        values: dict[str, Any] | None = self.query_one(Form).values()
        if values is None:
            return
        setup = Setup(
            minutes=values["minutes"],
            chapters=values["chapters"],
            level=Grade(values["level"]),
            style=Style(values["style"]),
            seed=values["seed"] or 0,
            verdicts=values["verdicts"] == YES,
        )
        self._open(Start(setup=setup, choose_seed=values["seed"] is None))

    def action_resume(self) -> None:
        """Go on with the interview that waits."""
        self._open(Start(resume=True))

    def _open(self, start: Start) -> None:
        from studytool.tui.screens.interview import InterviewScreen

        self.app.push_screen(InterviewScreen(start))

    def action_reports(self) -> None:
        """Choose an earlier interview and read its report."""
        from studytool.tui.screens.pick import PickScreen

        held = self.reception.held if self.reception is not None else ()

        def chosen(at: int | None) -> None:
            if at is not None:
                work(self, partial(self._read, held[at][0]), "report")

        self.app.push_screen(PickScreen("Read the report of", [text for _, text in held]), chosen)

    async def _read(self, number: int) -> None:
        from studytool.tui.screens.report import ReportScreen

        self.app.push_screen(ReportScreen(await self.app.desk.interviews.report(number)))

    def action_back(self) -> None:
        self.dismiss()
