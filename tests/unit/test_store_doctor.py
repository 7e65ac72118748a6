"""The doctor: what it finds, what it mends, and what it must not touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studytool.schedule import projection
from studytool.schedule.model import Bury, CardState, LogEvent, Rating, Review, Suspend, Undo
from studytool.store import open_store
from studytool.store.rows import encode_body
from tests.unit.store_kit import (
    CARDS,
    DECK,
    POLICY,
    add_cards,
    answer,
    card_ids,
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
        opened.record(answer(opened, "alpha", Rating.EASY))
        opened.record_many([answer(opened, "cloze/c1"), Bury(card="cloze/c2", day=739_943)])
        opened.record(Suspend(card="delta"))
        opened.record(answer(opened, "beta"))
        opened.undo()
        yield opened


def test_a_sound_database(store: Store) -> None:
    report = store.examine()
    assert report.sound
    assert not report.rebuilt
    assert report.events == 7  # a policy, five events and an undo
    assert report.cards == 4
    assert (report.faults, report.differences, report.notes) == ((), (), ())


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        ("UPDATE card_state SET stability = stability + 1e-9 WHERE card = 'alpha'", "card alpha"),
        ("UPDATE card_state SET reps = 7 WHERE card = 'alpha'", "card alpha"),
        ("DELETE FROM card_state WHERE card = 'delta'", "card delta"),
        ("INSERT INTO card_state SELECT 'ghost', phase, step, stability, difficulty, due_at, "
         "due_day, last_at, last_day, interval, reps, lapses, leech, suspended, buried_day, flag, "
         "note, content_hash, head_at FROM card_state WHERE card = 'alpha'", "card ghost"),
        ("UPDATE day_stats SET reviews = reviews + 1", "study day 739943"),
        ("DELETE FROM day_stats", "study day 739943"),
        ("DELETE FROM undone", "event "),
        ("INSERT INTO undone VALUES ('nothing')", "event nothing"),
        ("UPDATE items SET fresh = 1 WHERE card = 'alpha'", "item alpha"),
        ("UPDATE ready_counts SET n = n + 1", "count of deck 1"),
        ("DELETE FROM ready_counts", "count of deck 1"),
        ("UPDATE card_state SET head_at = 0 WHERE card = 'alpha'", "card alpha"),
    ],
)  # fmt: skip
def test_every_difference_is_found_and_mended(store: Store, damage: str, where: str) -> None:
    before = _derived(store)
    store.database.raw.execute(damage)

    report = store.examine()
    assert not report.sound
    assert any(difference.where.startswith(where) for difference in report.differences)
    assert all(str(difference) for difference in report.differences)

    rebuilt = store.examine(rebuild=True)
    assert rebuilt.rebuilt
    assert rebuilt.sound
    assert rebuilt.differences == report.differences
    assert _derived(store) == before
    assert store.examine(quick=True).sound


def _derived(store: Store) -> list[object]:
    queries = (
        "SELECT * FROM card_state ORDER BY card",
        "SELECT * FROM day_stats ORDER BY day",
        "SELECT * FROM undone ORDER BY target",
        "SELECT * FROM items ORDER BY card, deck_id",
        "SELECT * FROM ready_counts WHERE n > 0 ORDER BY 1, 2, 3, 4",
    )
    return [store.database.raw.execute(query).fetchall() for query in queries]


def test_studying_goes_on_after_a_rebuild(store: Store) -> None:
    store.database.raw.execute("DELETE FROM card_state")
    store.examine(rebuild=True)
    store.record(answer(store, "alpha"))
    assert store.state("alpha").reps == 2
    assert store.examine().sound


@pytest.mark.parametrize("trigger", ["events_no_update", "card_state_updated"])
def test_a_missing_trigger_is_a_fault(store: Store, trigger: str) -> None:
    store.database.raw.execute(f"DROP TRIGGER {trigger}")
    report = store.examine(rebuild=True)
    assert not report.sound
    assert any(trigger in fault for fault in report.faults)


def test_a_log_with_a_hole_is_a_fault(store: Store) -> None:
    raw = store.database.raw
    raw.execute("DROP TRIGGER events_no_delete")
    raw.execute("DELETE FROM events WHERE seq = 3")
    raw.execute(
        "CREATE TRIGGER events_no_delete BEFORE DELETE ON events "
        "BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END"
    )
    report = store.examine()
    assert not report.sound
    assert any("6 events" in fault for fault in report.faults)


def test_a_broken_reference_is_a_fault(store: Store) -> None:
    store.database.raw.execute("PRAGMA foreign_keys = OFF")
    store.database.raw.execute("DELETE FROM texts WHERE card = 'alpha'")
    report = store.examine()
    assert any("deck_cards" in fault for fault in report.faults)


def test_a_review_without_its_policy_is_a_fault(store: Store) -> None:
    event = _event(Review(card="alpha", rating=Rating.GOOD, duration_ms=1, policy="lost"), "x", 1)
    _insert(store, event)
    report = store.examine(rebuild=True)
    assert not report.sound
    assert any("policy" in fault for fault in report.faults)
    assert store.state("alpha") != CardState()  # nothing was rebuilt from half a log


def test_another_state_before_an_answer_is_a_note(store: Store) -> None:
    """As after a merge: the other machine answered without knowing of ours."""
    policy = store.ensure_policy(POLICY)
    body = Review(card="alpha", rating=Rating.HARD, duration_ms=1, policy=policy)
    _insert(store, _event(body, "other", 1, at_ms=store.moment().at_ms + 5))
    store.log.refresh()
    report = store.examine(rebuild=True)
    assert report.sound
    assert report.rebuilt
    assert len(report.notes) == 1
    assert store.state("alpha") == projection.replay(store.events())["alpha"]


def _event(body: Review | Undo, device: str, seq: int, at_ms: int = 0) -> LogEvent:
    return LogEvent(
        uuid=f"{device}-{seq}", device=device, seq=seq, at_ms=at_ms, day=739_943, body=body
    )


def _insert(store: Store, event: LogEvent) -> None:
    """An event of another machine, as a merge would bring it."""
    store.database.raw.execute(
        'INSERT INTO events (uuid, device, seq, at_ms, day, type, card, "group", body) '
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            event.uuid,
            event.device,
            event.seq,
            event.at_ms,
            event.day,
            type(event.body).__name__.lower(),
            getattr(event.body, "card", None),
            event.uuid,
            encode_body(event.body).decode(),
        ),
    )


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(card_ids, ratings, st.integers(-3, 3), st.booleans()), min_size=1, max_size=8
    ),
    st.lists(st.one_of(st.none(), st.tuples(card_ids, ratings)), max_size=5),
)
def test_merged_logs_give_one_state(
    foreign: list[tuple[str, Rating, int, bool]], own: list[tuple[str, Rating] | None]
) -> None:
    """Events of another device, some undone there, between our own answers and undos."""
    clock = start()
    with profile() as paths, open_store(paths, clock) as store:
        add_cards(store, *sample_cards())
        policy = store.ensure_policy(POLICY)
        now = store.moment().at_ms
        seq = 0
        for card, rating, offset, undone in foreign:
            seq += 1
            body = Review(card=card, rating=rating, duration_ms=10, policy=policy)
            _insert(store, _event(body, "other", seq, now + offset))
            if undone:
                seq += 1
                tombstone = Undo(target=f"other-{seq - 1}", card=card)
                _insert(store, _event(tombstone, "other", seq, now + offset))
        store.log.refresh()
        assert store.examine(rebuild=True).sound
        for step in own:
            if step is None:
                store.undo()
            else:
                store.record(answer(store, *step))
        replayed = projection.replay(store.events())
        for card in CARDS:
            assert store.state(card) == replayed.get(card, CardState())
        assert store.examine().sound
        assert sum(row.cards for row in store.chapter_rows(DECK, store.moment())) == len(CARDS)
