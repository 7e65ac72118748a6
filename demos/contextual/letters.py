"""A language simple enough to be solved: letters that depend on the one before.

The letters' counts come from Wikipedia; the sequences are drawn from the chain that these counts
define. So the best possible answer to any blank is known, by the forward-backward algorithm (Baum
et al. 1970): no model, however large, can have a lower expected loss.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from demos.kit.corpus import Corpus, wikipedia
from studytool.demo.events import Event
from studytool.demo.spec import Lab

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

SIGNS = "abcdefghijklmnopqrstuvwxyz "
LETTERS = len(SIGNS)
#: The number that stands for a blank, [MASK].
BLANK = LETTERS
_USED = 1_500_000
_WORDS = 300_000


def to_numbers(text: str) -> I64:
    """Letters as numbers; everything between words is one blank space, `_` is a blank to fill."""
    plain = re.sub(r"[^a-z_]+", " ", text.lower())
    return np.array([BLANK if sign == "_" else SIGNS.index(sign) for sign in plain], np.int64)


def to_text(numbers: I64) -> str:
    """The numbers as letters again, `_` for a blank."""
    return "".join((SIGNS + "_")[number] for number in numbers)


@dataclass(frozen=True)
class Chain:
    """`follows[a, b]` is the chance that b comes after a, (27, 27); `first` the letters' shares."""

    follows: F64
    first: F64

    @classmethod
    def from_counts(cls, counts: F64) -> Chain:
        """Rows of counts, all positive; `first` is the distribution that the chain keeps."""
        follows = counts / counts.sum(axis=1, keepdims=True)
        values, vectors = np.linalg.eig(follows.T)
        kept = np.abs(np.real(vectors[:, np.argmax(np.real(values))]))
        return cls(follows, kept / kept.sum())

    @cached_property
    def letter_entropy(self) -> float:
        """The loss of knowing the letters' shares only, in nats."""
        return float(-(self.first * np.log(self.first)).sum())

    @cached_property
    def rate(self) -> float:
        """The entropy rate: the least loss a letter when all before it is known, in nats."""
        return float(-(self.first[:, None] * self.follows * np.log(self.follows)).sum())

    def draw(self, rng: np.random.Generator, count: int, length: int) -> I64:
        """Sequences (count, length)."""
        out = np.empty((count, length), np.int64)
        out[:, 0] = rng.choice(LETTERS, count, p=self.first)
        steps = self.follows.cumsum(axis=1)
        for t in range(1, length):
            later = (steps[out[:, t - 1]] < rng.random((count, 1))).sum(axis=1)
            out[:, t] = later.clip(max=LETTERS - 1)
        return out

    def messages(self, evidence: F64) -> tuple[F64, F64]:
        """What the left and the right side say of each place, without the place's own evidence.

        `evidence[n, t, y]` is the chance of what is seen at t if the letter there is y. Returns
        two arrays of the same shape; their product with the own evidence, normalised, is the
        exact distribution of the letter at t given all that is seen.
        """
        length = evidence.shape[1]
        left, right = np.empty_like(evidence), np.ones_like(evidence)
        left[:, 0] = self.first
        for t in range(1, length):
            so_far = left[:, t - 1] * evidence[:, t - 1]
            left[:, t] = (so_far / so_far.sum(axis=1, keepdims=True)) @ self.follows
        for t in range(length - 2, -1, -1):
            rest = (right[:, t + 1] * evidence[:, t + 1]) @ self.follows.T
            right[:, t] = rest / rest.sum(axis=1, keepdims=True)
        return left, right


def seen(sequences: I64) -> F64:
    """Evidence of plain letters and blanks: a letter is certain, a blank says nothing."""
    return np.vstack([np.eye(LETTERS), np.ones(LETTERS)])[sequences]


def normalised(weights: F64) -> F64:
    return weights / weights.sum(axis=-1, keepdims=True)


def fill(chain: Chain, sequences: I64) -> F64:
    """The exact distribution of the letter at each place of sequences with blanks, (n, T, 27)."""
    evidence = seen(sequences)
    left, right = chain.messages(evidence)
    return normalised(left * right * evidence)


def fill_by_enumeration(chain: Chain, sequence: I64) -> F64:
    """The same for one short sequence by adding up all ways to fill its blanks, (T, 27)."""
    blanks = np.flatnonzero(sequence == BLANK)
    total = np.zeros((len(sequence), LETTERS))
    for letters in product(range(LETTERS), repeat=len(blanks)):
        filled = sequence.copy()
        filled[blanks] = letters
        chance = chain.first[filled[0]] * chain.follows[filled[:-1], filled[1:]].prod()
        total[np.arange(len(sequence)), filled] += chance
    return normalised(total)


# --------------------------------------------------------------------------- BERT's three fates

