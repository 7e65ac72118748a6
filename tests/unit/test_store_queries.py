"""What is due and how much of it, asked of the store and of the peek."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studytool.errors import StorageCorrupt, StorageTooNew, StorageUnwritable
from studytool.schedule.model import Bury, Moment, Phase, Policy, Rating, Suspend
from studytool.store import open_store, peek, peek_cards
from studytool.store.figures import ChapterNumbers, Counts, DayNumbers, Glance
from tests.unit.store_kit import (
    CARDS,
    DECK,
    POLICY,
    add_cards,
    answer,
    card_ids,
    located,
    profile,
    ratings,
    sample_cards,
    start,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studytool.clock import FixedClock
    from studytool.paths import Paths
    from studytool.store import Store


@pytest.fixture
def store(paths: Paths, clock: FixedClock) -> Iterator[Store]:
    with open_store(paths, clock) as opened:
        add_cards(opened, *sample_cards())
        yield opened


def later(moment: Moment, days: int) -> Moment:
    return Moment(moment.at_ms + days * 86_400_000, moment.day + days)


def test_new_cards_come_in_order_with_what_they_need_first(store: Store) -> None:
    now = store.moment()
    rows = store.new_cards(DECK, now)
    assert [row.card_id for row in rows] == [
        "alpha", "gamma", "beta", "delta", "cloze/c1", "cloze/c2",
    ]  # fmt: skip
    assert {row.phase for row in rows} == {Phase.NEW}
    assert rows[4].base_id == "cloze"
    assert [row.card_id for row in store.new_cards(DECK, now, limit=2)] == ["alpha", "gamma"]
    two = store.new_cards(DECK, now, chapters=["two"], limit=2)
    assert [row.card_id for row in two] == ["gamma", "delta"]
    assert store.new_cards("another deck", now) == []


def test_learning_cards_are_due_today_and_reviews_on_their_day(
    store: Store, clock: FixedClock
) -> None:
    store.record(answer(store, "alpha", Rating.AGAIN))
    store.record(answer(store, "beta", Rating.EASY))
    now = store.moment()
    (learning,) = store.due(DECK, now)
    assert (learning.card_id, learning.phase) == ("alpha", Phase.LEARNING)
    assert learning.due_at == now.at_ms + 60_000
    assert store.counts(DECK, now) == Counts(new=4, learning=1, review=0)

    day = store.state("beta").due_day
    assert day is not None
    assert store.ahead(DECK, now) == [(day, 1)]
    then = later(now, day - now.day)
    assert [row.card_id for row in store.due(DECK, then)] == ["alpha", "beta"]
    assert [row.card_id for row in store.due(DECK, then, limit=1)] == ["alpha"]
    assert store.due(DECK, then, chapters=["two"]) == []
    assert store.counts(DECK, then) == Counts(new=4, learning=1, review=1)


def test_buried_and_suspended_cards_are_not_served(store: Store) -> None:
    now = store.moment()
    store.record(answer(store, "alpha", Rating.AGAIN))
    store.record(Bury(card="alpha", day=now.day))
    store.record(Bury(card="gamma", day=now.day + 1))
    store.record(Suspend(card="beta"))
    assert store.due(DECK, now) == []
    assert "gamma" not in [row.card_id for row in store.new_cards(DECK, now)]
    assert store.counts(DECK, now) == Counts(new=3)
    assert store.counts(DECK, later(now, 1)) == Counts(new=3, learning=1)
    assert store.counts(DECK, later(now, 2)) == Counts(new=4, learning=1)
    assert store.chapter_rows(DECK, now) == [
        ChapterNumbers("one", cards=2, seen=1, due=0, new=0),
        ChapterNumbers("two", cards=4, seen=0, due=0, new=3),
    ]
    store.record(Suspend(card="beta", on=False))
    assert store.counts(DECK, now) == Counts(new=4)


def test_memories_are_what_readiness_is_made_of(store: Store) -> None:
    store.record(answer(store, "alpha", Rating.EASY))
    state = store.state("alpha")
    assert list(store.memories(DECK)) == [("one", state.stability, state.last_day)]


@pytest.mark.parametrize("name", ["ix_card_state_due", "ix_items_new"])
def test_the_queues_read_their_partial_index(store: Store, name: str) -> None:
    seen: list[str] = []
    store.database.raw.set_trace_callback(seen.append)
    store.due(DECK, store.moment())
    store.new_cards(DECK, store.moment(), limit=5)
    store.database.raw.set_trace_callback(None)
    plans = [
        str(store.database.raw.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())
        for query in seen
        if "FROM items" in query
    ]
    assert any(name in plan for plan in plans), plans


def assert_reads_alike(store: Store, moment: Moment) -> None:
    """What a session asks before its first question, of the store and of the peek."""
    with peek_cards.reading(store.paths.database) as reader:
        assert reader is not None
        wanted: tuple[tuple[str, ...], ...] = ((), ("one",), ("two", "one"), ("none",))
        for some, limit in product(wanted, (None, 0, 2)):
            due = store.due(DECK, moment, chapters=some, limit=limit)
            assert reader.due(DECK, moment, chapters=some, limit=limit) == due
            new = store.new_cards(DECK, moment, chapters=some, limit=limit)
            assert reader.new_cards(DECK, moment, chapters=some, limit=limit) == new
        assert reader.counts(DECK, moment) == store.counts(DECK, moment)
        assert reader.siblings(DECK, moment) == store.siblings(DECK, moment)
        assert reader.chapter_rows(DECK, moment) == store.chapter_rows(DECK, moment)
        assert reader.done_today(moment.day) == store.done_today(moment.day)
        for card in (*CARDS, "nothing"):
            assert reader.card(DECK, card) == store.card(DECK, card)
            state = reader.state(card)
            assert state == store.state(card)
            assert reader.old_text(card, state.content_hash) == store.old_text(
                card, state.content_hash
            )
            assert reader.draft(card) == store.draft(card)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(card_ids, ratings),
            st.builds(Suspend, card=card_ids, on=st.booleans()),
            st.builds(Bury, card=card_ids, day=st.integers(739_940, 739_950)),
            st.sampled_from(["undo", "a day passes", "delta is removed", "delta is back"]),
        ),
        max_size=15,
    ),
    st.integers(-1, 400),
)
def test_the_peek_equals_the_store(
    steps: list[tuple[str, Rating] | Suspend | Bury | str], days: int
) -> None:
    clock = start()
    with profile() as paths, open_store(paths, clock) as store:
        add_cards(store, *sample_cards())
        for step in steps:
            _take(store, step, clock)
        moment = later(store.moment(), days)
        counts = store.counts(DECK, moment)
        assert peek.peek_counts(paths.database, DECK, moment) == counts
        assert_reads_alike(store, moment)
        assert peek.peek_done(paths.database, moment.day) == store.done_today(moment.day)
        assert peek.peek_files(paths.database, DECK) == store.known_files(DECK)
        rows = store.chapter_rows(DECK, moment)
        past = store.days(moment.day - peek.DAYS_BACK, moment.day)
        assert peek.peek_overview(paths.database, DECK, moment) == Glance(
            counts=counts,
            chapters=tuple(rows),
            total_cards=sum(row.cards for row in rows),
            today=next((one for one in past if one.day == moment.day), DayNumbers(moment.day)),
            days=tuple(one.day for one in reversed(past)),
            ahead=tuple(store.ahead(DECK, moment)),
        )
        # … and the counts are the lengths of the queues.
        due = store.due(DECK, moment)
        learning = sum(row.phase is not Phase.REVIEW for row in due)
        new = len(store.new_cards(DECK, moment))
        assert counts == Counts(new, learning, len(due) - learning)


def _take(store: Store, step: object, clock: FixedClock) -> None:
    match step:
        case (str(card), Rating() as rating):
            store.record(answer(store, card, rating))
        case Suspend() | Bury():
            store.record(step)
        case "undo":
            store.undo()
        case "a day passes":
            clock.advance(timedelta(days=1))
        case "delta is removed":
            add_cards(store, *(one for one in sample_cards() if one.card.id != "delta"))
        case "delta is back":
            add_cards(store, *sample_cards())


def test_a_peek_at_nothing(paths: Paths) -> None:
    moment = Moment(0, 739_943)
    assert peek.peek_counts(paths.database, DECK, moment) == Counts()
    assert peek.peek_overview(paths.database, DECK, moment) == Glance(today=DayNumbers(739_943))
    assert peek.peek_files(paths.database, DECK) == {}
    assert peek.peek_done(paths.database, 1) == (0, 0)
    assert not paths.data.exists()
    paths.data.mkdir()
    paths.database.touch()
    assert peek.peek_counts(paths.database, DECK, moment) == Counts()


def test_a_peek_at_another_deck(store: Store, paths: Paths) -> None:
    assert peek.peek_counts(paths.database, "another", store.moment()) == Counts()


def test_a_peek_at_what_cannot_be_read(paths: Paths, store: Store) -> None:
    moment = store.moment()
    store.database.raw.execute("PRAGMA user_version = 999")
    with pytest.raises(StorageTooNew):
        peek.peek_counts(paths.database, DECK, moment)
    store.close()
    paths.database.write_bytes(b"this is no database" * 100)
    with pytest.raises(StorageCorrupt):
        peek.peek_counts(paths.database, DECK, moment)
    paths.database.unlink()
    paths.database.mkdir()
    with pytest.raises(StorageUnwritable):
        peek.peek_counts(paths.database, DECK, moment)


def test_the_peek_reads_what_a_killed_process_left_in_the_write_ahead_log(
    paths: Paths, store: Store, tmp_path: object
) -> None:
    store.record(answer(store, "alpha", Rating.AGAIN))
    log = paths.database.with_name("collection.db-wal").read_bytes()
    data = paths.database.read_bytes()
    store.close()
    paths.database.write_bytes(data)
    paths.database.with_name("collection.db-wal").write_bytes(log)
    assert peek.peek_counts(paths.database, DECK, Moment(0, 739_943)).learning == 1


def test_the_peek_needs_the_standard_library_alone() -> None:
    code = (
        "import sys; import studytool.store.peek; "
        "print(sorted({name.split('.')[0] for name in sys.modules} & "
        "{'sqlalchemy', 'alembic', 'msgspec', 'textual', 'click', 'asyncio'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_study_day_is_the_local_one(paths: Paths, clock: FixedClock) -> None:
    from zoneinfo import ZoneInfo

    clock.move_to(ZoneInfo("Pacific/Auckland"))  # 23:00 there, the same day
    clock.advance(timedelta(hours=4, minutes=59))  # 03:59 on the clock, before the rollover
    with open_store(paths, clock) as store:
        day = store.moment().day
        clock.advance(timedelta(minutes=1))
        assert store.moment().day == day + 1


def test_the_limits_of_a_policy_do_not_change_the_counts(store: Store) -> None:
    store.record(answer(store, "alpha", Rating.GOOD, Policy(weights=POLICY.weights, fuzz=False)))
    assert store.counts(DECK, store.moment()).learning == 1


def test_an_added_card_is_counted_at_once(store: Store) -> None:
    before = store.counts(DECK, store.moment()).new
    store.sync_files(DECK, "folder", [("b.md", "h", [located("omega", "b.md")])], [])
    assert store.counts(DECK, store.moment()).new == before + 1
