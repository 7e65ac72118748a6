"""What to do after an interview: three things, each about another card where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.grading.model import Verdict
from studytool.interview import prompts, scoring
from studytool.interview.lines import NextStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.interview.lines import AnswerLine, Misconception, Part
    from studytool.interview.model import State

STEPS = 3


def next_steps(
    state: State,
    lines: Sequence[AnswerLine],
    misconceptions: Sequence[Misconception],
    skills: Sequence[Part],
) -> tuple[NextStep, ...]:
    """Three things to do, each about another card: the weakest answer, a misconception, the weakest
    skill, a question that took too long, what the weakest answer builds on, what was not asked."""
    steps: list[NextStep] = []
    taken: set[str] = set()
    by_card = {line.card: line for line in lines}

    def add(text: str, card: str) -> None:
        if card and card not in taken and len(steps) < STEPS:
            taken.add(card)
            demo = by_card[card].demo if card in by_card else ""
            steps.append(NextStep(text, card, demo))

    weakest = sorted((line for line in lines if line.missed), key=lambda line: line.score)
    if weakest and weakest[0].instead:
        add(f"Say it aloud until it is fluent: {weakest[0].instead[0]}", weakest[0].card)
    for one in [one for one in misconceptions if one.card not in taken][:1]:
        add(f"Unlearn “{one.text}”: {one.why}", one.card)
    add(*_weak_skill(lines, skills, taken))
    slow = [line for line in lines if line.first_seconds > line.limit]
    for line in sorted(slow, key=lambda line: line.limit - line.first_seconds):
        words = f"Cut it to {round(line.limit)} s; it took {round(line.first_seconds)} s"
        add(f"{words}: {line.question}", line.card)
    for line in weakest:
        add(f"Study it again: {line.question}", line.card)
    for turn in state.turns:
        for before in turn.card.needs:
            if scoring.score(turn) < scoring.PASS:
                add(f"Look at what “{turn.card.question}” builds on", str(before))
    for planned in state.plan.pool:
        if planned.card not in by_card and planned.card not in state.gone:
            add(f"Prepare what there was no time for: {planned.question}", planned.card)
    while len(steps) < STEPS:
        steps.append(_again(len(steps)))
    return tuple(steps)


def _weak_skill(
    lines: Sequence[AnswerLine], skills: Sequence[Part], taken: set[str]
) -> tuple[str, str]:
    """The weakest skill with the card, not yet among the steps, where most of it was lost."""
    for part in sorted(skills, key=lambda one: one.score):
        lost = {
            line.card: sum(
                point.weight
                for point in line.points
                if point.skill == part.name and point.verdict is not Verdict.COVERED
            )
            for line in lines
            if line.card not in taken
        }
        card = max(lost, key=lambda name: lost[name], default="")
        if card and lost[card]:
            return (
                f"Practise {part.name} ({round(100 * part.score)} %): {_lost_point(lines, card, part)}",
                card,
            )
    return "", ""


def _lost_point(lines: Sequence[AnswerLine], card: str, part: Part) -> str:
    line = next(line for line in lines if line.card == card)
    points = [
        point
        for point in line.points
        if point.skill == part.name and point.verdict is not Verdict.COVERED
    ]
    return prompts.spoken(max(points, key=lambda point: point.weight).text)


def _again(number: int) -> NextStep:
    words = (
        "Take another interview with another seed",
        "Take one in another style: rapid-fire trains speed, story the long line",
        "Take one a level harder, or longer",
    )
    return NextStep(words[number % len(words)])
