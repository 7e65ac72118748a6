"""Events as lines of text, for terminals, pipes and screen readers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from studytool.demo.events import (
    Cell,
    Claim,
    Done,
    Event,
    Failed,
    Finding,
    Graph,
    Image,
    Matrix,
    Metric,
    Note,
    Outcome,
    Prediction,
    Progress,
    Series,
    Stage,
    Table,
    Text,
)
from studytool.safetext import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Tables and lists longer than this are cut in the terminal; reports and --json have all.
MAX_ROWS = 20
_CELL_WIDTH = 36


def number(value: float) -> str:
    """A number as people read it: whole ones whole, others with four significant digits."""
    if not math.isfinite(value):
        return "not a number"
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value)}"
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"


def cell(value: Cell) -> str:
    """One cell of a table as text on one line; what is missing is a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return one_line(value) if isinstance(value, str) else number(value)


def measured(claim: Claim) -> str:
    """`0.71 >= 0.65`, with the unit; the sign is turned where the claim does not hold."""
    unit = f" {one_line(claim.unit)}" if claim.unit else ""
    sign = claim.op if claim.holds else f"is not {claim.op}"
    return f"{number(claim.value)} {sign} {number(claim.bound)}{unit}"


def verdict(claim: Claim) -> str:
    """What a claim came to, in words that don't need a colour."""
    if claim.expect == "refuted":
        return "refuted, as expected" if claim.as_expected else "holds, but was to be refuted"
    return "holds" if claim.as_expected else "DOES NOT HOLD"


class Words:
    """Turns the events of one run into lines.

    Progress and the points of live curves are told together, at most every tenth of a stage, so
    a run of 20,000 steps stays readable.
    """

    def __init__(self) -> None:
        self._latest: dict[str, Metric] = {}
        self._tenth = -1

    def lines(self, event: Event) -> list[str]:
        """The lines to print for the next event of the run; often none."""
        if isinstance(event, Metric) and event.step is not None:
            self._latest[event.name] = event
            return []
        if isinstance(event, Progress):
            return self._progress(event)
        if isinstance(event, Stage | Done | Failed):
            self._tenth = -1
            return self._flush("  now") + self._tell(event)
        return self._tell(event)

    def _progress(self, event: Progress) -> list[str]:
        share = event.done / event.total if event.total > 0 else 0.0
        tenth = int(10 * share) if math.isfinite(share) else 0
        if tenth == self._tenth:
            return []
        self._tenth = tenth
        start = f"  {share:4.0%} {number(event.done)}/{number(event.total)} {one_line(event.unit)}"
        note = f" · {one_line(event.note)}" if event.note else ""
        return self._flush(start + note) or [start + note]

    def _flush(self, start: str) -> list[str]:
        if not self._latest:
            return []
        told = [f"{one_line(m.name)} {number(m.value)}" for m in self._latest.values()]
        self._latest.clear()
        return [" · ".join([start, *told])]

    def _tell(self, event: Event) -> list[str]:
        return _TELL[type(event)](event)


def table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
    """A table as aligned lines, cut to MAX_ROWS; numbers stand to the right."""
    shown = [[cell(each)[:_CELL_WIDTH] for each in row] for row in rows[:MAX_ROWS]]
    head = [one_line(name)[:_CELL_WIDTH] for name in columns]
    count = max([len(head), *(len(row) for row in shown)], default=0)
    grid = [row + [""] * (count - len(row)) for row in [head, *shown]]
    widths = [max(len(row[i]) for row in grid) for i in range(count)]
    right = [
        all(isinstance(row[i], int | float) or row[i] is None for row in rows if i < len(row))
        for i in range(count)
    ]
    lines = [
        "  "
        + "  ".join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in grid
    ]
    if len(rows) > MAX_ROWS:
        lines.append(f"  … {len(rows) - MAX_ROWS} more rows")
    return lines


def _stage(event: Stage) -> list[str]:
    text = f": {one_line(event.text)}" if event.text else ""
    return [f"▸ {one_line(event.name)}{text}"]


def _metric(event: Metric) -> list[str]:
    unit = f" {one_line(event.unit)}" if event.unit else ""
    return [f"  {one_line(event.name)}: {number(event.value)}{unit}"]


