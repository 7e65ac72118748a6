"""A card as parts, in the order they are read: the question's side, then the answer's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from studytool.deck.model import Kind
from studytool.tui import card_text, prose
from studytool.tui.parts import Entries, Line, Prose, Ticks, Words
from studytool.tui.text import plain

if TYPE_CHECKING:
    from collections.abc import Collection

    from studytool.tui.parts import Part
    from studytool.tui.ports import Sheet
    from studytool.tui.review_state import Table

#: The sections of an answer, as the settings name them.
SECTIONS = ("answer", "points", "misconceptions", "sources", "deeper", "follow_ups", "see_it")
CHANGED = "Changed since your last review; the difference is shown with the answer."


def front(sheet: Sheet, *, chosen: Collection[int], revealed: bool) -> list[Part]:
    """Banner, question, longer statement, options."""
    question = sheet.question
    heading, prompt = card_text.face(question)
    options = card_text.options(question.card, chosen, revealed=revealed)
    return [
        Words(plain(CHANGED if question.change and not revealed else "", "$due"), gap=False),
        Words(plain(heading, "bold")),
        Prose(prose.parse(prompt) if prompt else ()),
        Ticks("options", tuple(options), set(chosen), frozen=revealed),
    ]


def review(table: Table, opened: Collection[str]) -> list[Part]:
    """All parts of the card in hand: with the answer once it is revealed."""
    sheet = table.sheet
    parts = front(sheet, chosen=table.chosen, revealed=table.revealed)
    if not table.revealed:
        parts.append(Line("rule", dotted=True))
        parts.append(Words(plain(table.typed), "said", gap=False))
        return parts
    if table.kind is Kind.COMPUTE:
        parts += [Line(left="you said")] if table.typed else []
        verdict = card_text.computed(sheet.question.card, table.typed)
        parts.append(Words(verdict, gap=not table.typed))
    elif table.typed:
        parts += [Line(left="you said"), Words(plain(table.typed), gap=False)]
    return [*parts, *back(sheet, opened, table.ticked)]


def back(sheet: Sheet, opened: Collection[str], ticked: Collection[int] = ()) -> list[Part]:
    """The answer with the sections of `opened`."""
    question, card, marks = sheet.question, sheet.question.card, card_text.marks(sheet)
    change = card_text.change(question.change)
    if change:
        change = Content.styled("Changed since your last review\n", "bold $due") + change
    sections: dict[str, list[Part]] = {
        "points": [
            Ticks("points", tuple(card_text.points(sheet)), set(ticked), heading="Key points")
        ],
        "misconceptions": [Entries("Don't say", card_text.misconceptions(card))],
        "deeper": [Prose(prose.parse(f"**Deeper**\n\n{card.deeper}", marks))]
        if card.deeper
        else [],
        "follow_ups": [Entries("Follow-ups", card_text.follow_ups(sheet))],
        "see_it": [Words(card_text.see_it(sheet))],
        "sources": [Words(card_text.sources(card))],
    }
    parts: list[Part] = [Line(), Words(change), Prose(prose.parse(question.answer, marks))]
    for name in ("points", "misconceptions", "deeper", "follow_ups", "see_it"):
        parts += sections[name] if name in opened else []
    parts.append(Words(card_text.own_note(question)))
    parts += sections["sources"] if "sources" in opened else []
    return parts


def hidden_sections(sheet: Sheet, opened: Collection[str]) -> list[str]:
    """The sections that this card has and that are not open."""
    card = sheet.question.card
    has = {
        "points": bool(card.key_points),
        "misconceptions": bool(card_text.misconceptions(card)),
        "sources": bool(card_text.sources(card)),
        "deeper": bool(card.deeper),
        "follow_ups": bool(sheet.follow_ups),
        "see_it": bool(sheet.demo_title),
    }
    return [name for name, there in has.items() if there and name not in opened]
