"""What each kind of card needs: options, gaps, numbers, changed and hostile text."""

from __future__ import annotations

import pytest

from studytool.schedule.model import Rating
from studytool.tui.widgets.rate_bar import RateBar
from tests.tui import sample
from tests.tui.helpers import keys, opened, press, text, until
from tests.tui.reviewing import asked, desk_with


async def test_choice_cards_are_picked_before_and_marked_after() -> None:
    desk = desk_with(sample.CHOICE)
    async with opened(desk, start="review") as (app, pilot):
        screen = await asked(pilot, app)
        assert "☐ It trains a linear probe" in text(app)
        assert "linear probing" not in text(app)
        assert "t" not in keys(app)
        await press(pilot, "down", "x", "space")
        assert "✗ ☑ It trains a linear probe" in text(app)
        assert "that is linear probing" in text(app)
        assert "✓ ☐ It compares the picture" in text(app)
        assert screen.query_one(RateBar).suggested is Rating.AGAIN
        await press(pilot, "enter")
        await until(pilot, lambda: bool(desk.sitting and desk.sitting.rated))
        assert desk.sitting is not None
        picked = "It trains a linear probe on the labels"
        assert desk.sitting.rated == [("clip-zero-shot", Rating.AGAIN, picked, ())]


async def test_cloze_cards_show_a_gap_then_its_text() -> None:
    async with opened(desk_with(sample.CLOZE), start="review") as (app, pilot):
        await asked(pilot, app)
        assert "CLIP's loss is a […] cross entropy over cosine similarities." in text(app)
        await press(pilot, "space")
        assert "symmetric" in text(app)


@pytest.mark.parametrize(
    ("typed", "says", "rating"),
    [
        ("5.55", "✓ 5.55 nats · it is 5.545 nats", Rating.GOOD),
        ("5,6", "✗ you said 5,6 · it is 5.545 nats ± 0.05", Rating.AGAIN),
        ("", "It is 5.545 nats ± 0.05.", None),
    ],
)
async def test_compute_cards_check_the_number(typed: str, says: str, rating: Rating | None) -> None:
    async with opened(desk_with(sample.COMPUTE), start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await press(pilot, "t")
        assert type(app.focused).__name__ == "NumberBox"
        await press(pilot, *typed, "x", "enter")
        assert says in text(app)
        assert screen.query_one(RateBar).suggested is rating


async def test_a_changed_text_is_told_and_its_difference_shown_with_the_answer() -> None:
    desk = desk_with()
    diff = "--- at your last answer\n+++ now\n@@ -1 +1 @@\n-old words\n+new words\n"
    sheet = desk.make_sheet(sample.CLIP, change=diff)
    desk.make_sheet = lambda card, **more: sheet  # type: ignore[method-assign]
    async with opened(desk, size=(100, 40), start="review") as (app, pilot):
        await asked(pilot, app)
        assert "Changed since your last review" in text(app)
        assert "new words" not in text(app)
        await press(pilot, "space")
        assert "-old words" in text(app)
        assert "+new words" in text(app)
        assert "@@" not in text(app)


async def test_hostile_text_is_shown_as_text() -> None:
    async with opened(desk_with(sample.HOSTILE), size=(100, 30), start="review") as (app, pilot):
        await asked(pilot, app)
        await press(pilot, "space")
        shown = text(app)
        assert "[red]markup[/red]" in shown
        assert "[link=https://example.org]here[/link]" in shown
        assert "[@click=app.quit]click[/]" in shown
        assert "[bold]not bold[/bold]" in shown
        assert not {"\x1b", "\u202e", "\x9b", "\x07"} & set(shown)
