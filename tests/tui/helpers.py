"""What the pilot tests share: an app over a fake desk, waiting for a state, reading the screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.widget import Widget

from studytool.tui.app import StudyApp
from studytool.tui.widgets.key_bar import live_keys
from tests.tui.fakes import FakeDesk

PATIENCE = 20.0


async def until(pilot: Pilot[Any], true: Callable[[], bool], what: str = "") -> None:
    """Let the app work until a condition holds; fails after PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not reached: {what or true}\n{text(pilot.app)}")
        await pilot.pause()
        await asyncio.sleep(0.002)
    await pilot.pause()


@asynccontextmanager
async def opened(
    desk: FakeDesk, size: tuple[int, int] = (80, 24), **start: Any
) -> AsyncIterator[tuple[StudyApp, Pilot[None]]]:
    """The app over `desk`, its store opened and Home's numbers drawn."""
    app = StudyApp(desk, **start)
    async with app.run_test(size=size) as pilot:
        await until(pilot, app.ready.is_set, "the store is open")
        await until(pilot, lambda: app.home.overview is not None, "numbers on Home")
        yield app, pilot


def text(where: StudyApp | Widget | Any) -> str:
    """What the screen shows, as lines of text."""
    screen = where.screen
    strips = screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


def fits(app: StudyApp, width: int) -> bool:
    """Whether no line of the screen is wider than it is."""
    return all(len(line) <= width for line in text(app).splitlines())


def on(app: StudyApp, kind: type[object]) -> bool:
    """Whether the screen is one of this kind."""
    return isinstance(app.screen, kind)


def keys(app: StudyApp) -> set[str]:
    """The keys that the key bar could show now."""
    return {key.shown for key in live_keys(app.screen)}


async def press(pilot: Pilot[Any], *names: str) -> None:
    """Press keys one after the other, letting each have its effect."""
    for name in names:
        await pilot.press(name)
        await pilot.pause()
