"""A mistake that is named to be refuted is no mistake of the writer, and touches nothing else."""

from __future__ import annotations

from functools import cache

import pytest

from studytool.deck.model import Card
from studytool.grading.encoder import OnnxEncoder, load_encoder
from studytool.grading.grader import Grader
from studytool.grading.model import Verdict
from studytool.schedule.model import Rating
from tests.grading import devset

TERSE = (
    "Cosines lie in [-1, 1], so unscaled the softmax is nearly flat. So a scale is learned, as exp(t), "
    "starting at 1/0.07. It is clipped at 100 for stability. Low temperature = weight on the hardest "
    "negatives, false ones too."
)
REFUTATIONS = (
    " People say that the temperature is fixed by hand, but that is wrong.",
    " It is a common myth that a higher temperature sharpens the softmax.",
    " Some think that the clip keeps the temperature from getting too high. That's not true.",
)
FRAMES = ("Many people claim that {}, but that is wrong.", "It is a myth that {}.")


@cache
def grader() -> Grader:
    encoder = load_encoder()
    if not isinstance(encoder, OnnxEncoder):
        pytest.skip(encoder.reason)
    return Grader(encoder)


@cache
def cards() -> dict[str, Card]:
    return devset.cards()


def contradicted(card: Card, answer: str) -> set[int]:
    points = grader().grade(card, answer).points
    return {at for at, point in enumerate(points) if point.verdict is Verdict.CONTRADICTED}


@pytest.mark.parametrize("refutation", ["", *REFUTATIONS])
def test_a_good_terse_answer_stays_good(refutation: str) -> None:
    graded = grader().grade(cards()["clip-temperature"], TERSE + refutation)

    assert Verdict.CONTRADICTED not in {point.verdict for point in graded.points}
    assert graded.rating is not Rating.AGAIN
    assert graded.score >= 0.6


@pytest.mark.parametrize("name", devset.split().tune[::3])
def test_refuting_the_authors_mistake_flips_no_good_answer(name: str) -> None:
    question, card = devset.questions([name])[0], cards()[name]
    answer = next(one.text for one in question.answers if one.kind == "excellent")
    said = card.key_points[0].wrong[0].text.rstrip(".")
    before = contradicted(card, answer)

    for frame in FRAMES:
        assert contradicted(card, f"{answer} {frame.format(said)}") <= before


def test_points_are_shown_without_references() -> None:
    graded = grader().grade(cards()["clip-temperature"], TERSE)

    assert not [point for point in graded.points if "[^" in point.text or "{claim" in point.text]
