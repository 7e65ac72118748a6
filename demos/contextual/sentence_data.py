"""What is searched, and the methods that need no training: words, and groups of letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from demos.kit.data import DataFault
from demos.kit.library import Item, words_of
from demos.kit.terms import Terms, document_frequency, letter_groups
from studytool.demo.events import Cell, Event, Note, Table

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_SHOWN, _LONGEST = 6, 400


@dataclass(frozen=True)
class Split:
    """Functions to find, and functions of *other* files to train on."""

    pool: list[Item]
    train: list[Item]

    @property
    def unconnected(self) -> NDArray[np.bool_]:
        """The queries that share no word with the name they look for."""
        return np.array([not set(words_of(item.says)) & set(item.name) for item in self.pool])

    def texts(self) -> list[str]:
        """All queries, then all names, of the pool and then the training pairs."""
        items = self.pool + self.train
        return [item.says for item in items] + [" ".join(item.name) for item in items]


def split(items: Sequence[Item], pool: int, pairs: int, rng: np.random.Generator) -> Split:
    """Whole files go to one side; of functions with one name the first is kept.

    Raises DataFault when there are too few functions.
    """
    unique = list({tuple(item.name): item for item in reversed(items)}.values())
    by_file: dict[str, list[Item]] = {}
    for item in sorted(unique, key=lambda item: item.title):
        by_file.setdefault(item.place, []).append(item)
    files = list(by_file.values())
    found: list[Item] = []
    rest: list[Item] = []
    for number in rng.permutation(len(files)):
        (found if len(found) < pool else rest).extend(files[number])
    train = [rest[i] for i in rng.permutation(len(rest))[:pairs]]
    if len(found) < pool or len(train) < pairs:
        raise DataFault(
            f"{len(unique):,} functions are too few for {pool:,} to find and {pairs:,} to train on",
            "Lower --pool or --pairs.",
        )
    return Split(found[:pool], train)


class Matcher:
    """Cosines of TF-IDF vectors, (1 + ln tf) times ln((1 + n) / (1 + df)) + 1."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self._terms = Terms(documents)
        counts = self._terms.count(documents)
        df = document_frequency(counts)
        self._idf = np.log((1 + len(documents)) / (1 + df)) + 1
        self._documents = self._weighed(counts)

    def _weighed(self, counts: csr_array) -> csr_array:
        table = counts.copy()
        table.data = 1 + np.log(table.data)
        table = table @ diags_array(self._idf)
        length = np.sqrt(np.asarray((table * table).sum(axis=1)).ravel())
        return diags_array(1 / np.where(length == 0, 1, length)) @ table

    def scores(self, queries: Sequence[Sequence[str]]) -> F64:
        """Queries with documents, (queries, documents)."""
        found = self._weighed(self._terms.count(queries)) @ self._documents.T
        dense: F64 = found.toarray()
        return dense


def by_words(names: Sequence[Sequence[str]], queries: Sequence[str]) -> F64:
    """Word matching: 0 wherever no word is shared, as with BM25."""
    return Matcher(names).scores([words_of(query) for query in queries])


def by_letters(names: Sequence[Sequence[str]], queries: Sequence[str]) -> F64:
    """Matching of groups of 3 and 4 letters within words."""
    groups = [letter_groups(name) for name in names]
    return Matcher(groups).scores([letter_groups(words_of(query)) for query in queries])


@dataclass(frozen=True)
class Finder:
    """Answers a typed query: `encode` gives its trained unit vector, `names` are the pool's."""

    pool: Sequence[Item]
    names: F32
    encode: Callable[[str], F32]

    def explore(self, request: str) -> Iterator[Event]:
        """`invert a matrix`: the first functions by the trained vectors, by letters, by the sum."""
        query = request.strip()[:_LONGEST]
        if not words_of(query):
            yield Note("type a query, such as: invert a matrix")
            return
        dense = (self.names @ self.encode(query)).astype(float)
        letters = by_letters([item.name for item in self.pool], [query])[0]
        rows: list[list[Cell]] = []
        orders = [
            np.argsort(-score, kind="stable")[:_SHOWN]
            for score in (dense, letters, dense + letters)
        ]
        for places in zip(*orders, strict=True):
            rows.append([self.pool[int(place)].title for place in places])
        columns = ["trained vectors", "groups of letters", "the sum of both"]
        yield Table("explore", f"“{query}” among {len(self.pool):,}", columns, rows)
