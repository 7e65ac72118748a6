"""The fast reader of plain TOML agrees with tomllib wherever it gives an answer."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studytool.deck.plain_toml import read_plain
from studytool.deck.render import canonical_card
from tests.deck.strategies import cards

_VALUES = st.sampled_from(
    [
        '"a"',
        '""',
        "1",
        "-1",
        "0",
        "01",
        "1.5",
        "-0.0",
        "1.",
        "1e3",
        "true",
        "false",
        "True",
        "inf",
        "2026-11-23",
        "2026-02-30",
        "2026-11-23T10:00:00",
        '["a", "b"]',
        "[]",
        "[1]",
        '["a",]',
        '{ a = "x, b = 1", b = 2 }',
        "{}",
        "{ a = 1, a = 2 }",
        '"a\\n"',
        '"a" # c',
        "'a'",
        '"""a"""',
        '"é\u2028"',
        "9999999999999999999",
    ]
)
_KEYS = st.sampled_from(["a", "b-c", "d_1", "9", '"q"', "a.b", ""])
_ROWS = st.one_of(
    st.tuples(_KEYS, _VALUES).map(" = ".join), st.just(""), st.just("[t]"), st.text(max_size=12)
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_ROWS.filter(lambda row: "\n" not in row and "\r" not in row), max_size=4))
def test_agrees_with_tomllib(rows: list[str]) -> None:
    plain = read_plain(rows)

    if plain is not None:
        reference = tomllib.loads("\n".join(rows))
        assert plain == reference
        assert repr(plain) == repr(reference)


@settings(max_examples=20, deadline=None)
@given(cards)
def test_agrees_with_tomllib_on_the_tables_of_cards(card: object) -> None:
    rows = canonical_card(card).split("\n```\n", 1)[0].split("\n")[2:]  # type: ignore[arg-type]
    plain = read_plain(rows)

    if plain is not None:
        assert plain == tomllib.loads("\n".join(rows))


@pytest.mark.parametrize(
    "row",
    [
        'level = "easy"',
        "checked = 2026-11-23",
        'tags = ["a", "b"]',
        'sources = { a = "x", b = "y" }',
        "x = -0.5",
    ],
)
def test_takes_the_rows_that_cards_have(row: str) -> None:
    assert read_plain([row]) == tomllib.loads(row)


@pytest.mark.parametrize(
    "row", ["", "a=1", 'a = "b" # c', "a = 2026-02-30", "[table]", 'a = "\\u0041"']
)
def test_leaves_the_rest_to_tomllib(row: str) -> None:
    assert read_plain([row]) is None
