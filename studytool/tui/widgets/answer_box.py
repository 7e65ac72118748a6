"""Where an answer is typed: several lines for words, one for a number."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input, TextArea


class Typed(Message):
    """The text is another one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class DoneTyping(Message):
    """The user is done typing; `reveal` asks for the answer as well."""

    def __init__(self, reveal: bool) -> None:
        super().__init__()
        self.reveal = reveal


class PlainArea(TextArea):
    """A text field without line numbers and with a cursor that stands still."""

    def __init__(self, text: str) -> None:
        super().__init__(
            text, soft_wrap=True, tab_behavior="focus", show_line_numbers=False, compact=True
        )
        self.cursor_blink = False
        self.highlight_cursor_line = False

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Enter makes a line here, so no other enter is offered."""
        return key == "enter" or super().check_consume_key(key, character)

    def on_mount(self) -> None:
        self.move_cursor(self.document.end)


class AnswerBox(PlainArea):
    """Grows with the answer; escape leaves it, ctrl+r reveals."""

    DEFAULT_CSS = """
    AnswerBox { height: auto; min-height: 3; max-height: 12; border: none; padding: 0 1;
      background: $cursor-ground; color: $foreground;
      & .text-area--cursor { background: $accent; color: $background; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r,ctrl+enter", "leave(True)", "reveal", priority=True, id="answer.reveal"),
        Binding("escape", "leave(False)", "stop typing", id="answer.leave"),
    ]

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        message.stop()
        self.post_message(Typed(self.text))

    def action_leave(self, reveal: bool) -> None:
        self.post_message(DoneTyping(reveal))


class NumberBox(Input):
    """One number; enter reveals, escape leaves."""

    DEFAULT_CSS = """
    NumberBox { border: none; height: 1; padding: 0 1; width: 32; background: $cursor-ground; }
    NumberBox:focus { border: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "leave(True)", "reveal", show=False, priority=True),
        Binding("escape", "leave(False)", "stop typing", id="number.leave"),
    ]

    def __init__(self, text: str, unit: str) -> None:
        super().__init__(
            text,
            placeholder=f"a number{f' in {unit}' if unit else ''}",
            restrict=r"[-+0-9.,_ eE]*",
            select_on_focus=False,
        )
        self.cursor_blink = False

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.post_message(Typed(self.value))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.post_message(DoneTyping(True))

    def action_leave(self, reveal: bool) -> None:
        self.post_message(DoneTyping(reveal))
