"""The card browser and the demo list: filter, preview, open, edit, run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.widgets import Input

from studytool.demo.spec import DemoInfo, Params
from studytool.tui.ports import CardLine
from studytool.tui.screens.browse import BrowseScreen
from studytool.tui.screens.demo import DemoScreen
from studytool.tui.screens.demos import DemosScreen
from studytool.tui.screens.home import HomeScreen
from studytool.tui.screens.review import ReviewScreen
from studytool.tui.widgets.line_list import LineList
from tests.tui import demo_script
from tests.tui.fakes import FakeDemo, FakeDesk
from tests.tui.helpers import keys, on, opened, press, text, until

OTHER = FakeDemo(
    DemoInfo("skipgram", "Skip-gram", "static", "Word vectors.", "Mikolov 2013", 25, "m"),
    Params,
    installed=False,
    missing="pip install 'studytool[demos]'",
)


def desk_with(**more: Any) -> FakeDesk:
    return FakeDesk(demos=[demo_script.demo(), OTHER], **more)


def rows(app: Any) -> list[str]:
    return [row.id for row in app.screen.query_one(LineList).rows]


async def test_the_filter_takes_hold_as_one_types() -> None:
    async with opened(desk_with(), start="browse") as (app, pilot):
        await until(pilot, lambda: len(rows(app)) == 5)
        await press(pilot, *"clip")
        await until(pilot, lambda: len(rows(app)) == 4)
        assert "4 of 5" in text(app)
        await press(pilot, "space", *"BATCH")
        await until(pilot, lambda: rows(app) == ["clip-batch-size"])
        await press(pilot, *"zzz")
        await until(pilot, lambda: rows(app) == [])
        await until(pilot, lambda: "No card matches." in text(app))
        await press(pilot, "enter")
        assert on(app, BrowseScreen)
        await press(pilot, "escape")
        await until(pilot, lambda: len(rows(app)) == 5)
        await press(pilot, "escape")
        assert on(app, HomeScreen)


@pytest.mark.parametrize("word", ["clip-temp", "temperature instead", "multimodal", "temperature"])
async def test_it_filters_by_id_question_chapter_and_tag(word: str) -> None:
    async with opened(desk_with(), start="browse") as (app, pilot):
        await until(pilot, lambda: len(rows(app)) == 5)
        app.screen.query_one("#filter", Input).value = word
        await until(pilot, lambda: "of 5" in text(app))
        assert "clip-temperature" in rows(app)


async def test_the_arrows_move_the_list_while_the_filter_has_the_keys() -> None:
    async with opened(desk_with(), start="browse") as (app, pilot):
        await until(pilot, lambda: len(rows(app)) == 5)
        cursor = app.screen.query_one(LineList)
        await press(pilot, "down", "down", "up")
        assert cursor.cursor == 1
        await until(pilot, lambda: "More negatives a step" in text(app))
        await press(pilot, "pagedown")
        assert cursor.cursor == 4
        await press(pilot, "pageup")
        assert cursor.cursor == 0


async def test_keys_of_the_list() -> None:
    async with opened(desk_with(), start="browse") as (app, pilot):
        await until(pilot, lambda: len(rows(app)) == 5)
        assert "tab" in keys(app)
        assert "d" not in keys(app)
        await press(pilot, "tab")
        cursor = app.screen.query_one(LineList)
        assert app.focused is cursor
        await until(pilot, lambda: "d" in keys(app))
        assert {"enter", "d", "e", "/", "esc"} <= keys(app)
        await press(pilot, "space")
        assert app.screen.query_one("#preview").scroll_offset.y > 0
        await press(pilot, "end", "home", "j", "k", "G", "g", "pagedown", "pageup")
        assert cursor.cursor == 0
        await press(pilot, "z", "x", "1")
        assert on(app, BrowseScreen)
        await press(pilot, "slash")
        assert isinstance(app.focused, Input)
        await press(pilot, "tab", "d")
        assert on(app, DemoScreen)


async def test_enter_asks_the_card() -> None:
    desk = desk_with()
    async with opened(desk, start="browse") as (app, pilot):
        await until(pilot, lambda: len(rows(app)) == 5)
        await press(pilot, "down", "enter")
        await until(pilot, lambda: on(app, ReviewScreen))
        await until(pilot, lambda: bool(desk.queries))
        assert desk.queries[0].cards == ("clip-batch-size",)


async def test_the_preview_stands_beside_from_120_columns_on_and_below_under_that() -> None:
    async with opened(desk_with(), size=(120, 40), start="browse") as (app, pilot):
        await until(pilot, lambda: "nobody knows it in advance" in text(app))
        preview, cards = app.screen.query_one("#preview"), app.screen.query_one(LineList)
        assert preview.region.x > cards.region.x
        assert preview.region.y == cards.region.y
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: preview.region.y > cards.region.y)
        assert preview.region.x == cards.region.x
        assert cards.current is not None


async def test_a_click_moves_and_a_second_click_opens() -> None:
    async with opened(desk_with(), start="browse") as (app, pilot):
        await until(pilot, lambda: len(rows(app)) == 5)
        await pilot.click(LineList, offset=(5, 2))
        await pilot.pause()
        assert app.screen.query_one(LineList).cursor == 2
        await pilot.click(LineList, offset=(5, 2))
        await until(pilot, lambda: on(app, ReviewScreen))


async def test_editing_reads_the_deck_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studytool.tui.editor.edit", lambda *_: True)
    desk = desk_with()
    async with opened(desk, start="browse") as (app, pilot):
        await until(pilot, lambda: "nobody knows" in text(app) or len(rows(app)) == 5)
        await press(pilot, "tab")
        await until(pilot, lambda: "e" in keys(app))
        desk.cards.pop()
        await press(pilot, "e")
        await until(pilot, lambda: len(rows(app)) == 4)
        assert desk.synced == 1


async def test_rows_come_in_batches() -> None:
    desk = desk_with()
    gate = asyncio.Event()

    async def slowly() -> Any:
        yield [CardLine("a", "first", "x", "a first")]
        await gate.wait()
        yield [CardLine("b", "second", "x", "b second")]

    desk.card_lines = slowly  # type: ignore[method-assign]
    async with opened(desk, start="browse") as (app, pilot):
        await until(pilot, lambda: rows(app) == ["a"])
        gate.set()
        await until(pilot, lambda: rows(app) == ["a", "b"])


async def test_demos_say_what_is_installed_and_how_the_last_run_went() -> None:
    async with opened(desk_with(), start="demos") as (app, pilot):
        await until(pilot, lambda: "✗ 21 Nov" in text(app))
        shown = text(app)
        assert "not installed" in shown
        await until(pilot, lambda: "enter runs it." in text(app))
        await press(pilot, "down")
        await until(pilot, lambda: "pip install 'studytool[demos]'" in text(app))


async def test_demos_are_filtered_and_opened() -> None:
    desk = desk_with()
    async with opened(desk, start="demos") as (app, pilot):
        await until(pilot, lambda: "Skip-gram" in text(app))
        await press(pilot, *"contrast")
        await until(pilot, lambda: "1 of 2" in text(app))
        await press(pilot, "enter")
        await until(pilot, lambda: on(app, DemoScreen))
        await until(pilot, lambda: bool(desk.started))
        assert desk.started[0][0] == "clip"


async def test_no_demos_at_all() -> None:
    async with opened(FakeDesk(), start="demos") as (app, pilot):
        await until(pilot, lambda: "No demos are registered." in text(app))
        await press(pilot, "enter")
        assert on(app, DemosScreen)
