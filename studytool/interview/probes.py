"""Which question follows an answer, and which hint may be had before one.

A probe is about the heaviest point that was contradicted or missed. Its words are the author's
(`probe:` in the card); where there are none, or they were spent on a hint, it asks for reasons
or for more, and never names the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from studytool.grading.model import Verdict
from studytool.interview import prompts, scoring
from studytool.interview.model import Style

if TYPE_CHECKING:
    from studytool.deck.model import Card
    from studytool.interview.model import Setup, Turn

#: Probes of one question, by style; two where nothing is said.
MOST_PROBES = 2
_FEWER = {Style.RAPID_FIRE: 0}
MOST_HINTS = 2
_OPENING_WORDS = 4


class Probe(NamedTuple):
    """A question about the key point at place `point`."""

    point: int
    text: str


def next_probe(setup: Setup, turn: Turn) -> Probe | None:
    """The probe to ask now; None when enough were asked or nothing is left to ask about.

    Heaviest first; of equal weight a contradiction first, then in the order of the card. A point
    is probed once.
    """
    asked = {exchange.point for exchange in turn.exchanges[1:]}
    if len(asked) >= _FEWER.get(setup.style, MOST_PROBES):
        return None
    open_ = [
        (at, result.point)
        for at, result in enumerate(scoring.results(turn))
        if at not in asked and result.point.verdict in (Verdict.CONTRADICTED, Verdict.MISSED)
    ]
    if not open_:
        return None
    at, point = min(
        open_, key=lambda one: (-one[1].weight, one[1].verdict is Verdict.MISSED, one[0])
    )
    written = turn.card.key_points[at].probe if at < len(turn.card.key_points) else None
    if written and written not in turn.hints:
        return Probe(at, written)
    if point.verdict is Verdict.CONTRADICTED and point.evidence:
        return Probe(at, prompts.challenge(point.evidence))
    return Probe(at, prompts.more_about(turn.card, point.text))


def next_hint(turn: Turn) -> str | None:
    """The hint to give now; None when all were given.

    First the probe of the heaviest key point, then how that point begins.
    """
    if len(turn.hints) >= MOST_HINTS:
        return None
    card = turn.card
    if not card.key_points:
        given = (f"Think of {card.topic}.",)
        return next((hint for hint in given if hint not in turn.hints), None)
    heaviest = max(card.key_points, key=lambda point: point.weight)
    lead = heaviest.probe or prompts.more_about(card, heaviest.text)
    return lead if not turn.hints else f"One point begins: “{_beginning(heaviest.text)} …”"


def hints_left(turn: Turn) -> int:
    """How many hints may still be asked for."""
    most = MOST_HINTS if turn.card.key_points else 1
    return most - len(turn.hints)


def _beginning(text: str) -> str:
    return " ".join(prompts.spoken(text).split()[:_OPENING_WORDS])


def tickable(card: Card) -> bool:
    """Whether an answer to `card` can be given out loud: it has key points to tick."""
    return bool(card.key_points)
