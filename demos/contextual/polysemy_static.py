"""What a static vector shows of a word's senses: its neighbours, and where the other sense is.

The neighbours are mostly of one sense. In skip-gram's vectors the other one can be brought to
light by taking off the main directions of these neighbours (the demo `evaluation` does it, with
controls). Whether that works in MiniLM's input vectors is tried here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from demos.kit.geometry import neighbour_ranks, neighbourhood
from demos.kit.minilm import MiniLM
from demos.kit.similarity import Space

#: For words of uses.txt: probe words of two senses, written down before any was tried.
PROBES: dict[str, tuple[str, str]] = {
    "bank": ("money loan finance credit accounts", "river shore stream edge slope"),
    "bat": ("animal wings cave insects mammal", "baseball ball cricket hit club"),
    "crane": ("bird wings marsh nest heron", "machine tower construction lift steel"),
    "spring": ("summer autumn winter april season", "coil metal tension steel bounce"),
    "plant": ("flower leaves roots garden species", "factory industrial production power workers"),
    "seal": ("animal fish whale beach sea", "stamp wax envelope lid leak"),
    "bark": ("tree trunk wood leaves oak", "dog growl howl puppy shout"),
    "mouse": ("rat cat rodent animal cheese", "computer keyboard screen click cursor"),
}
_NEAREST, _DIRECTIONS, _CONTROLS, _SHORTEST = 10, 3, 5, 3


class Shown(NamedTuple):
    """The neighbours of a word and the median ranks of the probes of its two senses.

    `after` is the hidden sense's rank without the directions of the word's neighbours, `control`
    the median over other words' neighbours.
    """

    word: str
    neighbours: str
    near: int
    hidden: int
    probes: str
    after: int
    control: int

    @property
    def surfaces(self) -> bool:
        """Whether the hidden sense's rank is halved, and not by anybody's directions."""
        return 2 * self.after <= self.hidden < 2 * self.control


def input_space(model: MiniLM) -> Space:
    """The input vectors of all whole English words among the pieces, by piece number."""
    known = sorted(
        (number, piece)
        for piece, number in model.pieces().items()
        if piece.isascii() and piece.isalpha() and len(piece) >= _SHORTEST
    )
    return Space(
        [piece for _, piece in known], model.input_vectors([number for number, _ in known])
    )


def shown_senses(space: Space, words: Sequence[str], rng: np.random.Generator) -> list[Shown]:
    """One row for each of the words that has probes."""
    return [_one(space, word, rng) for word in words if word in PROBES and word in space]


def _one(space: Space, word: str, rng: np.random.Generator) -> Shown:
    probes = [[each for each in sense.split() if each in space] for sense in PROBES[word]]
    places = [[space.index[each] for each in sense] for sense in probes]
    before = neighbour_ranks(space, word)
    ranks = [int(np.median(before[place])) for place in places]
    hidden = int(ranks[1] > ranks[0])
    others = rng.integers(0, len(space.words), _CONTROLS).tolist()
    tried = []
    for place in (space.index[word], *others):
        directions = neighbourhood(space, place, _NEAREST, _DIRECTIONS)
        tried.append(int(np.median(neighbour_ranks(space, word, directions)[places[hidden]])))
    return Shown(
        word,
        ", ".join(name for name, _ in space.neighbours(word, 6)),
        ranks[1 - hidden],
        ranks[hidden],
        ", ".join(probes[hidden][:3]),
        tried[0],
        int(np.median(tried[1:])),
    )
