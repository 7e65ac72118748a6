"""Rules over facts: numbers and their sources, claims, and the demo behind a card."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from studytool.deck import refs
from studytool.deck.citations import uncited
from studytool.deck.refs import DERIVED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from studytool.deck.lint_card import Where
    from studytool.deck.model import Card, Scalar

_SOURCE_NAME = re.compile(r"[A-Za-z0-9][\w.-]*$")


class DemoFacts(Protocol):
    """What the linter may know of a demo: its claims, where they are known, and its parameters."""

    @property
    def claims(self) -> frozenset[str] | None:
        """The ids of the demo's claims; None when the demo doesn't say."""
        ...

    def check_params(self, params: Mapping[str, Scalar]) -> str | None:
        """Why the demo refuses these parameters, or None when it takes them."""
        ...


def check_facts(where: Where) -> None:
    """Numbers are cited, citations lead somewhere, sources are used and were checked."""
    _check_numbers(where)
    _check_notes(where)
    _check_sources(where)


def _check_numbers(where: Where) -> None:
    card = where.card
    given = f"{card.question}\n\n{card.prompt}"
    texts = [("Answer.text", card.answer)]
    texts += [(f"Key points.{i}", point.text) for i, point in enumerate(card.key_points)]
    for key, text in texts:
        for number in uncited(text, given):
            where.within(
                key,
                text,
                number.start,
                "uncited-number",
                f"the number {number.text} has no citation",
                expected="[^source], {claim:demo/id} or [^derived] in its sentence",
            )


def _check_notes(where: Where) -> None:
    card = where.card
    underived = not card.deeper
    for key, text in refs.prose(card):
        for note in refs.notes(text):
            if note.name == DERIVED:
                if underived:
                    where.within(
                        key,
                        text,
                        note.start,
                        "derived-without-deeper",
                        "[^derived] without a derivation",
                        expected="the derivation in ### Deeper",
                    )
            elif note.name not in card.sources:
                where.within(
                    key,
                    text,
                    note.start,
                    "unknown-source",
                    f"[^{note.name}] is no source of this card",
                    expected="a name in sources",
                    name=note.name,
                    known=card.sources,
                )
        for broken, at in refs.broken_claims(text):
            where.within(
                key,
                text,
                at,
                "claim-syntax",
                f"{broken[:40]!r} can't be read",
                expected="{claim:demo-id/claim-id}",
            )


def _check_sources(where: Where) -> None:
    card = where.card
    used = {note.name for _, text in refs.prose(card) for note in refs.notes(text)}
    for name in card.sources:
        if name == DERIVED or not _SOURCE_NAME.match(name):
            where.error(
                "toml.sources",
                "source-name",
                f"a source can't be called {name!r}",
                expected="letters, digits, '-', '_' or '.', and not 'derived'",
            )
        elif name not in used:
            where.warn(
                "toml.sources",
                "unused-source",
                f"the source {name!r} is never cited",
                expected=f"[^{name}]",
            )
    if card.sources and card.checked is None:
        where.warn(
            "toml.sources",
            "unchecked",
            "nobody says when the sources were checked",
            expected="checked = date",
        )


def check_demo(where: Where, demos: Mapping[str, DemoFacts]) -> None:
    """The demo exists and takes the card's parameters; claims exist; no demo has its reason."""
    card = where.card
    if (card.demo is None) == (card.no_demo is None):
        what = "neither demo nor no_demo" if card.demo is None else "both demo and no_demo"
        where.error(
            "toml.no_demo",
            "demo-or-reason",
            what,
            expected='demo = "id", or no_demo = "why there is none"',
        )
    if card.demo is None:
        if card.params:
            where.error(
                "toml.params",
                "demo-params",
                "parameters without a demo",
                expected="a demo that takes them",
            )
    elif card.demo not in demos:
        where.error(
            "toml.demo",
            "unknown-demo",
            f"there is no demo {card.demo!r}",
            expected="the id of a demo",
            name=card.demo,
            known=demos,
        )
    elif (trouble := demos[card.demo].check_params(card.params)) is not None:
        key = "toml.params" if card.params else "toml.demo"
        where.error(key, "demo-params", f"{card.demo} refuses the parameters: {trouble}")
    for key, text, ref in _claims(card):
        facts = demos.get(ref.demo)
        if facts is None:
            where.within(
                key,
                text,
                ref.start,
                "unknown-claim",
                f"there is no demo {ref.demo!r}",
                expected="{claim:demo-id/claim-id}",
                name=ref.demo,
                known=demos,
            )
        elif facts.claims is not None and ref.claim not in facts.claims:
            where.within(
                key,
                text,
                ref.start,
                "unknown-claim",
                f"{ref.demo} has no claim {ref.claim!r}",
                expected="a claim of the demo",
                name=ref.claim,
                known=facts.claims,
            )


def _claims(card: Card) -> Iterator[tuple[str, str, refs.ClaimRef]]:
    for key, text in refs.prose(card):
        yield from ((key, text, ref) for ref in refs.claims(text))
