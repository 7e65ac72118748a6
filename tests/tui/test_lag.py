"""The event loop stays free while a demo floods the screen and while 100,000 cards are filtered.

A ticker task asks for its turn every 5 ms. What counts between two of its turns is the smaller of two
clocks: the wall, which also holds what other processes took, and the CPU time of this process, which
also holds what its other threads did beside the loop. The lag that is ours is in both, so neither a
loaded machine nor a thread that works without the interpreter can fail the test. CPU time itself is
longer where processes share a core, so the best of five tries counts. What is on the heap before is
frozen, pytest's as well as the app's, as the app does it with its own.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from studytool.clock import FixedClock
from studytool.demo import events as ev
from studytool.paths import Paths
from studytool.services.context import open_app
from studytool.tui.app import StudyApp, give_way
from studytool.tui.desk import StoreDesk
from studytool.tui.ports import CardLine
from studytool.tui.screens.demo import DemoScreen
from studytool.tui.widgets.line_list import LineList
from tests.tui import demo_script
from tests.tui.fakes import FakeDesk
from tests.tui.helpers import on, until

LIMIT = 0.050
BEAT = 0.005


@dataclass
class Lag:
    """The longest time between two turns of the ticker, in seconds, by the smaller clock."""

    worst: float = 0.0
    beats: int = 0


@asynccontextmanager
async def watched() -> AsyncIterator[Lag]:
    """Measure the lag of the event loop inside the block."""
    lag = Lag()

    async def tick() -> None:
        while True:
            wall, computed = time.perf_counter(), time.process_time()
            await asyncio.sleep(BEAT)
            took = min(time.perf_counter() - wall, time.process_time() - computed)
            lag.worst = max(lag.worst, took)
            lag.beats += 1

    task = asyncio.create_task(tick())
    try:
        yield lag
    finally:
        task.cancel()


@pytest.fixture(autouse=True)
def as_main_does_it() -> Iterator[None]:
    """Threads give way; what was frozen is given back to the collector afterwards."""
    before = sys.getswitchinterval()
    give_way()
    yield
    gc.unfreeze()
    sys.setswitchinterval(before)


async def warmed(app: StudyApp, pilot: Pilot[None]) -> None:
    """Wait until all is loaded, and freeze the heap, as the app does outside of tests."""
    await until(pilot, app.warm.is_set)
    gc.collect()
    gc.freeze()


async def best_of_five(measure: Callable[[], Awaitable[Lag]]) -> None:
    """Measure up to five times; fails when no try stays below the limit."""
    tried = []
    for _ in range(5):
        lag = await measure()
        assert lag.beats > 2
        tried.append(lag.worst)
        if lag.worst < LIMIT:
            break
    print(f"worst turns: {', '.join(f'{worst * 1000:.1f} ms' for worst in tried)}")
    assert min(tried) < LIMIT, [f"{worst * 1000:.1f} ms" for worst in tried]


async def settled(true: Any) -> None:
    """Wait for a condition by giving turns only, so that the pilot's own work isn't measured."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "not reached"
        await asyncio.sleep(BEAT)


async def run_to_its_end(app: StudyApp, demo: str, params: dict[str, Any]) -> DemoScreen:
    """Open a demo and wait until its run is stored and drawn."""
    app.open_demo(demo, params)
    await settled(lambda: on(app, DemoScreen))
    screen = app.screen
    assert isinstance(screen, DemoScreen)
    await settled(lambda: screen.sheet is not None and screen.driver.stored is not None)
    await settled(lambda: screen._frame is None)
    return screen


def flood() -> list[ev.Event]:
    """20,000 points of a curve, and a table that is replaced twenty times."""
    script: list[ev.Event] = [ev.Stage("training")]
    for step in range(20_000):
        script.append(ev.Metric("loss", 1 / (step + 1), step=step))
        if step % 1_000 == 0:
            rows: list[list[ev.Cell]] = [[str(row), step / 1_000] for row in range(20)]
            script.append(ev.Table("nearest", "neighbours", ["word", "score"], rows))
    return [*script, ev.Done(1.0)]


async def test_a_flood_of_20000_events_leaves_the_loop_free() -> None:
    script = flood()

    async def measure() -> Lag:
        app = StudyApp(FakeDesk(demos=[demo_script.demo(script=script)]))
        async with app.run_test(size=(120, 40)) as pilot:
            await warmed(app, pilot)
            async with watched() as lag:
                screen = await run_to_its_end(app, "clip", {})
            assert len(screen.model.history) == len(script)
        return lag

    await best_of_five(measure)


async def test_a_flood_from_a_real_child_leaves_the_loop_free(
    plugin: Path, deck: Path, paths: Paths, clock: FixedClock
) -> None:
    async def measure() -> Lag:
        app = StudyApp(StoreDesk(open_app(deck, clock, paths)))
        async with app.run_test(size=(120, 40)) as pilot:
            await warmed(app, pilot)
            async with watched() as lag:
                screen = await run_to_its_end(app, "toy", {"steps": 10_000})
            points = sum(isinstance(event, ev.Metric) for event in screen.model.history)
            steps = sum(isinstance(event, ev.Progress) for event in screen.model.history)
            assert (points, steps) == (10_000, 10_000)
        return lag

    await best_of_five(measure)


def many(cards: int) -> Sequence[CardLine]:
    topics = ("attention", "temperature", "perplexity", "contrast", "window")
    lines = []
    for number in range(cards):
        topic = topics[number % len(topics)]
        question = f"Why does {topic} number {number} matter to the model?"
        hay = f"card-{number}\n{question}\nstatic\n{topic}".lower()
        lines.append(CardLine(f"card-{number}", question, "static", hay))
    return lines


async def test_filtering_100000_cards_leaves_the_loop_free() -> None:
    cards = many(100_000)

    async def measure() -> Lag:
        desk = FakeDesk()
        desk.lines = cards
        app = StudyApp(desk, start="browse")
        async with app.run_test(size=(120, 40)) as pilot:
            await warmed(app, pilot)
            rows = app.screen.query_one(LineList)
            await until(pilot, lambda: len(rows.rows) == 100_000)
            async with watched() as lag:
                await type_and_page(app.screen.query_one("#filter", Input), rows)
            assert rows.cursor == 99_999
        return lag

    await best_of_five(measure)


async def type_and_page(field: Input, rows: LineList[CardLine]) -> None:
    """Filter by more and more words, by nothing, and go through the list to its end."""
    for word, found in (
        ("p", None),
        ("perplexity", 20_000),
        ("perplexity 99", None),
        ("perplexity 99997", 1),
        ("nothing like it", 0),
        ("", 100_000),
    ):
        field.value = word
        if found is not None:
            await settled(lambda found=found: len(rows.rows) == found)
    for _ in range(30):
        rows.action_page(1)
        await asyncio.sleep(BEAT)
    rows.action_jump(-1)
    await asyncio.sleep(BEAT)
