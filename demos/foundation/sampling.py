"""From logits to the next token: what temperature, top-k and top-p each do, and a writer.

Decoding cuts a distribution, it adds nothing to it: temperature makes it sharper or flatter,
top-k keeps a fixed number of tokens, top-p keeps as many as it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from demos.kit.bpe import Bpe
from demos.kit.decoder import Cache, Decoder
from demos.kit.tokens import STOP

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]


def softmax(logits: F64, temperature: float = 1.0) -> F64:
    """exp(z_i / T) / Σ exp(z_j / T) over the last axis; T → 0 is greedy, T → ∞ is uniform."""
    scaled = logits / temperature
    weights = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def top_k(p: F64, k: int) -> F64:
    """The k likeliest of (V,), scaled to sum to 1; of equals the one with the smaller number."""
    kept = np.zeros_like(p)
    best = np.argsort(-p, kind="stable")[:k]
    kept[best] = p[best]
    return kept / kept.sum()


def top_p(p: F64, mass: float) -> F64:
    """The nucleus: the fewest likeliest tokens whose probabilities reach `mass`, scaled to 1.

    Holtzman et al. 2020 (arXiv:1904.09751, equations 2 and 3).
    """
    order = np.argsort(-p, kind="stable")
    return top_k(p, nucleus_size(p[order], mass))


def nucleus_size(descending: F64, mass: float) -> int:
    """How many of the probabilities, in descending order, it takes to reach `mass`."""
    return min(len(descending), int(np.searchsorted(descending.cumsum(), mass - 1e-12)) + 1)


@dataclass(frozen=True)
class Sampling:
    """Temperature first, then top-k, then top-p of what top-k left. `top_k` 1 is greedy."""

    temperature: float = 1.0
    top_k: int = 1_000_000
    top_p: float = 1.0

    def shape(self, logits: F64) -> F64:
        """The distribution to draw from, (V,)."""
        return top_p(top_k(softmax(logits, self.temperature), self.top_k), self.top_p)

    def draw(self, logits: F64, rng: np.random.Generator) -> int:
        """One token."""
        return int(rng.choice(len(logits), p=self.shape(logits)))


GREEDY = Sampling(top_k=1)


@dataclass(frozen=True)
class Writer:
    """A decoder that continues a text, a token at a time, by its cache."""

    model: Decoder
    bpe: Bpe

    def read(self, text: str) -> list[int]:
        """The tokens of a prompt in the corpus's spelling: lower case, single blanks."""
        words = text.lower().split()
        return self.bpe.encode(" " + " ".join(words)) if words else self.bpe.encode(STOP)

    @torch.no_grad()
    def logits(self, ids: Sequence[int]) -> F64:
        """Logits of what follows `ids`, of which the last `context` are read, (V,) float64."""
        recent = torch.tensor([list(ids[-self.model.config.context :])])
        return self.model(recent)[0, -1].double().numpy()

    @torch.no_grad()
    def write(
        self, prompt: Sequence[int], length: int, how: Sampling, rng: np.random.Generator
    ) -> list[int]:
        """`length` tokens after the prompt.

        A full cache is begun again with the last half: positions beyond `context` were not trained.
        """
        ids, context = list(prompt), self.model.config.context
        cache, unread = Cache(), ids[-context:]
        for _ in range(length):
            if cache.length + len(unread) > context:
                cache, unread = Cache(), ids[-context // 2 :]
            logits = self.model(torch.tensor([unread]), cache)[0, -1].double().numpy()
            ids.append(how.draw(logits, rng))
            unread = ids[-1:]
        return ids[len(prompt) :]

    def tell(self, prompt: str, length: int, how: Sampling, seed: Sequence[int]) -> str:
        """The prompt and its continuation as text; the same seed gives the same text."""
        ids = self.read(prompt)
        text = self.bpe.decode(ids + self.write(ids, length, how, np.random.default_rng(seed)))
        return "".join(each if each.isprintable() else "\ufffd" for each in text).strip()
