"""The story: reached from everywhere, read step by step, its links opened and left again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widgets import Input

from studytool.deck.model import Level
from studytool.interview.lines import AnswerLine, Report
from studytool.interview.model import Outcome, Setup, Style
from studytool.services.interviews import PastInterview
from studytool.services.story import Told
from studytool.services.types import SessionQuery
from studytool.tui import keymap
from studytool.tui.app import StudyApp
from studytool.tui.interview_ports import ReportSheet
from studytool.tui.ports import Opened
from studytool.tui.screens.browse import BrowseScreen
from studytool.tui.screens.demo import DemoScreen
from studytool.tui.screens.home import HomeScreen
from studytool.tui.screens.report import ReportScreen
from studytool.tui.screens.review import ReviewScreen
from studytool.tui.screens.story import StoryScreen
from studytool.tui.widgets.line_list import LineList
from studytool.tui.widgets.story_step import StoryStep
from tests.tui import demo_script, sample
from tests.tui.fakes import FakeDesk
from tests.tui.helpers import fits, keys, on, opened, press, text, until

Compare: TypeAlias = Callable[..., bool]
SECOND = "Two towers"


def desk(**more: Any) -> FakeDesk:
    return FakeDesk(demos=[demo_script.demo()], **more)


def at(app: StudyApp) -> StoryStep:
    return app.screen.query_one(StoryStep)


@pytest.mark.parametrize("way", [("S",), ("down", "down", "down", "enter")])
async def test_home_opens_it_by_key_and_by_row(way: tuple[str, ...]) -> None:
    async with opened(desk()) as (app, pilot):
        await press(pilot, *way)
        await until(pilot, lambda: on(app, StoryScreen) and "every word counts" in text(app))
        assert "From counting to CLIP   61 words" in text(app)
        await press(pilot, "escape")
        assert on(app, HomeScreen)


async def test_the_palette_opens_it() -> None:
    async with opened(desk(), start="settings") as (app, pilot):
        await press(pilot, "ctrl+p", *"read the story")
        await until(pilot, lambda: bool(app.screen.query_one("CommandList").option_count))  # type: ignore[attr-defined]
        await press(pilot, "enter")
        await until(pilot, lambda: on(app, StoryScreen))


async def test_a_deck_without_a_story_says_so() -> None:
    silent = desk(opened=Opened("/decks/mine", 60))
    async with opened(silent) as (app, pilot):
        await until(pilot, lambda: "this deck tells none" in text(app))
        assert "S" not in keys(app)
        await press(pilot, "S")
        assert on(app, HomeScreen)


async def test_down_reads_on_and_the_lesson_ends_it() -> None:
    async with opened(desk(), start="story") as (app, pilot):
        await until(pilot, lambda: "1 of 2" in text(app))
        assert sample.STORY.lesson not in text(app)
        await press(pilot, "down")
        await until(pilot, lambda: "2 of 2" in text(app))
        for words in (SECOND, "what broke", "how trained", "arXiv:2103.00020", sample.STORY.lesson):
            assert words in text(app)
        assert "[bold]more[/]" in text(app)


async def test_enter_opens_a_card_or_a_demo_and_escape_comes_back() -> None:
    async with opened(desk(), start="story", size=(120, 40)) as (app, pilot):
        await until(pilot, lambda: "1 of 2" in text(app))
        await press(pilot, "enter")
        assert not at(app).has_focus  # the first step has no links
        await press(pilot, "down")
        await until(pilot, lambda: SECOND in text(app))
        await press(pilot, "enter")
        assert at(app).has_focus
        await press(pilot, "enter")
        await until(pilot, lambda: on(app, BrowseScreen) and "nobody knows" in text(app))
        assert [row.id for row in app.screen.query_one(LineList).rows] == ["clip-temperature"]
        await press(pilot, "escape", "down", "down", "down", "enter")
        await until(pilot, lambda: on(app, DemoScreen))
        await press(pilot, "escape")
        await until(pilot, lambda: on(app, StoryScreen))
        assert at(app).has_focus
        await press(pilot, "escape")
        assert app.screen.query_one(LineList).has_focus
        await press(pilot, "escape")
        assert on(app, HomeScreen)


async def test_the_mouse_opens_a_link() -> None:
    async with opened(desk(), start="story") as (app, pilot):
        await until(pilot, lambda: "1 of 2" in text(app))
        await pilot.click(LineList, offset=(5, 1))
        await until(pilot, lambda: SECOND in text(app))
        line = next(
            n for n, row in enumerate(at(app).lines(at(app).content_size.width))
            if "CLIP from scratch" in row.plain
        )  # fmt: skip
        at(app).scroll_visible(animate=False)
        app.screen.query_one("#preview").scroll_to_region(
            Region(0, line + at(app).virtual_region.y, 1, 1), animate=False
        )
        await pilot.pause()
        await pilot.click(StoryStep, offset=(20, line))
        await until(pilot, lambda: on(app, DemoScreen))


async def test_the_filter_looks_through_texts_and_links() -> None:
    async with opened(desk(), start="story") as (app, pilot):
        await until(pilot, lambda: "1 of 2" in text(app))
        for word, found in (("towers", 1), ("clip-batch", 1), ("1972", 1), ("zzz", 0), ("a", 2)):
            app.screen.query_one("#filter", Input).value = word
            await until(pilot, lambda n=found: len(app.screen.query_one(LineList).rows) == n)  # type: ignore[misc]
        app.screen.query_one("#filter", Input).value = "zzz"
        await until(pilot, lambda: "No step matches." in text(app))


async def test_t_asks_for_the_story() -> None:
    place = desk()
    async with opened(place, start="story") as (app, pilot):
        await until(pilot, lambda: "1 of 2" in text(app))
        await press(pilot, "t")
        await until(pilot, lambda: on(app, ReviewScreen))
        assert place.queries == [SessionQuery(cards=("clip-temperature",))]


async def test_another_decks_story_is_one_key_away() -> None:
    place = desk()
    place.told = (sample.STORY, Told("Another", "", 3, (), sample.STORY.pages[:1]))
    async with opened(place, start="story") as (app, pilot):
        await until(pilot, lambda: "1 of 2" in text(app))
        assert "n" in keys(app)
        await press(pilot, "n")
        await until(pilot, lambda: "Another" in text(app) and "1 of 1" in text(app))
        assert "t" not in keys(app)
        await press(pilot, "n")
        await until(pilot, lambda: "1 of 2" in text(app))


async def test_its_keys_are_in_help_and_in_the_list_of_keys() -> None:
    async with opened(desk(), start="story", size=(80, 50)) as (app, pilot):
        await until(pilot, lambda: "1 of 2" in text(app))
        await press(pilot, "question_mark")
        assert "be asked to tell the story" in text(app)
    assert {"home.story", "story.tell", "story.next", "report.story"} <= set(keymap.actions())


def report(style: Style, question: str) -> ReportSheet:
    """The report of an interview with one question."""
    answer = AnswerLine(
        card="c", question=question, chapter="static", level=Level.MEDIUM, outcome=Outcome.ANSWERED,
        score=0.5, seconds=60, limit=120, first_seconds=5,
    )  # fmt: skip
    made = Report(
        setup=Setup(style=style), started_ms=0, score=0.5, seconds=60, target=120, over_limit=0,
        answers=(answer,), chapters=(), skills=(), strongest=(), weakest=(), misconceptions=(),
        calibration=None, earlier=(), steps=(), missed=(),
    )  # fmt: skip
    return ReportSheet(PastInterview(1, made), "today")


@pytest.mark.parametrize(
    ("style", "question", "linked"),
    [
        (Style.STORY, "Why does CLIP learn its temperature?", True),
        (Style.SCREENING, "Tell the story from BERT to GPT-4 in two minutes", True),
        (Style.SCREENING, "Why does CLIP learn its temperature?", False),
    ],
)
async def test_a_report_leads_to_the_story_that_was_asked_for(
    style: Style, question: str, linked: bool
) -> None:
    async with opened(desk()) as (app, pilot):
        await app.push_screen(ReportScreen(report(style, question)))
        await pilot.pause()
        assert ("S" in keys(app)) is linked
        await press(pilot, "S")
        assert on(app, StoryScreen) is linked


@pytest.mark.parametrize("width", [40, 80, 120, 200])
async def test_nothing_is_wider_than_the_screen(width: int) -> None:
    async with opened(desk(), start="story", size=(width, 24)) as (app, pilot):
        await until(pilot, lambda: "1 of 2" in text(app))
        await press(pilot, "down")
        await until(pilot, lambda: "2 of 2" in text(app))
        assert fits(app, width)


# ------------------------------------------------------------------------------ pictures


def shot(compare: Compare, size: tuple[int, int], theme: str = "") -> None:
    async def before(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, StudyApp)
        if theme:
            app.theme = theme
        await until(pilot, lambda: "1 of 2" in text(app))
        await press(pilot, "down")
        await until(pilot, lambda: SECOND in text(app))
        await press(pilot, "enter")

    assert compare(StudyApp(desk(), start="story"), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["80x24", "200x50"])
def test_picture(size: tuple[int, int], snap_compare: Compare) -> None:
    shot(snap_compare, size)


def test_picture_light(snap_compare: Compare) -> None:
    shot(snap_compare, (120, 40), "light")


def test_picture_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shot(snap_compare, (120, 40))
