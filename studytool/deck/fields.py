"""The TOML of a card file: its head and the fence under each heading, checked key by key."""

from __future__ import annotations

import math
import re
import tomllib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from studytool.deck.model import FileHead, Kind, Level, Result
from studytool.deck.plain_toml import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from studytool.deck.faults import FaultList

#: The version of the format that this program reads and writes.
SCHEMA = 1

_LIMIT = 2**63
_LEVELS = tuple(level.value for level in Level)
_KINDS = tuple(kind.value for kind in Kind)
_AT = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)$")
_KEY = re.compile(r"[ \t]*\[?[ \t]*(?:\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+))[ \t]*[=.\]]")


class FieldError(ValueError):
    """A value has the wrong type or is not allowed; the message says what was expected."""

    def __init__(self, expected: str, name: str = "", known: Sequence[str] = ()) -> None:
        super().__init__(expected)
        self.expected = expected
        self.name = name
        self.known = known


def read_toml(lines: Sequence[str], first: int, faults: FaultList) -> Mapping[str, Any] | None:
    """The table in `lines`, whose first line is line `first` (from 1) of the file; None if broken."""
    if (plain := read_plain(lines)) is not None:
        return plain
    try:
        return tomllib.loads("\n".join(lines))
    except RecursionError:
        faults.add(first, "toml", "the TOML is nested too deeply", expected="plain keys and values")
    except ValueError as error:
        text = str(error)
        line, col = first, 1
        if at := _AT.search(text):
            text = text[: at.start()].rstrip()
            line = first + (int(at[1]) if at[1] else max(1, len(lines))) - 1
            col = int(at[2]) if at[2] else 1
        what = text[:1].lower() + text[1:200]
        faults.add(line, "toml", f"invalid TOML: {what}", col=col, expected="key = value lines")
    return None


def key_lines(lines: Sequence[str], first: int) -> dict[str, int]:
    """The line of each top-level key or table, for messages."""
    found: dict[str, int] = {}
    for number, line in enumerate(lines, first):
        if match := _KEY.match(line):
            found.setdefault(match[1] or match[2] or match[3] or "", number)
    return found


def check_table(
    table: Mapping[str, Any],
    fields: Mapping[str, Callable[[Any], Any]],
    required: Sequence[str],
    lines: Mapping[str, int],
    first: int,
    faults: FaultList,
) -> dict[str, Any] | None:
    """The table's values converted; None when any key or value is wrong (all are reported)."""
    values: dict[str, Any] = {}
    sound = True
    for key, value in table.items():
        line = lines.get(key, first)
        if key not in fields:
            sound = False
            faults.add(
                line,
                "unknown-key",
                f"unknown key {key[:80]!r}",
                expected=f"one of {', '.join(fields)}",
                name=key,
                known=fields,
            )
            continue
        try:
            values[key] = fields[key](value)
        except FieldError as error:
            sound = False
            faults.add(
                line,
                "wrong-value",
                f"{key} is {show(value)}",
                expected=error.expected,
                name=error.name,
                known=error.known,
            )
    for key in required:
        if key not in table:
            sound = False
            faults.add(
                first,
                "missing-key",
                f"{key} is missing",
                expected=f"{key} = …, one of the keys {', '.join(required)}",
            )
    return values if sound else None


def show(value: object) -> str:
    """A value as a message quotes it: its type, and its text when short."""
    names: dict[type, str] = {dict: "a table", list: "a list", str: "the string"}
    name = names.get(type(value), type(value).__name__)
    text = repr(value) if isinstance(value, str | bool | int | float) else ""
    return f"{name} {text[:60]}".strip()


def text_field(value: Any) -> str:
    if isinstance(value, str) and value.strip() and "\0" not in value:
        return value
    raise FieldError("a string that isn't empty")


def any_text_field(value: Any) -> str:
    if isinstance(value, str) and "\0" not in value:
        return value
    raise FieldError("a string")


def texts_field(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        try:
            return tuple(text_field(item) for item in value)
        except FieldError:
            pass
    raise FieldError('a list of strings, such as ["one", "two"]')


def sources_field(value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        try:
            return {any_text_field(key): text_field(item) for key, item in value.items()}
        except FieldError:
            pass
    raise FieldError('a table of strings, such as { clip = "arXiv:2103.00020 §2.5" }')


def params_field(value: Any) -> dict[str, bool | int | float | str]:
    if isinstance(value, dict) and all(_is_scalar(item) for item in value.values()):
        return {any_text_field(key): item for key, item in value.items()}
    raise FieldError("a table of finite numbers, strings and booleans, such as { steps = 200 }")


def bool_field(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise FieldError("true or false")


def date_field(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise FieldError("a date without quotes, such as 2026-11-23")


def level_field(value: Any) -> Level:
    return Level(_one_of(value, _LEVELS))


def kind_field(value: Any) -> Kind:
    return Kind(_one_of(value, _KINDS))


def result_field(value: Any) -> Result:
    expected = 'a table { value = 10.4, tolerance = 0.05, unit = "nats" }'
    if not isinstance(value, dict) or not {"value", "tolerance"} <= set(value):
        raise FieldError(expected)
    unknown = sorted(set(value) - {"value", "tolerance", "unit"})
    if unknown:
        raise FieldError(expected, unknown[0], ("value", "tolerance", "unit"))
    numbers = value["value"], value["tolerance"]
    if not all(_is_number(number) for number in numbers) or numbers[1] < 0:
        raise FieldError(f"{expected}, with finite numbers and a tolerance of at least 0")
    return Result(float(numbers[0]), float(numbers[1]), any_text_field(value.get("unit", "")))


def schema_field(value: Any) -> int:
    if type(value) is int and value == SCHEMA:
        return value
    raise FieldError(f"{SCHEMA}, the version of the format that this program reads")


def _one_of(value: Any, known: Sequence[str]) -> str:
    if isinstance(value, str) and value in known:
        return value
    raise FieldError(f"one of {', '.join(known)}", value if isinstance(value, str) else "", known)


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LIMIT


def _is_scalar(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, bool) or (isinstance(value, int) and -_LIMIT <= value < _LIMIT)


HEAD_FIELDS: dict[str, Callable[[Any], Any]] = {
    "schema": schema_field,
    "chapter": text_field,
    "area": text_field,
    "topic": text_field,
}

CARD_FIELDS: dict[str, Callable[[Any], Any]] = {
    "level": level_field,
    "kind": kind_field,
    "demo": text_field,
    "no_demo": text_field,
    "params": params_field,
    "needs": texts_field,
    "tags": texts_field,
    "contested": bool_field,
    "sources": sources_field,
    "checked": date_field,
    "result": result_field,
}


def read_head(lines: Sequence[str], first: int, faults: FaultList) -> FileHead | None:
    """The `+++` block of a file, without its marker lines."""
    table = read_toml(lines, first, faults)
    if table is None:
        return None
    where = key_lines(lines, first)
    values = check_table(table, HEAD_FIELDS, tuple(HEAD_FIELDS), where, max(1, first - 1), faults)
    return None if values is None else FileHead(**values)


def read_card_table(
    lines: Sequence[str], first: int, faults: FaultList
) -> tuple[dict[str, Any] | None, dict[str, int]]:
    """The fence of a card as constructor arguments (None when wrong), and the line of each key."""
    table = read_toml(lines, first, faults)
    if table is None:
        return None, {}
    where = key_lines(lines, first)
    return check_table(table, CARD_FIELDS, ("level", "kind"), where, first - 1, faults), where
