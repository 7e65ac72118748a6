"""A report as Markdown, as one HTML page without scripts, or as plain text.

Every text from the deck or the candidate is cleaned of control characters and escaped for the
form it is written in: what was typed in an interview is never read as markup.
"""

from __future__ import annotations

import html as _html
import re
from typing import TYPE_CHECKING

from studytool.interview.document import Block, Heading, Items, Quote, Rows, Words
from studytool.safetext import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_\[\]#|~])")
_ITEM_START = re.compile(r"^(\d+)([.)])|^([-+>=])")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#24292f;"
    "background:#fbfbf9}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2rem .6rem;"
    "border-bottom:1px solid #cfd2d6;vertical-align:top}blockquote{margin:.5rem 0;padding-left:1rem;"
    "border-left:3px solid #cfd2d6}@media(prefers-color-scheme:dark){body{color:#d5d9e4;background:#15171c}}"
)


def markdown(blocks: Iterable[Block]) -> str:
    """The blocks as Markdown."""
    parts = []
    for block in blocks:
        match block:
            case Heading(level, text):
                parts.append(f"{'#' * level} {_md(text)}")
            case Words(text):
                parts.append(_md(text))
            case Quote(text):
                parts.append(f"> {_md(text)}")
            case Items(items):
                parts.append("\n".join(f"- {_md(item)}" for item in items))
            case Rows(head, rows):
                parts.append(
                    "\n".join([_md_row(head), "|---" * len(head) + "|", *map(_md_row, rows)])
                )
    return "\n\n".join(parts) + "\n"


def html(blocks: Iterable[Block]) -> str:
    """The blocks as a page that loads nothing and runs nothing."""
    parts: list[str] = []
    title = "Interview"
    for block in blocks:
        match block:
            case Heading(level, text):
                title = text if level == 1 else title
                parts.append(f"<h{level}>{_esc(text)}</h{level}>")
            case Words(text):
                parts.append(f"<p>{_esc(text)}</p>")
            case Quote(text):
                parts.append(f"<blockquote>{_esc(text)}</blockquote>")
            case Items(items):
                parts.append("<ul>" + "".join(f"<li>{_esc(item)}</li>" for item in items) + "</ul>")
            case Rows(head, rows):
                lines = [_html_row("th", head), *(_html_row("td", row) for row in rows)]
                parts.append("<table>" + "".join(lines) + "</table>")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{_esc(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def plain(blocks: Iterable[Block]) -> str:
    """The blocks as text for a terminal or a screen reader."""
    parts = []
    for block in blocks:
        match block:
            case Heading(level, text):
                parts.append(("\n" if level < 3 else "") + one_line(text))
            case Words(text):
                parts.append(f"  {one_line(text)}")
            case Quote(text):
                parts.append(f"  “{one_line(text)}”")
            case Items(items):
                parts += [f"  - {one_line(item)}" for item in items]
            case Rows(head, rows):
                parts += _columns([head, *rows])
    return "\n".join(parts).lstrip("\n")


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _md(text: str) -> str:
    """Text that Markdown shows as it is."""
    text = _SPECIAL.sub(r"\\\1", one_line(text))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ITEM_START.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", text)


def _md_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_md(cell) for cell in cells) + " |"


def _esc(text: str) -> str:
    return _html.escape(one_line(text), quote=True)


def _html_row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{_esc(cell)}</{tag}>" for cell in cells) + "</tr>"
