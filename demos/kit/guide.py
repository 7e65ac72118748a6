"""What word vectors answer after a run: a word's neighbours, and sums of words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from demos.kit.similarity import Space, parse_sum
from studytool.demo.events import Cell, Event, Note, Table

_COUNT = 10


@dataclass(frozen=True)
class Guide:
    """Answers a word with its neighbours, and a sum of words with and without its inputs."""

    space: Space

    def explore(self, request: str) -> Iterator[Event]:
        """`king`, or `king - man + woman`."""
        terms = parse_sum(request)
        unknown = [word for _, word in terms if word not in self.space]
        if not terms or unknown:
            yield Note(self._help(unknown))
            return
        words = [word for _, word in terms]
        target = self.space.combine(terms)
        title = request.strip()
        excluded = self.space.nearest(target, _COUNT, words)
        if len(terms) == 1:
            yield _table("explore", f"Nearest to {title}", excluded)
            return
        yield _table("explore-excluded", f"{title}, inputs excluded", excluded)
        raw = self.space.nearest(target, _COUNT)
        yield _table("explore-raw", f"{title}, nothing excluded", raw)

    def _help(self, unknown: list[str]) -> str:
        if not unknown:
            return "type a word, or a sum of words such as king - man + woman"
        said = []
        for word in unknown:
            near = difflib.get_close_matches(word, self.space.words, 3)
            said.append(f"{word} (did you mean {', '.join(near)}?)" if near else word)
        return f"not in the vocabulary: {'; '.join(said)}"


def neighbour_table(words: str, before: Space, now: Space) -> Table:
    """Neighbours of the comma-separated `words`, untrained and at this moment.

    Words that the text lacks are left out; if it has none of them, two frequent ones stand in.
    """
    asked = [word.strip().lower() for word in words.split(",")]
    known = [word for word in asked if word in now] or list(now.words[40:42])
    rows: list[list[Cell]] = [
        [word, *(", ".join(w for w, _ in space.neighbours(word, 6)) for space in (now, before))]
        for word in known
    ]
    return Table("neighbours", "Nearest words", ["word", "now", "before training"], rows)


def _table(id: str, title: str, found: list[tuple[str, float]]) -> Table:
    rows: list[list[Cell]] = [[word, round(cosine, 3)] for word, cosine in found]
    return Table(id, title, ["word", "cosine"], rows)
