"""Siblings of a cloze card and their faces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.deck import cloze
from studytool.deck.model import CardId, Kind
from tests.deck.strategies import card

CLOZE = card(
    kind=Kind.CLOZE,
    question="How does {{c2::BERT}} mask?",
    prompt="It masks {{c1::15 %::a share}} of the tokens, and {{c1::80 %}} of these get [MASK].",
    answer="Fifteen in a hundred.",
)


def test_each_number_is_one_sibling() -> None:
    assert cloze.sibling_ids(CLOZE) == ("clip-a/c1", "clip-a/c2")
    assert cloze.sibling_ids(card()) == ("clip-a",)
    assert cloze.sibling_ids(card(kind=Kind.CLOZE)) == ("clip-a",)


def test_a_sibling_hides_its_own_and_shows_the_rest() -> None:
    prompt, answer = cloze.face(CLOZE, "clip-a/c1")

    assert (
        prompt
        == "How does BERT mask?\n\nIt masks [a share] of the tokens, and […] of these get [MASK]."
    )
    assert answer == "15 %; 80 %\n\nFifteen in a hundred."

    prompt, answer = cloze.face(CLOZE, "clip-a/c2")
    assert prompt.startswith("How does […] mask?\n\nIt masks 15 %")
    assert answer.startswith("BERT\n\n")


def test_a_deletion_in_the_answer_makes_the_answer_part_of_the_question() -> None:
    one = card(kind=Kind.CLOZE, answer="It starts at {{c1::0.07}} and is {{c2::trained}}.")

    assert cloze.face(one, "clip-a/c1") == (
        "Why?\n\nIt starts at […] and is trained.",
        "0.07\n\nIt starts at 0.07 and is trained.",
    )


def test_a_plain_card_shows_its_prompt_under_its_question() -> None:
    assert cloze.face(card(prompt="Given x."), "clip-a") == ("Why?\n\nGiven x.", card().answer)
    assert cloze.face(card(kind=Kind.CLOZE), "clip-a") == ("Why?", card().answer)
    assert cloze.face(card(id=CardId("odd/id")), "odd/id")[0] == "Why?"


def test_a_sibling_of_another_card_is_refused() -> None:
    with pytest.raises(ValueError, match="clip-b/c1"):
        cloze.face(CLOZE, "clip-b/c1")


def test_what_can_not_be_read_is_found() -> None:
    assert cloze.broken("{{c1:x}} {{c2::ok}} {{c3::open") == (0, 20)
    assert cloze.deletions("{{c1::a::b::c}}") == ()
    assert cloze.base_id("clip-a/c1") == cloze.base_id("clip-a") == "clip-a"


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.text("ab \n", min_size=1, max_size=4)),
        min_size=1,
        max_size=5,
    )
)
def test_every_deletion_is_hidden_once_and_revealed_always(parts: list[tuple[int, str]]) -> None:
    text = " ".join(f"<{{{{c{number}::{hidden}}}}}>" for number, hidden in parts)
    one = card(kind=Kind.CLOZE, prompt=text)
    shown = " ".join(f"<{hidden}>" for _, hidden in parts)

    assert cloze.revealed(text) == shown
    gaps = [cloze.face(one, sibling)[0].count(cloze.GAP) for sibling in cloze.sibling_ids(one)]
    assert sum(gaps) == len(parts)
