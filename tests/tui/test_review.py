"""The review screen: every key, before and after the reveal, and what each card kind needs."""

from __future__ import annotations

import pytest

from studytool.schedule.model import Rating
from studytool.services.types import SessionQuery
from studytool.tui.app import StudyApp
from studytool.tui.screens.confirm import ConfirmScreen
from studytool.tui.screens.demo import DemoScreen
from studytool.tui.screens.help import HelpScreen
from studytool.tui.screens.home import HomeScreen
from studytool.tui.screens.note import NoteScreen
from studytool.tui.screens.pick import PickScreen
from studytool.tui.screens.review import ReviewScreen
from studytool.tui.screens.summary import SummaryScreen
from studytool.tui.widgets.rate_bar import RateBar
from tests.tui import sample
from tests.tui.fakes import FakeDesk
from tests.tui.helpers import fits, keys, on, opened, press, text, until
from tests.tui.reviewing import asked, desk_with, revealed, ticks


async def test_the_question_hides_the_answer_until_the_reveal() -> None:
    async with opened(desk_with(), start="review") as (app, pilot):
        screen = await asked(pilot, app)
        assert "Why does CLIP learn its temperature" in text(app)
        assert "nobody knows it" not in text(app)
        assert not screen.query_one(RateBar).choices
        await press(pilot, "space")
        assert "nobody knows it in advance" in text(app)
        assert "1 again <10m   2 hard 2d   3 good 6d   4 easy 14d" in text(app)


