"""Weights of words: TF-IDF in its conventions, BM25, latent semantic analysis, and their checks.

Read this before demos/lexical/tfidf.py, which runs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import log
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.linalg import svds

from demos.kit.terms import Terms, document_frequency, row_of

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]
Norm: TypeAlias = Literal["l1", "l2"] | None

# %% [markdown]
# ## 1. TF-IDF, and why two programs disagree about it
# Weight = term frequency x inverse document frequency; similarity = cosine. Each factor has
# conventions, and a score means nothing before they are named.


def textbook_idf(df: I64, documents: int) -> F64:
    """ln(N / df): the surprise that a random document has the term. 0 for a term in all."""
    return np.log(documents / df)


def library_idf(df: I64, documents: int, *, smooth: bool) -> F64:
    """scikit-learn's idf: 1 + ln(N / df); smooth: as if one more document had every term."""
    more = 1 if smooth else 0
    return 1 + np.log((documents + more) / (df + more))


def weigh(counts: csr_array, idf: F64, *, sublinear: bool, norm: Norm) -> csr_array:
    """tf idf of each entry; sublinear: 1 + ln tf. Rows at length 1 in the norm, if one is given."""
    table = counts.copy()
    tf = 1 + np.log(counts.data) if sublinear else counts.data
    table.data = tf * idf[counts.indices]
    if norm is not None:
        size = np.abs(table.data) if norm == "l1" else table.data**2
        length = np.bincount(row_of(table), size, table.shape[0])
        length = np.sqrt(length) if norm == "l2" else length
        table.data = table.data / np.where(length == 0, 1, length)[row_of(table)]
    return table


def cosines(queries: csr_array, documents: csr_array, idf: F64, *, sublinear: bool = False) -> F64:
    """TF-IDF similarity of each query to each document, (queries, documents)."""
    q, d = (weigh(counts, idf, sublinear=sublinear, norm="l2") for counts in (queries, documents))
    return (q @ d.T).toarray()


# %% [markdown]
# ## 2. BM25: repetition saturates, length is a dial


def bm25_weights(counts: csr_array, k1: float, b: float) -> csr_array:
    """idf tf / (tf + k1 (1 - b + b length / mean length)), as Lucene computes it.

    idf = ln(1 + (N - df + .5) / (df + .5)), which is never negative. Robertson and Zaragoza 2009,
    equation 3.15, without the constant factor k1 + 1, which changes no order.
    """
    documents, df = counts.shape[0], document_frequency(counts)
    idf = np.log1p((documents - df + 0.5) / (df + 0.5))
    lengths = np.bincount(row_of(counts), counts.data, documents)
    pay = k1 * (1 - b + b * lengths / lengths.mean())
    table = counts.copy()
    table.data = idf[counts.indices] * counts.data / (counts.data + pay[row_of(counts)])
    return table


def bm25_by_loops(
    query: Sequence[str], documents: Sequence[Sequence[str]], k1: float, b: float
) -> list[float]:
    """The score of each document once more, word by word, from the text itself."""
    mean = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        score = 0.0
        for word in query:
            df = sum(word in other for other in documents)
            tf = document.count(word)
            idf = log(1 + (len(documents) - df + 0.5) / (df + 0.5))
            score += idf * tf / (tf + k1 * (1 - b + b * len(document) / mean)) if tf else 0.0
        scores.append(score)
    return scores


# %% [markdown]
# ## 3. Vectors from counts: latent semantic analysis
# An SVD of other functions' words: words that stand in the same functions get similar vectors,
# so "delete" may find "remove" (Deerwester et al. 1990). This is the first dense retrieval.


@dataclass(frozen=True)
class Lsa:
    """Folds texts into the space of the largest singular vectors of the training texts."""

    terms: Terms
    idf: F64
    axes: F64

    @classmethod
    def learn(cls, texts: Sequence[Sequence[str]], dim: int) -> Lsa:
        terms = Terms(texts)
        counts = terms.count(texts)
        idf = library_idf(document_frequency(counts), len(texts), smooth=True)
        table = weigh(counts, idf, sublinear=True, norm="l2")
        dim = min(dim, min(table.shape) - 2)
        _, _, axes = svds(table, dim, v0=np.ones(min(table.shape)), tol=1e-2)
        return cls(terms, idf, axes.T)

    def vectors(self, texts: Sequence[Sequence[str]]) -> F64:
        """Unit vectors of the texts, (texts, dim); zeros for a text of unknown words."""
        counts = self.terms.count(texts)
        folded = weigh(counts, self.idf, sublinear=True, norm="l2") @ self.axes
        length = np.linalg.norm(folded, axis=1, keepdims=True)
        return folded / np.where(length == 0, 1, length)


# %% [markdown]
# ## 4. Is it right?

_NORMS: tuple[Norm, ...] = (None, "l1", "l2")
#: The example of the card: by hand, the query has a cosine of 0.729 with the first document.
BY_HAND = ("cat sat mat", "cat cat dog", "dog chased ball"), "cat mat"


def library_error(counts: csr_array) -> float:
    """The largest deviation from scikit-learn's TfidfTransformer, over all twelve conventions."""
    from sklearn.feature_extraction.text import TfidfTransformer

    worst, df = 0.0, document_frequency(counts)
    for smooth, sublinear, norm in product((True, False), (True, False), _NORMS):
        theirs = TfidfTransformer(norm=norm, smooth_idf=smooth, sublinear_tf=sublinear)
        found = theirs.fit_transform(counts)
        idf = library_idf(df, counts.shape[0], smooth=smooth)
        ours = weigh(counts, idf, sublinear=sublinear, norm=norm)
        worst = max(worst, float(np.abs(ours.toarray() - found.toarray()).max()))
    return worst


def by_hand() -> list[float]:
    """The cosines of the card's query with its three documents, under the textbook's idf."""
    documents = [text.split() for text in BY_HAND[0]]
    terms = Terms(documents)
    counts = terms.count(documents)
    idf = textbook_idf(document_frequency(counts), len(documents))
    return cosines(terms.count([BY_HAND[1].split()]), counts, idf)[0].tolist()
