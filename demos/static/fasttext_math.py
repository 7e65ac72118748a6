"""fastText's loss and gradients, and the checks of formulas and fast loop that a run makes.

Bojanowski et al. 2017, arXiv:1607.04606, section 3. What a word is made of is in
demos/static/subwords.py.
"""

from __future__ import annotations

from types import ModuleType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from demos.static.skipgram_math import sigmoid

F64: TypeAlias = NDArray[np.float64]

# %% [markdown]
# ## 1. The objective and its gradients
# What a word is made of is in demos/static/subwords.py: read it first. The rows of z are the units
# of the centre word, h is their mean; the rows of u are the context words, those of n the noise
# words, each told apart from each context word.


def window_loss(z: F64, u: F64, n: F64) -> float:
    """sum_c [-log s(u_c.h) - sum_i log s(-n_i.h)], h the mean of z's rows. u: (m, d), n: (k, d)."""
    h = z.mean(axis=0)
    return float(np.logaddexp(0, -(u @ h)).sum() + len(u) * np.logaddexp(0, n @ h).sum())


def window_gradients(z: F64, u: F64, n: F64) -> tuple[F64, F64, F64]:
    """The gradients of `window_loss` for h, u and n; each row of z gets 1/len(z) of h's."""
    h = z.mean(axis=0)
    pull = sigmoid(u @ h) - 1
    push = len(u) * sigmoid(n @ h)
    return pull @ u + push @ n, np.outer(pull, h), np.outer(push, h)


def finite_difference_error(rng: np.random.Generator, negatives: int) -> float:
    """The largest relative deviation of `window_gradients` from central differences, in float64."""
    worst, step = 0.0, 1e-5
    for _ in range(20):
        pieces, m = int(rng.integers(1, 6)), int(rng.integers(1, 5))
        point = rng.normal(0, 0.7, (pieces + m + negatives, 8))

        def loss(p: F64, pieces: int = pieces, m: int = m) -> float:
            return window_loss(p[:pieces], p[pieces : pieces + m], p[pieces + m :])

        to_h, du, dn = window_gradients(
            point[:pieces], point[pieces : pieces + m], point[pieces + m :]
        )
        exact = np.vstack([np.tile(to_h / pieces, (pieces, 1)), du, dn])
        nudges = np.eye(point.size).reshape(-1, *point.shape) * step
        guess = [(loss(point + nudge) - loss(point - nudge)) / (2 * step) for nudge in nudges]
        worst = max(worst, float(np.abs(exact.ravel() - guess).max() / np.abs(exact).max()))
    return worst


def fast_loop_error(
    kernel: ModuleType, rng: np.random.Generator, window: int, negatives: int
) -> float:
    """The largest relative deviation of the fast loop's loss and step from the formulas.

    All output words of a window differ here, so that stepping one after the other is the same as
    stepping all at once. At a learning rate of 1 the step is the negative gradient of h itself.
    """
    worst = 0.0
    for _ in range(30):
        inputs, outputs = rng.normal(0, 0.3, (2, 80, 24)).astype(np.float32)
        units = rng.permutation(80)[: rng.integers(1, 20)]
        rows = int(rng.integers(1, 2 * window + 1))
        words = rng.permutation(80)[: rows + negatives]
        contexts, noise = words[:rows], words[rows:]
        given = (
            inputs[units].astype(float),
            outputs[contexts].astype(float),
            outputs[noise].astype(float),
        )
        expected, gradients = window_loss(*given), window_gradients(*given)
        after = inputs.copy(), outputs.copy()
        scratch = kernel.scratch(inputs.shape[1])
        rate = np.float32(1)
        loss = kernel.step_window(units, contexts, rows, noise, rate, *after, *scratch)
        worst = max(worst, abs(loss - expected) / expected)
        steps = (
            (inputs - after[0])[units] - gradients[0],
            (outputs - after[1])[contexts] - gradients[1],
            (outputs - after[1])[noise] - gradients[2],
        )
        for deviation, gradient in zip(steps, gradients, strict=True):
            worst = max(worst, float(np.abs(deviation).max() / np.abs(gradient).max()))
    return worst
