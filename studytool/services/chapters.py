"""What chapters are called and in which order they are listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The chapters of the built-in deck, in the order of the story they tell.
TITLES = {
    "lexical": "Counting words",
    "static": "Word vectors",
    "contextual": "BERT and kin",
    "foundation": "BERT to GPT-4",
    "multimodal": "CLIP and integration",
    "world": "World models",
    "frontier": "Future directions",
}
_ORDER = {chapter: place for place, chapter in enumerate(TITLES)}


def title(chapter: str) -> str:
    """The name to show; for a chapter of another deck its id with a capital letter."""
    return TITLES.get(chapter) or chapter.replace("-", " ").capitalize()


def rank(chapter: str) -> tuple[int, str]:
    """A sort key: the built-in chapters first, in their order, then the others by name."""
    return _ORDER.get(chapter, len(_ORDER)), chapter


def in_story_order(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Groups of chapters in the order to study them: each built-in one, then all others as one.

    The others stay together because nothing is known of their order but what their cards need.
    """
    known = sorted((name for name in names if name in TITLES), key=rank)
    others = tuple(name for name in names if name not in TITLES)
    return [*((name,) for name in known), *([others] if others else [])]
