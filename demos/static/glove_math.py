"""GloVe's mathematics: the table of counts, the loss, two ways down, and ratios.

Read this before demos/static/glove.py, which runs it. Pennington, Socher & Manning 2014, D14-1162.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from demos.kit.corpus import SENTENCE_END, Corpus
from demos.kit.counting import cooccurrence
from demos.kit.similarity import Space

F32: TypeAlias = NDArray[np.float32]
F64: TypeAlias = NDArray[np.float64]
I32: TypeAlias = NDArray[np.int32]

# %% [markdown]
# ## 1. The table
# X[i, j]: how often word j stands near word i, a distance of o counting 1/o. This decides what
# "near" means, and with it what the vectors will mean.

#: Places of text that are counted at a time, so that memory holds the table and little more.
_STRETCH = 1_000_000
#: More cells than this don't fit an ordinary laptop with all that is made of them.
_MOST_CELLS = 10_000_000


def count_table(corpus: Corpus, size: int, window: int) -> tuple[csr_array, float]:
    """X over the `size` most frequent words, and the share of the text that it was counted on.

    Counting ends early when the table is full, so that a text of any length can be used.
    """
    table, places = csr_array((size, size), dtype=np.float64), 0
    for piece in corpus.stretches(_STRETCH):
        table = table + cooccurrence(piece, size, window, harmonic=True)
        places += len(piece)
        if table.nnz > _MOST_CELLS:
            break
    return table.tocsr(), places / len(corpus.ids)


def count_slowly(ids: I32, size: int, window: int) -> dict[tuple[int, int], float]:
    """The same table by two loops over each sentence."""
    table: dict[tuple[int, int], float] = {}
    for sentence in np.split(ids, np.flatnonzero(ids == SENTENCE_END)):
        words = [int(word) for word in sentence if 0 <= word < size]
        for here, word in enumerate(words):
            for there in range(max(0, here - window), here):
                for cell in ((word, words[there]), (words[there], word)):
                    table[cell] = table.get(cell, 0.0) + 1 / (here - there)
    return table


def support_difference(table: csr_array, slow: dict[tuple[int, int], float]) -> int:
    """How many cells are filled in one of the tables only, or filled with another count."""
    cells = table.tocoo()
    keys = zip(cells.row.tolist(), cells.col.tolist(), strict=True)
    fast = dict(zip(keys, cells.data.tolist(), strict=True))
    apart = len(fast.keys() ^ slow.keys())
    return apart + sum(abs(fast[key] - slow[key]) > 1e-9 * slow[key] for key in fast if key in slow)


# %% [markdown]
# ## 2. The objective and its gradients


def weighting(x: F64, x_max: float, alpha: float) -> F64:
    """f(x) = min(1, (x / x_max)^alpha), equation 9: caps what is frequent, and is 0 at 0."""
    return np.minimum(1, (x / x_max) ** alpha)


def cell_loss(w: F64, c: F64, x: float, weight: float) -> float:
    """1/2 f(x) (w.c + b + b' - log x)^2 of one cell; the last entries of w and c are b and b'."""
    return float(0.5 * weight * (w[:-1] @ c[:-1] + w[-1] + c[-1] - np.log(x)) ** 2)


def cell_gradients(w: F64, c: F64, x: float, weight: float) -> tuple[F64, F64]:
    """The gradients of `cell_loss` for w and c."""
    slope = weight * (w[:-1] @ c[:-1] + w[-1] + c[-1] - np.log(x))
    return slope * np.append(c[:-1], 1.0), slope * np.append(w[:-1], 1.0)


def finite_difference_error(rng: np.random.Generator) -> float:
    """The largest relative deviation of `cell_gradients` from central differences, in float64."""
    worst, step = 0.0, 1e-5
    for _ in range(50):
        point, x, weight = rng.normal(0, 0.7, (2, 9)), rng.uniform(0.1, 50), rng.uniform(0.1, 1)
        exact = np.vstack(cell_gradients(point[0], point[1], x, weight))
        nudges = np.eye(point.size).reshape(-1, *point.shape) * step
        there = [cell_loss(p[0], p[1], x, weight) for p in point + nudges]
        back = [cell_loss(p[0], p[1], x, weight) for p in point - nudges]
        guess = np.subtract(there, back) / (2 * step)
        worst = max(worst, float(np.abs(exact.ravel() - guess).max() / np.abs(exact).max()))
    return worst


# %% [markdown]
# ## 3. Two ways down
# AdaGrad visits the cells in random order; each number has its own learning rate, divided by the
# root of its summed squares. Exact least squares takes one side as given: then every word of the
# other is a small weighted linear system of its own.


class Cells(NamedTuple):
    """The filled cells of X: rows, columns, log counts and weights."""

    rows: I32
    columns: I32
    logs: F32
    weights: F32


def cells_of(table: csr_array, x_max: float, alpha: float) -> Cells:
    """The filled cells with what training needs to know of each."""
    found = table.tocoo()
    return Cells(
        found.row.astype(np.int32),
        found.col.astype(np.int32),
        np.log(found.data).astype(np.float32),
        weighting(found.data, x_max, alpha).astype(np.float32),
    )


@dataclass
class Model:
    """Word and context vectors (V, d + 1); the last column holds the biases."""

    words: F32
    contexts: F32

    def vectors(self) -> F32:
        """W + C, which is what the released program writes out."""
        return self.words[:, :-1] + self.contexts[:, :-1]


def new_model(size: int, dim: int, rng: np.random.Generator) -> Model:
    """Small random numbers everywhere, as in the released program."""
    words, contexts = ((rng.random((2, size, dim + 1)) - 0.5) / dim).astype(np.float32)
    return Model(words, contexts)


def adagrad(
    kernel: ModuleType, cells: Cells, model: Model, eta: float, rng: np.random.Generator, times: int
) -> Iterator[float]:
    """Pass `times` over all cells in random order; yields the mean loss of each pass."""
    squares = np.ones_like(model.words), np.ones_like(model.contexts)
    for _ in range(times):
        order = rng.permutation(len(cells.rows))
        shuffled = (part[order] for part in cells)  # in order in memory, which is much faster
        total = kernel.train(*shuffled, model.words, model.contexts, *squares, np.float32(eta))
        yield total / len(order)


def slow_adagrad(cells: Cells, model: Model, eta: float) -> float:
    """One pass cell by cell with `cell_gradients`, in float64: slow, and easy to believe."""
    words, contexts = model.words.astype(float), model.contexts.astype(float)
    squares, total = [np.ones_like(words), np.ones_like(contexts)], 0.0
    for c in range(len(cells.rows)):
        i, j, x, weight = (
            cells.rows[c], cells.columns[c], float(np.exp(cells.logs[c])), float(cells.weights[c]),
        )  # fmt: skip
        total += cell_loss(words[i], contexts[j], x, weight)
        steps = [eta * each for each in cell_gradients(words[i], contexts[j], x, weight)]
        for matrix, place, square, step in zip(
            (words, contexts), (i, j), squares, steps, strict=True
        ):
            matrix[place] -= step / np.sqrt(square[place])
            square[place] += step**2
    model.words, model.contexts = words.astype(np.float32), contexts.astype(np.float32)
    return total


def fast_loop_error(kernel: ModuleType, rng: np.random.Generator) -> float:
    """The largest deviation of the fast pass from the slow one, relative to the largest change."""
    size, number = 30, 400
    cells = Cells(
        rng.integers(0, size, number, np.int32),
        rng.integers(0, size, number, np.int32),
        rng.normal(0, 1.5, number).astype(np.float32),
        rng.uniform(0.1, 1, number).astype(np.float32),
    )
    start = new_model(size, 12, rng)
    fast = Model(start.words.copy(), start.contexts.copy())
    slow = Model(start.words.copy(), start.contexts.copy())
    squares = np.ones_like(fast.words), np.ones_like(fast.contexts)
    total = kernel.train(*cells, fast.words, fast.contexts, *squares, np.float32(0.05))
    expected = slow_adagrad(cells, slow, 0.05)
    worst = abs(total - expected) / expected
    for side in ("words", "contexts"):
        moved = np.abs(getattr(slow, side) - getattr(start, side)).max()
        apart = np.abs(getattr(fast, side) - getattr(slow, side)).max()
        worst = max(worst, float(apart / moved))
    return float(worst)


def solve_side(table: csr_array, given: F32, x_max: float, alpha: float, ridge: float) -> F32:
    """The vectors and biases of the rows of X that fit best while those of the columns are given.

    Row by row: minimise sum_j f_j (w.c_j + b - (log x_j - b'_j))^2 + ridge |(w, b)|^2.
    """
    dim = given.shape[1] - 1
    out = np.zeros((table.shape[0], dim + 1), np.float32)
    known = given.copy()
    known[:, dim] = 1  # the unknown bias is the weight of this column
    for i in range(table.shape[0]):
        part = slice(table.indptr[i], table.indptr[i + 1])
        x, columns = table.data[part], table.indices[part]
        target = (np.log(x) - given[columns, dim]).astype(np.float32)
        weight = weighting(x, x_max, alpha).astype(np.float32)
        rows = known[columns]
        heavy = rows * weight[:, None]
        square = rows.T @ heavy + np.float32(ridge) * np.eye(dim + 1, dtype=np.float32)
        out[i] = np.linalg.solve(square, heavy.T @ target)
    return out


def mean_loss(cells: Cells, model: Model) -> float:
    """The mean of 1/2 f (w.c + b + b' - log x)^2 over all cells, taken in blocks."""
    total, block = 0.0, 200_000
    for at in range(0, len(cells.rows), block):
        rows, columns, logs, weights = (part[at : at + block] for part in cells)
        w, c = model.words[rows], model.contexts[columns]
        fitted = np.einsum("ij,ij->i", w[:, :-1], c[:, :-1]) + w[:, -1] + c[:, -1]
        total += float((0.5 * weights * (fitted - logs) ** 2).sum(dtype=np.float64))
    return total / len(cells.rows)


def bias_loss(table: csr_array, cells: Cells, x_max: float, alpha: float) -> float:
    """The mean loss of the best model without vectors: word frequencies alone."""
    model = Model(*np.zeros((2, table.shape[0], 1), np.float32))
    for _ in range(3):
        model.words = solve_side(table, model.contexts, x_max, alpha, 1e-6)
        model.contexts = solve_side(table, model.words, x_max, alpha, 1e-6)
    return mean_loss(cells, model)


# %% [markdown]
# ## 4. Ratios
# P(k|i) = X[i, k] / X[i]. In the paper k = solid, gas, water, fashion and i = ice, steam; a small
# text has other words.


class Ratio(NamedTuple):
    """P(k|first) / P(k|second): counted, NaN where a count is 0, and as the vectors have it."""

    probe: str
    counts: tuple[float, float]
    counted: float
    fitted: float


def ratios(
    space: Space, table: csr_array, model: Model, pair: list[str], probes: list[str]
) -> list[Ratio]:
    """One row for each probe word that the text has."""
    a, b = (space.index[word] for word in pair)
    totals = np.asarray(table.sum(axis=1)).ravel()
    shift = model.words[a] - model.words[b]
    found = []
    for probe in probes:
        k = space.index[probe]
        x, y = float(table[a, k]), float(table[b, k])
        scale = totals[b] / totals[a]
        fitted = np.exp(shift[:-1] @ model.contexts[k, :-1] + shift[-1]) * scale
        found.append(
            Ratio(probe, (x, y), float(x / y * scale) if x and y else np.nan, float(fitted))
        )
    return found
