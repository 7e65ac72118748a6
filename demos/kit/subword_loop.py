"""The inner loop of fastText's skip-gram with negative sampling, compiled by numba.

Import this module only through `demos.kit.compiled.load`. A word's vector is the mean of the
rows of its units: itself and its character n-grams.
"""

from __future__ import annotations

import numpy as np

from demos.kit.sgns import (
    CLAMP,
    F32,
    I32,
    I64,
    LANES,
    SENTENCE,
    U64,
    compiled,
    draw_contexts,
    next_sentence,
    noise,
)

__all__ = ["LANES", "scratch", "step_window", "train", "warm_up"]


@compiled
def step_window(
    units: I64,
    contexts: I64,
    rows: int,
    negatives: I64,
    lr: np.float32,
    inputs: F32,
    outputs: F32,
    h: F32,
    change: F32,
) -> float:
    """One step of gradient descent on one window; returns its loss before the step, in nats.

    h, the mean of the rows `units` of `inputs`, is the centre word. It predicts each word of
    contexts[:rows]; the negatives serve all of these, but never a context that they equal. Each
    unit gets the whole gradient of h, as in the released program: then h moves by just that. The
    outputs are stepped one after the other. h and change (padded d) are scratch.
    """
    width = h.shape[0]
    for d in range(width):
        h[d], change[d] = np.float32(0), np.float32(0)
    for unit in units:
        for d in range(width):
            h[d] += inputs[unit, d]
    share = np.float32(1) / np.float32(units.shape[0])
    for d in range(width):
        h[d] *= share
    loss = 0.0
    for o in range(rows + negatives.shape[0]):
        if o < rows:
            w, times, label = contexts[o], 1.0, 1.0
        else:
            w, times, label = negatives[o - rows], np.float64(rows), 0.0
            for i in range(rows):
                if contexts[i] == w:
                    times -= 1
        dot = np.float32(0)
        for d in range(width):
            dot += h[d] * outputs[w, d]
        x = min(max(np.float64(dot), -CLAMP), CLAMP)
        growth = 1 + np.exp(-x)
        loss += times * (np.log(growth) + (1 - label) * x)
        slope = lr * np.float32(times * (label - 1 / growth))
        for d in range(width):
            change[d] += slope * outputs[w, d]
        for d in range(width):
            outputs[w, d] += slope * h[d]
    for unit in units:
        for d in range(width):
            inputs[unit, d] += change[d]
    return loss


@compiled
def scratch(width: int) -> tuple[F32, F32]:
    """The working arrays h and change of `step_window`."""
    return np.zeros(width, np.float32), np.zeros(width, np.float32)


@compiled
def train(
    ids: I32,
    keep: F32,
    accept: F32,
    other: I32,
    inputs: F32,
    outputs: F32,
    window: int,
    negatives: int,
    lr: float,
    state: U64,
    starts: I64,
    units: I64,
) -> tuple[float, int]:
    """Train on a stretch of text at one learning rate; returns the summed loss and its pairs.

    The arguments are those of `demos.kit.sgns.train`; the units of word w are
    units[starts[w] : starts[w + 1]], rows of `inputs`.
    """
    h, change = scratch(inputs.shape[1])
    sentence = np.empty(SENTENCE, np.int64)
    contexts = np.empty(2 * window + 2, np.int64)
    drawn = np.empty(negatives, np.int64)
    rate = np.float32(lr)
    total, pairs, at = 0.0, 0, 0
    while at < ids.shape[0]:
        length, at = next_sentence(ids, at, keep, state, sentence)
        for centre in range(length):
            rows = draw_contexts(sentence, length, centre, window, state, contexts)
            if rows == 0:
                continue
            for n in range(negatives):
                drawn[n] = noise(state, accept, other)
            word = sentence[centre]
            own = units[starts[word] : starts[word + 1]]
            total += step_window(own, contexts, rows, drawn, rate, inputs, outputs, h, change)
            pairs += rows
    return total, pairs


def warm_up() -> None:
    """Compile what a run calls, or read it from the cache, with the types that a run uses."""
    inputs, outputs = np.zeros((3, LANES), np.float32), np.zeros((3, LANES), np.float32)
    ids, state = np.array([0, 1, 2, -1], np.int32), np.ones(1, np.uint64)
    chances, other = np.ones(3, np.float32), np.arange(3, dtype=np.int32)
    starts, units = np.arange(4), np.arange(3)
    train(ids, chances, chances, other, inputs, outputs, 1, 1, 0.0, state, starts, units)
    step_window(units, units, 1, units, np.float32(0), inputs, outputs, *scratch(LANES))
