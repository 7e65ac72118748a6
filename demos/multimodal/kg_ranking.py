"""Ranks: how far down the list the right answer stands, and two baselines that learn nothing.

The list has every entity. Filtered: other answers known to be true are left out of it (Bordes et
al. 2013). Ties count half, so that a model which scores everything alike doesn't come first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from demos.multimodal.kg_data import I64
from demos.multimodal.kg_models import Scorer

F64 = NDArray[np.float64]
Flags = NDArray[np.bool_]
#: (known entities, relations, whether tails are asked for) -> scores (B, entities).
Ask = Callable[[I64, I64, bool], F64]


def ask_model(model: Scorer) -> Ask:
    """A trained model as a function of arrays."""

    def ask(known: I64, relation: I64, tails: bool) -> F64:
        with torch.no_grad():
            scores = model.ask(torch.from_numpy(known), torch.from_numpy(relation), tails)
        return scores.double().numpy()

    return ask


@dataclass(frozen=True)
class Truth:
    """True facts as one grid: `holds[relation, head, tail]`."""

    holds: Flags

    @classmethod
    def of(cls, facts: I64, entities: int, relations: int) -> Truth:
        """The grid of these facts."""
        holds = np.zeros((relations, entities, entities), bool)
        holds[facts[:, 1], facts[:, 0], facts[:, 2]] = True
        return cls(holds)

    def answers(self, known: I64, relation: I64, tails: bool) -> Flags:
        """Which entities are true answers to each question: (B, entities)."""
        found = self.holds[relation, known] if tails else self.holds[relation, :, known]
        return np.asarray(found)

    def seen_in_role(self, relation: I64, tails: bool) -> Flags:
        """Which entities ever stand on the asked side of the relation: (B, entities)."""
        return np.asarray(self.holds[relation].any(1 if tails else 2))


def ranks(scores: F64, right: I64, left_out: Flags) -> F64:
    """1 + how many stand before the right answer, ties counted half; never itself left out."""
    mine = np.take_along_axis(scores, right[:, None], 1)
    rivals = ~left_out
    np.put_along_axis(rivals, right[:, None], False, 1)
    better = ((scores > mine) & rivals).sum(1)
    equal = ((scores == mine) & rivals).sum(1)
    return 1.0 + better + equal / 2


@dataclass(frozen=True)
class Ranked:
    """Ranks of the right answers, tails first and then heads, with each question's relation."""

    ranks: F64
    relation: I64

    def mrr(self, relation: int | None = None) -> float:
        """Mean reciprocal rank, of one relation or of all."""
        chosen = self.ranks if relation is None else self.ranks[self.relation == relation]
        return float((1 / chosen).mean()) if len(chosen) else float("nan")

    def hits(self, at: int) -> float:
        """The share of right answers among the first `at`."""
        return float((self.ranks <= at).mean())


def evaluate(
    ask: Ask,
    test: I64,
    truth: Truth,
    *,
    filtered: bool = True,
    not_itself: bool = False,
    roles: Truth | None = None,
) -> Ranked:
    """Ask for the tail and for the head of each fact.

    `not_itself` strikes the question's own entity from the list; `roles` strikes entities that
    never stood on that side of the relation there, the closed-world filter.
    """
    found = []
    for tails in (True, False):
        known, right = (test[:, 0], test[:, 2]) if tails else (test[:, 2], test[:, 0])
        left_out = truth.answers(known, test[:, 1], tails).copy() & filtered
        scores = ask(known, test[:, 1], tails).copy()
        if not_itself:
            np.put_along_axis(left_out, known[:, None], True, 1)
        if roles is not None:
            # An answer that is struck out can't be given: it goes below all that are left.
            scores[~roles.seen_in_role(test[:, 1], tails)] = -np.inf
        found.append(ranks(scores, right, left_out))
    return Ranked(np.concatenate(found), np.tile(test[:, 1], 2))


def first_is_itself(ask: Ask, facts: I64, truth: Truth) -> float:
    """How often a question's own entity comes first, when known answers are left out."""
    hits = []
    for tails in (True, False):
        known = facts[:, 0] if tails else facts[:, 2]
        scores = ask(known, facts[:, 1], tails).copy()
        scores[truth.answers(known, facts[:, 1], tails)] = -np.inf
        hits.append(scores.argmax(1) == known)
    return float(np.mean(hits))


# %% Baselines


def counting(train: I64, entities: int) -> Ask:
    """For this relation the most frequent answer, whatever the entity."""
    counts: dict[tuple[int, bool], F64] = defaultdict(lambda: np.zeros(entities))
    for head, relation, tail in train.tolist():
        counts[relation, True][tail] += 1
        counts[relation, False][head] += 1

    def ask(known: I64, relation: I64, tails: bool) -> F64:
        return np.stack([counts[each, tails] for each in relation.tolist()])

    return ask


def neighbour_vote(train: I64, entities: int, relations: int) -> Ask:
    """What holds for similar entities: cosine over shared facts, rare facts weigh more, squared."""
    # A fact about an entity is (relation, side, other entity): a column of its own.
    columns = 2 * relations * entities
    facts = np.zeros((entities, columns), np.float32)
    head, relation, tail = train.T
    facts[head, (2 * relation) * entities + tail] = 1
    facts[tail, (2 * relation + 1) * entities + head] = 1
    owners = facts.sum(0)
    facts = facts[:, owners > 0]
    weighted = facts * np.log(entities / owners[owners > 0])
    weighted /= np.linalg.norm(weighted, axis=1, keepdims=True) + 1e-9
    alike = (weighted @ weighted.T) ** 2
    np.fill_diagonal(alike, 0)
    truth = Truth.of(train, entities, relations).holds.astype(np.float32)
    votes = {
        (relation, tails): alike @ (truth[relation] if tails else truth[relation].T)
        for relation in range(relations)
        for tails in (True, False)
    }

    def ask(known: I64, relation: I64, tails: bool) -> F64:
        pairs = zip(known.tolist(), relation.tolist(), strict=True)
        return np.stack([votes[by, tails][one] for one, by in pairs]).astype(np.float64)

    return ask
