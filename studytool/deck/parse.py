"""From the text of one file to its cards, strictly, with all faults of the file at once.

    +++                                     the head: schema, chapter, area, topic
    +++
    ## The question {#card-id}
    ```toml                                 level, kind, demo or no_demo, params, needs, tags,
    ```                                     contested, sources, checked, result
    ### Prompt                              a longer statement under the question; optional
    ### Options                             of a choice card
    ### Answer                              the only section that every card must have
    ### Key points
    ### Misconceptions
    ### Deeper
    ### Follow-ups
    ### See it

Prompt, Answer, Deeper and See it are Markdown and are kept verbatim but for blank lines before
them and white space after them. A card with a fault is left out; its neighbours stay.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studytool.deck import items
from studytool.deck.blocks import Heading, outline, split_lines
from studytool.deck.faults import FaultList
from studytool.deck.fields import read_card_table, read_head
from studytool.deck.model import Card, CardId, Fault, FileHead, Located, Place
from studytool.deck.render import canonical_card

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: The sections a card may have, in canonical order, and the field that holds each.
SECTIONS: Mapping[str, str] = {
    "Prompt": "prompt",
    "Options": "options",
    "Answer": "answer",
    "Key points": "key_points",
    "Misconceptions": "misconceptions",
    "Deeper": "deeper",
    "Follow-ups": "follow_ups",
    "See it": "see_it",
}

_LISTS: Mapping[str, Callable[[Sequence[items.Item], FaultList], Any]] = {
    "Options": items.read_options,
    "Key points": items.read_key_points,
    "Misconceptions": items.read_misconceptions,
    "Follow-ups": items.read_follow_ups,
}

_ID = re.compile(r"\{#([^{}\s]+)\}$")
_NO_HEAD = FileHead(1, "", "", "")


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it was read; `head` is None when it is missing or wrong, and then there are no cards."""

    head: FileHead | None
    cards: tuple[Located, ...]
    faults: tuple[Fault, ...]


def parse_file(text: str, path: str) -> tuple[tuple[Located, ...], tuple[Fault, ...]]:
    """The cards of a file in their order, and everything that is wrong with it.

    Never raises. `path` is what places and messages call the file.
    """
    document = parse_document(text, path)
    return document.cards, document.faults


def parse_document(text: str, path: str) -> Document:
    """Like parse_file, with the head of the file."""
    faults = FaultList(path)
    if (trouble := _unreadable(text)) is not None:
        faults.add(*trouble)
        return Document(None, (), faults.sorted())
    lines = split_lines(text.removeprefix("\ufeff"))
    head, start = _read_file_head(lines, faults)
    found = outline(lines, start)
    for line in found.unclosed:
        faults.add(
            line + 1,
            "unclosed-block",
            f"{items.quote(lines[line])} is never closed",
            expected="a closing line before the next heading",
        )
    first = found.headings[0].line if found.headings else len(lines)
    if not found.headings and not found.unclosed and head is not None:
        faults.add(
            start + 1, "no-cards", "the file has no card", expected="## A question {#card-id}"
        )
    _no_stray(lines, start, first, "before the first card", faults)
    reader = _Reader(lines, found.heads, frozenset(found.unclosed), head or _NO_HEAD, faults)
    cards = reader.read(found.headings)
    return Document(head, cards if head is not None else (), faults.sorted())


def content_hash(card: Card) -> str:
    """16 bytes of blake2b over the card's canonical text, in hexadecimal."""
    return hashlib.blake2b(canonical_card(card).encode(), digest_size=16).hexdigest()


