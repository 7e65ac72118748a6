"""A graded answer as the user leaves it: ticks by hand, the rating that follows, corrections, why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.deck.model import KeyPoint
from studytool.grading.model import Graded, Number, PointVerdict, Verdict, Voiced
from studytool.schedule.model import Override, Rating
from studytool.services import verdicts
from tests.unit.study_deck import card, cloze

VERDICTS = st.lists(st.sampled_from(list(Verdict)), min_size=1, max_size=6)
HANDS = st.dictionaries(st.integers(0, 5), st.booleans())


def graded(*found: Verdict, weights: tuple[int, ...] = (), **changes: object) -> Graded:
    points = tuple(
        PointVerdict(text=f"p{at}", weight=weights[at] if weights else 1, verdict=one,
                     probability=0.9, wrong="w" if one is Verdict.CONTRADICTED else "")
        for at, one in enumerate(found)
    )  # fmt: skip
    fields: dict[str, object] = {"score": 0.5, "rating": Rating.HARD, "points": points}
    return Graded(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_tick_by_hand_is_the_verdict() -> None:
    first = graded(Verdict.COVERED, Verdict.CONTRADICTED, Verdict.UNSURE, Verdict.MISSED)
    settled = verdicts.settle(first, {0: False, 1: True, 2: True, 3: False})

    assert [point.verdict for point in settled.points] == [
        Verdict.MISSED, Verdict.COVERED, Verdict.COVERED, Verdict.MISSED,
    ]  # fmt: skip
    assert settled.points[1].wrong == ""
    assert (settled.score, settled.rating) == (0.5, Rating.HARD)
    assert verdicts.corrections("c", first, {0: False, 1: True, 2: True, 3: False}) == (
        Override(card="c", point=0, graded="covered", chosen="missed"),
        Override(card="c", point=1, graded="contradicted", chosen="covered"),
        Override(card="c", point=2, graded="unsure", chosen="covered"),
    )


def test_a_box_left_empty_agrees_with_whatever_was_not_found() -> None:
    first = graded(Verdict.CONTRADICTED, Verdict.UNSURE)

    assert verdicts.settle(first, {0: False, 1: False}) is first


def test_a_voiced_misconception_is_again_whatever_is_ticked() -> None:
    first = graded(Verdict.MISSED, voiced=(Voiced("t", "w", "e"),))

    assert verdicts.settle(first, {0: True}).rating is Rating.AGAIN
    assert verdicts.settle(graded(Verdict.MISSED), {0: True}).rating is Rating.EASY


@given(VERDICTS, HANDS)
def test_what_is_ticked_is_what_was_covered_or_ticked_by_hand(
    found: list[Verdict], hands: dict[int, bool]
) -> None:
    first = graded(*found)
    settled = verdicts.settle(first, hands)
    expected = {at for at, one in enumerate(found) if hands.get(at, one is Verdict.COVERED)}

    assert verdicts.ticked(settled) == expected
    assert 0 <= settled.score <= 1
    assert verdicts.settle(settled, hands) == settled
    for one in verdicts.corrections("c", first, hands):
        assert one.graded != one.chosen
        assert one.point in hands


@pytest.mark.parametrize(
    ("graded_", "words"),
    [
        (graded(Verdict.COVERED, Verdict.MISSED), "1 of 2 covered"),
        (graded(Verdict.COVERED, Verdict.MISSED, weights=(3, 1)), "3 of 4 by weight"),
        (graded(Verdict.CONTRADICTED), "contradicts a point"),
        (graded(Verdict.CONTRADICTED, Verdict.CONTRADICTED), "contradicts 2 points"),
        (graded(Verdict.COVERED, voiced=(Voiced("t", "w", "e"),)), "voices a misconception"),
        (graded(Verdict.UNSURE, rating=None), "too much is unsure"),
        (graded(Verdict.MISSED, rating=Rating.AGAIN, gates=("stuffed",)), "a list of keywords"),
        (graded(Verdict.COVERED, gates=("one-unit",)), "1 of 1 covered"),
        (graded(number=Number(False, "7")), "the number is wrong"),
        (graded(number=Number(False, "")), "no number is given"),
        (graded(number=Number(True, "7")), "the number is right"),
    ],
)
def test_why_in_a_few_words(graded_: Graded, words: str) -> None:
    assert verdicts.reason(graded_) == words
    assert len(words) <= 26, "it stands beside four ratings on 80 columns"


def test_verdicts_are_on_the_points_only_where_they_name_them() -> None:
    one = card("a", key_points=(KeyPoint(1, "p0"), KeyPoint(1, "p1")))

    assert verdicts.fits(graded(Verdict.MISSED, Verdict.MISSED), one)
    assert not verdicts.fits(graded(Verdict.MISSED), one)
    assert not verdicts.fits(graded(), card("b", key_points=()))
    assert not verdicts.fits(graded(Verdict.MISSED), cloze("gaps", 1))


@pytest.mark.parametrize(
    ("answer", "alone"),
    [("7", True), ("7 MB a token", True), ("it is 7 because of the heads", False)],
)
def test_a_number_alone_is_checked_exactly(answer: str, alone: bool) -> None:
    first = graded(Verdict.MISSED, number=Number(True, "7"))
    found = verdicts.number_alone(first, answer)

    assert (found.rating is Rating.GOOD and not found.points) == alone


def test_what_to_install_is_said_where_that_helps() -> None:
    assert verdicts.only_words("") == ""
    assert verdicts.INSTALL in verdicts.only_words("numpy not installed")
    assert verdicts.INSTALL not in verdicts.only_words("there is no file x")
