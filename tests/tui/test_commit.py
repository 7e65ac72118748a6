"""Saving: the next question at once, the tick after the commit, the card back when it fails."""

from __future__ import annotations

import asyncio

from studytool.errors import StorageFull, StudytoolError
from studytool.schedule.model import Rating
from studytool.tui.review_driver import Driver
from studytool.tui.screens.review import ReviewScreen
from studytool.tui.screens.tell import TellScreen
from tests.tui.fakes import FakeDesk
from tests.tui.helpers import on, opened, press, text, until


async def test_the_next_question_is_painted_before_the_commit() -> None:
    desk = FakeDesk()
    async with opened(desk, start="review") as (app, pilot):
        await until(pilot, lambda: desk.sitting is not None and "Why does CLIP" in text(app))
        assert desk.sitting is not None
        desk.sitting.hold = asyncio.Event()
        await press(pilot, "space", "3")
        await until(pilot, lambda: "Does CLIP need a large batch?" in text(app))
        assert desk.sitting.rated == []
        assert "saved" not in text(app)
        desk.sitting.hold.set()
        await until(pilot, lambda: "✓ saved" in text(app))
        assert desk.sitting.rated[0][:2] == ("clip-temperature", Rating.GOOD)


async def test_a_failed_commit_brings_the_card_back_with_a_message() -> None:
    desk = FakeDesk()
    async with opened(desk, size=(100, 40), start="review") as (app, pilot):
        await until(pilot, lambda: desk.sitting is not None and "Why does CLIP" in text(app))
        assert desk.sitting is not None
        desk.sitting.fail = StorageFull("The disk is full.", hint="Make room; nothing is lost.")
        await press(pilot, "t", *"abc", "ctrl+r", "tab", "x", "3")
        await until(pilot, lambda: on(app, TellScreen))
        assert "The disk is full." in text(app)
        assert "Make room; nothing is lost." in text(app)
        await press(pilot, "enter")
        screen = app.screen
        assert isinstance(screen, ReviewScreen)
        assert screen.table is not None
        assert "Why does CLIP learn its temperature" in text(app)
        assert (screen.table.revealed, screen.table.typed, screen.table.ticked) == (
            True,
            "abc",
            {0},
        )
        assert "not saved" in text(app)
        assert "1 / 5" in text(app)
        desk.sitting.fail = None
        await press(pilot, "2")
        await until(pilot, lambda: "✓ saved" in text(app))
        assert desk.sitting.rated == [("clip-temperature", Rating.HARD, "abc", (0,))]


async def test_a_rating_during_the_commit_waits_for_it() -> None:
    desk = FakeDesk()
    async with opened(desk, start="review") as (app, pilot):
        await until(pilot, lambda: desk.sitting is not None and "Why does CLIP" in text(app))
        assert desk.sitting is not None
        desk.sitting.hold = asyncio.Event()
        await press(pilot, "space", "3", "space", "1")
        assert desk.sitting.rated == []
        desk.sitting.hold.set()
        sitting = desk.sitting
        await until(pilot, lambda: len(sitting.rated) == 2)
        assert [each[:2] for each in sitting.rated] == [
            ("clip-temperature", Rating.GOOD),
            ("clip-batch-size", Rating.AGAIN),
        ]


async def test_a_rating_behind_a_failed_commit_is_dropped() -> None:
    desk = FakeDesk()
    told: list[StudytoolError] = []
    driver = Driver(desk, lambda: None, told.append)
    from studytool.services.types import SessionQuery

    await driver.start(SessionQuery())
    assert desk.sitting is not None
    desk.sitting.hold = asyncio.Event()
    driver.reveal()
    first = asyncio.create_task(driver.rate(Rating.GOOD))
    await asyncio.sleep(0)
    driver.reveal()
    await driver.rate(Rating.EASY)
    desk.sitting.fail = StorageFull("The disk is full.")
    desk.sitting.hold.set()
    await first
    assert desk.sitting.rated == []
    assert len(told) == 1
    assert driver.table is not None
    assert driver.table.sheet.question.card_id == "clip-temperature"
    assert not driver.saving
