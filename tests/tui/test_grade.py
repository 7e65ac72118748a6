"""What the screen suggests from ticks, options and numbers."""

from __future__ import annotations

import pytest

from studytool.deck.model import KeyPoint, Option, Result
from studytool.schedule.model import Rating
from studytool.tui import grade

POINTS = (KeyPoint(2, "a"), KeyPoint(1, "b"), KeyPoint(1, "c"))
OPTIONS = (Option("a", True), Option("b", False), Option("c", True))


@pytest.mark.parametrize(
    ("ticked", "rating"),
    [
        (set(), None),
        ({1}, Rating.AGAIN),
        ({0}, Rating.HARD),
        ({0, 1}, Rating.GOOD),
        ({0, 1, 2}, Rating.GOOD),
    ],
)
def test_by_points(ticked: set[int], rating: Rating | None) -> None:
    assert grade.by_points(POINTS, ticked) is rating


def test_no_points_no_suggestion() -> None:
    assert grade.by_points((), {0}) is None


@pytest.mark.parametrize(
    ("chosen", "rating"),
    [(set(), None), ({0}, Rating.AGAIN), ({0, 2}, Rating.GOOD), ({0, 1, 2}, Rating.AGAIN)],
)
def test_by_options(chosen: set[int], rating: Rating | None) -> None:
    assert grade.by_options(OPTIONS, chosen) is rating


@pytest.mark.parametrize(
    ("text", "value"),
    [("5.545", 5.545), ("5,545", 5.545), (" 10 000 ", 10_000), ("1e-3", 1e-3), ("-2", -2)],
)
def test_numbers_as_people_write_them(text: str, value: float) -> None:
    assert grade.read_number(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "abc", "1.2.3", "nan", "inf", "1,2,3"])
def test_what_is_no_number(text: str) -> None:
    assert grade.read_number(text) is None


@pytest.mark.parametrize(
    ("text", "rating"),
    [("0.35", Rating.GOOD), ("0.25", Rating.GOOD), ("0.36", Rating.AGAIN), ("x", None)],
)
def test_the_tolerance_holds_at_both_ends(text: str, rating: Rating | None) -> None:
    assert grade.by_number(text, Result(0.3, 0.05, "nats")) is rating
