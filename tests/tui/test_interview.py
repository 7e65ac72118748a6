"""The interview screens over the real store: set-up, every key of the talk, kill and resume, report."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from studytool.cli import main as entry
from studytool.clock import FixedClock
from studytool.deck.model import DemoId, KeyPoint, Level
from studytool.interview.model import Grade, Phase, Setup, Style
from studytool.paths import Paths
from studytool.schedule.model import Review
from studytool.services.context import App
from studytool.tui import interview_desk
from studytool.tui.app import StudyApp
from studytool.tui.desk import StoreDesk
from studytool.tui.interview_ports import Start
from studytool.tui.screens.browse import BrowseScreen
from studytool.tui.screens.confirm import ConfirmScreen
from studytool.tui.screens.demo import DemoScreen
from studytool.tui.screens.home import HomeScreen
from studytool.tui.screens.interview import InterviewScreen
from studytool.tui.screens.interview_setup import InterviewSetupScreen
from studytool.tui.screens.report import ReportScreen
from studytool.tui.widgets.check_list import CheckList
from studytool.tui.widgets.curve_plot import CurvePlot
from studytool.tui.widgets.speech_box import SpeechBox
from tests.tui.helpers import keys, press, text, until
from tests.unit.interview_kit import WordJudge, ask_card
from tests.unit.study_deck import study, write

SETUP = Setup(minutes=6, level=Grade.MEDIUM, seed=7)
SIZES = [(80, 24), (120, 40), (200, 50)]


class Judge(WordJudge):
    """A grading service that can be foreseen."""

    def learn(self) -> None: ...
    def close(self) -> None: ...
    def prepare(self) -> None: ...


@pytest.fixture(autouse=True)
def judge(monkeypatch: pytest.MonkeyPatch) -> Judge:
    one = Judge()
    monkeypatch.setattr(interview_desk.StoreInterviews, "_judge", lambda _: one)
    return one


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock, paths: Paths) -> Iterator[App]:
    cards = [
        ask_card(f"{chapter}-{n}", chapter, level=Level.MEDIUM, question=f"What is {chapter} {n}?")
        for chapter in ("lexical", "static")
        for n in range(4)
    ]
    with study(write(tmp_path / "deck", *cards), clock, paths) as opened:
        opened.close()
        yield opened


@asynccontextmanager
async def talking(
    app: App, start: Start | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[StudyApp, Pilot[None], InterviewScreen]]:
    """The app with an interview's first question on the table."""
    begun = start or Start(setup=SETUP, choose_seed=False)
    ui = StudyApp(StoreDesk(app), start="interview", interview=begun)
    async with ui.run_test(size=size) as pilot:
        screen = await asked(pilot, ui)
        yield ui, pilot, screen


async def asked(pilot: Pilot[Any], ui: StudyApp) -> InterviewScreen:
    await until(pilot, lambda: isinstance(ui.screen, InterviewScreen), "the interview")
    screen = ui.screen
    assert isinstance(screen, InterviewScreen)
    await until(pilot, lambda: screen.view is not None and not screen.busy, "a question")
    return screen


async def step(pilot: Pilot[Any], screen: InterviewScreen, *names: str) -> None:
    """Press keys, each after the step before is over."""
    for name in names:
        await pilot.press(name)
        await until(pilot, lambda: not screen.busy, f"{name} is done")


async def say(pilot: Pilot[Any], screen: InterviewScreen, words: str) -> None:
    screen.query_one(SpeechBox).text = words
    await pilot.pause()
    await step(pilot, screen, "ctrl+s")


def card_of(screen: InterviewScreen) -> str:
    assert screen.view is not None
    return screen.view.card


def phase_of(screen: InterviewScreen) -> Phase:
    assert screen.view is not None
    return screen.view.phase


async def reported(pilot: Pilot[Any], ui: StudyApp) -> ReportScreen:
    await until(pilot, lambda: isinstance(ui.screen, ReportScreen) and ui.screen.is_mounted)
    await pilot.pause()
    assert isinstance(ui.screen, ReportScreen)
    return ui.screen


async def test_a_question_is_asked_and_the_answer_has_the_keys(app: App) -> None:
    async with talking(app) as (ui, pilot, screen):
        shown = text(ui)
        assert "Interview · 6 min · medium · seed 7" in shown
        assert "question 1 of 3   soft limit 2:00" in shown
        assert "Interviewer  Thanks for coming." in shown
        await press(pilot, "h", "k", "enter", "z")
        assert screen.query_one(SpeechBox).text == "hk\nz"
        assert keys(ui) == {"ctrl+enter", "esc", "f1"}


