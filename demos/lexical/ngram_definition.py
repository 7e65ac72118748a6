"""Kneser-Ney once more, as it is written down: recursion over tuples, in exact fractions.

Slow, and easy to believe; the fast form in ngrams.py is held against it. Chen and Goodman 1998,
section 3.1. Conventions: one opening symbol, which is never predicted; n-grams that begin with it
keep their raw counts; below the single words stands the uniform distribution.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

Gram: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Definition:
    """Interpolated Kneser-Ney of order n over `size` symbols; `sentences` begin with `size`."""

    sentences: Sequence[Gram]
    n: int
    size: int
    modified: bool

    def _raw(self, k: int) -> Counter[Gram]:
        """How often each k-gram occurs."""
        grams: Counter[Gram] = Counter()
        for sentence in self.sentences:
            ends = range(max(k, 2), len(sentence) + 1)
            grams.update(sentence[end - k : end] for end in ends)
        return grams

    def _counts(self, k: int) -> dict[Gram, int]:
        """Raw counts at the top and after the opening, else how many words stand to the left."""
        raw = self._raw(k)
        if k == self.n:
            return raw
        lefts = Counter(gram[1:] for gram in self._raw(k + 1))
        return {g: raw[g] if g[0] == self.size else lefts[g] for g in raw}

    def _discounts(self, counts: dict[Gram, int]) -> tuple[Fraction, ...]:
        """What to take off counts of 0, 1, 2, and 3 or more."""
        seen = Counter(counts.values())
        if any(seen[i] == 0 for i in range(1, 5 if self.modified else 3)):
            return Fraction(0), *(3 * [Fraction(3, 4)])
        d = Fraction(seen[1], seen[1] + 2 * seen[2])
        if not self.modified:
            return Fraction(0), d, d, d
        shares = [i - (i + 1) * d * Fraction(seen[i + 1], seen[i]) for i in (1, 2, 3)]
        return Fraction(0), *(max(Fraction(0), share) for share in shares)

    @cached_property
    def _orders(self) -> list[tuple[dict[Gram, dict[int, int]], tuple[Fraction, ...]]]:
        """For each order: counts by history and word, and the discounts."""
        orders = []
        for k in range(1, self.n + 1):
            counts = self._counts(k)
            followers: dict[Gram, dict[int, int]] = defaultdict(dict)
            for gram, number in counts.items():
                followers[gram[:-1]][gram[-1]] = number
            orders.append((dict(followers), self._discounts(counts)))
        return orders

    def p(self, history: Gram, word: int) -> Fraction:
        """p(word | history), of which the last n - 1 symbols matter."""
        history = history[max(0, len(history) - self.n + 1) :]
        lower = self.p(history[1:], word) if history else Fraction(1, self.size)
        followers, off = self._orders[len(history)]
        after = followers.get(history)
        if after is None:
            return lower
        freed = sum(off[min(number, 3)] for number in after.values())
        own = after.get(word, 0)
        return (own - off[min(own, 3)] + freed * lower) / sum(after.values())
