"""The store against the `anki` package, in one run: CPU per card studied, and counts at 100k.

    pytest -m bench tests/benchmarks/test_store_speed.py -s
    STUDYTOOL_BENCH_CARDS=2000 STUDYTOOL_BENCH_ANSWERS=200 pytest -m bench …     # a quick look

A step is what a reviewer waits for: the next card of a queue that stands, its four intervals, the
answer, the commit with one fsync; "shown" adds the text of question and answer, which Anki renders
and we decode. Half of the cards are new and half are due reviews. Steps alternate between the two
programs, so that both meet the same machine; CPU time of the whole process is what is compared.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from studytool.deck.model import Card, CardId, Kind, Level, Located, Place
from studytool.paths import Paths
from studytool.schedule import scheduler
from studytool.schedule.fsrs import DEFAULT_WEIGHTS
from studytool.schedule.model import Policy, Rating, Review, Rollover
from studytool.store import Store, open_store, peek

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from studytool.clock import FixedClock

pytestmark = pytest.mark.bench

SIZES = [int(n) for n in os.environ.get("STUDYTOOL_BENCH_CARDS", "10000,100000").split(",")]
ANSWERS = int(os.environ.get("STUDYTOOL_BENCH_ANSWERS", "2000"))
DECK = "bench"
ANSWER = "A sentence of an answer, long enough to be one that somebody would say. " * 6
RATINGS = (Rating.GOOD, Rating.GOOD, Rating.EASY, Rating.AGAIN, Rating.HARD)


def located(number: int, path: str) -> Located:
    card = Card(
        id=CardId(f"card-{number:06}"),
        question=f"What is question number {number} about?",
        chapter=f"chapter-{number % 12:02}",
        area="A",
        topic="topic",
        level=Level.MEDIUM,
        kind=Kind.EXPLAIN,
        answer=ANSWER,
        no_demo="a benchmark",
    )
    return Located(card, Place(path, number % 100 * 20 + 1), f"{number:032x}")


def fill(store: Store, cards: int) -> None:
    files = [
        (path, "hash", [located(number, path) for number in range(start, min(start + 100, cards))])
        for start in range(0, cards, 100)
        if (path := f"file-{start:06}.md")
    ]
    store.sync_files(DECK, "bench", files, [])


@pytest.fixture(params=SIZES, ids=lambda cards: f"{cards}-cards")
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[Store]:
    paths = Paths(*(tmp_path / name for name in ("data", "config", "cache", "state")))
    with open_store(paths, clock) as opened:
        fill(opened, request.param)
        yield opened


def grow_up(store: Store, clock: FixedClock, cards: int, days: int) -> None:
    """Give so many cards a first review, long enough ago that they are due."""
    plain = Policy(weights=DEFAULT_WEIGHTS, learning_steps=(), relearning_steps=())
    name = store.ensure_policy(plain)
    rows = store.new_cards(DECK, store.moment(), limit=cards)
    for start in range(0, len(rows), 1000):
        store.record_many(
            [
                Review(card=row.card_id, rating=RATINGS[n % 5], duration_ms=1, policy=name)
                for n, row in enumerate(rows[start : start + 1000])
            ]
        )
    clock.advance(timedelta(days=days))


def our_step(store: Store, *, shown: bool) -> Callable[[int], None]:
    """Study the next card of a queue that was built once, as a session does."""
    policy = Policy(weights=DEFAULT_WEIGHTS)
    name = store.ensure_policy(policy)
    due = store.due(DECK, store.moment())
    new = store.new_cards(DECK, store.moment(), limit=ANSWERS)
    queue = [row for pair in zip(due, new, strict=False) for row in pair]
    rollover = Rollover(store.moment().at_ms + 10 * 3_600_000)

    def step(number: int) -> None:
        row = queue[number]
        seed = uuid4().hex
        if shown:
            assert store.card(DECK, row.card_id) is not None
        before = store.state(row.card_id)
        scheduler.preview(before, store.moment(), policy, seed, rollover)
        store.record(
            Review(
                card=row.card_id,
                rating=RATINGS[number % len(RATINGS)],
                duration_ms=4000,
                policy=name,
                content_hash=seed,
                day_ends_at=rollover.ends_at,
                before=before,
            ),
            uuid=seed,
        )

    return step


def anki_step(folder: Path, cards: int, *, shown: bool) -> tuple[Any, Callable[[int], None]]:
    """A collection of as many cards with FSRS on, half of it due, and one step of its reviewer."""
    collection_module = pytest.importorskip("anki.collection")
    cards_module = pytest.importorskip("anki.cards")
    collection = collection_module.Collection(str(folder / "collection.anki2"))
    basic = collection.models.by_name("Basic")
    deck = collection.decks.id("bench")
    for start in range(0, cards, 5000):
        requests = []
        for number in range(start, min(start + 5000, cards)):
            note = collection.new_note(basic)
            note["Front"] = f"What is question number {number} about?"
            note["Back"] = ANSWER
            requests.append(collection_module.AddNoteRequest(note=note, deck_id=deck))
        collection.add_notes(requests)
    limits = collection.decks.config_dict_for_deck_id(deck)
    limits["new"]["perDay"] = limits["rev"]["perDay"] = 9999
    collection.decks.save(limits)
    collection.decks.select(deck)
    collection.set_config("fsrs", True)
    collection.db.execute(
        "UPDATE cards SET type = 2, queue = 2, ivl = 10, reps = 3, due = ?, data = ? "
        "WHERE id IN (SELECT id FROM cards LIMIT ?)",
        collection.sched.today - 2,
        '{"s":10.0,"d":5.0}',
        cards // 2,
    )
    collection.close()
    collection = collection_module.Collection(str(folder / "collection.anki2"))
    answers = [int(rating) - 1 for rating in RATINGS]  # Anki counts its four buttons from 0

    def step(number: int) -> None:
        queued = collection.sched.get_queued_cards(fetch_limit=1).cards[0]
        card = cards_module.Card(collection, backend_card=queued.card)
        card.start_timer()
        if shown:
            assert card.question()
            assert card.answer()
        answer = collection.sched.build_answer(
            card=card, states=queued.states, rating=answers[number % len(answers)]
        )
        collection.sched.answer_card(answer)

    return collection, step


def cpu_us(work: Callable[[], object]) -> float:
    """CPU time of the whole process, in microseconds."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1000


