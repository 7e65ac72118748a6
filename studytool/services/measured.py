"""What the built-in demos measured at their default setting, for cards whose demo has not been run here.

`content/measured.json` is written by `tests/demos/record.py`, and a test runs the demos again and
compares. The user's own last run always comes before it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec

from studytool.paths import builtin_content

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "measured.json"


class Measured(msgspec.Struct, frozen=True):
    """One claim's value as it was measured when the cards were written."""

    value: float
    unit: str = ""


@cache
def recorded() -> Mapping[str, Mapping[str, Measured]]:
    """The recorded values by demo and claim; empty when the file is not there."""
    path = builtin_content() / FILE
    if not path.exists():
        return {}
    values: dict[str, dict[str, Measured]] = msgspec.json.decode(
        path.read_bytes(), type=dict[str, dict[str, Measured]]
    )
    return values
