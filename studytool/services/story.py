"""The stories of the decks in hand: read, checked, as plain text, and with what their links are called.

A story stands in `story.toml` in the folder of a deck; in the user's decks folder each deck may
have its own.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Literal, NamedTuple

from studytool.deck.load import read_text
from studytool.deck.story import FILE, Step, Story, lint_story, parse_story
from studytool.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from studytool.deck.model import Fault
    from studytool.demo.spec import DemoInfo
    from studytool.services.context import App

#: What the three texts of a step answer, by their names in the file.
PARTS = (("broke", "what broke"), ("fixed", "what fixed it"), ("trained", "how trained"))
_LABEL = 15


class Link(NamedTuple):
    """A card or a demo that belongs to a step; `words` is its question or its title."""

    kind: Literal["card", "demo"]
    id: str
    words: str


class Page(NamedTuple):
    """A step with its links, as far as deck and installation know them."""

    step: Step
    links: tuple[Link, ...]


class Told(NamedTuple):
    """A story ready to be shown; `asked` are the cards of this deck that want it told."""

    title: str
    lesson: str
    words: int
    asked: tuple[str, ...]
    pages: tuple[Page, ...]


def files(folders: Sequence[Path]) -> list[Path]:
    """The story files of some decks: in each folder and in the folders right below it."""
    found = []
    for folder in folders:
        below = sorted(folder.glob(f"*/{FILE}"))
        found += [path for path in (folder / FILE, *below) if path.is_file()]
    return found


def read(folders: Sequence[Path]) -> tuple[list[Story], list[Fault]]:
    """The sound stories of some decks, and why others can't be read."""
    stories: list[Story] = []
    faults: list[Fault] = []
    for path in files(folders):
        story, _, wrong = _read(path)
        faults += wrong
        stories += [] if story is None else [story]
    return stories, faults


def check(
    paths: Sequence[Path], cards: Collection[str], demos: Collection[str] | None
) -> list[Fault]:
    """The faults of story files; `cards` and `demos` are the ids that links may name."""
    faults: list[Fault] = []
    for path in paths:
        story, text, wrong = _read(path)
        faults += wrong
        if story is not None:
            faults += lint_story(story, text, str(path), cards, demos)
    return faults


def _read(path: Path) -> tuple[Story | None, str, tuple[Fault, ...]]:
    text, fault = read_text(path)
    if text is None:
        return None, "", () if fault is None else (fault,)
    story, faults = parse_story(text, str(path))
    return story, text, faults


def told(app: App, demos: Mapping[str, DemoInfo]) -> list[Told]:
    """The stories of the app's deck, on the store's thread. Links to what isn't there are left out.

    Raises UsageError when there is a file and none can be read.
    """
    from studytool.services.decks import deck_folders

    stories, faults = read(deck_folders(app))
    if faults and not stories:
        raise UsageError(str(faults[0]), hint="`studytool deck check` lists all that is wrong.")
    return [_tell(app, story, demos) for story in stories]


def _tell(app: App, story: Story, demos: Mapping[str, DemoInfo]) -> Told:
    pages = []
    for step in story.steps:
        cards = [Link("card", name, _question(app, name)) for name in step.cards]
        runs = [Link("demo", name, demos[name].title) for name in step.demos if name in demos]
        pages.append(Page(step, (*(link for link in cards if link.words), *runs)))
    asked = tuple(name for name in story.asked if _question(app, name))
    return Told(story.title, story.lesson, story.words, asked, tuple(pages))


def _question(app: App, card_id: str) -> str:
    """The question of a card of the app's deck, or an empty text."""
    stored = app.store.card(app.deck_name, card_id)
    return "" if stored is None or stored.retired else stored.card.question


def plain(story: Story, width: int) -> Iterator[str]:
    """The story as lines of text, none wider than `width` unless a word is."""
    yield f"{story.title} ({story.words} words)"
    for number, step in enumerate(story.steps, start=1):
        yield ""
        yield f"{number}. {step.name} ({step.year})"
        for key, label in PARTS:
            yield from _labelled(label, getattr(step, key), width)
        yield from _labelled("source", "; ".join(step.sources), width)
        for label, names in (("cards", step.cards), ("demos", step.demos)):
            if names:
                yield from _labelled(label, ", ".join(names), width)
    if story.lesson:
        yield ""
        yield from textwrap.wrap(story.lesson, width)


def _labelled(label: str, text: str, width: int) -> list[str]:
    lead, rest = f"   {label:<{_LABEL}}", " " * (3 + _LABEL)
    return textwrap.wrap(
        text, max(40, width), initial_indent=lead, subsequent_indent=rest, break_on_hyphens=False
    )