@pytest.mark.parametrize("key", ["ctrl+s", "ctrl+enter"])
async def test_answer_confidence_probe_and_next(app: App, key: str) -> None:
    async with talking(app) as (ui, pilot, screen):
        await press(pilot, *"none")
        await step(pilot, screen, key)
        assert "how sure are you" in text(ui)
        screen._keep_draft()  # a timer that fires late
        await step(pilot, screen, "4")
        assert screen.view is not None
        assert screen.view.probe == 1
        assert ui.screen is screen
        assert "What about the first" in text(ui)
        assert screen.query_one(SpeechBox).text == ""
        await say(pilot, screen, f"alpha-{card_of(screen)} beta-{card_of(screen)}")
        assert screen.view.number == 2
        assert "alpha" not in text(ui)


async def test_an_empty_answer_is_not_handed_in(app: App) -> None:
    async with talking(app) as (ui, pilot, screen):
        await press(pilot, "enter", "ctrl+s")
        assert "Nothing is typed yet" in text(ui)
        assert phase_of(screen) is Phase.ASKING


async def test_the_keys_beside_typing(app: App) -> None:
    async with talking(app) as (ui, pilot, screen):
        await press(pilot, "escape")
        assert {"t", "h", "k", "s", "o", "z", "e"} <= keys(ui)
        assert "m" not in keys(ui), "this card has no demo"
        await step(pilot, screen, "h")
        assert "Hint" in text(ui)
        await step(pilot, screen, "h")
        assert "h" not in keys(ui), "two hints are all"
        await press(pilot, "t", *"x")
        assert screen.query_one(SpeechBox).text == "x"
        await press(pilot, "escape")
        await step(pilot, screen, "k")
        assert screen.view is not None
        assert screen.view.number == 2
        await press(pilot, "escape")
        await step(pilot, screen, "s")
        assert screen.view.number == 3


async def test_out_loud(app: App) -> None:
    async with talking(app) as (ui, pilot, screen):
        await press(pilot, "escape")
        await step(pilot, screen, "o")
        assert phase_of(screen) is Phase.SURE
        assert "alpha" not in text(ui), "the points come after the confidence"
        await step(pilot, screen, "enter")
        assert phase_of(screen) is Phase.TICKING
        await press(pilot, "x", "down", "x")
        assert screen.query_one(CheckList).ticked == {0, 1}
        await step(pilot, screen, "enter")
        assert screen.view is not None
        assert screen.view.number == 2


async def test_the_clock_pauses_and_goes_on(app: App, clock: FixedClock) -> None:
    async with talking(app) as (ui, pilot, screen):
        clock.advance(timedelta(seconds=130))
        screen._tick()
        await pilot.pause()
        assert "2:10   0:10 over" in text(ui)
        await press(pilot, "escape")
        await step(pilot, screen, "z")
        assert "Paused." in text(ui)
        assert "What is" not in text(ui)
        assert not {"h", "k", "s"} & keys(ui)
        clock.advance(timedelta(seconds=600))
        await step(pilot, screen, "z")
        clock.advance(timedelta(seconds=1))
        screen._tick()
        await pilot.pause()
        assert "2:11" in text(ui)


async def test_the_clock_stands_while_the_help_is_on_top(app: App, clock: FixedClock) -> None:
    async with talking(app) as (_ui, pilot, screen):
        await press(pilot, "escape", "question_mark")
        clock.advance(timedelta(seconds=600))
        await press(pilot, "escape")
        await until(pilot, lambda: not screen.busy and screen.view is not None)
        assert screen.view is not None
        assert screen.view.seconds == 0
        assert not screen.view.paused


async def test_leaving_keeps_it_and_home_offers_to_go_on(app: App) -> None:
    async with talking(app) as (ui, pilot, screen):
        card = card_of(screen)
        await press(pilot, *"half", "escape", "escape")
        await until(pilot, lambda: isinstance(ui.screen, HomeScreen))
        await until(pilot, lambda: "waits at question 1 of 3" in text(ui), "Home knows")
        await press(pilot, "i")
        await until(pilot, lambda: "f2" in keys(ui), "the set-up offers it")
        assert "An interview waits at question 1 of 3" in text(ui)
        await press(pilot, "f2")
        again = await asked(pilot, ui)
        assert card_of(again) == card
        assert again.query_one(SpeechBox).text == "half"


