"""The first question before the store is open, and the number of cards a session will serve."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studytool.clock import FixedClock
from studytool.errors import UsageError
from studytool.paths import Paths
from studytool.schedule.model import Phase, Rating
from studytool.services import line
from studytool.services.context import App, open_app
from studytool.services.due import due
from studytool.services.opening import FirstCard, first_card
from studytool.services.overview import glance, overview
from studytool.services.study import Session
from studytool.services.types import Question, SessionQuery
from studytool.store import peek_cards
from tests.unit.store_kit import profile as profile_of_its_own
from tests.unit.store_kit import start
from tests.unit.study_deck import card, cloze, study, write

CARDS = (
    card("a"), card("b", "static"), cloze("c", 2), card("d", "multimodal"), cloze("e", 6, "static"),
    card("f"),
)  # fmt: skip


def same(first: FirstCard | None, question: Question | None) -> bool:
    """Whether both are the same question, but for the fuzz of the intervals."""
    if first is None or question is None:
        return first is None and question is None
    shown, asked = (msgspec.structs.replace(q, choices=()) for q in (first.question, question))
    return shown == asked


class Profile:
    """A deck, a clock and folders of its own."""

    def __init__(self, folder: Path, paths: Paths | None = None) -> None:
        names = ("data", "config", "cache", "state")
        self.paths = paths or Paths(*(folder / name for name in names))
        self.deck = write(folder / "deck", *CARDS)
        self.clock = start()

    def open(self) -> App:
        return open_app(self.deck, self.clock, self.paths)


def run(app: App, clock: FixedClock, ratings: list[Rating]) -> None:
    session = Session(app)
    for rating in ratings:
        if session.current() is None:
            return
        session.rate(rating, duration_ms=1000)
        clock.advance(timedelta(minutes=1))


@settings(max_examples=10)
@given(
    st.lists(st.lists(st.sampled_from(list(Rating)), max_size=6), max_size=4),
    st.integers(0, 20),
    st.sampled_from([(), ("static",), ("lexical", "multimodal")]),
    st.booleans(),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_the_first_card_is_that_of_the_session(
    days: list[list[Rating]], later: int, chapters: tuple[str, ...], bury: bool, new: int, old: int
) -> None:
    with profile_of_its_own() as paths:
        profile = Profile(paths.data, paths)
        with study(profile.deck, profile.clock, profile.paths) as app:
            for ratings in days:
                run(app, profile.clock, ratings)
                profile.clock.advance(timedelta(days=1))
        profile.clock.advance(timedelta(days=later))
        profile.paths.settings.parent.mkdir(parents=True, exist_ok=True)
        profile.paths.settings.write_text(
            f"[study]\nnew_per_day = {new}\nreviews_per_day = {old}\n"
            f"bury_siblings = {str(bury).lower()}\n"
        )
        query = SessionQuery(chapters=chapters)
        with profile.open() as app:
            first = first_card(app, query)
            counted = due(app)
            seen = glance(app)
            assert seen is not None
            assert seen.counts == counted
            assert same(first, Session(app, query).current())
            session = Session(app, query, first)
            if first is not None:
                assert session.current() == first.question
                assert session.position == (0, first.total)
                assert first.question.card_id == session.rate(Rating.GOOD, duration_ms=1).card_id
                session.undo()
            assert overview(app).counts == counted
            assert_serves(app, counted)


def assert_serves(app: App, counted: tuple[int, int, int]) -> None:
    """The numbers are those of the line that a session plans."""
    now = app.moment
    with peek_cards.reading(app.paths.database) as reader:
        assert reader is not None
        served = line.serve(app, reader, SessionQuery(), now)
        assert served == line.serve(app, app.store, SessionQuery(), now)
    phases = [app.store.state(one).phase for one in (*served.line, *served.waiting)]
    learning = [phase for phase in phases if phase in (Phase.LEARNING, Phase.RELEARNING)]
    assert counted == (phases.count(Phase.NEW), len(learning), phases.count(Phase.REVIEW))


def test_a_rating_is_stored_as_it_was_shown(tmp_path: Path) -> None:
    profile = Profile(tmp_path)
    with study(profile.deck, profile.clock, profile.paths) as app:
        run(app, profile.clock, [Rating.EASY])
    profile.clock.advance(timedelta(days=30))
    with profile.open() as app:
        first = first_card(app, SessionQuery())
        assert first is not None
        profile.clock.advance(timedelta(seconds=20))
        rated = Session(app, SessionQuery(), first).rate(Rating.GOOD, duration_ms=1)
        assert rated.event == first.seed
        assert rated.interval_text == first.question.choices[Rating.GOOD - 1].interval_text


def test_nothing_is_shown_before_it_is_known(tmp_path: Path) -> None:
    profile = Profile(tmp_path)
    with profile.open() as app:
        assert first_card(app, SessionQuery()) is None  # no database yet
        assert not profile.paths.database.exists()
    study(profile.deck, profile.clock, profile.paths).close()
    with profile.open() as app:
        assert first_card(app, SessionQuery()) is not None
        with pytest.raises(UsageError, match="no chapter"):
            first_card(app, SessionQuery(chapters=("statics",)))
        write(profile.deck, card("a", answer="Another answer."))
        assert first_card(app, SessionQuery()) is None  # the files say something else by now
    profile.paths.database.write_bytes(b"\0" * 4096)
    write(profile.deck, *CARDS)
    with profile.open() as app:
        assert first_card(app, SessionQuery()) is None


def test_a_half_typed_answer_is_there_with_the_first_card(tmp_path: Path) -> None:
    profile = Profile(tmp_path)
    with study(profile.deck, profile.clock, profile.paths) as app:
        app.store.save_draft("answer:a", "it is")
    with profile.open() as app:
        first = first_card(app, SessionQuery(cards=("a",)))
        assert first is not None
        assert first.draft == "it is"
