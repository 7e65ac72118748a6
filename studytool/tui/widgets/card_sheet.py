"""A card as lines in one widget: what is in view is drawn, nothing is mounted when it is revealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from studytool.tui.parts import Ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from studytool.tui.parts import Part

_BLANK = Content("")


class CardSheet(ScrollView, can_focus=False):
    """`show` replaces the parts; `update` draws one of them anew.

    One list of items may be active: then `move` and `tick` are its keys.
    """

    DEFAULT_CSS = """
    CardSheet { height: 1fr; padding: 0 1; overflow-x: hidden; scrollbar-gutter: stable;
      scrollbar-size-vertical: 1; }
    """

    class Ticked(Message):
        """The ticks of the list `name` are others than before."""

        def __init__(self, name: str, ticked: frozenset[int]) -> None:
            super().__init__()
            self.name = name
            self.ticked = ticked

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.parts: tuple[Part, ...] = ()
        self._lines: list[Content] = []
        self._strips: list[Strip | None] = []
        self._blank: Strip | None = None
        self._spans: dict[str, tuple[int, int]] = {}
        self._width = 0

    def show(self, parts: Sequence[Part], *, home: bool = False) -> None:
        """Draw these parts; `home` begins at the top again."""
        self.parts = tuple(parts)
        self._lay_out()
        if home:
            self.scroll_to(0, 0, animate=False)
        self.refresh()

    def update(self, name: str) -> None:
        """Draw one part anew; only its lines when it has as many as before."""
        part = self.part(name)
        span = self._spans.get(name)
        if part is None or span is None or not self._width:
            return
        lines = part.lay_out(self._width)
        start, count = span
        if len(lines) != count:
            self._lay_out()
            self.refresh()
            return
        self._lines[start : start + count] = lines
        self._strips[start : start + count] = [None] * count
        self.refresh_lines(start, count)

    def part(self, name: str) -> Part | None:
        """The part of this name."""
        return next((part for part in self.parts if part.name == name), None)

    def _lay_out(self) -> None:
        self._width = self.scrollable_content_region.width
        self._blank = None
        self._lines, self._spans = [], {}
        if not self._width:
            return
        for part in self.parts:
            lines = part.lay_out(self._width)
            if lines and part.gap and self._lines:
                self._lines.append(_BLANK)
            if part.name:
                self._spans[part.name] = (len(self._lines), len(lines))
            self._lines.extend(lines)
        self._strips = [None] * len(self._lines)
        self.virtual_size = Size(0, len(self._lines))

    def on_resize(self) -> None:
        if self.scrollable_content_region.width != self._width:
            self._lay_out()
            self.refresh()

    def notify_style_update(self) -> None:
        """Other colours: every line is drawn anew."""
        super().notify_style_update()
        self._strips = [None] * len(self._lines)
        self._blank = None

    def render_line(self, y: int) -> Strip:
        row = round(self.scroll_y) + y
        strip = self._strips[row] if row < len(self._strips) else self._blank
        if strip is None:
            style = self.visual_style
            line = self._lines[row] if row < len(self._lines) else _BLANK
            strip = Strip(line.render_segments(style))
            strip = strip.adjust_cell_length(self._width, style.rich_style)
            if row < len(self._strips):
                self._strips[row] = strip
            else:
                self._blank = strip
        return strip

    # Lists that can be ticked

    @property
    def active(self) -> Ticks | None:
        """The list that has the arrow keys."""
        for part in self.parts:
            if isinstance(part, Ticks) and part.cursor is not None:
                return part
        return None

    def activate(self, name: str | None) -> None:
        """Give the arrow keys to the list `name`, or to none."""
        for part in self.parts:
            if isinstance(part, Ticks):
                wanted = part.name == name and bool(part.items)
                if wanted != (part.cursor is not None):
                    part.cursor = 0 if wanted else None
                    self.update(part.name)
        self._bring_cursor_into_view()

    def move(self, by: int) -> None:
        """Move the cursor of the active list; past its ends, or without one, scroll."""
        ticks = self.active
        to = ticks.cursor + by if ticks is not None and ticks.cursor is not None else -1
        if ticks is None or not 0 <= to < len(ticks.items):
            self.scroll_relative(y=by, animate=False)
            return
        ticks.cursor = to
        self.update(ticks.name)
        self._bring_cursor_into_view()

    def tick(self) -> None:
        """Tick or untick the item at the cursor."""
        ticks = self.active
        if ticks is not None and ticks.cursor is not None and not ticks.frozen:
            ticks.ticked ^= {ticks.cursor}
            self.update(ticks.name)
            self.post_message(self.Ticked(ticks.name, frozenset(ticks.ticked)))

    def _bring_cursor_into_view(self) -> None:
        ticks = self.active
        if ticks is None or ticks.cursor is None or not ticks.starts:
            return
        top, count = self._spans[ticks.name]
        starts = [*ticks.starts, count]
        first, last = starts[ticks.cursor], starts[ticks.cursor + 1]
        self.scroll_to_region(Region(0, top + first, 1, last - first), animate=False, force=True)

    def on_click(self, event: events.Click) -> None:
        """Tick the item under the pointer."""
        row = self.scroll_offset.y + event.y
        for part in self.parts:
            start, count = self._spans.get(part.name, (0, 0))
            if isinstance(part, Ticks) and not part.frozen and start <= row < start + count:
                item = part.item_at(row - start)
                if item is not None:
                    self.activate(part.name)
                    part.cursor = item
                    self.tick()
