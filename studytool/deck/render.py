"""From cards to text, in one canonical form: `parse(render(card)) == card`.

Any card that the parser gives can be written. A card built elsewhere can hold text that the
format has no room for; then render_card raises UnwritableCard. The limits are:

- no NUL, no carriage return and no lone surrogate anywhere;
- question, key points, also, probe, wrong, why, options: one line, not empty (a `why` may be),
  no space or tab at either end; a wrong statement or an option doesn't hold `(why:`;
- Prompt, Answer, Deeper, See it: no blank line at the start, no white space at the end, no line
  `## …` or `### …` in the first column outside a fence or HTML block, every fence and HTML
  block closed, no fence that holds the start of a card with a fence of its own;
- ids without space or braces; follow-ups without space; integers of 64 bits; finite numbers.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

from studytool.deck.blocks import is_closed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from studytool.deck.model import Card, FileHead, KeyPoint, Option, Scalar, Wrong

#: The longest line of an inline table; a longer one becomes a table of its own.
WIDTH = 100

_BARE = re.compile(r"[A-Za-z0-9_-]+$")


class UnwritableCard(ValueError):
    """The card holds text that the format can't express; the message says which."""


def render_file(head: FileHead, cards: Sequence[Card]) -> str:
    """A whole file. Raises UnwritableCard."""
    for card in cards:
        _refuse(card)
    return canonical_file(head, cards)


def render_card(card: Card) -> str:
    """One card, from its heading to its last section, ended by a newline. Raises UnwritableCard."""
    _refuse(card)
    return canonical_card(card)


def canonical_file(head: FileHead, cards: Sequence[Card]) -> str:
    """Like render_file, for cards that come from the parser and so need no check."""
    lines = ["+++", f"schema = {head.schema}"]
    lines += [f"{name} = {_string(getattr(head, name))}" for name in ("chapter", "area", "topic")]
    return (
        "\n\n".join(["\n".join([*lines, "+++"]), *(canonical_card(card)[:-1] for card in cards)])
        + "\n"
    )


def canonical_card(card: Card) -> str:
    """Like render_card, for a card that comes from the parser and so needs no check."""
    parts = [f"## {card.question} {{#{card.id}}}\n```toml\n{_table(card)}\n```"]
    if card.prompt:
        parts.append(f"### Prompt\n{card.prompt}")
    if card.options:
        parts.append("### Options\n" + "\n".join(_option(option) for option in card.options))
    parts.append(f"### Answer\n{card.answer}")
    if card.key_points:
        parts.append("### Key points\n" + "\n".join(map(_key_point, card.key_points)))
    if card.misconceptions:
        parts.append(
            "### Misconceptions\n" + "\n".join(f"- {_wrong(w)}" for w in card.misconceptions)
        )
    if card.deeper:
        parts.append(f"### Deeper\n{card.deeper}")
    if card.follow_ups:
        parts.append("### Follow-ups\n" + "\n".join(f"- {name}" for name in card.follow_ups))
    if card.see_it:
        parts.append(f"### See it\n{card.see_it}")
    return "\n\n".join(parts) + "\n"


def _table(card: Card) -> str:
    lines = [f'level = "{card.level}"', f'kind = "{card.kind}"']
    late: list[str] = []
    if card.demo is not None:
        lines.append(f"demo = {_string(card.demo)}")
    if card.no_demo is not None:
        lines.append(f"no_demo = {_string(card.no_demo)}")
    _dict("params", card.params, lines, late)
    if card.needs:
        lines.append(f"needs = {_array(card.needs)}")
    if card.tags:
        lines.append(f"tags = {_array(card.tags)}")
    if card.contested:
        lines.append("contested = true")
    _dict("sources", card.sources, lines, late)
    if card.checked is not None:
        lines.append(f"checked = {card.checked.isoformat()}")
    if card.result is not None:
        unit = {"unit": card.result.unit} if card.result.unit else {}
        _dict(
            "result",
            {"value": card.result.value, "tolerance": card.result.tolerance, **unit},
            lines,
            late,
        )
    return "\n".join(lines + late)


def _dict(name: str, values: Mapping[str, Scalar], lines: list[str], late: list[str]) -> None:
    """As an inline table where it fits, else as a table after all plain keys."""
    if not values:
        return
    pairs = [f"{_key(key)} = {_scalar(value)}" for key, value in values.items()]
    inline = f"{name} = {{ {', '.join(pairs)} }}"
    if len(inline) <= WIDTH:
        lines.append(inline)
    else:
        late += [f"[{name}]", *pairs]


def _key(key: str) -> str:
    return key if _BARE.match(key) else _string(key)


