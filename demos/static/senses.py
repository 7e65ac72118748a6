"""Where a static vector keeps the other sense of a word.

An ambiguous word has one vector, and its neighbours are mostly of one sense. The other sense is
hidden, not mixed in: without the main directions of those neighbours, words of the other sense
move up. Two controls: random words that started at like ranks, and directions that belong to the
neighbours of some other word. A sense surfaces when its rank is at least halved and hardly any
matched words gain as much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demos.kit.geometry import neighbour_ranks, neighbourhood
from demos.kit.similarity import Space

#: Ambiguous words with probe words for two senses each, written down before any was tried.
SENSES: dict[str, tuple[str, str]] = {
    "apollo": ("spacecraft moon lunar astronauts mission", "god zeus artemis oracle temple"),
    "base": ("acid hydroxide ph ions aqueous", "military army navy air forces"),
    "court": (
        "law judge justice supreme constitution",
        "tennis match wimbledon tournament players",
    ),
    "state": ("government federal congress capital governor", "solid liquid gas temperature phase"),
    "order": (
        "species genus family animals classification",
        "military commanded troops officer army",
    ),
    "power": (
        "energy electricity nuclear plants engine",
        "political president elections rule government",
    ),
    "solution": (
        "water acid dissolved aqueous concentration",
        "problem political conflict equation method",
    ),
    "class": ("social workers wealthy education society", "species amphibians animals group genus"),
    "capital": ("city population region largest town", "investment economy trade companies market"),
    "current": (
        "electric voltage electrons magnetic wire",
        "present modern recent today government",
    ),
    "cells": ("blood tissue protein membrane organisms", "solar battery energy electricity power"),
    "party": (
        "elections political communist parliament leader",
        "dance music wedding guests dinner",
    ),
    "mass": ("atomic weight electron density atoms", "catholic church prayer priest liturgy"),
    "body": ("organs blood skin muscles brain", "government committee council assembly members"),
    "degree": (
        "university college studied graduated science",
        "temperature angle celsius latitude north",
    ),
    "character": ("novel film story hero author", "letter alphabet script ascii symbols"),
    "table": ("elements periodic metals atomic chemical", "food dinner wood house kitchen"),
    "plant": (
        "leaves species seeds flowers trees",
        "factory industrial production nuclear electricity",
    ),
    "match": ("tennis won tournament final opponent", "fire smoke burning wood light"),
    "bond": ("chemical carbon hydrogen atoms molecule", "money market interest government price"),
}
_NEAREST, _DIRECTIONS, _SETS, _CONTROLS = 10, 3, 400, 5
_HALVED, _RARE = 2.0, 0.05
_FEWEST_PROBES = 3
_LIKE = 1.25  # matched words start within this factor of a probe's rank

I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Hidden:
    """One word: its sense that is nearer, and what became of the other one.

    `before` and `after` are median ranks of the hidden sense's probes, `chance` the share of
    matched sets of random words that gain at least as much, `random` how often the sense surfaces
    when directions of other words' neighbours are taken away.
    """

    word: str
    shown: str
    hidden: str
    before: int
    after: int
    chance: float
    surfaces: bool
    random: float


def hidden_senses(space: Space, rng: np.random.Generator) -> list[Hidden]:
    """All words of SENSES that the space knows, with enough probes for both senses."""
    found = []
    for word, senses in SENSES.items():
        probes = [[each for each in sense.split() if each in space] for sense in senses]
        if word in space and min(map(len, probes)) >= _FEWEST_PROBES:
            found.append(_one(space, word, probes, rng))
    return found


def _one(space: Space, word: str, probes: list[list[str]], rng: np.random.Generator) -> Hidden:
    before = neighbour_ranks(space, word)
    places = [np.array([space.index[each] for each in sense]) for sense in probes]
    hidden = int(np.median(before[places[1]]) > np.median(before[places[0]]))
    asked, here = places[hidden], space.index[word]
    others = rng.integers(0, len(space.words), _CONTROLS).tolist()
    tried = []
    for place in (here, *others):
        after = neighbour_ranks(space, word, neighbourhood(space, place, _NEAREST, _DIRECTIONS))
        rank, chance = int(np.median(after[asked])), chance_of_gain(before, after, asked, rng)
        surfaces = bool(rank * _HALVED <= np.median(before[asked])) and chance < _RARE
        tried.append((rank, chance, surfaces))
    return Hidden(
        word=word,
        shown=", ".join(name for name, _ in space.neighbours(word, 4)),
        hidden=", ".join(probes[hidden][:3]),
        before=int(np.median(before[asked])),
        after=tried[0][0],
        chance=tried[0][1],
        surfaces=tried[0][2],
        random=float(np.mean([surfaces for _, _, surfaces in tried[1:]])),
    )


def chance_of_gain(before: I64, after: I64, probes: I64, rng: np.random.Generator) -> float:
    """The share of sets of random words, matched in rank before, whose median gain is as large.

    A gain is the ratio of the ranks before and after.
    """
    with_ranks = np.maximum(before, 1) / np.maximum(after, 1)
    wanted = np.median(with_ranks[probes])
    order = np.argsort(before, kind="stable")
    sets = np.empty((_SETS, len(probes)))
    for column, probe in enumerate(probes):
        rank = max(1, int(before[probe]))
        low, high = int(rank / _LIKE), max(int(rank * _LIKE), int(rank / _LIKE) + 20)
        like = order[max(1, low) : high]
        sets[:, column] = with_ranks[rng.choice(like, _SETS)]
    return float((np.median(sets, axis=1) >= wanted).mean())
