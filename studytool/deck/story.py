"""A story: a field's history as steps, each with what broke, what fixed it, how it was trained.

Kept in a file `story.toml` of a deck:

    title = "From TF-IDF to GPT-4"
    asked = ["gpt-story"]              # cards that ask for it in an interview
    lesson = "What to take from it."

    [[step]]
    name = "word2vec"
    year = 2013
    broke = "…"
    fixed = "…"
    trained = "…"
    sources = ["arXiv:1310.4546 §2.2"]
    cards = ["sgns-gradients"]
    demos = ["skipgram"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec

from studytool.deck.faults import FaultList
from studytool.deck.tables import line_of, read_tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from studytool.deck.model import Fault

FILE = "story.toml"
#: What one reads aloud in two minutes and a half.
MOST_WORDS = 500

Said: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One method: what broke before it, what it changed, how it was trained, where that stands."""

    name: Said
    year: Annotated[int, msgspec.Meta(ge=1900, le=2100)]
    broke: Said
    fixed: Said
    trained: Said
    sources: Annotated[tuple[Said, ...], msgspec.Meta(min_length=1)]
    cards: tuple[str, ...] = ()
    demos: tuple[str, ...] = ()


class Story(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The steps in order; `asked` are cards that want the story told, `lesson` is its last line."""

    title: Said
    steps: Annotated[tuple[Step, ...], msgspec.Meta(min_length=1)] = msgspec.field(name="step")
    asked: tuple[str, ...] = ()
    lesson: str = ""

    @property
    def words(self) -> int:
        """How many words there are to read; sources and links are looked up, not read."""
        texts = [self.title, self.lesson]
        for step in self.steps:
            texts += [step.name, step.broke, step.fixed, step.trained]
        return sum(len(text.split()) for text in texts)


def parse_story(text: str, path: str) -> tuple[Story | None, tuple[Fault, ...]]:
    """The story in the text of a file, or None and what is wrong with it."""
    return read_tables(text, path, Story, Step, "step", "story")


def lint_story(
    story: Story, text: str, path: str, cards: Collection[str], demos: Collection[str] | None
) -> tuple[Fault, ...]:
    """What is wrong with a story that can be read. Without `demos` nothing is said about them."""
    faults = FaultList(path)
    for step, key, name in _links(story):
        known = demos if key == "demos" else cards
        if known is not None and name not in known:
            kind = "demo" if key == "demos" else "card"
            faults.add(
                line_of(text, "step", step, key),
                f"unknown-{kind}",
                f"{key} {name!r} is no {kind} {'of this deck' if kind == 'card' else 'that is known'}",
                expected=f"the id of a {kind}",
                name=name,
                known=known,
            )
    if story.words > MOST_WORDS:
        faults.add(
            line_of(text, "step", -1, "title"),
            "story-length",
            f"the story has {story.words} words",
            expected=f"at most {MOST_WORDS}, which take two minutes to read",
        )
    return faults.sorted()


def _links(story: Story) -> Iterator[tuple[int, str, str]]:
    """Each reference as (step from 0, or -1; key; id)."""
    for name in story.asked:
        yield -1, "asked", name
    for number, step in enumerate(story.steps):
        for name in step.cards:
            yield number, "cards", name
        for name in step.demos:
            yield number, "demos", name
