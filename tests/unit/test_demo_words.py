"""Events as lines of text."""

from __future__ import annotations

import math
from typing import get_args

import pytest

from studytool.demo import events as ev
from studytool.demo.words import _TELL, MAX_ROWS, Words, cell, measured, number, table, verdict


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (0.123456, "0.1235"),
        (1e-9, "1e-09"),
        (12345.678, "12346"),
        (math.nan, "not a number"),
        (math.inf, "not a number"),
    ],
)
def test_numbers_read_well(value: float, text: str) -> None:
    assert number(value) == text


def test_cells_are_one_line_of_text() -> None:
    cells: list[ev.Cell] = ["two\nlines", None, True, 0.5, 7]

    assert [cell(each) for each in cells] == ["two lines", "–", "yes", "0.5", "7"]


def test_every_event_but_progress_has_words() -> None:
    assert set(_TELL) | {ev.Progress} == set(get_args(ev.Event))


def test_progress_is_told_once_a_tenth_with_the_latest_of_each_curve() -> None:
    words, lines = Words(), []
    for step in range(1, 1001):
        lines += words.lines(ev.Metric("loss", 1 / step, step=step))
        lines += words.lines(ev.Progress(step, 1000))
    lines += words.lines(ev.Metric("loss", 0.5, step=1001))
    lines += words.lines(ev.Done(1.0))

    assert len(lines) == 13
    assert lines[0] == "    0% 1/1000 step · loss 1"
    assert lines[5] == "   50% 500/1000 step · loss 0.002"
    assert lines[-2:] == ["  now · loss 0.5", "done in 1.0 s"]


def test_a_total_of_nothing_is_no_fault() -> None:
    assert Words().lines(ev.Progress(0, 0)) == ["    0% 0/0 step"]


def test_verdicts_need_no_colour() -> None:
    good = ev.claim("c", "it works", 0.7, ">=", 0.65, unit="R@1")
    bad = ev.claim("c", "it works", 0.6, ">=", 0.65)
    myth = ev.claim("c", "more is better", 0.4, ">=", 0.5, expect="refuted")
    true_myth = ev.claim("c", "more is better", 0.6, ">=", 0.5, expect="refuted")

    assert [verdict(each) for each in (good, bad, myth, true_myth)] == [
        "holds",
        "DOES NOT HOLD",
        "refuted, as expected",
        "holds, but was to be refuted",
    ]
    assert measured(good) == "0.7 >= 0.65 R@1"
    assert measured(bad) == "0.6 is not >= 0.65"
    assert Words().lines(bad)[0].startswith("✗ it works")


def test_columns_of_numbers_stand_to_the_right_and_long_tables_are_cut() -> None:
    rows: list[list[ev.Cell]] = [["x", 1.0] for _ in range(MAX_ROWS + 2)]
    rows[:2] = ["king", 0.5], ["queen", 12]
    lines = table(["word", "score"], rows)

    assert lines[:3] == ["  word   score", "  king     0.5", "  queen     12"]
    assert lines[-1] == "  … 2 more rows"
    assert len(lines) == MAX_ROWS + 2


def test_options_are_lettered() -> None:
    lines = Words().lines(ev.Prediction("p", "Which?", ("this", "that")))

    assert lines == ["? Before you see it: Which?", "    a) this   b) that"]


def test_control_characters_never_reach_the_terminal() -> None:
    evil = "\x1b]52;c;aGk=\x07\x1b[31mred\u202e"
    events: list[ev.Event] = [
        ev.Stage(evil, evil),
        ev.Metric(evil, 1, unit=evil),
        ev.Series("s", evil, [ev.Line(evil, [0], [1])], levels={evil: 1}),
        ev.Matrix("m", evil, [[1.0]], rows=[evil], columns=[evil], note=evil),
        ev.Table("t", evil, [evil], [[evil]], note=evil),
        ev.Text("t", evil, evil),
        ev.Image("i", evil, "", 1, 1, caption=evil),
        ev.Graph("g", evil, [evil], [ev.Edge(evil, evil, evil)]),
        ev.Note(evil),
        ev.Prediction("p", evil, (evil,)),
        ev.Outcome("p", evil, evil),
        ev.Claim("c", evil, 1, ">=", 0, True, evil),
        ev.Finding(evil),
        ev.Failed(evil, evil, evil),
    ]
    shown = "\n".join(line for event in events for line in Words().lines(event))

    assert "red" in shown
    assert not set(shown) & {"\x1b", "\x07", "\u202e"}
