"""Draws the README's pictures from the app itself: python docs/pictures.py (about a minute).

A profile of its own in a temporary folder with the user's demo cache, a clock that stands still,
the built-in deck and a real run of the skip-gram demo.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from studytool.clock import FixedClock
from studytool.paths import Paths, default_paths
from studytool.services.context import open_app
from studytool.services.types import SessionQuery
from studytool.tui.app import StudyApp
from studytool.tui.desk import StoreDesk

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

HERE = Path(__file__).resolve().parent
SIZE = (100, 34)


async def until(pilot: Pilot[None], holds: Callable[[], bool], seconds: float = 600) -> None:
    """Wait until the screen shows what is to be drawn; TimeoutError when it never does."""
    async with asyncio.timeout(seconds):
        while not holds():
            await pilot.pause(0.1)


def shown(app: StudyApp) -> str:
    """The text that is on the screen, without the marks between its styles."""
    return re.sub(r"<[^>]+>", "", app.export_screenshot()).replace("&#160;", " ")


async def review(app: StudyApp, path: Path) -> None:
    """A card about CLIP, revealed, with two key points ticked."""
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "temperature" in shown(app))
        await pilot.press("space")
        await until(pilot, lambda: "again" in shown(app))
        path.write_text(app.export_screenshot(title="studytool"), encoding="utf-8")


async def demo(app: StudyApp, path: Path) -> None:
    """Skip-gram after its run, the questions skipped."""
    async with app.run_test(size=(120, 44)) as pilot:
        await until(pilot, lambda: "Before you see it" in shown(app))
        await pilot.press("enter")
        await pilot.pause(0.5)
        await pilot.press("5", "enter")
        await until(pilot, lambda: "done in" in shown(app))
        await pilot.pause(1)
        path.write_text(app.export_screenshot(title="studytool"), encoding="utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        paths = Paths(root / "data", root / "config", default_paths().cache, root / "state")
        clock = FixedClock(datetime(2026, 11, 23, 10, tzinfo=UTC))
        query = SessionQuery(cards=("clip-temperature",))
        app = StudyApp(StoreDesk(open_app(None, clock, paths)), start="review", query=query)
        asyncio.run(review(app, HERE / "review.svg"))
        app = StudyApp(StoreDesk(open_app(None, clock, paths)), start="demo", demo="skipgram")
        asyncio.run(demo(app, HERE / "demo.svg"))


if __name__ == "__main__":
    main()
