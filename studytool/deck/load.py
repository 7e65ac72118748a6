"""Folders of card files: which files count, what they hold, which ids are retired.

Card files are the `*.md` of a folder and its subfolders, but for hidden ones, README.md, and
those whose name isn't UTF-8.
A file named RETIRED lists ids that are never to be used again, one a line, `#` for comments.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from studytool.deck.model import CardId, Deck, Fault, Located, Place
from studytool.errors import UsageError

#: A larger file isn't read; ten thousand cards take about half of this.
MAX_BYTES = 64 * 2**20

RETIRED = "RETIRED"


def list_files(folder: Path) -> tuple[Path, ...]:
    """The card files of a folder, or the file itself, sorted by path. Raises UsageError."""
    return tuple(path for path in _walk(folder) if path.name != RETIRED)


def load_folder(folder: Path) -> Deck:
    """All cards of one folder (or one file). Raises UsageError when there is no such folder."""
    return load_folders([folder])


def load_folders(folders: list[Path]) -> Deck:
    """All cards of some folders as one deck, in the order of the folders and paths."""
    from studytool.deck.parse import parse_file  # finding files and hashing them goes without it

    cards: list[Located] = []
    faults: list[Fault] = []
    retired: set[CardId] = set()
    for folder in folders:
        for path in _walk(folder):
            text, fault = read_text(path)
            if text is None:
                faults += [] if fault is None else [fault]
            elif path.name == RETIRED:
                retired |= parse_retired(text)
            else:
                read, wrong = parse_file(text, str(path))
                cards += read
                faults += wrong
    return Deck(tuple(cards), tuple(faults), frozenset(retired))


def parse_retired(text: str) -> set[CardId]:
    """The ids in the text of a RETIRED file."""
    words = (line.partition("#")[0].strip() for line in text.splitlines())
    return {CardId(word) for word in words if word}


def read_text(path: Path, name: str = "") -> tuple[str | None, Fault | None]:
    """The text of a file, or None and the fault that says why it can't be read.

    `name` is what the fault calls the file, its path when empty.
    """
    place = Place(name or str(path), 1)
    try:
        if path.stat().st_size > MAX_BYTES:
            size = f"at most {MAX_BYTES // 2**20} MiB, one file per topic"
            return None, Fault(place, "huge-file", "the file is too large to be read", size)
        data = path.read_bytes()
    except OSError as error:
        what = f"the file can't be read: {error.strerror or error}"
        return None, Fault(place, "unreadable-file", what, "a file you may read")
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, col = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        what = f"byte 0x{data[error.start]:02x} isn't UTF-8"
        return None, Fault(Place(place.path, line, col), "encoding", what, "a file in UTF-8")


def file_hash(path: Path) -> str:
    """16 bytes of blake2b over the bytes of the file, in hexadecimal. Raises OSError."""
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def _walk(folder: Path) -> list[Path]:
    """Card files and RETIRED files, sorted; links to folders aren't followed, so no walk is endless."""
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {folder}", hint="Name a folder that holds card files (*.md)."
        )
    found: list[Path] = []
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(root, name) for name in files if _counts(name)]
    return sorted(found)


def _counts(name: str) -> bool:
    if name == RETIRED:
        return True
    if any("\ud800" <= char <= "\udfff" for char in name):  # bytes that aren't UTF-8
        return False
    return name.endswith(".md") and not name.startswith(".") and name.lower() != "readme.md"
