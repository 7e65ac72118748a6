"""A card's question and answer as plain text, in the order of the settings, cleaned."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from studytool.deck import refs
from studytool.deck.model import Kind
from studytool.interview.prompts import spoken
from studytool.services import verdicts
from studytool.services.safe import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from studytool.deck.model import Card, Wrong
    from studytool.grading.model import Graded
    from studytool.services.context import App
    from studytool.services.types import Question


def question_text(question: Question) -> str:
    """What stands before the reveal: the head line, what has changed, the prompt, the options."""
    card = question.card
    head = (question.chapter_title, card.level.value, card.kind.value, question.card_id)
    parts = [" · ".join(map(one_line, head))]
    if question.change:
        parts.append(f"The text has changed since your last answer:\n{clean(question.change)}")
    parts.append(clean(question.prompt).strip())
    if card.kind is Kind.CHOICE:
        parts.append("\n".join(f"  {letter}) {text}" for letter, text in _lettered(card)))
    return "\n\n".join(parts)


def answer_text(question: Question, app: App) -> str:
    """What the reveal shows: the sections that the settings name, those that have something."""
    card = question.card
    values = _claim_values(app, question)
    parts: list[str] = []
    for section in app.settings.ui.reveal:
        heading, write = _SECTIONS[section]
        body = question.answer if section == "answer" else write(card)
        body = clean(_with_values(body, values)).strip("\n")
        if body:
            parts.append(f"\n{heading}\n{body}")
    return "\n".join(parts)


def verdict_text(graded: Graded, kind: Kind, notice: str) -> str:
    """What a grader says of a typed answer, numbered as `x N` names the points."""
    rating = "no rating suggested" if graded.rating is None else graded.rating.name.lower()
    lines = [f"\nYour answer\n  suggested: {rating}, {verdicts.reason(graded)}"]
    if graded.number is not None:
        said = one_line(graded.number.evidence) or "none given"
        lines.append(f"  number {'right' if graded.number.right else 'wrong'}: {said}")
    for number, point in enumerate(graded.points, 1):
        text = one_line(spoken(point.text))
        lines.append(f"  {number}. {point.verdict.value}: {text}")
        if point.evidence:
            lines.append(f"       you said: {one_line(point.evidence)}")
        if point.wrong:
            why = f" - {one_line(spoken(point.why))}" if point.why else ""
            lines.append(f'       that is: "{one_line(point.wrong)}"{why}')
    for one in graded.voiced:
        why = f" - {one_line(spoken(one.why))}" if one.why else ""
        lines.append(f'  misconception voiced: "{one_line(one.text)}"{why}')
        lines.append(f"       you said: {one_line(one.evidence)}")
    if kind not in (Kind.CHOICE, Kind.CLOZE):
        lines.append(f"  {notice or 'judged by ' + one_line(graded.grader)}")
    return "\n".join(lines)


def demo_command(card: Card) -> str:
    """The command that runs the card's demo with the card's parameters, or why there is none."""
    if card.demo is None:
        return f"This card has no demo: {one_line(card.no_demo or 'none is linked')}."
    words = ["studytool", "demo", "run", one_line(card.demo)]
    for name, value in card.params.items():
        flag = "--" + one_line(name).replace("_", "-")
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{flag[2:]}")
        else:
            words += [flag, one_line(str(value))]
    return shlex.join(words)


def _lettered(card: Card) -> Iterator[tuple[str, str]]:
    for number, option in enumerate(card.options):
        yield chr(ord("a") + number), one_line(option.text)


def _options(card: Card) -> str:
    lines = []
    for (letter, text), option in zip(_lettered(card), card.options, strict=True):
        why = f": {one_line(option.why)}" if option.why else ""
        lines.append(f"  {letter}) {'right' if option.correct else 'wrong'} - {text}{why}")
    return "\n".join(lines)


def _answer(card: Card) -> str:
    return card.answer


def _points(card: Card) -> str:
    lines = [_options(card)] if card.options else []
    if card.result is not None:
        result = card.result
        lines.append(f"  result: {result.value:g} ± {result.tolerance:g} {result.unit}".rstrip())
    lines += [
        f"  weight {point.weight}: {one_line(refs.without_notes(point.text))}"
        for point in card.key_points
    ]
    return "\n".join(lines)


def _misconceptions(card: Card) -> str:
    wrong = [wrong for point in card.key_points for wrong in point.wrong]
    return "\n".join(map(_wrong, [*wrong, *card.misconceptions]))


def _wrong(wrong: Wrong) -> str:
    why = f" - {one_line(wrong.why)}" if wrong.why else ""
    return f'  "{one_line(wrong.text)}"{why}'


def _sources(card: Card) -> str:
    lines = [f"  [^{one_line(name)}] {one_line(text)}" for name, text in card.sources.items()]
    if card.checked is not None:
        lines.append(f"  checked {card.checked.isoformat()}")
    if card.contested:
        lines.append("  contested: good sources disagree")
    return "\n".join(lines)


def _deeper(card: Card) -> str:
    return card.deeper


def _follow_ups(card: Card) -> str:
    return "\n".join(f"  {one_line(card_id)}" for card_id in card.follow_ups)


def _see_it(card: Card) -> str:
    command = f"  {demo_command(card)}" if card.demo else ""
    return "\n".join(part for part in (card.see_it, command) if part)


_SECTIONS: dict[str, tuple[str, Callable[[Card], str]]] = {
    "answer": ("Answer", _answer),
    "points": ("Key points", _points),
    "misconceptions": ("Misconceptions", _misconceptions),
    "sources": ("Sources", _sources),
    "deeper": ("Deeper", _deeper),
    "follow_ups": ("Follow-ups", _follow_ups),
    "see_it": ("See it", _see_it),
}


def _claim_values(app: App, question: Question) -> dict[str, str]:
    """The values of the claims that the card's prose speaks of, from the user's own last runs."""
    from studytool.services.demo_history import claim_texts

    texts = (question.answer, *(text for _, text in refs.prose(question.card)))
    demos = {claim.demo for text in texts for claim in refs.claims(text)}
    values: dict[str, str] = {}
    for demo in sorted(demos):
        values.update(claim_texts(app, demo))
    return values


def _with_values(text: str, values: dict[str, str]) -> str:
    """`text` with each `{claim:demo/id}` replaced by its value."""
    for claim in reversed(refs.claims(text)):
        unknown = f"(not measured yet: run {claim.demo})"
        value = values.get(f"{claim.demo}/{claim.claim}", unknown)
        text = text[: claim.start] + value + text[claim.end :]
    return text
