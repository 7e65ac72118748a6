"""Coverage: for each heading of what a deck promises to teach, the cards that do.

Kept in a file `coverage.toml` of a deck:

    source = "the customer's brief"

    [[heading]]
    name = "Why is CLIP's contrastive setup so effective?"
    cards = ["clip-objective", "clip-batch-size"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec

from studytool.deck.faults import FaultList
from studytool.deck.tables import line_of, read_tables

if TYPE_CHECKING:
    from collections.abc import Collection

    from studytool.deck.model import Fault

FILE = "coverage.toml"

Said: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]


class Heading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One promise, and the cards that keep it: at least one."""

    name: Said
    cards: Annotated[tuple[Said, ...], msgspec.Meta(min_length=1)]


class Coverage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All promises in their order, and where they were made."""

    source: Said
    headings: Annotated[tuple[Heading, ...], msgspec.Meta(min_length=1)] = msgspec.field(
        name="heading"
    )


def parse_coverage(text: str, path: str) -> tuple[Coverage | None, tuple[Fault, ...]]:
    """The coverage in the text of a file, or None and what is wrong with it."""
    return read_tables(text, path, Coverage, Heading, "heading", "coverage")


def lint_coverage(
    coverage: Coverage, text: str, path: str, cards: Collection[str]
) -> tuple[Fault, ...]:
    """Each card named must be there, each heading and each card of it stand only once."""
    faults = FaultList(path)
    seen: set[str] = set()
    for number, heading in enumerate(coverage.headings):
        if heading.name in seen:
            faults.add(
                line_of(text, "heading", number, "name"),
                "coverage-twice",
                f"the heading {heading.name!r} stands here a second time",
                expected="each heading once, with all its cards",
            )
        seen.add(heading.name)
        line = line_of(text, "heading", number, "cards")
        for place, card in enumerate(heading.cards):
            if card in heading.cards[:place]:
                what = f"the card {card!r} stands twice under one heading"
                faults.add(line, "coverage-twice", what, expected="each card once")
            elif card not in cards:
                faults.add(
                    line,
                    "unknown-card",
                    f"card {card!r} is no card of this deck",
                    expected="the id of a card",
                    name=card,
                    known=cards,
                )
    return faults.sorted()
