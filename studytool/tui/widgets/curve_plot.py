"""A plot of curves under a line of words; drawn on a thread, so that it never holds up the keys."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.color import Color
from textual.content import Content
from textual.widget import Widget

from studytool.tui import plots
from studytool.tui.text import number, plain_line
from studytool.tui.work import work

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.text import Text

    from studytool.tui.plots import Trace

COLOURS = ("accent", "right", "due", "learning", "new", "wrong")


class CurvePlot(Widget):
    """`show` replaces the curves; until the new drawing is there the last one stays."""

    DEFAULT_CSS = "CurvePlot { height: 11; min-width: 24; margin-bottom: 1; }"

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self.traces: tuple[Trace, ...] = ()
        self.levels: Mapping[str, float] = {}
        self.labels: tuple[str, str] = ("", "")
        self._canvas: Text | None = None

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda _theme: self._redraw())

    def on_resize(self) -> None:
        self._redraw()

    def show(
        self,
        traces: Sequence[Trace],
        *,
        levels: Mapping[str, float] | None = None,
        labels: tuple[str, str] = ("", ""),
    ) -> None:
        """Draw these curves; `levels` are horizontal lines with a name."""
        self.traces = tuple(traces)
        self.levels = dict(levels or {})
        self.labels = labels
        self._redraw()

    def _redraw(self) -> None:
        if self.is_attached and self.size.width > 0 and self.size.height > 1:
            work(self, self._draw, "plot", exclusive=True)

    async def _draw(self) -> None:
        variables = self.app.theme_variables
        colours = plots.Colours(
            ground=Color.parse(variables["background"]).rgb,
            muted=Color.parse(variables["muted"]).rgb,
            traces=tuple(Color.parse(variables[name]).rgb for name in COLOURS),
        )
        width, height = self.size.width, self.size.height - 1
        levels = list(self.levels.values())
        self._canvas = await asyncio.to_thread(
            _rendered, self.traces, levels, self.labels[0], width, height, colours
        )
        self.refresh()

    def _head(self) -> Content:
        """The title, and in words what the newest value of each curve is."""
        parts = [plain_line(self.title, "bold")]
        if self.labels[1]:
            parts.append(plain_line(self.labels[1], "$muted"))
        many = len(self.traces) > 1
        for at, trace in enumerate(self.traces):
            if trace.y:
                name = f"{trace.name} " if many else ""
                colour = f"${COLOURS[at % len(COLOURS)]}"
                parts.append(plain_line(f"{name}{number(trace.y[-1])}", colour))
        parts.extend(
            plain_line(f"┄ {name} {number(level)}", "$muted") for name, level in self.levels.items()
        )
        return Content("  ").join(parts)

    def render(self) -> Text:
        from rich.text import Text

        head = self._head().truncate(self.size.width, ellipsis=True)
        text = Text(no_wrap=True, overflow="crop")
        for piece, style in head.render(end="", parse_style=self.app.stylesheet.parse_style):
            text.append(piece, style.rich_style)
        if self._canvas is not None:
            text.append("\n").append_text(self._canvas)
        return text


def _rendered(
    traces: Sequence[Trace],
    levels: Sequence[float],
    x_label: str,
    width: int,
    height: int,
    colours: plots.Colours,
) -> Text:
    from rich.text import Text

    return Text.from_ansi(plots.draw(traces, levels, x_label, width, height, colours))
