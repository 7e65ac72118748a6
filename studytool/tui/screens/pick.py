"""Choosing one line of a few."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from studytool.tui.screens.dialog import Dialog
from studytool.tui.text import plain_line
from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.lines import Passage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult


class PickScreen(Dialog[int | None]):
    """Enter or a click picks, escape picks nothing; answers with the line's place."""

    DEFAULT_CSS = """
    PickScreen OptionList { height: auto; max-height: 16; border: none; background: $panel; }
    PickScreen OptionList:focus { border: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back", id="pick.leave"),
    ]

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self.heading, self.lines = title, list(lines)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Passage(Content.styled(self.heading, "bold"), classes="title")
            yield OptionList(*(Option(plain_line(line)) for line in self.lines))
        yield KeyBar()

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.focus()
        options.highlighted = 0

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self.dismiss(message.option_index)

    def action_leave(self) -> None:
        self.dismiss(None)
