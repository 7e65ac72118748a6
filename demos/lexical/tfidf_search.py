"""Answers a typed query with the passages found, and says which words earned each score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.sparse import csr_array

from demos.kit.library import Item, words_of
from demos.kit.terms import Terms
from studytool.demo.events import Cell, Event, Note, Table

_SHOWN = 8


class Searcher:
    """BM25 over all items, not just the pool of the run."""

    def __init__(
        self,
        items: Sequence[Item],
        documents: Sequence[Sequence[str]],
        k1: float,
        b: float,
        weigh: Callable[[csr_array, float, float], csr_array],
    ) -> None:
        self._items = items
        self._terms = Terms(documents)
        self._weights = weigh(self._terms.count(documents), k1, b)

    def explore(self, request: str) -> Iterator[Event]:
        """`compress a file`: the best passages, each with the words that earned its score."""
        words = words_of(request)
        if not words:
            yield Note("type a query, such as: compress a file")
            return
        unknown = sorted(set(words) - self._terms.column.keys())
        if unknown:
            yield Note(f"no document has {', '.join(unknown)}: such a word adds nothing")
        query = self._terms.count([words])
        earned = self._weights.multiply(query.toarray()).tocsr()
        earned.eliminate_zeros()
        scores = np.asarray(earned.sum(axis=1)).ravel()
        best = np.argsort(-scores, kind="stable")[:_SHOWN]
        rows: list[list[Cell]] = [
            [
                round(float(scores[i]), 2),
                self._items[i].title,
                self._items[i].says[:70],
                self._why(earned[[i]]),
            ]
            for i in best
            if scores[i] > 0
        ]
        if not rows:
            yield Note("no document shares a word with that: BM25 has nothing to say")
            return
        columns = ["score", "found", "what it says of itself", "earned by"]
        yield Table("explore", f"“{request.strip()}” by BM25", columns, rows)

    def _why(self, row: csr_array) -> str:
        order = np.argsort(-row.data, kind="stable")
        parts = (f"{self._terms.words[row.indices[i]]} {row.data[i]:.1f}" for i in order)
        return ", ".join(parts)
