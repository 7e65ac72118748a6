"""The event log and its projection: answers, undo, restarts, clocks that go back."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from studytool.schedule import projection
from studytool.schedule.model import (
    Body,
    Bury,
    CardState,
    Flag,
    Note,
    Override,
    Phase,
    Policy,
    Rating,
    Reset,
    Review,
    Suspend,
    Undo,
)
from studytool.store import open_store
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
    from contextlib import AbstractContextManager

    from studytool.clock import FixedClock
    from studytool.paths import Paths
    from studytool.store import Store


@pytest.fixture
def store(paths: Paths, clock: FixedClock) -> Iterator[Store]:
    with open_store(paths, clock) as opened:
        add_cards(opened, *sample_cards())
        yield opened


def test_an_answer_is_an_event_and_a_state(store: Store, clock: FixedClock) -> None:
    before = store.state("alpha")
    event = store.record(answer(store, "alpha"))

    assert isinstance(event.body, Review)
    assert event.body.before == before == CardState()
    after = store.state("alpha")
    assert after == projection.replay(store.events())["alpha"]
    assert after.phase is Phase.LEARNING
    assert after.last_at == round(clock.now().timestamp() * 1000)


def test_the_state_survives_a_restart_bit_for_bit(paths: Paths, clock: FixedClock) -> None:
    with open_store(paths, clock) as store:
        for rating in (Rating.EASY, Rating.HARD, Rating.GOOD):
            store.record(answer(store, "alpha", rating))
            clock.advance(timedelta(days=5))
        written = store.state("alpha")
    with open_store(paths, clock) as store:
        assert store.state("alpha") == written
        assert written.stability is not None
        assert store.state("alpha").stability.hex() == written.stability.hex()  # type: ignore[union-attr]


def test_the_uuid_of_a_review_can_be_given(store: Store) -> None:
    assert store.record(answer(store, "alpha"), uuid="f" * 32).uuid == "f" * 32


def test_before_is_what_the_store_knows(store: Store) -> None:
    stale = CardState(reps=99)
    review = answer(store, "alpha")
    event = store.record(msgspec.structs.replace(review, before=stale))
    assert isinstance(event.body, Review)
    assert event.body.before == CardState()


def test_daily_numbers(store: Store, clock: FixedClock) -> None:
    day = store.moment().day
    plain = Policy(weights=POLICY.weights, learning_steps=(), relearning_steps=())
    store.record(answer(store, "alpha", Rating.GOOD, plain))
    store.record(answer(store, "beta", Rating.AGAIN))
    clock.advance(timedelta(days=1))
    store.record(answer(store, "alpha", Rating.AGAIN, plain))
    store.record(answer(store, "alpha", Rating.GOOD, plain))

    first, second = store.days(day, day + 1)
    assert first == (day, 2, 1, 2, 0, 0, 3000)
    assert second == (day + 1, 2, 1, 0, 2, 1, 3000)
    assert second.seconds == 3.0
    assert store.done_today(day) == (2, 0)
    assert store.done_today(day + 1) == (0, 2)
    assert store.done_today(day + 9) == (0, 0)


def test_undo_takes_back_the_whole_step(store: Store) -> None:
    first = store.record(answer(store, "alpha"))
    clean = store.state("alpha"), store.state("beta"), store.days(0, 10**7)
    step = store.record_many(
        [
            answer(store, "alpha", Rating.AGAIN),
            Suspend(card="alpha", by_leech=True),
            Bury(card="beta", day=store.moment().day, sibling=True),
        ]
    )
    assert {event.group for event in step} == {step[0].uuid}
    assert store.state("alpha").suspended
    assert store.state("beta").buried_day == store.moment().day

    undone = store.undo()

    assert undone is not None
    tombstone, target = undone
    assert target == step[0]
    assert isinstance(tombstone.body, Undo)
    assert tombstone.body.target == step[0].uuid
    assert (store.state("alpha"), store.state("beta"), store.days(0, 10**7)) == clean
    again = store.undo()
    assert again is not None
    assert again[1] == first
    assert store.undo() is None
    assert store.days(0, 10**7) == []


def test_undo_goes_on_after_a_restart(paths: Paths, clock: FixedClock) -> None:
    with open_store(paths, clock) as store:
        events = [store.record(answer(store, card)) for card in ("alpha", "beta", "alpha")]
    for event in reversed(events):
        with open_store(paths, clock) as store:
            undone = store.undo()
            assert undone is not None
            assert undone[1] == event
    with open_store(paths, clock) as store:
        assert store.undo() is None
        assert store.state("alpha") == CardState()


def test_a_policy_is_logged_once_and_never_undone(store: Store) -> None:
    name = store.ensure_policy(POLICY)
    assert store.ensure_policy(POLICY) == name
    assert sum(event.body.__class__.__name__ == "PolicySet" for event in store.events()) == 1
    assert store.undo() is None


def test_a_policy_and_a_review_under_it_may_be_one_step(store: Store) -> None:
    from studytool.schedule.model import PolicySet, policy_id

    other = Policy(weights=POLICY.weights, desired_retention=0.8)
    name = policy_id(other)
    review = Review(card="alpha", rating=Rating.GOOD, duration_ms=1, policy=name)
    store.record_many([PolicySet(id=name, policy=other), review])
    assert store.state("alpha").reps == 1
    assert store.ensure_policy(other) == name


def test_a_failed_step_leaves_nothing(store: Store) -> None:
    from studytool.errors import StorageError

    before = list(store.events())
    unknown = Review(card="alpha", rating=Rating.GOOD, duration_ms=1, policy="no such policy")
    with pytest.raises(StorageError):
        store.record_many([Note(card="alpha", text="kept?"), unknown])
    assert list(store.events()) == before
    assert store.state("alpha") == CardState()
    store.record(answer(store, "alpha"))
    assert store.examine().sound


def test_an_undo_cannot_be_recorded(store: Store) -> None:
    with pytest.raises(ValueError, match="undo"):
        store.record(Undo(target="x"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET at_ms = 0",
        "DELETE FROM events",
        "INSERT OR REPLACE INTO events SELECT * FROM events",
        "REPLACE INTO events SELECT * FROM events",
    ],
)
def test_the_log_is_append_only(store: Store, statement: str) -> None:
    store.record(answer(store, "alpha"))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store.database.raw.execute(statement)


def test_one_transaction_an_answer_and_every_commit_is_synchronous(store: Store) -> None:
    review = answer(store, "alpha")
    seen: list[str] = []
    store.database.raw.set_trace_callback(seen.append)
    store.record(review)
    store.database.raw.set_trace_callback(None)
    words = [statement.split()[0] for statement in seen]
    assert words[0] == "BEGIN"
    assert words[-1] == "COMMIT"
    assert words.count("COMMIT") == 1
    pragma = store.database.raw.execute
    assert pragma("PRAGMA synchronous").fetchone() == (2,)
    assert pragma("PRAGMA journal_mode").fetchone() == ("wal",)
    assert pragma("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_clock_set_back_keeps_the_log_in_its_order(store: Store, clock: FixedClock) -> None:
    store.record(answer(store, "alpha", Rating.EASY))
    clock.advance(timedelta(days=-3))
    store.record(answer(store, "alpha", Rating.AGAIN))
    assert store.state("alpha") == projection.replay(store.events())["alpha"]
    assert store.examine().sound
    store.undo()
    assert store.state("alpha").reps == 1
    assert store.examine().sound


def test_states_and_events_of_one_card(store: Store, clock: FixedClock) -> None:
    store.record(answer(store, "beta"))
    clock.advance(timedelta(minutes=1))
    later = store.record(answer(store, "cloze/c1"))
    assert dict(store.states(DECK)) == {
        "beta": store.state("beta"),
        "cloze/c1": store.state("cloze/c1"),
    }
    assert list(store.events(card="cloze/c1")) == [later]
    assert list(store.events(since=later.at_ms)) == [later]


def test_events_of_some_kinds(store: Store) -> None:
    store.record(Flag(card="alpha", flag=1))
    store.record(Override(card="alpha", point=0, graded="missed", chosen="covered"))
    store.undo()

    kinds = [type(event.body) for event in store.events(kinds=("override", "undo"))]
    assert kinds == [Override, Undo]


def test_events_that_change_no_state(store: Store) -> None:
    event = store.record(Override(card="alpha", point=0, graded="missed", chosen="said"))
    assert store.state("alpha") == CardState()
    assert "alpha" not in dict(store.states(DECK))
    undone = store.undo()
    assert undone is not None
    assert undone[1] == event


def test_opened_in_one_thread_used_in_another(paths: Paths, clock: FixedClock) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with open_store(paths, clock) as store, ThreadPoolExecutor(1) as worker:
        worker.submit(lambda: store.record(answer(store, "alpha"))).result()
        assert worker.submit(store.state, "alpha").result().reps == 1


bodies = st.one_of(
    st.builds(Suspend, card=card_ids, on=st.booleans()),
    st.builds(Bury, card=card_ids, day=st.one_of(st.none(), st.integers(739_900, 740_000))),
    st.builds(Reset, card=card_ids),
    st.builds(Flag, card=card_ids, flag=st.integers(0, 7)),
    st.builds(Note, card=card_ids, text=st.text(max_size=5)),
    st.builds(Override, card=card_ids, point=st.just(0), graded=st.just("a"), chosen=st.just("b")),
)


class UndoMachine(RuleBasedStateMachine):
    """Any sequence of steps, undos, restarts and clock jumps: each undo restores what was there."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = start()
        self.folder: AbstractContextManager[Paths] = profile()
        self.paths = self.folder.__enter__()
        self.history: list[object] = []

    @initialize()
    def open(self) -> None:
        self.store = open_store(self.paths, self.clock)
        add_cards(self.store, *sample_cards())
        self.store.ensure_policy(POLICY)

    def teardown(self) -> None:
        self.store.close()
        self.folder.__exit__(None, None, None)

    def seen(self) -> object:
        """Everything that is derived from the log, as it reads from outside."""
        moment = self.store.moment()
        return (
            [self.store.state(card) for card in CARDS],
            self.store.days(0, 10**7),
            self.store.chapter_rows(DECK, type(moment)(moment.at_ms, 740_100)),
        )

    @rule(card=card_ids, rating=ratings, extra=st.lists(bodies, max_size=2))
    def rate(self, card: str, rating: Rating, extra: list[Body]) -> None:
        self.history.append(self.seen())
        self.store.record_many([answer(self.store, card, rating), *extra])

    @rule(body=bodies)
    def change(self, body: Body) -> None:
        self.history.append(self.seen())
        self.store.record(body)

    @rule(times=st.integers(1, 4))
    def undo(self, times: int) -> None:
        for _ in range(times):
            if not self.history:
                assert self.store.undo() is None
                return
            assert self.store.undo() is not None
            assert self.seen() == self.history.pop()

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = open_store(self.paths, self.clock)

    @rule(minutes=st.sampled_from([-2000, -1, 0, 3, 20, 1500, 20_000]))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    @invariant()
    def the_projection_is_the_log(self) -> None:
        replayed = projection.replay(self.store.events())
        for card in CARDS:
            assert self.store.state(card) == replayed.get(card, CardState())


TestUndoMachine = UndoMachine.TestCase
TestUndoMachine.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(card_ids, ratings), min_size=1, max_size=12), st.data())
def test_state_after_undo_is_identical_as_bytes(
    answers: list[tuple[str, Rating]], data: st.DataObject
) -> None:
    """The rows of the derived tables, byte for byte, before a step and after its undo."""
    clock = start()
    with profile() as paths, open_store(paths, clock) as store:
        add_cards(store, *sample_cards(), located("other", line=99))
        snapshots = []
        for card, rating in answers:
            review = answer(store, card, rating)
            snapshots.append(_tables(store))
            store.record(review)
            clock.advance(timedelta(minutes=data.draw(st.integers(0, 4000))))
        for snapshot in reversed(snapshots):
            store.undo()
            assert _tables(store) == snapshot


def _tables(store: Store) -> list[list[tuple[object, ...]]]:
    queries = (
        "SELECT * FROM card_state ORDER BY card",
        "SELECT * FROM day_stats ORDER BY day",
        "SELECT * FROM items ORDER BY card",
        "SELECT * FROM ready_counts WHERE n > 0 ORDER BY 1, 2, 3, 4",
    )
    return [store.database.raw.execute(query).fetchall() for query in queries]
