"""Pictures of the screens: three sizes in the dark theme, each screen also light and without colour.

The state behind each picture is asserted as well, for a picture can't say why it differs. After a
wanted change: `pytest tests/tui/test_snapshots.py --snapshot-update`, then look at what changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import msgspec
import pytest
from textual.pilot import Pilot

from studytool.demo import events as ev
from studytool.grading.model import Verdict, Voiced
from studytool.services.types import ChapterRow, Counts, Overview
from studytool.tui.app import StudyApp
from studytool.tui.widgets.curve_plot import CurvePlot
from tests.tui import demo_script, sample
from tests.tui.fakes import FakeDesk
from tests.tui.helpers import press, text, until

Compare: TypeAlias = Callable[..., bool]
Step: TypeAlias = Callable[[Pilot[Any]], Awaitable[None]]
SIZES = ((80, 24), (120, 40), (200, 50))
MIDDLE = (120, 40)


def desk(**more: Any) -> FakeDesk:
    return FakeDesk(demos=[demo_script.demo()], **more)


def shows(app: StudyApp, words: str) -> bool:
    return words in text(app)


def seen(words: str, *keys: str) -> Step:
    """Press `keys` once the first word of the screen is there, then wait for `words`."""

    async def step(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, StudyApp)
        await until(pilot, app.ready.is_set)
        await until(pilot, lambda: app.home.overview is not None)
        for key in keys:
            if key.startswith("see:"):
                await until(pilot, partial(shows, app, key[4:]), key)
            else:
                await press(pilot, key)
        await until(pilot, lambda: words in text(app), words)
        await until(pilot, lambda: all(p._canvas is not None for p in app.screen.query(CurvePlot)))
        await pilot.pause()

    return step


def typed(words: str) -> list[str]:
    """The keys that type `words`."""
    names = {" ": "space", ".": "full_stop", ",": "comma"}
    return [names.get(sign, sign) for sign in words]


class Shot(NamedTuple):
    """One state of a screen: the app, and how to get there."""

    app: Callable[[], StudyApp]
    step: Step


def review(*cards: Any) -> Callable[[], StudyApp]:
    return lambda: StudyApp(desk(cards=cards or sample.CARDS), start="review")


def demo(**changes: Any) -> Callable[[], StudyApp]:
    return lambda: StudyApp(
        FakeDesk(demos=[demo_script.demo(**changes)]), start="demo", demo="clip"
    )


ASKED = "see:1 0.07"
TRAINED = len(demo_script.training())
CRASH = [
    *demo_script.training(20),
    ev.Failed("RuntimeError: out of memory", "Choose smaller settings.", "File clip.py\n  loss()"),
]
DONE = Overview(
    counts=Counts(),
    chapters=(ChapterRow("static", "Word vectors", 14, 14, 0, 0, 0.9),),
    streak=3,
    week=(0, 0, 3, 9, 4, 8, 2),
    next_due=date(2026, 11, 24),
    total_cards=14,
)
FRESH = Overview(
    counts=Counts(new=20),
    chapters=(ChapterRow("static", "Word vectors", 60, 0, 0, 60, 0.0),),
    total_cards=60,
)


def graded() -> StudyApp:
    """A review in which a typed answer was graded: covered, contradicted with a mistake, unsure."""
    app = desk()
    wrong = sample.CLIP.misconceptions[0]
    found = sample.graded(
        sample.CLIP,
        (Verdict.CONTRADICTED, "it is fixed at 0.07"),
        (Verdict.COVERED, "logits are clipped at 100"),
        (Verdict.UNSURE, "cosines are small numbers"),
        grader="minilm-int8",
    )
    said = Voiced(wrong.text, wrong.why, "a high temperature sharpens it")
    app.grading.words = msgspec.structs.replace(found, voiced=(said,))
    return StudyApp(app, start="review")


SAID = "It is fixed at 0.07, logits are clipped at 100, cosines are small numbers."

SCREENS = {
    "home": Shot(lambda: StudyApp(desk()), seen("24 due")),
    "review": Shot(review(), seen("t to type")),
    "answer": Shot(review(), seen("▸2 hard", "see:t to type", "space", "tab", "x")),
    "graded": Shot(
        graded,
        seen(
            "▸1 again", "see:t to type", "t", *typed(SAID), "ctrl+r", "see:covered ·", "tab", "down"
        ),
    ),
    "summary": Shot(review(sample.BATCH), seen("Tomorrow", "see:t to type", "space", "3")),
    "browse": Shot(
        lambda: StudyApp(desk(), start="browse"), seen("nobody knows", "see:5", *"clip")
    ),
    "demos": Shot(lambda: StudyApp(desk(), start="demos"), seen("enter runs it.")),
    "demo-running": Shot(demo(pause_at=TRAINED), seen("176/340", ASKED)),
    "demo-done": Shot(demo(), seen("Say it", ASKED, "1", "see:rank  name")),
    "settings": Shot(lambda: StudyApp(desk(), start="settings"), seen("Retention")),
    "help": Shot(review(), seen("(not now)", "see:t to type", "question_mark")),
}
STATES = {
    "home-empty": Shot(lambda: StudyApp(desk(overview=Overview(Counts()))), seen("deck new")),
    "home-done": Shot(lambda: StudyApp(desk(overview=DONE)), seen("Well done")),
    "home-first": Shot(lambda: StudyApp(desk(overview=FRESH)), seen("Welcome")),
    "typing": Shot(review(), seen("because", "see:t to type", "t", *"because")),
    "choice": Shot(review(sample.CHOICE), seen("✗ ☑", "see:x picks", "down", "x", "space")),
    "compute": Shot(review(sample.COMPUTE), seen("✓ 5.5", "see:t to type", "t", *"5.55", "enter")),
    "hostile": Shot(review(sample.HOSTILE), seen("[link", "see:t to type", "space")),
    "crash": Shot(demo(script=CRASH), seen("What to do")),
    "missing": Shot(
        demo(installed=False, missing="pip install 'studytool[demos]'"), seen("pip install")
    ),
    "params": Shot(demo(), seen("! 3000", ASKED, "1", "see:Say it", "p", "0", "enter")),
    "compare": Shot(demo(), seen("Side by side", ASKED, "1", "see:Say it", "c")),
    "keys": Shot(
        lambda: StudyApp(desk(), start="settings"), seen("home.demos", "see:Retention", "f2")
    ),
    "confirm": Shot(review(), seen("Forget everything", "see:t to type", "r")),
}


def check(compare: Compare, shot: Shot, size: tuple[int, int], theme: str = "") -> None:
    async def before(pilot: Pilot[Any]) -> None:
        if theme:
            pilot.app.theme = theme
        await shot.step(pilot)

    app = shot.app()
    assert compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40", "200x50"])
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, size: tuple[int, int], snap_compare: Compare) -> None:
    check(snap_compare, SCREENS[name], size)


@pytest.mark.parametrize("name", STATES)
def test_state(name: str, snap_compare: Compare) -> None:
    check(snap_compare, STATES[name], SIZES[0])


@pytest.mark.parametrize("name", SCREENS)
def test_light(name: str, snap_compare: Compare) -> None:
    check(snap_compare, SCREENS[name], MIDDLE, "light")


@pytest.mark.parametrize("name", SCREENS)
def test_without_colour(name: str, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    check(snap_compare, SCREENS[name], MIDDLE)
