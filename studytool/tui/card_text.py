"""The parts of a card as content: head line, options, key points, misconceptions, sources."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from textual.content import Content

from studytool.deck import refs
from studytool.grading.model import Verdict
from studytool.schedule.model import Phase
from studytool.tui import grade, prose
from studytool.tui.text import SUPERSCRIPTS, number, plain_line
from studytool.tui.widgets.check_list import Item

if TYPE_CHECKING:
    from collections.abc import Collection

    from studytool.deck.model import Card
    from studytool.grading.model import Graded, PointVerdict
    from studytool.services.types import Question
    from studytool.tui.ports import Sheet

PHASES = {
    Phase.NEW: ("new", "$new"),
    Phase.LEARNING: ("learning", "$learning"),
    Phase.REVIEW: ("due", "$due"),
    Phase.RELEARNING: ("relearning", "$learning"),
}

#: The signs of verdicts: where a box can be ticked, and where none can.
EMPTY = {
    Verdict.COVERED: ("☐ ", "$muted"),
    Verdict.MISSED: ("☐ ", "$muted"),
    Verdict.CONTRADICTED: ("☒ ", "bold $wrong"),
    Verdict.UNSURE: ("? ", "bold $due"),
}
SIGNS = {
    Verdict.COVERED: ("✓ ", "bold $right"),
    Verdict.MISSED: ("· ", "bold $muted"),
    Verdict.CONTRADICTED: ("✗ ", "bold $wrong"),
    Verdict.UNSURE: ("? ", "bold $due"),
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


def points(sheet: Sheet, graded: Graded | None = None) -> list[Item]:
    """The key points to tick, each with its weight; graded ones with what they were judged by.

    A point that was missed, or not graded, has the question that probes it.
    """
    items = []
    for at, point in enumerate(sheet.question.card.key_points):
        judged = graded.points[at] if graded is not None else None
        note = judgement(judged) if judged is not None else Content("")
        if point.probe and (judged is None or judged.verdict is Verdict.MISSED):
            asked = Content.assemble("they may ask: ", prose.inline(point.probe))
            note += Content(" · " if note else "") + asked
            note = note.stylize_before("$muted")
        side = f"weight {point.weight}" if point.weight != 1 else ""
        empty = EMPTY[judged.verdict if judged is not None else Verdict.MISSED]
        text = prose.inline(point.text, marks(sheet))
        items.append(Item(text, side=side, note=note or None, empty=empty))
    return items


def judgement(point: PointVerdict) -> Content:
    """The verdict on a point, the clause that it was judged by, and the mistake in that."""
    said = plain_line(f"“{shortened(point.evidence)}”")
    match point.verdict:
        case Verdict.COVERED:
            return Content.assemble("covered: ", said).stylize_before("$muted")
        case Verdict.UNSURE:
            return Content.assemble(("unsure, judge yourself: ", "$due"), said.stylize("$muted"))
        case Verdict.CONTRADICTED:
            lines = [Content.assemble(("contradicted: ", "$wrong"), said.stylize("$muted"))]
            if point.wrong:
                lines.append(mistake(point.wrong, point.why))
            return Content("\n").join(lines)
        case Verdict.MISSED:
            return Content.styled("missed", "$muted")


def mistake(wrong: str, why: str) -> Content:
    """A misconception by its name, and why it is one."""
    because = Content.assemble(" — ", prose.inline(refs.without_notes(why))) if why else Content("")
    named = prose.inline(refs.without_notes(wrong))
    return Content.assemble("that is “", named, "”", because.stylize("$muted"))


def voiced(graded: Graded) -> list[tuple[Content, Content]]:
    """The misconceptions of the card that the answer voices, each with the clause that does."""
    return [
        (
            Content.styled("✗ ", "bold $wrong"),
            Content.assemble(
                plain_line(f"“{shortened(one.evidence)}”", "$muted"),
                " ",
                mistake(one.text, one.why),
            ),
        )
        for one in graded.voiced
    ]


def verdicts(graded: Graded) -> list[tuple[Content, Content]]:
    """What was judged apart from the key points: hidden words, or sentences of the answer."""
    entries = []
    for point in graded.points:
        sign = SIGNS[point.verdict]
        words = Content.assemble(prose.inline(point.text), (f"  {point.verdict.value}", "$muted"))
        entries.append((Content.styled(*sign), words))
    return entries


def tally(graded: Graded) -> str:
    """`2 covered · 1 contradicted · 1 unsure`, with the misconceptions voiced."""
    count = Counter(point.verdict for point in graded.points)
    parts = [f"{count[each]} {each.value}" for each in Verdict if count[each]]
    if graded.voiced:
        parts.append(f"{len(graded.voiced)} misconception{'s' * (len(graded.voiced) > 1)}")
    return " · ".join(parts)


def shortened(text: str, room: int = 120) -> str:
    """A clause of an answer, cut when it is long."""
    words = " ".join(text.split())
    return words if len(words) <= room else f"{words[: room - 1].rstrip()}…"


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