KEPT, HIDDEN, REPLACED, UNCHANGED = 0, 1, 2, 3


def fates(
    rng: np.random.Generator, shape: tuple[int, ...], rate: float, recipe: str
) -> NDArray[np.int64]:
    """What becomes of each token: KEPT, or selected and HIDDEN, REPLACED or UNCHANGED.

    Devlin et al. 2019, section 3.1: `rate` of all tokens are selected; of these 80 % are hidden,
    10 % replaced at random and 10 % left, with `recipe` "80-10-10"; "mask" hides all of them.
    """
    out = np.zeros(shape, np.int64)
    chosen, fate = rng.random(shape) < rate, rng.random(shape)
    out[chosen] = HIDDEN
    if recipe == "80-10-10":
        out[chosen & (fate >= 0.8)] = REPLACED
        out[chosen & (fate >= 0.9)] = UNCHANGED
    return out


def corrupt(
    sequences: I64, fate: NDArray[np.int64], rng: np.random.Generator, blank: int, size: int
) -> I64:
    """What the model gets to read: `blank` where HIDDEN, one of `size` tokens where REPLACED."""
    noise = rng.integers(0, size, sequences.shape)
    return np.where(fate == HIDDEN, blank, np.where(fate == REPLACED, noise, sequences))


def best_guess(chain: Chain, read: I64, rate: float, recipe: str) -> F64:
    """The exact distribution at each place, if it is a selected one, given what is read.

    With 80/10/10 a letter that is read may be false. At a scored place the reader knows that it
    was selected, so a letter there is true with 10 parts and random with 10.
    """
    if recipe == "mask":
        return fill(chain, read)
    even = np.full((LETTERS + 1, LETTERS), 1.0)
    even[:LETTERS] = 0.1 * rate / LETTERS + (1 - 0.9 * rate) * np.eye(LETTERS)
    left, right = chain.messages(even[read])
    chosen = np.full((LETTERS + 1, LETTERS), 1.0)
    chosen[:LETTERS] = 0.1 / LETTERS + 0.1 * np.eye(LETTERS)
    return normalised(left * right * chosen[read])


# -------------------------------------------------------------------------- learnable information


def mean_loss(chances: F64, letters: I64, at: Mask) -> float:
    """The mean of -ln p(letter) over the places `at`, in nats."""
    picked = np.take_along_axis(chances, letters[..., None], axis=-1)[..., 0]
    return float(-np.log(picked[at]).mean())


def masked_signal(chain: Chain, sequences: I64, rate: float, rng: np.random.Generator) -> float:
    """Nats per place of the input that a masked model can learn beyond the letters' shares."""
    at = rng.random(sequences.shape) < rate
    exact = mean_loss(fill(chain, np.where(at, BLANK, sequences)), sequences, at)
    return rate * (chain.letter_entropy - exact)


def causal_signal(chain: Chain, sequences: I64) -> float:
    """The same for a causal model, which is scored at every place after the first."""
    left, _ = chain.messages(seen(sequences))
    everywhere = np.ones(sequences.shape, bool)
    everywhere[:, 0] = False
    return chain.letter_entropy - mean_loss(left, sequences, everywhere)


def detection_signal(chain: Chain, sequences: I64, rate: float, rng: np.random.Generator) -> float:
    """The same for telling replaced letters (ELECTRA, Clark et al. 2020, arXiv:2003.10555).

    `rate` of the letters are replaced by ones drawn from the letters' shares; every place is
    scored. A letter replaced by itself counts as original, as in the paper.
    """
    drawn = rng.choice(LETTERS, sequences.shape, p=chain.first)
    read = np.where(rng.random(sequences.shape) < rate, drawn, sequences)
    evidence = rate * chain.first[:, None] + (1 - rate) * np.eye(LETTERS)  # [read letter, true one]
    left, right = chain.messages(evidence[read])
    weights = normalised(left * right * evidence[read])
    original = np.take_along_axis(weights, read[..., None], axis=-1)[..., 0]
    false = read != sequences
    loss = float(-np.log(np.where(false, 1 - original, original)).mean())
    share = rate * (1 - float((chain.first**2).sum()))
    return float(-share * np.log(share) - (1 - share) * np.log(1 - share)) - loss


def wikipedia_chain(lab: Lab) -> Generator[Event, None, tuple[Chain, Corpus]]:
    """The chain of the Wikipedia sample's letters, half a count added to each pair."""
    corpus = yield from wikipedia(lab)
    ids = np.asarray(corpus.ids[:_WORDS])
    text = " ".join(corpus.words[number] if number >= 0 else "" for number in ids)
    letters = to_numbers(text.replace("_", " "))[:_USED]
    counts = np.full((LETTERS, LETTERS), 0.5)
    np.add.at(counts, (letters[:-1], letters[1:]), 1)
    return Chain.from_counts(counts), corpus
