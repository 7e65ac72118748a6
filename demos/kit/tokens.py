"""A corpus as streams of byte-pair tokens: one to train on, one held out, and what is between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from demos.kit.bpe import Bpe, learn
from demos.kit.corpus import SENTENCE_END, Corpus
from demos.kit.data import DataFault

I64: TypeAlias = NDArray[np.int64]

#: How the end of a sentence is written.
STOP = "."
#: Words that are read of a long text, and words per document of a text that is only one.
MAX_WORDS, WORDS_PER_PIECE = 2_000_000, 2_000


@dataclass(frozen=True)
class TokenText:
    """Token numbers of the training and of the held-out documents, each as one long stream."""

    bpe: Bpe
    train: I64
    test: I64
    letters_per_token: float

    def batch(self, rng: np.random.Generator, rows: int, length: int) -> I64:
        """Random stretches of the training text, (rows, length)."""
        starts = rng.integers(0, len(self.train) - length, rows)
        return self.train[starts[:, None] + np.arange(length)]

    def held_out(self, rows: int, length: int) -> I64:
        """Up to `rows` stretches spread evenly over the held-out text, (rows, length)."""
        most = len(self.test) - length
        starts = np.unique(np.linspace(0, most, rows).astype(np.int64))
        return self.test[starts[:, None] + np.arange(length)]


def tokenise(
    corpus: Corpus, size: int, *, every: int = 10, first: int = 0, every_byte: bool = True
) -> TokenText:
    """Learn `size` tokens from the words outside every `every`-th document, and encode all.

    The text is what the corpus kept: lower-case words, one blank before each, and a stop after
    each sentence. Raises DataFault when too little is left on either side.
    """
    ids = np.asarray(corpus.ids[:MAX_WORDS]).astype(np.int64)
    held = _document(corpus, ids) % every == first % every
    if held.all() or not held.any():
        raise DataFault(
            f"{corpus.name} is too short to hold out every {every}th document",
            "Use a longer text.",
        )
    seen = np.bincount(ids[(ids >= 0) & ~held], minlength=len(corpus.words))
    counts = {f" {word}": int(n) for word, n in zip(corpus.words, seen, strict=True) if n}
    bpe = learn(counts | {STOP: 1}, size, every_byte=every_byte)
    spelled, starts, lengths = _spellings(corpus.words, bpe)
    train, test = (_joined(ids[part], spelled, starts, lengths) for part in (~held, held))
    letters = sum(len(bpe.tokens[i]) for i in test[:50_000]) / len(test[:50_000])
    return TokenText(bpe, train, test, letters)


def _document(corpus: Corpus, ids: I64) -> I64:
    """The document of each place."""
    words = np.cumsum(ids != SENTENCE_END) - 1
    if len(corpus.starts) == 1:
        return np.maximum(words, 0) // WORDS_PER_PIECE
    return np.searchsorted(corpus.starts, np.maximum(words, 0), "right") - 1


def _spellings(words: Sequence[str], bpe: Bpe) -> tuple[I64, I64, I64]:
    """All words' tokens in a row, then the stop's; where each begins, and how many it has.

    A word that training lacks may hold a byte that the alphabet lacks: it is left out.
    """
    spelled: list[list[int]] = []
    for word in (*(f" {word}" for word in words), STOP):
        try:
            spelled.append(bpe.encode(word))
        except ValueError:
            spelled.append([])
    lengths = np.array([len(each) for each in spelled])
    return (
        np.concatenate([np.array(each, np.int64) for each in spelled]),
        (np.cumsum(lengths) - lengths),
        lengths,
    )


def _joined(ids: I64, spelled: I64, starts: I64, lengths: I64) -> I64:
    """The spellings of a stream of words, one after the other; SENTENCE_END is the last entry."""
    length = lengths[ids]
    ends = np.cumsum(length)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - length, length)
    return spelled[np.repeat(starts[ids], length) + within]
