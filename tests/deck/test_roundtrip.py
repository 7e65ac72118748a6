"""What is written reads back the same, and whatever is read never breaks the reader."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studytool.deck.model import Card, Wrong
from studytool.deck.parse import parse_document, parse_file
from studytool.deck.render import UnwritableCard, render_card, render_file, unwritable
from tests.deck.strategies import HEAD, card, cards, file_texts


def examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


def reads_back(one: Card) -> None:
    found, faults = parse_file(render_file(HEAD, [one]), "a.md")

    assert not faults
    assert [located.card for located in found] == [one]


@examples(30)
@given(cards)
def test_one_card_reads_back_as_written(one: Card) -> None:
    reads_back(one)


@pytest.mark.long
@examples(3_000)
@given(cards)
def test_three_thousand_cards_read_back_as_written(one: Card) -> None:
    reads_back(one)


@examples(10)
@given(st.lists(cards, max_size=2))
def test_a_file_reads_back_as_written_and_formats_to_itself(several: list[Card]) -> None:
    text = render_file(HEAD, several)
    document = parse_document(text, "a.md")

    assert document.head == HEAD
    assert [located.card for located in document.cards] == several
    assert render_file(HEAD, [located.card for located in document.cards]) == text


@examples(200)
@given(st.one_of(st.text(), file_texts))
def test_no_text_breaks_the_parser(text: str) -> None:
    document = parse_document(text, "a.md")

    last = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    assert all(1 <= fault.place.line <= last for fault in document.faults)
    assert document.cards or document.faults


@examples(30)
@given(cards, st.data())
def test_whatever_is_read_can_be_written(one: Card, data: st.DataObject) -> None:
    damage_and_read(one, data)


@pytest.mark.long
@examples(3_000)
@given(cards, st.data())
def test_whatever_is_read_can_be_written_at_length(one: Card, data: st.DataObject) -> None:
    damage_and_read(one, data)


def damage_and_read(one: Card, data: st.DataObject) -> None:
    """Put odd lines into a card's text: what still parses must be writable and read the same."""
    rows = render_file(HEAD, [one]).split("\n")
    at = data.draw(st.integers(0, len(rows)))
    cut = data.draw(st.integers(0, 3))
    rows[at : at + cut] = data.draw(file_texts).split("\n")
    document = parse_document("\n".join(rows), "a.md")

    for located in document.cards:
        assert list(unwritable(located.card)) == []
    if document.head is not None and document.cards:
        again = render_file(document.head, [located.card for located in document.cards])
        assert [x.card for x in parse_file(again, "b.md")[0]] == [x.card for x in document.cards]


@pytest.mark.parametrize(
    "changes",
    [
        {"answer": "one\n## Another card {#other}\ntwo"},
        {"answer": "one\n### Deeper"},
        {"answer": "```\nnever closed"},
        {"answer": "<!-- never closed"},
        {"answer": "```\n## A {#a}\n```toml\n```\n"},
        {"answer": "ends with a blank line\n"},
        {"answer": ""},
        {"deeper": "\nstarts with a blank line"},
        {"question": "two\nlines"},
        {"question": " padded"},
        {"misconceptions": (Wrong("a (why: b) c", "d"),)},
        {"misconceptions": (Wrong("a", " padded"),)},
        {"params": {"x": float("nan")}},
        {"params": {"x": 2**63}},
        {"follow_ups": ("two words",)},
        {"tags": ("",)},
        {"answer": "a\rb"},
        {"answer": "a\0b"},
        {"answer": "\ud800"},
    ],
)
def test_text_without_a_place_in_the_format_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(UnwritableCard, match="clip-a"):
        render_card(card(**changes))


def test_the_content_hash_follows_the_text_not_its_layout() -> None:
    text = render_file(HEAD, [card()])
    loose = text.replace("### Answer\n", "### Answer\n\n\n")
    other = text.replace("It is so\n", "It is thus\n")

    (first,), (same,), (changed,) = (parse_file(t, "a.md")[0] for t in (text, loose, other))
    assert first.content_hash == same.content_hash != changed.content_hash
    assert len(first.content_hash) == 32
