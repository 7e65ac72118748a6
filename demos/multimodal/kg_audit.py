"""Are the negatives false? An audit of the wrong answers that training pushes down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demos.multimodal.kg_data import Graph, Split
from demos.multimodal.kg_ranking import Ask, Truth
from studytool.demo.events import Cell, Event, Table

SHOWN = 10


@dataclass(frozen=True)
class Audit:
    """How often a negative is a held-out true fact: drawn evenly, or by the model's belief."""

    uniform: float
    weighted: float
    table: Table


def audit(graph: Graph, parts: Split, ask: Ask) -> Audit:
    """Weigh each wrong answer to each training question by the model's own softmax.

    Those weights are what self-adversarial sampling draws with (RotatE, equation 5, at
    temperature 1). What is found is a lower bound: facts that no package holds count as false.
    """
    sizes = len(graph.entities), len(graph.relations)
    learnt, every = Truth.of(parts.train, *sizes), Truth.of(parts.facts, *sizes)
    questions = np.unique(parts.train[:, :2], axis=0)
    known, relation = questions.T
    negative = ~learnt.answers(known, relation, True)
    true = every.answers(known, relation, True) & negative
    scores = ask(known, relation, True)
    chance = np.exp(scores - scores.max(1, keepdims=True))
    chance = np.where(negative, chance / chance.sum(1, keepdims=True), 0.0)
    order = np.argsort(-np.where(true.any(1, keepdims=True), chance, 0), axis=None, kind="stable")
    rows: list[list[Cell]] = []
    for place in order[:SHOWN]:
        row, entity = divmod(int(place), sizes[0])
        fact = graph.say(np.array([*questions[row], entity]))
        rows.append([fact, round(float(chance[row, entity]), 3), bool(true[row, entity])])
    table = Table(
        "audit",
        "Negatives the model believes most, of questions with a true one among them",
        ["trained as false", "probability", "in truth"],
        rows,
    )
    weighted = float(chance[true].sum() / max(chance.sum(), 1e-12))
    return Audit(float(true.sum() / negative.sum()), weighted, table)


def audit_events(found: Audit) -> Iterator[Event]:
    """The most believed negatives, and the two shares."""
    yield found.table
    rows: list[list[Cell]] = [
        ["evenly among all entities", f"{found.uniform:.3%}"],
        ["by the model's own score", f"{found.weighted:.3%}"],
    ]
    columns = ["negatives drawn", "true facts among them"]
    yield Table("negatives", "How false are the negatives?", columns, rows)
