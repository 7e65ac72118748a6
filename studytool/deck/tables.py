"""Files that stand beside the cards: TOML with a head and a list of `[[tables]]`, faults with lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import msgspec

from studytool.deck.faults import FaultList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.deck.model import Fault

T = TypeVar("T", bound=msgspec.Struct)

_PLACE = re.compile(r" - at `\$\.?([^`]*)`")
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")


def read_tables(
    text: str, path: str, kind: type[T], entry: type[msgspec.Struct], table: str, rule: str
) -> tuple[T | None, tuple[Fault, ...]]:
    """The file as a `kind`, or None and what is wrong with it.

    `entry` is what stands in each `[[table]]`; faults carry the rules `rule`-toml and `rule`-field.
    """
    import tomllib  # Home asks whether there is such a file without reading it

    faults = FaultList(path)
    try:
        return msgspec.convert(tomllib.loads(text), kind), ()
    except tomllib.TOMLDecodeError as error:
        at = _AT.search(str(error))
        line, col = (int(at[1]), int(at[2])) if at and at[1] else (text.count("\n") + 1, 1)
        what = f"this isn't TOML: {_AT.sub('', str(error))}"
        faults.add(line, f"{rule}-toml", what, col=col, expected=f"key = value, or [[{table}]]")
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        inside = re.match(rf"{table}\[(\d+)\]\.?(\w*)", place[1]) if place else None
        number = int(inside[1]) if inside else -1
        key = (inside[2] if inside else place[1] if place else "") or ""
        said = _PLACE.sub("", str(error))
        name = f"{table} {number + 1}" if number >= 0 else f"the {rule}"
        what = f"{name}{f', {key}' if key else ''}: {said[:1].lower()}{said[1:]}"
        heads = (f"[[{table}]]" if key == table else key for key in kind.__struct_encode_fields__)
        keys = entry.__struct_encode_fields__ if number >= 0 else tuple(heads)
        faults.add(
            line_of(text, table, number, key), f"{rule}-field", what, expected=", ".join(keys)
        )
    return None, faults.sorted()


def line_of(text: str, table: str, number: int, key: str) -> int:
    """The line, from 1, of a key of a table, or of the file's head when `number` is -1."""
    lines = text.splitlines()
    mark = f"[[{table}]]"
    heads = [i for i, line in enumerate(lines) if line.replace(" ", "").startswith(mark)]
    if number >= len(heads):
        return 1
    start = heads[number] if number >= 0 else 0
    end = next((i for i in heads if i > start or number < 0), len(lines))
    return _line_within(lines, start, end, key)


def _line_within(lines: Sequence[str], start: int, end: int, key: str) -> int:
    for number in range(start, end):
        if key and lines[number].split("=")[0].strip() == key:
            return number + 1
    return start + 1
