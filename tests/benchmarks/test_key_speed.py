"""CPU from a key press until its frame is written, on the review screen at three sizes.

    pytest -m bench tests/benchmarks/test_key_speed.py -s

The built-in deck is studied in a profile of its own. A press is timed from the moment the key is
handed to the app until it has written the last frame that the key causes: of a rating that is the
one which says that the answer is saved, and the store's thread is timed with it. Each question
stands for READ seconds before its answer is revealed. Bar: 8 ms.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from studytool.services.types import SessionQuery
from studytool.tui.app import StudyApp
from studytool.tui.desk import StoreDesk
from studytool.tui.screens.review import ReviewScreen
from tests.tui.helpers import until

pytestmark = pytest.mark.bench

SIZES = ((80, 24), (120, 40), (200, 50))
CARDS = int(os.environ.get("STUDYTOOL_BENCH_KEY_CARDS", "30"))
#: A question is read at least as long: its answer is laid out in the meantime.
READ = 0.4
#: So long nothing has been drawn or saved when a key has had its effect; how often that is looked at.
STILL = 0.15
LOOK = 0.01
#: One card: reveal, scroll, go to the key points, tick two, rate.
KEYS = ("space", "j", "k", "tab", "x", "j", "x", "3")


class Timed(StudyApp):
    """Remembers the CPU time at each frame."""

    CSS_PATH = str(Path(__file__).parents[2] / "studytool" / "tui" / "studytool.tcss")
    painted = 0
    #: When the last frame was painted, by the clock on the wall.
    seen = 0.0

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)
        self.painted = time.process_time_ns()
        self.seen = time.monotonic()


async def press(app: Timed, key: str) -> float | None:
    """CPU ms of this process from the key to the last frame that it causes; None without a frame.

    The pilot's own waiting is no part of it: that sends messages to every widget.
    """
    gc.collect()
    app.painted, app.seen = 0, time.monotonic()
    begun = time.process_time_ns()
    app.simulate_key(key)
    while time.monotonic() < app.seen + STILL or not _saved(app):
        await asyncio.sleep(LOOK)
    return (app.painted - begun) / 1e6 if app.painted else None


def _saved(app: Timed) -> bool:
    screen = app.screen
    return not isinstance(screen, ReviewScreen) or screen.driver is None or not screen.driver.busy


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_key_to_paint(size: tuple[int, int]) -> None:
    app = Timed(StoreDesk(), start="review", query=SessionQuery(new_limit=CARDS + 1))
    times: dict[str, list[float]] = {key: [] for key in dict.fromkeys(KEYS)}
    async with app.run_test(size=size) as pilot:
        await until(pilot, app.warm.is_set)
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen) and _ready(app.screen))
        for card in range(CARDS):
            await asyncio.sleep(READ)
            for key in KEYS:
                taken = await press(app, key)
                if taken is not None and card > 1:
                    times[key].append(taken)
    every = sorted(value for values in times.values() for value in values)
    each = ", ".join(f"{key} {statistics.median(values):.1f}" for key, values in times.items())
    least = ", ".join(f"{key} {min(values):.1f}" for key, values in times.items())
    print(
        f"\n{size[0]}x{size[1]}, {len(every)} keys, CPU ms until painted: median "
        f"{statistics.median(every):.1f}, p95 {every[int(len(every) * 0.95)]:.1f} (bar 8)"
        f"\n  medians {each}\n  least {least}"
    )
    assert every


def _ready(screen: ReviewScreen) -> bool:
    return screen.driver is not None and screen.driver.sitting is not None
