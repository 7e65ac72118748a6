"""Pictures of the interview screens over a small real deck, at three sizes.

After a wanted change: `pytest tests/tui/test_interview_snapshots.py --snapshot-update`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from textual.pilot import Pilot

from studytool.clock import FixedClock
from studytool.deck.model import KeyPoint, Level, Wrong
from studytool.interview.model import Grade, Setup, Style
from studytool.paths import Paths
from studytool.services.context import App
from studytool.services.interview import Interview
from studytool.tui import interview_desk
from studytool.tui.app import Start as Screen
from studytool.tui.app import StudyApp
from studytool.tui.desk import StoreDesk
from studytool.tui.interview_ports import Start
from studytool.tui.screens.interview import InterviewScreen
from studytool.tui.screens.report import ReportScreen
from studytool.tui.widgets.curve_plot import CurvePlot
from studytool.tui.widgets.speech_box import SpeechBox
from tests.tui.helpers import press, until
from tests.unit.interview_kit import WordJudge, ask_card
from tests.unit.study_deck import study, write

Compare: TypeAlias = Callable[..., bool]
Step: TypeAlias = Callable[[Pilot[Any]], Awaitable[None]]
SIZES = [(80, 24), (120, 40), (200, 50)]
QUESTIONS = {
    "lexical": "When does TF-IDF still beat a neural encoder, and by how much?",
    "static": "Why does skip-gram with negative sampling factorise a matrix?",
    "multimodal": "Your contrastive loss has been stuck at ln N for an hour. What do you look at?",
}


def card(chapter: str, number: int) -> Any:
    name = f"{chapter}-{number}"
    points = (
        KeyPoint(
            2,
            f"alpha-{name} is the gradient of the loss, because every logit is the same at the start",
            probe="What would the loss be if all logits were equal?",
            wrong=(Wrong(f"never-alpha-{name} is a matter of luck", "it follows from the loss"),),
        ),
        KeyPoint(1, f"beta-{name} says that a larger batch costs memory"),
    )
    question = QUESTIONS[chapter]
    return ask_card(name, chapter, question=question, key_points=points, level=Level.MEDIUM)


class Judge(WordJudge):
    def close(self) -> None: ...


@pytest.fixture
def app(
    tmp_path: Path, clock: FixedClock, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> Iterator[App]:
    """A profile with two interviews behind it."""
    monkeypatch.setattr(interview_desk.StoreInterviews, "_judge", lambda _: Judge())
    cards = [card(chapter, number) for chapter in QUESTIONS for number in range(3)]
    with study(write(tmp_path / "deck", *cards), clock, paths) as opened:
        for number, right in enumerate((1, 2)):
            setup = Setup(minutes=3, style=Style.RAPID_FIRE, seed=number)
            held = Interview.begin(opened, setup, Judge())
            for place in range(3):
                clock.advance(timedelta(seconds=30))
                name = held.view().card
                held.answer(f"alpha-{name} beta-{name}" if place < right else "I pass")
                held.sure(3)
                held.judge()
            clock.advance(timedelta(days=2))
        opened.close()
        yield opened


def start(app: App, screen: Screen = "interview", setup: Setup | None = None) -> StudyApp:
    begun = Start(setup=setup, choose_seed=False) if setup else None
    return StudyApp(StoreDesk(app), start=screen, interview=begun)


SETUP = Setup(minutes=30, level=Grade.MEDIUM, seed=7)


async def asked(pilot: Pilot[Any]) -> InterviewScreen:
    await until(pilot, lambda: isinstance(pilot.app.screen, InterviewScreen))
    screen = pilot.app.screen
    assert isinstance(screen, InterviewScreen)
    await until(pilot, lambda: screen.view is not None and not screen.busy)
    return screen


async def say(pilot: Pilot[Any], screen: InterviewScreen, words: str, sure: str) -> None:
    screen.query_one(SpeechBox).text = words
    await pilot.pause()
    for key in ("ctrl+s", sure):
        await pilot.press(key)
        await until(pilot, lambda: not screen.busy)


async def typing(pilot: Pilot[Any]) -> None:
    screen = await asked(pilot)
    screen.query_one(SpeechBox).text = "First I would compare the loss with its value at chance:"
    await pilot.pause()


async def probed(pilot: Pilot[Any]) -> None:
    screen = await asked(pilot)
    await say(pilot, screen, "I would look at the learning rate.", "3")


async def reported(pilot: Pilot[Any]) -> None:
    screen = await asked(pilot)
    assert screen.view is not None
    name = screen.view.card
    await say(pilot, screen, f"never-alpha-{name} is a matter of luck", "5")
    await press(pilot, "escape", "s")
    await until(pilot, lambda: not screen.busy)
    name = screen.view.card
    await say(pilot, screen, f"alpha-{name} beta-{name}", "4")
    await press(pilot, "escape", "e", "y")
    await until(pilot, lambda: isinstance(pilot.app.screen, ReportScreen))
    await until(
        pilot, lambda: all(p._canvas is not None for p in pilot.app.screen.query(CurvePlot))
    )
    await pilot.pause()


async def set_up(pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: bool(pilot.app.screen.query("#field-minutes")), "the form")
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40", "200x50"])
@pytest.mark.parametrize(
    ("step", "setup"),
    [(set_up, None), (typing, SETUP), (probed, SETUP), (reported, SETUP)],
    ids=["set-up", "typing", "probe", "report"],
)
def test_interview(
    app: App, step: Step, setup: Setup | None, size: tuple[int, int], snap_compare: Compare
) -> None:
    assert snap_compare(start(app, setup=setup), terminal_size=size, run_before=step)
