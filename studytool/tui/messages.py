"""What widgets and workers tell the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from studytool.services.types import Overview


class NumbersArrived(Message):
    """Newer numbers for Home; only the newest of a burst counts."""

    def __init__(self, overview: Overview) -> None:
        super().__init__()
        self.overview = overview

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, NumbersArrived)


class RunChanged(Message):
    """A demo has said more; a burst of these collapses into one repaint."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, RunChanged)
