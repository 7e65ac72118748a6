"""A question before something that is not done lightly."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from studytool.tui.screens.dialog import Dialog
from studytool.tui.text import plain
from studytool.tui.widgets.key_bar import KeyBar
from studytool.tui.widgets.lines import Passage

if TYPE_CHECKING:
    from textual.app import ComposeResult


class ConfirmScreen(Dialog[bool]):
    """y does it; n, escape and everything else that closes leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes", id="confirm.yes"),
        Binding("n,escape", "answer(False)", "no", id="confirm.no"),
    ]

    def __init__(self, question: str, yes: str, no: str = "leave it") -> None:
        super().__init__()
        self.question, self.yes, self.no = question, yes, no

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Passage(plain(self.question))
            yield Passage(
                Content.assemble(
                    "\n",
                    ("y ", "bold $accent"),
                    (f"{self.yes}   ", "$muted"),
                    ("n ", "bold $accent"),
                    (self.no, "$muted"),
                )
            )
        yield KeyBar()

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
