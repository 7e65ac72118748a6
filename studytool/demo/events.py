"""What a demo says while it runs: one JSON object a line, each with a `type`.

A run module yields these structs; it never prints. On the line numbers are finite: `encode`
turns NaN and infinities into null, and `decode` gives NaN back where a number has to be. Arrays
are capped, so a line always fits the pipe; numpy scalars and arrays may be yielded as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

#: The most numbers one event may carry, and the most bytes of one picture.
MAX_NUMBERS = 20_000
MAX_IMAGE_BYTES = 2_000_000
#: The longest line of the protocol, in bytes.
MAX_LINE = 8 * 2**20

Cell: TypeAlias = str | int | float | bool | None


class _Event(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower, omit_defaults=False):
    """The base of all events; the tag is the class name in lower case."""


class Stage(_Event, frozen=True):
    """A named part of the run begins: loading, compiling, training, evaluating."""

    name: str
    text: str = ""


class Progress(_Event, frozen=True, gc=False):
    """`done` of `total` units of the present stage."""

    done: float
    total: float
    unit: str = "step"
    note: str = ""


class Metric(_Event, frozen=True, gc=False):
    """One measured number. With a `step` it is a point of the live curve `name`."""

    name: str
    value: float
    step: float | None = None
    unit: str = ""


class Line(msgspec.Struct, frozen=True):
    """One curve of a plot."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


class Series(_Event, frozen=True):
    """A whole plot; a later one with the same `id` replaces it. `levels` are horizontal reference lines."""

    id: str
    title: str
    lines: Sequence[Line]
    x_label: str = ""
    y_label: str = ""
    levels: Mapping[str, float] = {}


class Matrix(_Event, frozen=True):
    """A heat map: `values[row][column]`."""

    id: str
    title: str
    values: Sequence[Sequence[float]]
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()
    note: str = ""


class Table(_Event, frozen=True):
    """Rows of cells; a later one with the same `id` replaces it, so that neighbours can improve live."""

    id: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


class Text(_Event, frozen=True):
    """A passage to read: a generated sample, a retrieved document. Plain text."""

    id: str
    title: str
    text: str


class Image(_Event, frozen=True):
    """A picture as base64 of a PNG, `width` by `height` pixels, with its `credit` where one is due."""

    id: str
    title: str
    png: str
    width: int
    height: int
    caption: str = ""
    credit: str = ""


class Edge(msgspec.Struct, frozen=True):
    source: str
    target: str
    label: str = ""
    weight: float = 1.0


class Graph(_Event, frozen=True):
    """Nodes and directed edges: a search tree, a knowledge graph."""

    id: str
    title: str
    nodes: Sequence[str]
    edges: Sequence[Edge]


class Note(_Event, frozen=True):
    """One sentence the user should know: a convention, a limit, a duplicate in the data."""

    text: str


class Prediction(_Event, frozen=True):
    """A question asked before the result is shown: either `options`, or a number in `unit`."""

    id: str
    question: str
    options: Sequence[str] = ()
    unit: str = ""


class Outcome(_Event, frozen=True):
    """What really came out, as one of the options or a number. `text` says it in a sentence."""

    prediction: str
    value: str | float
    text: str = ""


class Claim(_Event, frozen=True):
    """A statement with its measured value and bound.

    `holds` says whether `value op bound` is true. `expect` is "refuted" for what is commonly
    taught but false here: then the demo is right when the claim does not hold.
    """

    id: str
    text: str
    value: float
    op: Literal["<=", ">=", "<", ">", "=="]
    bound: float
    holds: bool
    unit: str = ""
    expect: Literal["holds", "refuted"] = "holds"

    OPS: ClassVar[Mapping[str, Any]] = {
        "<=": lambda a, b: a <= b,
        ">=": lambda a, b: a >= b,
        "<": lambda a, b: a < b,
        ">": lambda a, b: a > b,
        "==": lambda a, b: a == b,
    }

    @property
    def as_expected(self) -> bool:
        """True when the outcome is the one the demo stands for."""
        return self.holds == (self.expect == "holds")


def claim(
    id: str,
    text: str,
    value: float,
    op: Literal["<=", ">=", "<", ">", "=="],
    bound: float,
    *,
    unit: str = "",
    expect: Literal["holds", "refuted"] = "holds",
) -> Claim:
    """A claim whose verdict is computed here, from the numbers; a NaN never holds."""
    value, bound = float(value), float(bound)
    holds = math.isfinite(value) and bool(Claim.OPS[op](value, bound))
    return Claim(id, text, value, op, bound, holds, unit, expect)


class Finding(_Event, frozen=True):
    """The sentence to say in an interview, with what was just measured."""

    text: str


class Done(_Event, frozen=True):
    """The run ended well. `explore` says whether explore(request) will be served, and how to ask."""

    seconds: float = 0.0
    explore: str = ""


class Failed(_Event, frozen=True):
    """The run ended badly: what happened, what to do, and the last lines."""

    error: str
    hint: str = ""
    trace: str = ""


Event: TypeAlias = (
    Stage | Progress | Metric | Series | Matrix | Table | Text | Image | Graph | Note
    | Prediction | Outcome | Claim | Finding | Done | Failed
)  # fmt: skip


def _plain(value: Any) -> Any:
    """Arrays and scalars of numpy and torch as plain numbers."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"an event can't carry a {type(value).__name__}")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class EventTooLarge(ValueError):
    """An event carries more numbers or bytes than a line may."""


def encode(event: Event) -> bytes:
    """One line of JSON without the newline. Raises EventTooLarge beyond the caps."""
    _check_size(event)
    line = _encoder.encode(event)
    if len(line) > MAX_LINE:
        raise EventTooLarge(f"{_name(event)} has {len(line)} bytes, at most {MAX_LINE}")
    return line


def decode(line: bytes | str) -> Event:
    """The event of one line. Raises msgspec.ValidationError or msgspec.DecodeError."""
    try:
        return _decoder.decode(line)
    except msgspec.ValidationError:
        raw = msgspec.json.decode(line)
        if not isinstance(raw, dict) or raw.get("type") == "table":
            raise
        filled = {k: value if k == "step" else _nan_for_null(value) for k, value in raw.items()}
        event: Event = msgspec.convert(filled, Event)
        return event


def _nan_for_null(value: Any) -> Any:
    if value is None:
        return math.nan
    if isinstance(value, list):
        return [_nan_for_null(each) for each in value]
    if isinstance(value, dict):
        return {key: _nan_for_null(each) for key, each in value.items()}
    return value


def _name(event: Event) -> str:
    return f"{type(event).__name__} {getattr(event, 'id', '')!r}"


def _check_size(event: Event) -> None:
    if isinstance(event, Matrix):
        numbers = sum(len(row) for row in event.values)
    elif isinstance(event, Series):
        numbers = sum(max(len(line.x), len(line.y)) for line in event.lines)
    elif isinstance(event, Table):
        numbers = sum(len(row) for row in event.rows)
    elif isinstance(event, Image):
        if len(event.png) > MAX_IMAGE_BYTES:
            raise EventTooLarge(
                f"picture {event.id!r} has {len(event.png)} bytes, at most {MAX_IMAGE_BYTES}"
            )
        return
    else:
        return
    if numbers > MAX_NUMBERS:
        raise EventTooLarge(
            f"{type(event).__name__} {event.id!r} has {numbers} numbers, at most {MAX_NUMBERS}"
        )
