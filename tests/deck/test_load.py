"""Folders of card files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studytool.deck import load
from studytool.errors import UsageError
from tests.deck.strategies import body_of, file_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three card files, a file of retired ids, and files that are none of these."""
    root = tmp_path / "deck"
    (root / "b").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "b" / "two.md").write_text(file_of(body_of("two")), encoding="utf-8")
    (root / "a.md").write_text(file_of(body_of("one")), encoding="utf-8")
    (root / "c.md").write_text(file_of(body_of("three"), body_of("four")), encoding="utf-8")
    (root / "RETIRED").write_text("# gone\nold-one  # why\n\nold-two\n", encoding="utf-8")
    for name in ("README.md", ".hidden.md", "notes.txt", ".git/x.md"):
        (root / name).write_text("not a card", encoding="utf-8")
    return root


def test_cards_come_in_order_of_the_paths(folder: Path) -> None:
    deck = load.load_folder(folder)

    assert [path.name for path in load.list_files(folder)] == ["a.md", "two.md", "c.md"]
    assert [located.card.id for located in deck.cards] == ["one", "two", "three", "four"]
    assert deck.cards[0].place.path == str(folder / "a.md")
    assert deck.faults == ()
    assert deck.retired == {"old-one", "old-two"}


def test_one_file_is_a_deck(folder: Path) -> None:
    assert [located.card.id for located in load.load_folder(folder / "c.md").cards] == [
        "three",
        "four",
    ]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        load.load_folder(tmp_path / "nowhere")


def test_files_that_can_not_be_read_give_one_fault_each(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "latin.md").write_bytes(b"+++\nfine\ncaf\xe9\n")
    (folder / "binary.md").write_bytes(b"PK\x00\x01")
    (folder / "empty.md").write_bytes(b"")
    (folder / "large.md").write_bytes(b"x" * 4_000)
    (folder / "link.md").symlink_to(folder / "gone.md")
    monkeypatch.setattr(load, "MAX_BYTES", 3_999)
    deck = load.load_folder(folder)

    assert len(deck.cards) == 4
    assert [(Path(f.place.path).name, f.place.line, f.place.col, f.rule) for f in deck.faults] == [
        ("binary.md", 1, 1, "not-text"),
        ("empty.md", 1, 1, "empty-file"),
        ("large.md", 1, 1, "huge-file"),
        ("latin.md", 3, 4, "encoding"),
        ("link.md", 1, 1, "unreadable-file"),
    ]


def test_links_in_a_circle_and_names_in_other_encodings_do_no_harm(folder: Path) -> None:
    (folder / "b" / "again").symlink_to(folder)
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.md")).write_text(
        "not a card", encoding="utf-8"
    )

    assert len(load.load_folder(folder).cards) == 4


def test_the_hash_is_that_of_the_bytes(folder: Path) -> None:
    path = folder / "a.md"
    before = load.file_hash(path)
    assert load.file_hash(path) == before

    path.write_bytes(path.read_bytes() + b"\n")
    assert load.file_hash(path) != before
