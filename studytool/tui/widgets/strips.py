"""Lines painted without Textual's wrapping and its work on each line: made once, then only handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Spacing
from textual.strip import Strip
from textual.style import Style

if TYPE_CHECKING:
    from textual.content import Content
    from textual.geometry import Region
    from textual.widget import Widget

#: The frame that `framed` puts around a line: a blank cell at both ends.
FRAME = Spacing(0, 1, 0, 1)


def bare(widget: Widget, line: Content, width: int) -> Strip:
    """`line` in the colours of `widget`, cut or filled to `width` cells."""
    style = widget.visual_style
    return Strip(line.render_segments(style)).adjust_cell_length(width, style.rich_style)


def framed(widget: Widget, line: Strip) -> Strip:
    """`line` as it goes to the terminal: in its frame, as wide as `widget`."""
    base, background = widget.background_colors
    ground = Style(background=base + background).rich_style
    strip = Strip.join([Strip.blank(FRAME.left, ground), line])
    strip = strip.adjust_cell_length(widget.region.width, ground)
    # Without colours, or with those the terminal has.
    for effect in widget.get_line_filters():
        strip = strip.apply_filter(effect, background)
    return strip


def cropped(strips: list[Strip], crop: Region, width: int) -> list[Strip]:
    """The columns of `crop`; most often these are all `width`."""
    if crop.column_span == (0, width):
        return strips
    return [strip.crop(crop.x, crop.right) for strip in strips]
