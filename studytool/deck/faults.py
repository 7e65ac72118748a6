"""Collects what is wrong with one file, each fault with its place and the nearest known name."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from studytool.deck.model import Fault, Place, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable


class FaultList:
    """The faults of one file, in the order in which they were found."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.faults: list[Fault] = []

    def add(
        self,
        line: int,
        rule: str,
        what: str,
        *,
        col: int = 1,
        expected: str = "",
        name: str = "",
        known: Iterable[str] = (),
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note one fault at `line` and `col`, counted from 1; `name` is looked up among `known`."""
        place = Place(self.path, line, col)
        self.faults.append(Fault(place, rule, what, expected, nearest(name, known), severity))

    def sorted(self) -> tuple[Fault, ...]:
        """All faults in reading order."""
        return tuple(sorted(self.faults, key=lambda fault: (fault.place.line, fault.place.col)))


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that `name` most resembles, or an empty string."""
    if not name:
        return ""
    lowered = {word.lower(): word for word in known}
    close = difflib.get_close_matches(name.lower()[:80], lowered, n=1)
    return lowered[close[0]] if close else ""
