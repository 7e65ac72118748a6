"""Where an answer to the interviewer is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea  # noqa: TC002 - as the handler's type

from studytool.tui.widgets.answer_box import PlainArea, Typed


class SpeechBox(PlainArea):
    """Several lines; ctrl+enter or ctrl+s hands them in, escape gives the keys back to the screen."""

    DEFAULT_CSS = """
    SpeechBox { height: auto; min-height: 3; max-height: 12; border: none; padding: 0 1;
      background: $cursor-ground; color: $foreground;
      & .text-area--cursor { background: $accent; color: $background; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+enter,ctrl+s", "send", "answer", priority=True,
                tooltip="hand the answer in (ctrl+s where the terminal has no ctrl+enter)",
                id="speech.send"),
        Binding("escape", "leave", "other keys", tooltip="hint, skip, don't know, out loud …",
                id="speech.leave"),
    ]  # fmt: skip

    class Sent(Message):
        """The answer is handed in."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The keys are the screen's again."""

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        message.stop()
        self.post_message(Typed(self.text))

    def action_send(self) -> None:
        self.post_message(self.Sent(self.text))

    def action_leave(self) -> None:
        self.post_message(self.Left())
