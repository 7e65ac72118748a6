"""Which units of an answer are worth encoding: few, near to the card, and from all of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.grading.lexical import Lexicon, Statement
    from studytool.grading.units import Unit

#: The most units of an answer that are judged, and the most words in them together: encoding
#: costs about a third of a millisecond of CPU time a word.
MOST_UNITS = 16
MOST_WORDS = 260
#: Of a very long answer only so many units are looked at, spread over it evenly.
_LOOKED_AT = 600


def choose(
    units: Sequence[Unit], statements: Sequence[Sequence[Statement]], lexicon: Lexicon
) -> list[Unit]:
    """The units to judge, in reading order.

    `statements` has the wordings of each thing that may be said. First come, for each, the two
    units with the most of its words, then whole sentences (paraphrases share few words), then
    clauses, as long as there is room.
    """
    if len(units) > _LOOKED_AT:
        step = len(units) / _LOOKED_AT
        units = [units[int(at * step)] for at in range(_LOOKED_AT)]
    wanted: list[int] = []
    for wordings in statements:
        stems = {stem for one in wordings for stem in one.stems}
        near = sorted(range(len(units)), key=lambda at: -_nearness(units[at], stems, lexicon))
        wanted += [at for at in near[:2] if units[at].stems & stems]
    for kind in ("sentence", "clause", "pair"):
        wanted += [at for at, unit in enumerate(units) if unit.kind == kind]
    chosen: list[int] = []
    words = 0
    for at in dict.fromkeys(wanted):
        length = len(units[at].tokens)
        if len(chosen) < MOST_UNITS and (words + length <= MOST_WORDS or not chosen):
            chosen.append(at)
            words += length
    return [units[at] for at in sorted(chosen)]


def _nearness(unit: Unit, stems: set[str], lexicon: Lexicon) -> float:
    """Shared weight, a little less for each word that is beside the point."""
    shared = unit.stems & stems
    return lexicon.total(shared) - 0.15 * len(unit.stems - stems)
