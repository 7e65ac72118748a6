"""A typed answer in review: graded at once, then better; ticks by hand stand; what is stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from studytool.clock import FixedClock
from studytool.grading import encoder
from studytool.grading.model import Graded, Verdict, Voiced
from studytool.paths import Paths
from studytool.schedule.model import Override, Rating, Review
from studytool.services.context import open_app
from studytool.tui.app import StudyApp
from studytool.tui.desk import StoreDesk
from studytool.tui.screens.review import ReviewScreen
from studytool.tui.widgets.answer_box import AnswerBox
from studytool.tui.widgets.card_sheet import CardSheet
from studytool.tui.widgets.rate_bar import RateBar
from tests.tui import sample
from tests.tui.fakes import FakeDesk
from tests.tui.helpers import fits, keys, opened, press, text, until
from tests.tui.reviewing import asked, desk_with, revealed, ticks
from tests.unit.study_deck import card, cloze, study, write

COVERED = (Verdict.COVERED, "it is learned in log space")
WRONG = (Verdict.CONTRADICTED, "it is a fixed constant of 0.07")
UNSURE = (Verdict.UNSURE, "clipping may help")
SIZE = (100, 50)


def verdict(*found: tuple[Verdict, str], grader: str = "lexical") -> Graded:
    return sample.graded(sample.CLIP, *found, grader=grader)


def desk_saying(words: Graded, meaning: Graded | None = None) -> FakeDesk:
    desk = desk_with(sample.CLIP, sample.BATCH)
    desk.grading.words, desk.grading.meaning = words, meaning
    return desk


async def answered(pilot: Pilot[Any], screen: ReviewScreen, words: str = "my answer") -> None:
    """Type an answer and reveal."""
    await press(pilot, "t")
    screen.query_one(AnswerBox).text = words
    await pilot.pause()
    await press(pilot, "ctrl+r")
    await until(pilot, judged(screen), "a verdict")


def judged(screen: ReviewScreen) -> Callable[[], bool]:
    return lambda: screen.table is not None and screen.table.graded is not None


def suggested(screen: ReviewScreen) -> tuple[Rating | None, str]:
    bar = screen.query_one(RateBar)
    return bar.suggested, bar.reason


async def test_every_verdict_has_its_sign_its_word_and_its_evidence() -> None:
    desk = desk_saying(verdict(COVERED, UNSURE))
    async with opened(desk, size=SIZE, start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await answered(pilot, screen)
        shown = text(app)
        assert "☑ Learned in log space" in shown
        assert "covered: “it is learned in log space”" in shown
        assert "? Clipped so that logits" in shown
        assert "unsure, judge yourself: “clipping may help”" in shown
        assert "☐ Cosine similarities alone" in shown
        assert "1 covered · 1 missed · 1 unsure" in shown
        assert "judged by lexical" in shown
        assert ticks(screen).ticked == {0}
        assert desk.grading.asked[0] == ("clip-temperature", "my answer")


async def test_a_contradiction_is_named_with_its_why_and_suggests_again() -> None:
    async with opened(desk_saying(verdict(WRONG)), size=SIZE, start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await answered(pilot, screen)
        shown = text(app)
        assert "☒ Learned in log space" in shown
        assert "contradicted: “it is a fixed constant of 0.07”" in shown
        assert "that is “The temperature is a fixed constant of 0.07.” — the scale is" in shown
        assert suggested(screen) == (Rating.AGAIN, "contradicts a point")
        assert "▸1 again" in shown


async def test_a_misconception_of_the_card_is_named() -> None:
    wrong = sample.CLIP.misconceptions[0]
    said = Voiced(wrong.text, wrong.why, "a higher one sharpens")
    found = verdict(COVERED, COVERED, COVERED)
    graded = Graded(score=1.0, rating=Rating.AGAIN, points=found.points, voiced=(said,))
    async with opened(desk_saying(graded), size=SIZE, start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await answered(pilot, screen)
        assert "Misconception voiced" in text(app)
        assert "“a higher one sharpens” that is “A higher temperature" in text(app)
        assert suggested(screen)[1] == "voices a misconception"


async def test_enter_takes_the_suggested_rating_and_the_footer_says_so() -> None:
    desk = desk_saying(verdict(COVERED))
    async with opened(desk, start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await answered(pilot, screen)
        assert suggested(screen) == (Rating.HARD, "2 of 4 by weight")
        assert "enter accept ▸" in text(app).splitlines()[-1]
        await press(pilot, "enter")
        await until(pilot, lambda: bool(desk.sitting and desk.sitting.rated))
        assert desk.sitting is not None
        assert desk.sitting.rated == [("clip-temperature", Rating.HARD, "my answer", (0,))]
        assert desk.sitting.suggested == [Rating.HARD]
        assert desk.sitting.corrections == []
        await until(pilot, lambda: "space" in keys(app), "the next question")


async def test_a_rating_key_overrides_what_is_suggested() -> None:
    desk = desk_saying(verdict(COVERED))
    async with opened(desk, start="review") as (app, pilot):
        await answered(pilot, await asked(pilot, app))
        await press(pilot, "4")
        await until(pilot, lambda: bool(desk.sitting and desk.sitting.rated))
        assert desk.sitting is not None
        assert desk.sitting.rated[0][1] is Rating.EASY
        assert desk.sitting.suggested == [Rating.HARD]


async def test_a_tick_by_hand_is_a_correction_and_changes_the_suggestion() -> None:
    desk = desk_saying(verdict(COVERED, UNSURE))
    async with opened(desk, size=SIZE, start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await answered(pilot, screen)
        await press(pilot, "tab", "down", "x", "down", "x")
        assert suggested(screen) == (Rating.EASY, "4 of 4 by weight")
        await press(pilot, "up", "up", "x", "x")
        await press(pilot, "enter")
        await until(pilot, lambda: bool(desk.sitting and desk.sitting.rated))
        assert desk.sitting is not None
        assert desk.sitting.rated[0][3] == (0, 1, 2)
        assert desk.sitting.corrections == [
            Override(card="clip-temperature", point=1, graded="unsure", chosen="covered"),
            Override(card="clip-temperature", point=2, graded="missed", chosen="covered"),
        ]


async def test_the_better_verdict_leaves_cursor_scroll_and_ticks_by_hand() -> None:
    better = verdict(COVERED, WRONG, COVERED, grader="minilm-int8")
    desk = desk_saying(verdict((Verdict.MISSED, "")), better)
    async with opened(desk, size=(80, 24), start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await answered(pilot, screen)
        await press(pilot, "tab", "x", "x", "down", "down")
        sheet = screen.query_one(CardSheet)

        def cursor_row() -> int:
            found = next(n for n, line in enumerate(text(app).splitlines()) if "Cosine si" in line)
            return found

        row = cursor_row()
        assert ticks(screen).ticked == set()
        desk.grading.loaded.set()
        await until(pilot, lambda: "minilm-int8" in str(ticks(screen).aside))
        assert ticks(screen).cursor == 2
        assert cursor_row() == row
        assert ticks(screen).ticked == {2}, "the first point was unticked by hand"
        assert sheet.active is not None
        assert suggested(screen)[0] is Rating.AGAIN


async def test_what_is_read_below_the_points_stays_when_they_grow() -> None:
    better = verdict(COVERED, WRONG, COVERED, grader="minilm-int8")
    desk = desk_saying(verdict((Verdict.MISSED, "")), better)
    async with opened(desk, size=(80, 24), start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await answered(pilot, screen)
        sheet = screen.query_one(CardSheet)
        sheet.scroll_end(animate=False)
        await pilot.pause()
        last = text(app).splitlines()[-4:-2]
        desk.grading.loaded.set()
        await until(pilot, lambda: "minilm-int8" in str(ticks(screen).aside))
        assert text(app).splitlines()[-4:-2] == last


async def test_without_an_encoder_one_line_says_what_to_install() -> None:
    desk = desk_saying(verdict(COVERED))
    desk.grading.why = (
        "judged by words alone: numpy not installed; pip install 'studytool[grading]'"
    )
    async with opened(desk, size=SIZE, start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await answered(pilot, screen)
        await until(pilot, lambda: "pip install 'studytool[grading]'" in text(app))
        assert ticks(screen).ticked == {0}
        assert suggested(screen)[0] is Rating.HARD


async def test_an_empty_answer_is_not_graded() -> None:
    desk = desk_saying(verdict(COVERED))
    async with opened(desk, start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await press(pilot, "t", "space", "enter", "ctrl+r")
        assert revealed(screen)
        assert desk.grading.asked == []
        assert suggested(screen) == (None, "")
        await press(pilot, "3")
        await until(pilot, lambda: bool(desk.sitting and desk.sitting.rated))


async def test_a_verdict_that_comes_after_the_rating_harms_nothing() -> None:
    better = verdict(COVERED, COVERED, COVERED, grader="minilm-int8")
    desk = desk_saying(verdict(COVERED), better)
    async with opened(desk, start="review") as (app, pilot):
        screen = await asked(pilot, app)
        await answered(pilot, screen)
        await press(pilot, "3")
        await until(pilot, lambda: "Does CLIP need a large batch?" in text(app))
        desk.grading.loaded.set()
        await pilot.pause()
        assert screen.table is not None
        assert screen.table.graded is None
        assert not revealed(screen)


# The real grader -------------------------------------------------------------------------------


@pytest.fixture
def no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graded by words alone, whatever is installed."""
    monkeypatch.setattr(encoder, "load_encoder", lambda *_: encoder.Unavailable("not installed"))


