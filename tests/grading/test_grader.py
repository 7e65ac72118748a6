"""Whole verdicts: on words alone, and with the encoder where it is installed."""

from __future__ import annotations

import time
from functools import cache

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studytool.grading.calibration import Calibration
from studytool.grading.encoder import OnnxEncoder, load_encoder
from studytool.grading.grader import Grader
from studytool.grading.model import Graded, Verdict
from studytool.schedule.model import Rating
from tests.grading import sample
from tests.grading.test_gates import KEYWORDS

EVERYTHING_ODD = [
    "", " \n\t", "\x00\x07\x1b[31m", "?!…", "42", "x = f(y)\nreturn x @ w", "```\nwhile True: pass\n```",
    "Дрожжи сбраживают сахар и выделяют углекислый газ.", "酵母は糖を発酵させ、二酸化炭素を出す。",
    "الخميرة تخمر السكر", "🍞" * 50, "a" * 5_000, "the " * 3_000, "\ud800 half a pair",
    "{" * 400, "not " * 500, "- \n" * 500, "," * 2_000,
]  # fmt: skip


@cache
def neural() -> Grader:
    encoder = load_encoder()
    if not isinstance(encoder, OnnxEncoder):
        pytest.skip(encoder.reason)
    return Grader(encoder)


@cache
def lexical() -> Grader:
    return Grader()


@pytest.fixture(params=["lexical", "neural"])
def grader(request: pytest.FixtureRequest) -> Grader:
    return lexical() if request.param == "lexical" else neural()


def check(graded: Graded, answer: str) -> None:
    """What must hold of every verdict."""
    assert 0 <= graded.score <= 1
    assert all(point.evidence in answer for point in graded.points)
    assert all(voiced.evidence in answer for voiced in graded.voiced)
    assert all(0 <= point.probability <= 1 for point in graded.points)
    assert msgspec.json.decode(msgspec.json.encode(graded), type=Graded) == graded


def test_a_good_answer(grader: Grader) -> None:
    graded = grader.grade(sample.card(), sample.GOOD)

    assert [point.verdict for point in graded.points] == [Verdict.COVERED, Verdict.COVERED]
    assert graded.score == 1
    assert graded.rating is Rating.EASY
    assert "carbon dioxide" in graded.points[0].evidence
    check(graded, sample.GOOD)


def test_mistakes_voiced(grader: Grader) -> None:
    graded = grader.grade(sample.card(), sample.WRONG)

    assert Verdict.COVERED not in {point.verdict for point in graded.points}
    assert graded.score < 0.35
    check(graded, sample.WRONG)


@pytest.mark.parametrize("answer", [KEYWORDS, "Why does bread dough rise? The bread dough rises."])
def test_keywords_and_echoes_earn_nothing(grader: Grader, answer: str) -> None:
    graded = grader.grade(sample.card(), answer)

    assert graded.score == 0
    assert graded.rating is Rating.AGAIN
    assert graded.gates[0] in ("stuffed", "echo")


@pytest.mark.parametrize("answer", EVERYTHING_ODD, ids=range(len(EVERYTHING_ODD)))
def test_odd_answers_get_a_verdict(grader: Grader, answer: str) -> None:
    graded = grader.grade(sample.card(), answer)

    assert graded.score < 0.6
    check(graded, answer)


def test_an_empty_answer(grader: Grader) -> None:
    graded = grader.grade(sample.card(), "")

    assert graded.gates == ("empty",)
    assert (graded.score, graded.rating) == (0, Rating.AGAIN)


@pytest.mark.parametrize("piece", [sample.GOOD + " ", "gas, ", "a", "it is not so, that's wrong. "])
def test_a_long_answer_takes_bounded_time(piece: str) -> None:
    answer = piece * (70_000 // len(piece))
    started = time.process_time()

    graded = lexical().grade(sample.card(), answer)

    assert "too-long" in graded.gates
    assert time.process_time() - started < 5
    check(graded, answer)


def test_cards_with_nothing_but_an_answer(grader: Grader) -> None:
    card = sample.card(key_points=())

    graded = grader.grade(card, sample.GOOD)

    assert len(graded.points) == 2
    assert graded.score > 0.5


def test_cards_without_other_wordings_or_mistakes(grader: Grader) -> None:
    points = tuple(
        msgspec.structs.replace(point, also=(), wrong=()) for point in sample.card().key_points
    )

    graded = grader.grade(sample.card(key_points=points), sample.GOOD)

    assert graded.score > 0.5


def test_options_by_letter(grader: Grader) -> None:
    right = grader.grade(sample.CHOICE, "A and C")
    wrong = grader.grade(sample.CHOICE, "b")

    assert (right.score, right.rating) == (1, Rating.GOOD)
    assert (wrong.score, wrong.rating) == (0, Rating.AGAIN)
    assert [voiced.text for voiced in wrong.voiced] == ["Oxygen"]


def test_the_number_of_a_compute_card(grader: Grader) -> None:
    right = grader.grade(sample.COMPUTE, "It is 20 g.")
    wrong = grader.grade(sample.COMPUTE, "It is 35 g.")

    assert right.number is not None
    assert right.number.right
    assert right.score >= 0.5
    assert wrong.score < 0.5
    assert wrong.rating is Rating.AGAIN


def test_one_sibling_of_a_cloze_card(grader: Grader) -> None:
    graded = grader.grade(sample.CLOZE, "carbon dioxid", card_id="bread-cloze/c2")

    assert [point.text for point in graded.points] == ["carbon dioxide"]
    assert graded.score == 1
    assert grader.grade(sample.CLOZE, "oxygen", card_id="bread-cloze/c2").score == 0


def test_too_much_unsure_leaves_the_rating_open() -> None:
    doubting = Grader(calibration=Calibration(sure=1.01))

    graded = doubting.grade(sample.card(), sample.GOOD)

    assert {point.verdict for point in graded.points} == {Verdict.UNSURE}
    assert graded.rating is None


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(max_size=300))
def test_any_text_gets_a_verdict(answer: str) -> None:
    check(lexical().grade(sample.card(), answer), answer)
