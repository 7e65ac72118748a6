"""Settings: what is entered is written, what can't be is said at its field."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from studytool.errors import SettingsError
from studytool.settings import Settings, Study, Ui
from studytool.tui import keymap, settings_form
from studytool.tui.app import StudyApp
from studytool.tui.screens.demos import DemosScreen
from studytool.tui.screens.home import HomeScreen
from studytool.tui.screens.keys import CaptureScreen, KeysScreen
from studytool.tui.screens.settings import SettingsScreen
from studytool.tui.screens.tell import TellScreen
from studytool.tui.widgets.line_list import LineList
from tests.tui.fakes import FakeDesk
from tests.tui.helpers import on, opened, press, text, until


async def enter(pilot: Pilot[Any], app: StudyApp, field: str, value: str) -> None:
    await until(pilot, lambda: bool(app.screen.query(f"#field-{field}")))
    app.screen.query_one(f"#field-{field}", Input).value = value
    await pilot.pause()


@pytest.mark.parametrize("key", ["ctrl+s", "enter"])
async def test_a_value_is_saved(key: str) -> None:
    desk = FakeDesk()
    async with opened(desk, start="settings") as (app, pilot):
        await enter(pilot, app, "desired_retention", "0,95")
        await enter(pilot, app, "learning_steps", "30s 5m 1h")
        await enter(pilot, app, "fuzz", "no")
        await press(pilot, key)
        await until(pilot, lambda: "✓ saved" in text(app))
        study = desk.settings.study
        assert (study.desired_retention, study.learning_steps, study.fuzz) == (
            0.95,
            (30, 300, 3600),
            False,
        )


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("desired_retention", "2", "it takes a number from 0.7 to 0.99"),
        ("new_per_day", "many", "it takes a whole number from 0 to 9999"),
        ("rollover_hour", "24", "it takes a whole number from 0 to 23"),
        ("learning_steps", "10m 1m", "each step must be at least as long"),
        ("learning_steps", "soon", "a step reads"),
        ("fuzz", "perhaps", "'perhaps' is not one of yes, no"),
        ("theme", "pink", "'pink' is not one of dark, light"),
    ],
)
async def test_a_bad_value_is_said_at_its_field(field: str, value: str, says: str) -> None:
    desk = FakeDesk()
    async with opened(desk, size=(120, 60), start="settings") as (app, pilot):
        await enter(pilot, app, field, value)
        await press(pilot, "ctrl+s")
        assert says in text(app)
        assert app.focused is app.screen.query_one(f"#field-{field}")
        assert desk.saved == []
        await press(pilot, "escape")
        assert on(app, HomeScreen)


async def test_the_theme_changes_at_once() -> None:
    async with opened(FakeDesk(), start="settings") as (app, pilot):
        await enter(pilot, app, "theme", "light")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: app.theme == "light")


async def test_choices_are_cycled_with_the_arrows() -> None:
    async with opened(FakeDesk(), start="settings") as (app, pilot):
        await until(pilot, lambda: bool(app.screen.query("#field-theme")))
        field = app.screen.query_one("#field-theme", Input)
        field.focus()
        await press(pilot, "down")
        assert field.value == "light"
        await press(pilot, "down", "up", "up")
        assert field.value == "dark"
        app.screen.query_one("#field-new_per_day", Input).focus()
        await press(pilot, "down")
        assert app.focused is app.screen.query_one("#field-reviews_per_day")
        await press(pilot, "up", "tab")
        assert app.focused is app.screen.query_one("#field-reviews_per_day")


async def test_a_key_is_given_to_another_action_and_back() -> None:
    desk = FakeDesk()
    async with opened(desk, (100, 24), start="settings") as (app, pilot):
        await until(pilot, lambda: bool(app.screen.query("#field-theme")))
        await press(pilot, "f2")
        assert on(app, KeysScreen)
        rows = app.screen.query_one(LineList)
        while rows.current != "home.demos":
            await press(pilot, "down")
        await press(pilot, "enter")
        assert on(app, CaptureScreen)
        await press(pilot, "f7")
        await until(pilot, lambda: desk.settings.keys == {"home.demos": "f7"})
        await until(pilot, lambda: "✓ saved" in text(app))
        assert "home.demos          f7" in text(app)
        await press(pilot, "escape", "escape", "D")
        assert on(app, HomeScreen)
        assert "f7 demos" in text(app)
        await press(pilot, "f7")
        assert on(app, DemosScreen)
        await press(pilot, "escape", "comma", "f2")
        rows = app.screen.query_one(LineList)
        while rows.current != "home.demos":
            await press(pilot, "down")
        await press(pilot, "delete")
        await until(pilot, lambda: desk.settings.keys == {})


@pytest.mark.parametrize(
    ("key", "says"), [("q", "'q' is the key of home.quit already"), ("escape", "")]
)
async def test_a_key_that_is_taken_is_refused(key: str, says: str) -> None:
    desk = FakeDesk()
    async with opened(desk, start="settings") as (app, pilot):
        await until(pilot, lambda: bool(app.screen.query("#field-theme")))
        await press(pilot, "f2")
        rows = app.screen.query_one(LineList)
        while rows.current != "home.demos":
            await press(pilot, "down")
        await press(pilot, "enter", key)
        assert on(app, KeysScreen)
        assert says in text(app)
        assert desk.saved == []
        await press(pilot, "z", "x")
        assert on(app, KeysScreen)


async def test_what_cant_be_written_is_told() -> None:
    desk = FakeDesk()
    desk.settings_fault = SettingsError("settings.toml can't be written", hint="Check the folder.")
    async with opened(desk, start="settings") as (app, pilot):
        await until(pilot, lambda: bool(app.screen.query("#field-theme")))
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: on(app, TellScreen))
        assert "Check the folder." in text(app)
        await press(pilot, "escape")
        assert on(app, SettingsScreen)


def test_the_form_and_back_is_the_same() -> None:
    settings = Settings(
        study=Study(learning_steps=(90, 86_400), fuzz=False), ui=Ui(theme="light"), editor="vim"
    )
    fields = settings_form.fields(settings)
    values = {field.name: field.parse(field.value) for field in fields}
    assert settings_form.apply(settings, values) == settings


def test_no_two_actions_share_a_key_by_default() -> None:
    for name, binding in keymap.actions().items():
        for key in binding.key.split(","):
            assert keymap.fault(name, key, {}) == "", name


def test_an_unknown_theme_in_the_settings_is_passed_over() -> None:
    app = StudyApp(FakeDesk(settings=Settings(ui=Ui(theme="pink"))))
    assert app.theme == "dark"
