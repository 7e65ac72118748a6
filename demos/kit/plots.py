"""Curves that grow while a demo runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from studytool.demo.events import Line, Series


@dataclass
class Curves:
    """A plot of one or more named curves, drawn anew as points are added."""

    id: str
    title: str
    x_label: str
    y_label: str
    levels: dict[str, float] = field(default_factory=dict)
    _points: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, name: str, x: float, y: float) -> None:
        """One more point of the curve `name`."""
        self._points.setdefault(name, []).append((x, y))

    def last_x(self) -> float:
        """How far the curves have come; 0 before the first point."""
        return max((points[-1][0] for points in self._points.values()), default=0.0)

    def series(self) -> Series:
        """The plot as it is at this moment."""
        lines = [
            Line(name, [x for x, _ in points], [y for _, y in points])
            for name, points in self._points.items()
        ]
        return Series(self.id, self.title, lines, self.x_label, self.y_label, dict(self.levels))


def group_means(
    x: NDArray[np.float64], y: NDArray[np.float64], groups: int
) -> tuple[list[float], list[float]]:
    """The means of x and y in up to `groups` equally large groups along x."""
    edges = np.unique(np.quantile(x, np.linspace(0, 1, groups + 1)))
    place = np.clip(np.searchsorted(edges, x, "right") - 1, 0, max(0, len(edges) - 2))
    count = np.bincount(place)
    filled = count > 0
    means = (np.bincount(place, values)[filled] / count[filled] for values in (x, y))
    mean_x, mean_y = (mean.tolist() for mean in means)
    return mean_x, mean_y