async def test_a_kill_resumes_with_what_was_typed(app: App, clock: FixedClock) -> None:
    async with talking(app) as (_ui, pilot, screen):
        card = card_of(screen)
        clock.advance(timedelta(seconds=33))
        await press(pilot, *"half")
        screen._keep_draft()
        await until(pilot, lambda: not [each for each in screen.workers if each.group == "draft"])
    # The app has gone without pausing or ending the interview.
    async with talking(app, Start(resume=True)) as (_ui, _pilot, screen):
        assert screen.view is not None
        assert card_of(screen) == card
        assert screen.view.seconds == 33
        assert screen.query_one(SpeechBox).text == "half"


async def test_the_verdict_at_once_when_asked_for(app: App) -> None:
    start = Start(setup=Setup(minutes=4, level=Grade.MEDIUM, verdicts=True), choose_seed=False)
    async with talking(app, start) as (ui, pilot, screen):
        await say(pilot, screen, f"alpha-{card_of(screen)} beta-{card_of(screen)}")
        await step(pilot, screen, "5")
        assert "Worth 100 %" in text(ui)
        await step(pilot, screen, "enter")
        assert screen.view is not None
        assert screen.view.number == 2


async def test_ending_asks_first(app: App) -> None:
    async with talking(app) as (ui, pilot, screen):
        await press(pilot, "escape", "e")
        assert isinstance(ui.screen, ConfirmScreen)
        await press(pilot, "n")
        await until(pilot, lambda: ui.screen is screen and not screen.busy)
        await press(pilot, "e", "y")
        await reported(pilot, ui)
        assert "No question was answered." in text(ui)


async def test_show_me_runs_the_demo_and_comes_back(
    tmp_path: Path, clock: FixedClock, paths: Paths
) -> None:
    card = ask_card("a", demo=DemoId("no-such-demo"), no_demo=None)
    with study(write(tmp_path / "deck", card), clock, paths) as opened:
        opened.close()
        async with talking(opened) as (ui, pilot, screen):
            await press(pilot, "escape", "m")
            await until(pilot, lambda: ui.screen is not screen)
            assert any(isinstance(each, DemoScreen) for each in ui.screen_stack)
            clock.advance(timedelta(seconds=600))
            while ui.screen is not screen:
                await press(pilot, "escape")
            await until(pilot, lambda: not screen.busy)
            assert screen.view is not None
            assert (screen.view.paused, screen.view.seconds) == (False, 0)
            assert "m" in keys(ui)


async def test_the_demo_runs_for_real_and_a_kill_there_resumes(
    plugin: Path, tmp_path: Path, clock: FixedClock, paths: Paths
) -> None:
    card = ask_card("a", demo=DemoId("toy"), no_demo=None)
    with study(write(tmp_path / "deck", card), clock, paths) as opened:
        opened.close()
        async with talking(opened, size=(100, 40)) as (ui, pilot, screen):
            clock.advance(timedelta(seconds=40))
            await press(pilot, *"half", "escape", "m")
            await until(pilot, lambda: "A sum of ones is a count" in text(ui), "the demo is done")
            clock.advance(timedelta(seconds=600))
            await press(pilot, "b")
            await until(pilot, lambda: ui.screen is screen and not screen.busy)
            assert screen.view is not None
            assert (screen.view.paused, screen.view.seconds) == (False, 40)
            assert screen.query_one(SpeechBox).text == "half"
            await press(pilot, "m")
            await until(pilot, lambda: "A sum of ones is a count" in text(ui), "again")
            clock.advance(timedelta(seconds=600))
        # The app has gone while the demo was on top.
        async with talking(opened, Start(resume=True)) as (_ui, _pilot, screen):
            assert screen.view is not None
            assert (screen.view.paused, screen.view.seconds) == (False, 40)
            assert screen.query_one(SpeechBox).text == "half"
            assert screen.talk is not None


PROMPT = """\
Look at this [^code], measured at {claim:toy/two}:

```python
logits = x @ y.T[^1]
```

- one *thing*
- `another`"""


async def test_a_question_is_set_as_markdown(
    tmp_path: Path, clock: FixedClock, paths: Paths
) -> None:
    points = (KeyPoint(1, "alpha is `code` [^code]", probe="What about `alpha`?"),)
    card = ask_card(
        "a", question="Why does `x` fail?", prompt=PROMPT, key_points=points,
        sources={"code": "arXiv:1"},
    )  # fmt: skip
    with study(write(tmp_path / "deck", card), clock, paths) as opened:
        opened.close()
        async with talking(opened, size=(80, 40)) as (ui, pilot, screen):
            shown = text(ui)
            assert "Why does x fail?" in shown
            assert "logits = x @ y.T[^1]" in shown, "code is as it is written"
            assert "• one thing" in shown
            assert not {"```", "[^code]", "{claim:", "`"} & {
                mark for mark in ("```", "[^code]", "{claim:", "`") if mark in shown
            }
            await press(pilot, "escape")
            await step(pilot, screen, "o")
            await step(pilot, screen, "3")
            assert "☐ alpha is code" in text(ui)
            assert "[^code]" not in text(ui)
            await step(pilot, screen, "enter")
            assert "What about alpha?" in text(ui)


