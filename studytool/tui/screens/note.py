"""The user's own note on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from studytool.tui.screens.dialog import Dialog
from studytool.tui.widgets.answer_box import PlainArea
from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.lines import Passage

if TYPE_CHECKING:
    from textual.app import ComposeResult


class NoteScreen(Dialog[str | None]):
    """ctrl+s keeps the text, escape leaves the note as it was; an empty text removes it."""

    DEFAULT_CSS = """
    NoteScreen TextArea { height: 8; border: none; background: $cursor-ground; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "keep", "keep", priority=True, id="note.keep"),
        Binding("escape", "leave", "leave as it was", priority=True, id="note.leave"),
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Passage(Content.styled("Your note on this card", "bold"), classes="title")
            yield PlainArea(self.text)
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(PlainArea).focus()

    def action_keep(self) -> None:
        self.dismiss(self.query_one(PlainArea).text.strip())

    def action_leave(self) -> None:
        self.dismiss(None)
