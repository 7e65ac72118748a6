"""Four ways to score a triple, and one way to train them all.

Each model turns a question into a point q and scores every entity e at once, by a single product
of matrices: for (h, r, ?) the point is built from h and r, for (?, r, t) from t and r. With the
squared distance TransE and RotatE need no more than that either:
-|q - e|² = 2 q·e - |q|² - |e|².

TransE: Bordes et al. 2013, NeurIPS. DistMult: Yang et al. 2015, arXiv:1412.6575. ComplEx:
Trouillon et al. 2016, arXiv:1606.06357. RotatE: Sun et al. 2019, arXiv:1902.10197. Softmax over
all entities and the N3 penalty: Lacroix et al. 2018, arXiv:1806.07297.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from demos.multimodal.kg_data import I64


def by_coordinate(x: Tensor, y: Tensor) -> Tensor:
    """x∘y for complex vectors stored as (real half, imaginary half): (..., 2d)."""
    (a, b), (c, d) = x.chunk(2, -1), y.chunk(2, -1)
    return torch.cat([a * c - b * d, a * d + b * c], -1)


def conjugate(x: Tensor) -> Tensor:
    """The complex conjugate in the same storage."""
    real, imaginary = x.chunk(2, -1)
    return torch.cat([real, -imaginary], -1)


def modulus(x: Tensor) -> Tensor:
    """|x| of each complex coordinate: (..., d)."""
    real, imaginary = x.chunk(2, -1)
    return (real**2 + imaginary**2 + 1e-12).sqrt()


class Scorer(nn.Module):
    """Vectors of entities and relations; a subclass says how a question becomes a point."""

    distance = False  # score by minus the squared distance instead of the inner product
    complex = False

    def __init__(self, entities: int, relations: int, dim: int) -> None:
        super().__init__()
        width = 2 * dim if self.complex else dim
        self.entity = nn.Parameter(torch.randn(entities, width) * self.start(dim))
        self.relation = nn.Parameter(torch.randn(relations, width) * self.start(dim))

    def start(self, dim: int) -> float:
        """The standard deviation of a coordinate before training."""
        return 0.1

    def forwards(self, head: Tensor, relation: Tensor) -> Tensor:
        """The point where the tail of (head, relation, ?) should be."""
        raise NotImplementedError

    def backwards(self, relation: Tensor, tail: Tensor) -> Tensor:
        """The point where the head of (?, relation, tail) should be."""
        raise NotImplementedError

    def ask(self, known: Tensor, relation: Tensor, tails: bool) -> Tensor:
        """Scores of every entity as the missing tail, or the missing head: (B, entities)."""
        given, by = self.entity[known], self.relation[relation]
        point = self.forwards(given, by) if tails else self.backwards(by, given)
        scores = point @ self.entity.T
        if self.distance:
            return 2 * scores - (point**2).sum(-1, True) - (self.entity**2).sum(-1)
        return scores

    def score(self, triples: Tensor) -> Tensor:
        """The score of each row (head, relation, tail)."""
        head, relation, tail = triples.T
        return self.ask(head, relation, tails=True).gather(1, tail[:, None])[:, 0]

    def cubes(self, triples: Tensor) -> Tensor:
        """N3: the mean over the triples of |h|³ + |r|³ + |t|³, summed over coordinates."""
        head, relation, tail = triples.T
        rows = (self.entity[head], self.relation[relation], self.entity[tail])
        sizes = [modulus(row) if self.complex else row.abs() for row in rows]
        return torch.stack([(size**3).sum(-1) for size in sizes]).sum(0).mean()


class TransE(Scorer):
    """-|h + r - t|²: a relation is a translation."""

    distance = True

    def forwards(self, head: Tensor, relation: Tensor) -> Tensor:
        return head + relation

    def backwards(self, relation: Tensor, tail: Tensor) -> Tensor:
        return tail - relation


class DistMult(Scorer):
    """Σ h·r·t: a relation weighs the coordinates; head and tail can be swapped."""

    def forwards(self, head: Tensor, relation: Tensor) -> Tensor:
        return head * relation

    def backwards(self, relation: Tensor, tail: Tensor) -> Tensor:
        return tail * relation


class ComplEx(Scorer):
    """Re Σ h·r·conj(t): the imaginary part of r tells head from tail."""

    complex = True

    def forwards(self, head: Tensor, relation: Tensor) -> Tensor:
        return by_coordinate(head, relation)

    def backwards(self, relation: Tensor, tail: Tensor) -> Tensor:
        return by_coordinate(tail, conjugate(relation))


class RotatE(Scorer):
    """-|h∘r - t|² with |r| = 1: a relation turns each coordinate by an angle."""

    complex = True
    distance = True

    def __init__(self, entities: int, relations: int, dim: int) -> None:
        super().__init__(entities, relations, dim)
        self.relation = nn.Parameter((2 * torch.rand(relations, dim) - 1) * math.pi)

    def forwards(self, head: Tensor, relation: Tensor) -> Tensor:
        return by_coordinate(head, turn(relation))

    def backwards(self, relation: Tensor, tail: Tensor) -> Tensor:
        return by_coordinate(tail, turn(-relation))

    def cubes(self, triples: Tensor) -> Tensor:
        rows = self.entity[triples[:, [0, 2]]]
        return (modulus(rows) ** 3).sum((-1, -2)).mean()


def turn(angles: Tensor) -> Tensor:
    """Complex numbers of modulus 1 with these angles."""
    return torch.cat([angles.cos(), angles.sin()], -1)


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: its class, Adam's rate, passes over the facts, the N3 penalty."""

    model: type[Scorer]
    lr: float
    epochs: int
    n3: float
    says: str


