"""What a turn is worth: the first answer, corrected by what the probes brought, less the hints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from studytool.grading.model import Graded, PointVerdict, Verdict, Voiced
from studytool.interview.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from studytool.deck.model import Card
    from studytool.interview.model import Turn

#: An answer from this score on counts as known: where the grader begins to say Good.
PASS = 0.6
#: The share of a point's weight that is earned when it is said only after a probe.
PROBE_CREDIT = 0.7
#: What a contradicted point takes off, as a share of its weight; as in the grader.
CONTRADICTION_COST = 0.5
#: What an unsure point earns; the grader gives it at most a half, by its probability.
UNSURE_CREDIT = 0.25
#: What each hint takes off, as a share of the score.
HINT_COST = 0.15
#: The share of the score that the key points are worth when the card also asks for a number.
POINTS_BESIDE_NUMBER = 0.5
#: Who judged an answer given out loud.
SELF = "self"


class PointResult(msgspec.Struct, frozen=True):
    """A key point after the whole turn. `probed`: it was said, or taken back, only after a probe."""

    point: PointVerdict
    probed: bool = False

    @property
    def credit(self) -> float:
        """The share of its weight that the point earned, from -CONTRADICTION_COST to 1."""
        match self.point.verdict:
            case Verdict.COVERED:
                return PROBE_CREDIT if self.probed else 1.0
            case Verdict.CONTRADICTED:
                return -CONTRADICTION_COST
            case Verdict.UNSURE:
                return UNSURE_CREDIT
            case Verdict.MISSED:
                return 0.0


def results(turn: Turn) -> tuple[PointResult, ...]:
    """Every point of the card with its verdict after the probes; none for a turn without an answer.

    A point that was missed or contradicted at first is covered when a probe brought it; a point
    that a probe was about is contradicted when the answer to the probe contradicts it.
    """
    first = turn.exchanges[0].graded
    if first is None or turn.outcome is not Outcome.ANSWERED:
        return ()
    found = [PointResult(point) for point in first.points]
    for exchange in turn.exchanges[1:]:
        if exchange.graded is None:
            continue
        for at, later in enumerate(exchange.graded.points[: len(found)]):
            now = found[at].point.verdict
            if later.verdict is Verdict.COVERED and now is not Verdict.COVERED:
                if now is not Verdict.CONTRADICTED or at == exchange.point:
                    found[at] = PointResult(later, probed=True)
            elif later.verdict is Verdict.CONTRADICTED and at == exchange.point:
                found[at] = PointResult(later, probed=True)
    return tuple(found)


def first_score(turn: Turn) -> float | None:
    """What the first answer was worth before probes and hints; None when the turn was skipped."""
    if turn.outcome is Outcome.SKIPPED:
        return None
    graded = turn.exchanges[0].graded
    return 0.0 if graded is None else graded.score


def score(turn: Turn) -> float:
    """What the whole turn is worth, from 0 to 1."""
    graded = turn.exchanges[0].graded
    if graded is None or turn.outcome is not Outcome.ANSWERED:
        return 0.0
    total = sum(point.weight for point in graded.points)
    share = 1.0 if graded.number is None else POINTS_BESIDE_NUMBER
    value = graded.score
    for before, after in zip(graded.points, results(turn), strict=True):
        gained = after.credit - PointResult(before).credit
        value += share * gained * before.weight / total
    return min(1.0, max(0.0, value)) * (1.0 - HINT_COST * len(turn.hints))


def voiced(turn: Turn) -> tuple[Voiced, ...]:
    """The misconceptions that the turn's answers voice, those of contradicted points among them."""
    found: dict[str, Voiced] = {}
    for exchange in turn.exchanges:
        if exchange.graded is None:
            continue
        for point in exchange.graded.points:
            if point.verdict is Verdict.CONTRADICTED and point.wrong:
                found.setdefault(point.wrong, Voiced(point.wrong, point.why, point.evidence))
        for one in exchange.graded.voiced:
            found.setdefault(one.text, one)
    return tuple(found.values())


def by_ticks(card: Card, ticked: Collection[int]) -> Graded:
    """The verdict on an answer given out loud, from the key points that its speaker ticked."""
    points = tuple(
        PointVerdict(
            text=point.text,
            weight=point.weight,
            verdict=Verdict.COVERED if at in ticked else Verdict.MISSED,
            probability=1.0,
        )
        for at, point in enumerate(card.key_points)
    )
    total = sum(point.weight for point in points)
    said = sum(point.weight for point in points if point.verdict is Verdict.COVERED)
    return Graded(score=said / total if total else 0.0, rating=None, points=points, grader=SELF)
