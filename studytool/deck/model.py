"""What a card is. Every value is frozen and says nothing about when it is due.

The written form is in parse.py; `parse(render(card)) == card` for every card. The structs hold
no cycles, so Python's garbage collector needn't look at them (`gc=False`).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import NewType, TypeAlias

import msgspec

CardId = NewType("CardId", str)
DemoId = NewType("DemoId", str)

#: A demo parameter as a card may set it.
Scalar: TypeAlias = bool | int | float | str


class Level(StrEnum):
    EASY = "easy"
    MEDIUM = "medium"
    HARD = "hard"
    STAFF = "staff"


class Kind(StrEnum):
    EXPLAIN = "explain"
    COMPARE = "compare"
    DERIVE = "derive"
    COMPUTE = "compute"
    DEBUG = "debug"
    DESIGN = "design"
    CHOICE = "choice"
    CLOZE = "cloze"


class Wrong(msgspec.Struct, frozen=True, gc=False):
    """A mistake as a candidate would voice it, and why it is one."""

    text: str
    why: str


class KeyPoint(msgspec.Struct, frozen=True, gc=False):
    """One thing a full answer says; `weight` is at least 1."""

    weight: int
    text: str
    also: tuple[str, ...] = ()
    probe: str | None = None
    wrong: tuple[Wrong, ...] = ()


class Option(msgspec.Struct, frozen=True, gc=False):
    """One option of a `choice` card; a wrong one says why."""

    text: str
    correct: bool
    why: str = ""


class Result(msgspec.Struct, frozen=True, gc=False):
    """The number a `compute` card asks for. `tolerance` is absolute, in `unit`."""

    value: float
    tolerance: float
    unit: str = ""


class Card(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One question with everything that belongs to it.

    `question` is the heading; `prompt` is an optional longer statement under it (code,
    data, the text of a cloze card). `demo` and `no_demo` exclude each other.
    """

    id: CardId
    question: str
    chapter: str
    area: str
    topic: str
    level: Level
    kind: Kind
    answer: str
    prompt: str = ""
    demo: DemoId | None = None
    no_demo: str | None = None
    params: dict[str, Scalar] = {}
    needs: tuple[CardId, ...] = ()
    tags: tuple[str, ...] = ()
    contested: bool = False
    sources: dict[str, str] = {}
    checked: date | None = None
    result: Result | None = None
    key_points: tuple[KeyPoint, ...] = ()
    misconceptions: tuple[Wrong, ...] = ()
    deeper: str = ""
    follow_ups: tuple[CardId, ...] = ()
    see_it: str = ""
    options: tuple[Option, ...] = ()


class FileHead(msgspec.Struct, frozen=True):
    """The `+++` block at the top of a card file; it holds for every card in it."""

    schema: int
    chapter: str
    area: str
    topic: str


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where something stands: a file and a line, counted from 1."""

    path: str
    line: int
    col: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.col}"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Fault(msgspec.Struct, frozen=True, gc=False):
    """Something wrong in a card file: what, what was expected, and the nearest known name."""

    place: Place
    rule: str
    what: str
    expected: str = ""
    nearest: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        text = f"{self.place}: {self.severity}: {self.what}"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.nearest:
            text += f"; did you mean {self.nearest!r}?"
        return f"{text} [{self.rule}]"


class Located(msgspec.Struct, frozen=True, gc=False):
    """A card, where it was read, and the hash of its content (changes when its text does).

    `lines` gives the line of its parts, for messages: "toml", "toml.level", "Answer" (the
    heading), "Answer.text" (its first line), "Key points.0", "Key points.0.wrong.1".
    """

    card: Card
    place: Place
    content_hash: str
    lines: dict[str, int] = {}


class Deck(msgspec.Struct, frozen=True):
    """All cards of one or more folders, in reading order, with what was wrong with the rest."""

    cards: tuple[Located, ...]
    faults: tuple[Fault, ...] = ()
    retired: frozenset[CardId] = frozenset()
