"""The four ratings with where each leads; appears when the answer is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from studytool.schedule.model import Rating

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from studytool.services.types import Choice

NAMES = {Rating.AGAIN: "again", Rating.HARD: "hard", Rating.GOOD: "good", Rating.EASY: "easy"}
COLOURS = {
    Rating.AGAIN: "$wrong",
    Rating.HARD: "$due",
    Rating.GOOD: "$right",
    Rating.EASY: "$new",
}


class RateBar(Widget):
    """`1 again <10m   2 hard 2d   3 good 6d   4 easy 14d`; the suggested one is marked.

    At the right end stands why, in a few words.
    """

    DEFAULT_CSS = "RateBar { height: 1; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self.choices: tuple[Choice, ...] = ()
        self.suggested: Rating | None = None
        self.reason = ""

    def show(self, choices: Sequence[Choice], suggested: Rating | None, reason: str = "") -> None:
        """Show the ratings; without any the line stays empty, so that nothing moves on a reveal."""
        if (tuple(choices), suggested, reason) == (self.choices, self.suggested, self.reason):
            return
        self.choices = tuple(choices)
        self.suggested = suggested
        self.reason = reason
        self.refresh()

    def _parts(self) -> list[Content]:
        parts = []
        for choice in self.choices:
            rating = choice.rating
            marked = rating is self.suggested
            name = f" {NAMES[rating]} "
            parts.append(
                Content.assemble(
                    ("▸" if marked else "", f"bold {COLOURS[rating]}"),
                    (str(int(rating)), f"bold {COLOURS[rating]}"),
                    (name, f"bold {COLOURS[rating]}" if marked else ""),
                    (choice.interval_text, "$muted"),
                )
            )
        return parts

    def render(self) -> Content:
        line = Content("   ").join(self._parts())
        if self.reason:
            hint = Content.styled(self.reason, "$muted")
            gap = self.content_size.width - line.cell_length - hint.cell_length
            if gap >= 2:
                line = line + " " * gap + hint
        return line

    def on_click(self, event: events.Click) -> None:
        """Press the number under the pointer."""
        event.stop()
        at, start = event.x - self.gutter.left, 0
        for choice, part in zip(self.choices, self._parts(), strict=True):
            if start <= at < start + part.cell_length:
                self.app.simulate_key(str(int(choice.rating)))
                return
            start += part.cell_length + 3
