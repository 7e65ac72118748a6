"""The small world of the preference demo: a language, what people want, the networks.

Sentences have twelve words out of 24. Which word may follow which is a random chain, drawn from
the seed: that is grammar. Eight words are helpful. What people want, the *gold* reward, is known
here by formula, which is the one thing that nobody has in earnest: so only here can it be drawn
beside the reward that a model has learned, the *proxy*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

HELPFUL = ("because", "example", "first", "then", "check", "result", "source", "limit")
FILLER = (
    "the", "a", "you", "we", "it", "is", "can", "to",
    "and", "very", "really", "great", "well", "so", "just", "maybe",
)  # fmt: skip
WORDS = HELPFUL + FILLER
SIZE, LENGTH = len(WORDS), 12
#: Each word beyond the first of its kind costs this much gold.
REPEAT_COST = 1.0


def say(sentence: I64 | Tensor) -> str:
    """The words of one sentence."""
    return " ".join(WORDS[int(word)] for word in sentence)


@dataclass(frozen=True)
class Parts:
    """What the gold reward of n sentences is made of: three arrays (n,)."""

    helpful: F64
    repeats: F64
    grammar: F64

    @property
    def gold(self) -> F64:
        return self.helpful - REPEAT_COST * self.repeats + self.grammar


@dataclass(frozen=True)
class Language:
    """Chances of the next word, `follow[word, next]`; each row sums to 1."""

    follow: F64

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Language:
        """A chain where six words are likely after each word, helpful ones half as likely."""
        follow = np.full((SIZE, SIZE), 0.01)
        for row in follow:
            row[rng.choice(SIZE, 6, replace=False)] += 3 * rng.dirichlet(np.ones(6))
        follow[:, : len(HELPFUL)] *= 0.5
        return cls(follow / follow.sum(1, keepdims=True))

    def write(self, count: int, rng: np.random.Generator) -> I64:
        """`count` sentences, (count, 12); the first word is any."""
        sentences = np.empty((count, LENGTH), np.int64)
        sentences[:, 0] = rng.integers(0, SIZE, count)
        edges = self.follow.cumsum(1)
        for place in range(1, LENGTH):
            draws = rng.random(count)[:, None]
            after = (draws > edges[sentences[:, place - 1]]).sum(1)
            sentences[:, place] = np.minimum(after, SIZE - 1)
        return sentences

    def entropy(self) -> float:
        """Nats per word that no model of this language can get below (in the mean over places)."""
        place, total = np.full(SIZE, 1 / SIZE), np.log(SIZE)
        surprise = -(self.follow * np.log(self.follow)).sum(1)
        for _ in range(LENGTH - 1):
            total += float(place @ surprise)
            place = place @ self.follow
        return float(total / LENGTH)

    def parts(self, sentences: I64 | Tensor) -> Parts:
        """Different helpful words, repeats of any word, and mean log chance of the next word."""
        words = np.asarray(sentences)
        counts = (words[:, :, None] == np.arange(SIZE)).sum(1)
        follows = self.follow[words[:, :-1], words[:, 1:]]
        grammar = np.log(follows).mean(1) if words.shape[1] > 1 else np.zeros(len(words))
        return Parts(
            (counts[:, : len(HELPFUL)] > 0).sum(1).astype(float),
            np.maximum(counts - 1, 0).sum(1).astype(float),
            grammar,
        )

    def gold(self, sentences: I64 | Tensor) -> F64:
        """The gold reward of each sentence."""
        return self.parts(sentences).gold

    def search(self, width: int = 300) -> I64:
        """A sentence (12,) of nearly the highest gold: beam search, the best one could hope for."""
        beam = np.arange(SIZE)[:, None]
        for _ in range(LENGTH - 1):
            longer = np.concatenate(
                [np.repeat(beam, SIZE, axis=0), np.tile(np.arange(SIZE), len(beam))[:, None]], 1
            )
            beam = longer[np.argsort(-self.gold(longer), kind="stable")[:width]]
        return beam[0]


class Policy(nn.Module):
    """A small recurrent language model: the policy whose actions are words."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.read = nn.Embedding(SIZE + 1, width)  # one more, for "the sentence begins"
        self.state = nn.GRU(width, width, batch_first=True)
        self.write = nn.Linear(width, SIZE)

    def forward(self, sentences: Tensor) -> Tensor:
        """Log-probabilities of each next word, (n, length, 24)."""
        begin = torch.full((len(sentences), 1), SIZE)
        hidden, _ = self.state(self.read(torch.cat([begin, sentences[:, :-1]], 1)))
        return torch.log_softmax(self.write(hidden), -1)

    @torch.no_grad()
    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """`count` sentences drawn word by word, (count, 12)."""
        word, hidden, said = torch.full((count, 1), SIZE), None, []
        for _ in range(LENGTH):
            out, hidden = self.state(self.read(word), hidden)
            chances = torch.softmax(self.write(out[:, 0]), -1)
            word = torch.multinomial(chances, 1, generator=generator)
            said.append(word)
        return torch.cat(said, 1)


def chosen(log_chances: Tensor, sentences: Tensor) -> Tensor:
    """log π(y): the summed log-probability of each sentence's own words, (n,)."""
    return log_chances.gather(2, sentences[..., None])[..., 0].sum(1)


class RewardModel(nn.Module):
    """One number per sentence: a convolution over three words, then a mean over the places.

    The last layer starts at zero, so that before training every sentence scores the same.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.read = nn.Embedding(SIZE, width)
        self.look = nn.Conv1d(width, width, 3, padding=1)
        self.judge = nn.Linear(width, 1)
        nn.init.zeros_(self.judge.weight)
        nn.init.zeros_(self.judge.bias)

    def forward(self, sentences: Tensor) -> Tensor:
        """Scores (n,), of no fixed scale: only differences mean something."""
        seen = torch.relu(self.look(self.read(sentences).transpose(1, 2)))
        return self.judge(seen.mean(2))[:, 0]
