"""A list of any length: only the lines in view are drawn, so 100,000 rows cost what 40 do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.content import Content

Row = TypeVar("Row")


class LineList(ScrollView, Generic[Row], can_focus=True):
    """One line a row, drawn by `draw(row, width)`; arrows move, enter and a click open."""

    DEFAULT_CSS = """
    LineList { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; background: $background; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "line up", show=False),
        Binding("down,j", "move(1)", "line down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home,g", "jump(0)", "first", show=False),
        Binding("end,G", "jump(-1)", "last", show=False),
        Binding("enter", "open", "open", id="list.open"),
    ]

    class Moved(Message):
        """The cursor is on another row."""

    class Opened(Message):
        """The row under the cursor was chosen."""

    def __init__(self, draw: Callable[[Row, int], Content]) -> None:
        super().__init__()
        self.draw = draw
        self.rows: Sequence[Row] = ()
        self.cursor = 0

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: Sequence[Row], *, keep_cursor: bool = False) -> None:
        """Replace the rows."""
        self.rows = rows
        self.cursor = min(self.cursor, max(0, len(rows) - 1)) if keep_cursor else 0
        self.virtual_size = Size(0, len(rows))
        if not keep_cursor:
            self.scroll_to(0, 0, animate=False)
        self.refresh()
        self.post_message(self.Moved())

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        row = self.scroll_offset.y + y
        style = self.visual_style
        if row >= len(self.rows):
            return Strip.blank(width, style.rich_style)
        here = row == self.cursor
        if here:
            style += Style.parse(
                "$foreground on $cursor-ground", variables=self.app.theme_variables
            )
        content = self.draw(self.rows[row], width - 2)
        content = ("▸ " if here else "  ") + content.truncate(width - 2, ellipsis=True)
        segments = content.render_segments(style)
        return Strip(segments).adjust_cell_length(width, style.rich_style)

    def _go(self, to: int) -> None:
        to = min(max(0, to), max(0, len(self.rows) - 1))
        if to != self.cursor:
            self.cursor = to
            region = Region(0, to, max(1, self.size.width), 1)
            self.scroll_to_region(region, animate=False, force=True)
            self.refresh()
            self.post_message(self.Moved())

    def action_move(self, by: int) -> None:
        self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        self._go(self.cursor + by * max(1, self.size.height - 1))

    def action_jump(self, to: int) -> None:
        self._go(to if to >= 0 else len(self.rows) - 1)

    def action_open(self) -> None:
        if self.rows:
            self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        """First click moves the cursor, a click on the cursor's row opens it."""
        row = self.scroll_offset.y + event.y
        if row >= len(self.rows):
            return
        if row == self.cursor:
            self.action_open()
        else:
            self._go(row)
