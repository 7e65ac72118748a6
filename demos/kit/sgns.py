"""The inner loop of skip-gram with negative sampling, compiled by numba.

Import this module only through `demos.kit.compiled.load`, which first points numba's cache at
a folder of ours: the code is then compiled once, and read from the cache ever after.

Plain loops over one pair at a time (see `window_gradient` in demos/static/skipgram.py) spend
their time fetching rows from memory. Here the k negatives are drawn once for a window and
shared by all its context words (Ji et al. 2016, arXiv:1604.04661): the expected gradient is the
same, and the products of a window become three small matrix products whose operands stay in
the processor's first cache.

Rows are padded with zeros to a multiple of LANES; zeros stay zero, as every gradient of a
padded place is zero. The columns of a window are padded to a multiple of BLOCK.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

#: Row lengths are multiples of this, so that the vector units have no remainder to do.
LANES = 8
#: Output rows that one pass over an input row is multiplied with.
BLOCK = 3
#: A sentence longer than this (after subsampling) is cut into pieces.
SENTENCE = 1000
#: Logits are clamped here for the loss and the sigmoid; 1 - sigmoid(20) is 2e-9.
CLAMP = 20.0

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

# Sums may be reordered and multiply-adds fused; NaN and infinity keep their meaning.
compiled = njit(
    nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "contract", "arcp", "nsz"}
)


@compiled
def draw(state: U64) -> np.uint64:
    """The next 64 random bits (xorshift64, Marsaglia 2003); `state` holds one non-zero number."""
    s = state[0]
    s ^= s << np.uint64(13)
    s ^= s >> np.uint64(7)
    s ^= s << np.uint64(17)
    state[0] = s
    return s


@compiled
def below(bits: np.uint64, n: int) -> np.int64:
    """A whole number in [0, n) from the upper 32 of 64 random bits."""
    return np.int64(((bits >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@compiled
def noise(state: U64, accept: F32, other: I32) -> np.int64:
    """One word from the noise distribution, by the alias method: one place, one coin."""
    bits = draw(state)
    place = below(bits, accept.shape[0])
    coin = np.float32(bits & np.uint64(0xFFFFFF)) * np.float32(1 / 16777216)
    return place if coin < accept[place] else np.int64(other[place])


@compiled
def logits(x: F32, y: F32, z: F32, rows: int) -> None:
    """z = x y^T for an even number of rows, two rows by BLOCK columns at a time."""
    for i in range(0, rows, 2):
        for o in range(0, y.shape[0], BLOCK):
            a0 = a1 = a2 = b0 = b1 = b2 = np.float32(0)
            for d in range(x.shape[1]):
                u, v = x[i, d], x[i + 1, d]
                p, q, r = y[o, d], y[o + 1, d], y[o + 2, d]
                a0 += u * p
                a1 += u * q
                a2 += u * r
                b0 += v * p
                b1 += v * q
                b2 += v * r
            z[i, o], z[i, o + 1], z[i, o + 2] = a0, a1, a2
            z[i + 1, o], z[i + 1, o + 1], z[i + 1, o + 2] = b0, b1, b2


@compiled
def growth(z: F32, e: F64, count: int) -> None:
    """e = 1 + exp(-z), of clamped z, in place of z itself: exp(u) = exp(u/64)^64 by a Taylor sum.

    Ten terms at |u/64| <= 0.32 are exact to 1e-12; six squarings keep that below 1e-10.
    """
    for i in range(count):
        c = min(max(np.float64(z[i]), -CLAMP), CLAMP)
        z[i] = np.float32(c)
        u = c * (-1 / 64)
        t = 1 + u / 9
        t = 1 + u / 8 * t
        t = 1 + u / 7 * t
        t = 1 + u / 6 * t
        t = 1 + u / 5 * t
        t = 1 + u / 4 * t
        t = 1 + u / 3 * t
        t = 1 + u / 2 * t
        t = 1 + u * t
        t *= t
        t *= t
        t *= t
        t *= t
        t *= t
        t *= t
        e[i] = 1 + t


@compiled
def loss_and_slopes(z: F32, e: F64, rows: int, outputs: int, lr: np.float32) -> float:
    """The window's loss, and lr (label - sigmoid(z)) in place of z; padded columns become 0.

    With e = 1 + exp(-z): -log sigmoid(z) = log e, and -log sigmoid(-z) = log e + z. The e are
    multiplied up, so that a window costs about one logarithm.
    """
    total, product = 0.0, 1.0
    for i in range(rows):
        for o in range(outputs):
            product *= e[i, o]
            slope = -1 / e[i, o]
            if o > 0:
                total += z[i, o]
            else:
                slope += 1
            z[i, o] = lr * np.float32(slope)
        for o in range(outputs, z.shape[1]):
            z[i, o] = 0
        if product > 1e100:
            total += np.log(product)
            product = 1.0
    return total + np.log(product)


@compiled
def step_inputs(slopes: F32, y: F32, words: I64, rows: int, inputs: F32) -> None:
    """inputs[words] += slopes y, a row for each context word."""
    for i in range(rows):
        w = words[i]
        for o in range(0, y.shape[0], BLOCK):
            p, q, r = slopes[i, o], slopes[i, o + 1], slopes[i, o + 2]
            for d in range(y.shape[1]):
                inputs[w, d] += p * y[o, d] + q * y[o + 1, d] + r * y[o + 2, d]


@compiled
def step_outputs(slopes: F32, x: F32, rows: int, change: F32) -> None:
    """change = slopes^T x, for an even number of rows."""
    change[:] = 0
    for i in range(0, rows, 2):
        for o in range(0, change.shape[0], BLOCK):
            p, q, r = slopes[i, o], slopes[i, o + 1], slopes[i, o + 2]
            s, t, u = slopes[i + 1, o], slopes[i + 1, o + 1], slopes[i + 1, o + 2]
            for d in range(x.shape[1]):
                v, w = x[i, d], x[i + 1, d]
                change[o, d] += p * v + s * w
                change[o + 1, d] += q * v + t * w
                change[o + 2, d] += r * v + u * w


@compiled
def step_window(
    contexts: I64,
    rows: int,
    targets: I64,
    lr: np.float32,
    inputs: F32,
    outputs: F32,
    x: F32,
    y: F32,
    z: F32,
    e: F64,
    change: F32,
) -> float:
    """One step of gradient descent on one window; returns its loss before the step, in nats.

    `contexts[:rows]` are the input words, `targets` the centre word and then the negatives.
    `inputs` and `outputs` are the two matrices (V, padded d), changed in place. The rest is
    scratch: x (rows made even, d), y and change (padded columns, d), z and e (rows, columns).
    """
    for i in range(rows):
        w = contexts[i]
        for d in range(x.shape[1]):
            x[i, d] = inputs[w, d]
    even = rows + rows % 2
    if even > rows:
        x[rows] = 0
    for o in range(targets.shape[0]):
        w = targets[o]
        for d in range(x.shape[1]):
            y[o, d] = outputs[w, d]
    logits(x, y, z, even)
    growth(z.reshape(-1), e.reshape(-1), rows * z.shape[1])
    loss = loss_and_slopes(z, e, rows, targets.shape[0], lr)
    if even > rows:
        z[rows] = 0
    step_inputs(z, y, contexts, rows, inputs)
    step_outputs(z, x, even, change)
    for o in range(targets.shape[0]):
        w = targets[o]
        for d in range(x.shape[1]):
            outputs[w, d] += change[o, d]
    return loss


@compiled
def scratch(window: int, negatives: int, width: int) -> tuple[F32, F32, F32, F64, F32]:
    """The working arrays x, y, z, e, change of `step_window` for rows of `width` numbers."""
    rows = 2 * window + 2
    columns = (negatives + BLOCK) // BLOCK * BLOCK
    x = np.zeros((rows, width), np.float32)
    y = np.zeros((columns, width), np.float32)
    z = np.zeros((rows, columns), np.float32)
    e = np.ones((rows, columns), np.float64)
    return x, y, z, e, np.zeros((columns, width), np.float32)


@compiled
def next_sentence(ids: I32, at: int, keep: F32, state: U64, sentence: I64) -> tuple[int, int]:
    """Fill `sentence` with what subsampling leaves of the words from place `at` on.

    Returns its length and the place to go on from. Negative numbers end a sentence, and words
    at or beyond `keep`'s length are passed over.
    """
    length = 0
    while at < ids.shape[0] and length < sentence.shape[0]:
        word = np.int64(ids[at])
        at += 1
        if word < 0:
            break
        if word < keep.shape[0]:
            coin = np.float32(draw(state) >> np.uint64(40)) * np.float32(1 / 16777216)
            if coin < keep[word]:
                sentence[length] = word
                length += 1
    return length, at


@compiled
def draw_contexts(
    sentence: I64, length: int, centre: int, window: int, state: U64, contexts: I64
) -> int:
    """The words within a random reach of 1..window around `centre`; returns how many."""
    reach = 1 + below(draw(state), window)  # nearer words are drawn more often
    rows = 0
    for place in range(max(0, centre - reach), min(length, centre + reach + 1)):
        if place != centre:
            contexts[rows] = sentence[place]
            rows += 1
    return rows


@compiled
def draw_negatives(targets: I64, count: int, accept: F32, other: I32, state: U64) -> None:
    """`count` noise words into targets[1:], none of them the true word targets[0]."""
    drawn = 1
    while drawn <= count:
        word = noise(state, accept, other)
        if word != targets[0]:
            targets[drawn] = word
            drawn += 1


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
) -> tuple[float, int]:
    """Train on a stretch of text at one learning rate; returns the summed loss and its pairs.

    `ids` are word numbers, negative ones end a sentence, and words at or beyond `keep`'s
    length are passed over. `keep` is each word's chance to survive subsampling; `accept` and
    `other` are the alias table of the noise. `state` is the random state, changed in place.
    """
    x, y, z, e, change = scratch(window, negatives, inputs.shape[1])
    sentence = np.empty(SENTENCE, np.int64)
    contexts = np.empty(2 * window + 2, np.int64)
    targets = np.empty(negatives + 1, np.int64)
    rate = np.float32(lr)
    total, pairs, at = 0.0, 0, 0
    while at < ids.shape[0]:
        length, at = next_sentence(ids, at, keep, state, sentence)
        for centre in range(length):
            rows = draw_contexts(sentence, length, centre, window, state, contexts)
            if rows == 0:
                continue
            targets[0] = sentence[centre]
            draw_negatives(targets, negatives, accept, other, state)
            total += step_window(contexts, rows, targets, rate, inputs, outputs, x, y, z, e, change)
            pairs += rows
    return total, pairs


def warm_up() -> None:
    """Compile what a run calls, or read it from the cache, with the types that a run uses."""
    window, negatives = 1, 1
    inputs, outputs = np.zeros((3, LANES), np.float32), np.zeros((3, LANES), np.float32)
    ids, state = np.array([0, 1, 2, -1], np.int32), np.ones(1, np.uint64)
    chances, other = np.ones(3, np.float32), np.arange(3, dtype=np.int32)
    train(ids, chances, chances, other, inputs, outputs, window, negatives, 0.0, state)
    words = np.arange(2)
    work = scratch(window, negatives, LANES)
    step_window(words, 2, words, np.float32(0), inputs, outputs, *work)
