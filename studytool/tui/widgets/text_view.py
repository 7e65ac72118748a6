"""A passage that a demo shows: a generated sample, a retrieved document, always as it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.tui.text import hang, plain, plain_line, wrap
from studytool.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from textual.content import Content

    from studytool.demo.events import Text

MAX_LINES = 200


class TextView(Lines):
    """Shows one Text event; `show` replaces it."""

    DEFAULT_CSS = "TextView { margin-bottom: 1; }"

    def __init__(self, text: Text) -> None:
        super().__init__()
        self.text = text

    def show(self, text: Text) -> None:
        self.text = text
        self.changed()

    def lay_out(self, width: int) -> list[Content]:
        head = hang(plain_line(self.text.title, "bold"), width, "")
        body = wrap(plain(self.text.text[: MAX_LINES * width]), width)[:MAX_LINES]
        return [*head, *body]
