"""Turns a saved run into `report.md` with pictures and plots: `python -m studytool.demo.report DIR`."""

from __future__ import annotations

import base64
import binascii
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from studytool.demo import save
from studytool.demo.events import (
    Claim,
    Done,
    Event,
    Failed,
    Finding,
    Graph,
    Image,
    Line,
    Matrix,
    Metric,
    Note,
    Outcome,
    Prediction,
    Series,
    Stage,
    Table,
    Text,
    decode,
)
from studytool.demo.words import cell, measured, number, verdict
from studytool.safetext import clean, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

Files = dict[str, bytes]


def write(folder: Path) -> None:
    """Write the report of the run saved in `folder`, and remove what an earlier save left.

    Raises SaveFailed when the folder holds no saved run or can't be written.
    """
    head = save.read_head(folder)
    if head is None:
        raise save.SaveFailed(f"{folder} holds no saved run")
    try:
        lines = (folder / save.EVENTS).read_bytes().splitlines()
        report = Report(head, [decode(line) for line in lines])
        for name, data in report.files.items():
            save.write_atomic(folder / name, data)
        save.write_atomic(folder / save.REPORT, report.text().encode())
        for name in set(head.files) - set(report.files):
            if Path(name).name == name and name.startswith(("plot-", "picture-")):
                (folder / name).unlink(missing_ok=True)
        head = msgspec.structs.replace(head, files=tuple(report.files))
        save.write_atomic(folder / save.HEAD, save.encode_head(head))
    except OSError as fault:
        raise save.SaveFailed(f"{folder}: {fault.strerror}") from fault


class Report:
    """The report of one run: `text()` and the `files` it links to, by name."""

    def __init__(self, head: save.Head, events: Sequence[Event]) -> None:
        self.files: Files = {}
        self._head = head
        self._events = newest(events)
        self._missing = ""
        self._body = [part for event in self._events for part in self._show(event)]
        for curve in curves(events):
            self._body += self._plot(curve)

    def text(self) -> str:
        """The whole report in Markdown."""
        head = self._head
        parts = [f"# {_md(head.title)}", _md(head.summary), f"Source: {_md(head.paper)}"]
        parts += [self._settings(), *self._findings(), *self._claims(), *self._predictions()]
        parts += ["## The run", *([self._missing] if self._missing else []), *self._body]
        return "\n\n".join(parts) + "\n"

    def _settings(self) -> str:
        head = self._head
        rows = [[name, str(value)] for name, value in head.params.items()]
        versions = ", ".join(f"{name} {version}" for name, version in head.versions.items())
        return f"Demo `{head.demo}`, saved {head.saved_at}, {versions}.\n\n" + markdown_table(
            ["parameter", "value"], rows
        )

    def _findings(self) -> list[str]:
        found = [f"> {_md(e.text)}" for e in self._events if isinstance(e, Finding)]
        return ["## Say it", *found] if found else []

    def _claims(self) -> list[str]:
        rows = [
            [claim.text, measured(claim), verdict(claim)]
            for claim in self._events
            if isinstance(claim, Claim)
        ]
        return ["## Claims", markdown_table(["claim", "measured", "verdict"], rows)] if rows else []

    def _predictions(self) -> list[str]:
        outcomes = {e.prediction: e for e in self._events if isinstance(e, Outcome)}
        rows = []
        for asked in self._events:
            if isinstance(asked, Prediction) and asked.id in outcomes:
                value = outcomes[asked.id].value
                came = value if isinstance(value, str) else f"{number(value)} {asked.unit}"
                rows.append([asked.question, came.strip(), outcomes[asked.id].text])
        columns = ["predict first", "what came out", ""]
        return ["## Predictions", markdown_table(columns, rows)] if rows else []

    def _show(self, event: Event) -> list[str]:
        if isinstance(event, Series | Matrix):
            return self._plot(event)
        if isinstance(event, Image):
            return self._picture(event)
        if isinstance(event, Stage):
            return [f"### {_md(event.name)}", *([_md(event.text)] if event.text else [])]
        if isinstance(event, Metric):
            told = "" if event.step is not None else f"{number(event.value)} {event.unit}".rstrip()
            return [f"- {_md(event.name)}: {_md(told)}"] if told else []
        if isinstance(event, Table):
            grid = [[cell(each) for each in row] for row in event.rows]
            note = [_md(event.note)] if event.note else []
            return [f"**{_md(event.title)}**", markdown_table(event.columns, grid), *note]
        if isinstance(event, Text):
            return [f"**{_md(event.title)}**", _block(event.text)]
        if isinstance(event, Graph):
            rows = [[e.source, e.label, e.target, number(e.weight)] for e in event.edges]
            columns = ["from", "", "to", "weight"]
            return [f"**{_md(event.title)}**", markdown_table(columns, rows)]
        if isinstance(event, Note):
            return [f"Note: {_md(event.text)}"]
        if isinstance(event, Failed):
            return [
                f"**The demo failed**: {_md(event.error)}",
                _md(event.hint),
                _block(event.trace),
            ]
        return [f"Done in {event.seconds:.1f} s."] if isinstance(event, Done) else []

    def _plot(self, plot: Series | Matrix) -> list[str]:
        try:
            from studytool.demo.draw import draw_matrix, draw_series
        except ImportError:
            self._missing = (
                "The plots are not drawn: matplotlib is not installed. Install it with "
                "`pip install 'studytool[demos]'` and save again; events.jsonl has all numbers."
            )
            return [f"**{_md(plot.title)}** (not drawn)"]
        drawn = draw_series(plot) if isinstance(plot, Series) else draw_matrix(plot)
        name = self._name("plot", plot.id, ".png")
        self.files[name] = drawn["png"]
        self.files[name.removesuffix(".png") + ".svg"] = drawn["svg"]
        note = [_md(plot.note)] if isinstance(plot, Matrix) and plot.note else []
        return [f"![{_md(plot.title)}]({name})", *note]

    def _picture(self, picture: Image) -> list[str]:
        try:
            data = base64.b64decode(picture.png, validate=True)
        except binascii.Error:
            return [f"**{_md(picture.title)}** (the picture is damaged)"]
        name = self._name("picture", picture.id, ".png")
        self.files[name] = data
        words = " · ".join(_md(text) for text in (picture.caption, picture.credit) if text)
        return [f"![{_md(picture.title)}]({name})", *([words] if words else [])]

    def _name(self, kind: str, id: str, suffix: str) -> str:
        stem = f"{kind}-{re.sub(r'[^a-z0-9]+', '-', id.lower()).strip('-')[:60] or 'unnamed'}"
        name, count = stem + suffix, 1
        while name in self.files:
            count += 1
            name = f"{stem}-{count}{suffix}"
        return name


