"""After the run: a typed text finds pictures, a picked picture finds texts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from demos.kit.emoji import CREDIT, EmojiSet, role_of
from demos.kit.images import BLUE, GREY, contact_sheet, picture_event
from demos.kit.retrieval import ranks
from demos.kit.towers import TwoTowers
from demos.kit.words import split_words
from studytool.demo.events import Cell, Event, Note, Table

_PICTURES, _ACROSS, _TEXTS = 12, 6, 12
_SEEN = {
    "train": "trained on",
    "comp": "combination held out",
    "unseen": "never seen",
    "unused": "never seen",
}
HELP = "Type a text, such as: a red fruit. For a picture type an emoji, :pizza or picture pizza."


class ClipExplorer:
    """Serves requests with the trained towers, over all pictures of the study."""

    def __init__(self, model: TwoTowers, emoji: EmojiSet, captions: Tensor) -> None:
        self._model = model
        self._emoji = emoji
        self._images = model.look(emoji.pixels)
        self._texts = model.read(captions)

    def full_places(self, queries: np.ndarray) -> np.ndarray:
        """The places, from 0, of the pictures of these names among all pictures."""
        return ranks(self._texts[queries] @ self._images.T, queries)

    def explore(self, request: str) -> Iterator[Event]:
        """A text gives its nearest pictures; an emoji, `:name` or `picture name` nearest texts."""
        asked = request.strip()
        picked = self._picked(asked)
        if picked is not None:
            yield from self._texts_of(picked)
        elif asked.startswith(":") or asked.lower().startswith("picture "):
            yield Note(f"There is no emoji of that name. {HELP}")
        elif not split_words(asked):
            yield Note(f"That has no words. {HELP}")
        else:
            yield from self._pictures_for(asked)

    def _picked(self, asked: str) -> int | None:
        if asked.startswith(":"):
            return self._emoji.find(asked.strip(":").replace("_", " "))
        if asked.lower().startswith("picture "):
            return self._emoji.find(asked[len("picture ") :])
        return None if split_words(asked) else self._emoji.find(asked)

    def _pictures_for(self, asked: str) -> Iterator[Event]:
        tower = self._model.text
        unknown = tower.unknown(asked)
        if unknown:
            words = ", ".join(unknown)
            alone = len(unknown) == len(split_words(asked))
            yield Note(
                f"This text tower never met {words}"
                + (
                    ": the order below says nothing about the text."
                    if alone
                    else " and ignores it."
                )
            )
        vector = self._model.read(tower.prepare([asked]))[0]
        cosines = self._images @ vector
        best = np.argsort(-cosines, kind="stable")[:_PICTURES]
        title = f"Nearest of {len(self._emoji):,} pictures to “{asked}”"
        pictures = [self._emoji.pixels[i] for i in best]
        rows = [pictures[i : i + _ACROSS] for i in range(0, len(pictures), _ACROSS)]
        sheet = contact_sheet(rows, [[GREY] * len(row) for row in rows])
        yield picture_event(
            "explore", title, sheet, caption="In rows, nearest first.", credit=CREDIT
        )
        yield self._table(title, best, cosines)

    def _texts_of(self, index: int) -> Iterator[Event]:
        cosines = self._texts @ self._images[index]
        best = np.argsort(-cosines, kind="stable")[:_TEXTS]
        name = self._emoji.names[index]
        title = f"Nearest of {len(self._emoji):,} texts to the picture of “{name}”"
        sheet = contact_sheet([[self._emoji.pixels[index]]], [[BLUE]], scale=2)
        yield picture_event("explore", title, sheet, caption=name, credit=CREDIT)
        yield self._table(title, best, cosines)

    def _table(self, title: str, best: np.ndarray, cosines: np.ndarray) -> Table:
        rows: list[list[Cell]] = [
            [place, name, round(float(cosines[i]), 3), _SEEN[role_of(name)]]
            for place, i in enumerate(best, start=1)
            for name in (self._emoji.names[i],)
        ]
        return Table("explore", title, ["", "name", "cosine", "the towers have it"], rows)
