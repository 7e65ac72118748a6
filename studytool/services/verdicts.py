"""A graded answer as the user leaves it: ticks set by hand against the grader, the rating, and why.

A tick is the user's own verdict on a key point: ticked is covered, unticked is missed where the
grader had found it. Where the grader had not, an empty box agrees with it. Everything here is a
pure function of values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from studytool.deck.model import Kind
from studytool.grading import score
from studytool.grading.model import Graded, PointVerdict, Verdict
from studytool.schedule.model import Override, Rating

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studytool.deck.model import Card

#: What an unsure point earns once the user has changed another: its likelihood is not known here.
UNSURE_CREDIT = 0.25
INSTALL = "pip install 'studytool[grading]'"
#: Words of a unit beside a number: "nats", "MB a token".
_UNIT_WORDS = 3
_GATES = {
    "empty": "nothing was said",
    "stuffed": "a list of keywords",
    "echo": "repeats the question",
    "one-unit": "rests on one phrase",
    "foreign": "hard to judge: language",
    "code-only": "hard to judge: code",
    "off-topic": "off the topic",
}


def fits(graded: Graded, card: Card) -> bool:
    """Whether the verdicts are on the key points of `card`, one by one.

    Those on hidden words, or on the sentences of an answer without key points, are not.
    """
    if card.kind is Kind.CLOZE or not card.key_points:
        return False
    return len(card.key_points) == len(graded.points)


def number_alone(graded: Graded, answer: str) -> Graded:
    """For an answer that is a number with at most its unit, the check of the number is all there is."""
    number = graded.number
    if number is None or not number.evidence:
        return graded
    if len(answer.replace(number.evidence, " ").split()) > _UNIT_WORDS:
        return graded
    rating = Rating.GOOD if number.right else Rating.AGAIN
    return msgspec.structs.replace(
        graded, score=float(number.right), rating=rating, points=(), voiced=(), gates=()
    )


def ticked(graded: Graded) -> frozenset[int]:
    """The points that the grader would tick."""
    return frozenset(
        at for at, point in enumerate(graded.points) if point.verdict is Verdict.COVERED
    )


def settle(graded: Graded, by_hand: Mapping[int, bool]) -> Graded:
    """The verdict with the ticks that the user has set or taken away, by place of the point."""
    points = tuple(_settled(point, by_hand.get(at)) for at, point in enumerate(graded.points))
    if points == graded.points:
        return graded
    value = score.score(points, [UNSURE_CREDIT] * len(points), graded.number)
    rating = score.rating(points, value, graded.number, voiced=bool(graded.voiced))
    return msgspec.structs.replace(graded, points=points, score=round(value, 4), rating=rating)


def corrections(card_id: str, graded: Graded, by_hand: Mapping[int, bool]) -> tuple[Override, ...]:
    """The verdicts that the user has changed, as events of the log."""
    after = settle(graded, by_hand).points
    return tuple(
        Override(card=card_id, point=at, graded=old.verdict.value, chosen=new.verdict.value)
        for at, (old, new) in enumerate(zip(graded.points, after, strict=True))
        if old.verdict is not new.verdict
    )


def reason(graded: Graded) -> str:
    """Why the answer gets its rating, in a few words."""
    wrong = sum(point.verdict is Verdict.CONTRADICTED for point in graded.points)
    if graded.number is not None and not graded.number.right:
        return "the number is wrong" if graded.number.evidence else "no number is given"
    if graded.rating is None:
        return "too much is unsure"
    if wrong:
        return "contradicts a point" if wrong == 1 else f"contradicts {wrong} points"
    if graded.voiced:
        return "voices a misconception"
    if graded.rating is Rating.AGAIN:
        for gate, words in _GATES.items():
            if gate in graded.gates:
                return words
    return share(graded)


def share(graded: Graded) -> str:
    """How much was covered: by weight, or by points where all weigh the same."""
    covered = [point for point in graded.points if point.verdict is Verdict.COVERED]
    if not graded.points:
        return "the number is right"
    if len({point.weight for point in graded.points}) == 1:
        return f"{len(covered)} of {len(graded.points)} covered"
    said, total = (sum(point.weight for point in some) for some in (covered, graded.points))
    return f"{said} of {total} by weight"


def only_words(why_lexical: str) -> str:
    """One line on why the verdict rests on words alone, with what to do where that helps."""
    if not why_lexical:
        return ""
    do = f"; {INSTALL}" if why_lexical.endswith("not installed") else ""
    return f"judged by words alone: {why_lexical}{do}"


def _settled(point: PointVerdict, chosen: bool | None) -> PointVerdict:
    if chosen is None or chosen == (point.verdict is Verdict.COVERED):
        return point
    if chosen:
        return msgspec.structs.replace(point, verdict=Verdict.COVERED, wrong="", why="")
    return (
        msgspec.structs.replace(point, verdict=Verdict.MISSED)
        if point.verdict is Verdict.COVERED
        else point
    )
