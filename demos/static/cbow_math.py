"""CBOW's loss and gradients, and the checks of formulas and fast loop that a run makes.

Mikolov et al. 2013 (arXiv:1301.3781, section 3.1) for the model, arXiv:1310.4546 (equation 4) for
negative sampling.
"""

from __future__ import annotations

from types import ModuleType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from demos.static.skipgram_math import sigmoid

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]

# %% [markdown]
# ## 1. The objective and its gradients
# The rows of v are the vectors of the m context words, h is their mean; u is the output vector of
# the centre word, the rows of n those of k noise words. Everything behind h is skip-gram's loss.


def window_loss(v: F64, u: F64, n: F64) -> float:
    """-log s(u.h) - sum_i log s(-n_i.h) with h the mean of v's rows. v: (m, d), u: (d,), n: (k, d)."""
    h = v.mean(axis=0)
    return float(np.logaddexp(0, -(u @ h)) + np.logaddexp(0, n @ h).sum())


def window_gradients(v: F64, u: F64, n: F64) -> tuple[F64, F64, F64]:
    """The gradients of `window_loss` for v, u and n. All rows of v get the same: a share of h's."""
    h = v.mean(axis=0)
    pull = sigmoid(u @ h) - 1  # label 1
    push = sigmoid(n @ h)  # labels 0
    to_h = pull * u + push @ n
    return np.tile(to_h / len(v), (len(v), 1)), pull * h, np.outer(push, h)


# %% [markdown]
# word2vec.c and gensim leave out the division by m and hand `to_h` to every context word. That is
# no gradient of this loss, but with its own learning rate it works (arXiv:2012.15332 found it).
# `--divide` trains with the exact gradient; it wants a rate about five times as large.

# %% [markdown]
# ## 2. Is it right?


def finite_difference_error(rng: np.random.Generator, negatives: int) -> float:
    """The largest relative deviation of `window_gradients` from central differences, in float64."""
    worst, step = 0.0, 1e-5
    for _ in range(20):
        m = int(rng.integers(1, 6))
        point = rng.normal(0, 0.7, (m + 1 + negatives, 8))
        exact = np.vstack(window_gradients(point[:m], point[m], point[m + 1 :]))
        nudges = np.eye(point.size).reshape(-1, *point.shape) * step
        there = [window_loss(p[:m], p[m], p[m + 1 :]) for p in point + nudges]
        back = [window_loss(p[:m], p[m], p[m + 1 :]) for p in point - nudges]
        guess = np.subtract(there, back) / (2 * step)
        worst = max(worst, float(np.abs(exact.ravel() - guess).max() / np.abs(exact).max()))
    return worst


def slow_window(contexts: I64, targets: I64, inputs: F64, outputs: F64) -> tuple[float, F64, F64]:
    """Loss and gradients of one window for whole matrices; words may occur more than once."""
    v, u, n = inputs[contexts], outputs[targets[0]], outputs[targets[1:]]
    d_inputs, d_outputs = np.zeros_like(inputs), np.zeros_like(outputs)
    dv, du, dn = window_gradients(v, u, n)
    np.add.at(d_inputs, contexts, dv)
    d_outputs[targets[0]] += du
    np.add.at(d_outputs, targets[1:], dn)
    return window_loss(v, u, n), d_inputs, d_outputs


def fast_loop_error(
    kernel: ModuleType, rng: np.random.Generator, window: int, negatives: int
) -> float:
    """The largest relative deviation of the fast loop's loss and gradients from the slow one's.

    At a learning rate of 1 the fast loop's step is the negative gradient itself.
    """
    worst = 0.0
    for _ in range(30):
        inputs, outputs = rng.normal(0, 0.3, (2, 40, 24)).astype(np.float32)
        contexts = rng.integers(0, 40, rng.integers(1, 2 * window + 1))
        targets = rng.integers(0, 40, negatives + 1)
        exact = slow_window(contexts, targets, inputs.astype(float), outputs.astype(float))
        after = inputs.copy(), outputs.copy()
        scratch = kernel.scratch(negatives, inputs.shape[1])
        rows, rate = len(contexts), np.float32(1)
        loss = kernel.step_window(contexts, rows, targets, rate, True, *after, *scratch)
        worst = max(worst, abs(loss - exact[0]) / exact[0])
        for before, stepped, gradient in zip((inputs, outputs), after, exact[1:], strict=True):
            deviation = np.abs(before.astype(float) - stepped - gradient).max()
            worst = max(worst, float(deviation / np.abs(gradient).max()))
    return worst


def order_difference(rng: np.random.Generator) -> float:
    """The largest change of the loss when the words of a window are shuffled."""
    worst = 0.0
    for _ in range(20):
        v, u, n = rng.normal(size=(8, 16)), rng.normal(size=16), rng.normal(size=(5, 16))
        change = window_loss(v, u, n) - window_loss(rng.permutation(v), u, n)
        worst = max(worst, abs(change))
    return worst
