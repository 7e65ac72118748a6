"""Where the headings of a card file are, as CommonMark sees them.

A structural heading is an ATX heading of level 2 or 3 that starts in the first column and
stands outside fences, HTML blocks, lists and quotations. A line in the first column ends every
list, quotation and paragraph, so only an open fence or an open HTML block can hide it. Where
the text between two such lines holds nothing that opens one, the next line is a heading and no
parser needs to be asked; elsewhere markdown-it's block rules decide. (Running them over every
line costs 1.2 ms for a card of 50 lines, ten times all the rest; a property test holds the two
ways equal.)

A fence that was never closed would swallow the cards below it. It is reported, and reading goes
on at the next line that can only be the start of a card.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MARK = re.compile(r"#{2,3}(?=[ \t]|$)")
_HTML = re.compile(r"^[ \t>*+\-0-9.)]*<", re.MULTILINE)
_CARD_START = re.compile(r"##[ \t].*\{#[^{}\s]+\}[ \t]*#*[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*(.*?)[ \t]*$")


@dataclass(frozen=True, slots=True)
class Heading:
    """A structural heading: its line (from 0), its level (2 or 3) and its text."""

    line: int
    level: int
    text: str


@dataclass(slots=True)
class Outline:
    """The headings in order, the head fence of each card, and openings that nothing closes.

    `heads` maps the line of a level-2 heading to the lines of its ```toml fence, both marker
    lines included.
    """

    headings: list[Heading] = field(default_factory=list)
    heads: dict[int, tuple[int, int]] = field(default_factory=dict)
    unclosed: list[int] = field(default_factory=list)


def split_lines(text: str) -> list[str]:
    """Lines as CommonMark counts them: ended by LF, CRLF or CR, and by nothing else."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def outline(lines: Sequence[str], start: int = 0) -> Outline:
    """The structure of the lines from `start` on; linear in their number."""
    found = Outline()
    marks = [i for i in range(start, len(lines)) if lines[i][:2] == "##" and _MARK.match(lines[i])]
    line = start
    while (at := _next_heading(lines, line, marks, found)) is not None:
        heading = _heading(lines[at], at)
        found.headings.append(heading)
        line = at + 1
        if heading.level == 2:
            line = _skip_head(lines, at, found)
    return found


def is_closed(text: str) -> bool:
    """Whether a heading may follow `text`, and `text` itself holds none."""
    lines = ["### before", *text.split("\n"), "", "### after"]
    found = outline(lines)
    ends = [heading.line for heading in found.headings]
    return ends == [0, len(lines) - 1] and not found.unclosed


def _heading(text: str, line: int) -> Heading:
    level = 3 if text.startswith("###") else 2
    text = text[level:].strip(" \t")
    bare = text.rstrip("#")  # a closing sequence of # counts only after a space
    return Heading(line, level, bare.rstrip(" \t") if bare[-1:] in ("", " ", "\t") else text)


def _skip_head(lines: Sequence[str], at: int, found: Outline) -> int:
    """The line after the ```toml fence of the card whose heading is at `at`."""
    opened = at + 1
    while opened < len(lines) and not lines[opened].strip(" \t"):
        opened += 1
    fence = _FENCE.match(lines[opened]) if opened < len(lines) else None
    if fence is None or fence[2] != "toml":
        return at + 1
    for i in range(opened + 1, len(lines)):
        if _closes(lines[i], fence[1]):
            found.heads[at] = (opened, i)
            return i + 1
        if _starts_card(lines, i, fence[1]):
            found.unclosed.append(opened)
            return i
    found.unclosed.append(opened)
    return next((i for i in range(opened, len(lines)) if _CARD_START.match(lines[i])), len(lines))


def _closes(line: str, marker: str) -> bool:
    if marker not in line:
        return False
    fence = _FENCE.match(line)
    return fence is not None and not fence[2] and fence[1].startswith(marker)


def _starts_card(lines: Sequence[str], i: int, marker: str) -> bool:
    """Whether line `i`, inside a fence, can only be the start of the next card.

    Its own ```toml fence would be closed by a line that closes the outer fence as well, so
    no author can have meant it as an example.
    """
    if lines[i][:2] != "##" or not _CARD_START.match(lines[i]):
        return False
    i += 1
    while i < len(lines) and not lines[i].strip(" \t"):
        i += 1
    fence = _FENCE.match(lines[i]) if i < len(lines) else None
    return fence is not None and fence[2] == "toml" and fence[1].startswith(marker)


def _next_heading(
    lines: Sequence[str], line: int, marks: Sequence[int], found: Outline
) -> int | None:
    """The first structural heading at or after `line`, where no block is open."""
    k = bisect_left(marks, line)
    end = marks[k] if k < len(marks) else len(lines)
    if not _suspect("\n".join(lines[line:end])):
        return end if k < len(marks) else None
    reached = _over_plain_fences(lines, line)
    if reached is not None:
        return reached if reached < len(lines) else None
    reach = 1
    while True:
        last = k + reach - 1
        end = marks[last] + 1 if last < len(marks) else len(lines)
        tokens = _top_level(lines[line:end])
        for token in tokens:
            at = line + (token.map or [0, 0])[0]
            if token.type == "heading_open" and _MARK.match(lines[at]):
                return _recover(lines, line, tokens, at, found)
        if end == len(lines):
            return _recover(lines, line, tokens, None, found)
        reach *= 2


def _suspect(text: str) -> bool:
    """Whether anything in the text could open a fence or an HTML block."""
    if "```" in text or "~~~" in text:
        return True
    return "<" in text and _HTML.search(text) is not None


