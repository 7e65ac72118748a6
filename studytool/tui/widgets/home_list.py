"""Home's one list: the next action, the other places, then the chapters, each a row to press."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from studytool.tui.text import bar, fit, plain_line, spark, spread
from studytool.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from studytool.services.types import ChapterRow

RowKind = Literal["study", "interview", "demos", "story", "browse", "chapter"]
NAME = 11
NARROW = 72
WEEK = 16


class Action(NamedTuple):
    """A row of the upper part. One that is not `live` is passed over by the cursor."""

    kind: RowKind
    name: str
    words: Content
    key: str
    live: bool = True


class HomeList(Lines, can_focus=True):
    """Up and down move, enter and a click press; `Pressed` tells which row."""

    DEFAULT_CSS = "HomeList { height: auto; padding: 0 1; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "line up", show=False),
        Binding("down,j", "move(1)", "line down", show=False),
        Binding("enter", "press", "open", id="home.open"),
    ]

    class Pressed(Message):
        """A row was pressed; `chapter` is set for a chapter's row."""

        def __init__(self, kind: RowKind, chapter: str = "") -> None:
            super().__init__()
            self.kind = kind
            self.chapter = chapter

    def __init__(self) -> None:
        super().__init__(id="home-list")
        self.actions: tuple[Action, ...] = ()
        self.chapters: tuple[ChapterRow, ...] = ()
        self.week: tuple[int, ...] = ()
        self.cursor = 0
        self._moved = False
        self._rows: list[tuple[int, int]] = []

    def show(
        self, actions: Sequence[Action], chapters: Sequence[ChapterRow], week: Sequence[int]
    ) -> None:
        """Replace all rows; the cursor stays where the user put it while that row can be pressed."""
        self.actions, self.chapters, self.week = tuple(actions), tuple(chapters), tuple(week)
        self.cursor = min(self.cursor, max(0, len(self.actions) + len(self.chapters) - 1))
        if not self._moved or not self._live(self.cursor):
            alive = [at for at in range(len(self.actions)) if self._live(at)]
            self.cursor = alive[0] if alive else 0
        self.changed()

    def _live(self, at: int) -> bool:
        if at < len(self.actions):
            return self.actions[at].live
        if at - len(self.actions) < len(self.chapters):
            row = self.chapters[at - len(self.actions)]
            return bool(row.due or row.new)
        return False

    def lay_out(self, width: int) -> list[Content]:
        lines: list[Content] = []
        self._rows = []
        for at, action in enumerate(self.actions):
            self._rows.append((len(lines), at))
            lines.append(self._action(at, action, width))
        if self.chapters:
            lines += [Content(""), self._head(width)]
            for number, row in enumerate(self.chapters):
                at = len(self.actions) + number
                self._rows.append((len(lines), at))
                lines.append(self._chapter(at, number, row, width))
        return lines

    def _mark(self, at: int) -> Content:
        here = at == self.cursor and self._live(at)
        return Content.styled("▶ " if here else "  ", "bold $accent")

    def _action(self, at: int, action: Action, width: int) -> Content:
        style = "bold" if at == self.cursor and action.live else ""
        name = fit(Content.styled(action.name, style), NAME)
        left = self._mark(at) + name + action.words
        return spread(left, Content.styled(action.key, "$muted"), width)

    def _columns(self, width: int) -> tuple[int, int, bool]:
        """Widths of the name and of the bar, and whether the week stands at the right."""
        widest = max([len("Chapter"), *(len(row.title) for row in self.chapters)])
        week = width >= NARROW
        rest = width - 2 - 7 - 5 - 5 - (WEEK if week else 0)
        name = max(8, min(widest, 28, rest))
        bar_width = max(0, min(30, rest - name - 3))
        return name, bar_width if bar_width >= 6 else 0, week

    def _head(self, width: int) -> Content:
        name, bar_width, week = self._columns(width)
        text = f"  {'Chapter':<{name}}{'ready':>7}{'due':>5}{'new':>5}"
        if week and self.week:
            text += " " * (bar_width + 3 if bar_width else 0) + "   this week"
        return Content.styled(text, "$muted").truncate(width)

    def _chapter(self, at: int, number: int, row: ChapterRow, width: int) -> Content:
        name, bar_width, week = self._columns(width)
        style = "bold" if at == self.cursor and self._live(at) else ""
        parts = [
            self._mark(at),
            fit(plain_line(row.title, style), name),
            Content.styled(f"{row.ready:>7.0%}", ""),
            Content.styled(f"{row.due:>5}", "$due" if row.due else "$muted"),
            Content.styled(f"{row.new:>5}", "$new" if row.new else "$muted"),
        ]
        if bar_width:
            full, empty = bar(row.ready, bar_width)
            parts += [
                Content("   "),
                Content.styled(full, "$accent"),
                Content.styled(empty, "$track"),
            ]
        if week and self.week and number < 2:
            side = spark(self.week) if number == 0 else f"{sum(self.week)} reviews"
            parts.append(Content.styled(f"   {side}", "$accent" if number == 0 else "$muted"))
        return Content("").join(parts).truncate(width)

    def action_move(self, by: int) -> None:
        """To the next row that can be pressed."""
        total = len(self.actions) + len(self.chapters)
        at = self.cursor + by
        while 0 <= at < total and not self._live(at):
            at += by
        if 0 <= at < total:
            self.cursor = at
            self._moved = True
            self.repaint()
            line = next((line for line, row in self._rows if row == at), 0)
            self.call_after_refresh(self._bring_into_view, line)

    def _bring_into_view(self, line: int) -> None:
        if isinstance(self.parent, Widget):
            region = Region(0, line + self.virtual_region.y, 1, 1)
            self.parent.scroll_to_region(region, animate=False)

    def action_press(self) -> None:
        if not self._live(self.cursor):
            return
        if self.cursor < len(self.actions):
            self.post_message(self.Pressed(self.actions[self.cursor].kind))
        else:
            row = self.chapters[self.cursor - len(self.actions)]
            self.post_message(self.Pressed("chapter", row.chapter))

    def on_click(self, event: events.Click) -> None:
        """Press the row under the pointer."""
        place = event.get_content_offset(self)
        if place is None:
            return
        for line, at in self._rows:
            if line == place.y and self._live(at):
                self.cursor = at
                self.repaint()
                self.action_press()
                return
