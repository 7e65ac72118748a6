"""Cards, a judge that can be foreseen, and an App with an interview, for the interview's tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studytool.deck.model import Card, CardId, DemoId, KeyPoint, Kind, Level, Wrong
from studytool.grading.model import Graded, PointVerdict, Verdict, Voiced
from studytool.interview.model import Setup
from studytool.interview.plan import Known
from tests.unit.study_deck import card as whole_card

CHAPTERS = ("lexical", "static", "multimodal")


def points(name: str) -> tuple[KeyPoint, ...]:
    """Two points whose words, `alpha-NAME` and `beta-NAME`, occur in nothing else."""
    return (
        KeyPoint(
            2,
            f"alpha-{name} because of the gradient",
            probe=f"What about the first thing of {name}?",
            wrong=(Wrong(f"never-alpha-{name}", "it is there"),),
        ),
        KeyPoint(1, f"beta-{name} costs memory"),
    )


def ask_card(name: str, chapter: str = "lexical", **changes: Any) -> Card:
    """A card for an interview; `changes` replace its fields."""
    return whole_card(name, chapter, **{"key_points": points(name), **changes})


def known(*cards: Card) -> list[Known]:
    return [Known(one) for one in cards]


def deck(each: int = 4, levels: Sequence[Level] = tuple(Level)) -> list[Card]:
    """Cards of each of CHAPTERS at each level."""
    return [
        ask_card(f"{chapter}-{level.value}-{n}", chapter, level=level)
        for chapter in CHAPTERS
        for level in levels
        for n in range(each)
    ]


class WordJudge:
    """Covered when the first word of a point is in the answer, contradicted when `never-` it is."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def grade(self, card: Card, answer: str) -> Graded:
        self.asked.append(answer)
        found = tuple(self._point(point, answer) for point in card.key_points)
        total = sum(point.weight for point in found)
        value = sum(
            point.weight
            * {Verdict.COVERED: 1.0, Verdict.CONTRADICTED: -0.5}.get(point.verdict, 0.0)
            for point in found
        )
        voiced = tuple(
            Voiced(wrong.text, wrong.why, wrong.text)
            for wrong in card.misconceptions
            if wrong.text in answer
        )
        score = min(1.0, max(0.0, value / total)) if total else 0.0
        return Graded(score=score, rating=None, points=found, voiced=voiced, grader="words")

    def _point(self, point: KeyPoint, answer: str) -> PointVerdict:
        word = point.text.split()[0]
        verdict, evidence, wrong, why = Verdict.MISSED, "", "", ""
        if f"never-{word}" in answer:
            verdict, evidence = Verdict.CONTRADICTED, f"never-{word}"
            if point.wrong:
                wrong, why = point.wrong[0].text, point.wrong[0].why
        elif word in answer:
            verdict, evidence = Verdict.COVERED, word
        return PointVerdict(
            text=point.text, weight=point.weight, verdict=verdict, probability=1.0,
            evidence=evidence, wrong=wrong, why=why,
        )  # fmt: skip


def setup(**changes: object) -> Setup:
    return Setup(**changes)  # type: ignore[arg-type]


__all__ = ["CardId", "DemoId", "Kind", "WordJudge", "ask_card", "deck", "known", "points", "setup"]