@pytest.mark.parametrize("key", ["1", "2", "3", "4"])
async def test_ratings_work_only_after_the_reveal(key: str) -> None:
    desk = desk_with()
    async with opened(desk, start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await press(pilot, key)
        assert desk.sitting is not None
        assert desk.sitting.rated == []
        await press(pilot, "enter")
        assert revealed(screen)
        await press(pilot, key)
        await until(pilot, lambda: "✓ saved" in text(app))
        assert [each[:2] for each in desk.sitting.rated] == [("clip-temperature", Rating(int(key)))]
        assert "Does CLIP need a large batch?" in text(app)
        assert "2 / 5" in text(app)


@pytest.mark.parametrize("key", ["z", "5", "0", "m", "f", "g", "ctrl+y"])
async def test_wrong_keys_do_nothing_before_the_reveal(key: str) -> None:
    async with opened(desk_with(), start="review") as (app, pilot):
        await asked(pilot, app)
        before = text(app)
        await press(pilot, key)
        assert text(app) == before


@pytest.mark.parametrize("key", ["z", "5", "0", "t", "enter"])
async def test_wrong_keys_do_nothing_after_the_reveal(key: str) -> None:
    async with opened(desk_with(), start="review") as (app, pilot):
        await asked(pilot, app)
        await press(pilot, "space")
        before = text(app)
        await press(pilot, key)
        assert text(app) == before


async def test_the_key_bar_tells_only_what_works() -> None:
    async with opened(desk_with(), start="review") as (app, pilot):
        await asked(pilot, app)
        assert {"space", "t", "d", "u"} <= keys(app)
        assert not {"tab", "m", "f"} & keys(app)
        await press(pilot, "space")
        assert {"tab", "m", "f", "d"} <= keys(app)
        assert not {"space", "t"} & keys(app)


async def test_typing_keeps_a_draft_that_survives() -> None:
    desk = desk_with()
    async with opened(desk, start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await press(pilot, "t")
        assert type(app.focused).__name__ == "AnswerBox"
        await press(pilot, *"log", "enter", *"sp", "?")
        assert on(app, ReviewScreen)
        await until(pilot, lambda: desk.drafts.get("clip-temperature") == "log\nsp?")
        await press(pilot, "escape")
        assert app.focused is None
        assert "log\nsp?" in "\n".join(line.strip() for line in text(app).splitlines())
        assert not revealed(screen)
        await press(pilot, "escape")
        assert on(app, HomeScreen)
    async with opened(desk, start="review") as (app, pilot):
        await asked(pilot, app)
        assert "sp?" in text(app)
        await press(pilot, "t", "!", "ctrl+r")
        assert "you said" in text(app)
        assert "sp?!" in text(app)
        await press(pilot, "3")
        await until(pilot, lambda: bool(desk.sitting and desk.sitting.rated))
        assert desk.sitting is not None
        assert desk.sitting.rated[0][2] == "log\nsp?!"
        assert desk.drafts == {}


async def test_points_are_ticked_and_suggest_a_rating() -> None:
    desk = desk_with()
    async with opened(desk, size=(100, 40), start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await press(pilot, "space", "tab", "x")
        points = ticks(screen)
        assert points.ticked == {0}
        assert screen.query_one(RateBar).suggested is Rating.HARD
        await press(pilot, "down", "x")
        assert screen.query_one(RateBar).suggested is Rating.GOOD
        assert "▸3 good" in text(app)
        await press(pilot, "down", "down", "up", "x", "x", "tab")
        assert points.ticked == {0, 1}
        assert app.focused is None
        await press(pilot, "enter")
        await until(pilot, lambda: bool(desk.sitting and desk.sitting.rated))
        assert desk.sitting is not None
        assert desk.sitting.rated == [("clip-temperature", Rating.GOOD, "", (0, 1))]


async def test_a_click_ticks_and_a_click_rates() -> None:
    desk = desk_with()
    async with opened(desk, size=(100, 40), start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await press(pilot, "space")
        row = next(y for y, line in enumerate(text(app).splitlines()) if "Clipped so" in line)
        await pilot.click(offset=(5, row))
        await pilot.pause()
        assert ticks(screen).ticked == {1}
        at = str(screen.query_one(RateBar).render()).index("easy")
        await pilot.click(RateBar, offset=(at + 1, 0))
        await until(pilot, lambda: bool(desk.sitting and desk.sitting.rated))
        assert desk.sitting is not None
        assert desk.sitting.rated[0][1] is Rating.EASY


async def test_undo_brings_the_card_back() -> None:
    desk = desk_with()
    async with opened(desk, start="review") as (app, pilot):
        await asked(pilot, app)
        await press(pilot, "u")
        await until(pilot, lambda: "nothing to undo" in text(app))
        await press(pilot, "space", "2")
        await until(pilot, lambda: "✓ saved" in text(app))
        await press(pilot, "u")
        await until(pilot, lambda: "undone: hard" in text(app))
        assert "Why does CLIP learn its temperature" in text(app)
        assert "1 / 5" in text(app)
        assert desk.sitting is not None
        assert desk.sitting.rated == []


@pytest.mark.parametrize(("key", "call"), [("s", "suspend"), ("b", "bury")])
async def test_suspend_and_bury_take_the_card_away(key: str, call: str) -> None:
    desk = desk_with()
    async with opened(desk, start="review") as (app, pilot):
        await asked(pilot, app)
        await press(pilot, key)
        await until(pilot, lambda: "Does CLIP need a large batch?" in text(app))
        assert desk.sitting is not None
        assert desk.sitting.calls == [(call, "clip-temperature")]


async def test_flag_toggles() -> None:
    desk = desk_with()
    async with opened(desk, start="review") as (app, pilot):
        await asked(pilot, app)
        await press(pilot, "exclamation_mark")
        await until(pilot, lambda: "⚑ CLIP" in text(app))
        await press(pilot, "exclamation_mark")
        await until(pilot, lambda: "⚑" not in text(app))
        assert desk.sitting is not None
        assert desk.sitting.calls == [("flag", 1), ("flag", 0)]


async def test_a_note_is_kept_and_shown_and_can_be_left() -> None:
    desk = desk_with()
    async with opened(desk, size=(100, 45), start="review") as (app, pilot):
        await asked(pilot, app)
        await press(pilot, "space", "n", *"my", "ctrl+s")
        await until(pilot, lambda: "Your note  my" in text(app))
        await press(pilot, "n")
        assert on(app, NoteScreen)
        await press(pilot, *"xx", "escape")
        assert "Your note  my" in text(app)
        assert desk.sitting is not None
        assert desk.sitting.calls == [("note", "my")]


async def test_reset_asks_first() -> None:
    desk = desk_with()
    async with opened(desk, start="review") as (app, pilot):
        await asked(pilot, app)
        await press(pilot, "r")
        assert on(app, ConfirmScreen)
        await press(pilot, "n")
        assert desk.sitting is not None
        assert desk.sitting.calls == []
        await press(pilot, "r", "y")
        await until(pilot, lambda: "reset" in text(app))
        assert desk.sitting.calls == [("reset", "clip-temperature")]


async def test_a_follow_up_comes_now_and_the_card_waits_as_it_is() -> None:
    desk = desk_with()
    async with opened(desk, size=(100, 40), start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await press(pilot, "space", "tab", "x", "tab", "f")
        await until(pilot, lambda: "Does CLIP need a large batch?" in text(app))
        assert not revealed(screen)
        await press(pilot, "space", "3")
        await until(pilot, lambda: "Why does CLIP learn its temperature" in text(app))
        assert revealed(screen)
        assert ticks(screen).ticked == {0}


async def test_several_follow_ups_are_asked_for() -> None:
    import msgspec

    from studytool.deck.model import CardId

    two = (CardId("clip-batch-size"), CardId("clip-zero-shot"))
    card = msgspec.structs.replace(sample.CLIP, follow_ups=two)
    desk = desk_with(card)
    async with opened(desk, size=(100, 40), start="review") as (app, pilot):
        await asked(pilot, app)
        await press(pilot, "space", "f")
        assert on(app, PickScreen)
        await press(pilot, "escape", "f", "down", "enter")
        await until(pilot, lambda: bool(desk.sitting and desk.sitting.calls))
        assert desk.sitting is not None
        assert desk.sitting.calls == [("insert", "clip-zero-shot")]


async def test_more_opens_what_is_folded() -> None:
    async with opened(desk_with(), size=(100, 50), start="review") as (app, pilot):
        await asked(pilot, app)
        await press(pilot, "space")
        assert "difference of two mean similarities" not in text(app)
        await press(pilot, "m")
        assert "difference of two mean similarities" in text(app)
        assert "Follow-ups" in text(app)
        assert "m" not in keys(app)


async def test_the_demo_runs_with_the_cards_parameters_and_the_card_waits() -> None:
    desk = desk_with()
    async with opened(desk, size=(100, 40), start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await press(pilot, "t", *"abc", "ctrl+r", "tab", "x", "d")
        assert on(app, DemoScreen)
        await until(pilot, lambda: bool(desk.started))
        assert desk.started == [("clip", {"seed": 0, "steps": 200})]
        await until(pilot, lambda: "✓ done" in text(app), "the run has ended")
        await press(pilot, "b")
        await until(pilot, lambda: app.screen is screen)
        assert screen.table is not None
        assert (screen.table.revealed, screen.table.typed) == (True, "abc")
        assert ticks(screen).ticked == {0}


async def test_a_card_without_a_demo_offers_none() -> None:
    async with opened(desk_with(sample.BATCH), start="review") as (app, pilot):
        await asked(pilot, app)
        assert "d" not in keys(app)
        await press(pilot, "d")
        assert on(app, ReviewScreen)


async def test_edit_opens_the_file_at_the_line_and_reads_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened_at: list[tuple[str, int]] = []

    def fake_edit(app: StudyApp, path: str, line: int) -> bool:
        del app
        opened_at.append((path, line))
        return True

    monkeypatch.setattr("studytool.tui.editor.edit", fake_edit)
    desk = desk_with()
    async with opened(desk, start="review") as (app, pilot):
        await asked(pilot, app)
        await press(pilot, "e")
        await until(pilot, lambda: "deck read again" in text(app))
        assert opened_at == [("/decks/mine/clip.md", 11)]
        assert desk.sitting is not None
        assert desk.sitting.calls == [("refresh",)]


async def test_help_closes_with_its_own_key() -> None:
    async with opened(desk_with(), start="review") as (app, pilot):
        await asked(pilot, app)
        await press(pilot, "question_mark")
        assert on(app, HelpScreen)
        assert "take the last answer back" in text(app)
        assert "(not now)" in text(app)
        await press(pilot, "question_mark")
        assert on(app, ReviewScreen)


async def test_scrolling_keys_move_a_long_answer() -> None:
    async with opened(desk_with(), start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await press(pilot, "space", "m")
        sheet = screen.query_one("#sheet")
        places = []
        for key in ("down", "j", "pagedown", "space", "up", "k", "pageup"):
            await press(pilot, key)
            places.append(sheet.scroll_offset.y)
        assert places[0] == 1
        assert places[1] == 2
        assert places[3] >= places[2] > 2
        assert places[4] == places[3] - 1
        assert places[6] < places[5]


async def test_the_clock_runs_only_while_the_card_is_in_view() -> None:
    from datetime import timedelta

    desk = desk_with()
    async with opened(desk, start="review") as (app, pilot):
        screen = await asked(pilot, app)
        desk.clock.advance(timedelta(seconds=41))
        screen._tick()
        await pilot.pause()
        assert "0:41" in text(app)
        await press(pilot, "question_mark")
        desk.clock.advance(timedelta(seconds=600))
        await press(pilot, "escape")
        assert screen.table is not None
        assert screen.table.seconds(desk.clock.monotonic()) == pytest.approx(41)


async def test_the_end_is_a_summary_with_a_next_step() -> None:
    desk = desk_with(sample.BATCH)
    async with opened(desk, start="review") as (app, pilot):
        await asked(pilot, app)
        await press(pilot, "space", "1")
        await until(pilot, lambda: on(app, SummaryScreen))
        shown = text(app)
        assert "1 answer · 1:35" in shown
        assert "clip-batch-size" in shown
        assert "Still there: 2 due, 3 new." in shown
        assert "Tomorrow: 14 cards." in shown
        assert {"enter", "l", "esc"} <= keys(app)
        await press(pilot, "enter")
        await until(pilot, lambda: len(desk.queries) == 2)
        assert on(app, ReviewScreen)
        assert len(app.screen_stack) == 2


async def test_nothing_due_says_so() -> None:
    async with opened(FakeDesk(cards=()), start="review") as (app, pilot):
        await until(pilot, lambda: "Nothing is due here." in text(app))
        await press(pilot, "space", "3", "d", "e")
        assert on(app, ReviewScreen)
        await press(pilot, "escape")
        assert on(app, HomeScreen)


async def test_a_query_of_one_card_comes_back_after_it() -> None:
    desk = desk_with()
    query = SessionQuery(cards=("clip-batch-size",))
    async with opened(desk, start="review", query=query) as (app, pilot):
        await asked(pilot, app)
        await press(pilot, "space", "3")
        await until(pilot, lambda: on(app, SummaryScreen))
        await press(pilot, "enter")
        assert on(app, HomeScreen)


@pytest.mark.parametrize("size", [(40, 14), (80, 24), (120, 40), (200, 50)])
async def test_a_resize_keeps_everything(size: tuple[int, int]) -> None:
    async with opened(desk_with(), size=(100, 30), start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await press(pilot, "t", *"abc", "escape", "space", "tab", "x")
        await pilot.resize_terminal(*size)
        await until(pilot, lambda: app.size == size)
        assert screen.table is not None
        assert (screen.table.typed, screen.table.ticked) == ("abc", {0})
        assert ticks(screen).ticked == {0}
        assert "Why does CLIP learn" in text(app) or size[1] < 20
        await until(pilot, lambda: fits(app, size[0]))
