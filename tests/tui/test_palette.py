"""The command palette and the help: made from the bindings, so nothing is missing or dead."""

from __future__ import annotations

from typing import Any

import pytest
from textual.command import CommandPalette

from studytool.tui.commands import PLACES, LiveCommands
from studytool.tui.screens.browse import BrowseScreen
from studytool.tui.screens.demos import DemosScreen
from studytool.tui.screens.help import HelpScreen, rows
from studytool.tui.screens.home import HomeScreen
from studytool.tui.screens.review import ReviewScreen
from studytool.tui.screens.settings import SettingsScreen
from tests.tui import demo_script
from tests.tui.fakes import FakeDesk
from tests.tui.helpers import on, opened, press, text, until


def names(app: Any) -> list[str]:
    return [name for name, _, _ in LiveCommands(app.screen)._commands()]


async def test_every_live_key_is_a_command() -> None:
    async with opened(FakeDesk()) as (app, _pilot):
        assert {"browse the demos", "settings", "open", "browse the cards"} <= set(names(app))
        assert {place[0] for place in PLACES} <= set(names(app))


async def test_a_dead_key_is_no_command() -> None:
    async with opened(FakeDesk(), start="review") as (app, pilot):
        await until(pilot, lambda: "Why does CLIP" in text(app))
        assert "show the answer" in names(app)
        assert "go on with a follow-up" not in names(app)
        await press(pilot, "space")
        assert "show the answer" not in names(app)
        assert "go on with a follow-up" in names(app)


@pytest.mark.parametrize(
    ("words", "screen"),
    [
        ("study what", ReviewScreen),
        ("browse the cards", BrowseScreen),
        ("browse the demos", DemosScreen),
        ("settings", SettingsScreen),
        ("all keys", HelpScreen),
    ],
)
async def test_the_palette_goes_there(words: str, screen: type[object]) -> None:
    async with opened(FakeDesk()) as (app, pilot):
        await press(pilot, "ctrl+p")
        assert on(app, CommandPalette)
        await press(pilot, *words)
        await until(pilot, lambda: bool(app.screen.query_one("CommandList").option_count))  # type: ignore[attr-defined]
        await press(pilot, "enter")
        await until(pilot, lambda: on(app, screen))


async def test_a_command_acts_on_the_screen_below() -> None:
    async with opened(FakeDesk(), start="review") as (app, pilot):
        await until(pilot, lambda: "Why does CLIP" in text(app))
        await press(pilot, "ctrl+p", *"show the answer")
        await until(pilot, lambda: bool(app.screen.query_one("CommandList").option_count))  # type: ignore[attr-defined]
        await press(pilot, "enter")
        await until(pilot, lambda: "nobody knows it in advance" in text(app))


async def test_home_and_the_theme_from_anywhere() -> None:
    async with opened(FakeDesk(demos=[demo_script.demo()]), start="demos") as (app, pilot):
        await press(pilot, "tab", "enter")
        await until(pilot, lambda: len(app.screen_stack) == 3)
        app.action_toggle_theme()
        assert app.theme == "light"
        app.action_home()
        await until(pilot, lambda: on(app, HomeScreen))
        app.action_toggle_theme()
        assert app.theme == "dark"


async def test_help_lists_every_key_of_the_screen_and_says_which_work() -> None:
    async with opened(FakeDesk(), start="review") as (app, pilot):
        await until(pilot, lambda: "Why does CLIP" in text(app))
        entries = {words: (keys, works) for keys, words, works in rows(app.screen)}
        assert entries["show the answer"] == ("space enter", True)
        assert entries["rate good"] == ("3", False)
        assert entries["forget this card's memory"] == ("r", True)
        for keys, words, _ in rows(app.screen):
            assert keys
            assert words


async def test_help_scrolls_and_closes() -> None:
    async with opened(FakeDesk(), size=(80, 12), start="review") as (app, pilot):
        await until(pilot, lambda: "Why does CLIP" in text(app))
        for close in ("escape", "enter", "question_mark", "f1"):
            await press(pilot, "question_mark")
            assert on(app, HelpScreen)
            await press(pilot, "down", "pagedown", "up", "pageup", "z", close)
            assert on(app, ReviewScreen)