def _string(text: str) -> str:
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _scalar(value: Scalar) -> str:
    if isinstance(value, str):
        return _string(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _array(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_string, values))}]"


def _wrong(wrong: Wrong) -> str:
    return f"{wrong.text} (why: {wrong.why})" if wrong.why else wrong.text


def _option(option: Option) -> str:
    why = f" (why: {option.why})" if option.why else ""
    return f"- [{'x' if option.correct else ' '}] {option.text}{why}"


def _key_point(point: KeyPoint) -> str:
    lines = [f"- [{point.weight}] {point.text}"]
    lines += [f"  - also: {text}" for text in point.also]
    if point.probe is not None:
        lines.append(f"  - probe: {point.probe}")
    lines += [f"  - wrong: {_wrong(wrong)}" for wrong in point.wrong]
    return "\n".join(lines)


def _refuse(card: Card) -> None:
    for what in unwritable(card):
        raise UnwritableCard(f"card {card.id!r}: {what}")


def unwritable(card: Card) -> Iterator[str]:
    """What of a card the format has no room for; nothing for a card that can be written."""
    for name, text in _lines_of(card):
        if not _is_line(text):
            yield f"{name} must be one line of text without space at its ends: {text[:60]!r}"
    wrongs = [*card.misconceptions, *(wrong for point in card.key_points for wrong in point.wrong)]
    stated = [(w.text, w.why) for w in wrongs] + [(o.text, o.why) for o in card.options]
    for text, why in stated:
        if "(why:" in text:
            yield f"a wrong statement or option holds '(why:': {text[:60]!r}"
        if why and not _is_line(why):
            yield f"a why must be one line of text without space at its ends: {why[:60]!r}"
    for point in card.key_points:
        if not 0 <= point.weight <= 999:
            yield f"a weight must be between 0 and 999, not {point.weight}"
    for name in ("prompt", "answer", "deeper", "see_it"):
        if (trouble := _prose_trouble(getattr(card, name))) is not None:
            yield f"{name} {trouble}"
    if not card.answer:
        yield "the answer is empty"
    yield from _table_trouble(card)


def _lines_of(card: Card) -> Iterator[tuple[str, str]]:
    yield "the question", card.question
    for point in card.key_points:
        yield "a key point", point.text
        yield from (("an also", text) for text in point.also)
        if point.probe is not None:
            yield "a probe", point.probe
        yield from (("a wrong statement", wrong.text) for wrong in point.wrong)
    yield from (("a misconception", wrong.text) for wrong in card.misconceptions)
    yield from (("an option", option.text) for option in card.options)


def _is_line(text: str) -> bool:
    return bool(text) and text == text.strip(" \t") and "\n" not in text and _is_text(text)


def _is_text(text: str) -> bool:
    if "\0" in text or "\r" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _prose_trouble(text: str) -> str | None:
    if not _is_text(text):
        return "holds a NUL, a carriage return or a lone surrogate"
    if text != text.rstrip(" \t\n") or (text and not text.split("\n", 1)[0].strip(" \t")):
        return "has a blank line at its start or white space at its end"
    if text and not is_closed(text):
        return "holds a heading of level 2 or 3, or a block that is never closed"
    return None


def _table_trouble(card: Card) -> Iterator[str]:
    for name in (card.id, *card.follow_ups):
        if not name or name != "".join(name.split()) or not _is_text(name):
            yield f"{name!r} is no id"
    if "{" in card.id or "}" in card.id:
        yield f"{card.id!r} is no id"
    texts = [card.chapter, card.area, card.topic, *card.needs, *card.tags, *card.sources.values()]
    texts += [text for text in (card.demo, card.no_demo) if text is not None]
    if not all(text.strip() and _is_plain(text) for text in texts):
        yield "an entry of its table is empty or isn't text"
    if not all(_is_plain(key) for key in (*card.sources, *card.params)):
        yield "a key of its table isn't text"
    for value in card.params.values():
        if isinstance(value, str) and not _is_plain(value):
            yield "a parameter isn't text"
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            yield "a parameter needs more than 64 bits"
        if isinstance(value, float) and not math.isfinite(value):
            yield "a parameter isn't finite"
    if card.result is not None:
        numbers = card.result.value, card.result.tolerance
        if not all(map(math.isfinite, numbers)) or numbers[1] < 0:
            yield "the result isn't finite, or its tolerance is negative"
        if not _is_plain(card.result.unit):
            yield "the unit isn't text"


def _is_plain(text: str) -> bool:
    """Text for a TOML string, where a carriage return is written as an escape."""
    return _is_text(text.replace("\r", ""))
