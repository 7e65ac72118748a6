"""Cloze cards: which parts are hidden, and the faces of the sibling cards that come of it.

`{{c1::hidden}}` or `{{c1::hidden::hint}}` may stand in the heading, in the Prompt or in the
Answer. All deletions of one number form one sibling `id/c1`, which hides them and shows the
others. Hidden text and hint can't hold `::` or `}}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studytool.deck.model import CardId, Kind

if TYPE_CHECKING:
    from studytool.deck.model import Card

_DELETION = re.compile(
    r"\{\{c(\d{1,4})::((?:(?!::|\}\})[\s\S])*)(?:::((?:(?!::|\}\})[\s\S])*))?\}\}"
)
_OPENING = re.compile(r"\{\{c\d*:")

#: What stands for hidden text that has no hint.
GAP = "[…]"


@dataclass(frozen=True, slots=True)
class Deletion:
    """One hidden piece: its number, its text and hint, and where it stands."""

    number: int
    text: str
    hint: str
    start: int
    end: int


def deletions(text: str) -> tuple[Deletion, ...]:
    """The deletions of a text in their order."""
    return tuple(
        Deletion(int(m[1]), m[2], m[3] or "", m.start(), m.end()) for m in _DELETION.finditer(text)
    )


def broken(text: str) -> tuple[int, ...]:
    """Where something begins like a deletion and isn't one."""
    return tuple(m.start() for m in _OPENING.finditer(text) if not _DELETION.match(text, m.start()))


def base_id(card_id: str) -> CardId:
    """The id of the card that a sibling `id/c1` belongs to; a plain id is its own."""
    return CardId(card_id.partition("/")[0])


def sibling_ids(card: Card) -> tuple[CardId, ...]:
    """The ids that have a schedule of their own: `id/c1`, `id/c2`, … or just the card's id."""
    if card.kind is not Kind.CLOZE:
        return (card.id,)
    numbers = sorted({deletion.number for text in _texts(card) for deletion in deletions(text)})
    return tuple(CardId(f"{card.id}/c{number}") for number in numbers) or (card.id,)


def face(card: Card, sibling_id: str) -> tuple[str, str]:
    """What to show before and after the reveal, as Markdown, for one of `sibling_ids(card)`.

    For a cloze sibling the answer begins with the hidden text; a Prompt or an Answer that hides
    something is part of the question, with its gaps. Raises ValueError for an id of another card.
    """
    if sibling_id not in sibling_ids(card):
        raise ValueError(f"{sibling_id!r} is no sibling of card {card.id!r}")
    if sibling_id == card.id:
        return _join(card.question, card.prompt), card.answer
    number = int(sibling_id.rpartition("/c")[2])
    shown = [card.question, card.prompt]
    if deletions(card.answer):
        shown.append(card.answer)
    hidden = [d.text for text in _texts(card) for d in deletions(text) if d.number == number]
    asked = _join(*(_fill(text, number) for text in shown))
    return asked, _join("; ".join(dict.fromkeys(hidden)), revealed(card.answer))


def revealed(text: str) -> str:
    """The text with every deletion shown."""
    return _fill(text, None)


def _fill(text: str, hidden: int | None) -> str:
    def show(match: re.Match[str]) -> str:
        if int(match[1]) != hidden:
            return match[2]
        return f"[{match[3]}]" if match[3] else GAP

    return _DELETION.sub(show, text)


def _texts(card: Card) -> tuple[str, str, str]:
    return card.question, card.prompt, card.answer


def _join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
