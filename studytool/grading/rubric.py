"""What an answer to a card is held against: statements with weights, and mistakes to look for.

A card with key points is held against these, in their order. Others are held against what they
have: a cloze card against its hidden words, a choice card against its right options, any other
against the sentences of its answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from studytool.deck.citations import sentences
from studytool.deck.cloze import deletions
from studytool.deck.model import Kind, Wrong
from studytool.grading.text import plain, shown

if TYPE_CHECKING:
    from studytool.deck.model import Card

#: The most sentences of an answer that become points of a card without key points.
_MOST = 8


class Point(msgspec.Struct, frozen=True):
    """One thing to say, `text` as it is shown; `wordings` are ways to say it, as plain text."""

    text: str
    weight: int
    wordings: tuple[str, ...]
    wrong: tuple[Wrong, ...] = ()
    #: Words that must be met exactly: the hidden part of a cloze.
    verbatim: bool = False


class Rubric(msgspec.Struct, frozen=True):
    """What a card's answer is held against.

    `context` has the sentences of the card's answer, `reasons` why its mistakes are mistakes; these
    and `question` are plain text.
    """

    question: str
    points: tuple[Point, ...]
    misconceptions: tuple[Wrong, ...] = ()
    context: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text that is compared with the answer, without repetition."""
        found = [self.question]
        for point in self.points:
            found += point.wordings
            found += (plain(wrong.text) for wrong in point.wrong)
        found += (plain(wrong.text) for wrong in self.misconceptions)
        found += (*self.context, *self.reasons)
        return tuple(dict.fromkeys(found))


def rubric(card: Card, card_id: str = "") -> Rubric:
    """The rubric of `card`; `card_id` may name one sibling of a cloze card (`id/c1`)."""
    question = plain(card.question)
    context = tuple(plain(card.answer[start:end]) for start, end in sentences(card.answer))
    points = tuple(
        Point(
            shown(point.text),
            point.weight,
            tuple(dict.fromkeys(map(plain, (point.text, *point.also)))),
            point.wrong,
        )
        for point in card.key_points
    )
    misconceptions = card.misconceptions
    number = card_id.partition("/c")[2]
    if card.kind is Kind.CLOZE and (number or not points):
        points = _hidden(card, number) or points
    elif not points and card.options:
        points = tuple(_point(option.text) for option in card.options if option.correct)
        misconceptions += tuple(
            Wrong(option.text, option.why) for option in card.options if not option.correct
        )
    if not points:
        points = tuple(_point(text) for text in context[:_MOST] if text)
    mistakes = [wrong for point in points for wrong in point.wrong] + list(misconceptions)
    reasons = tuple(why for one in mistakes if (why := plain(one.why)))
    return Rubric(question, points, misconceptions, tuple(filter(None, context)), reasons)


def _point(text: str, *, verbatim: bool = False) -> Point:
    return Point(plain(text), 1, (plain(text),), verbatim=verbatim)


def _hidden(card: Card, number: str) -> tuple[Point, ...]:
    """The hidden words of a cloze card, those of one sibling if it is named."""
    found = [
        deletion
        for text in (card.question, card.prompt, card.answer)
        for deletion in deletions(text)
    ]
    texts = [one.text for one in found if not number or str(one.number) == number]
    return tuple(_point(text, verbatim=True) for text in dict.fromkeys(texts))
