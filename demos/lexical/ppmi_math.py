"""From a text to a table of PMI, from the table to vectors, and two bridges to other methods.

Read this before demos/lexical/ppmi.py, which runs it. Levy, Goldberg and Dagan 2015, TACL 3,
Q15-1016, for what is done with the table; Levy and Goldberg 2014 for the bridge to word2vec.
"""

from __future__ import annotations

from math import log
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.linalg import svds

from demos.kit.corpus import SENTENCE_END, Corpus
from demos.kit.counting import pmi, smoothed

F32: TypeAlias = NDArray[np.float32]
F64: TypeAlias = NDArray[np.float64]
I32: TypeAlias = NDArray[np.int32]

#: Places of a long text that are read.
MAX_PLACES = 4_000_000

# %% [markdown]
# ## 1. Counting
# A context d words away counts (window - d + 1) / window. Frequent words say little about their
# neighbours, so word2vec drops most of their occurrences at random. Counting can do better: it
# multiplies each pair by the chance that both would survive. Nothing is left to chance.


def plain_count(ids: I32, size: int, window: int) -> F64:
    """`cooccurrence` by four loops, (size, size): slow, and easy to believe."""
    table = np.zeros((size, size))
    for sentence in np.split(ids, np.flatnonzero(ids == SENTENCE_END)):
        words = [int(word) for word in sentence if 0 <= word < size]
        for i, word in enumerate(words):
            for j in range(max(0, i - window), min(len(words), i + window + 1)):
                if i != j:
                    table[word, words[j]] += (window - abs(i - j) + 1) / window
    return table


# %% [markdown]
# ## 2. From counts to vectors


def positive_pmi(counts: csr_array, power: float, shift: int) -> csr_array:
    """max(PMI(w, c) - log k, 0), contexts smoothed by `power` (Levy et al. 2015, 3.1 and 3.2).

    PMI(w, c) = log P(w, c) / (P(w) P(c)). Contexts raised to 0.75 make a rare context more
    probable than it is, which takes from the PMI of rare pairs: the measure's known bias.
    """
    sums = np.asarray(counts.sum(axis=0)).ravel()
    table = pmi(counts, smoothed(sums, power)).astype(np.float32)
    table.data = np.maximum(table.data - np.float32(log(shift)), 0)
    table.eliminate_zeros()
    return table


def factor(table: csr_array, dim: int) -> F32:
    """U S^(1/2) of the `dim` largest singular values, (words, dim).

    The square root gives all directions a say (Levy et al. 2015, 3.3): with S the first few
    drown the others. Lanczos iteration from a fixed start, so the result has no seed.
    """
    u, s, _ = svds(table, dim, v0=np.ones(min(table.shape), np.float32), tol=1e-2)
    return np.ascontiguousarray(u * np.sqrt(s), np.float32)


# %% [markdown]
# ## 3. Two bridges


def best_product(together: F64, word: F64, context: F64, total: float, k: int) -> F64:
    """The dot product that minimises skip-gram's loss for a pair, found by halving intervals.

    Levy and Goldberg 2014, equation 5: #(w, c) log s(x) + k #(w) #(c) / |D| log s(-x) is what
    the pair contributes; its derivative falls with x, so its zero is bracketed and halved.
    """
    low, high = np.full(len(together), -40.0), np.full(len(together), 40.0)
    expected = k * word * context / total
    for _ in range(80):
        middle = (low + high) / 2
        up = together / (1 + np.exp(middle)) > expected / (1 + np.exp(-middle))
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    return (low + high) / 2


def bridge_error(counts: csr_array, k: int, rng: np.random.Generator) -> float:
    """How far the best products of 2,000 pairs are from PMI - log k, at most."""
    found = counts.tocoo()
    pick = rng.integers(0, found.nnz, 2000)
    rows, columns, together = found.row[pick], found.col[pick], found.data[pick]
    sums = np.asarray(counts.sum(axis=1)).ravel()
    exact = best_product(together, sums[rows], sums[columns], float(sums.sum()), k)
    theory = pmi(counts, sums / sums.sum()).tocsr()
    return float(np.abs(exact - (np.asarray(theory[rows, columns]).ravel() - log(k))).max())


def term_documents(corpus: Corpus, size: int, length: int) -> csr_array:
    """How often each of `size` words is in each passage of `length` words, (words, passages)."""
    ids = np.asarray(corpus.ids[:MAX_PLACES])
    ids = ids[ids != SENTENCE_END]
    passage = np.arange(len(ids)) // length
    known = ids < size
    ones = np.ones(int(known.sum()))
    shape = (size, int(passage[-1]) + 1)
    return coo_array((ones, (ids[known], passage[known])), shape=shape).tocsr()


def lsa(counts: csr_array, dim: int) -> F32:
    """Latent semantic analysis: SVD of log(1 + tf) idf over passages, (words, dim)."""
    df = np.diff(counts.indptr)
    table = counts.copy().astype(np.float32)
    table.data = np.log1p(table.data) * np.repeat(np.log(counts.shape[1] / np.maximum(df, 1)), df)
    return factor(table, dim)


def lsa_error(counts: csr_array) -> float:
    """Squared singular values of word counts by passage, against the eigenvalues of co-occurrence.

    The right side counts pairs: how often two words (or a word and itself) share a passage.
    """
    dense = counts[:300].toarray()
    pairs = sum(np.outer(passage, passage) for passage in dense.T)
    squares = np.linalg.svd(dense, compute_uv=False) ** 2
    values = np.linalg.eigvalsh(pairs)[::-1]
    return float(np.abs(squares - values[: len(squares)]).max() / squares[0])
