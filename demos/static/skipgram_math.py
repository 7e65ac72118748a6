"""Skip-gram's loss and gradients, the checks of formulas and fast loop, and what the products learn.

Read this before demos/static/skipgram.py, which runs it. Mikolov et al. 2013, arXiv:1310.4546;
Levy and Goldberg 2014 for the last part.
"""

from __future__ import annotations

from math import log
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from demos.kit.corpus import Corpus
from demos.kit.counting import cooccurrence, pmi, smoothed
from demos.kit.trainer import Model
from demos.static.specs import SkipgramParams

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]

# %% [markdown]
# ## 1. Which words, how often
# Two changes to the raw text matter more than any cleverness in the model: frequent words are
# thinned out (`keep_chance` in kit/counting.py), and noise words are drawn from flattened counts
# (`smoothed`, beside it: counts^0.75, between uniform and the counts themselves).

# %% [markdown]
# ## 2. The objective and its gradients
# v is the vector of the input word, u that of the true output word, n those of k noise words.


def sigmoid(x: F64) -> F64:
    """1 / (1 + exp(-x)), without overflow."""
    return np.exp(-np.logaddexp(0, -x))


def pair_loss(v: F64, u: F64, n: F64) -> float:
    """Equation 4, negated: -log s(u.v) - sum_i log s(-n_i.v), in nats. v, u: (d,); n: (k, d)."""
    return float(np.logaddexp(0, -(u @ v)) + np.logaddexp(0, n @ v).sum())


def pair_gradients(v: F64, u: F64, n: F64) -> tuple[F64, F64, F64]:
    """The gradients of `pair_loss` for v, u and n: everywhere sigmoid minus label."""
    pull = sigmoid(u @ v) - 1  # label 1
    push = sigmoid(n @ v)  # labels 0
    return pull * u + push @ n, pull * v, np.outer(push, v)


def window_gradient(
    contexts: I64, targets: I64, inputs: F64, outputs: F64
) -> tuple[float, F64, F64]:
    """Loss and gradients of one window, one pair after the other: slow, and easy to believe.

    As in word2vec.c the context words are the inputs and the centre, `targets[0]`, is the output:
    each pair of neighbours occurs both ways round, so the sum over a text is the same. The
    negatives `targets[1:]` serve all pairs of the window.
    """
    d_inputs, d_outputs, loss = np.zeros_like(inputs), np.zeros_like(outputs), 0.0
    for word in contexts:
        v, u, n = inputs[word], outputs[targets[0]], outputs[targets[1:]]
        loss += pair_loss(v, u, n)
        dv, du, dn = pair_gradients(v, u, n)
        d_inputs[word] += dv
        d_outputs[targets[0]] += du
        np.add.at(d_outputs, targets[1:], dn)
    return loss, d_inputs, d_outputs


# %% [markdown]
# ## 3. Is it right?
# Finite differences judge the formulas; the formulas judge the fast loop in demos/kit/sgns.py,
# which does the same for a whole window at once with three small matrix products.


def finite_difference_error(rng: np.random.Generator, negatives: int) -> float:
    """The largest relative deviation of `pair_gradients` from central differences, in float64."""
    worst, step = 0.0, 1e-5
    for _ in range(20):
        point = rng.normal(0, 0.7, (negatives + 2, 8))
        exact = np.vstack(pair_gradients(point[0], point[1], point[2:]))
        nudges = np.eye(point.size).reshape(-1, *point.shape) * step
        there = [pair_loss(p[0], p[1], p[2:]) for p in point + nudges]
        back = [pair_loss(p[0], p[1], p[2:]) for p in point - nudges]
        guess = np.subtract(there, back) / (2 * step)
        worst = max(worst, float(np.abs(exact.ravel() - guess).max() / np.abs(exact).max()))
    return worst


def fast_loop_error(
    kernel: ModuleType, rng: np.random.Generator, window: int, negatives: int
) -> float:
    """The largest relative deviation of the fast loop's losses and gradients from the slow one's.

    Both get the same float32 vectors, windows and negatives. At a learning rate of 1 the fast
    loop's step is the negative gradient itself.
    """
    worst = 0.0
    for _ in range(30):
        inputs, outputs = rng.normal(0, 0.3, (2, 40, 24)).astype(np.float32)
        contexts = rng.integers(0, 40, rng.integers(1, 2 * window + 1))
        targets = rng.integers(0, 40, negatives + 1)
        exact = window_gradient(contexts, targets, inputs.astype(float), outputs.astype(float))
        after = inputs.copy(), outputs.copy()
        scratch = kernel.scratch(window, negatives, inputs.shape[1])
        loss = kernel.step_window(contexts, len(contexts), targets, np.float32(1), *after, *scratch)
        worst = max(worst, abs(loss - exact[0]) / exact[0])
        for before, stepped, gradient in zip((inputs, outputs), after, exact[1:], strict=True):
            deviation = np.abs(before.astype(float) - stepped - gradient).max()
            worst = max(worst, float(deviation / np.abs(gradient).max()))
    return worst


# %% [markdown]
# ## 4. What the dot products learn
# Levy and Goldberg (NeurIPS 2014, section 3): take the part of the loss that one pair (w, c)
# contributes and set its derivative to zero. The best dot product is PMI(w, c) - log k.

#: Small vocabulary, no subsampling: so the dot products have room and time to settle.
IDENTITY: dict[str, Any] = {
    "epochs": 14,
    "dim": 128,
    "window": 2,
    "negatives": 5,
    "power": 0.75,
    "sample": 0.0,
    "lr": 0.05,
    "min_count": 20,
    "threads": 1,
}


class Identity(NamedTuple):
    """Dot products beside PMI - log k, for each observed pair, and how often it was seen."""

    product: F64
    theory: F64
    seen: F64

    def correlation(self, least: int) -> tuple[float, int]:
        """Pearson's correlation over the pairs seen at least `least` times, and their number."""
        often = self.seen >= least
        return float(np.corrcoef(self.product[often], self.theory[often])[0, 1]), int(often.sum())


def compare_with_pmi(corpus: Corpus, model: Model, params: SkipgramParams) -> Identity:
    """For word w as input and c as output; PMI against the same noise as in training."""
    size = len(model.words)
    ids = np.asarray(corpus.ids)
    counts = cooccurrence(ids, size, params.window)
    theory = pmi(counts, smoothed(corpus.counts[:size].astype(float), params.power)).tocoo()
    seen = cooccurrence(ids, size, params.window, weighted=False).tocoo()
    product = np.einsum("ij,ij->i", model.inputs[theory.row], model.outputs[theory.col])
    return Identity(product.astype(float), theory.data - log(params.negatives), seen.data)
