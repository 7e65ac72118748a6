"""Rules over all cards together: ids, references from card to card, prerequisites."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from studytool.deck.faults import FaultList

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from studytool.deck.model import CardId, Deck, Fault, Located

KEBAB = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*$")


def check_deck(deck: Deck) -> Iterator[Fault]:
    """Faults of ids and of references between cards."""
    first: dict[CardId, Located] = {}
    for located in deck.cards:
        faults = FaultList(located.place.path)
        _check_id(located, first, deck.retired, faults)
        first.setdefault(located.card.id, located)
        yield from faults.faults
    for located in deck.cards:
        faults = FaultList(located.place.path)
        _check_references(located, first, faults)
        yield from faults.faults
    yield from _check_cycles(first)


def _check_id(
    located: Located, first: Mapping[CardId, Located], retired: frozenset[CardId], faults: FaultList
) -> None:
    name, line = located.card.id, located.place.line
    if name in first:
        faults.add(
            line,
            "duplicate-id",
            f"the id {name!r} is taken by {first[name].place}",
            expected="an id of its own",
        )
    if not KEBAB.match(name):
        faults.add(
            line,
            "id-shape",
            f"the id {name!r} isn't kebab-case",
            expected="small letters, digits and single hyphens, such as clip-temperature",
        )
    if name in retired:
        faults.add(
            line,
            "retired-id",
            f"the id {name!r} is retired",
            expected="a new id; ids are never used again",
        )


def _check_references(located: Located, known: Mapping[CardId, Located], faults: FaultList) -> None:
    card, lines = located.card, located.lines
    needs_line = lines.get("toml.needs", located.place.line)
    pairs = [("needs", name, needs_line) for name in card.needs]
    pairs += [
        ("follow-up", name, lines.get(f"Follow-ups.{i}", located.place.line))
        for i, name in enumerate(card.follow_ups)
    ]
    for label, name, line in pairs:
        if name == card.id:
            faults.add(
                line,
                "unknown-card",
                f"{label} {name!r} is the card itself",
                expected="another card",
            )
        elif name not in known:
            faults.add(
                line,
                "unknown-card",
                f"{label} {name!r} is no card of this deck",
                expected="the id of a card",
                name=name,
                known=known,
            )


def _check_cycles(cards: Mapping[CardId, Located]) -> Iterator[Fault]:
    """One fault for each cycle of prerequisites, at the card where it is first met."""
    for cycle in cycles({name: located.card.needs for name, located in cards.items()}):
        start = cards[cycle[0]]
        faults = FaultList(start.place.path)
        way = " → ".join([*cycle, cycle[0]])
        faults.add(
            start.lines.get("toml.needs", start.place.line),
            "needs-cycle",
            f"prerequisites run in a circle: {way}",
            expected="one of them without the next",
        )
        yield from faults.faults


def cycles(needs: Mapping[CardId, Sequence[CardId]]) -> Iterator[tuple[CardId, ...]]:
    """Circles of two or more in the graph of prerequisites, found depth first without recursion."""
    done: set[CardId] = set()
    for root in needs:
        if root in done:
            continue
        path: list[CardId] = [root]
        on_path = {root}
        ways = [iter(needs[root])]
        while ways:
            following = next((n for n in ways[-1] if n in needs and n not in done), None)
            if following is None:
                ways.pop()
                done.add(path[-1])
                on_path.discard(path.pop())
            elif following not in on_path:
                path.append(following)
                on_path.add(following)
                ways.append(iter(needs[following]))
            elif following != path[-1]:
                yield tuple(path[path.index(following) :])
