"""One step of a story: what broke, what fixed it, how it was trained, and its links to press."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from studytool.services.story import PARTS, Link
from studytool.tui.text import hang, plain, plain_line
from studytool.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from textual import events

    from studytool.services.story import Page

LABEL = 15


class StoryStep(Lines, can_focus=True):
    """Up and down move over the links, enter and a click open one; left goes back to the steps."""

    DEFAULT_CSS = "StoryStep { height: auto; max-width: 100; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "line up", show=False),
        Binding("down,j", "move(1)", "line down", show=False),
        Binding("enter", "press", "open", id="story.open"),
        Binding("escape,left,h,tab", "leave", "steps", tooltip="back to the steps"),
    ]

    class Pressed(Message):
        """A link was chosen."""

        def __init__(self, link: Link) -> None:
            super().__init__()
            self.link = link

    class Left(Message):
        """The keys go back to the list."""

    def __init__(self) -> None:
        super().__init__(id="step")
        self.page: Page | None = None
        self.number = ""
        self.lesson = ""
        self.cursor = 0
        self._places: list[int] = []

    def show(self, page: Page | None, number: str, lesson: str) -> None:
        """Show a step; `number` says which it is, `lesson` ends the last one."""
        self.page, self.number, self.lesson, self.cursor = page, number, lesson, 0
        self.changed()

    @property
    def links(self) -> tuple[Link, ...]:
        return self.page.links if self.page is not None else ()

    def lay_out(self, width: int) -> list[Content]:
        self._places = []
        if self.page is None:
            return [Content.styled("No step matches.", "$muted")]
        step = self.page.step
        head = Content.assemble(
            plain_line(step.name, "bold"), (f"  {step.year}", ""), (f"   {self.number}", "$muted")
        )
        lines = [head.truncate(width, ellipsis=True)]
        for key, label in PARTS:
            lead = Content.styled(f"{label:<{LABEL}}", "$accent")
            lines += hang(plain(getattr(step, key)), width, lead)
        lead = Content.styled(f"{'source':<{LABEL}}", "$muted")
        lines += hang(plain("; ".join(step.sources), "$muted"), width, lead)
        for at, link in enumerate(self.links):
            self._places.append(len(lines))
            lines.append(self._link(at, link, width))
        if self.lesson:
            lines += [Content(""), *plain(self.lesson, "bold").wrap(width)]
        return lines

    def _link(self, at: int, link: Link, width: int) -> Content:
        here = self.has_focus and at == self.cursor
        mark = Content.styled("▶ " if here else "  ", "bold $accent")
        kind = Content.styled(f"{link.kind:<{LABEL - 2}}", "$muted")
        words = plain_line(link.words, "bold" if here else "")
        return (mark + kind + words).truncate(width, ellipsis=True)

    def on_focus(self) -> None:
        self.repaint()

    def on_blur(self) -> None:
        self.repaint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return bool(self.links) if action == "press" else True

    def action_move(self, by: int) -> None:
        to = self.cursor + by
        if 0 <= to < len(self.links):
            self.cursor = to
            self.repaint()
            if isinstance(self.parent, Widget):
                line = self._places[to] + self.virtual_region.y
                self.parent.scroll_to_region(Region(0, line, 1, 1), animate=False)

    def action_press(self) -> None:
        if self.cursor < len(self.links):
            self.post_message(self.Pressed(self.links[self.cursor]))

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def on_click(self, event: events.Click) -> None:
        """Open the link under the pointer."""
        place = event.get_content_offset(self)
        if place is not None and place.y in self._places:
            self.cursor = self._places.index(place.y)
            self.action_press()