def _unreadable(text: str) -> tuple[int, str, str] | None:
    if not text.strip():
        return 1, "empty-file", "the file is empty"
    at = text.find("\0")
    if at >= 0:
        return (
            text.count("\n", 0, at) + 1,
            "not-text",
            "the file holds a NUL character; it isn't text",
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        return line, "not-text", "the file holds a lone surrogate; it isn't text"
    return None


def _read_file_head(lines: Sequence[str], faults: FaultList) -> tuple[FileHead | None, int]:
    """The `+++` block and the index of the line after it."""
    if lines[0].rstrip(" \t") != "+++":
        faults.add(
            1, "no-head", "the file has no head", expected="+++, schema, chapter, area, topic, +++"
        )
        return None, 0
    for end in range(1, len(lines)):
        if lines[end].rstrip(" \t") == "+++":
            return read_head(lines[1:end], 2, faults), end + 1
    faults.add(1, "no-head", "the head is never closed", expected="a second line +++")
    return None, 1


def _no_stray(lines: Sequence[str], start: int, end: int, where: str, faults: FaultList) -> bool:
    """Report the first line of text between `start` and `end`; True when there is none."""
    for i in range(start, end):
        if lines[i].strip(" \t"):
            faults.add(
                i + 1,
                "stray-text",
                f"text {where}: {items.quote(lines[i])}",
                expected="nothing here but blank lines",
            )
            return False
    return True


@dataclass(slots=True)
class _Reader:
    """Reads the cards of one file; `heads` are the toml fences by the line of their heading."""

    lines: Sequence[str]
    heads: Mapping[int, tuple[int, int]]
    unclosed: frozenset[int]
    head: FileHead
    faults: FaultList

    def read(self, headings: Sequence[Heading]) -> tuple[Located, ...]:
        cards: list[Located] = []
        starts = [i for i, heading in enumerate(headings) if heading.level == 2]
        for heading in headings[: starts[0] if starts else len(headings)]:
            self.faults.add(
                heading.line + 1,
                "stray-section",
                f"the section {items.quote(heading.text)} belongs to no card",
                expected="## A question {#card-id} above it",
            )
        for k, i in enumerate(starts):
            after = starts[k + 1] if k + 1 < len(starts) else len(headings)
            end = headings[after].line if after < len(headings) else len(self.lines)
            before = len(self.faults.faults)
            located = self._card(headings[i], headings[i + 1 : after], end)
            if located is not None and len(self.faults.faults) == before:
                cards.append(located)
        return tuple(cards)

    def _card(self, heading: Heading, sections: Sequence[Heading], end: int) -> Located | None:
        """One card; whatever is wrong with it is added to the faults."""
        where: dict[str, int] = {}
        question = self._question(heading)
        first_section = sections[0].line if sections else end
        values = self._table(heading, first_section, where)
        for k, section in enumerate(sections):
            after = sections[k + 1].line if k + 1 < len(sections) else end
            self._section(section, after, values, where)
        if self._damaged(heading.line, end):
            return None
        if not values.get("answer"):
            self.faults.add(
                heading.line + 1,
                "no-answer",
                "the card has no answer",
                expected="a section ### Answer with text",
            )
        if question is None or not {"level", "kind", "answer"} <= values.keys():
            return None
        card = Card(
            id=question[1],
            question=question[0],
            chapter=self.head.chapter,
            area=self.head.area,
            topic=self.head.topic,
            **values,
        )
        place = Place(self.faults.path, heading.line + 1)
        return Located(card, place, content_hash(card), where)

    def _question(self, heading: Heading) -> tuple[str, CardId] | None:
        at = heading.text.rfind("{#")
        match = _ID.match(heading.text, at) if at >= 0 else None
        question = heading.text[:at].rstrip(" \t")
        if match is not None and question:
            return question, CardId(match[1])
        what = (
            f"no id in the heading {items.quote(heading.text)}"
            if match is None
            else "no question before the id"
        )
        self.faults.add(heading.line + 1, "no-id", what, expected="## A question {#card-id}")
        return None

    def _table(self, heading: Heading, end: int, where: dict[str, int]) -> dict[str, Any]:
        fence = self.heads.get(heading.line)
        if fence is None:
            if not self._damaged(heading.line, end):
                self.faults.add(
                    heading.line + 1,
                    "no-table",
                    "no toml block under the heading",
                    expected="```toml with at least level and kind",
                )
                self._stray(heading.line + 1, end)
            return {}
        opened, closed = fence
        self._stray(heading.line + 1, opened)
        self._stray(closed + 1, end)
        values, lines = read_card_table(self.lines[opened + 1 : closed], opened + 2, self.faults)
        where["toml"] = opened + 1
        where.update({f"toml.{key}": line for key, line in lines.items()})
        return values or {}

    def _damaged(self, start: int, end: int) -> bool:
        """Whether a block between these lines is never closed; that is reported already."""
        return any(start <= line < end for line in self.unclosed)

    def _stray(self, start: int, end: int) -> None:
        _no_stray(self.lines, start, end, "outside the sections of the card", self.faults)

    def _section(
        self, heading: Heading, end: int, values: dict[str, Any], where: dict[str, int]
    ) -> None:
        name = heading.text
        if name not in SECTIONS:
            self.faults.add(
                heading.line + 1,
                "unknown-section",
                f"unknown section {items.quote(name)}",
                expected=f"one of {', '.join(SECTIONS)}",
                name=name,
                known=SECTIONS,
            )
            return
        if name in where:
            self.faults.add(
                heading.line + 1,
                "second-section",
                f"a second section {name!r}",
                expected=f"one section {name!r}; the first is in line {where[name]}",
            )
            return
        where[name] = heading.line + 1
        start = heading.line + 1
        if name not in _LISTS:
            while start < end and not self.lines[start].strip(" \t"):
                start += 1
            where[f"{name}.text"] = start + 1
            values[SECTIONS[name]] = "\n".join(self.lines[start:end]).rstrip(" \t\n")
            return
        found = items.read_items(self.lines[start:end], start + 1, name, self.faults)
        values[SECTIONS[name]] = _LISTS[name](found, self.faults)
        for i, item in enumerate(found):
            where[f"{name}.{i}"] = item.line
            counts: dict[str, int] = {}
            for child in item.children:
                label = child.text.partition(":")[0]
                counts[label] = counts.get(label, -1) + 1
                where[f"{name}.{i}.{label}.{counts[label]}"] = child.line
