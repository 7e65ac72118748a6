"""The base of every widget that is lines of text: laid out once for a width, then only painted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.geometry import Size


class Lines(Widget):
    """Subclasses say what their lines are at a width; `changed` asks for a new layout."""

    DEFAULT_CSS = "Lines { height: auto; text-wrap: nowrap; text-overflow: clip; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._laid_out: tuple[int, list[Content]] | None = None

    def lay_out(self, width: int) -> list[Content]:
        """The lines at `width` cells, none of them wider."""
        raise NotImplementedError

    def lines(self, width: int) -> list[Content]:
        """The lines at `width`, from the last layout when it still holds."""
        if self._laid_out is None or self._laid_out[0] != width:
            self._laid_out = (width, self.lay_out(width))
        return self._laid_out[1]

    def changed(self) -> None:
        """The content is another one: paint again, and move the neighbours when the height changed."""
        before, width = self._laid_out, self.content_size.width
        self._laid_out = None
        same = (
            before is not None and before[0] == width and len(self.lines(width)) == len(before[1])
        )
        self.refresh(layout=not same)

    def repaint(self) -> None:
        """Only styles changed, not the number of lines."""
        self._laid_out = None
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        del container, viewport
        return len(self.lines(width)) if width else 0

    def render(self) -> Content:
        return Content("\n").join(self.lines(self.content_size.width))


class Passage(Lines):
    """Fixed lines, given as content that wraps."""

    def __init__(
        self, content: Content | str = "", *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.content = Content(content) if isinstance(content, str) else content

    def show(self, content: Content | str) -> None:
        """Replace the text; an empty one takes no room."""
        new = Content(content) if isinstance(content, str) else content
        if new.is_same(self.content) and self.display == bool(new):
            return
        self.content = new
        self.display = bool(new)
        self.changed()

    def lay_out(self, width: int) -> list[Content]:
        return self.content.wrap(width) if self.content else []
