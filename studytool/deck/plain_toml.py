"""The plain subset of TOML that nearly every card uses, read in a third of tomllib's time.

One `key = value` a line with single spaces, where a value is a string without escapes, a
number, a truth value, a date, a list of such strings or an inline table of such values.
Anything else gives None, and tomllib reads it; a property test holds the two equal.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Scalar: TypeAlias = str | bool | int | float | date
Table: TypeAlias = dict[str, Scalar | list[str] | dict[str, Scalar]]

_KEY = r"[A-Za-z0-9_-]+"
_STRING = r'"[^"\\\x00-\x1f\x7f]*"'
_NUMBER = r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,15})?"
_VALUE = rf"(?:{_STRING}|true|false|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|{_NUMBER})"
_LINE = re.compile(
    rf"({_KEY}) = (?:({_VALUE})|(\[(?:{_STRING}(?:, {_STRING})*)?\])"
    rf"|\{{ ({_KEY} = {_VALUE}(?:, {_KEY} = {_VALUE})*) \}})"
)
_PAIR = re.compile(rf"({_KEY}) = ({_VALUE})")
_ITEM = re.compile(_STRING)


def read_plain(lines: Sequence[str]) -> Table | None:
    """The table in `lines`, or None when they need the whole of TOML."""
    table: Table = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None or match[1] in table:
            return None
        key, value, array, pairs = match.groups()
        try:
            if value is not None:
                table[key] = _scalar(value)
            elif array is not None:
                table[key] = [item[1:-1] for item in _ITEM.findall(array)]
            else:
                inner = _PAIR.findall(pairs)
                values = {name: _scalar(text) for name, text in inner}
                if len(values) != len(inner):
                    return None
                table[key] = values
        except ValueError:
            return None
    return table


def _scalar(text: str) -> Scalar:
    """One value; raises ValueError for a date that doesn't exist."""
    if text[0] == '"':
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    if text[4:5] == "-":
        return date.fromisoformat(text)
    return float(text) if "." in text else int(text)
