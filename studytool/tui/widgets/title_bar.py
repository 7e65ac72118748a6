"""The first line of a screen: where one is on the left, how far on the right, and a rule below."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from studytool.tui.text import spread


class TitleBar(Widget):
    """Two lines; `show` replaces both ends."""

    DEFAULT_CSS = "TitleBar { height: 2; padding: 0 1; }"

    def __init__(self, left: Content | str = "", right: Content | str = "") -> None:
        super().__init__()
        self.left = Content(left) if isinstance(left, str) else left
        self.right = Content(right) if isinstance(right, str) else right

    def show(self, left: Content | str | None = None, right: Content | str | None = None) -> None:
        """Replace one end or both; draws only when something changed."""
        new_left = self.left if left is None else Content(left) if isinstance(left, str) else left
        new_right = (
            self.right if right is None else Content(right) if isinstance(right, str) else right
        )
        if new_left.is_same(self.left) and new_right.is_same(self.right):
            return
        self.left, self.right = new_left, new_right
        self.refresh()

    def render(self) -> Content:
        width = self.content_size.width
        line = spread(self.left, self.right, width)
        return Content("\n").join([line, Content.styled("─" * width, "$track")])
