"""Questions about a handwritten digit that neither the picture nor the words can answer alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

#: For each question: the digits with the answer yes, two wordings, and two of its negation.
QUESTIONS: Final = (
    (
        frozenset({0, 2, 4, 6, 8}),
        ("is it even", "can two divide it"),
        ("is it odd", "does halving leave a remainder"),
    ),
    (
        frozenset({5, 6, 7, 8, 9}),
        ("is it greater than four", "is it one of the upper five"),
        ("is it at most four", "is it one of the lower five"),
    ),
    (
        frozenset({0, 3, 6, 8, 9}),
        ("is it drawn with curves only", "are all its strokes round"),
        ("is it drawn with a straight stroke", "are some of its strokes straight"),
    ),
    (
        frozenset({0, 3, 6, 9}),
        ("is it a multiple of three", "can three divide it"),
        ("is it no multiple of three", "can three not divide it"),
    ),
    (
        frozenset({2, 3, 5, 7}),
        ("is it prime", "has it exactly two divisors"),
        ("is it not prime", "has it more or fewer than two divisors"),
    ),
    (
        frozenset({0, 6, 8, 9}),
        ("does it have a closed loop", "is there a hole in its shape"),
        ("does it have no closed loop", "is there no hole in its shape"),
    ),
)


@dataclass(frozen=True)
class Task:
    """Digits, questions and the table of right answers.

    `pictures` (N, 64) in [0, 1], `digits` (N), `words` (24, L) numbers of words with 0 as
    padding, `answers` (10, 24) with 1 for yes; `train` and `test` are disjoint picture numbers.
    """

    pictures: F32
    digits: I64
    questions: tuple[str, ...]
    words: I64
    vocabulary: int
    answers: F32
    train: I64
    test: I64

    def text_only(self) -> float:
        """The best accuracy on the test pictures that the words alone allow."""
        yes = self.shares() @ self.answers
        return float(np.maximum(yes, 1 - yes).mean())

    def image_only(self) -> float:
        """The best accuracy that the picture alone allows: each yes has its no."""
        yes = self.answers.mean(axis=1)
        return float(self.shares() @ np.maximum(yes, 1 - yes))

    def shares(self) -> F64:
        """How often each digit stands in the test pictures."""
        return np.bincount(self.digits[self.test], minlength=10) / len(self.test)


def make_task(rng: np.random.Generator, held_out: int = 500) -> Task:
    """scikit-learn's 1,797 digits (UCI, 8 x 8 pixels) with 24 wordings of six questions."""
    pictures, digits = load_digits(return_X_y=True)
    asked = [(yes, text, negated) for yes, *texts in QUESTIONS for negated in (0, 1)
             for text in texts[negated]]  # fmt: skip
    questions = tuple(text for _, text, _ in asked)
    known = {word: n for n, word in enumerate(sorted({w for t in questions for w in t.split()}), 1)}
    longest = max(len(text.split()) for text in questions)
    words = np.zeros((len(questions), longest), np.int64)
    for row, text in enumerate(questions):
        numbers = [known[word] for word in text.split()]
        words[row, : len(numbers)] = numbers
    answers = np.array([[(d in yes) != bool(n) for yes, _, n in asked] for d in range(10)])
    order = rng.permutation(len(digits))
    return Task(
        (pictures / 16).astype(np.float32),
        digits.astype(np.int64),
        questions,
        words,
        len(known) + 1,
        answers.astype(np.float32),
        order[held_out:],
        order[:held_out],
    )


def additive_optimum(answers: F32, steps: int = 30) -> tuple[F64, F64]:
    """The additive logits f(digit) + g(question) of the least log loss, by Newton's method.

    Returns f (10), of mean 0, and g (24). Even with the digit and the question given as such, f comes out
    constant: a question and its negation ask the same f to rise and to fall.
    """
    digits, questions = answers.shape
    columns = np.zeros((digits * questions, digits + questions))
    rows = np.arange(len(columns))
    columns[rows, rows // questions] = 1
    columns[rows, digits + rows % questions] = 1
    target = answers.reshape(-1).astype(np.float64)
    weights = np.random.default_rng(0).normal(0, 0.5, columns.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-columns @ weights))
        curvature = (columns * (p * (1 - p))[:, None]).T @ columns
        weights -= np.linalg.pinv(curvature) @ (columns.T @ (p - target))
    level = weights[:digits].mean()
    return weights[:digits] - level, weights[digits:] + level