def _series(event: Series) -> list[str]:
    lines = [f"  plot: {one_line(event.title)}"]
    for line in event.lines:
        span = "no points"
        if line.y:
            span = f"{number(line.y[0])} → {number(line.y[-1])} over {len(line.y)} points"
        lines.append(f"    {one_line(line.name)}: {span}")
    lines += [f"    level {one_line(name)}: {number(at)}" for name, at in event.levels.items()]
    return lines


def _matrix(event: Matrix) -> list[str]:
    height, width = len(event.values), max((len(row) for row in event.values), default=0)
    lines = [f"  heat map: {one_line(event.title)} ({height} × {width})"]
    if event.note:
        lines.append(f"  {one_line(event.note)}")
    if 0 < height <= 12 and 0 < width <= 12:
        names = list(event.rows) or [str(i) for i in range(height)]
        columns = list(event.columns) or [str(i) for i in range(width)]
        rows: list[list[Cell]] = [
            [name, *row] for name, row in zip(names, event.values, strict=False)
        ]
        lines += table(["", *columns], rows)
    return lines


def _table(event: Table) -> list[str]:
    note = [f"  {one_line(event.note)}"] if event.note else []
    return [f"  {one_line(event.title)}", *table(event.columns, event.rows), *note]


def _text(event: Text) -> list[str]:
    return [f"  {one_line(event.title)}", *(f"    {row}" for row in clean(event.text).splitlines())]


def _image(event: Image) -> list[str]:
    words = f"  [picture: {one_line(event.title)}, {event.width} × {event.height}]"
    return [f"{words} {one_line(event.caption)}".rstrip()]


def _graph(event: Graph) -> list[str]:
    size = f"{len(event.nodes)} nodes, {len(event.edges)} edges"
    lines = [f"  graph: {one_line(event.title)} ({size})"]
    for edge in event.edges[:MAX_ROWS]:
        label = f" ({one_line(edge.label)})" if edge.label else ""
        lines.append(f"    {one_line(edge.source)} → {one_line(edge.target)}{label}")
    if len(event.edges) > MAX_ROWS:
        lines.append(f"    … {len(event.edges) - MAX_ROWS} more edges")
    return lines


def _prediction(event: Prediction) -> list[str]:
    lines = [f"? Before you see it: {one_line(event.question)}"]
    if event.options:
        listed = (f"{letter(i)}) {one_line(text)}" for i, text in enumerate(event.options))
        lines.append("    " + "   ".join(listed))
    elif event.unit:
        lines.append(f"    a number, in {one_line(event.unit)}")
    return lines


def letter(index: int) -> str:
    """a, b, c, … for the options of a prediction."""
    return chr(ord("a") + index) if index < 26 else str(index + 1)


def _outcome(event: Outcome) -> list[str]:
    value = one_line(event.value) if isinstance(event.value, str) else number(event.value)
    text = f" · {one_line(event.text)}" if event.text else ""
    return [f"= It was: {value}{text}"]


def _claim(event: Claim) -> list[str]:
    mark = "✓" if event.as_expected else "✗"
    return [f"{mark} {one_line(event.text)}: {measured(event)} ({verdict(event)})"]


def _failed(event: Failed) -> list[str]:
    trace = [f"    {row}" for row in clean(event.trace).splitlines()]
    hint = [f"  {clean(event.hint)}"] if event.hint else []
    return [*trace, f"✗ The demo failed: {clean(event.error)}", *hint]


_TELL: dict[type[Any], Callable[[Any], list[str]]] = {
    Stage: _stage,
    Metric: _metric,
    Series: _series,
    Matrix: _matrix,
    Table: _table,
    Text: _text,
    Image: _image,
    Graph: _graph,
    Note: lambda event: [f"  note: {one_line(event.text)}"],
    Prediction: _prediction,
    Outcome: _outcome,
    Claim: _claim,
    Finding: lambda event: [f"» Say it: {one_line(event.text)}"],
    Done: lambda event: [f"done in {event.seconds:.1f} s"],
    Failed: _failed,
}
