"""Lines of text: bars, sparklines, numbers, two ends of a line."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from studytool.tui import text


@given(st.floats(-1, 2), st.integers(0, 60))
def test_bar_has_its_width(part: float, width: int) -> None:
    full, empty = text.bar(part, width)
    assert len(full) + len(empty) == width
    assert not set(full) & set(empty)


def test_bar_fills_with_the_part() -> None:
    assert [len(text.bar(part, 10)[0]) for part in (0.0, 0.5, 1.0, 7.0)] == [0, 5, 10, 10]


@pytest.mark.parametrize(
    ("values", "shown"),
    [((), ""), ((0, 0), "▁▁"), ((1, 2, 4), "▃▅█"), ((7,), "█"), ((-3, 3), "▁█")],
)
def test_spark(values: tuple[int, ...], shown: str) -> None:
    assert text.spark(values) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (12.0, "12"),
        (2790.0, "2,790"),
        (0.7123, "0.712"),
        (0.003, "0.003"),
        (123456.7, "123,457"),
        (0.0000123, "1.23e-05"),
        (math.nan, "n/a"),
        (math.inf, "n/a"),
    ],
)
def test_number(value: float, shown: str) -> None:
    assert text.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0:00"), (41.9, "0:41"), (725, "12:05"), (3723, "1:02:03")]
)
def test_seconds(value: float, shown: str) -> None:
    assert text.seconds(value) == shown


@given(st.text(max_size=40), st.text(max_size=20), st.integers(8, 80))
def test_spread_never_exceeds_the_width(left: str, right: str, width: int) -> None:
    line = text.spread(text.plain_line(left), text.plain_line(right), width)
    assert line.cell_length <= width


def test_spread_keeps_the_right_end() -> None:
    line = text.spread(Content("a long heading that gives way"), Content("7 / 24"), 20)
    assert line.plain.endswith("7 / 24")
    assert "…" in line.plain


@given(st.text(max_size=80), st.integers(6, 40))
def test_hang_keeps_every_line_in_the_width(words: str, width: int) -> None:
    lines = text.hang(text.plain_line(words), width, "✗ ")
    assert all(line.cell_length <= width for line in lines)
    assert lines[0].plain.startswith("✗ ")
    assert all(line.plain.startswith("  ") for line in lines[1:])


def test_foreign_text_loses_controls_and_keeps_markup_as_text() -> None:
    shown = text.plain("[red]a[/red]\x1b[31mb\x1b[0m\u202ec").plain
    assert shown == "[red]a[/red]bc"


def test_count() -> None:
    assert [text.count(n, "card") for n in (0, 1, 1200)] == ["0 cards", "1 card", "1,200 cards"]
