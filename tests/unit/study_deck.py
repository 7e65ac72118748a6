"""Small decks on disk and an App over the real store, for the tests of studying."""

from __future__ import annotations

from pathlib import Path

from studytool.clock import FixedClock
from studytool.deck.model import Card, CardId, FileHead, KeyPoint, Kind, Level, Wrong
from studytool.deck.render import render_file
from studytool.paths import Paths
from studytool.services import decks
from studytool.services.context import App, open_app

CHAPTERS = ("lexical", "static", "multimodal")


def card(name: str, chapter: str = "lexical", **changes: object) -> Card:
    """A whole card; `changes` replace its fields."""
    fields: dict[str, object] = {
        "id": CardId(name),
        "question": f"What is {name}?",
        "chapter": chapter,
        "area": "A",
        "topic": "Test",
        "level": Level.EASY,
        "kind": Kind.EXPLAIN,
        "answer": f"It is {name}.",
        "no_demo": "a test",
        "key_points": (KeyPoint(1, f"Names {name}", wrong=(Wrong("It is not", "it is"),)),),
    }
    return Card(**{**fields, **changes})  # type: ignore[arg-type]


def cloze(name: str, deletions: int = 3, chapter: str = "lexical") -> Card:
    """A cloze card with so many siblings."""
    text = ", ".join(f"{{{{c{n}::part {n}}}}}" for n in range(1, deletions + 1))
    return card(name, chapter, kind=Kind.CLOZE, prompt=f"{name} has {text}.", answer="Parts.")


def write(folder: Path, *cards: Card) -> Path:
    """Write cards, one file a chapter, and nothing else into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    for chapter in dict.fromkeys(one.chapter for one in cards):
        head = FileHead(1, chapter, "A", "Test")
        text = render_file(head, [one for one in cards if one.chapter == chapter])
        (folder / f"{chapter}.md").write_text(text, encoding="utf-8")
    return folder


def study(folder: Path, clock: FixedClock, paths: Paths) -> App:
    """An App over the deck in `folder`, synchronised."""
    app = open_app(folder, clock, paths)
    decks.sync(app)
    return app