def newest(events: Sequence[Event]) -> list[Event]:
    """The events without plots and tables that a later one of the same id and kind replaced."""
    last: dict[tuple[type[Event], str], int] = {}
    for index, event in enumerate(events):
        if isinstance(event, Series | Matrix | Table | Text | Image | Graph):
            last[type(event), event.id] = index
    return [
        event
        for index, event in enumerate(events)
        if last.get((type(event), getattr(event, "id", "")), index) == index
    ]


def curves(events: Sequence[Event]) -> list[Series]:
    """The live curves, one plot for each metric that was sent with steps."""
    points: dict[str, list[Metric]] = {}
    for event in events:
        if isinstance(event, Metric) and event.step is not None:
            points.setdefault(event.name, []).append(event)
    return [
        Series(
            id=f"curve-{name}",
            title=name,
            lines=[Line("", [m.step for m in many if m.step is not None], [m.value for m in many])],
            x_label="step",
            y_label=many[0].unit,
        )
        for name, many in points.items()
        if len(many) > 1
    ]


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; the texts are escaped."""
    width = max([len(columns), *(len(row) for row in rows)], default=0)

    def line(texts: Sequence[str]) -> str:
        filled = [*texts, *([""] * (width - len(texts)))]
        return "| " + " | ".join(_md(text) for text in filled) + " |"

    return "\n".join([line(columns), "|" + " --- |" * width, *(line(row) for row in rows)])


def _md(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", one_line(text))


def _block(text: str) -> str:
    return "\n".join("    " + line for line in clean(text).splitlines())


if __name__ == "__main__":
    try:
        write(Path(sys.argv[1]))
    except save.SaveFailed as fault:
        sys.exit(str(fault))
