"""Every rule of the linter: what breaks it, where it points, and what leaves it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from studytool.deck.lint import count_by, lint
from studytool.deck.model import (
    Card,
    CardId,
    Deck,
    KeyPoint,
    Kind,
    Level,
    Option,
    Result,
    Scalar,
    Severity,
    Wrong,
)
from tests.deck.strategies import ANSWER, card, deck_of

WRONG = (Wrong("It is otherwise", "it is so"),)
LONG = ANSWER.strip()


@dataclass(frozen=True)
class Facts:
    """A demo that takes `steps` and nothing else."""

    claims: frozenset[str] | None = None

    def check_params(self, params: Mapping[str, Scalar]) -> str | None:
        unknown = sorted(set(params) - {"steps"})
        return f"unknown parameter {unknown[0]}" if unknown else None


DEMOS = {"clip": Facts(frozenset({"r-at-1", "chance"})), "skipgram": Facts()}


def found(*cards: Card, retired: tuple[str, ...] = ()) -> list[tuple[str, Severity]]:
    return [(fault.rule, fault.severity) for fault in lint(deck_of(cards, retired), DEMOS)]


def point(text: str = "It is so", weight: int = 1, wrong: tuple[Wrong, ...] = WRONG) -> KeyPoint:
    return KeyPoint(weight, text, (), None, wrong)


def choice(*options: Option) -> Card:
    return card(kind=Kind.CHOICE, options=options, key_points=())


YES, NO = Option("yes", True), Option("no", False, "because")

SOUND: dict[str, Card] = {
    "plain": card(),
    "demo": card(demo="clip", no_demo=None, params={"steps": 3}),
    "cited": card(
        answer=f"{LONG} at 0.07 [^clip].",
        sources={"clip": "arXiv:2103.00020"},
        key_points=(point("At 0.07 [^clip]"),),
    ),
    "claim": card(answer=f"{LONG} gives 0.7 {{claim:clip/r-at-1}}."),
    "claim of a demo that doesn't list its claims": card(
        answer=f"{LONG} {{claim:skipgram/anything}}."
    ),
    "derived": card(answer=f"{LONG} is 5.5 [^derived].", deeper="ln 256"),
    "source cited in Deeper only": card(sources={"a": "book"}, deeper="As in [^a]."),
    "choice": choice(YES, NO),
    "compute": card(kind=Kind.COMPUTE, result=Result(1.0, 0.0)),
    "cloze": card(kind=Kind.CLOZE, prompt="It is {{c1::so}}, {{c2::not}} otherwise", key_points=()),
    "refutes its misconception": card(
        answer=f"{LONG}. The temperature is not a fixed constant.",
        misconceptions=(Wrong("The temperature is a fixed constant", "it is trained"),),
    ),
}

BROKEN: dict[str, tuple[Card, str, Severity]] = {
    "id": (card(id=CardId("Clip_A")), "id-shape", Severity.ERROR),
    "unknown follow-up": (card(follow_ups=(CardId("gone"),)), "unknown-card", Severity.ERROR),
    "unknown need": (card(needs=(CardId("gone"),)), "unknown-card", Severity.ERROR),
    "need of itself": (card(needs=(CardId("clip-a"),)), "unknown-card", Severity.ERROR),
    "follows itself": (card(follow_ups=(CardId("clip-a"),)), "unknown-card", Severity.ERROR),
    "unknown demo": (card(demo="clp", no_demo=None), "unknown-demo", Severity.ERROR),
    "no demo, no reason": (card(no_demo=None), "demo-or-reason", Severity.ERROR),
    "demo and reason": (card(demo="clip"), "demo-or-reason", Severity.ERROR),
    "params": (card(demo="clip", no_demo=None, params={"step": 3}), "demo-params", Severity.ERROR),
    "params without demo": (card(params={"steps": 3}), "demo-params", Severity.ERROR),
    "claim of no demo": (card(deeper="{claim:clp/r-at-1}"), "unknown-claim", Severity.ERROR),
    "no such claim": (card(see_it="{claim:clip/r-at-2}"), "unknown-claim", Severity.ERROR),
    "half a claim": (card(deeper="{claim:clip}"), "claim-syntax", Severity.ERROR),
    "number in the answer": (card(answer=f"{LONG} at 0.07."), "uncited-number", Severity.ERROR),
    "number in a key point": (
        card(key_points=(point("At 0.07"),)),
        "uncited-number",
        Severity.ERROR,
    ),
    "unknown source": (card(deeper="[^clp]"), "unknown-source", Severity.ERROR),
    "unknown source in a why": (
        card(misconceptions=(Wrong("It is otherwise", "see [^clp]"),)),
        "unknown-source",
        Severity.ERROR,
    ),
    "derived from nothing": (
        card(answer=f"{LONG} 5.5 [^derived]"),
        "derived-without-deeper",
        Severity.ERROR,
    ),
    "source called derived": (card(sources={"derived": "x"}), "source-name", Severity.ERROR),
    "source with a space": (card(sources={"a b": "x"}), "source-name", Severity.ERROR),
    "unused source": (card(sources={"clip": "x"}), "unused-source", Severity.WARNING),
    "unchecked": (
        card(sources={"clip": "x"}, deeper="[^clip]", checked=None),
        "unchecked",
        Severity.WARNING,
    ),
    "no key points": (card(key_points=()), "no-key-points", Severity.WARNING),
    "weight": (card(key_points=(point(weight=0),)), "weight", Severity.ERROR),
    "no wrong": (card(key_points=(point(wrong=()),)), "no-wrong", Severity.ERROR),
    "wrong without why": (
        card(key_points=(point(wrong=(Wrong("x", ""),)),)),
        "no-why",
        Severity.ERROR,
    ),
    "misconception without why": (card(misconceptions=(Wrong("x", ""),)), "no-why", Severity.ERROR),
    "own misconception": (
        card(
            answer=f"{LONG}. The temperature is a fixed constant.",
            misconceptions=(Wrong("The temperature is a fixed constant", "it is trained"),),
        ),
        "own-misconception",
        Severity.ERROR,
    ),
    "key point that says the wrong": (
        card(
            key_points=(
                point(
                    "Vectors are averaged first", wrong=(Wrong("Vectors are averaged first", "no"),)
                ),
            )
        ),
        "own-misconception",
        Severity.ERROR,
    ),
    "too short": (card(answer="Because."), "answer-length", Severity.WARNING),
    "too long": (card(answer=ANSWER * 5 + "end"), "answer-length", Severity.WARNING),
    "one option": (choice(YES), "few-options", Severity.ERROR),
    "no right option": (choice(NO, NO), "no-correct-option", Severity.ERROR),
    "option without why": (choice(YES, Option("no", False)), "no-why", Severity.ERROR),
    "options elsewhere": (card(options=(YES, NO)), "stray-options", Severity.ERROR),
    "no result": (card(kind=Kind.COMPUTE), "no-result", Severity.ERROR),
    "result elsewhere": (card(result=Result(1.0, 0.0)), "stray-result", Severity.ERROR),
    "nothing hidden": (card(kind=Kind.CLOZE, key_points=()), "no-deletion", Severity.ERROR),
    "numbers with a gap": (
        card(kind=Kind.CLOZE, prompt="{{c1::a}} {{c3::b}}"),
        "deletion-gap",
        Severity.ERROR,
    ),
    "numbers from two": (card(kind=Kind.CLOZE, prompt="{{c2::a}}"), "deletion-gap", Severity.ERROR),
    "empty deletion": (card(kind=Kind.CLOZE, prompt="{{c1:: }}"), "empty-deletion", Severity.ERROR),
    "half a deletion": (
        card(kind=Kind.CLOZE, prompt="{{c1::a}} {{c2:b}}"),
        "deletion-syntax",
        Severity.ERROR,
    ),
    "deletion elsewhere": (card(prompt="{{c1::a}}"), "stray-deletion", Severity.ERROR),
    "escape character": (card(deeper="red \x1b[31m"), "control-character", Severity.WARNING),
    "bidi control": (card(question="Why \u202e?"), "control-character", Severity.WARNING),
}


@pytest.mark.parametrize("one", SOUND.values(), ids=SOUND.keys())
def test_a_sound_card_has_no_fault(one: Card) -> None:
    assert found(one) == []


@pytest.mark.parametrize(("one", "rule", "severity"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_card_breaks_one_rule(one: Card, rule: str, severity: Severity) -> None:
    assert found(one) == [(rule, severity)]


def test_ids_are_unique_and_never_retired() -> None:
    assert found(card(), card()) == [("duplicate-id", Severity.ERROR)]
    assert found(card(), retired=("clip-a",)) == [("retired-id", Severity.ERROR)]
    assert found(card(), retired=("clip-b",)) == []


def test_references_between_cards_that_exist_are_fine() -> None:
    first = card(follow_ups=(CardId("clip-b"),))
    second = card(id=CardId("clip-b"), needs=(CardId("clip-a"),))

    assert found(first, second) == []


def test_a_circle_of_prerequisites_is_shown_once() -> None:
    def one(name: str, *needs: str) -> Card:
        return card(id=CardId(name), needs=tuple(map(CardId, needs)))

    cards = [one("a", "b"), one("b", "c", "d"), one("c", "a"), one("d"), one("e", "a")]
    (fault,) = lint(deck_of(cards), DEMOS)

    assert fault.rule == "needs-cycle"
    assert "a → b → c → a" in fault.what


def test_a_long_chain_of_prerequisites_is_no_circle() -> None:
    names = [f"c{i}" for i in range(3_000)]
    cards = [card(id=CardId(n), needs=(CardId(m),)) for n, m in pairwise(names)]

    assert found(*cards, card(id=CardId(names[-1]))) == []


@pytest.mark.parametrize(
    ("changes", "text", "col"),
    [
        ({"answer": f"{LONG}\n\nIt is 0.07 here."}, "It is 0.07 here.", 7),
        ({"key_points": (point(), point("At 0.07"))}, "- [1] At 0.07", 1),
        ({"demo": "clip", "no_demo": None, "params": {"x": 1}}, "params = { x = 1 }", 1),
        ({"misconceptions": (Wrong("x", ""),)}, "- x", 1),
    ],
)
def test_a_fault_points_at_its_line(changes: dict[str, Any], text: str, col: int) -> None:
    from studytool.deck.render import render_file
    from tests.deck.strategies import HEAD

    one = card(**changes)
    (fault,) = lint(deck_of([one]), DEMOS)

    assert render_file(HEAD, [one]).split("\n")[fault.place.line - 1] == text
    assert (fault.place.path, fault.place.col) == ("deck.md", col)


def test_the_nearest_known_name_is_offered() -> None:
    one = card(
        demo="clpi", no_demo=None, sources={"clip": "x"}, deeper="[^clp] [^clip] {claim:clip/r-at1}"
    )

    assert {fault.rule: fault.nearest for fault in lint(deck_of([one]), DEMOS)} == {
        "unknown-demo": "clip",
        "unknown-source": "clip",
        "unknown-claim": "r-at-1",
    }


def test_without_a_catalogue_nothing_is_said_about_demos() -> None:
    one = card(demo="anything", deeper="{claim:any/thing}")

    assert lint(deck_of([one]), None) == ()


def test_answers_of_short_kinds_may_be_short() -> None:
    text = "It is just so, said in the ten words it needs."

    assert found(choice(YES, NO)) == []
    assert found(card(kind=Kind.CHOICE, options=(YES, NO), key_points=(), answer=text)) == []
    assert found(card(answer=text)) == [("answer-length", Severity.WARNING)]


def test_faults_come_in_reading_order() -> None:
    cards = [
        card(id=CardId(f"c-{i}"), answer="At 0.07.", key_points=(point("At 5"),)) for i in range(3)
    ]
    lines = [fault.place.line for fault in lint(deck_of(cards), DEMOS)]

    assert lines == sorted(lines)
    assert len(lines) == 9


def test_counts() -> None:
    deck = deck_of([card(), card(id=CardId("b"), level=Level.HARD, demo="clip", no_demo=None)])

    assert count_by(deck) == {
        "by_level": {"easy": 1, "hard": 1},
        "by_kind": {"explain": 2},
        "by_chapter": {"multimodal": 2},
        "by_demo": {"": 1, "clip": 1},
        "by_area": {"H": 2},
    }
    assert lint(Deck(()), DEMOS) == ()