#: Chosen on held-out facts in trials with another split; the seeds test draws fresh splits.
RECIPES: Final[dict[str, Recipe]] = {
    "TransE": Recipe(TransE, 0.02, 40, 0.0, "−|h + r − t|²"),
    "DistMult": Recipe(DistMult, 0.03, 60, 0.2, "Σ h·r·t"),
    "ComplEx": Recipe(ComplEx, 0.03, 60, 0.1, "Re Σ h·r·conj(t)"),
    "RotatE": Recipe(RotatE, 0.02, 60, 0.05, "−|h∘r − t|², |r| = 1"),
}
BATCH = 256


def loss(model: Scorer, batch: Tensor, n3: float, among: Tensor | None = None) -> Tensor:
    """Softmax cross-entropy of the right tail and of the right head, plus the penalty.

    `among` (B, k) lists the only wrong answers that count, drawn at random: sampled negatives.
    Without it all entities compete.
    """
    head, relation, tail = batch.T
    total = n3 * model.cubes(batch)
    for known, right, tails in ((head, tail, True), (tail, head, False)):
        scores, target = model.ask(known, relation, tails), right
        if among is not None:
            scores = scores.gather(1, torch.cat([right[:, None], among], 1))
            target = torch.zeros_like(right)
        total = total + cross_entropy(scores, target)
    return total


def fit(
    model: Scorer,
    facts: I64,
    recipe: Recipe,
    seed: int,
    *,
    epochs: int,
    n3: float,
    negatives: int = 0,
) -> Iterator[tuple[int, float]]:
    """Train; yields the epoch and its mean loss. With `negatives` only so many wrong answers count."""
    rows = torch.from_numpy(facts)
    chance = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.lr)
    for epoch in range(1, epochs + 1):
        losses = []
        for batch in rows[torch.randperm(len(rows), generator=chance)].split(BATCH):
            among = None
            if negatives:
                shape = (len(batch), negatives)
                among = torch.randint(len(model.entity), shape, generator=chance)
            value = loss(model, batch, n3, among)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            losses.append(float(value.detach()))
        yield epoch, sum(losses) / len(losses)
