"""Lines that can be ticked: the key points of an answer, the options of a choice card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message import Message

from studytool.tui.text import hang
from studytool.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

Verdict = Literal["right", "wrong", "missed", ""]
BOXES = {True: "☑ ", False: "☐ "}
VERDICTS: dict[Verdict, tuple[str, str]] = {
    "right": ("✓ ", "$right"),
    "wrong": ("✗ ", "$wrong"),
    "missed": ("✓ ", "$muted"),
    "": ("  ", ""),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One line to tick; `note` stands under it, `side` at its right end.

    `empty` is the sign, two cells wide with its style, in place of the box that isn't ticked.
    """

    text: Content
    side: str = ""
    note: Content | None = None
    verdict: Verdict = ""
    empty: tuple[str, str] = (BOXES[False], "$muted")


def item_block(item: Item, ticked: bool, frozen: bool, width: int) -> list[Content]:
    """The lines of one item: its box, behind its verdict once `frozen`, then its text and note."""
    box = Content.styled(*((BOXES[True], "bold $accent") if ticked else item.empty))
    if frozen:
        box = Content.styled(*VERDICTS[item.verdict]) + box
    room = width - (len(item.side) + 2 if item.side else 0)
    block = hang(item.text, room, box)
    if item.side:
        gap = width - block[0].cell_length - len(item.side)
        block[0] = block[0] + " " * gap + Content.styled(item.side, "$muted")
    if item.note is not None:
        block.extend(hang(item.note, width, " " * box.cell_length))
    return block


class CheckList(Lines, can_focus=True):
    """Arrows move, x or a click ticks. With `frozen` the ticks stay and the verdicts show."""

    DEFAULT_CSS = "CheckList { height: auto; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "line up", show=False),
        Binding("down,j", "move(1)", "line down", show=False),
        Binding("x", "tick", "tick", id="list.tick"),
    ]

    class Ticked(Message):
        """The ticks are others than before."""

        def __init__(self, check_list: CheckList) -> None:
            super().__init__()
            self.check_list = check_list

        @property
        def control(self) -> CheckList:
            return self.check_list

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.items: tuple[Item, ...] = ()
        self.ticked: set[int] = set()
        self.cursor = 0
        self.frozen = False
        self._starts: list[int] = []

    def show(
        self, items: Sequence[Item], ticked: Sequence[int] = (), *, frozen: bool = False
    ) -> None:
        """Replace the lines; no lines take no room and no focus."""
        if not items and not self.display:
            return
        self.items = tuple(items)
        self.ticked = set(ticked)
        self.frozen = frozen
        self.cursor = min(self.cursor, max(0, len(items) - 1)) if frozen else 0
        self.display = bool(items)
        self.changed()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return not (action == "tick" and self.frozen)

    def lay_out(self, width: int) -> list[Content]:
        lines: list[Content] = []
        self._starts = []
        for number, item in enumerate(self.items):
            self._starts.append(len(lines))
            block = item_block(item, number in self.ticked, self.frozen, width)
            if number == self.cursor and self.has_focus:
                block = [
                    (line + " " * (width - line.cell_length)).stylize_before("on $cursor-ground")
                    for line in block
                ]
            lines.extend(block)
        return lines

    def action_move(self, by: int) -> None:
        """Move the cursor; past an end the keys are the scroller's."""
        to = self.cursor + by
        if not 0 <= to < len(self.items):
            scroller = self.screen.query("#sheet").first() if self.screen.query("#sheet") else None
            if scroller is not None:
                scroller.scroll_relative(y=by, animate=False)
            return
        self.cursor = to
        self.repaint()
        self._reveal_cursor()

    def _reveal_cursor(self) -> None:
        start = self._starts[self.cursor] if self.cursor < len(self._starts) else 0
        end = (
            self._starts[self.cursor + 1]
            if self.cursor + 1 < len(self._starts)
            else self.size.height
        )
        self.scroll_to_region_of_parent(Region(0, start, self.size.width, max(1, end - start)))

    def scroll_to_region_of_parent(self, region: Region) -> None:
        """Bring a part of this list into the scroller's view."""
        for ancestor in self.ancestors:
            if isinstance(ancestor, VerticalScroll):
                place = region.translate(self.virtual_region.offset)
                ancestor.scroll_to_region(place, animate=False)
                return

    def action_tick(self) -> None:
        """Tick or untick the line at the cursor."""
        if self.frozen or not self.items:
            return
        self.ticked ^= {self.cursor}
        self.repaint()
        self.post_message(self.Ticked(self))

    def on_focus(self) -> None:
        self.repaint()

    def on_blur(self) -> None:
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        """Tick the line under the pointer."""
        place = event.get_content_offset(self)
        if place is None or self.frozen:
            return
        rows = [start for start in self._starts if start <= place.y]
        if rows:
            self.cursor = len(rows) - 1
            self.action_tick()
