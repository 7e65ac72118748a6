"""The order of a session, and the load of the coming days."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from studytool.schedule.load import forecast
from studytool.schedule.model import CardState, Phase
from studytool.schedule.queue import Limits, build

DAY = 739_943
NOW = DAY * 86_400_000


class Row(msgspec.Struct, frozen=True):
    card_id: str
    chapter: str = "a"
    phase: Phase = Phase.REVIEW
    stability: float | None = None
    last_day: int | None = None
    due_at: int | None = None
    base: str = ""

    @property
    def base_id(self) -> str:
        return self.base or self.card_id


def seen(card_id: str, chapter: str = "a", stability: float = 10.0, ago: int = 10) -> Row:
    return Row(card_id, chapter, Phase.REVIEW, stability, DAY - ago)


def new(card_id: str, chapter: str = "a", base: str = "") -> Row:
    return Row(card_id, chapter, Phase.NEW, base=base)


def order(*rows: Row, seed: str = "739943", **limits: int | bool | None) -> tuple[str, ...]:
    return build(rows, Limits(**limits), DAY, NOW, seed)  # type: ignore[arg-type]


def test_learning_comes_first_by_its_time() -> None:
    rows = (
        seen("r"),
        Row("late", phase=Phase.LEARNING, due_at=NOW - 1_000),
        Row("early", phase=Phase.RELEARNING, due_at=NOW - 9_000),
        Row("not yet", phase=Phase.LEARNING, due_at=NOW + 1),
    )
    assert order(*rows) == ("early", "late", "r")


def test_the_most_endangered_review_comes_first() -> None:
    rows = (seen("safe", stability=100.0), seen("lost", stability=1.0), seen("so-so"))

    assert order(*rows) == ("lost", "so-so", "safe")
    assert order(*rows, review=1) == ("lost",)


def test_new_cards_are_spread_among_the_reviews_in_deck_order() -> None:
    rows = [seen(f"r{n}") for n in range(8)] + [new(f"n{n}") for n in range(2)]

    places = [index for index, card in enumerate(order(*rows)) if card.startswith("n")]

    assert [order(*rows)[place] for place in places] == ["n0", "n1"]
    assert places == [2, 7]


def test_limits_leave_learning_alone() -> None:
    rows = [seen(f"r{n}") for n in range(5)] + [new(f"n{n}") for n in range(5)]
    learning = Row("l", phase=Phase.LEARNING, due_at=NOW)

    chosen = order(*rows, learning, new=2, review=0)

    assert chosen == ("l", "n0", "n1")


def test_one_sibling_a_day() -> None:
    rows = (new("x/c1", base="x"), new("x/c2", base="x"), new("y"))

    assert set(order(*rows)) == {"x/c1", "y"}
    learning = Row("x/c3", phase=Phase.LEARNING, due_at=NOW, base="x")
    assert set(order(*rows, learning)) == {"x/c3", "y"}


def test_siblings_come_late_when_they_are_not_buried() -> None:
    rows = (new("x/c1", base="x"), new("x/c2", base="x"), new("y"), new("z"))

    assert order(*rows, bury_siblings=False)[-1] == "x/c2"


def test_chapters_alternate() -> None:
    rows = [seen(f"a{n}", "a", stability=1 + n) for n in range(5)]
    rows += [seen(f"b{n}", "b", stability=50 + n) for n in range(5)]

    chapters = [card[0] for card in order(*rows)]

    assert chapters == ["a", "b"] * 5


def test_another_day_another_order_among_equals() -> None:
    rows = [seen(f"r{n}", f"c{n % 4}") for n in range(20)]

    assert order(*rows, seed="1") == order(*rows, seed="1")
    assert order(*rows, seed="1") != order(*rows, seed="2")


rows = st.lists(
    st.builds(
        Row,
        card_id=st.integers(0, 10**6).map(str),
        chapter=st.sampled_from("aaabbc"),
        phase=st.sampled_from([Phase.REVIEW, Phase.NEW]),
        stability=st.none() | st.floats(0.1, 1_000),
        last_day=st.integers(DAY - 900, DAY),
        base=st.just("") | st.sampled_from(["s", "t"]),
    ),
    max_size=40,
    unique_by=lambda row: row.card_id,
)
limits = st.builds(
    Limits,
    new=st.none() | st.integers(0, 20),
    review=st.none() | st.integers(0, 20),
    bury_siblings=st.booleans(),
)


@given(rows, limits, st.randoms(use_true_random=False))
def test_a_queue_is_a_permutation_of_what_the_limits_allow(
    cards: list[Row], allowed: Limits, dice: random.Random
) -> None:
    chosen = build(cards, allowed, DAY, NOW, "seed")
    by_id = {row.card_id: row for row in cards}
    phases = Counter(by_id[card].phase for card in chosen)

    assert len(set(chosen)) == len(chosen)
    assert allowed.new is None or phases[Phase.NEW] <= allowed.new
    assert allowed.review is None or phases[Phase.REVIEW] <= allowed.review
    if allowed.bury_siblings:
        assert len({by_id[card].base_id for card in chosen}) == len(chosen)
    elif allowed.new is None and allowed.review is None:
        assert set(chosen) == set(by_id)

    reviews = [row for row in cards if row.phase is Phase.REVIEW]
    others = [row for row in cards if row.phase is not Phase.REVIEW]
    dice.shuffle(reviews)
    assert build([*reviews, *others], allowed, DAY, NOW, "seed") == chosen


@given(rows)
def test_neighbours_share_a_chapter_only_when_that_cannot_be_avoided(cards: list[Row]) -> None:
    without_siblings = [msgspec.structs.replace(row, base="") for row in cards]
    chapter = {row.card_id: row.chapter for row in without_siblings}

    served = [chapter[card] for card in build(without_siblings, Limits(), DAY, NOW, "seed")]

    pairs = sum(one == two for one, two in itertools.pairwise(served))
    most = max(Counter(served).values(), default=0)
    assert pairs == max(0, most - (len(served) - most) - 1)


@given(rows)
def test_new_cards_of_a_chapter_keep_the_order_of_the_deck(cards: list[Row]) -> None:
    chosen = build(cards, Limits(), DAY, NOW, "seed")

    for chapter in "abc":
        deck = [row.card_id for row in cards if row.phase is Phase.NEW and row.chapter == chapter]
        assert [card for card in chosen if card in deck] == [
            card for card in deck if card in chosen
        ]


def test_forecast() -> None:
    states = [
        CardState(),
        CardState(phase=Phase.REVIEW, due_day=DAY - 5),
        CardState(phase=Phase.REVIEW, due_day=DAY),
        CardState(phase=Phase.REVIEW, due_day=DAY, buried_day=DAY),
        CardState(phase=Phase.REVIEW, due_day=DAY + 1, suspended=True),
        CardState(phase=Phase.LEARNING, due_at=NOW + 60_000),
        CardState(phase=Phase.RELEARNING, due_at=NOW, due_day=DAY + 2),
        CardState(phase=Phase.REVIEW, due_day=DAY + 3),
    ]
    assert forecast(states, DAY, 3) == (3, 1, 1)
    assert forecast(states, DAY, 0) == ()
