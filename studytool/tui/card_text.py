"""The parts of a card as content: head line, options, key points, misconceptions, sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from studytool.schedule.model import Phase
from studytool.tui import grade, prose
from studytool.tui.text import SUPERSCRIPTS, number, plain_line
from studytool.tui.widgets.check_list import Item

if TYPE_CHECKING:
    from collections.abc import Collection

    from studytool.deck.model import Card
    from studytool.services.types import Question
    from studytool.tui.ports import Sheet

PHASES = {
    Phase.NEW: ("new", "$new"),
    Phase.LEARNING: ("learning", "$learning"),
    Phase.REVIEW: ("due", "$due"),
    Phase.RELEARNING: ("relearning", "$learning"),
}


def head(question: Question) -> Content:
    """`CLIP · medium · clip-temperature · due`, with the flag and the leech mark."""
    card, state = question.card, question.state
    word, colour = PHASES[state.phase]
    parts = [
        plain_line(card.topic, "bold"),
        Content.styled(card.level.value, "$muted"),
        plain_line(question.card_id, "$muted"),
        Content.styled(word, colour),
    ]
    if card.contested:
        parts.append(Content.styled("contested", "$due"))
    if state.leech:
        parts.append(Content.styled("leech", "$wrong"))
    line = Content.styled(" · ", "$muted").join(parts)
    return Content.styled("⚑ ", "bold $due") + line if state.flag else line


def face(question: Question) -> tuple[str, str]:
    """The heading, deletions blanked, and the longer statement under it."""
    heading, _, rest = question.prompt.partition("\n\n")
    return heading, rest


def marks(sheet: Sheet) -> prose.Marks:
    """What footnotes and claim references of this card stand for."""
    return prose.Marks(tuple(sheet.question.card.sources), sheet.claims)


def options(card: Card, chosen: Collection[int], *, revealed: bool) -> list[Item]:
    """The options to choose from; once revealed each with its verdict and, when wrong, its why."""
    items = []
    for at, option in enumerate(card.options):
        text = prose.inline(option.text)
        if not revealed:
            items.append(Item(text))
        elif option.correct:
            items.append(Item(text, verdict="right" if at in chosen else "missed"))
        else:
            note = prose.inline(option.why).stylize_before("$muted") if option.why else None
            items.append(Item(text, note=note, verdict="wrong" if at in chosen else ""))
    return items


def points(sheet: Sheet) -> list[Item]:
    """The key points to tick, each with its weight and the question that probes it."""
    items = []
    for point in sheet.question.card.key_points:
        note = None
        if point.probe:
            note = Content.assemble("they may ask: ", prose.inline(point.probe))
            note = note.stylize_before("$muted")
        side = f"weight {point.weight}" if point.weight != 1 else ""
        items.append(Item(prose.inline(point.text, marks(sheet)), side=side, note=note))
    return items


def misconceptions(card: Card) -> list[tuple[Content, Content]]:
    """What is often said and wrong, with why, each behind its sign."""
    wrongs = [*card.misconceptions, *(wrong for point in card.key_points for wrong in point.wrong)]
    return [
        (
            Content.styled("✗ ", "$wrong"),
            Content.assemble(
                "“",
                prose.inline(wrong.text.strip()),
                "” ",
                Content.assemble("— ", prose.inline(wrong.why)).stylize_before("$muted"),
            ),
        )
        for wrong in wrongs
    ]


def sources(card: Card) -> Content:
    """`Sources  ¹ arXiv:… · ² … · checked 2026-11-23`."""
    parts = [
        plain_line(f"{str(at).translate(SUPERSCRIPTS)} {text}")
        for at, text in enumerate(card.sources.values(), start=1)
    ]
    if card.checked is not None:
        parts.append(Content(f"checked {card.checked}"))
    if not parts:
        return Content("")
    return Content.assemble(("Sources  ", "bold"), Content(" · ").join(parts).stylize("$muted"))


def follow_ups(sheet: Sheet) -> list[tuple[Content, Content]]:
    """The questions that an interviewer may go on with."""
    return [
        (Content.styled("f ", "bold $accent"), plain_line(text)) for _, text in sheet.follow_ups
    ]


def see_it(sheet: Sheet) -> Content:
    """What to look at in the demo, and how to get there."""
    card = sheet.question.card
    if not sheet.demo_title:
        return Content("")
    words = prose.inline(card.see_it, marks(sheet)) if card.see_it else plain_line(sheet.demo_title)
    return Content.assemble(("See it  ", "bold"), words, "  ", ("d", "bold $accent"), " runs it")


def own_note(question: Question) -> Content:
    """The user's note on the card."""
    if not question.state.note:
        return Content("")
    return Content.assemble(("Your note  ", "bold"), plain_line(question.state.note))


def change(diff: str) -> Content:
    """The lines of a unified diff that differ, each with its sign."""
    lines = []
    for line in diff.splitlines():
        if line.startswith(("---", "+++", "@@")):
            continue
        if line.startswith("+"):
            lines.append(plain_line(line, "$right"))
        elif line.startswith("-"):
            lines.append(plain_line(line, "$wrong"))
    return Content("\n").join(lines)


def computed(card: Card, typed: str) -> Content:
    """What the typed number is worth."""
    result = card.result
    if result is None:
        return Content("")
    unit = f" {result.unit}" if result.unit else ""
    true = f"{number(result.value, 5)}{unit}"
    room = f" ± {number(result.tolerance)}"
    value = grade.read_number(typed)
    if value is None:
        return plain_line(f"It is {true}{room}.", "bold")
    if grade.is_right(value, result):
        return Content.assemble(
            ("✓ ", "bold $right"), plain_line(f"{typed.strip()}{unit} · it is {true}")
        )
    return Content.assemble(
        ("✗ ", "bold $wrong"), plain_line(f"you said {typed.strip()} · it is {true}{room}")
    )
