"""Word vectors by counting: co-occurrence, PMI, truncated SVD. The baseline for what is trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.linalg import svds

from demos.kit.corpus import SENTENCE_END

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]


def keep_chance(counts: NDArray[np.int64], threshold: float) -> F32:
    """The chance of each word to survive subsampling; all 1 at threshold 0.

    Equation 5 of Mikolov et al. 2013 (arXiv:1310.4546) discards with 1 - sqrt(t/f). The released
    program, and gensim after it, keeps sqrt(t/f) + t/f instead, a little more; so do we.
    """
    if threshold <= 0:
        return np.ones(len(counts), np.float32)
    ratio = threshold / (counts / counts.sum())
    return np.minimum(1, np.sqrt(ratio) + ratio).astype(np.float32)


def cooccurrence(
    ids: I32,
    size: int,
    window: int,
    *,
    weighted: bool = True,
    keep: F32 | None = None,
    harmonic: bool = False,
) -> csr_array:
    """X[w, c]: how often c stands within `window` words of w, both below `size`.

    Weighted: a distance of o counts (window - o + 1) / window, which is what a window drawn
    uniformly from 1..window sees in the mean; `harmonic`, as in GloVe: 1 / o. `keep` multiplies
    both sides by each word's chance to survive subsampling: its expectation, where distances are
    those of the full text.
    """
    sentence = np.cumsum(ids == SENTENCE_END)[ids < size]
    text = ids[ids < size]
    rows, columns, weights = [], [], []
    for o in range(1, window + 1):
        left, right = text[:-o], text[o:]
        together = (left >= 0) & (right >= 0) & (sentence[:-o] == sentence[o:])
        left, right = left[together], right[together]
        share = 1 / o if harmonic else (window - o + 1) / window
        weight = np.full(len(left), share if weighted else 1.0)
        if keep is not None:
            weight *= keep[left] * keep[right]
        rows.append(left)
        columns.append(right)
        weights.append(weight)
    places = (np.concatenate(rows), np.concatenate(columns))
    forward = coo_array((np.concatenate(weights), places), shape=(size, size)).tocsr()
    return forward + forward.T.tocsr()


def pmi(counts: csr_array, noise: F64) -> csr_array:
    """log P(w, c) / (P(w) noise(c)) of the observed pairs, noise summing to 1."""
    found = counts.tocoo()
    row_sums = np.asarray(counts.sum(axis=1)).ravel()
    values = np.log(found.data / (row_sums[found.row] * noise[found.col]))
    return coo_array((values, (found.row, found.col)), shape=counts.shape).tocsr()


def smoothed(counts: F64, power: float) -> F64:
    """counts^power, made to sum to 1: the noise distribution of word2vec at power 3/4."""
    weight = counts**power
    return weight / weight.sum()


def ppmi_vectors(counts: csr_array, dim: int, tolerance: float = 0.0) -> F32:
    """U S^(1/2) of the positive PMI, contexts smoothed by 3/4 (Levy, Goldberg & Dagan 2015).

    The `dim` largest singular values by Lanczos iteration from a fixed start: no seed.
    `tolerance` is the relative error of the singular values that is good enough; 0 is full precision.
    """
    sums = np.asarray(counts.sum(axis=0)).ravel()
    table = pmi(counts, smoothed(sums, 0.75)).astype(np.float32)
    table.data = np.maximum(table.data, 0)
    table.eliminate_zeros()
    start = np.ones(table.shape[0], np.float32)
    u, s, _ = svds(table, dim, v0=start, tol=tolerance)
    return np.ascontiguousarray(u * np.sqrt(s), np.float32)
