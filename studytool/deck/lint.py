"""What a deck must hold to, beyond its grammar. Each rule has a short name that stays.

Errors mean that a card is wrong or can't be used as it says; warnings are about style and
never block anything. The rules are functions from a card (or the whole deck) to faults:

    over the deck   duplicate-id, id-shape, retired-id, unknown-card, needs-cycle
    demos           demo-or-reason, unknown-demo, demo-params, unknown-claim, claim-syntax
    facts           uncited-number, unknown-source, source-name, derived-without-deeper, unchecked,
                    unused-source
    rubric          no-key-points, weight, no-wrong, no-why, own-misconception, answer-length
    kinds           few-options, no-correct-option, stray-options, no-result, stray-result,
                    no-deletion, deletion-gap, empty-deletion, deletion-syntax, stray-deletion
    text            control-character
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from studytool.deck import lint_card, lint_facts
from studytool.deck.faults import FaultList
from studytool.deck.lint_deck import check_deck
from studytool.deck.lint_facts import DemoFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studytool.deck.model import Deck, Fault

__all__ = ["DemoFacts", "count_by", "lint"]


def lint(deck: Deck, demos: Mapping[str, DemoFacts] | None) -> tuple[Fault, ...]:
    """The faults of a deck in reading order; those of the parser (`deck.faults`) are not among them.

    Without `demos` nothing is said about whether a demo, its parameters or its claims exist.
    """
    found: list[Fault] = list(check_deck(deck))
    for located in deck.cards:
        faults = FaultList(located.place.path)
        where = lint_card.Where(located, faults)
        lint_card.check_card(where)
        lint_facts.check_facts(where)
        if demos is not None:
            lint_facts.check_demo(where, demos)
        found += faults.faults
    order = {path: i for i, path in enumerate(dict.fromkeys(c.place.path for c in deck.cards))}
    found.sort(key=lambda f: (order.get(f.place.path, -1), f.place.line, f.place.col, f.rule))
    return tuple(found)


def count_by(deck: Deck) -> dict[str, dict[str, int]]:
    """How many cards there are by level, kind, chapter, area and demo ("" for none)."""
    cards = [located.card for located in deck.cards]
    return {
        "by_level": dict(Counter(card.level.value for card in cards)),
        "by_kind": dict(Counter(card.kind.value for card in cards)),
        "by_chapter": dict(Counter(card.chapter for card in cards)),
        "by_demo": dict(Counter(card.demo or "" for card in cards)),
        "by_area": dict(Counter(card.area for card in cards)),
    }
