"""A picture of a demo: pixels where the terminal can, half blocks elsewhere, its credit always."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.containers import Vertical
from textual.strip import Strip
from textual.widget import Widget

from studytool.errors import DemoError
from studytool.tui import pictures
from studytool.tui.text import plain
from studytool.tui.widgets.lines import Passage
from studytool.tui.work import work

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from textual.app import ComposeResult
    from textual.geometry import Size

    from studytool.demo.events import Image

UPPER = "▀"


class Blocks(Widget):
    """A decoded picture in half blocks, or in shades when the app shows no colour."""

    DEFAULT_CSS = "Blocks { height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self.picture: Picture | None = None
        self._drawn: tuple[tuple[int, bool], list[Strip]] | None = None

    def show(self, picture: Picture) -> None:
        self.picture = picture
        self._drawn = None
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        del container, viewport
        if self.picture is None or not width:
            return 0
        return pictures.cells(self.picture.width, self.picture.height, width)[1]

    def _strips(self, width: int) -> list[Strip]:
        assert self.picture is not None
        grey = self.app.no_color
        if self._drawn is None or self._drawn[0] != (width, grey):
            columns, rows = pictures.cells(self.picture.width, self.picture.height, width)
            if grey:
                lines = pictures.shades(self.picture, columns, rows)
                strips = [Strip([Segment(line, self.rich_style)]) for line in lines]
            else:
                strips = [
                    Strip(
                        [
                            Segment(
                                UPPER,
                                Style(color=Color.from_rgb(*up), bgcolor=Color.from_rgb(*low)),
                            )
                            for up, low in row
                        ]
                    )
                    for row in pictures.half_blocks(self.picture, columns, rows)
                ]
            self._drawn = ((width, grey), strips)
        return self._drawn[1]

    def render_line(self, y: int) -> Strip:
        if self.picture is None:
            return Strip.blank(self.size.width, self.rich_style)
        strips = self._strips(self.size.width)
        if y >= len(strips):
            return Strip.blank(self.size.width, self.rich_style)
        return strips[y].adjust_cell_length(self.size.width, self.rich_style)


class PictureView(Vertical):
    """Title, picture, caption and credit of one Image event; decoding happens on a thread."""

    DEFAULT_CSS = """
    PictureView { height: auto; margin-bottom: 1; }
    PictureView .native { height: auto; max-height: 24; width: auto; }
    """

    def __init__(self, image: Image) -> None:
        super().__init__()
        self.image = image

    def compose(self) -> ComposeResult:
        yield Passage(plain(self.image.title, "bold"))
        yield Passage(classes="words")

    def on_mount(self) -> None:
        self.show(self.image)

    def show(self, image: Image) -> None:
        """Show another picture in the same place."""
        self.image = image
        words = image.caption
        if image.credit:
            words = f"{words}\n© {image.credit}" if words else f"© {image.credit}"
        self.query_one(".words", Passage).show(plain(words, "$muted"))
        work(self, partial(self._load, image), "decode", exclusive=True)

    async def _load(self, image: Image) -> None:
        try:
            picture = await asyncio.to_thread(pictures.decode, image.png)
        except DemoError as fault:
            self.query_one(".words", Passage).show(plain(fault.message, "$wrong"))
            return
        await self.query("Blocks, .native").remove()
        view = await self._view(picture)
        await self.mount(view, before=self.query_one(".words"))

    async def _view(self, picture: Picture) -> Widget:
        """The widget for this terminal, holding `picture`."""
        speaks = pictures.protocol(os.environ)
        if speaks == "blocks" or self.app.is_headless or self.app.no_color:
            blocks = Blocks()
            blocks.show(picture)
            return blocks
        from studytool.tui.native_pictures import native_view

        view = await asyncio.to_thread(native_view, picture, speaks)
        view.add_class("native")
        return view
