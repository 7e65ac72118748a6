"""Documents as sparse rows of word counts, and passages of a text to search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from demos.kit.corpus import SENTENCE_END, Corpus
from demos.kit.library import Item

#: Passages that are made of a text at most, and words that each has at least.
MAX_PASSAGES, PASSAGE_WORDS = 20_000, 60
_SHORTEST_QUERY = 6


class Terms:
    """The terms of some documents, numbered in alphabetical order."""

    def __init__(self, documents: Iterable[Sequence[str]]) -> None:
        self.words = sorted({term for document in documents for term in document})
        self.column = {term: number for number, term in enumerate(self.words)}

    def count(self, texts: Sequence[Sequence[str]]) -> csr_array:
        """How often each known term is in each text, (texts, terms) float64."""
        data: list[float] = []
        columns: list[int] = []
        ends = [0]
        for text in texts:
            known = Counter(self.column[term] for term in text if term in self.column)
            for column in sorted(known):
                columns.append(column)
                data.append(known[column])
            ends.append(len(columns))
        shape = (len(texts), len(self.words))
        return csr_array((np.array(data, float), np.array(columns, np.int32), ends), shape=shape)


def document_frequency(counts: csr_array) -> NDArray[np.int64]:
    """In how many documents each term is, (terms,)."""
    return np.bincount(counts.indices, minlength=counts.shape[1])


def row_of(counts: csr_array) -> NDArray[np.int64]:
    """The row of each stored entry."""
    return np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))


def letter_groups(words: Sequence[str]) -> list[str]:
    """All groups of 3 and 4 letters within words, word borders as blanks: " op", "open", "en "."""
    return [
        word[at : at + n]
        for plain in words
        for word in (f" {plain} ",)
        for n in (3, 4)
        for at in range(len(word) - n + 1)
    ]


def passages(corpus: Corpus) -> list[Item]:
    """Whole sentences until there are PASSAGE_WORDS words; the first describes the rest."""
    found: list[Item] = []
    for sentences in _groups(corpus):
        first, rest = sentences[0], [word for sentence in sentences[1:] for word in sentence]
        place = f"passage {len(found) + 1}"
        title = f"{place}: … {' '.join(rest[:12])} …"
        found.append(Item(place, title, " ".join(first), rest, rest))
        if len(found) == MAX_PASSAGES:
            break
    return found


def _groups(corpus: Corpus) -> Iterator[list[list[str]]]:
    group: list[list[str]] = []
    for piece in corpus.stretches(100_000):
        for part in np.split(piece, np.flatnonzero(piece == SENTENCE_END)):
            words = [corpus.words[n] for n in part if 0 <= n < len(corpus.words)]
            if words and (group or len(words) >= _SHORTEST_QUERY):
                group.append(words)
            if len(group) > 1 and sum(map(len, group[1:])) >= PASSAGE_WORDS:
                yield group
                group = []
