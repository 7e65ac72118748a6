"""References in prose, and which parts of Markdown are code or formulas.

[^clip]                a source of the card          {claim:clip-knobs/tau-one}   a demo's claim
[^derived]             the card's own derivation, in its section Deeper
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studytool.deck.model import Card

#: The note that points at the derivation in Deeper rather than at a source.
DERIVED = "derived"

_NOTE = re.compile(r"\[\^([^\]\s]+)\]")
_CLAIM = re.compile(r"\{claim:([^}/\s]+)/([^}\s]+)\}")
_BROKEN_CLAIM = re.compile(r"\{claim[^}\n]*\}?")
_CODE = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"  # a fenced block
    r"|(?<!`)(?P<tick>`+)(?!`)(?:[^\n]|\n(?![ \t]*\n))+?(?<!`)(?P=tick)(?!`)"  # a code span
    r"|\$\$(?:[^\n]|\n(?![ \t]*\n))+?\$\$"  # a displayed formula
    r"|(?<![\\$\w])\$(?![\s$])(?:\\.|[^$\n\\])+?(?<!\s)\$(?![\d$])",  # a formula in a line
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote mark `[^name]` and where it stands in its text."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ClaimRef:
    """A reference `{claim:demo/claim}` and where it stands in its text."""

    demo: str
    claim: str
    start: int
    end: int


def notes(text: str) -> tuple[Note, ...]:
    """The footnote marks outside code and formulas."""
    return tuple(Note(m[1], m.start(), m.end()) for m in _NOTE.finditer(mask_code(text)))


def claims(text: str) -> tuple[ClaimRef, ...]:
    """The claim references outside code and formulas."""
    found = _CLAIM.finditer(mask_code(text))
    return tuple(ClaimRef(m[1], m[2], m.start(), m.end()) for m in found)


def without_notes(text: str) -> str:
    """The text without its footnote marks and the space before them, for where no sources stand."""
    for note in reversed(notes(text)):
        text = text[: note.start].rstrip(" ") + text[note.end :]
    return text


def broken_claims(text: str) -> tuple[tuple[str, int], ...]:
    """What begins like a claim reference and isn't one, with its place."""
    masked = mask_code(text)
    found = _BROKEN_CLAIM.finditer(masked)
    return tuple((m[0], m.start()) for m in found if not _CLAIM.match(masked, m.start()))


def mask_code(text: str) -> str:
    """The text with code and formulas blanked, so that all places stay where they are."""
    if "`" not in text and "$" not in text and "~~~" not in text:
        return text
    return _CODE.sub(lambda match: blank(match[0]), text)


def blank(text: str) -> str:
    """Spaces in place of everything but the line breaks."""
    return re.sub(r"[^\n]", " ", text)


def prose(card: Card) -> Iterator[tuple[str, str]]:
    """Every text of the card that may hold references, with its key in `Located.lines`."""
    yield "Prompt.text", card.prompt
    yield "Answer.text", card.answer
    for i, point in enumerate(card.key_points):
        yield f"Key points.{i}", point.text
        for label, texts in (("also", point.also), ("wrong", tuple(w.why for w in point.wrong))):
            yield from ((f"Key points.{i}.{label}.{k}", text) for k, text in enumerate(texts))
    for i, wrong in enumerate(card.misconceptions):
        yield f"Misconceptions.{i}", f"{wrong.text} {wrong.why}"
    for i, option in enumerate(card.options):
        yield f"Options.{i}", f"{option.text} {option.why}"
    yield "Deeper.text", card.deeper
    yield "See it.text", card.see_it
