"""gensim's word2vec on the same text with the same settings: the peer of ours."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import NamedTuple, Protocol

from demos.kit.corpus import Corpus, sentences
from demos.kit.similarity import Space
from demos.kit.trainer import Settings
from studytool.demo.events import Event, Progress


class PeerSettings(Settings, Protocol):
    """What both implementations understand alike."""

    @property
    def seed(self) -> int: ...
    @property
    def power(self) -> float: ...
    @property
    def sample(self) -> float: ...


class Peer(NamedTuple):
    """gensim's vectors, and the CPU seconds of its training alone."""

    space: Space
    seconds: float


def train_gensim(
    corpus: Corpus, params: PeerSettings, *, cbow: bool = False
) -> Generator[Event, None, Peer]:
    """Yields progress; trains skip-gram, or CBOW, along the same line of learning rates."""
    from gensim.models import Word2Vec

    text = list(sentences(corpus))
    model = Word2Vec(
        sg=0 if cbow else 1,
        vector_size=params.dim,
        window=params.window,
        negative=params.negatives,
        ns_exponent=params.power,
        sample=params.sample,
        min_count=params.min_count,
        workers=params.threads,
        seed=params.seed + 1,
    )
    model.build_vocab(text)
    spent, epochs = 0.0, params.epochs
    for epoch in range(epochs):
        start, end = (params.lr * max(1 - done / epochs, 1e-4) for done in (epoch, epoch + 1))
        begun = time.process_time()
        model.train(text, total_examples=len(text), epochs=1, start_alpha=start, end_alpha=end)
        spent += time.process_time() - begun
        yield Progress(epoch + 1, epochs, "epoch")
    return Peer(Space(model.wv.index_to_key, model.wv.vectors), spent)
