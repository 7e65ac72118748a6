"""Sessions over the real store: what is asked, what an answer does, what undo takes back."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from studytool.clock import FixedClock
from studytool.deck.model import Card
from studytool.errors import UsageError
from studytool.paths import Paths
from studytool.schedule.model import (
    Bury,
    CardState,
    Phase,
    PolicySet,
    Rating,
    Review,
    Suspend,
    Undo,
)
from studytool.schedule.projection import replay
from studytool.services import decks
from studytool.services.context import App
from studytool.services.study import Session
from studytool.services.types import Rated, SessionQuery, Summary
from tests.unit.study_deck import CHAPTERS, card, cloze, study, write

AGAIN, HARD, GOOD, EASY = Rating

Opener = Callable[..., App]


@pytest.fixture
def opened(tmp_path: Path, clock: FixedClock, paths: Paths) -> Iterator[Opener]:
    """Writes the cards it gets and opens the deck; closes what is open before and at the end."""
    apps: list[App] = []

    def open_deck(*cards: Card, settings: str = "") -> App:
        if apps:
            apps.pop().close()
        if settings:
            paths.config.mkdir(parents=True, exist_ok=True)
            paths.settings.write_text(settings, encoding="utf-8")
        apps.append(study(write(tmp_path / "deck", *cards), clock, paths))
        return apps[-1]

    yield open_deck
    for app in apps:
        app.close()


def rate(session: Session, rating: Rating = GOOD, **more: object) -> Rated:
    return session.rate(rating, duration_ms=4_000, **more)  # type: ignore[arg-type]


def shown(session: Session) -> str | None:
    question = session.current()
    return None if question is None else question.card_id


def finish(session: Session, clock: FixedClock, limit: int = 100) -> list[str]:
    """Answer good until nothing is left, a minute each; the ids in their order."""
    served: list[str] = []
    while (card_id := shown(session)) is not None and len(served) < limit:
        rate(session)
        served.append(card_id)
        clock.advance(timedelta(minutes=1))
    return served


# Asking ----------------------------------------------------------------------------------------


def test_the_question_stays_until_it_is_answered(opened: Opener) -> None:
    session = Session(opened(card("a"), card("b", "static")))

    first = session.current()

    assert first is not None
    assert session.current() is first
    assert first.prompt.startswith("What is")
    assert first.answer == f"It is {first.card_id}."
    assert first.chapter_title in ("Counting words", "Word vectors")
    assert session.position == (0, 2)
    upcoming = session.peek_next()
    assert upcoming is not None
    assert {first.card_id, upcoming.card_id} == {"a", "b"}
    rate(session)
    assert shown(session) == upcoming.card_id
    assert session.position == (1, 3)  # the answered card waits for its second step


def test_the_buttons_say_what_follows(opened: Opener, clock: FixedClock) -> None:
    """With fuzz on: what a button showed is what the answer gives, to the day."""
    app = opened(*(card(f"c{n}") for n in range(12)))
    session = Session(app)
    for rating in [EASY] * 12:
        question = session.current()
        assert question is not None
        assert [choice.interval_text for choice in question.choices[:3]] == ["<1m", "<6m", "<10m"]
        rated = rate(session, rating)
        choice = question.choices[rating - 1]
        assert (rated.interval_text, rated.next_due) == (choice.interval_text, choice.due)
        assert app.store.state(rated.card_id) == msgspec.structs.replace(
            choice.state, content_hash=question.content_hash
        )
    clock.advance(timedelta(days=8))
    again = Session(app).current()
    assert again is not None
    assert again.choices[3].interval_text.endswith(("mo", "d"))


def test_an_empty_deck_has_no_question(opened: Opener) -> None:
    session = Session(opened())

    assert session.current() is None
    assert session.peek_next() is None
    assert session.undo() is None
    assert session.summary() == Summary(0, 0, 0, 0, 0, 0.0)
    with pytest.raises(UsageError):
        rate(session)


def test_chapters_alternate_and_can_be_chosen(opened: Opener) -> None:
    app = opened(*(card(f"{chapter}-{n}", chapter) for chapter in CHAPTERS for n in range(3)))

    session = Session(app)
    order: list[str] = []
    while (question := session.current()) is not None and len(order) < 9:
        order.append(question.card.chapter)
        session.bury()
    assert len(order) == 9
    assert all(one != two for one, two in itertools.pairwise(order))

    session.undo()
    one = Session(app, SessionQuery(chapters=("static",)))
    assert shown(one) in (None, "static-0", "static-1", "static-2")
    with pytest.raises(UsageError, match="no chapter 'statics'") as caught:
        Session(app, SessionQuery(chapters=("statics",)))
    assert "'static'" in caught.value.hint


def test_new_cards_come_in_the_order_of_the_story(opened: Opener) -> None:
    """Not in that of the files' names, where "multimodal" stands before "static"."""
    app = opened(
        card("own-1", "a-chapter-of-mine", needs=("own-2",)),
        card("own-2", "b-chapter-of-mine"),
        *(card(f"{chapter}-1", chapter) for chapter in ("multimodal", "static", "lexical")),
    )

    for limit, served in (
        (1, {"lexical-1"}),
        (2, {"lexical-1", "static-1"}),
        (4, {"lexical-1", "static-1", "multimodal-1", "own-2"}),
    ):
        session = Session(app, SessionQuery(new_limit=limit))
        seen = set()
        while (name := shown(session)) is not None:
            seen.add(name)
            session.bury()
        for _ in seen:
            session.undo()
        assert seen == served