def _over_plain_fences(lines: Sequence[str], line: int) -> int | None:
    """The first heading at or after `line` (or the end), past fences that start in the first column.

    Such a fence is open at the top level, whatever stands above it. None when there is anything
    else that markdown-it must judge.
    """
    while line < len(lines):
        text = lines[line]
        if text[:2] == "##" and _MARK.match(text):
            return line
        if text[:3] in ("```", "~~~"):
            fence = _FENCE.match(text)
            if fence is None or "`" in fence[2]:
                return None
            line += 1
            while line < len(lines) and not _closes(lines[line], fence[1]):
                if _starts_card(lines, line, fence[1]):
                    return None
                line += 1
            if line == len(lines):
                return None
        elif _suspect(text):
            return None
        line += 1
    return line


def _recover(
    lines: Sequence[str], line: int, tokens: Sequence[Token], at: int | None, found: Outline
) -> int | None:
    """`at`, unless a fence or HTML block before it was never closed: then the next card's start."""
    limit = len(lines) if at is None else at
    for token in tokens:
        first, after = (line + edge for edge in token.map or (0, 0))
        if first >= limit or token.type not in {"fence", "html_block"}:
            continue
        inside = range(first + 1, after)
        if _is_open(token, lines[first:after]):
            found.unclosed.append(first)
            return next((i for i in inside if _CARD_START.match(lines[i])), None)
        if token.type == "fence":
            start = next((i for i in inside if _starts_card(lines, i, token.markup)), None)
            if start is not None:
                found.unclosed.append(first)
                return start
    return at


def _is_open(token: Token, lines: Sequence[str]) -> bool:
    if token.type == "fence":
        return len(lines) < 2 or not any(_closes(line, token.markup) for line in lines[1:])
    from markdown_it.rules_block.html_block import HTML_SEQUENCES

    first = lines[0].lstrip(" ")
    for opening, closing, _ in HTML_SEQUENCES[:5]:
        if opening.search(first):
            return not any(closing.search(line) for line in lines)
    return False


@cache
def _markdown() -> MarkdownIt:
    """CommonMark's blocks; link definitions are left as text, as footnote marks look like them."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").disable("reference")


def _top_level(lines: Sequence[str]) -> list[Token]:
    tokens: list[Token] = []
    _markdown().block.parse("\n".join(lines), _markdown(), {}, tokens)
    return [token for token in tokens if token.level == 0 and token.map]