BAD = {
    "50 kB": "the gradient of the loss is not the loss of the gradient " * 900,
    "controls": "\x1b[31m\x00\x07\u202eevil\x9b2J answer",
    "Chinese": "温度是训练出来的参数，不是固定的常数。",
    "Russian": "температура обучается вместе с весами",
    "code": "logits = x @ y.T * t.exp()\nloss = ce(logits)",
    "markup": "[red]x[/red] [@click=app.quit]y[/] **z** `q` {claim:a/b} [^n]",
}


@pytest.mark.parametrize("words", BAD.values(), ids=BAD)
async def test_bad_answers(
    words: str, tmp_path: Path, paths: Paths, clock: FixedClock, no_encoder: None
) -> None:
    folder = write(tmp_path / "deck", card("a"))
    with study(folder, clock, paths) as profile:
        profile.close()
        app = StudyApp(StoreDesk(profile), start="review")
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "What is a?" in text(app))
            screen = await asked(pilot, app)
            await answered(pilot, screen, words)
            await until(pilot, lambda: "words alone" in str(ticks(screen).aside))
            assert fits(app, 80)
            assert not {"\x1b", "\x00", "\u202e", "\x9b", "\x07"} & set(text(app))
            assert suggested(screen)[0] in (Rating.AGAIN, None)
            await press(pilot, "1")
            await until(pilot, lambda: "1 answer" in text(app) or "✓ saved" in text(app))
    with open_app(folder, clock, paths) as again:
        (review,) = [e.body for e in again.store.events() if isinstance(e.body, Review)]
    assert not {"\x1b", "\x00", "\u202e", "\x9b", "\x07"} & set(review.typed)
    assert review.suggested in (Rating.AGAIN, None)


