"""What the dialogs share: a panel in the middle, the screen below still to be seen."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """Subclasses compose a container of the class `dialog`, and perhaps a key bar."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog .dialog { width: 72; max-width: 94%; height: auto; max-height: 90%; padding: 1 2;
      background: $panel; }
    Dialog .title { margin-bottom: 1; }
    Dialog > KeyBar { dock: bottom; }
    """
