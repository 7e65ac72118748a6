"""The demo screen: guess, watch, verdicts, parameters, compare, explore, cancel, crash."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from studytool.demo import events as ev
from studytool.errors import StorageFull
from studytool.tui.app import StudyApp
from studytool.tui.screens.confirm import ConfirmScreen
from studytool.tui.screens.demo import DemoScreen
from studytool.tui.screens.home import HomeScreen
from studytool.tui.screens.params import ParamsScreen
from studytool.tui.screens.tell import TellScreen
from studytool.tui.widgets.ask import Options
from studytool.tui.widgets.curve_plot import CurvePlot
from studytool.tui.widgets.panels import Panels
from studytool.tui.widgets.picture_view import Blocks
from tests.tui import demo_script
from tests.tui.fakes import FakeDesk
from tests.tui.helpers import fits, keys, on, opened, press, text, until

BEFORE_RESULTS = len(demo_script.training())


def desk_with(**changes: Any) -> FakeDesk:
    return FakeDesk(demos=[demo_script.demo(**changes)])


START: dict[str, Any] = {"start": "demo", "demo": "clip"}


async def running(pilot: Pilot[Any], app: StudyApp) -> DemoScreen:
    """The demo screen once its first stage has begun."""
    await until(pilot, lambda: on(app, DemoScreen))
    screen = app.screen
    assert isinstance(screen, DemoScreen)
    await until(pilot, lambda: screen.sheet is not None and screen.model.stage is not None)
    return screen


async def ended(pilot: Pilot[Any], app: StudyApp) -> DemoScreen:
    """The demo screen after the run and with the question answered by its first option."""
    screen = await running(pilot, app)
    await until(pilot, lambda: isinstance(app.focused, Options))
    await press(pilot, "1")
    await until(pilot, lambda: screen.driver.stored is not None and "Say it" in text(app))
    return screen


async def test_stage_and_progress_show_while_it_runs() -> None:
    desk = desk_with(pause_at=BEFORE_RESULTS)
    async with opened(desk, **START) as (app, pilot):
        screen = await running(pilot, app)
        await until(pilot, lambda: "training 176/340" in text(app))
        assert "CLIP from scratch on 2,790 emoji" in text(app)
        assert "seed 0" in text(app)
        assert {"x", "p", "l", "b"} <= keys(app)
        assert not {"r", "c", "e", "s"} & keys(app)
        assert isinstance(screen.query_one(Panels).shown["curve:loss"], CurvePlot)


async def test_results_wait_for_the_guess() -> None:
    desk = desk_with()
    async with opened(desk, size=(100, 40), **START) as (app, pilot):
        await running(pilot, app)
        await until(pilot, lambda: "Results wait for your guess" in text(app))
        shown = text(app)
        assert "Before you see it: which temperature" in shown
        assert "finds unseen" not in shown
        assert "Say it" not in shown
        await press(pilot, "down", "up", "enter")
        await until(pilot, lambda: "Say it: “CLIP's classes are sentences" in text(app))
        shown = text(app)
        assert "✓ which temperature gives the better retrieval?   you guessed 0.07 · it is" in shown
        assert "✓ finds unseen tone–gender combinations   0.72 ≥ 0.65" in shown
        assert (
            "✗ a bigger batch is better   0.41, claimed ≥ 0.46  (commonly taught; false here)"
            in shown
        )
        await until(pilot, lambda: bool(desk.guesses))
        assert desk.guesses == [("tau", "0.07", "0.07")]
        assert desk.kept == [("clip", False, len(demo_script.demo().script), "")]


@pytest.mark.parametrize(("key", "guess"), [("2", ("tau", "1", "0.07")), ("3", None)])
async def test_a_wrong_guess_and_a_skipped_one(
    key: str, guess: tuple[str, str, str] | None
) -> None:
    desk = desk_with()
    async with opened(desk, size=(100, 40), **START) as (app, pilot):
        screen = await running(pilot, app)
        await until(pilot, lambda: isinstance(app.focused, Options))
        await until(pilot, lambda: screen.driver.stored is not None)
        await press(pilot, key)
        words = "✗ which temperature" if guess else "not guessed · it is 0.07"
        await until(pilot, lambda: words in text(app))
        assert desk.guesses == ([guess] if guess else [])


async def test_a_number_is_guessed_in_a_field() -> None:
    asks = ev.Prediction("n", "what is the loss at chance?", unit="nats")
    script = [asks, ev.Outcome("n", 5.5), ev.Done(1.0)]
    desk = desk_with(script=script)
    async with opened(desk, **START) as (app, pilot):
        await running_without_stage(pilot, app)
        await until(pilot, lambda: isinstance(app.focused, Input))
        await press(pilot, *"five", "enter")
        assert "'five' is not a number" in text(app)
        await press(pilot, "backspace", "backspace", "backspace", "backspace", *"5.4", "enter")
        await until(pilot, lambda: "you guessed 5.4 nats · it is 5.5 nats" in text(app))
        assert desk.guesses == [("n", 5.4, 5.5)]


async def running_without_stage(pilot: Pilot[Any], app: StudyApp) -> None:
    await until(pilot, lambda: on(app, DemoScreen))


async def test_every_kind_of_event_has_its_panel() -> None:
    async with opened(desk_with(), size=(120, 90), **START) as (app, pilot):
        screen = await ended(pilot, app)
        await until(pilot, lambda: bool(screen.query(Blocks)))
        shown = text(app)
        for words in (
            "loss",
            "retrieval R@1",
            "query “woman pilot”",
            "similarities",
            "a cat [b]sits[/b] on a car",
            "└ go → left",
            "© OpenMoji, CC BY-SA 4.0",
            "chance R@1 0.003",
            "note two emoji share a name",
            "▀▀▀▀▀▀▀▀",
        ):
            assert words in shown, words


async def test_panels_stack_when_it_is_narrow_and_keep_their_state() -> None:
    async with opened(desk_with(), size=(120, 90), **START) as (app, pilot):
        screen = await ended(pilot, app)
        panels = screen.query_one(Panels)
        assert panels.has_class("beside")
        await pilot.resize_terminal(60, 30)
        await until(pilot, lambda: not panels.has_class("beside"))
        assert len(panels.shown) == 7
        await until(pilot, lambda: fits(app, 60))
        await pilot.resize_terminal(200, 50)
        await until(pilot, lambda: panels.has_class("beside"))
        assert "Say it" in text(app)


async def test_the_parameters_make_a_form_and_run() -> None:
    desk = desk_with()
    async with opened(desk, size=(110, 40), **START) as (app, pilot):
        await ended(pilot, app)
        await press(pilot, "p")
        assert on(app, ParamsScreen)
        shown = text(app)
        assert "training steps; a whole number from 1 to 2000" in shown
        assert "the text tower; one of frozen, trained" in shown
        await press(pilot, "0", "enter")
        assert "3000 is not allowed; it takes a whole number from 1 to 2000" in text(app)
        await press(pilot, "backspace", "backspace", "tab", "tab", "down", "enter")
        await until(pilot, lambda: len(desk.started) == 2)
        assert desk.started[1] == (
            "clip",
            {"steps": 30, "lr": 0.1, "tower": "trained", "shuffle": True, "seed": 0},
        )


async def test_the_form_goes_back_to_the_defaults_or_away() -> None:
    desk = desk_with()
    more = {**START, "params": {"steps": 7}}
    async with opened(desk, size=(110, 40), **more) as (app, pilot):
        await ended(pilot, app)
        assert desk.started[0][1]["steps"] == 7
        await press(pilot, "p", "ctrl+d")
        assert app.screen.query_one("#field-steps", Input).value == "300"
        await press(pilot, "escape")
        assert on(app, DemoScreen)
        assert len(desk.started) == 1


async def test_parameters_of_a_running_demo_stop_it_first() -> None:
    desk = desk_with(pause_at=BEFORE_RESULTS)
    async with opened(desk, size=(110, 40), **START) as (app, pilot):
        await running(pilot, app)
        await press(pilot, "p", "enter")
        await until(pilot, lambda: len(desk.runs) == 2)
        assert desk.runs[0].cancelled
        assert not desk.runs[1].cancelled
        await until(pilot, lambda: len(desk.kept) == 1)
        assert desk.kept[0][1] is True


async def test_rerun_asks_and_measures_again() -> None:
    desk = desk_with()
    async with opened(desk, size=(100, 40), **START) as (app, pilot):
        screen = await ended(pilot, app)
        await press(pilot, "r")
        await until(pilot, lambda: len(desk.started) == 2)
        assert desk.started[0] == desk.started[1]
        await until(pilot, lambda: isinstance(app.focused, Options))
        assert len(screen.query_one(Panels).shown) == 7


async def test_compare_puts_an_earlier_run_beside() -> None:
    async with opened(desk_with(), size=(110, 40), **START) as (app, pilot):
        await ended(pilot, app)
        await press(pilot, "c")
        await until(pilot, lambda: "Side by side" in text(app))
        shown = text(app)
        assert "21 Nov 14:03  ✗  20.0 s  steps=100" in shown
        assert "20 Nov 09:30  ✓  61.0 s  tower=trained" in shown
        line = next(line for line in shown.splitlines() if line.lstrip().startswith("finds unseen"))
        assert "✓ 0.72" in line
        assert "✗ 0.55" in line
        await press(pilot, "down")
        await until(pilot, lambda: "20 Nov 09:30" in text(app).split("Side by side")[1])
        await press(pilot, "escape")
        assert "Say it" in text(app)


async def test_explore_asks_the_finished_run() -> None:
    async with opened(desk_with(), size=(110, 60), **START) as (app, pilot):
        await ended(pilot, app)
        await press(pilot, "e")
        field = app.screen.query_one("#explore", Input)
        assert app.focused is field
        assert field.placeholder == "type a query"
        await press(pilot, *"a cat", "enter")
        await until(pilot, lambda: "query “a cat”" in text(app))
        await press(pilot, "escape")
        assert on(app, DemoScreen)


async def test_the_log_is_shown_as_text() -> None:
    async with opened(desk_with(), size=(100, 40), **START) as (app, pilot):
        await ended(pilot, app)
        await press(pilot, "l")
        shown = text(app)
        assert "loading torch" in shown
        assert "a warning [red]of[/red] a library" in shown
        assert "\x1b" not in shown
        await press(pilot, "l")
        assert "Say it" in text(app)


async def test_save_says_where() -> None:
    async with opened(desk_with(), size=(110, 40), **START) as (app, pilot):
        await ended(pilot, app)
        await press(pilot, "s")
        await until(pilot, lambda: "saved to /saved/clip-" in text(app))


async def test_cancel_stops_at_once_and_says_so() -> None:
    desk = desk_with(pause_at=BEFORE_RESULTS)
    async with opened(desk, size=(100, 40), **START) as (app, pilot):
        screen = await running(pilot, app)
        await until(pilot, lambda: isinstance(app.focused, Options))
        await press(pilot, "x")
        await until(pilot, lambda: "Stopped. What was shown so far stays" in text(app))
        assert desk.runs[0].cancelled
        assert "Before you see it" not in text(app)
        await until(pilot, lambda: bool(desk.kept))
        assert desk.kept[0][:2] == ("clip", True)
        assert "x" not in keys(app)
        assert "r" in keys(app)
        assert screen.model.cancelled


@pytest.mark.parametrize("key", ["b", "escape"])
async def test_back_from_a_running_demo_says_so_and_stops_it(key: str) -> None:
    desk = desk_with(pause_at=BEFORE_RESULTS)
    async with opened(desk, **START) as (app, pilot):
        await running(pilot, app)
        await press(pilot, key)
        assert on(app, ConfirmScreen)
        assert "Going back stops it." in text(app)
        await press(pilot, "n")
        assert on(app, DemoScreen)
        assert not desk.runs[0].cancelled
        await press(pilot, key, "y")
        await until(pilot, lambda: on(app, HomeScreen))
        assert desk.runs[0].cancelled


async def test_quitting_the_app_stops_the_run() -> None:
    desk = desk_with(pause_at=BEFORE_RESULTS)
    async with opened(desk, **START) as (app, pilot):
        await running(pilot, app)
        await pilot.press("ctrl+q")
    assert desk.runs[0].cancelled
    assert desk.closed


async def test_a_crash_shows_the_last_lines_and_what_to_do() -> None:
    script = [
        *demo_script.training(),
        ev.Failed(
            "MemoryError: [red]no[/red] room", "Choose smaller settings.", "File a\nMemoryError"
        ),
    ]
    async with opened(desk_with(script=script), size=(100, 40), **START) as (app, pilot):
        await until(pilot, lambda: "What to do: Choose smaller settings." in text(app))
        shown = text(app)
        assert "✗ MemoryError: [red]no[/red] room" in shown
        assert "File a" in shown
        assert "✗ failed" in shown
        assert "Before you see it" not in shown
        assert "r" in keys(app)


async def test_missing_packages_name_the_command() -> None:
    desk = desk_with(installed=False, missing="pip install 'studytool[demos]'")
    async with opened(desk, **START) as (app, pilot):
        await until(pilot, lambda: "pip install 'studytool[demos]'" in text(app))
        assert desk.started == []
        assert not {"p", "r", "x", "l", "s", "c", "e"} & keys(app)
        await press(pilot, "r", "p", "x", "escape")
        assert on(app, HomeScreen)


@pytest.mark.parametrize("key", ["z", "1", "d", "u", "enter", "x", "ctrl+y"])
async def test_wrong_keys_do_nothing(key: str) -> None:
    async with opened(desk_with(), size=(100, 40), **START) as (app, pilot):
        await ended(pilot, app)
        before = text(app)
        await press(pilot, key)
        assert text(app) == before


async def test_scrolling_keys() -> None:
    async with opened(desk_with(), **START) as (app, pilot):
        screen = await ended(pilot, app)
        body = screen.query_one("#results")
        await press(pilot, "down", "j", "pagedown", "space")
        far = body.scroll_offset.y
        assert far > 2
        await press(pilot, "pageup", "up", "k")
        assert body.scroll_offset.y < far


async def test_a_run_that_cant_be_stored_is_told_and_stays() -> None:
    desk = desk_with()

    async def full(*_args: Any, **_more: Any) -> int:
        raise StorageFull("The disk is full.")

    desk.keep_run = full  # type: ignore[method-assign]
    async with opened(desk, size=(100, 40), **START) as (app, pilot):
        await until(pilot, lambda: on(app, TellScreen))
        assert "The disk is full." in text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: on(app, DemoScreen))


async def test_at_most_twenty_repaints_a_second() -> None:
    script = [ev.Metric("loss", float(step), step=step) for step in range(5_000)]
    desk = desk_with(script=[*script, ev.Done(1.0)])
    async with opened(desk, **START) as (app, pilot):
        await until(pilot, lambda: on(app, DemoScreen))
        screen = app.screen
        assert isinstance(screen, DemoScreen)
        loop = asyncio.get_running_loop()
        began, painted = loop.time(), 0
        original = screen._draw

        def counted(key: str, model: Any) -> None:
            nonlocal painted
            painted += key == "curve:loss"
            original(key, model)

        screen._draw = counted  # type: ignore[method-assign]
        await until(pilot, lambda: screen.driver.stored is not None)
        await until(pilot, lambda: screen._frame is None)
        assert painted <= 20 * (loop.time() - began) + 2
        assert len(screen.model.history) == 5_001