def test_a_limit_is_for_all_cards_of_a_session(opened: Opener, clock: FixedClock) -> None:
    app = opened(*(card(f"c{n}") for n in range(6)))

    assert len(set(finish(Session(app, SessionQuery(limit=2)), clock))) == 2
    rate(Session(app))
    assert Session(app, SessionQuery(limit=2)).position == (0, 2)


def test_the_days_limits_count_what_was_done_today(opened: Opener, clock: FixedClock) -> None:
    app = opened(*(card(f"c{n}") for n in range(9)), settings="[study]\nnew_per_day = 4\n")

    assert len(set(finish(Session(app, SessionQuery(new_limit=3)), clock))) == 3
    assert len(set(finish(Session(app), clock))) == 1
    assert finish(Session(app), clock) == []
    clock.advance(timedelta(days=1))
    assert len(set(finish(Session(app, SessionQuery(review_limit=0)), clock))) == 4


def test_chosen_cards_are_served_in_their_order_due_or_not(opened: Opener) -> None:
    app = opened(card("a"), card("b"), cloze("c", 2))
    app.store.record(Suspend(card="a"))

    session = Session(app, SessionQuery(cards=("c", "a")))

    order = []
    while (name := shown(session)) is not None:
        order.append(name)
        session.bury()
    assert order == ["c/c1", "c/c2", "a"]
    with pytest.raises(UsageError, match="no card 'zzz'"):
        Session(app, SessionQuery(cards=("zzz",)))
    with pytest.raises(UsageError, match="no card 'c/c9'"):
        Session(app, SessionQuery(cards=("c/c9",)))


# Learning steps --------------------------------------------------------------------------------


def test_a_learning_card_comes_back_when_its_step_is_over(
    opened: Opener, clock: FixedClock
) -> None:
    session = Session(opened(*(card(name) for name in "abc")))
    first = shown(session)
    rate(session, AGAIN)
    second = shown(session)
    assert second != first

    clock.advance(timedelta(minutes=2))
    assert shown(session) == second, "the card on the table stays"
    rate(session)

    assert shown(session) == first


def test_when_nothing_else_is_left_a_step_may_be_cut_short(
    opened: Opener, clock: FixedClock
) -> None:
    settings = '[study]\nlearning_steps = ["15m", "30m"]\n'
    session = Session(opened(card("a"), settings=settings))
    rate(session, AGAIN)
    assert shown(session) == "a"

    rate(session)
    assert session.current() is None, "30 minutes are too far ahead"
    assert session.position == (2, 3)
    clock.advance(timedelta(minutes=10))
    assert shown(session) == "a"


def test_a_later_session_knows_the_steps_of_an_earlier_one(
    opened: Opener, clock: FixedClock
) -> None:
    app = opened(card("a"))
    rate(Session(app))

    assert shown(Session(app)) == "a"
    clock.advance(timedelta(minutes=11))
    assert shown(Session(app)) == "a"


def test_a_step_over_the_rollover_waits_for_the_next_day(opened: Opener, clock: FixedClock) -> None:
    clock.advance(timedelta(hours=17, minutes=55))  # 03:55, five minutes before the day ends
    app = opened(card("a"))
    session = Session(app)

    rated = rate(session)

    assert rated.next_due == date(2026, 11, 24)
    assert rated.interval_text == "1d"
    assert session.current() is None
    clock.advance(timedelta(minutes=6))
    assert shown(Session(app)) == "a"


# Siblings, leeches -----------------------------------------------------------------------------