async def test_a_correction_is_stored_with_the_answer_and_undone_with_it(
    tmp_path: Path, paths: Paths, clock: FixedClock, no_encoder: None
) -> None:
    folder = write(tmp_path / "deck", card("a"), card("b"))
    with study(folder, clock, paths) as profile:
        profile.close()
        desk = StoreDesk(profile)
        app = StudyApp(desk, start="review")
        async with app.run_test(size=(100, 40)) as pilot:
            await until(pilot, lambda: "What is a?" in text(app))
            screen = await asked(pilot, app)
            await answered(pilot, screen, "something else entirely is the case here")
            await press(pilot, "tab", "x", "3")
            await until(pilot, lambda: "✓ saved" in text(app))
            shifts = desk.grading.service()._calibration.shifts
            assert shifts[1] > 0, "covered is easier to earn from here on"
            await press(pilot, "u")
            await until(pilot, lambda: "undone: good" in text(app))
            await until(pilot, lambda: not any(desk.grading.service()._calibration.shifts))
    with open_app(folder, clock, paths) as again:
        bodies = [event.body for event in again.store.events(kinds=("override",))]
    assert bodies == [Override(card="a", point=0, graded="missed", chosen="covered")]


async def test_a_cloze_is_checked_by_its_hidden_words(
    tmp_path: Path, paths: Paths, clock: FixedClock, no_encoder: None
) -> None:
    folder = write(tmp_path / "deck", cloze("gaps", 2))
    with study(folder, clock, paths) as profile:
        profile.close()
        app = StudyApp(StoreDesk(profile), start="review")
        async with app.run_test(size=(80, 30)) as pilot:
            await until(pilot, lambda: "gaps has […]" in text(app))
            screen = await asked(pilot, app)
            await answered(pilot, screen, "part 1")
            assert "Your answer" in text(app)
            assert "✓ part 1  covered" in text(app)
            assert suggested(screen)[0] is Rating.EASY


async def test_review_and_interview_share_one_grader(
    tmp_path: Path, paths: Paths, clock: FixedClock, no_encoder: None
) -> None:
    with study(write(tmp_path / "deck", card("a")), clock, paths) as profile:
        profile.close()
        desk = StoreDesk(profile)
        service = await desk.worker.run(desk.grading.service)
        assert await desk.worker.run(desk.interviews._judge) is service
        await desk.close()
