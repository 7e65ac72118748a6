"""The coverage tables of the decks in hand: checked, and counted by heading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.deck.coverage import FILE, Coverage, lint_coverage, parse_coverage
from studytool.deck.load import read_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from studytool.deck.model import Fault


def check(folders: Sequence[Path], cards: Collection[str]) -> list[Fault]:
    """The faults of the tables in `folders`; `cards` are the ids that a table may name."""
    faults: list[Fault] = []
    for path, table, text, wrong in _tables(folders):
        faults += wrong
        if table is not None:
            faults += lint_coverage(table, text, str(path), cards)
    return faults


def counts(folders: Sequence[Path]) -> dict[str, int]:
    """How many cards each heading of the sound tables names."""
    return {
        heading.name: len(heading.cards)
        for _, table, _, _ in _tables(folders)
        if table is not None
        for heading in table.headings
    }


def _tables(
    folders: Sequence[Path],
) -> Iterator[tuple[Path, Coverage | None, str, tuple[Fault, ...]]]:
    for folder in folders:
        path = folder / FILE
        if not path.is_file():
            continue
        text, fault = read_text(path)
        if text is None:
            yield path, None, "", () if fault is None else (fault,)
        else:
            table, faults = parse_coverage(text, str(path))
            yield path, table, text, faults
