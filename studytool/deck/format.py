"""The canonical form of a file's text, or why it can't be given without loss."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studytool.deck.blocks import split_lines
from studytool.deck.faults import FaultList
from studytool.deck.parse import Document, parse_document
from studytool.deck.render import canonical_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studytool.deck.model import Fault

_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'")


@dataclass(frozen=True, slots=True)
class Formatted:
    """`text` is the canonical form, or None when `faults` keep the file as it is."""

    text: str | None
    faults: tuple[Fault, ...] = ()


def format_text(text: str, path: str, *, drop_comments: bool = False) -> Formatted:
    """Rewrite a whole file canonically.

    A file with faults stays as it is, and so does one with comments in its TOML, which the
    canonical form has no place for, unless `drop_comments` is set.
    """
    document = parse_document(text, path)
    if document.faults or document.head is None:
        return Formatted(None, document.faults)
    faults = FaultList(path)
    if not drop_comments:
        for line in _comments(text, document):
            faults.add(
                line,
                "toml-comment",
                "a comment in TOML would be lost",
                expected="a note in Deeper instead, or --drop-comments",
            )
    canonical = canonical_file(document.head, [located.card for located in document.cards])
    again = parse_document(canonical, path)
    same = [one.card for one in again.cards] == [one.card for one in document.cards]
    if again.head != document.head or again.faults or not same:
        faults.add(
            1,
            "format",
            "the canonical form would not read the same",
            expected="a report to the makers",
        )
    return Formatted(None if faults.faults else canonical, faults.sorted())


def _comments(text: str, document: Document) -> Iterator[int]:
    """The lines, from 1, of comments in the head and in the fences of the cards."""
    lines = split_lines(text)
    starts = [1, *(located.lines["toml"] for located in document.cards)]
    for start in starts:
        for i in range(start, len(lines)):
            line = lines[i].strip(" \t")
            if line == "+++" or line.startswith(("```", "~~~")):
                break
            if "#" in line and "#" in _STRING.sub("", line):
                yield i + 1
