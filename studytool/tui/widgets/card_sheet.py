"""A card as lines in one widget: what is in view is drawn, nothing is mounted when it is revealed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.widget import Widget

from studytool.tui.parts import Ticks
from studytool.tui.widgets.strips import FRAME, bare, cropped, framed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.strip import Strip

    from studytool.tui.parts import Part

_BLANK = Content("")


@dataclass(slots=True)
class _Page:
    """Parts laid out for a width: the lines, where each named part begins and how many it has.

    `strips` are the lines as they go to the terminal, drawn when they come into view.
    """

    parts: tuple[Part, ...]
    width: int
    lines: list[Content] = field(default_factory=list)
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    strips: list[Strip | None] = field(default_factory=list)

    @classmethod
    def of(cls, parts: tuple[Part, ...], width: int) -> _Page:
        page = cls(parts, width)
        for part in parts if width else ():
            lines = part.lay_out(width)
            if lines and part.gap and page.lines:
                page.lines.append(_BLANK)
            if part.name:
                page.spans[part.name] = (len(page.lines), len(lines))
            page.lines.extend(lines)
        page.forget()
        return page

    def forget(self) -> None:
        """Other colours: every line is drawn anew."""
        self.strips = [None] * len(self.lines)


class CardSheet(ScrollView, can_focus=False):
    """`show` replaces the parts; `update` draws one of them anew.

    One list of items may be active: then `move` and `tick` are its keys.
    """

    DEFAULT_CSS = """
    CardSheet { height: 1fr; padding: 0 1; overflow-x: hidden; scrollbar-gutter: stable;
      scrollbar-size-vertical: 1; }
    """

    class Ticked(Message):
        """A click has changed the ticks of the list `name`."""

        def __init__(self, name: str, ticked: frozenset[int]) -> None:
            super().__init__()
            self.name = name
            self.ticked = ticked

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._page = _Page((), 0)
        self._ready: _Page | None = None
        self._blank: Strip | None = None
        self._framed = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is shown."""
        return self._page.parts

    def prepare(self, parts: tuple[Part, ...]) -> None:
        """Lay out and draw what is about to be shown; `show` then only swaps."""
        self._ready = page = _Page.of(parts, self.scrollable_content_region.width)
        for row in range(len(page.lines)):
            self._draw(page, row)

    def show(self, parts: Sequence[Part], *, home: bool = False) -> None:
        """Draw these parts; `home` begins at the top again.

        Else what is read stays where it is: the cursor of an active list on its item and its
        line, or the lines in view, whatever grows or shrinks above them.
        """
        before = {} if home else self._ends()
        active, top = self.active, self.scroll_offset.y
        row = self._cursor_line()
        ready, self._ready = self._ready, None
        new = tuple(parts)
        same = _named(new, active.name) if active is not None and not home else None
        if active is not None and isinstance(same, Ticks) and not same.frozen:
            same.cursor = active.cursor if len(same.items) == len(active.items) else None
            ready = None
        self._lay_out(new, ready)
        shift = _shift(before, self._ends(), top)
        if self.active is not None:
            shift = self._cursor_line() - row
        if home or shift:
            self.scroll_to(0, 0 if home else top + shift, animate=False, force=True)
        self.refresh()

    def _ends(self) -> dict[str, int]:
        """The line after each part that has a name."""
        return {name: start + count for name, (start, count) in self._page.spans.items()}

    def _cursor_line(self) -> int:
        """The line of the cursor; 0 without one."""
        ticks = self.active
        if ticks is None or ticks.cursor is None or not ticks.starts:
            return 0
        return self._page.spans[ticks.name][0] + ticks.starts[ticks.cursor]

    def update(self, name: str) -> None:
        """Draw one part anew; only the lines that are others when it has as many as before."""
        page, part = self._page, self.part(name)
        span = page.spans.get(name)
        if part is None or span is None or not page.width:
            return
        lines = part.lay_out(page.width)
        start, count = span
        if len(lines) != count:
            self._lay_out(page.parts)
            self.refresh()
            return
        changed = [at for at, line in enumerate(lines, start) if line is not page.lines[at]]
        for at in changed:
            page.lines[at], page.strips[at] = lines[at - start], None
        if changed:
            self.refresh_lines(changed[0], changed[-1] + 1 - changed[0])

    def part(self, name: str) -> Part | None:
        """The part of this name."""
        return _named(self.parts, name)

    def _lay_out(self, parts: tuple[Part, ...], ready: _Page | None = None) -> None:
        """Lay the parts out, unless `ready` is just that."""
        width = self.scrollable_content_region.width
        fits = ready is not None and ready.parts is parts and ready.width == width
        self._page = ready if ready is not None and fits else _Page.of(parts, width)
        self._blank = None
        size = Size(0, len(self._page.lines))
        if width and size != self.virtual_size:
            # Only a scroll bar that comes or goes asks for a layout of the screen, not each height.
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)

    def on_resize(self) -> None:
        if self.scrollable_content_region.width != self._page.width:
            self._lay_out(self.parts)
            self.refresh()

    def notify_style_update(self) -> None:
        """Other colours: every line is drawn anew."""
        super().notify_style_update()
        self._page.forget()
        self._ready = self._blank = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines in view, their frame included; each is drawn once."""
        in_frame = self.styles.gutter == FRAME
        if in_frame != self._framed:
            self._framed, self._blank, self._ready = in_frame, None, None
            self._page.forget()
        if not in_frame:
            # Another frame, a border say, is Textual's to draw around each line.
            return super().render_lines(crop)
        top = round(self.scroll_y) + crop.y
        strips = [self._strip(row) for row in range(top, top + crop.height)]
        return cropped(strips, crop, self.region.width)

    def render_line(self, y: int) -> Strip:
        return self._strip(round(self.scroll_y) + y)

    def _strip(self, row: int) -> Strip:
        """Line `row` of the page, or a blank one below its end."""
        page = self._page
        if row < len(page.strips):
            strip = page.strips[row]
            return self._draw(page, row) if strip is None else strip
        if self._blank is None:
            self._blank = self._drawn(_BLANK, page.width)
        return self._blank

    def _draw(self, page: _Page, row: int) -> Strip:
        strip = page.strips[row] = self._drawn(page.lines[row], page.width)
        return strip

    def _drawn(self, line: Content, width: int) -> Strip:
        strip = bare(self, line, width)
        return framed(self, strip) if self._framed else strip

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
        ticks = self.active
        if ticks is not None and ticks.cursor == 0 and ticks.name in self._page.spans:
            top, count = self._page.spans[ticks.name]
            room = min(count, self.scrollable_content_region.height)
            self.scroll_to_region(Region(0, top, 1, room), animate=False, force=True)
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

    def tick(self) -> Ticks | None:
        """Tick or untick the item at the cursor; returns its list, None when nothing is ticked."""
        ticks = self.active
        if ticks is None or ticks.cursor is None or ticks.frozen:
            return None
        ticks.ticked ^= {ticks.cursor}
        self.update(ticks.name)
        return ticks

    def _bring_cursor_into_view(self) -> None:
        ticks = self.active
        if ticks is None or ticks.cursor is None or not ticks.starts:
            return
        top, count = self._page.spans[ticks.name]
        starts = [*ticks.starts, count]
        first, last = starts[ticks.cursor], starts[ticks.cursor + 1]
        self.scroll_to_region(Region(0, top + first, 1, last - first), animate=False, force=True)

    def on_click(self, event: events.Click) -> None:
        """Tick the item under the pointer."""
        row = self.scroll_offset.y + event.y
        for part in self.parts:
            start, count = self._page.spans.get(part.name, (0, 0))
            if isinstance(part, Ticks) and not part.frozen and start <= row < start + count:
                item = part.item_at(row - start)
                if item is not None:
                    self.activate(part.name)
                    part.cursor = item
                    ticks = self.tick()
                    if ticks is not None:
                        self.post_message(self.Ticked(ticks.name, frozenset(ticks.ticked)))


def _named(parts: Sequence[Part], name: str) -> Part | None:
    return next((part for part in parts if part.name == name), None)


def _shift(before: Mapping[str, int], after: Mapping[str, int], top: int) -> int:
    """By how many lines what begins at line `top` has moved: as the last part that ends above it."""
    above = [name for name, end in before.items() if end <= top and name in after]
    last = max(above, key=lambda name: before[name], default=None)
    return 0 if last is None else after[last] - before[last]
