"""Home: what is due, the next action, and a friendly word for every state of the deck."""

from __future__ import annotations

import asyncio
from datetime import date

import msgspec
import pytest

from studytool.errors import StorageLocked
from studytool.services.types import ChapterRow, Counts, Overview
from studytool.tui.app import StudyApp
from studytool.tui.ports import Opened
from studytool.tui.screens.browse import BrowseScreen
from studytool.tui.screens.demos import DemosScreen
from studytool.tui.screens.help import HelpScreen
from studytool.tui.screens.home import HomeScreen, day_name
from studytool.tui.screens.review import ReviewScreen
from studytool.tui.screens.settings import SettingsScreen
from studytool.tui.widgets.home_list import HomeList
from studytool.tui.widgets.key_bar import KeyBar
from tests.tui.fakes import FakeDesk
from tests.tui.helpers import fits, keys, on, opened, press, text, until

DONE = Overview(
    counts=Counts(),
    chapters=(ChapterRow("static", "Word vectors", 14, 14, 0, 0, 0.9),),
    next_due=date(2026, 11, 24),
    total_cards=14,
)
FRESH = Overview(
    counts=Counts(new=20),
    chapters=(ChapterRow("static", "Word vectors", 60, 0, 0, 60, 0.0),),
    total_cards=60,
)


async def test_the_frame_is_painted_before_the_store_answers() -> None:
    desk = FakeDesk()
    desk.hold = asyncio.Event()
    app = StudyApp(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "studytool" in text(app)
        assert "counting…" in text(app)
        assert not app.ready.is_set()
        desk.hold.set()
        await until(pilot, lambda: "24 due" in text(app))


async def test_numbers_and_chapters() -> None:
    async with opened(FakeDesk()) as (app, _pilot):
        shown = text(app)
        assert "24 due · 2 learning · 8 new · about 18 min" in shown
        assert "Mon 23 Nov · 12-day streak" in shown
        assert "Word vectors" in shown
        assert "96 reviews" in shown


@pytest.mark.parametrize(
    ("key", "screen"),
    [
        ("enter", ReviewScreen),
        ("s", ReviewScreen),
        ("D", DemosScreen),
        ("slash", BrowseScreen),
        ("comma", SettingsScreen),
        ("question_mark", HelpScreen),
        ("f1", HelpScreen),
    ],
)
async def test_each_key_opens_its_screen_and_escape_comes_back(
    key: str, screen: type[object]
) -> None:
    async with opened(FakeDesk()) as (app, pilot):
        await press(pilot, key)
        assert on(app, screen)
        await until(pilot, lambda: app.screen.is_mounted)
        await press(pilot, "escape")
        assert on(app, HomeScreen)


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_quit(key: str) -> None:
    desk = FakeDesk()
    async with opened(desk) as (app, pilot):
        await pilot.press(key)
        await pilot.pause()
        assert app._exit
    assert desk.closed


@pytest.mark.parametrize("key", ["escape", "z", "x", "1", "space", "d", "ctrl+x", "f9"])
async def test_wrong_keys_do_nothing(key: str) -> None:
    async with opened(FakeDesk()) as (app, pilot):
        before = text(app)
        await press(pilot, key)
        assert on(app, HomeScreen)
        assert text(app) == before


async def test_the_cursor_passes_over_what_cant_be_pressed() -> None:
    async with opened(FakeDesk()) as (app, pilot):
        cursor = app.home.query_one(HomeList)
        above = len(cursor.actions)
        seen = []
        for _ in range(above + 6):
            seen.append(cursor.cursor)
            await press(pilot, "down")
        # The fifth chapter has nothing due and nothing new.
        last = above + 3
        assert seen == [*range(last + 1), last, last]
        await press(pilot, "up", "k", "j")
        assert cursor.cursor == last - 1


async def test_a_chapter_is_studied_alone() -> None:
    desk = FakeDesk()
    async with opened(desk) as (app, pilot):
        above = len(app.home.query_one(HomeList).actions)
        await press(pilot, *["down"] * (above + 1), "enter")
        await until(pilot, lambda: bool(desk.queries))
        assert on(app, ReviewScreen)
        assert desk.queries[0].chapters == ("static",)


async def test_a_click_presses_a_row() -> None:
    async with opened(FakeDesk()) as (app, pilot):
        rows = [action.kind for action in app.home.query_one(HomeList).actions]
        await pilot.click(HomeList, offset=(5, rows.index("demos")))
        await pilot.pause()
        assert on(app, DemosScreen)


async def test_a_click_on_the_key_bar_presses_the_key() -> None:
    async with opened(FakeDesk()) as (app, pilot):
        bar = app.home.query_one(KeyBar)
        at = str(bar.render()).index("settings")
        await pilot.click(KeyBar, offset=(at + 1, 0))
        await pilot.pause()
        assert on(app, SettingsScreen)


@pytest.mark.parametrize(
    ("overview", "says", "study"),
    [
        (DONE, "all done · next cards tomorrow", False),
        (DONE, "Nothing is due. Well done.", False),
        (FRESH, "Welcome.", True),
        (Overview(Counts()), "There are no cards in this deck yet.", False),
        (Overview(Counts()), "studytool deck new", False),
    ],
)
async def test_each_state_has_its_word(overview: Overview, says: str, study: bool) -> None:
    async with opened(FakeDesk(overview=overview)) as (app, pilot):
        assert says in text(app)
        assert ("s" in {b.binding.key for b in app.screen.active_bindings.values()}) == study
        await press(pilot, "s")
        assert on(app, ReviewScreen) == study


async def test_without_cards_the_search_key_is_dead_and_not_shown() -> None:
    async with opened(FakeDesk(overview=Overview(Counts()))) as (app, pilot):
        assert "/" not in keys(app)
        await press(pilot, "slash")
        assert on(app, HomeScreen)


async def test_faults_of_the_deck_are_told() -> None:
    warned = Opened("/decks/mine", 60, ("clip.md has 2 faults",))
    async with opened(FakeDesk(opened=warned)) as (app, _pilot):
        assert "! clip.md has 2 faults" in text(app)


async def test_a_storage_fault_ends_the_app_and_is_kept_for_the_command_line() -> None:
    desk = FakeDesk()
    desk.fault = StorageLocked("Another studytool (process 7) has it.", hint="Close it.")
    app = StudyApp(desk)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app._exit)
    assert app.fault is desk.fault
    assert app.return_code == 3
    assert desk.closed


async def test_numbers_are_asked_again_when_home_comes_back() -> None:
    desk = FakeDesk()
    async with opened(desk) as (app, pilot):
        await press(pilot, "D")
        desk._overview = msgspec.structs.replace(desk._overview, streak=13)
        await press(pilot, "escape")
        await until(pilot, lambda: "13-day streak" in text(app))


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (80, 24), (120, 40), (200, 50)])
async def test_any_size_is_readable(size: tuple[int, int]) -> None:
    async with opened(FakeDesk(), size=(80, 24)) as (app, pilot):
        await press(pilot, "down")
        await pilot.resize_terminal(*size)
        await until(pilot, lambda: app.size == size)
        await until(pilot, lambda: fits(app, size[0]))
        shown = text(app)
        assert "Study" in shown
        assert "24 due" in shown
        assert app.home.query_one(HomeList).cursor == 1


def test_day_names() -> None:
    today = date(2026, 11, 23)
    names = [day_name(date(2026, 11, day), today) for day in (22, 23, 24, 25)]
    assert names == ["today", "today", "tomorrow", "on Wed 25 Nov"]
