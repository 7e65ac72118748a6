"""Vectors of uses, and how well the nearest other use of a word tells the sense."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import torch
from numpy.typing import NDArray

from demos.contextual.uses import Use, find
from demos.kit.minilm import MiniLM

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

#: Cosines nearer than this are a tie: two sums of the same numbers in another order.
TIE = 1e-6


def token_places(model: MiniLM, word: str, sentence: str) -> list[int]:
    """The places of the pieces that make up the word in the sentence's tokens."""
    start, end = find(word, sentence)
    return [
        place
        for place, (left, right) in enumerate(model.spans(sentence))
        if left < end and right > start and right > left
    ]


def use_vectors(model: MiniLM, word: str, sentence: str, vector: str) -> F64:
    """What stands for the use after each layer, (7, 384).

    `vector` is "word" for the mean of the word's pieces, "mean" for that of all tokens, or "cls".
    """
    ids, _ = model.tokens(sentence)
    places = {
        "word": token_places(model, word, sentence),
        "mean": list(range(len(ids))),
        "cls": [0],
    }[vector]
    states = model.layers(torch.tensor([ids]))
    return np.stack([state[0, places].mean(dim=0).numpy().astype(float) for state in states])


def static_vectors(model: MiniLM, uses: Sequence[Use]) -> F64:
    """The input vector of each use's word, (uses, 384): the sentence plays no part."""
    rows = []
    for use in uses:
        ids, _ = model.tokens(use.word)
        rows.append(model.input_vectors(ids[1:-1]).mean(axis=0).astype(float))
    return np.stack(rows)


def bags(model: MiniLM, uses: Sequence[Use], *, idf: bool) -> F64:
    """The sum of the input vectors of the *other* words of each sentence, (uses, 384).

    With `idf` each piece counts ln(n / df), where df of the n sentences have it.
    """
    others = []
    for use in uses:
        ids, _ = model.tokens(use.sentence)
        own = set(token_places(model, use.word, use.sentence))
        others.append([ids[i] for i in range(1, len(ids) - 1) if i not in own])
    df = Counter(piece for ids in others for piece in set(ids))
    out = np.zeros((len(uses), model.input_vectors([0]).shape[1]))
    for row, ids in zip(out, others, strict=True):
        weights = np.array([log(len(uses) / df[piece]) if idf else 1.0 for piece in ids])
        if ids:
            row += weights @ model.input_vectors(ids)
    return out


@dataclass(frozen=True)
class Lens:
    """How vectors are made ready for cosines: what is taken off, and what they are divided by.

    `by_word` holds a mean of its own for each word; other words get `centre`.
    """

    centre: F64
    scale: F64
    by_word: dict[str, F64]

    @classmethod
    def fit(cls, kind: str, vectors: F64, words: Sequence[str]) -> Lens:
        """`kind`: "raw" changes nothing, "centred" takes off each word's mean over its uses, and
        "standardised" gives each coordinate mean 0 and variance 1 over all uses, so that no few
        coordinates decide (Timkey and van Schijndel 2021, arXiv:2109.04404, section 5).
        """
        nothing, one = np.zeros(vectors.shape[1]), np.ones(vectors.shape[1])
        if kind == "raw":
            return cls(nothing, one, {})
        centre = vectors.mean(axis=0)
        if kind == "standardised":
            return cls(centre, np.maximum(vectors.std(axis=0), 1e-9), {})
        names = np.array(words)
        means = {word: vectors[names == word].mean(axis=0) for word in dict.fromkeys(words)}
        return cls(centre, one, means)

    def unit(self, vectors: F64, words: Sequence[str]) -> F64:
        """The vectors as seen through the lens, at length 1; a zero vector stays zero."""
        centres = np.stack([self.by_word.get(word, self.centre) for word in words])
        seen = (vectors - centres) / self.scale
        length = np.linalg.norm(seen, axis=1, keepdims=True)
        return seen / np.maximum(length, 1e-12)


def table_of_cosines(kind: str, vectors: F64, words: Sequence[str]) -> F64:
    """The cosines of all uses with each other, (uses, uses)."""
    unit = Lens.fit(kind, vectors, words).unit(vectors, words)
    return unit @ unit.T


class Labels:
    """Which uses share a word and a sense, as masks over pairs of uses."""

    def __init__(self, uses: Sequence[Use]) -> None:
        self.words = np.array([use.word for use in uses])
        self.senses = np.array([f"{use.word}/{use.sense}" for use in uses])
        other = ~np.eye(len(uses), dtype=bool)
        self.same = (self.senses[:, None] == self.senses[None]) & other
        self.different = (self.words[:, None] == self.words[None]) & ~self.same & other

    @property
    def chance(self) -> float:
        """The expected share of hits when all cosines are independent noise."""
        same, different = self.same.sum(axis=1), self.different.sum(axis=1)
        return float((same / (same + different)).mean())


def hits(cosines: F64, labels: Labels) -> F64:
    """1 for each use whose nearest use of the same word has its sense, 0 for another; a tie: ½."""
    right = np.where(labels.same, cosines, -np.inf).max(axis=1)
    wrong = np.where(labels.different, cosines, -np.inf).max(axis=1)
    ahead = right - wrong
    return np.where(np.abs(ahead) <= TIE, 0.5, (ahead > 0).astype(float))


def separation(cosines: F64, labels: Labels) -> float:
    """The chance that a pair of one sense is nearer than a pair of two senses; ties count ½."""
    upper = np.triu(np.ones_like(labels.same), 1)
    right, wrong = cosines[labels.same & upper], cosines[labels.different & upper]
    ahead = right[:, None] - wrong[None]
    return float(np.where(np.abs(ahead) <= TIE, 0.5, ahead > 0).mean())


def one_threshold(cosines: F64, labels: Labels) -> float:
    """Balanced accuracy of "same sense if the cosine is above t", t set on all *other* words.

    Returns NaN when there is only one word.
    """
    upper = np.triu(np.ones_like(labels.same), 1)
    scores = []
    for word in dict.fromkeys(labels.words.tolist()):
        mine = (labels.words == word)[:, None] & upper
        rest = ~(labels.words == word)[:, None] & upper
        pairs = cosines[labels.same & rest], cosines[labels.different & rest]
        if not len(pairs[0]):
            return float("nan")
        cuts = np.unique(np.concatenate(pairs))
        best = max(cuts, key=lambda cut: (pairs[0] >= cut).mean() + (pairs[1] < cut).mean())
        right, wrong = cosines[labels.same & mine], cosines[labels.different & mine]
        scores.append(((right >= best).mean() + (wrong < best).mean()) / 2)
    return float(np.mean(scores))
