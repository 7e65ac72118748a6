"""Lines of text as the screens set them: hanging indents, bars, sparklines, two ends of a line.

Everything here is a pure function over Textual's `Content`. Text that comes from a deck, an
answer or a log enters through `plain`, which cleans it; nothing here reads markup.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from textual.content import Content

from studytool.services.safe import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

BAR_FULL = "━"
BAR_EMPTY = "─"
SPARKS = "▁▂▃▄▅▆▇█"
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def plain(text: str, style: str = "") -> Content:
    """Foreign text as content: control characters removed, markup left as the characters it is."""
    return Content.styled(clean(text), style)


def plain_line(text: str, style: str = "") -> Content:
    """Foreign text in one line."""
    return Content.styled(one_line(text), style)


def wrap(content: Content, width: int) -> list[Content]:
    """The lines of `content` at `width` cells; words that are too long are folded."""
    return content.wrap(max(1, width)) if content else [Content("")]


def hang(
    content: Content, width: int, first: Content | str, rest: str | None = None
) -> list[Content]:
    """Wrapped lines behind a lead: `first` before the first line, `rest` (else blanks) before the others."""
    lead = first if isinstance(first, Content) else Content(first)
    follow = " " * lead.cell_length if rest is None else rest
    lines = wrap(content, width - lead.cell_length)
    return [(lead if number == 0 else Content(follow)) + line for number, line in enumerate(lines)]


def spread(left: Content, right: Content, width: int) -> Content:
    """Both ends of one line; the left end gives way with an ellipsis when they don't fit."""
    room = width - right.cell_length - 1
    if room < 4:
        return left.truncate(width, ellipsis=True)
    left = left.truncate(room, ellipsis=True)
    return left + " " * (width - left.cell_length - right.cell_length) + right


def fit(content: Content, width: int) -> Content:
    """One line of exactly `width` cells."""
    content = content.truncate(width, ellipsis=True)
    return content + " " * (width - content.cell_length)


def bar(part: float, width: int) -> tuple[str, str]:
    """The filled and the empty piece of a bar of `width` cells; they differ in weight, not only in colour."""
    full = round(min(1.0, max(0.0, part)) * width)
    return BAR_FULL * full, BAR_EMPTY * (width - full)


def spark(values: Sequence[float]) -> str:
    """One character a value, from the lowest block for nothing to the full one for the most."""
    top = max(values, default=0)
    if top <= 0:
        return SPARKS[0] * len(values)
    return "".join(SPARKS[round(max(0.0, value) / top * (len(SPARKS) - 1))] for value in values)


def number(value: float, digits: int = 3) -> str:
    """A measured number to `digits` significant digits, grouped, without needless zeros."""
    if not is_number(value):
        return "n/a"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    size = abs(value)
    if size >= 10**digits:
        return f"{value:,.0f}"
    if size < 1e-4:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{digits}g}"


def is_number(value: object) -> bool:
    """Whether there is something to draw: a NaN or an infinity arrives from a demo as null."""
    return isinstance(value, int | float) and math.isfinite(value)


def seconds(value: float) -> str:
    """A duration as a person says it: 0:41, 12:05, 1:02:03."""
    whole = int(value)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def count(amount: int, one: str, many: str = "") -> str:
    """`1 card`, `2 cards`, `1,200 cards`."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"
