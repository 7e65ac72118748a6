"""The list sections of a card: key points, misconceptions, options, follow-ups.

Every item is one line of text, wrapped over as many indented lines as the author likes; a
wrapped item is read with single spaces at the breaks. Items of the first level start in the
first column, those of the second are indented by two spaces or more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from studytool.deck.model import CardId, KeyPoint, Option, Wrong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.deck.faults import FaultList

_ITEM = re.compile(r"([ \t]*)[-*+](?:[ \t]+(.*))?$")
_WEIGHT = re.compile(r"\[([0-9]{1,3})\](?:[ \t]+(.*))?$")
_BOX = re.compile(r"\[([ xX])\](?:[ \t]+(.*))?$")
_LABEL = re.compile(r"([^\s:]{1,40}):(?:[ \t]+(.*))?$")
_LABELS = ("also", "probe", "wrong")
WHY = "(why:"


@dataclass(slots=True)
class Item:
    """One list item: its text on one line, where it stands (from 1), and the items below it."""

    line: int
    col: int
    text: str
    children: list[Item] = field(default_factory=list)


def read_items(lines: Sequence[str], first: int, section: str, faults: FaultList) -> list[Item]:
    """The items of a section; `first` is the number of its first line, from 1."""
    items: list[Item] = []
    open_item: Item | None = None
    stray = -1
    for number, line in enumerate(lines, first):
        if not line.strip(" \t"):
            open_item = None
        elif match := _ITEM.match(line):
            indent = len(match[1].expandtabs(4)) if match[1] else 0
            open_item = Item(number, len(match[1]) + 1, (match[2] or "").rstrip(" \t"))
            if indent < 2 or not items:
                items.append(open_item)
            else:
                items[-1].children.append(open_item)
        elif open_item is not None and line[0] in " \t":
            open_item.text = " ".join(part for part in (open_item.text, line.strip(" \t")) if part)
        else:
            if stray != number - 1:
                faults.add(
                    number,
                    "stray-text",
                    f"text outside the list of {section}: {quote(line)}",
                    expected="an item '- …', its further lines indented by two spaces",
                )
            stray = number
    for one in [*items, *(child for item in items for child in item.children)]:
        if not one.text:
            faults.add(
                one.line,
                "empty-item",
                f"an empty item under {section}",
                col=one.col,
                expected="text after the dash",
            )
    return items


def quote(text: str) -> str:
    """A piece of a line for a message."""
    text = text.strip()
    return repr(text if len(text) <= 48 else f"{text[:47]}…")


def read_key_points(items: Sequence[Item], faults: FaultList) -> tuple[KeyPoint, ...]:
    points: list[KeyPoint] = []
    for item in items:
        match = _WEIGHT.match(item.text)
        if match is None or not match[2]:
            if item.text:
                faults.add(
                    item.line,
                    "key-point",
                    f"a key point without weight or text: {quote(item.text)}",
                    col=item.col,
                    expected="- [2] what a full answer says",
                )
            continue
        points.append(_key_point(int(match[1]), match[2].strip(" \t"), item, faults))
    return tuple(points)


def _key_point(weight: int, text: str, item: Item, faults: FaultList) -> KeyPoint:
    also: list[str] = []
    probe: str | None = None
    wrong: list[Wrong] = []
    for child in item.children:
        match = _LABEL.match(child.text)
        label, rest = (match[1], (match[2] or "").strip(" \t")) if match else ("", "")
        if label not in _LABELS:
            if child.text:
                faults.add(
                    child.line,
                    "unknown-label",
                    f"{quote(label or child.text)} under a key point",
                    col=child.col,
                    expected="also: …, probe: … or wrong: … (why: …)",
                    name=label,
                    known=_LABELS,
                )
        elif not rest:
            faults.add(
                child.line,
                "empty-item",
                f"{label}: without text",
                col=child.col,
                expected=f"{label}: and its text",
            )
        elif label == "also":
            also.append(rest)
        elif label == "wrong":
            if (read := read_wrong(rest, child, faults)) is not None:
                wrong.append(read)
        elif probe is None:
            probe = rest
        else:
            faults.add(
                child.line,
                "second-probe",
                "a second probe under one key point",
                col=child.col,
                expected="at most one probe:",
            )
    return KeyPoint(weight, text, tuple(also), probe, tuple(wrong))


def split_why(text: str, item: Item, faults: FaultList) -> tuple[str, str] | None:
    """`text (why: reason)` in two; the reason is empty when there is none."""
    before, mark, after = text.partition(WHY)
    before, after = before.strip(" \t"), after.strip(" \t")
    if not mark and before:
        return before, ""
    if before and after.endswith(")"):
        return before, after[:-1].strip(" \t")
    faults.add(
        item.line,
        "why",
        f"can't read the why of {quote(text)}",
        col=item.col,
        expected="statement (why: reason)",
    )
    return None


def read_wrong(text: str, item: Item, faults: FaultList) -> Wrong | None:
    parts = split_why(text, item, faults)
    return None if parts is None else Wrong(*parts)


def read_misconceptions(items: Sequence[Item], faults: FaultList) -> tuple[Wrong, ...]:
    _no_children(items, "Misconceptions", faults)
    found = (read_wrong(item.text, item, faults) for item in items if item.text)
    return tuple(wrong for wrong in found if wrong is not None)


def read_options(items: Sequence[Item], faults: FaultList) -> tuple[Option, ...]:
    _no_children(items, "Options", faults)
    options: list[Option] = []
    for item in items:
        match = _BOX.match(item.text)
        if match is None or not match[2]:
            if item.text:
                faults.add(
                    item.line,
                    "option",
                    f"an option without a box or text: {quote(item.text)}",
                    col=item.col,
                    expected="- [x] right, or - [ ] wrong (why: …)",
                )
            continue
        parts = split_why(match[2], item, faults)
        if parts is not None:
            options.append(Option(parts[0], match[1] != " ", parts[1]))
    return tuple(options)


def read_follow_ups(items: Sequence[Item], faults: FaultList) -> tuple[CardId, ...]:
    _no_children(items, "Follow-ups", faults)
    ids: list[CardId] = []
    for item in items:
        if not item.text:
            continue
        if item.text == "".join(item.text.split()):
            ids.append(CardId(item.text))
        else:
            faults.add(
                item.line,
                "follow-up",
                f"a follow-up that isn't an id: {quote(item.text)}",
                col=item.col,
                expected="the id of a card",
            )
    return tuple(ids)


def _no_children(items: Sequence[Item], section: str, faults: FaultList) -> None:
    for item in items:
        for child in item.children:
            faults.add(
                child.line,
                "nested-item",
                f"a nested item under {section}",
                col=child.col,
                expected="items of one level",
            )
