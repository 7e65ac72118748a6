"""A line across, with words set into it at both ends."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget


class Rule(Widget):
    """`── left ──────────────── right`; `dotted` for what may be left empty."""

    DEFAULT_CSS = "Rule { height: 1; margin-top: 1; }"

    def __init__(self, *, dotted: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sign = "┄" if dotted else "─"
        self.left = ""
        self.right = ""

    def show(self, left: str = "", right: str = "") -> None:
        """Replace the words."""
        if (left, right) != (self.left, self.right):
            self.left, self.right = left, right
            self.refresh()

    def render(self) -> Content:
        width = self.content_size.width
        left = f"{self.sign * 2} {self.left} " if self.left else ""
        right = f" {self.right}" if self.right else ""
        if len(left) + len(right) > width:
            left = ""
        fill = self.sign * max(0, width - len(left) - len(right))
        return Content.assemble(
            (self.sign * 2 if left else "", "$track"),
            (left[2:], "$muted"),
            (fill, "$track"),
            (right, "$muted"),
        )