async def test_a_probe_may_be_answered_out_loud(app: App) -> None:
    async with talking(app) as (ui, pilot, screen):
        await press(pilot, "escape")
        for key in ("o", "2"):
            await step(pilot, screen, key)
        await step(pilot, screen, "enter")
        assert screen.view is not None
        assert screen.view.probe == 1
        assert "(out loud)" in text(ui)
        await press(pilot, "escape")
        await step(pilot, screen, "o")
        assert phase_of(screen) is Phase.TICKING, "the confidence is asked for once"
        await press(pilot, "x")
        await step(pilot, screen, "enter")
        assert screen.view.probe == 2
        await press(pilot, "escape", "e", "y")
        report = (await reported(pilot, ui)).report
        assert [point.probed for point in report.answers[0].points] == [True, False]
        assert 0 < report.answers[0].score < 1


BAD = {
    "50 kB": "the gradient of the loss is not the loss of the gradient " * 900,
    "controls": "\x1b[31m\x00\x07\u202eevil\x9b2J answer",
    "Chinese": "温度是训练出来的参数，不是固定的常数。",
    "Russian": "температура обучается вместе с весами",
    "code": "```python\nlogits = x @ y.T * t.exp()\nloss = ce(logits)\n```",
    "markup": "[red]x[/red] [@click=app.quit]y[/] **z** `q` {claim:a/b} [^n]",
}


@pytest.mark.parametrize("words", BAD.values(), ids=BAD)
async def test_bad_answers(app: App, words: str) -> None:
    start = Start(setup=Setup(minutes=4, level=Grade.MEDIUM, verdicts=True), choose_seed=False)
    async with talking(app, start) as (ui, pilot, screen):
        await say(pilot, screen, words)
        await step(pilot, screen, "1")
        assert screen.view is not None
        assert screen.view.probe == 1
        assert not {"\x1b", "\x00", "\u202e", "\x9b", "\x07"} & set(text(ui))
        assert all(len(line) <= 80 for line in text(ui).splitlines())
        await say(pilot, screen, words)
        await say(pilot, screen, words)
        assert phase_of(screen) is Phase.VERDICT
        await until(pilot, lambda: "Worth 0 %" in text(ui))
        await press(pilot, "e", "y")
        assert (await reported(pilot, ui)).report.answers[0].score == 0


@pytest.mark.parametrize("style", list(Style))
async def test_every_style_goes_from_question_to_report(app: App, style: Style) -> None:
    start = Start(setup=Setup(minutes=2, level=Grade.MEDIUM, style=style), choose_seed=False)
    async with talking(app, start) as (ui, pilot, screen):
        await say(pilot, screen, "none")
        await step(pilot, screen, "2")
        assert screen.view is not None
        assert screen.view.probe == (0 if style is Style.RAPID_FIRE else 1)
        await press(pilot, "escape", "e", "y")
        assert (await reported(pilot, ui)).report.setup.style is style


async def finished(pilot: Pilot[Any], ui: StudyApp, screen: InterviewScreen) -> ReportScreen:
    """One wrong answer, one right one, and the end."""
    await say(pilot, screen, f"never-alpha-{card_of(screen)}")
    await step(pilot, screen, "5")
    await press(pilot, "escape")
    await step(pilot, screen, "s")
    await say(pilot, screen, f"alpha-{card_of(screen)} beta-{card_of(screen)}")
    await step(pilot, screen, "4")
    await press(pilot, "escape", "e", "y")
    return await reported(pilot, ui)


async def test_the_report_and_its_keys(app: App) -> None:
    async with talking(app, size=(120, 60)) as (ui, pilot, screen):
        report = await finished(pilot, ui, screen)
        shown = text(ui)
        for part in ("Report   50 %", "Skills", "Chapters", "Strongest · 100 %", "Weakest · 0 %",
                     "Misconceptions voiced", "Brier score", "Next steps",
                     "Not known well enough"):  # fmt: skip
            assert part in shown, part
        assert not ui.screen.query(CurvePlot), "one interview is no trend"
        await press(pilot, "1")
        assert isinstance(ui.screen, BrowseScreen)
        await until(pilot, lambda: report.report.steps[0].card in text(ui))
        await press(pilot, "escape")
        assert (await reported(pilot, ui)) is report


