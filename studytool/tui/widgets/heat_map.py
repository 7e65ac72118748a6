"""A matrix as a heat map: numbers on tinted cells while they fit, shaded blocks beyond that.

The shade of a block is its glyph as well as its colour, so the map also reads without colour.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from textual.color import Color
from textual.content import Content

from studytool.tui.text import fit, hang, is_number, number, plain_line
from studytool.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.demo.events import Matrix

SHADES = " ░▒▓█"
MAX_ROWS = 32
LABEL = 16
#: Cells a number needs, with its space.
NUMBER = 7


def pooled(values: Sequence[Sequence[float]], rows: int, columns: int) -> list[list[float]]:
    """`values` averaged down to at most `rows` by `columns`; what is not finite is left out."""
    height = len(values)
    width = max((len(row) for row in values), default=0)
    out_rows, out_columns = min(height, rows), min(width, columns)
    result: list[list[float]] = []
    for row in range(out_rows):
        top, bottom = row * height // out_rows, (row + 1) * height // out_rows
        line: list[float] = []
        for column in range(out_columns):
            left, right = column * width // out_columns, (column + 1) * width // out_columns
            block = [
                value
                for source in values[top:bottom]
                for value in source[left:right]
                if is_number(value)
            ]
            line.append(sum(block) / len(block) if block else math.nan)
        result.append(line)
    return result


class HeatMap(Lines):
    """Shows one Matrix event; `show` replaces it."""

    DEFAULT_CSS = "HeatMap { margin-bottom: 1; }"

    def __init__(self, matrix: Matrix) -> None:
        super().__init__()
        self.matrix = matrix

    def show(self, matrix: Matrix) -> None:
        self.matrix = matrix
        self.changed()

    def lay_out(self, width: int) -> list[Content]:
        matrix = self.matrix
        head = hang(plain_line(matrix.title, "bold"), width, "")
        shape = f"{len(matrix.values)} × {max((len(row) for row in matrix.values), default=0)}"
        flat = [v for row in matrix.values for v in row if is_number(v)]
        if not flat:
            return [*head, Content.styled("no numbers", "$muted")]
        low, high = min(flat), max(flat)
        label = min(LABEL, max((len(name) for name in matrix.rows), default=0))
        columns = max(len(row) for row in matrix.values)
        room = width - (label + 1 if label else 0)
        small = columns * NUMBER <= room and len(matrix.values) <= MAX_ROWS
        body = self._numbers(label, low, high) if small else self._blocks(label, room, low, high)
        scale = f"{number(low)} {SHADES.strip()} {number(high)}   {shape}"
        lines = [*head, *body, Content.styled(scale, "$muted")]
        if matrix.note:
            lines.extend(hang(plain_line(matrix.note, "$muted"), width, ""))
        return lines

    def _tint(self, part: float) -> tuple[str, str]:
        """Ground and text colour for a value at `part` of the range."""
        variables = self.app.theme_variables
        ground = Color.parse(variables["background"]).blend(Color.parse(variables["accent"]), part)
        return ground.hex, ground.get_contrast_text(1.0).hex

    def _numbers(self, label: int, low: float, high: float) -> list[Content]:
        matrix = self.matrix
        lines: list[Content] = []
        if matrix.columns:
            names = [fit(plain_line(name), NUMBER - 1) + " " for name in matrix.columns]
            lead = " " * (label + 1 if label else 0)
            lines.append(Content(lead).append(Content("").join(names)).stylize("$muted"))
        for at, row in enumerate(matrix.values):
            parts = [self._row_name(at, label)]
            for value in row:
                if not is_number(value):
                    parts.append(Content(" –".ljust(NUMBER)))
                    continue
                ground, ink = self._tint((value - low) / (high - low) if high > low else 0.0)
                parts.append(
                    Content.styled(f" {number(value)}".ljust(NUMBER), f"{ink} on {ground}")
                )
            lines.append(Content("").join(parts))
        return lines

    def _blocks(self, label: int, room: int, low: float, high: float) -> list[Content]:
        columns = max(len(row) for row in self.matrix.values)
        size = 2 if columns * 2 <= room else 1
        cells = pooled(self.matrix.values, MAX_ROWS, max(1, room // size))
        named = len(cells) == len(self.matrix.values)
        lines: list[Content] = []
        for at, row in enumerate(cells):
            parts = [
                self._row_name(at, label) if named else Content(" " * (label + 1 if label else 0))
            ]
            for value in row:
                if not math.isfinite(value):
                    parts.append(Content("·" * size))
                    continue
                part = (value - low) / (high - low) if high > low else 0.0
                ground, _ = self._tint(part)
                glyph = SHADES[round(part * (len(SHADES) - 1))]
                parts.append(Content.styled(glyph * size, f"$accent on {ground}"))
            lines.append(Content("").join(parts))
        return lines

    def _row_name(self, at: int, label: int) -> Content:
        if not label:
            return Content("")
        name = self.matrix.rows[at] if at < len(self.matrix.rows) else ""
        return fit(plain_line(name, "$muted"), label) + " "
