"""Ask the trained graph: `borders of Austria`, or for the other side `who currency Euro`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demos.multimodal.kg_data import Graph, Split, countries
from demos.multimodal.kg_ranking import Ask, Truth
from studytool.demo.events import Cell, Event, Note, Table

SHOWN = 8
HELP = (
    "Type a relation and a name, such as: borders of Austria, currency of Peru, official language "
    "of Haiti, written in of German; or for the other side: who currency Euro."
)


def top(ask: Ask, known: int, relation: int, tails: bool, struck: np.ndarray) -> list[int]:
    """The entities in order of their score for one question, without those struck out."""
    scores = ask(np.array([known]), np.array([relation]), tails)[0].copy()
    scores[struck] = -np.inf
    order = np.argsort(-scores, kind="stable")
    return [int(place) for place in order if not struck[place]]


@dataclass(frozen=True)
class Atlas:
    """The trained models, and what was learnt and what held out."""

    graph: Graph
    parts: Split
    models: dict[str, Ask]

    def explore(self, request: str) -> Iterator[Event]:
        """`RELATION of NAME`, or `who RELATION NAME` for the heads."""
        text = request.strip().rstrip("?")
        if text.lower().startswith("capital of "):
            yield self.capital(text[len("capital of ") :])
            return
        question = self.understand(text)
        if question is None:
            yield Note(HELP)
            return
        yield self.answer(*question)

    def understand(self, text: str) -> tuple[int, int, bool] | None:
        """The known entity, the relation, and whether the tail is asked for."""
        tails = not text.lower().startswith("who ")
        rest = text if tails else text[4:]
        for number, relation in enumerate(self.graph.relations):
            start = f"{relation} of " if tails else f"{relation} "
            if rest.lower().startswith(start):
                entity = self.find(rest[len(start) :])
                return None if entity is None else (entity, number, tails)
        return None

    def find(self, name: str) -> int | None:
        """The entity with this name or the nearest spelling; its kind may be left out."""
        plain = {entity.lower(): n for n, entity in enumerate(self.graph.entities)}
        for entity, number in list(plain.items()):
            plain.setdefault(entity.partition(" (")[0], number)
        near = difflib.get_close_matches(name.strip().lower(), list(plain), 1, 0.75)
        return plain[near[0]] if near else None

    def answer(self, known: int, relation: int, tails: bool) -> Table:
        """Each model's first answers, and how each is known."""
        entities, kinds = self.graph.entities, len(self.graph.relations)
        learnt, every = (
            Truth.of(facts, len(entities), kinds).answers(
                np.array([known]), np.array([relation]), tails
            )[0]
            for facts in (self.parts.train, self.parts.facts)
        )

        def mark(entity: int) -> str:
            sign = " (learnt)" if learnt[entity] else " ✓" if every[entity] else ""
            return entities[entity] + sign

        none = np.zeros(len(entities), bool)
        lists = [top(ask, known, relation, tails, none)[:SHOWN] for ask in self.models.values()]
        rows: list[list[Cell]] = [
            [place + 1, *(mark(each[place]) for each in lists)] for place in range(SHOWN)
        ]
        name = self.graph.relations[relation]
        title = f"{name} of {entities[known]}" if tails else f"who · {name} · {entities[known]}"
        truths = ", ".join(entities[n] for n in np.flatnonzero(every)) or "none in the graph"
        note = f"In the packages: {truths}. ✓: true and never shown in training."
        return Table("asked", title, ["", *self.models], rows, note)

    def capital(self, name: str) -> Note:
        """A lookup: no embedding could infer a fact that nothing else touches."""
        by_name = {record["name"].lower(): record for record in countries().values()}
        near = difflib.get_close_matches(name.strip().lower(), list(by_name), 1, 0.75)
        if not near or not by_name[near[0]].get("capital"):
            return Note(HELP)
        record = by_name[near[0]]
        return Note(
            f"Looked up: the capital of {record['name']} is {record['capital']}. Capitals are left "
            "out of the graph: a capital would have this one fact, so once it is held out nothing "
            "is left from which any embedding could infer it. A table is the right tool."
        )
