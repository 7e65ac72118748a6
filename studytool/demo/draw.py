"""Plots as PNG and SVG files by matplotlib; imported only by processes that run or report demos."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")
mpl.rcParams["svg.hashsalt"] = "studytool"  # the same plot gives the same file
mpl.rcParams["text.parse_math"] = False  # a dollar sign in a title is a dollar sign

from matplotlib.figure import Figure  # noqa: E402 - after the backend is chosen

if TYPE_CHECKING:
    from studytool.demo.events import Matrix, Series


def draw_series(plot: Series) -> dict[str, bytes]:
    """The plot as {"png": …, "svg": …}; reference levels are dashed."""
    figure, axes = _figure(plot.title)
    for line in plot.lines:
        style = "-" if len(line.x) > 1 else "o"
        points = min(len(line.x), len(line.y))
        axes.plot(line.x[:points], line.y[:points], style, label=line.name)
    for name, level in plot.levels.items():
        if math.isfinite(level):
            axes.axhline(level, linestyle="--", linewidth=1, color="0.4")
            axes.annotate(
                name, (1, level), xycoords=("axes fraction", "data"), ha="right", va="bottom"
            )
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)
    if any(line.name for line in plot.lines):
        axes.legend(frameon=False)
    return _files(figure)


def draw_matrix(plot: Matrix) -> dict[str, bytes]:
    """The heat map as {"png": …, "svg": …}, with names where they are few enough to read."""
    figure, axes = _figure(plot.title)
    width = max((len(row) for row in plot.values), default=0) or 1
    square = [[*row, *[math.nan] * (width - len(row))] for row in plot.values] or [[math.nan]]
    figure.colorbar(axes.imshow(square, aspect="auto", cmap="viridis"), ax=axes)
    if 0 < len(plot.rows) <= 40:
        axes.set_yticks(range(len(plot.rows)), plot.rows, fontsize=7)
    if 0 < len(plot.columns) <= 40:
        axes.set_xticks(range(len(plot.columns)), plot.columns, fontsize=7, rotation=90)
    return _files(figure)


def _figure(title: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes


def _files(figure: Figure) -> dict[str, bytes]:
    files = {}
    for kind in ("png", "svg"):
        buffer = io.BytesIO()
        stamp = {"Date": None} if kind == "svg" else {}
        figure.savefig(buffer, format=kind, dpi=144, metadata=stamp)
        files[kind] = buffer.getvalue()
    return files
