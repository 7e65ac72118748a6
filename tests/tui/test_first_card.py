"""The first card is on the screen before the store is open, and what is done to it isn't lost."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.pilot import Pilot

from studytool.errors import StorageCorrupt, StorageLocked
from studytool.schedule.model import Rating
from studytool.tui.app import StudyApp
from studytool.tui.ports import View
from studytool.tui.screens.home import HomeScreen
from tests.tui import sample
from tests.tui.fakes import FakeDesk
from tests.tui.helpers import on, press, text, until


def waiting_desk(*, same: bool = True) -> FakeDesk:
    """A desk whose store opens when `hold` is set; its session begins with the card shown, or not."""
    desk = FakeDesk()
    shown = desk.cards[0] if same else sample.CARDS[1]
    desk.early = View(desk.make_sheet(shown), None, 0, len(desk.cards))
    desk.hold = asyncio.Event()
    return desk


async def shown(pilot: Pilot[None], app: StudyApp, words: str = "Why does CLIP learn") -> None:
    await until(pilot, lambda: words in text(app), "the first card")
    assert not app.ready.is_set()


async def test_a_rating_waits_for_the_store() -> None:
    desk = waiting_desk()
    app = StudyApp(desk, start="review")
    async with app.run_test() as pilot:
        await shown(pilot, app)
        await press(pilot, "space", "2", "3")  # the later one holds
        assert desk.queries == []
        assert "saved" not in text(app)
        assert desk.hold is not None
        desk.hold.set()
        await until(pilot, lambda: "✓ saved" in text(app))
        assert desk.sitting is not None
        assert [rated[:2] for rated in desk.sitting.rated] == [("clip-temperature", Rating.GOOD)]


async def test_a_rating_is_never_given_to_another_card() -> None:
    desk = waiting_desk(same=False)
    app = StudyApp(desk, start="review")
    async with app.run_test() as pilot:
        await shown(pilot, app, sample.CARDS[1].question[:20])
        await press(pilot, "space", "3")
        assert desk.hold is not None
        desk.hold.set()
        await until(pilot, lambda: "Why does CLIP learn" in text(app))
        assert desk.sitting is not None
        assert desk.sitting.rated == []


async def test_leaving_waits_for_a_rating() -> None:
    for key in ("escape", "ctrl+q"):
        desk = waiting_desk()
        app = StudyApp(desk, start="review")
        async with app.run_test() as pilot:
            await shown(pilot, app)
            await press(pilot, "space", "3", key)
            assert not on(app, HomeScreen)
            assert desk.hold is not None
            desk.hold.set()
            await until(pilot, lambda: _left(app))  # noqa: B023 - called before the next round
            assert desk.sitting is not None
            assert [rated[1] for rated in desk.sitting.rated] == [Rating.GOOD]


def _left(app: StudyApp) -> bool:
    return app._exit or on(app, HomeScreen)


async def test_leaving_a_card_that_was_not_rated_waits_for_nothing() -> None:
    desk = waiting_desk()
    app = StudyApp(desk, start="review")
    async with app.run_test() as pilot:
        await shown(pilot, app)
        await press(pilot, "space", "escape")
        await until(pilot, lambda: on(app, HomeScreen))
        assert desk.hold is not None
        desk.hold.set()
        await until(pilot, app.ready.is_set)


async def test_a_store_that_does_not_open_ends_the_app_as_ever() -> None:
    desk = waiting_desk()
    desk.fault = StorageLocked("Another studytool has it.", hint="Close that one.")
    app = StudyApp(desk, start="review")
    async with app.run_test() as pilot:
        await shown(pilot, app)
        await press(pilot, "space", "3")
        assert desk.hold is not None
        desk.hold.set()
        await until(pilot, lambda: app.fault is not None)
    assert app.fault is desk.fault
    assert app.return_code == 3


async def test_a_damaged_store_found_by_the_copy_of_the_day_ends_the_app() -> None:
    desk = FakeDesk()
    desk.copy_fault = StorageCorrupt("It is damaged.", hint="Go back to the backup.")
    app = StudyApp(desk)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.fault is not None)
    assert (app.fault, app.return_code) == (desk.copy_fault, 3)


async def test_a_copy_that_found_no_room_is_told(monkeypatch: Any) -> None:
    told: list[str] = []
    monkeypatch.setattr(StudyApp, "notify", lambda self, message, **more: told.append(message))
    desk = FakeDesk()
    desk.copy_warnings = ["There is no backup of today: no room."]
    app = StudyApp(desk)
    async with app.run_test() as pilot:
        await until(pilot, app.warm.is_set)
    assert told == ["There is no backup of today: no room."]
