"""Where a setting stands in the text of settings.toml, and how steps are written.

The standard library's TOML reader gives values without lines. The index here is made for
messages only: it follows section heads and `name =` at the beginning of lines and skips
multi-line strings and arrays.
"""

from __future__ import annotations

import itertools
import re

_HEAD = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
_NAME = re.compile(r"\s*([A-Za-z0-9_\-.\"' ]+?)\s*=")
_STEP = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_BAD_STEP = 'a step reads "30s", "10m", "4h" or "1d"'


def index(text: str) -> dict[tuple[str, ...], int]:
    """The line, from 1, of each section and each key; keys are paths such as ("study", "fuzz")."""
    found: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    closing = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            closing = "" if closing in line else closing
            continue
        head = _HEAD.match(line)
        if head:
            section = _path(head[1])
            found.setdefault(section, number)
        elif name := _NAME.match(line):
            found.setdefault((*section, *_path(name[1])), number)
            closing = _opened(line[name.end() :])
    return found


def find(where: dict[tuple[str, ...], int], key: tuple[str, ...]) -> int:
    """The line of `key`, else of the section it is in, else 1."""
    for length in range(len(key), 0, -1):
        if key[:length] in where:
            return where[key[:length]]
    return 1


def of_syntax_error(message: str, text: str) -> int:
    """The line that a message of tomllib names; the last one for "at end of document"."""
    match = re.search(r"at line (\d+)", message)
    return int(match[1]) if match else max(1, len(text.splitlines()))


def seconds(raw: object) -> object:
    """A list of steps ("10m" or seconds) in seconds; what is not a list is given back as it is.

    Raises ValueError for a step that can't be read, or steps that don't grow.
    """
    if not isinstance(raw, list):
        return raw
    steps = [_seconds(step) for step in raw]
    if any(later < earlier for earlier, later in itertools.pairwise(steps)):
        raise ValueError("each step must be at least as long as the one before it")
    return steps


def step_text(step: int) -> str:
    """600 as "10m": the largest unit that divides it."""
    unit = next(unit for unit, size in _UNITS.items() if step % size == 0)
    return f"{step // _UNITS[unit]}{unit}"


def shown(value: object) -> str:
    """A value as TOML writes it, short enough for a message."""
    text = str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
    return text if len(text) <= 60 else text[:57] + "..."


def _seconds(step: object) -> int:
    if isinstance(step, int) and not isinstance(step, bool):
        return step
    match = _STEP.fullmatch(step.strip()) if isinstance(step, str) else None
    if match is None:
        raise ValueError(_BAD_STEP)
    return int(match[1]) * _UNITS[match[2]]


def _path(name: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in name.split("."))


def _opened(value: str) -> str:
    """What closes a value that goes on over the next lines, or an empty string."""
    for quotes in ('"""', "'''"):
        if value.count(quotes) % 2:
            return quotes
    start = value.strip()
    return "]" if start.startswith("[") and "]" not in start else ""
