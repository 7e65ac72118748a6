"""What the tests of the review screen share."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from studytool.demo.events import Done
from studytool.demo.spec import DemoInfo, Params
from studytool.tui.app import StudyApp
from studytool.tui.parts import Ticks
from studytool.tui.screens.review import ReviewScreen
from studytool.tui.widgets.card_sheet import CardSheet
from tests.tui import sample
from tests.tui.fakes import FakeDemo, FakeDesk
from tests.tui.helpers import until

CLIP_DEMO = DemoInfo("clip", "CLIP from scratch on emoji", "multimodal", "s", "p", 60.0, "m")


def desk_with(*cards: Any, **more: Any) -> FakeDesk:
    return FakeDesk(
        cards=cards or sample.CARDS, demos=[FakeDemo(CLIP_DEMO, Params, [Done()])], **more
    )


async def asked(pilot: Pilot[Any], app: StudyApp) -> ReviewScreen:
    """The review screen with its first card on the table."""
    screen = app.screen
    assert isinstance(screen, ReviewScreen)
    await until(pilot, lambda: screen.table is not None, "a card on the table")
    return screen


def revealed(screen: ReviewScreen) -> bool:
    """Whether the answer of the card on the table is shown."""
    assert screen.table is not None
    return screen.table.revealed


def ticks(screen: ReviewScreen, name: str = "points") -> Ticks:
    """The key points or the options as they are drawn."""
    part = screen.query_one(CardSheet).part(name)
    assert isinstance(part, Ticks)
    return part
