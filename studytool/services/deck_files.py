"""What writes card files: the formatter and the scaffold of `deck new`. Every write is atomic."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studytool.deck.fields import SCHEMA
from studytool.deck.format import format_text
from studytool.deck.lint_deck import KEBAB
from studytool.deck.load import list_files, load_folders, read_text
from studytool.deck.model import (
    Card,
    CardId,
    DemoId,
    FileHead,
    KeyPoint,
    Kind,
    Level,
    Option,
    Place,
    Result,
    Wrong,
)
from studytool.deck.parse import parse_document
from studytool.deck.render import UnwritableCard, canonical_file, render_card
from studytool.errors import ContentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.deck.model import Fault
    from studytool.paths import Paths

#: The subfolder of the user's decks folder that takes new cards.
OWN_DECK = "mine"


@dataclass(frozen=True, slots=True)
class FormatReport:
    """`changed` files were rewritten, or would be; those with `faults` stay as they are."""

    changed: tuple[Path, ...]
    unchanged: int
    faults: tuple[Fault, ...]


def format_files(
    paths: Sequence[Path], *, write: bool, drop_comments: bool = False
) -> FormatReport:
    """Bring the card files under `paths` into canonical form. Raises UsageError and ContentError."""
    changed: list[Path] = []
    faults: list[Fault] = []
    files = list(dict.fromkeys(file for path in paths for file in list_files(path)))
    for file in files:
        text, fault = read_text(file)
        if text is None:
            faults += [] if fault is None else [fault]
            continue
        formatted = format_text(text, str(file), drop_comments=drop_comments)
        faults += formatted.faults
        if formatted.text is not None and formatted.text != text:
            changed.append(file)
            if write:
                write_atomically(file, formatted.text)
    broken = {fault.place.path for fault in faults}
    return FormatReport(tuple(changed), len(files) - len(changed) - len(broken), tuple(faults))


def write_atomically(path: Path, text: str) -> None:
    """Replace a file in one step, so that a crash leaves the old or the new text, never a part.

    A symbolic link is followed and the mode is kept. Raises ContentError when it can't be done.
    """
    target = path.resolve()
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(
            prefix=f".{target.name}.", suffix=".tmp", dir=target.parent
        )
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o644)
        Path(temporary).replace(target)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise ContentError(
            f"{path} can't be written: {error.strerror or error}",
            hint="Make the file and its folder writable, or work on a copy with --deck DIR.",
        ) from error


@dataclass(frozen=True, slots=True)
class NewCard:
    """What `deck new` was asked for; the topic may be left open."""

    card_id: str
    chapter: str
    question: str
    topic: str = ""
    area: str = ""
    level: Level = Level.MEDIUM
    kind: Kind = Kind.EXPLAIN
    demo: str | None = None


def scaffold(new: NewCard, folders: Sequence[Path], target: Path) -> Place:
    """Write the skeleton of a card into a file of the folder `target`, and say where it stands.

    The file is the one of that chapter and topic, or of the chapter when no topic is named;
    it's made when there is none. `folders` are searched for ids that are taken or retired.
    Raises UsageError when the card can't be added, ContentError when the file can't be written.
    """
    _check_id(new.card_id, [*folders, *([target] if target.is_dir() else [])])
    card = skeleton(new)
    try:
        text = render_card(card)
    except UnwritableCard as error:
        raise UsageError(str(error), hint="Give the question as one line of text.") from error
    path, head = _file_for(new, target)
    before = canonical_file(head, []) if not path.exists() else (read_text(path)[0] or "")
    whole = f"{before.rstrip()}\n\n{text}"
    document = parse_document(whole, str(path))
    if document.faults:
        raise UsageError(
            f"{path} has faults, the first in line {document.faults[0].place.line}",
            hint="Mend it first: `studytool deck check` says what is wrong.",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ContentError(f"{path.parent} can't be made: {error.strerror or error}") from error
    write_atomically(path, whole)
    return document.cards[-1].place


def own_deck(paths: Paths) -> Path:
    """The folder of the user's decks that takes new cards when no other is named."""
    return paths.decks / OWN_DECK


def skeleton(new: NewCard) -> Card:
    """A card that parses and lints without an error, with words to be replaced in every part."""
    cloze, compute, choice = (new.kind is kind for kind in (Kind.CLOZE, Kind.COMPUTE, Kind.CHOICE))
    point = KeyPoint(
        1,
        "What a full answer must say",
        ("The same in other words",),
        "What would you ask if it were left out?",
        (Wrong("A mistake in the voice of a candidate", "what is wrong with it"),),
    )
    options = (Option("The right one", True), Option("A tempting one", False, "why it isn't right"))
    return Card(
        id=CardId(new.card_id),
        question=new.question,
        chapter=new.chapter,
        area=new.area or new.chapter,
        topic=new.topic or new.chapter,
        level=new.level,
        kind=new.kind,
        demo=None if new.demo is None else DemoId(new.demo),
        no_demo="no demo shows this yet" if new.demo is None else None,
        prompt="A sentence with a {{c1::hidden}} part." if cloze else "",
        result=Result(1.0, 0.0) if compute else None,
        options=options if choice else (),
        answer="What you would say aloud in a minute, each number with its source.",
        key_points=() if choice or cloze else (point,),
        misconceptions=(Wrong("Something often believed about it", "why it isn't so"),),
        deeper="The derivation, the numbers, the edge cases.",
        see_it="What to change in the demo, and what to predict first." if new.demo else "",
    )


def _check_id(card_id: str, folders: Sequence[Path]) -> None:
    if not KEBAB.match(card_id):
        raise UsageError(
            f"{card_id!r} can't be an id",
            hint="Use small letters, digits and single hyphens, such as clip-temperature.",
        )
    deck = load_folders(list(folders))
    taken = next((located for located in deck.cards if located.card.id == card_id), None)
    if taken is not None:
        raise UsageError(f"the id {card_id!r} is taken by {taken.place}", hint="Choose another id.")
    if card_id in deck.retired:
        raise UsageError(
            f"the id {card_id!r} is retired", hint="Ids are never used again; choose another."
        )


def _file_for(new: NewCard, target: Path) -> tuple[Path, FileHead]:
    """The file that takes the card, and its head."""
    for path in list_files(target) if target.is_dir() else ():
        text, _ = read_text(path)
        head = parse_document(text or "", str(path)).head
        if head is not None and head.chapter == new.chapter and new.topic in ("", head.topic):
            return path, head
    topic = new.topic or new.chapter
    path = target / _slug(new.chapter) / f"{_slug(topic)}.md"
    if path.exists():
        raise UsageError(
            f"{path} holds another topic", hint="Name another --topic, or mend the file."
        )
    return path, FileHead(SCHEMA, new.chapter, new.area or new.chapter, topic)


def _slug(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug:
        raise UsageError(
            f"{name!r} gives no file name", hint="Use letters or digits in chapter and topic."
        )
    return slug
