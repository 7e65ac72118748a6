"""One card as plain text, for `deck show` and for reading without a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.deck import refs
from studytool.deck.cloze import revealed
from studytool.deck.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studytool.deck.model import Card, Located, Wrong


def plain_card(located: Located) -> str:
    """The whole card, part by part; not yet cleaned for a terminal."""
    card = located.card
    head = f"{card.chapter} · {card.topic} · {card.level.value} · {card.kind.value} · {card.id}"
    parts = [head, _shown(card, card.question)]
    sections = (
        ("", _shown(card, card.prompt)),
        ("Options", "\n".join(_options(card))),
        ("Answer", _shown(card, card.answer)),
        ("Result", _result(card)),
        ("Key points", "\n".join(_key_points(card))),
        ("Misconceptions", "\n".join(_wrong(wrong) for wrong in card.misconceptions)),
        ("Deeper", card.deeper),
        ("Follow-ups", "\n".join(card.follow_ups)),
        ("Demo", "\n".join(_demo(card))),
        ("Sources", "\n".join(_sources(card))),
    )
    parts += [f"{name}\n{text}" if name else text for name, text in sections if text]
    return "\n\n".join([*parts, f"{located.place.path}:{located.place.line}"])


def _shown(card: Card, text: str) -> str:
    return revealed(text) if card.kind is Kind.CLOZE else text


def _options(card: Card) -> Iterator[str]:
    for option in card.options:
        why = f" — {option.why}" if option.why else ""
        yield f"  {'[x]' if option.correct else '[ ]'} {option.text}{why}"


def _result(card: Card) -> str:
    if card.result is None:
        return ""
    return f"{card.result.value:g} ± {card.result.tolerance:g} {card.result.unit}".rstrip()


def _key_points(card: Card) -> Iterator[str]:
    for point in card.key_points:
        yield f"  weight {point.weight}: {refs.without_notes(point.text)}"
        yield from (f"    also: {text}" for text in point.also)
        if point.probe is not None:
            yield f"    probe: {point.probe}"
        yield from (f"    wrong:{_wrong(wrong)[1:]}" for wrong in point.wrong)


def _wrong(wrong: Wrong) -> str:
    return f"  {wrong.text} — {wrong.why}" if wrong.why else f"  {wrong.text}"


def _demo(card: Card) -> Iterator[str]:
    if card.demo is not None:
        yield " ".join([card.demo, *(f"{key}={value}" for key, value in card.params.items())])
    if card.no_demo is not None:
        yield f"none: {card.no_demo}"
    if card.see_it:
        yield card.see_it


def _sources(card: Card) -> Iterator[str]:
    yield from (f"  {name}: {text}" for name, text in card.sources.items())
    if card.checked is not None:
        yield f"  checked {card.checked.isoformat()}"
    if card.contested:
        yield "  contested: good sources disagree"
