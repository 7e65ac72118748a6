"""Answers that are right or wrong by the letter: options named by letter, hidden words of a cloze."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from studytool.deck.model import Kind
from studytool.grading.model import Graded, PointVerdict, Verdict, Voiced
from studytool.grading.text import tokens
from studytool.schedule.model import Rating

if TYPE_CHECKING:
    from studytool.deck.model import Card
    from studytool.grading.rubric import Point, Rubric
    from studytool.grading.units import Reading

#: From this likeness a word is a misspelling of the other.
_LIKE = 0.8
_LETTERS = re.compile(r"^\W*[a-z](?:\W+(?:and\W+)?[a-z])*\W*$", re.IGNORECASE)


def letters(card: Card, answer: str) -> frozenset[int] | None:
    """The options that an answer such as "b" or "A, C" names; None when it isn't one."""
    if card.kind is not Kind.CHOICE or not card.options or len(answer) > 80:
        return None
    text = answer.strip()
    if not _LETTERS.match(text):
        return None
    named = re.findall(r"\b[a-z]\b", text.casefold())
    chosen = frozenset(ord(letter) - ord("a") for letter in named)
    return chosen if chosen and max(chosen) < len(card.options) else None


def choice(card: Card, wanted: Rubric, answer: str, chosen: frozenset[int], grader: str) -> Graded:
    """The verdict on options named by letter: exactly the right ones, or not.

    Key points that are more than the options stay unsure: a letter says nothing about them.
    """
    right = {at for at, option in enumerate(card.options) if option.correct}
    exact = chosen == right
    of_options = not card.key_points
    named = {card.options[at].text for at in chosen}
    points = []
    for point in wanted.points:
        verdict = Verdict.UNSURE
        if of_options:
            verdict = Verdict.COVERED if point.text in named else Verdict.MISSED
        shown = "" if verdict is Verdict.MISSED else answer.strip()
        points.append(
            PointVerdict(
                text=point.text,
                weight=point.weight,
                verdict=verdict,
                probability=1.0 if of_options else 0.0,
                evidence=shown,
            )
        )
    wrongly = [card.options[at] for at in sorted(chosen - right)]
    return Graded(
        score=float(exact),
        rating=Rating.GOOD if exact else Rating.AGAIN,
        points=tuple(points),
        voiced=tuple(Voiced(one.text, one.why, answer.strip()) for one in wrongly),
        grader=grader,
    )


def verbatim(point: Point, reading: Reading) -> tuple[PointVerdict, float]:
    """The verdict on hidden words, which must stand in the answer in order; small slips are forgiven."""
    wanted = [token.stem for token in tokens(point.text)]
    size = len(wanted)
    best, place = 0.0, 0
    for at in range(len(reading.tokens) - size + 1):
        likeness = min(
            (
                _like(token.stem, one)
                for token, one in zip(reading.tokens[at : at + size], wanted, strict=True)
            ),
            default=0.0,
        )
        if likeness > best:
            best, place = likeness, at
    covered = best >= _LIKE
    evidence = ""
    if covered:
        evidence = reading.text[reading.tokens[place].start : reading.tokens[place + size - 1].end]
    verdict = PointVerdict(
        text=point.text,
        weight=point.weight,
        verdict=Verdict.COVERED if covered else Verdict.MISSED,
        probability=1.0,
        evidence=evidence,
    )
    return verdict, float(covered)


def _like(left: str, right: str) -> float:
    if left == right:
        return 1.0
    if min(len(left), len(right)) < 4:
        return 0.0
    return SequenceMatcher(None, left, right, autojunk=False).ratio()