async def test_missed_cards_go_to_review_only_after_a_yes(app: App) -> None:
    async with talking(app, size=(120, 60)) as (ui, pilot, screen):
        report = await finished(pilot, ui, screen)
        await press(pilot, "a", "n")
        assert report.report.queued == ()
        await press(pilot, "a", "y")
        await until(pilot, lambda: bool(report.report.queued), "queued")
        assert "a" not in keys(ui)
        assert "in the review queue" in text(ui)
    with app:
        reviews = [one.body for one in app.store.events() if isinstance(one.body, Review)]
        assert [body.card for body in reviews] == list(report.report.missed)


@pytest.mark.parametrize(("downs", "ending"), [(0, "md"), (1, "html"), (2, "json")])
async def test_export(app: App, downs: int, ending: str) -> None:
    async with talking(app, size=(120, 60)) as (ui, pilot, screen):
        await finished(pilot, ui, screen)
        await press(pilot, "e", *["down"] * downs, "enter")
        file = app.paths.data / "reports" / f"interview-1.{ending}"
        await until(pilot, file.exists)
        await until(pilot, lambda: f"interview-1.{ending}" in text(ui))


async def test_the_trend_is_a_plot(app: App) -> None:
    async with talking(app, size=(120, 60)) as (ui, pilot, screen):
        await finished(pilot, ui, screen)
        await press(pilot, "escape", "i")
        await until(pilot, lambda: "f3" in keys(ui), "reports are offered")
        await press(pilot, "f3", "enter")
        await reported(pilot, ui)
        await press(pilot, "escape", "enter")
        await finished(pilot, ui, await asked(pilot, ui))
        (plot,) = ui.screen.query(CurvePlot)
        assert list(plot.traces[0].y) == [50.0, 50.0]


async def test_the_set_up_marks_what_cant_be(app: App) -> None:
    ui = StudyApp(StoreDesk(app), start="interview")
    async with ui.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(ui.screen.query("#field-minutes")), "the form")
        assert isinstance(ui.screen, InterviewSetupScreen)
        ui.screen.query_one("#field-minutes").value = "9999"  # type: ignore[attr-defined]
        ui.screen.query_one("#field-chapters").value = "statik"  # type: ignore[attr-defined]
        await press(pilot, "enter")
        assert "a whole number from 1 to 240" in text(ui)
        assert "statik is no chapter" in text(ui)
        ui.screen.query_one("#field-minutes").value = "4"  # type: ignore[attr-defined]
        ui.screen.query_one("#field-chapters").value = "static"  # type: ignore[attr-defined]
        await press(pilot, "enter")
        screen = await asked(pilot, ui)
        assert screen.view is not None
        assert (screen.view.chapter, screen.view.setup.seed) == ("static", 1)


@pytest.mark.parametrize("size", SIZES)
async def test_at_each_size_question_box_and_keys_are_in_view(
    app: App, size: tuple[int, int]
) -> None:
    async with talking(app, size=size) as (ui, pilot, screen):
        await press(pilot, *"words")
        lines = text(ui).splitlines()
        assert len(lines) == size[1]
        assert all(len(line) <= size[0] for line in lines)
        assert "ctrl+enter answer" in lines[-1]
        assert any("words" in line for line in lines)
        await finished(pilot, ui, screen)
        assert "to review" in text(ui).splitlines()[-1]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], Start(choose_seed=True)),
        (["--resume"], Start(resume=True)),
        (["--minutes", "6", "--level", "medium", "--seed", "7"],
         Start(setup=SETUP, choose_seed=False)),
        (["--level", "easy"], Start(setup=Setup(level=Grade.JUNIOR))),
    ],
)  # fmt: skip
def test_the_command_opens_what_was_asked_for(
    argv: list[str], expected: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[StudyApp] = []
    monkeypatch.setattr(StudyApp, "run", lambda ui: begun.append(ui))  # noqa: PLW0108 - `append` is no function to bind
    monkeypatch.setattr("studytool.cli.open._need_terminal", lambda: None)
    with pytest.raises(SystemExit) as end:
        entry.run(["interview", *argv])
    assert end.value.code == 0
    (ui,) = begun
    assert (ui.start_screen, ui.start_interview) == ("interview", expected)


async def test_a_long_answer_stays_in_its_box(app: App) -> None:
    async with talking(app) as (ui, pilot, screen):
        screen.query_one(SpeechBox).text = "line\n" * 10_000
        await pilot.pause()
        assert "ctrl+enter answer" in text(ui).splitlines()[-1]
        await step(pilot, screen, "ctrl+s")
        assert phase_of(screen) is Phase.SURE
        assert "how sure are you" in text(ui)
