"""The card browser: every card, filtered as one types, the card itself beside the list."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from studytool.errors import StudytoolError
from studytool.tui import card_parts, card_text
from studytool.tui.parts import Words
from studytool.tui.ports import CardLine
from studytool.tui.screens.list_screen import ListScreen
from studytool.tui.text import fit, plain_line
from studytool.tui.widgets.card_sheet import CardSheet
from studytool.tui.work import work

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Sequence

    from textual.widget import Widget

    from studytool.tui.parts import Part
    from studytool.tui.ports import Sheet

ID_WIDTH = 26


def matches(
    lines: Sequence[CardLine], words: Sequence[str], stop: threading.Event
) -> list[CardLine]:
    """The lines that hold all words; gives up early when `stop` is set."""
    found: list[CardLine] = []
    for start in range(0, len(lines), 4_096):
        if stop.is_set():
            break
        part = lines[start : start + 4_096]
        found.extend(line for line in part if all(word in line.hay for word in words))
    return found


class BrowseScreen(ListScreen[CardLine]):
    """Filters by id, question, tag, chapter and demo; enter asks the card, whenever it is due."""

    NAME = "Cards"
    PLACEHOLDER = "id, words of the question, tag, chapter, demo"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "demo", "demo", tooltip="run the card's demo", id="browse.demo"),
        Binding("e", "edit", "edit", tooltip="edit the card in your editor", id="browse.edit"),
        Binding("space", "scroll(8)", "read on", id="browse.read"),
    ]

    def __init__(self, cards: Iterable[str] = ()) -> None:
        super().__init__()
        self.only = frozenset(cards)
        self.sheet: Sheet | None = None

    def compose_preview(self) -> Widget:
        return CardSheet(id="preview")

    async def load(self) -> None:
        """Rows come in batches, so that the first are there before the last."""
        try:
            async for batch in self.app.desk.card_lines():
                first = not self.all_rows
                self.all_rows.extend(
                    line for line in batch if not self.only or line.id in self.only
                )
                if first:
                    self.filter_now(keep_cursor=True)
        except StudytoolError as fault:
            self.app.tell(fault)
        self.filter_now(keep_cursor=True)

    async def matching(self, words: Sequence[str]) -> Sequence[CardLine]:
        import threading

        stop = threading.Event()
        try:
            return await asyncio.to_thread(matches, self.all_rows, words, stop)
        finally:
            stop.set()

    def draw_row(self, row: CardLine, width: int) -> Content:
        if width < 60:
            return plain_line(row.question)
        return fit(plain_line(row.id, "$muted"), ID_WIDTH) + " " + plain_line(row.question)

    async def preview(self, row: CardLine | None) -> None:
        """Show the card with everything that belongs to it."""
        sheet = None
        if row is not None:
            try:
                sheet = await self.app.desk.sheet(row.id)
            except StudytoolError as fault:
                self.app.tell(fault)
        self.sheet = sheet
        words = Content.styled("No card matches." if self.all_rows else "", "$muted")
        parts: list[Part] = [Words(words, gap=False)]
        if sheet is not None:
            head = Words(card_text.head(sheet.question), gap=False)
            front = card_parts.front(sheet, chosen=(), revealed=True)
            parts = [head, *front, *card_parts.back(sheet, card_parts.SECTIONS)]
        self.query_one(CardSheet).show(parts, home=True)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        if action == "demo":
            return self.sheet is not None and bool(self.sheet.demo_title)
        if action in ("edit", "scroll"):
            return self.sheet is not None
        return True

    def open_row(self, row: CardLine) -> None:
        from studytool.services.types import SessionQuery

        self.app.open_review(SessionQuery(cards=(row.id,)))

    def action_demo(self) -> None:
        if self.sheet is not None and self.sheet.question.card.demo is not None:
            card = self.sheet.question.card
            self.app.open_demo(str(card.demo), card.params, card=str(card.id))

    def action_edit(self) -> None:
        """Edit the card, then read the deck again."""
        from studytool.tui.editor import edit

        if self.sheet is not None:
            question = self.sheet.question
            if edit(self.app, self.app.desk.place(question), question.line):
                work(self, self._read_again, "load")

    async def _read_again(self) -> None:
        try:
            self.app.show_opened(await self.app.desk.sync())
        except StudytoolError as fault:
            self.app.tell(fault)
            return
        self.all_rows = []
        await self.load()

    def action_scroll(self, by: int) -> None:
        self.query_one("#preview").scroll_relative(y=by, animate=False)
