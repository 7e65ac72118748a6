"""The figures of a grader on the development set, with bootstrap confidence intervals.

Intervals resample questions, not answers: answers to one question are alike.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from studytool.grading.calibration import SURE
from studytool.grading.decide import CLASSES
from studytool.grading.score import CONTRADICTION_COST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tests.grading.devset import Row

MISSED, COVERED, CONTRADICTED = range(3)
UNSURE = 3
#: From best to worst; kinds of one group are not compared.
ORDER = (
    ("excellent",), ("partial", "mixed", "refuting"), ("wrong", "stuffed", "echo", "off-topic"),
)  # fmt: skip
#: Bars of grading.md: (name, ">=" or "<=", bar).
BARS: tuple[tuple[str, str, float], ...] = (
    ("coverage F1", ">=", 0.72),
    ("contradiction F1", ">=", 0.68),
    ("wrong answers flagged", ">=", 0.95),
    ("excellent answers flagged", "<=", 0.05),
    ("partial answers flagged", "<=", 0.15),
    ("refutations flagged", "<=", 0.34),
    ("stuffed points credited", "<=", 0.05),
    ("order of kinds", ">=", 0.90),
    ("correlation with human score", ">=", 0.75),
)


class Judged(msgspec.Struct, frozen=True):
    """One answer: labels, verdicts (MISSED … UNSURE), forced verdicts, its scores."""

    card: str
    kind: str
    labels: tuple[int, ...]
    verdicts: tuple[int, ...]
    forced: tuple[int, ...]
    score: float
    human: float


def judged(rows: Sequence[Row], chances: NDArray[np.float64], sure: float = SURE) -> list[Judged]:
    """Rows and their probabilities [n, 3] gathered into answers."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        groups[row.card, row.answer].append(at)
    found = []
    for (card, _), places in groups.items():
        forced = [int(chances[at].argmax()) for at in places]
        verdicts = [
            top if chances[at][top] >= sure else UNSURE
            for at, top in zip(places, forced, strict=True)
        ]
        weights = np.array([rows[at].weight for at in places], float)
        worth = np.array(
            [
                {COVERED: 1.0, CONTRADICTED: -CONTRADICTION_COST, MISSED: 0.0}.get(
                    verdict, float(chances[at][COVERED])
                )
                for at, verdict in zip(places, verdicts, strict=True)
            ]
        )
        found.append(
            Judged(
                card=card,
                kind=rows[places[0]].kind,
                labels=tuple(CLASSES.index(rows[at].label) for at in places),
                verdicts=tuple(verdicts),
                forced=tuple(forced),
                score=float(np.clip((weights * worth).sum() / weights.sum(), 0, 1)),
                human=rows[places[0]].human,
            )
        )
    return found


def f1(answers: Sequence[Judged], which: int, *, forced: bool = True) -> float:
    """F1 of one verdict over all points."""
    pairs = [
        pair
        for one in answers
        for pair in zip(one.labels, one.forced if forced else one.verdicts, strict=True)
    ]
    hits = sum(label == which == verdict for label, verdict in pairs)
    total = sum((label == which) + (verdict == which) for label, verdict in pairs)
    return 2 * hits / total if total else 0.0


def flagged(answers: Sequence[Judged], kind: str, *, forced: bool = True) -> float:
    """The share of answers of a kind with at least one point called contradicted."""
    marks = [
        CONTRADICTED in (one.forced if forced else one.verdicts)
        for one in answers
        if one.kind == kind
    ]
    return sum(marks) / len(marks) if marks else float("nan")


def credited(answers: Sequence[Judged], kind: str) -> float:
    """The share of points of a kind of answers that were called covered."""
    marks = [verdict == COVERED for one in answers if one.kind == kind for verdict in one.forced]
    return sum(marks) / len(marks) if marks else float("nan")


def order(answers: Sequence[Judged]) -> float:
    """Of all pairs of answers to one question from different groups, the share scored in order."""
    rank = {kind: at for at, group in enumerate(ORDER) for kind in group}
    right = total = 0.0
    by_card: dict[str, list[Judged]] = defaultdict(list)
    for one in answers:
        by_card[one.card].append(one)
    for group in by_card.values():
        for better in group:
            for worse in group:
                if rank[better.kind] < rank[worse.kind]:
                    total += 1
                    right += (better.score > worse.score) + 0.5 * (better.score == worse.score)
    return right / total if total else float("nan")


def correlation(answers: Sequence[Judged]) -> float:
    """Pearson correlation of the scores with the human ones."""
    table = np.array([(one.score, one.human) for one in answers])
    if len(table) < 2 or not table.std(axis=0).all():
        return float("nan")
    return float(np.corrcoef(table.T)[0, 1])


FIGURES: dict[str, Callable[[Sequence[Judged]], float]] = {
    "coverage F1": lambda a: f1(a, COVERED),
    "contradiction F1": lambda a: f1(a, CONTRADICTED),
    "wrong answers flagged": lambda a: flagged(a, "wrong"),
    "excellent answers flagged": lambda a: flagged(a, "excellent"),
    "partial answers flagged": lambda a: flagged(a, "partial"),
    "refutations flagged": lambda a: flagged(a, "refuting"),
    "mixed answers flagged": lambda a: flagged(a, "mixed"),
    "stuffed points credited": lambda a: credited(a, "stuffed"),
    "echo points credited": lambda a: credited(a, "echo"),
    "off-topic points credited": lambda a: credited(a, "off-topic"),
    "order of kinds": order,
    "correlation with human score": correlation,
    "shown: coverage F1": lambda a: f1(a, COVERED, forced=False),
    "shown: contradiction F1": lambda a: f1(a, CONTRADICTED, forced=False),
    "shown: wrong answers flagged": lambda a: flagged(a, "wrong", forced=False),
    "shown: excellent answers flagged": lambda a: flagged(a, "excellent", forced=False),
    "shown: share of points unsure": lambda a: float(
        np.mean([verdict == UNSURE for one in a for verdict in one.verdicts])
    ),
}


def interval(
    answers: Sequence[Judged],
    figure: Callable[[Sequence[Judged]], float],
    *,
    draws: int = 500,
    seed: int = 0,
) -> tuple[float, float]:
    """The 95 % bootstrap interval over questions."""
    by_card: dict[str, list[Judged]] = defaultdict(list)
    for one in answers:
        by_card[one.card].append(one)
    names = sorted(by_card)
    random = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        drawn = random.choice(len(names), len(names))
        # A question drawn twice counts as two, or their answers would be ranked together.
        sample = [
            msgspec.structs.replace(one, card=f"{copy}-{one.card}")
            for copy, at in enumerate(drawn)
            for one in by_card[names[at]]
        ]
        values.append(figure(sample))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
