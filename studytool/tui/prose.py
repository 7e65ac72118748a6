"""Markdown to lines, once per text: a small setter for the Markdown that cards use.

Textual's own Markdown widget mounts a widget for each paragraph; a card needs one block of
lines, at once, with footnote marks and claim values filled in. `parse` does the work that
does not depend on the width, `lay_out` the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from textual.content import Content

from studytool.services.safe import clean
from studytool.tui.text import SUPERSCRIPTS, fit, hang, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

CODE = "$text-code"
MUTED = "$muted"
_MARKS = re.compile(r"\[\^([\w.-]+)\]|\{claim:([\w.-]+/[\w.-]+)\}")
_WRAPPERS = {"strong": "bold", "em": "italic", "s": "strike", "link": "underline"}


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a line of code or a table, behind its lead; `gap` asks for a blank line before it."""

    content: Content
    first: str = ""
    rest: str = ""
    gap: bool = False
    code: bool = False
    table: tuple[tuple[Content, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands for a footnote and for a claim: `sources` in order, `claims` by "demo/id"."""

    sources: tuple[str, ...] = ()
    claims: Mapping[str, str] = field(default_factory=dict)

    def footnote(self, name: str) -> str:
        """The number of a source as a superscript; a dagger for what is derived in the card."""
        if name in self.sources:
            return str(self.sources.index(name) + 1).translate(SUPERSCRIPTS)
        return "†" if name == "derived" else f"[{name}]"

    def claim(self, name: str) -> str:
        """The value of a claim; without one, where it is to be had."""
        return self.claims.get(name) or f"(run {name.partition('/')[0]})"


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def parse(text: str, marks: Marks | None = None) -> tuple[Block, ...]:
    """The blocks of a Markdown text. Raw HTML is shown as it is written."""
    return tuple(_Setter(marks or Marks()).blocks(_reader().parse(clean(text))))


def lay_out(blocks: Sequence[Block], width: int) -> list[Content]:
    """The lines of `blocks` at `width` cells."""
    lines: list[Content] = []
    for number, block in enumerate(blocks):
        if block.gap and number:
            lines.append(Content(""))
        if block.table:
            lines.extend(_table(block.table, block.first, width))
        elif block.code:
            folded = _fold_code(block.content, max(2, width - len(block.first)))
            lines.extend(Content(block.first) + line for line in folded)
        else:
            lines.extend(hang(block.content, width, block.first, block.rest))
    return lines


def _fold_code(line: Content, width: int) -> list[Content]:
    """A line of code in pieces of `width` cells, cut at a space where one is in the second half."""
    pieces: list[Content] = []
    while line.cell_length > width:
        space = line.plain.rfind(" ", width // 2, width + 1)
        if space < 1 or len(line.plain) != line.cell_length:
            return [*pieces, *line.fold(width)]
        pieces.append(line[:space])
        line = line[space + 1 :]
    return [*pieces, line]


def inline(text: str, marks: Marks | None = None) -> Content:
    """One paragraph's inline Markdown: a key point, an option, a misconception."""
    tokens = _reader().parseInline(clean(" ".join(text.split())))
    return _inline(tokens[0].children or [], marks or Marks()) if tokens else Content("")


class _Setter:
    """Walks the tokens of one text and keeps the leads of the lists and quotes it is in."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        self.out: list[Block] = []
        self.leads: list[str] = []
        self.counters: list[int | None] = []
        self.tight: list[bool] = []
        self.bullet: str | None = None
        self.fresh_list = False
        self.row: list[Content] = []
        self.rows: list[tuple[Content, ...]] = []

    def blocks(self, tokens: Sequence[Token]) -> list[Block]:
        style = ""
        for token in tokens:
            kind = token.type
            if kind in ("bullet_list_open", "ordered_list_open"):
                start = token.attrGet("start")
                self.counters.append(int(start or 1) if kind.startswith("ordered") else None)
                self.fresh_list = len(self.counters) == 1
            elif kind in ("bullet_list_close", "ordered_list_close"):
                self.counters.pop()
            elif kind == "list_item_open":
                self._open_item()
            elif kind == "list_item_close":
                self.leads.pop()
                self.bullet = None
            elif kind == "blockquote_open":
                self.leads.append("│ ")
            elif kind == "blockquote_close":
                self.leads.pop()
            elif kind == "paragraph_open":
                self.tight.append(bool(token.hidden))
            elif kind == "paragraph_close":
                self.tight.pop()
            elif kind == "heading_open":
                style = "bold"
            elif kind == "heading_close":
                style = ""
            elif kind == "inline":
                self._inline(token, style)
            elif kind in ("fence", "code_block", "html_block"):
                self._code(token.content.rstrip("\n"), kind == "html_block")
            elif kind == "hr":
                self._add(Content.styled("┄┄┄", MUTED), gap=True)
            elif kind == "tr_close":
                self.rows.append(tuple(self.row))
                self.row = []
            elif kind == "table_close":
                lead = "".join(self.leads)
                self.out.append(Block(Content(""), lead, lead, gap=True, table=tuple(self.rows)))
                self.rows = []
        return self.out

    def _open_item(self) -> None:
        counter = self.counters[-1]
        if counter is None:
            mark = "• "
        else:
            mark = f"{counter}. "
            self.counters[-1] = counter + 1
        self.bullet = "".join(self.leads) + mark
        self.leads.append(" " * len(mark))

    def _inline(self, token: Token, style: str) -> None:
        content = _inline(token.children or [], self.marks)
        if self.tight:
            self._add(content, gap=self.fresh_list or not self.tight[-1])
            self.fresh_list = False
        elif style:
            self._add(content.stylize(style), gap=True)
        else:
            self.row.append(content)

    def _add(self, content: Content, *, gap: bool) -> None:
        rest = "".join(self.leads)
        first, self.bullet = (rest if self.bullet is None else self.bullet), None
        self.out.append(Block(content, first, rest, gap=gap))

    def _code(self, text: str, raw: bool) -> None:
        lead = "".join(self.leads) + ("" if raw else "  ")
        for number, line in enumerate(text.expandtabs(4).split("\n")):
            self.out.append(
                Block(Content.styled(line, CODE), lead, lead, gap=number == 0, code=True)
            )


def _inline(tokens: Sequence[Token], marks: Marks) -> Content:
    parts: list[Content] = []
    styles: list[str] = []
    for token in tokens:
        kind = token.type
        if kind == "text":
            parts.append(_marked(token.content, " ".join(styles), marks))
        elif kind == "code_inline":
            parts.append(Content.styled(token.content, " ".join([*styles, CODE])))
        elif kind in ("softbreak", "hardbreak"):
            parts.append(Content(" " if kind == "softbreak" else "\n"))
        elif kind == "html_inline":
            parts.append(Content(token.content))
        elif kind == "image":
            parts.append(Content.styled(token.content, "italic"))
        elif kind.endswith("_open"):
            styles.append(_WRAPPERS.get(kind[:-5], ""))
        elif kind.endswith("_close") and styles:
            styles.pop()
    return Content("").join(parts)


def _marked(text: str, style: str, marks: Marks) -> Content:
    """A run of text with its footnotes and claim references replaced."""
    parts: list[Content] = []
    at = 0
    for found in _MARKS.finditer(text):
        parts.append(Content.styled(text[at : found.start()].removesuffix(" "), style))
        if found[1]:
            parts.append(Content.styled(marks.footnote(found[1]), MUTED))
        else:
            space = " " if text[: found.start()].endswith(" ") else ""
            parts.append(Content.styled(f"{space}{clean(marks.claim(found[2]))}", style or "bold"))
        at = found.end()
    parts.append(Content.styled(text[at:], style))
    return Content("").join(parts)


def _table(rows: Sequence[Sequence[Content]], lead: str, width: int) -> list[Content]:
    """Columns side by side when they fit, else each row as `header: cell` lines."""
    columns = max(len(row) for row in rows)
    widths = [
        max((row[at].cell_length for row in rows if at < len(row)), default=0)
        for at in range(columns)
    ]
    if sum(widths) + 2 * (columns - 1) + len(lead) > width:
        return _stacked(rows, lead, width)
    lines: list[Content] = []
    for number, row in enumerate(rows):
        cells = [fit(cell, widths[at]) for at, cell in enumerate(row)]
        line = Content(lead) + Content("  ").join(cells)
        lines.append(line.stylize("bold") if number == 0 else line)
        if number == 0:
            rule = "  ".join("─" * size for size in widths)
            lines.append(Content(lead) + Content.styled(rule, MUTED))
    return lines


def _stacked(rows: Sequence[Sequence[Content]], lead: str, width: int) -> list[Content]:
    head, *body = rows
    lines: list[Content] = []
    for row in body:
        for at, cell in enumerate(row):
            name = head[at].plain if at < len(head) else ""
            mark = "• " if at == 0 else "  "
            text = Content.assemble((f"{name}: ", MUTED), cell) if name else cell
            lines.extend(hang(text, width, lead + mark))
    return lines or wrap(Content(""), width)