@pytest.mark.parametrize("shown", [False, True], ids=["bare", "shown"])
def test_next_answer_commit_against_anki(
    store: Store,
    clock: FixedClock,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    shown: bool,
) -> None:
    cards = request.node.callspec.params["store"]
    grow_up(store, clock, cards // 2, days=30)
    collection, theirs = anki_step(tmp_path, cards, shown=shown)
    ours = our_step(store, shown=shown)
    warm = 20
    answers = min(ANSWERS, cards // 2)
    for number in range(warm):
        ours(number)
        theirs(number)
    gc.collect()
    mine: list[float] = []
    anki: list[float] = []
    for number in range(warm, answers):
        mine.append(cpu_us(partial(ours, number)))
        anki.append(cpu_us(partial(theirs, number)))
    collection.close()
    median = statistics.median(mine) / statistics.median(anki)
    print(
        f"\n{cards} cards, {'shown' if shown else 'bare'}, {len(mine)} steps, CPU us: ours median "
        f"{statistics.median(mine):.0f} mean {statistics.mean(mine):.0f}; anki median "
        f"{statistics.median(anki):.0f} mean {statistics.mean(anki):.0f}; "
        f"ratio of medians {median:.2f}, of totals {sum(mine) / sum(anki):.2f} (bar 1.0)"
    )
    assert store.days(0, 10**7)[-1].reviews == answers


def test_counts(store: Store, clock: FixedClock, request: pytest.FixtureRequest) -> None:
    """Half the cards in review over many days: the counts of `due`, connection included."""
    cards = request.node.callspec.params["store"]
    grow_up(store, clock, cards // 2, days=4)
    later = store.moment()
    counted = store.counts(DECK, later)
    runs = [cpu_us(lambda: peek.peek_counts(store.paths.database, DECK, later)) for _ in range(50)]
    whole = [
        cpu_us(lambda: peek.peek_overview(store.paths.database, DECK, later)) for _ in range(50)
    ]
    print(
        f"\n{cards} cards, {counted.review} due: counts {statistics.median(runs) / 1000:.2f} ms CPU "
        f"(bar 5), all first numbers of Home {statistics.median(whole) / 1000:.2f} ms CPU"
    )
    assert peek.peek_counts(store.paths.database, DECK, later) == counted
    assert counted.review > 0


def test_sync(store: Store, request: pytest.FixtureRequest) -> None:
    """A deck of this size: first synchronisation, and one in which a single file changed."""
    cards = request.node.callspec.params["store"]
    first = time.perf_counter()
    cpu = cpu_us(lambda: store.sync_files("second", "bench", _files(cards), []))
    first = time.perf_counter() - first
    one = _files(100)
    again = time.perf_counter()
    store.sync_files("second", "bench", one, [])
    again = time.perf_counter() - again
    known = cpu_us(lambda: store.known_files("second"))
    print(
        f"\n{cards} cards: first sync {first:.2f} s wall, {cpu / 1e6:.2f} s CPU; one file "
        f"{again * 1000:.0f} ms; known_files {known / 1000:.1f} ms"
    )
    assert len(store.known_files("second")) == (cards + 99) // 100


def _files(cards: int) -> list[tuple[str, str, list[Located]]]:
    return [
        (
            f"file-{start:06}.md",
            "hash",
            [located(n, f"file-{start:06}.md") for n in range(start, min(start + 100, cards))],
        )
        for start in range(0, cards, 100)
    ]
