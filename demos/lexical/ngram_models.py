"""The estimates of an n-gram model, from counting and dividing to Kneser-Ney, and their checks.

Read this before demos/lexical/ngrams.py, which runs it. Chen and Goodman 1998, Harvard TR-10-98.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from demos.kit.ngram_tables import Tables, View, at_or, count
from demos.lexical.ngram_definition import Definition

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]

# %% [markdown]
# ## 1. Counting and dividing, and why it fails
# The likelihood of a text is largest for p(w|h) = c(hw) / c(h). A pair that training lacks gets
# 0. Adding k to every count (Laplace for k = 1) removes the zeros, and something else as well.


def add_k(view: View, n: int, k: float) -> F64:
    """(c(hw) + k) / (c(h) + k V) for each word, k = 0 being maximum likelihood.

    Where a sentence has fewer than n - 1 words so far, h is those. A history never seen gives
    1 / V, or 0 for k = 0.
    """
    found = np.zeros(len(view.at))
    for order in range(1, n + 1):
        together, alone = view.raw(order)
        below = alone + k * view.tables.size
        estimate = np.divide(together + k, below, out=np.zeros_like(found), where=below > 0)
        found = np.where(view.reach >= order - 1, estimate, found)
    return found


# %% [markdown]
# ## 2. Mixing orders
# Jelinek and Mercer (Chen and Goodman, section 2.3) mix the estimates of all orders. How much of
# each is learnt on articles that are neither counted nor tested, by expectation maximisation.


def jelinek_mercer(view: View, weights: Sequence[float]) -> F64:
    """p_n = w_n c(hw)/c(h) + (1 - w_n) p_(n-1), down to 1 / V; p_(n-1) after an unseen history."""
    found = np.full(len(view.at), 1 / view.tables.size)
    for order, weight in enumerate(weights, start=1):
        together, alone = view.raw(order)
        mixed = weight * together / np.maximum(alone, 1) + (1 - weight) * found
        found = np.where(alone > 0, mixed, found)
    return found


def learn_weights(view: View, n: int) -> list[float]:
    """The weights that make the text of `view` most likely, from the lowest order up."""
    weights: list[float] = []
    for order in range(1, n + 1):
        lower = jelinek_mercer(view, weights)
        together, alone = view.raw(order)
        seen = alone > 0
        own, other, weight = together[seen] / alone[seen], lower[seen], 0.5
        for _ in range(30):
            weight = float(np.mean(weight * own / (weight * own + (1 - weight) * other)))
        weights.append(weight)
    return weights


# %% [markdown]
# ## 3. Kneser-Ney
# Take a constant D off each count that was seen, and hand what is freed to the lower order. The
# lower order is asked just when the context is no help, so it counts how many different words
# come before w, not how often w occurs: "Francisco" is frequent, but only after "San".


def discounts(counts: F64, *, modified: bool) -> tuple[float, float, float] | None:
    """What to take off counts of 1, 2, and 3 or more; None where the text can't tell.

    D = n1 / (n1 + 2 n2) from n_i, the number of n-grams seen i times; modified: i - (i + 1) D
    n_(i+1) / n_i (Chen and Goodman, equation 26), never below 0.
    """
    n1, n2, n3, n4 = (int((counts == i).sum()) for i in (1, 2, 3, 4))
    if n1 == 0 or n2 == 0 or (modified and (n3 == 0 or n4 == 0)):
        return None
    d = n1 / (n1 + 2 * n2)
    if not modified:
        return d, d, d
    return max(0, 1 - 2 * d * n2 / n1), max(0, 2 - 3 * d * n3 / n2), max(0, 3 - 4 * d * n4 / n3)


#: What is taken off where counts of counts are missing, as in a closed vocabulary of few words.
FALLBACK = (0.75, 0.75, 0.75)


@dataclass(frozen=True)
class KneserNey:
    """Interpolated Kneser-Ney of order n (Chen and Goodman, section 3.1).

    `continuation` False keeps the raw counts in the lower orders: absolute discounting.
    """

    tables: Tables
    n: int
    modified: bool = True
    continuation: bool = True

    @cached_property
    def fallbacks(self) -> list[int]:
        """The orders whose discounts could not be estimated."""
        return [k for k in range(1, self.n + 1) if self._estimated(k) is None]

    def _counts(self, k: int) -> F64:
        level = self.tables.levels[k - 1]
        return level.lefts if self.continuation and k < self.n else level.raw

    def _estimated(self, k: int) -> tuple[float, float, float] | None:
        return discounts(self._counts(k), modified=self.modified)

    @cached_property
    def _parts(self) -> list[tuple[F64, F64, F64]]:
        """For each k: counts less their discounts; sum of counts, and what is freed, by history."""
        parts = []
        for k, level in enumerate(self.tables.levels[: self.n], start=1):
            counts = self._counts(k)
            taken = np.array((0, *(self._estimated(k) or FALLBACK)))
            off = taken[np.minimum(counts, 3).astype(np.int64)]
            total, freed = (
                np.bincount(level.history, x, level.histories).astype(np.float64)
                for x in (counts, off)
            )
            parts.append((counts - off, total, freed))
        return parts

    def score(self, view: View) -> F64:
        """p(w|h) of each word of the view."""
        found = np.full(len(view.at), 1 / self.tables.size)
        for k, (left, total, freed) in enumerate(self._parts, start=1):
            gram, history = view.gram(k), view.history(k)
            seen = at_or(total, history, 0)
            mixed = at_or(left, gram, 0) + at_or(freed, history, 0) * found
            found = np.where(seen > 0, mixed / np.maximum(seen, 1), found)
        return found

    def spread(self, symbols: Sequence[int]) -> F64:
        """p(w|h) of every word w after these symbols, the last of which is the nearest; (V,)."""
        found = np.full(self.tables.size, 1 / self.tables.size)
        located = self.tables.locate(np.array([self.tables.size, *symbols], np.int64))
        for k, (left, total, freed) in enumerate(self._parts, start=1):
            history = int(located[k - 2][-1]) if k > 1 else 0
            if history < 0 or total[history] == 0:
                break  # a longer history is unknown as well
            where = self.tables.followers(k, history)
            words = self.tables.levels[k - 1].keys[where] % self.tables.base
            real = words < self.tables.size
            found *= freed[history] / total[history]
            found[words[real]] += left[where][real] / total[history]
        return found


# %% [markdown]
# ## 4. Is it right?
# The definition in exact fractions judges the fast form, and each distribution must sum to 1.


def definition_error(stream: I64, size: int, test: I64, longest: int) -> float:
    """The largest relative deviation of `KneserNey.score` from `Definition`, over all orders.

    `stream` is what is counted and `test` what is scored, both with one opening per sentence.
    """
    sentences = [tuple(part.tolist()) for part in np.split(stream, np.flatnonzero(stream == size))]
    view, worst = View(count(stream, size, longest), test), 0.0
    for n in range(1, longest + 1):
        for modified in (False, True):
            slow = Definition(sentences[1:], n, size, modified)
            fast = KneserNey(view.tables, n, modified).score(view)
            for place, reach, p in zip(view.at, view.reach, fast, strict=True):
                history = tuple(test[place - reach : place].tolist())
                exact = float(slow.p(history, int(test[place])))
                worst = max(worst, abs(p - exact) / exact)
    return worst


def sum_error(model: KneserNey, size: int, rng: np.random.Generator) -> float:
    """How far from 1 the probabilities of all words add up, after histories seen and unseen."""
    histories = [[], *rng.integers(0, size, (12, model.n - 1)).tolist()]
    return max(abs(float(model.spread(history).sum()) - 1) for history in histories)
