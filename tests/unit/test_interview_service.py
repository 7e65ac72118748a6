"""An interview over the real store: saved after every step, resumed as it stood, reported once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from studytool.clock import FixedClock
from studytool.deck.model import DemoId
from studytool.errors import StorageError, UsageError
from studytool.interview.model import Grade, Phase, Setup, Style
from studytool.paths import Paths
from studytool.schedule.model import Rating, Review
from studytool.services import decks, interviews
from studytool.services.context import App
from studytool.services.interview import Interview, View
from studytool.services.overview import overview
from tests.unit.interview_kit import WordJudge, ask_card, deck
from tests.unit.study_deck import study, write

SETUP = Setup(minutes=10, level=Grade.MEDIUM, seed=7)


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock, paths: Paths) -> Iterator[App]:
    with study(write(tmp_path / "deck", *deck(2)), clock, paths) as opened:
        yield opened


def begin(app: App, setup: Setup = SETUP) -> Interview:
    return Interview.begin(app, setup, WordJudge())


def whole(view: View) -> str:
    return f"alpha-{view.card} and beta-{view.card}"


def answer(held: Interview, text: str = "", sure: int | None = 4) -> View:
    """Answer the question on the table wholly, or with `text`, its probes too."""
    view = held.view()
    number = view.number
    while view.phase is not Phase.OVER and view.number == number:
        held.answer(text or whole(view))
        if held.view().phase is Phase.SURE:
            held.sure(sure)
        held.judge()
        view = held.view()
    return view


def test_an_interview_from_the_first_question_to_the_report(app: App, clock: FixedClock) -> None:
    held = begin(app)
    view = held.view()
    assert (view.number, view.total, view.phase) == (1, 5, Phase.ASKING)
    assert view.lines[0].text.startswith("Thanks for coming. We have 10 minutes.")
    while held.view().phase is not Phase.OVER:
        clock.advance(timedelta(seconds=30))
        answer(held)
    assert held.report is not None
    assert held.report.score == 1.0
    assert [line.first_seconds for line in held.report.answers] == [30.0] * 5
    assert interviews.find(app).report == held.report
    assert interviews.waiting(app) is None


def test_the_same_seed_and_history_ask_the_same(app: App) -> None:
    first = [begin(app).state.plan for _ in range(2)]
    other = begin(app, Setup(minutes=10, level=Grade.MEDIUM, seed=8)).state.plan
    assert first[0] == first[1]
    assert other != first[0]


def test_the_next_interview_asks_other_cards(app: App) -> None:
    held = begin(app)
    while held.view().phase is not Phase.OVER:
        answer(held)
    assert held.report is not None
    asked = {line.card for line in held.report.answers}
    again = begin(app)
    while again.view().phase is not Phase.OVER:
        answer(again)
    assert again.report is not None
    assert not asked & {line.card for line in again.report.answers}
    assert [past.score for past in again.report.earlier] == [1.0]


def test_a_kill_resumes_at_the_same_question_with_the_clock_as_it_stood(
    app: App, clock: FixedClock
) -> None:
    held = begin(app)
    answer(held, "nothing")
    clock.advance(timedelta(seconds=40))
    held.draft("half an ans")
    before = held.view()
    clock.advance(timedelta(hours=3))  # the machine was off
    del held

    again = Interview.resume(app, WordJudge())
    assert again.view() == before
    clock.advance(timedelta(seconds=2))
    assert again.view().seconds == before.seconds + 2


@pytest.mark.parametrize("sure", [None, 3])
def test_every_step_is_on_disk_before_the_next(app: App, sure: int | None) -> None:
    held = begin(app)

    def same() -> None:
        assert Interview.resume(app, WordJudge()).view() == held.view()

    same()
    held.hint()
    same()
    held.answer("nothing")
    held.draft("a keystroke that came too late")
    same()
    held.sure(sure)
    same()
    held.judge()
    assert held.view().probe == 1
    same()
    held.unknown()
    same()
    held.skip()
    assert held.view().number == 2
    same()


def test_a_kill_while_the_grader_works_grades_again(app: App) -> None:
    held = begin(app)
    held.answer(whole(held.view()))
    held.sure(5)
    again = Interview.resume(app, WordJudge())
    assert again.view().phase is Phase.JUDGING
    again.judge()
    assert again.view().number == 2


def test_pause_stops_the_clock_and_resume_runs_it(app: App, clock: FixedClock) -> None:
    held = begin(app)
    held.pause()
    clock.advance(timedelta(minutes=5))
    assert held.view().seconds == 0
    with pytest.raises(UsageError, match="paused"):
        held.answer("no")
    again = Interview.resume(app, WordJudge())
    clock.advance(timedelta(seconds=3))
    assert again.view().seconds == 3


def test_a_new_interview_ends_the_one_that_waits_and_keeps_its_report(app: App) -> None:
    held = begin(app)
    answer(held)
    assert interviews.waiting(app) == interviews.Waiting(held.id, 2, 5)
    assert overview(app).interview is not None
    other = begin(app)
    assert interviews.find(app, held.id).report.score == 1.0
    assert interviews.waiting(app) == interviews.Waiting(other.id, 1, 5)


def test_home_knows_the_last_interview(app: App, clock: FixedClock) -> None:
    assert overview(app).interview is None
    held = begin(app)
    waits = overview(app).interview
    assert waits is not None
    assert (waits.waiting, waits.total) == (1, 5)
    answer(held)
    held.finish()
    clock.advance(timedelta(days=4))
    seen = overview(app).interview
    assert seen is not None
    assert (seen.waiting, seen.score) == (0, 1.0)
    assert seen.day is not None
    assert (app.today - seen.day).days == 4


def test_missed_cards_are_queued_only_when_asked_for_and_once(app: App) -> None:
    held = begin(app)
    card = held.view().card
    answer(held, "nothing")
    held.finish()
    assert held.report is not None
    assert held.report.missed == (card,)
    assert not [event for event in app.store.events() if isinstance(event.body, Review)]

    assert interviews.queue_missed(app, held.id) == (card,)
    (review,) = [event.body for event in app.store.events() if isinstance(event.body, Review)]
    assert (review.card, review.rating) == (card, Rating.AGAIN)
    assert card in {row.card_id for row in app.store.due(app.deck_name, app.moment)}
    assert interviews.queue_missed(app, held.id) == ()
    assert interviews.find(app, held.id).report.queued == (card,)
    assert app.store.undo() is not None


def test_a_card_that_leaves_the_deck(app: App) -> None:
    held = begin(app)
    first = held.view().card
    rest = [card for card in deck(2) if str(card.id) == first]
    answer_later = held.state.plan.pool
    write(app.deck_folder, *rest)
    decks.sync(app)
    answer(held, "nothing")
    assert held.view().phase is Phase.OVER, "nothing else is there to ask"
    assert len(answer_later) > 1
    assert held.report is not None
    write(app.deck_folder, ask_card("only"))
    decks.sync(app)
    assert interviews.queue_missed(app, held.id) == ()


def test_what_is_typed_is_cleaned(app: App) -> None:
    held = begin(app)
    card = held.view().card
    held.draft("a\x1b[31mb\u202e")
    assert held.view().draft == "ab"
    held.answer(f"\x1b]52;c;x\x07alpha-{card} beta-{card}\x00")
    assert held.view().lines[-2].text == f"alpha-{card} beta-{card}"


def test_bad_questions_of_the_user(app: App) -> None:
    with pytest.raises(UsageError, match="statik"):
        begin(app, Setup(chapters=("statik",)))
    with pytest.raises(UsageError, match="no interview to go on"):
        Interview.resume(app, WordJudge())
    with pytest.raises(UsageError, match="No interview"):
        interviews.find(app)
    with pytest.raises(UsageError, match="interview 99"):
        interviews.find(app, 99)
    held = begin(app)
    with pytest.raises(UsageError, match="empty"):
        held.answer("\x1b[31m \n")
    with pytest.raises(UsageError, match="asking"):
        held.sure(3)


def test_a_stored_state_that_cant_be_read_is_told(app: App) -> None:
    held = begin(app)
    app.store.interviews.save_state(held.id, '{"no": "state"}')
    with pytest.raises(StorageError, match="can't be read"):
        Interview.resume(app, WordJudge())


def test_reports_are_written_in_each_form(app: App) -> None:
    held = begin(app, Setup(minutes=10, style=Style.RAPID_FIRE, seed=1))
    answer(held, "nothing")
    held.finish()
    one = interviews.find(app, held.id)
    for form in interviews.FORMATS:
        file = interviews.save(app, one, form)
        assert file.parent == app.paths.data / "reports"
        assert file.read_text(encoding="utf-8") == interviews.written(app, one, form)


def test_show_me_is_remembered(tmp_path: Path, clock: FixedClock, paths: Paths) -> None:
    card = ask_card("a", demo=DemoId("clip"), no_demo=None, params={"seed": 3})
    with study(write(tmp_path / "deck", card), clock, paths) as app:
        held = begin(app)
        assert (held.view().demo, held.view().params) == ("clip", {"seed": 3})
        held.showed()
        assert held.state.turn is not None
        assert held.state.turn.shown
