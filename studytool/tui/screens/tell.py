"""A fault, told in the middle of the screen: what happened, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from studytool.tui.screens.dialog import Dialog
from studytool.tui.text import plain, plain_line
from studytool.tui.widgets.lines import Passage

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult


class TellScreen(Dialog[None]):
    """Closes on enter, escape or a click."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,escape,space", "close", "close", id="tell.close"),
    ]

    def __init__(self, title: str, message: str, hint: str = "") -> None:
        super().__init__()
        self.heading, self.message, self.hint = title, message, hint

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Passage(Content.assemble(("! ", "$wrong"), plain_line(self.heading, "bold")))
            yield Passage(Content.assemble("\n", plain(self.message)))
            if self.hint:
                yield Passage(Content.assemble("\n", plain(self.hint, "$muted")))
            yield Passage(Content.assemble("\n", ("enter", "bold $accent"), (" close", "$muted")))

    def action_close(self) -> None:
        self.dismiss()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.dismiss()
