"""How well a query finds its own item: ranks, Recall@K, and the method without any training.

Everything here takes plain arrays, so the same functions score a network and a baseline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from demos.kit.words import split_words


def ranks(similarity: np.ndarray, right: np.ndarray | None = None) -> np.ndarray:
    """The place, from 0, of the right item for each query, (queries,) int.

    `similarity` is (queries, pool); `right` says which column is right for each row, the
    diagonal when it's None. What scores as high as the right
    item counts as placed before it, so a model that gives everything the same score, or NaN, is
    last and not first, and of two identical pictures neither is found at rank 0.
    """
    rows = np.arange(len(similarity))
    score = similarity[rows, rows if right is None else right]
    return (~(similarity < score[:, None])).sum(axis=1) - 1


def recall_at(places: np.ndarray, k: int) -> float:
    """The share of queries whose right item is among the first `k`."""
    return float((places < k).mean())


def chance_recall(k: int, pool: int) -> float:
    """Recall@k of a ranking at random: k of the pool's items are tried."""
    return min(1.0, k / pool)


def bag_of_words(texts: Sequence[str], fitted_on: Sequence[str]) -> np.ndarray:
    """Unit vectors of tf-idf weighted words, (n, words of `fitted_on`) float32.

    A word that `fitted_on` does not have is ignored; a text of such words only is all zeros.
    """
    seen = Counter(word for text in fitted_on for word in set(split_words(text)))
    column = {word: i for i, word in enumerate(sorted(seen))}
    rarity = {word: float(np.log((1 + len(fitted_on)) / (1 + n)) + 1) for word, n in seen.items()}
    out = np.zeros((len(texts), len(column)), np.float32)
    for row, text in enumerate(texts):
        for word in split_words(text):
            if word in column:
                out[row, column[word]] += rarity[word]
    length = np.linalg.norm(out, axis=1, keepdims=True)
    return np.divide(out, length, out=out, where=length > 0)


def copy_similarity(
    queries: Sequence[str],
    pool: np.ndarray,
    known_texts: Sequence[str],
    known_pictures: np.ndarray,
) -> np.ndarray:
    """Retrieval without learning, (queries, pool): copy the nearest caption's picture.

    For each query the training caption that shares most words is found, and the pool is ordered
    by the distance of its pixels to that caption's picture. Pictures are (n, …) uint8.
    """
    words = bag_of_words(queries, known_texts) @ bag_of_words(known_texts, known_texts).T
    guess = _flat(known_pictures)[words.argmax(axis=1)]
    items = _flat(pool)
    squares = (items**2).sum(axis=1)[None, :] - 2 * guess @ items.T
    return -squares


def _flat(pictures: np.ndarray) -> np.ndarray:
    return pictures.reshape(len(pictures), -1).astype(np.float32) / 255
