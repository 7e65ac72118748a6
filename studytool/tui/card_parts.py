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
#: The lines of one's own answer that are shown.
TALLEST = 8
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


def asked(table: Table) -> list[Part]:
    """The parts of the card in hand before its answer is revealed."""
    return [
        *front(table.sheet, chosen=table.chosen, revealed=False),
        Line("rule", dotted=True),
        Words(plain(table.typed), "said", gap=False, most=TALLEST),
    ]


def answered(table: Table, opened: Collection[str]) -> list[Part]:
    """The parts of the card in hand with its answer."""
    sheet = table.sheet
    parts = front(sheet, chosen=table.chosen, revealed=True)
    said = plain(table.typed)
    if table.kind is Kind.COMPUTE and sheet.question.card.result is not None:
        parts += [Line(left="you said")] if table.typed else []
        verdict = card_text.computed(sheet.question.card, table.typed)
        parts.append(Words(verdict, gap=not table.typed))
    elif table.typed:
        found = card_text.tally(table.settled) if table.settled is not None else ""
        judged = [Line("said", left="you said", right=found)]
        parts += [*judged, Words(said, gap=False, most=TALLEST)]
    return [*parts, *back(sheet, opened, table)]


def back(sheet: Sheet, opened: Collection[str], table: Table | None = None) -> list[Part]:
    """The answer with the sections of `opened`, and of `table` its ticks and verdicts."""
    question, card, marks = sheet.question, sheet.question.card, card_text.marks(sheet)
    change = card_text.change(question.change)
    if change:
        change = Content.styled("Changed since your last review\n", "bold $due") + change
    sections: dict[str, list[Part]] = {
        "points": points(sheet, table),
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


def points(sheet: Sheet, table: Table | None) -> list[Part]:
    """The key points with their ticks, and what else a grader has said of the typed answer."""
    graded = table.graded if table is not None else None
    if table is None or graded is None:
        ticked = set(table.ticked) if table is not None else set()
        return [Ticks("points", tuple(card_text.points(sheet)), ticked, heading="Key points")]
    aside = table.notice or f"judged by {graded.grader}"
    found = card_text.points(sheet, graded if table.pointwise else None)
    parts: list[Part] = [
        Ticks("points", tuple(found), set(table.ticked), heading="Key points",
              aside=aside if table.pointwise else "")
    ]  # fmt: skip
    if not table.pointwise:
        parts.append(Entries("Your answer", card_text.verdicts(graded), "judged"))
    parts.append(Entries("Misconception voiced", card_text.voiced(graded), "voiced"))
    return parts


def hidden_sections(sheet: Sheet, opened: Collection[str]) -> list[str]:
    """The sections that this card has and that are not open."""
    card = sheet.question.card
    has = {
        "points": bool(card.key_points),
        "misconceptions": bool(card.misconceptions) or any(p.wrong for p in card.key_points),
        "sources": bool(card.sources) or card.checked is not None,
        "deeper": bool(card.deeper),
        "follow_ups": bool(sheet.follow_ups),
        "see_it": bool(sheet.demo_title),
    }
    return [name for name, there in has.items() if there and name not in opened]
