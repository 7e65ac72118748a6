"""The inner loop of GloVe's training, compiled by numba.

Import this module only through `demos.kit.compiled.load`.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]

compiled = njit(
    nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"}
)


@compiled
def train(
    rows: I32,
    columns: I32,
    logs: F32,
    weights: F32,
    words: F32,
    contexts: F32,
    word_squares: F32,
    context_squares: F32,
    eta: np.float32,
) -> float:
    """AdaGrad over the cells in the order given; returns the sum of their losses before each step.

    A cell c pulls words[rows[c]] . contexts[columns[c]] plus the two biases to logs[c] with
    weights[c]. The biases stand in the last column of each matrix, which the dot product leaves
    out. `*_squares` begin at 1 and sum up the squares of eta times the gradient: the released
    program multiplies by eta first, so its rates fall far more slowly than AdaGrad's would.
    """
    bias = words.shape[1] - 1
    w, v = np.zeros(bias, np.float32), np.zeros(bias, np.float32)
    total = 0.0
    for c in range(rows.shape[0]):
        i, j = rows[c], columns[c]
        for d in range(bias):
            w[d], v[d] = words[i, d], contexts[j, d]
        product = np.float32(0)
        for d in range(bias):
            product += w[d] * v[d]
        error = product + words[i, bias] + contexts[j, bias] - logs[c]
        slope = weights[c] * error
        total += 0.5 * np.float64(slope) * np.float64(error)
        slope *= eta
        # A loop for each side: with few arrays the compiler can see that none overlap.
        for d in range(bias):
            step, square = slope * v[d], word_squares[i, d]
            words[i, d] = w[d] - step / np.sqrt(square)
            word_squares[i, d] = square + step * step
        for d in range(bias):
            step, square = slope * w[d], context_squares[j, d]
            contexts[j, d] = v[d] - step / np.sqrt(square)
            context_squares[j, d] = square + step * step
        words[i, bias] -= slope / np.sqrt(word_squares[i, bias])
        contexts[j, bias] -= slope / np.sqrt(context_squares[j, bias])
        word_squares[i, bias] += slope * slope
        context_squares[j, bias] += slope * slope
    return total


def warm_up() -> None:
    """Compile what a run calls, or read it from the cache, with the types that a run uses."""
    cell, one = np.zeros(1, np.int32), np.ones(1, np.float32)
    matrices = [np.ones((1, 3), np.float32) for _ in range(4)]
    train(cell, cell, one, one, *matrices, np.float32(0.05))
