"""The order in which a deck introduces its cards: as it is written, prerequisites first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def study_order(cards: Mapping[str, Sequence[str]]) -> list[str]:
    """The keys of `cards` in their own order, but each after the cards it needs.

    `cards` maps a card to the ids it needs; ids that aren't keys are ignored, and a circle
    of needs is entered at its first card.
    """
    order: list[str] = []
    begun: set[str] = set()
    for card in cards:
        # Each entry of the path is a card and the needs of it that are still to be looked at.
        path = [] if card in begun else [(card, iter(cards[card]))]
        begun.add(card)
        while path:
            here, needs = path[-1]
            missing = next((need for need in needs if need in cards and need not in begun), None)
            if missing is None:
                order.append(here)
                path.pop()
            else:
                begun.add(missing)
                path.append((missing, iter(cards[missing])))
    return order
