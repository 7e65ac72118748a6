"""A table of a demo: a title, aligned columns, cut to the width; drawn anew when its rows improve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from studytool.tui.text import fit, hang, number, plain_line
from studytool.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.demo.events import Cell, Table

MAX_ROWS = 60
NARROWEST = 4


def cell_text(cell: Cell) -> str:
    """A cell as it is read: numbers shortened, truth as a sign, nothing as a dash."""
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "✓" if cell else "✗"
    if isinstance(cell, int | float):
        return number(cell)
    return cell


def share(wants: Sequence[int], room: int) -> list[int]:
    """Column widths that fit `room`: narrow columns keep what they want, wide ones share the rest."""
    widths = [0] * len(wants)
    left, open_columns = room, sorted(range(len(wants)), key=lambda at: wants[at])
    while open_columns:
        at = open_columns.pop(0)
        widths[at] = max(min(NARROWEST, wants[at]), min(wants[at], left // (len(open_columns) + 1)))
        left -= widths[at]
    return widths


class TableView(Lines):
    """Shows one Table event; `show` replaces it."""

    DEFAULT_CSS = "TableView { margin-bottom: 1; }"

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table

    def show(self, table: Table) -> None:
        self.table = table
        self.changed()

    def lay_out(self, width: int) -> list[Content]:
        table = self.table
        rows = table.rows[:MAX_ROWS]
        cells = [[plain_line(cell_text(cell)) for cell in row] for row in rows]
        heads = [plain_line(name) for name in table.columns]
        columns = len(heads)
        wants = [
            max([heads[at].cell_length, *(row[at].cell_length for row in cells if at < len(row))])
            for at in range(columns)
        ]
        widths = share(wants, width - 2 * (columns - 1))
        right = [
            all(isinstance(row[at], int | float | None) for row in rows if at < len(row))
            for at in range(columns)
        ]

        def line(parts: Sequence[Content]) -> Content:
            laid = [
                _right(part, widths[at]) if right[at] else fit(part, widths[at])
                for at, part in enumerate(parts[:columns])
            ]
            return Content("  ").join(laid).truncate(width)

        lines = hang(plain_line(table.title, "bold"), width, "")
        lines.append(line(heads).stylize("$muted"))
        lines.extend(line(row) for row in cells)
        if len(table.rows) > MAX_ROWS:
            lines.append(Content.styled(f"… {len(table.rows) - MAX_ROWS} more rows", "$muted"))
        if table.note:
            lines.extend(hang(plain_line(table.note, "$muted"), width, ""))
        return lines


def _right(content: Content, width: int) -> Content:
    content = content.truncate(width, ellipsis=True)
    return " " * (width - content.cell_length) + content
