"""The copy of the deck: what a synchronisation changes, and what it must never change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studytool.errors import StorageFull
from studytool.schedule.model import CardState, Rating
from studytool.store import open_store
from studytool.store.order import study_order
from studytool.store.records import SyncReport
from tests.unit.store_kit import DECK, add_cards, answer, located, profile, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studytool.clock import FixedClock
    from studytool.deck.model import Located
    from studytool.paths import Paths
    from studytool.store import Store


@pytest.fixture
def store(paths: Paths, clock: FixedClock) -> Iterator[Store]:
    with open_store(paths, clock) as opened:
        yield opened


def sync(store: Store, *removed: str, **changed: list[Located]) -> SyncReport:
    """Synchronise files named by keyword: `a=[...]` is a.md."""
    files = [(f"{name}.md", f"hash {name} {len(cards)}", cards) for name, cards in changed.items()]
    return store.sync_files(DECK, "folder", files, removed)


def ids(store: Store, *, retired: bool = False) -> list[str]:
    return [one.card.id for one in store.cards(DECK, retired=retired)]


def test_cards_come_back_as_they_went_in(store: Store) -> None:
    card = located("alpha", chapter="one", line=7, needs=["beta"])
    report = sync(store, a=[card, located("gap", cloze=3)])
    assert report == SyncReport(added=2, total=2)
    stored = store.card(DECK, "alpha")
    assert stored is not None
    assert stored.card == card.card
    assert (stored.path, stored.line, stored.content_hash) == ("a.md", 7, card.content_hash)
    sibling = store.card(DECK, "gap/c2")
    assert sibling is not None
    assert sibling.card.id == "gap"
    assert store.card(DECK, "nothing") is None
    assert store.card("another deck", "alpha") is None
    assert store.known_files(DECK) == {"a.md": "hash a 2"}
    assert store.known_files("another deck") == {}


def test_an_edit_keeps_progress_and_the_old_text(store: Store) -> None:
    old, new = located("alpha", answer="Once."), located("alpha", answer="Twice.")
    sync(store, a=[old])
    store.record(answer(store, "alpha"))
    state = store.state("alpha")

    assert sync(store, a=[new]) == SyncReport(changed=1, total=1)

    assert store.state("alpha") == state
    stored = store.card(DECK, "alpha")
    assert stored is not None
    assert stored.card.answer == "Twice."
    assert store.old_text("alpha", old.content_hash) == old.card
    assert store.old_text("alpha", "no such hash") is None


def test_a_move_keeps_progress(store: Store) -> None:
    sync(store, a=[located("alpha"), located("beta")])
    store.record(answer(store, "alpha", Rating.EASY))
    state = store.state("alpha")
    report = sync(store, a=[located("beta")], b=[located("alpha", "b.md")])
    assert report == SyncReport(moved=1, total=2)
    assert store.state("alpha") == state
    assert ids(store) == ["beta", "alpha"]


def test_a_renamed_file_keeps_progress(store: Store) -> None:
    sync(store, a=[located("alpha")])
    store.record(answer(store, "alpha"))
    state = store.state("alpha")
    assert sync(store, "a.md", z=[located("alpha", "z.md")]) == SyncReport(moved=1, total=1)
    assert store.state("alpha") == state
    assert set(store.known_files(DECK)) == {"z.md"}


def test_a_removed_card_is_retired_and_remembers_when_it_returns(store: Store) -> None:
    sync(store, a=[located("alpha"), located("beta")])
    store.record(answer(store, "alpha"))
    state = store.state("alpha")

    assert sync(store, a=[located("beta")]) == SyncReport(retired=1, total=1)
    assert ids(store) == ["beta"]
    assert ids(store, retired=True) == ["alpha"]
    assert store.state("alpha") == state
    retired = store.card(DECK, "alpha")
    assert retired is not None
    assert retired.retired
    assert store.counts(DECK, store.moment()) == (1, 0, 0)

    assert sync(store, a=[located("alpha"), located("beta")]) == SyncReport(added=1, total=2)
    assert store.state("alpha") == state
    assert store.counts(DECK, store.moment()) == (1, 1, 0)


def test_memory_is_shared_between_decks(store: Store) -> None:
    sync(store, a=[located("alpha")])
    store.sync_files("second", "elsewhere", [("x.md", "h", [located("alpha", "x.md")])], [])
    store.record(answer(store, "alpha"))
    now = store.moment()
    assert store.counts(DECK, now) == store.counts("second", now) == (0, 1, 0)
    store.sync_files("third", "later", [("x.md", "h", [located("alpha", "x.md")])], [])
    assert store.counts("third", now) == (0, 1, 0)


def test_siblings_come_and_go_with_the_text(store: Store) -> None:
    sync(store, a=[located("gap", cloze=2)])
    store.record(answer(store, "gap/c2"))
    state = store.state("gap/c2")
    assert store.counts(DECK, store.moment()) == (1, 1, 0)
    sync(store, a=[located("gap", cloze=1)])
    assert store.counts(DECK, store.moment()) == (1, 0, 0)
    sync(store, a=[located("gap", cloze=3)])
    assert store.counts(DECK, store.moment()) == (2, 1, 0)
    assert store.state("gap/c2") == state


def test_an_id_in_two_files(store: Store) -> None:
    """The file that sorts first has it; when that one gives it up, the other takes over."""
    a, b = located("alpha", "a.md", answer="a"), located("alpha", "b.md", answer="b")
    sync(store, b=[b])
    assert sync(store, a=[a]) == SyncReport(changed=1, moved=1, total=1)
    assert store.known_files(DECK)["b.md"] == ""  # to be read again
    assert sync(store, b=[b]) == SyncReport(total=1)
    assert sync(store, a=[], b=[b]) == SyncReport(changed=1, moved=1, total=1)
    assert store.known_files(DECK)["b.md"] == "hash b 1"


def test_nothing_to_do_changes_nothing(store: Store) -> None:
    cards = [located("alpha"), located("gap", cloze=2)]
    sync(store, a=cards)
    before = store.database.raw.total_changes
    assert sync(store) == SyncReport(total=2)
    assert sync(store, a=cards) == SyncReport(total=2)
    assert store.database.raw.total_changes - before <= 3  # the names of the deck and the file


@pytest.mark.parametrize(
    ("needs", "order"),
    [
        ({"a": [], "b": [], "c": []}, "abc"),
        ({"a": ["c"], "b": [], "c": []}, "cab"),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, "cba"),  # a circle, entered at its first card
        ({"a": ["elsewhere"], "b": ["a", "c"], "c": []}, "acb"),
    ],
)
def test_study_order(needs: dict[str, list[str]], order: str) -> None:
    assert study_order(needs) == list(order)


def test_study_order_does_not_recurse() -> None:
    chain = {str(number): [str(number + 1)] for number in range(20_000)}
    assert study_order(chain)[0] == "19999"


names = st.sampled_from(["alpha", "beta", "gamma", "delta", "gap"])
contents = st.builds(
    lambda names, text, needs, chapter: [
        located(
            name, line=n, answer=text, needs=needs, chapter=chapter, cloze=2 if name == "gap" else 0
        )
        for n, name in enumerate(names)
    ],
    st.lists(names, unique=True, max_size=4),
    st.sampled_from(["One.", "Two."]),
    st.lists(names, max_size=1),
    st.sampled_from(["one", "two"]),
)
folders = st.dictionaries(st.sampled_from(["a.md", "b.md", "c.md"]), contents, max_size=3)


@settings(max_examples=25, deadline=None)
@given(st.lists(folders, min_size=1, max_size=4))
def test_the_copy_depends_on_the_files_alone(states: list[dict[str, list[Located]]]) -> None:
    """After any history of edits the copy equals one made from the last state at once.

    Memory stays through all of it, and the counts agree with what can be served.
    """
    with profile() as paths, open_store(paths, start()) as store:
        remembered: dict[str, CardState] = {}
        for number, files in enumerate(states):
            known = store.known_files(DECK)
            hashes = dict.fromkeys(files, f"{number}")  # every file counts as changed …
            if number and files == states[number - 1]:
                hashes = {path: known[path] for path in files}  # … unless nothing happened
            changed = [
                (path, hashes[path], [_at(one, path) for one in cards])
                for path, cards in files.items()
                if known.get(path) != hashes[path]
            ]
            store.sync_files(DECK, "folder", changed, [path for path in known if path not in files])
            for card in list(store.cards(DECK))[:1]:
                memory = f"{card.card.id}/c1" if card.card.id == "gap" else card.card.id
                store.record(answer(store, memory))
                remembered[memory] = store.state(memory)
        assert {card: store.state(card) for card in remembered} == remembered
        fresh = [
            (path, "fresh", [_at(one, path) for one in cards]) for path, cards in states[-1].items()
        ]
        store.sync_files("fresh", "folder", fresh, [])
        assert list(store.cards(DECK)) == list(store.cards("fresh"))
        now = store.moment()
        assert store.chapter_rows(DECK, now) == store.chapter_rows("fresh", now)
        assert store.new_cards(DECK, now) == store.new_cards("fresh", now)
        assert store.due(DECK, now) == store.due("fresh", now)
        assert store.examine().sound


def _at(one: Located, path: str) -> Located:
    return type(one)(one.card, type(one.place)(path, one.place.line), one.content_hash)


def test_many_cards(store: Store) -> None:
    cards = [located(f"card-{n}", line=n) for n in range(500)]
    add_cards(store, *cards)
    assert ids(store) == [f"card-{n}" for n in range(500)]


def test_a_sync_that_fails_leaves_nothing_behind(store: Store) -> None:
    raw = store.database.raw
    raw.execute(f"PRAGMA max_page_count = {raw.execute('PRAGMA page_count').fetchone()[0]}")
    many = [located(f"card-{n}", answer="long " * 500) for n in range(200)]
    with pytest.raises(StorageFull):
        sync(store, a=many)
    raw.execute("PRAGMA max_page_count = 1000000")
    store.sync_files("another", "folder", [("b.md", "h", [located("beta", "b.md")])], [])
    assert ids(store) == []
    assert store.known_files(DECK) == {}
    assert sync(store, a=many).added == 200
    assert store.counts(DECK, store.moment()).new == 200
    assert store.counts("another", store.moment()).new == 1
