"""The development set itself: it fits the deck, and the shipped weights do what they are for."""

from __future__ import annotations

import pytest

from studytool.grading.decide import CLASSES, weights
from tests.grading import devset
from tests.grading.figures import CONTRADICTED, COVERED, MISSED, Judged, f1, flagged, order

SPLIT = devset.split()
NAMES = SPLIT.everything


def test_a_third_is_held_out() -> None:
    apart = set(SPLIT.held_out)
    assert len(set(NAMES)) == len(NAMES) >= 30
    assert 0.3 <= len(apart) / (len(apart) + len(SPLIT.tune)) <= 0.36


@pytest.mark.parametrize("name", NAMES)
def test_labels_fit_the_card(name: str) -> None:
    question = devset.questions([name])[0]
    card = devset.cards()[name]

    assert question.points == tuple(point.text for point in card.key_points)
    assert len(question.answers) >= 7
    assert len({answer.id for answer in question.answers}) == len(question.answers)
    assert {answer.kind for answer in question.answers} >= {
        "excellent",
        "partial",
        "wrong",
        "mixed",
    }
    for answer in question.answers:
        assert answer.kind in devset.KINDS
        assert len(answer.labels) == len(question.points)
        assert set(answer.labels) <= set(CLASSES)
        assert 0 <= answer.score <= 1


def test_weights_are_there_for_every_kind_of_rubric() -> None:
    for neural in (True, False):
        for wrongs in (True, False):
            model = weights().model(neural=neural, wrongs=wrongs)
            assert model.use in ("hand", "logistic")
            assert sum(model.probabilities(dict.fromkeys(("recall", "projected"), 0.1))) == (
                pytest.approx(1)
            )


def test_figures_on_known_verdicts() -> None:
    def judged(kind: str, labels: tuple[int, ...], said: tuple[int, ...], score: float) -> Judged:
        return Judged("q", kind, labels, said, said, score, score)

    answers = [
        judged("excellent", (COVERED, COVERED), (COVERED, MISSED), 0.5),
        judged("wrong", (CONTRADICTED, MISSED), (CONTRADICTED, COVERED), 0.0),
        judged("partial", (COVERED, MISSED), (COVERED, MISSED), 0.6),
    ]

    assert f1(answers, COVERED) == pytest.approx(2 * 2 / (3 + 3))
    assert f1(answers, CONTRADICTED) == 1
    assert (flagged(answers, "wrong"), flagged(answers, "excellent")) == (1, 0)
    assert order(answers) == pytest.approx(2 / 3)
