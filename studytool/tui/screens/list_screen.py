"""The frame of the card browser and the demo list: a filter, a list, and the thing itself beside it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.line_list import LineList
from studytool.tui.widgets.title_bar import TitleBar
from studytool.tui.work import work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer
    from textual.widget import Widget

    from studytool.tui.app import StudyApp

Row = TypeVar("Row")
#: From this width on the thing stands at the right of the list, below it otherwise.
WIDE = 120
PREVIEW_DELAY = 0.06


class Filter(Input):
    """The field above the list; enter opens the row under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "open")]

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, id="filter", select_on_focus=False)
        self.cursor_blink = False


class ListScreen(Screen[None], Generic[Row]):
    """Subclasses load the rows, match them against the filter, draw one and preview one.

    While the filter has the keys, the arrows still move the list and enter still opens.
    """

    app: StudyApp
    NAME = ""
    PLACEHOLDER = ""
    AUTO_FOCUS = "#filter"

    DEFAULT_CSS = """
    ListScreen #filter { height: 1; border: none; padding: 0 1; margin: 0 1; background: $panel; }
    ListScreen #filter > .input--placeholder { color: $muted; }
    ListScreen #filter:focus { border: none; background: $cursor-ground; }
    ListScreen #both { height: 1fr; layout: vertical; margin-top: 1; }
    ListScreen LineList { width: 100%; height: 2fr; padding: 0 1; }
    ListScreen #preview { width: 100%; height: 3fr; padding: 0 1; border-top: solid $track; }
    ListScreen.wide #both { layout: horizontal; }
    ListScreen.wide LineList { width: 2fr; height: 1fr; }
    ListScreen.wide #preview { width: 3fr; height: 1fr; border-top: none; border-left: solid $track; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "line up", show=False),
        Binding("down", "move(1)", "line down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("tab", "swap", "list", tooltip="from the filter to the list and back"),
        Binding("slash", "filter", "filter", tooltip="type a filter", id="list.filter"),
        Binding("escape", "back", "back", id="list.back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.all_rows: list[Row] = []
        self._preview_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield TitleBar(Content.styled(self.NAME, "bold"))
        yield Filter(self.PLACEHOLDER)
        with Container(id="both"):
            yield LineList(self.draw_row)
            yield self.compose_preview()
        yield KeyBar()

    def on_mount(self) -> None:
        work(self, self._load, "load")

    async def _load(self) -> None:
        await self.app.ready.wait()
        await self.load()

    async def load(self) -> None:
        """Fetch the rows into `all_rows` and call `filter_now`."""
        raise NotImplementedError

    def compose_preview(self) -> Widget:
        """The widget of the preview, with the id `preview`."""
        raise NotImplementedError

    def draw_row(self, row: Row, width: int) -> Content:
        """One row of the list."""
        raise NotImplementedError

    async def matching(self, words: Sequence[str]) -> Sequence[Row]:
        """The rows that hold all words (lower case); must not hold up the event loop."""
        raise NotImplementedError

    async def preview(self, row: Row | None) -> None:
        """Show a row in the preview."""
        raise NotImplementedError

    def open_row(self, row: Row) -> None:
        """Enter was pressed on a row."""
        raise NotImplementedError

    @property
    def list(self) -> LineList[Row]:
        """The list itself."""
        return self.query_one(LineList)

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.list.current if self.is_mounted else None

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= WIDE, "wide")

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.filter_now()

    def filter_now(self, *, keep_cursor: bool = False) -> None:
        """Filter the rows by what is typed; a newer filter takes the place of one that runs."""
        work(self, partial(self._filter, keep_cursor), "filter", exclusive=True)

    async def _filter(self, keep_cursor: bool) -> None:
        words = self.query_one("#filter", Input).value.lower().split()
        rows = await self.matching(words) if words else self.all_rows
        self.list.show(rows, keep_cursor=keep_cursor)
        total = len(self.all_rows)
        figures = f"{len(rows):,} of {total:,}" if words else f"{total:,}"
        self.query_one(TitleBar).show(right=Content.styled(figures, "$muted"))
        self.refresh_bindings()

    def on_line_list_moved(self, message: LineList.Moved) -> None:
        """Preview what the cursor rests on."""
        message.stop()
        if self._preview_timer is not None:
            self._preview_timer.stop()
        self._preview_timer = self.set_timer(PREVIEW_DELAY, self._preview)
        self.refresh_bindings()

    def _preview(self) -> None:
        work(self, partial(self.preview, self.current), "preview", exclusive=True)

    def on_line_list_opened(self, message: LineList.Opened) -> None:
        message.stop()
        self.action_open()

    def action_move(self, by: int) -> None:
        self.list.action_move(by)

    def action_page(self, by: int) -> None:
        self.list.action_page(by)

    def action_open(self) -> None:
        if self.current is not None:
            self.open_row(self.current)

    def action_filter(self) -> None:
        self.query_one("#filter").focus()

    def action_swap(self) -> None:
        """Between the filter and the list."""
        field = self.query_one("#filter")
        (self.list if field.has_focus else field).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_open()

    def action_back(self) -> None:
        """Empty the filter first, then leave."""
        field = self.query_one("#filter", Input)
        if field.value:
            field.value = ""
        else:
            self.dismiss()
