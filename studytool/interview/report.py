"""The report of an interview: a pure function of its state and of the reports before it.

What it is made of is in lines.py; `Report` is kept in the database, and the exports are written from it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from studytool.grading.model import Verdict
from studytool.interview import prompts, scoring, steps
from studytool.interview.lines import (
    AnswerLine,
    Calibration,
    Misconception,
    Part,
    Past,
    PointLine,
    Report,
)
from studytool.interview.model import Outcome
from studytool.interview.skills import Skill, skill

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from studytool.deck.model import Card
    from studytool.interview.model import State, Turn

#: The chance of a right answer that each step of confidence stands for.
CONFIDENCE = {1: 0.1, 2: 0.3, 3: 0.5, 4: 0.7, 5: 0.9}
#: How far mean confidence and the share of right answers may lie apart and still be called even.
EVEN = 0.1
#: Answers shown as strongest and as weakest, and earlier interviews shown beside this one.
SHOWN, BEFORE = 2, 5


class _Scored(NamedTuple):
    turn: Turn
    line: AnswerLine


def make(state: State, started_ms: int, earlier: Sequence[Past] = ()) -> Report:
    """The report of `state`; `earlier` are the interviews before it, oldest first."""
    scored = [_Scored(turn, answer_line(turn)) for turn in state.turns]
    lines = tuple(one.line for one in scored)
    misconceptions = tuple(one for each in scored for one in _misconceptions(each.turn))
    skills = _skills(lines, misconceptions)
    strongest, weakest = _ends(lines)
    calibration = _calibration(lines)
    over = sum(line.first_seconds > line.limit for line in lines)
    return Report(
        setup=state.setup,
        started_ms=started_ms,
        score=_mean([line.score for line in lines]),
        seconds=state.used,
        target=float(state.setup.minutes * 60),
        over_limit=over,
        answers=lines,
        chapters=_chapters(lines),
        skills=skills,
        strongest=strongest,
        weakest=weakest,
        misconceptions=misconceptions,
        calibration=calibration,
        earlier=tuple(earlier[-BEFORE:]),
        steps=steps.next_steps(state, lines, misconceptions, skills),
        missed=tuple(line.card for line in lines if line.missed),
        unasked=max(0, state.total - len(lines)),
    )


def past(report: Report) -> Past:
    """What later reports need of this one."""
    return Past(
        report.started_ms,
        report.score,
        by_name(report.skills),
        by_name(report.chapters),
    )


# One answer


def answer_line(turn: Turn) -> AnswerLine:
    results = scoring.results(turn)
    graded = turn.exchanges[0].graded
    points = tuple(
        PointLine(
            prompts.spoken(one.point.text),
            one.point.weight,
            one.point.verdict,
            skill(_written(turn.card, at, one.point.text), turn.card),
            one.credit,
            one.point.evidence,
            one.probed,
        )
        for at, one in enumerate(results)
    )
    return AnswerLine(
        card=str(turn.card.id),
        question=turn.card.question,
        chapter=turn.card.chapter,
        level=turn.card.level,
        outcome=turn.outcome,
        score=scoring.score(turn),
        seconds=turn.seconds,
        limit=turn.limit,
        first_seconds=turn.exchanges[0].seconds,
        confidence=turn.confidence,
        first_score=scoring.first_score(turn),
        hints=len(turn.hints),
        probes=len(turn.exchanges) - 1,
        aloud=turn.aloud,
        demo=str(turn.card.demo or ""),
        grader=graded.grader if graded is not None else "",
        said=_decisive(points, scoring.score(turn)),
        instead=_instead(turn, points),
        points=points,
    )


def _written(card: Card, at: int, shown: str) -> str:
    """The text of a point with its citations, which say what it asks for."""
    return card.key_points[at].text if at < len(card.key_points) else shown


def _decisive(points: Sequence[PointLine], score: float) -> str:
    """The clause that decided most: of the heaviest covered point, in a weak answer of the heaviest
    contradicted one, then of one that is unsure; empty when nothing was found in the answer."""
    order = [Verdict.CONTRADICTED, Verdict.COVERED, Verdict.UNSURE]
    if score >= scoring.PASS:
        order = [Verdict.COVERED, Verdict.CONTRADICTED, Verdict.UNSURE]
    for verdict in order:
        group = [one for one in points if one.verdict is verdict and one.evidence]
        if group:
            return max(group, key=lambda one: one.weight).evidence
    return ""


def _instead(turn: Turn, points: Sequence[PointLine]) -> tuple[str, ...]:
    """What a better answer says: the points that were not covered, the heaviest first."""
    if turn.outcome is Outcome.ANSWERED:
        open_ = [one for one in points if one.verdict is not Verdict.COVERED]
        texts = [one.text for one in sorted(open_, key=lambda one: -one.weight)]
    else:
        texts = [one.text for one in sorted(turn.card.key_points, key=lambda one: -one.weight)]
    return tuple(prompts.spoken(text) for text in texts)


def _misconceptions(turn: Turn) -> list[Misconception]:
    heaviest = max(turn.card.key_points, key=lambda point: point.weight, default=None)
    beside = {wrong.text: point.text for point in turn.card.key_points for wrong in point.wrong}
    usual = heaviest.text if heaviest is not None else ""
    return [
        Misconception(
            str(turn.card.id), prompts.spoken(one.text), one.evidence, prompts.spoken(one.why),
            prompts.spoken(beside.get(one.text, usual)),
        )
        for one in scoring.voiced(turn)
    ]  # fmt: skip


# Over all answers


def _chapters(lines: Iterable[AnswerLine]) -> tuple[Part, ...]:
    found: dict[str, list[float]] = defaultdict(list)
    for line in lines:
        found[line.chapter].append(line.score)
    return tuple(Part(name, _mean(scores), len(scores)) for name, scores in found.items())


def _skills(
    lines: Iterable[AnswerLine], misconceptions: Iterable[Misconception]
) -> tuple[Part, ...]:
    """Each skill that was asked for: the share of the weight of its points that was earned.

    A voiced misconception and a contradicted point of another skill count as a point of
    correctness that was not earned.
    """
    earned: dict[Skill, float] = defaultdict(float)
    weight: dict[Skill, float] = defaultdict(float)
    count: dict[Skill, int] = defaultdict(int)

    def add(which: Skill, of: float, credit: float) -> None:
        earned[which] += of * credit
        weight[which] += of
        count[which] += 1

    for line in lines:
        for point in line.points:
            add(point.skill, point.weight, max(0.0, point.credit))
            if point.verdict is Verdict.CONTRADICTED and point.skill is not Skill.CORRECTNESS:
                add(Skill.CORRECTNESS, point.weight, 0.0)
    for _ in misconceptions:
        add(Skill.CORRECTNESS, 1.0, 0.0)
    return tuple(
        Part(which.value, min(1.0, max(0.0, earned[which] / weight[which])), count[which])
        for which in Skill
        if weight[which]
    )


def _ends(lines: Sequence[AnswerLine]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The places of the strongest and of the weakest answers, none of them in both."""
    order = sorted(range(len(lines)), key=lambda at: (-lines[at].score, at))
    strong = [at for at in order if lines[at].score > 0][: min(SHOWN, (len(order) + 1) // 2)]
    weak = [at for at in reversed(order) if at not in strong and lines[at].score < 1][:SHOWN]
    return tuple(strong), tuple(weak)


def _calibration(lines: Iterable[AnswerLine]) -> Calibration | None:
    pairs = [
        (CONFIDENCE[line.confidence], float(line.first_score >= scoring.PASS))
        for line in lines
        if line.confidence is not None and line.first_score is not None
    ]
    if not pairs:
        return None
    return Calibration(
        len(pairs),
        _mean([(said - right) ** 2 for said, right in pairs]),
        _mean([said for said, _ in pairs]),
        _mean([right for _, right in pairs]),
    )


def verdict_on(calibration: Calibration) -> str:
    """Calibration in a word: overconfident, underconfident, or even."""
    apart = calibration.confident - calibration.right
    if abs(apart) <= EVEN:
        return "even"
    return "overconfident" if apart > 0 else "underconfident"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def by_name(parts: Iterable[Part]) -> dict[str, float]:
    """The scores by name."""
    return {part.name: part.score for part in parts}