def test_answering_one_sibling_buries_the_others_as_one_step(
    opened: Opener, clock: FixedClock
) -> None:
    app = opened(cloze("x", 3), card("y", "static"))
    before = dict(app.store.states(app.deck_name))
    session = Session(app, SessionQuery(cards=("x",)))
    assert shown(session) == "x/c1"

    rate(session)

    today = app.today.toordinal()
    assert app.store.state("x/c2").buried_day == today
    assert app.store.state("x/c3").buried_day == today
    clock.advance(timedelta(minutes=10))
    rate(session)
    assert len([e for e in app.store.events() if isinstance(e.body, Bury)]) == 2

    session.undo()
    undone = session.undo()
    assert undone is not None
    assert (undone.card_id, undone.what, undone.rating) == ("x/c1", "review", GOOD)
    assert dict(app.store.states(app.deck_name)) == before
    assert shown(session) == "x/c1"
    assert session.position == (0, 3)

    rate(session)
    clock.advance(timedelta(days=1))
    assert shown(Session(app, SessionQuery(chapters=("lexical",)))) in ("x/c1", "x/c2")


def test_only_one_sibling_is_served_a_day(opened: Opener, clock: FixedClock) -> None:
    app = opened(cloze("x", 3), card("y"))

    served = finish(Session(app), clock)

    assert {name.split("/")[0] for name in served} == {"x", "y"}
    assert len({name for name in served if name.startswith("x")}) == 1


def test_burying_can_be_switched_off(opened: Opener, clock: FixedClock) -> None:
    app = opened(cloze("x", 2), card("y"), settings="[study]\nbury_siblings = false\n")

    assert set(finish(Session(app), clock)) == {"x/c1", "x/c2", "y"}
    assert not any(isinstance(event.body, Bury) for event in app.store.events())


def lapse(app: App, clock: FixedClock) -> Rated:
    """Wait until the card is due, then fail it."""
    session = Session(app, SessionQuery(cards=("a",)))
    rated = rate(session, EASY)
    clock.advance((rated.next_due - app.today) + timedelta(hours=1))
    return rate(Session(app, SessionQuery(cards=("a",))), AGAIN)


def test_a_leech_is_suspended_and_told(opened: Opener, clock: FixedClock) -> None:
    app = opened(card("a"), settings="[study]\nleech_lapses = 2\n")

    assert not lapse(app, clock).leech
    rated = lapse(app, clock)

    assert rated.leech
    state = app.store.state("a")
    assert (state.leech, state.suspended, state.lapses) == (True, True, 2)
    last = list(app.store.events())[-1].body
    assert last == Suspend(card="a", by_leech=True)
    assert Session(app).current() is None

    undone = Session(app).undo()
    assert undone is not None
    assert undone.what == "review"
    assert (app.store.state("a").suspended, app.store.state("a").lapses) == (False, 1)


# What else the user does -----------------------------------------------------------------------


def test_suspend_and_bury_take_the_card_away_and_undo_brings_it_back(opened: Opener) -> None:
    app = opened(card("a"), card("b"))
    session = Session(app)
    first = shown(session)
    assert first is not None

    session.suspend()
    assert app.store.state(first).suspended
    second = shown(session)
    session.bury()
    assert session.current() is None

    undone = session.undo()
    assert undone is not None
    assert (undone.card_id, undone.what, undone.rating) == (second, "bury", None)
    assert shown(session) == second
    session.undo()
    assert shown(session) == first
    assert session.position == (0, 2)
    assert session.undo() is None


def test_flag_note_and_reset_keep_the_card_on_the_table(opened: Opener) -> None:
    app = opened(card("a"))
    rate(Session(app))
    session = Session(app)

    session.flag(2)
    session.note("mine")
    question = session.current()
    assert question is not None
    assert (question.state.flag, question.state.note) == (2, "mine")

    session.reset()
    question = session.current()
    assert question is not None
    assert question.state == CardState(flag=2, note="mine")

    session.undo()
    session.undo()
    question = session.current()
    assert question is not None
    assert (question.state.flag, question.state.note, question.state.reps) == (2, "", 1)


def test_following_a_follow_up_puts_it_before_the_card(opened: Opener) -> None:
    session = Session(opened(card("a"), card("b"), cloze("c", 2)))
    first = shown(session)

    session.insert("c")
    assert shown(session) == "c/c1"
    session.insert("c/c2")
    assert shown(session) == "c/c2"
    rate(session)
    assert shown(session) == first, "its sibling was buried by the answer"
    with pytest.raises(UsageError):
        session.insert("nothing")
    assert shown(session) == first


def test_typed_answers_and_ticks_are_stored_with_the_review(opened: Opener) -> None:
    app = opened(card("a"))

    rate(Session(app), HARD, typed="because", ticked=[0], suggested=GOOD)

    body = list(app.store.events())[-1].body
    assert isinstance(body, Review)
    assert (body.rating, body.typed, body.ticked, body.suggested) == (HARD, "because", (0,), GOOD)
    assert body.duration_ms == 4_000
    assert body.before == CardState()
    assert body.day_ends_at is not None


