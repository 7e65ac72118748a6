"""The inner loop of CBOW with negative sampling, compiled by numba.

Import this module only through `demos.kit.compiled.load`. Skip-gram makes a prediction for each
context word of a window; CBOW averages the context vectors and makes one.
"""

from __future__ import annotations

import numpy as np

from demos.kit.sgns import (
    CLAMP,
    F32,
    F64,
    I32,
    I64,
    LANES,
    SENTENCE,
    U64,
    compiled,
    draw_contexts,
    draw_negatives,
    next_sentence,
)

__all__ = ["LANES", "scratch", "step_window", "train", "warm_up"]


@compiled
def step_window(
    contexts: I64,
    rows: int,
    targets: I64,
    lr: np.float32,
    divide: bool,
    inputs: F32,
    outputs: F32,
    h: F32,
    change: F32,
    z: F64,
) -> float:
    """One step of gradient descent on one window; returns its loss before the step, in nats.

    h is the mean of the rows of `inputs` at contexts[:rows]; `targets` are the centre word and
    the negatives. The gradient of a mean gives each context vector a share of 1/rows: with
    `divide`. word2vec.c and gensim hand the undivided gradient to each. h and change (padded d)
    and z (targets) are scratch.
    """
    width, share = h.shape[0], np.float32(1) / np.float32(rows)
    for d in range(width):
        h[d], change[d] = np.float32(0), np.float32(0)
    for i in range(rows):
        w = contexts[i]
        for d in range(width):
            h[d] += inputs[w, d]
    for d in range(width):
        h[d] *= share
    loss = 0.0
    for o in range(targets.shape[0]):
        w, dot = targets[o], np.float32(0)
        for d in range(width):
            dot += h[d] * outputs[w, d]
        x = min(max(np.float64(dot), -CLAMP), CLAMP)
        growth = 1 + np.exp(-x)
        loss += np.log(growth) + (x if o > 0 else 0.0)
        z[o] = (1.0 if o == 0 else 0.0) - 1 / growth
    for o in range(targets.shape[0]):
        w, slope = targets[o], lr * np.float32(z[o])
        for d in range(width):
            change[d] += slope * outputs[w, d]
    for o in range(targets.shape[0]):
        w, slope = targets[o], lr * np.float32(z[o])
        for d in range(width):
            outputs[w, d] += slope * h[d]
    if not divide:
        share = np.float32(1)
    for i in range(rows):
        w = contexts[i]
        for d in range(width):
            inputs[w, d] += share * change[d]
    return loss


@compiled
def scratch(negatives: int, width: int) -> tuple[F32, F32, F64]:
    """The working arrays h, change and z of `step_window`."""
    return np.zeros(width, np.float32), np.zeros(width, np.float32), np.zeros(negatives + 1)


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
    divide: bool,
) -> tuple[float, int]:
    """Train on a stretch of text at one learning rate; returns the summed loss and its windows.

    The arguments are those of `demos.kit.sgns.train`, and `divide` of `step_window`.
    """
    h, change, z = scratch(negatives, inputs.shape[1])
    sentence = np.empty(SENTENCE, np.int64)
    contexts = np.empty(2 * window + 2, np.int64)
    targets = np.empty(negatives + 1, np.int64)
    rate = np.float32(lr)
    total, windows, at = 0.0, 0, 0
    while at < ids.shape[0]:
        length, at = next_sentence(ids, at, keep, state, sentence)
        for centre in range(length):
            rows = draw_contexts(sentence, length, centre, window, state, contexts)
            if rows == 0:
                continue
            targets[0] = sentence[centre]
            draw_negatives(targets, negatives, accept, other, state)
            total += step_window(
                contexts, rows, targets, rate, divide, inputs, outputs, h, change, z
            )
            windows += 1
    return total, windows


def warm_up() -> None:
    """Compile what a run calls, or read it from the cache, with the types that a run uses."""
    inputs, outputs = np.zeros((3, LANES), np.float32), np.zeros((3, LANES), np.float32)
    ids, state = np.array([0, 1, 2, -1], np.int32), np.ones(1, np.uint64)
    chances, other = np.ones(3, np.float32), np.arange(3, dtype=np.int32)
    train(ids, chances, chances, other, inputs, outputs, 1, 1, 0.0, state, True)
    words = np.arange(2)
    step_window(words, 2, words, np.float32(0), True, inputs, outputs, *scratch(1, LANES))
