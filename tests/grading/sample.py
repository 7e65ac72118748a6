"""A card of another domain than the deck's, and answers to it."""

from __future__ import annotations

from studytool.deck.model import Card, CardId, KeyPoint, Kind, Level, Option, Result, Wrong


def card(**changes: object) -> Card:
    """How bread rises; `changes` replace fields."""
    fields: dict[str, object] = {
        "id": CardId("bread-rise"),
        "question": "Why does bread dough rise?",
        "chapter": "kitchen",
        "area": "K",
        "topic": "Bread",
        "level": Level.EASY,
        "kind": Kind.EXPLAIN,
        "answer": "Yeast eats sugar and gives off carbon dioxide. Gluten traps the gas as bubbles.",
        "no_demo": "a test",
        "key_points": (
            KeyPoint(
                2,
                "Yeast ferments sugar and gives off carbon dioxide [^a]",
                also=("yeast turns sugars into gas",),
                wrong=(Wrong("Yeast breathes out oxygen.", "it gives off carbon dioxide"),),
            ),
            KeyPoint(
                1,
                "Gluten forms an elastic net that traps the gas",
                also=("the protein network holds the bubbles",),
                wrong=(Wrong("Gluten kills the yeast.", "gluten traps the gas"),),
            ),
        ),
    }
    return Card(**{**fields, **changes})  # type: ignore[arg-type]


GOOD = (
    "Yeast ferments the sugar and gives off carbon dioxide. "
    "The gluten forms an elastic net, and it traps the gas."
)
WRONG = "Yeast breathes out oxygen. And gluten kills the yeast."

CHOICE = card(
    id=CardId("bread-choice"),
    kind=Kind.CHOICE,
    key_points=(),
    options=(
        Option("Carbon dioxide", True),
        Option("Oxygen", False, "yeast uses it up"),
        Option("Ethanol vapour", True),
    ),
)
COMPUTE = card(
    id=CardId("bread-salt"),
    kind=Kind.COMPUTE,
    key_points=(KeyPoint(1, "Two percent of the flour's weight"),),
    result=Result(value=20.0, tolerance=0.5, unit="g"),
)
CLOZE = card(
    id=CardId("bread-cloze"),
    kind=Kind.CLOZE,
    key_points=(),
    prompt="{{c1::Yeast}} gives off {{c2::carbon dioxide::a gas}}.",
)