def test_the_policy_is_logged_once_and_again_when_it_changes(opened: Opener) -> None:
    app = opened(card("a"))
    Session(app)
    Session(app)
    app.save_settings(
        msgspec.structs.replace(
            app.settings,
            study=msgspec.structs.replace(app.settings.study, desired_retention=0.8),
        )
    )
    Session(app)

    policies = [event.body for event in app.store.events() if isinstance(event.body, PolicySet)]
    assert [body.policy.desired_retention for body in policies] == [0.9, 0.8]


def test_a_changed_text_is_shown_as_a_difference_once(
    opened: Opener, clock: FixedClock, tmp_path: Path
) -> None:
    app = opened(card("a"))
    rate(Session(app), EASY)
    app = opened(card("a", answer="It is a, and more."))
    session = Session(app, SessionQuery(cards=("a",)))

    question = session.current()
    assert question is not None
    assert "-It is a." in question.change
    assert "+It is a, and more." in question.change
    assert question.state.reps == 1, "the progress is kept"
    rate(session)

    again = Session(app, SessionQuery(cards=("a",))).current()
    assert again is not None
    assert again.change == ""


def test_refresh_reads_an_edited_card_and_leaves_out_a_removed_one(
    opened: Opener, tmp_path: Path
) -> None:
    app = opened(card("a"), card("b"))
    session = Session(app, SessionQuery(cards=("a", "b")))
    assert shown(session) == "a"

    write(tmp_path / "deck", card("a", question="What else is a?"), card("b"))
    decks.sync(app)
    question = session.refresh()
    assert question is not None
    assert question.prompt == "What else is a?"

    write(tmp_path / "deck", card("b"))
    decks.sync(app)
    question = session.refresh()
    assert question is not None
    assert question.card_id == "b"


# Undo, summary ---------------------------------------------------------------------------------


def test_undo_works_across_sessions_and_restarts(opened: Opener) -> None:
    cards = (card("a"), card("b"))
    app = opened(*cards)
    session = Session(app)
    rated = [rate(session), rate(session)]

    app = opened(*cards)
    session = Session(app)
    undone = [session.undo(), session.undo(), session.undo()]

    assert [one.event for one in undone if one] == [one.event for one in reversed(rated)]
    assert undone[2] is None
    assert shown(session) == rated[0].card_id
    assert dict(app.store.states(app.deck_name)) == {}


def test_the_summary_counts_what_stands(opened: Opener, clock: FixedClock) -> None:
    app = opened(*(card(name) for name in "abcd"))
    session = Session(app)
    for rating in (AGAIN, HARD, EASY, EASY):
        rate(session, rating)
    session.undo()

    summary = session.summary()

    assert (summary.answered, summary.again, summary.hard, summary.good, summary.easy) == (
        3,
        1,
        1,
        0,
        1,
    )
    assert summary.seconds == 12.0
    assert summary.remaining.new == 1
    assert summary.remaining.learning == 2
    assert summary.lapsed_cards == ()


def test_lapses_are_named_in_the_summary(opened: Opener, clock: FixedClock) -> None:
    app = opened(card("a"), card("b"))
    first = Session(app)
    due = max(rate(first, EASY).next_due for _ in range(2))
    clock.advance((due - app.today) + timedelta(hours=1))
    session = Session(app)
    rated = rate(session, AGAIN)

    assert session.summary().lapsed_cards == (rated.card_id,)


def test_any_session_leaves_a_log_that_folds_to_the_stores_states(
    opened: Opener, clock: FixedClock
) -> None:
    """A long random session; after it the projection equals the fold of the log."""
    dice = random.Random(7)
    app = opened(*(card(f"c{n}", CHAPTERS[n % 3]) for n in range(6)), cloze("x", 3))
    for _ in range(8):
        session = Session(app)
        for _ in range(20):
            if session.current() is None:
                break
            action = dice.choice(
                ["rate"] * 8 + ["undo", "undo", "bury", "suspend", "flag", "reset"]
            )
            if action == "rate":
                rate(session, dice.choice(list(Rating)))
            elif action == "flag":
                session.flag(dice.randint(0, 3))
            else:
                getattr(session, action)()
            clock.advance(timedelta(seconds=dice.choice([-5, 0, 30, 400])))
        clock.advance(timedelta(hours=dice.choice([1, 20, 60])))

    log = list(app.store.events())
    assert any(isinstance(event.body, Undo) for event in log)
    assert dict(app.store.states(app.deck_name)) == replay(log)
    assert any(state.phase is Phase.REVIEW for _, state in app.store.states(app.deck_name))
