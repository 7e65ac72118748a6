"""Curves as lines of text with colour codes, by plotext; pure, slow enough to be called on a thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from studytool.services.safe import one_line
from studytool.tui.text import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

Rgb: TypeAlias = tuple[int, int, int]
#: plotext keeps some of its state in modules, so one plot is drawn at a time.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Trace:
    """One curve: its name and its points."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, slots=True)
class Colours:
    """What a plot is drawn in; the traces take `traces` in turn."""

    ground: Rgb
    muted: Rgb
    traces: tuple[Rgb, ...]


def thinned(points: list[tuple[float, float]], width: int) -> list[tuple[float, float]]:
    """At most two points a cell, which is all that braille can show; the last one always."""
    every = -(-len(points) // max(1, 2 * width))
    if every <= 1:
        return points
    kept = points[::every]
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]


def draw(
    traces: Sequence[Trace],
    levels: Sequence[float],
    x_label: str,
    width: int,
    height: int,
    colours: Colours,
) -> str:
    """The plot at `width` by `height` cells; `levels` are horizontal lines."""
    with _one_at_a_time:
        from textual_plotext.plot import Plot

        figure = Plot()
        figure._set_size(width, height)
        figure.xaxes(True, False)
        figure.yaxes(True, False)
        figure.yfrequency(max(2, min(5, height // 2)))
        figure.xfrequency(max(2, min(6, width // 12)))
        figure.canvas_color(colours.ground)
        figure.axes_color(colours.ground)
        figure.ticks_color(colours.muted)
        for at, trace in enumerate(traces):
            pairs = zip(trace.x, trace.y, strict=False)
            points = thinned([(x, y) for x, y in pairs if is_number(x) and is_number(y)], width)
            if points:
                figure.plot(
                    [x for x, _ in points],
                    [y for _, y in points],
                    color=colours.traces[at % len(colours.traces)],
                    marker="braille",
                )
        for level in levels:
            figure.hline(level, colours.muted)
        if x_label:
            figure.xlabel(one_line(x_label))
        return str(figure.build())
