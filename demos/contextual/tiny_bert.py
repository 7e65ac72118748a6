"""One small transformer that reads both sides, the left side only, or by mistake both.

The layout is BERT's (Devlin et al. 2019) at two layers and width 64, with normalisation before
each part and the output tied to the input vectors. A causal model is the same network with a
mask on its attention: nothing else differs, so what differs between the two is what they see.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor, nn

from demos.contextual.letters import LETTERS

WIDTH, LAYERS, HEADS, LENGTH = 64, 2, 4, 32
#: Where the four heads look at first, and how strongly, when they are given a start.
OFFSETS, STRENGTH = (-1, 1, -2, 2), 3.0
_INNER = 2 * WIDTH


class Block(nn.Module):
    """Attention, then a two-layer network; with `offsets` a learned bias for each distance."""

    def __init__(self, *, offsets: bool) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.widen, self.narrow = nn.Linear(WIDTH, _INNER), nn.Linear(_INNER, WIDTH)
        self.distance = nn.Parameter(torch.zeros(HEADS, 2 * LENGTH - 1), requires_grad=offsets)
        if offsets:
            for head, offset in enumerate(OFFSETS):
                self.distance.data[head, offset + LENGTH - 1] = STRENGTH

    def forward(self, x: Tensor, allowed: Tensor) -> Tensor:
        """x: (batch, T, width); `allowed` (T, T) is 0 where attention may go, -inf elsewhere."""
        count, length = x.shape[:2]
        places = torch.arange(length)
        bias = self.distance[:, places[None] - places[:, None] + LENGTH - 1] + allowed
        q, k, v = self.qkv(self.before(x)).view(count, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        mixed = nnf.scaled_dot_product_attention(q, k, v, attn_mask=bias[None])
        x = x + self.out(mixed.transpose(1, 2).flatten(-2))
        return x + self.narrow(nnf.gelu(self.widen(self.between(x))))


class TinyBert(nn.Module):
    """Letters and blanks (batch, T) to logits over the 27 letters.

    `start` is how it begins. "offsets": each head looks at one neighbour, matrices are
    N(0, 1/√fan-in). "learned": a vector for each place instead, same matrices. "small": places
    and matrices of N(0, 0.02), as in BERT, which at this width sit on a plateau for long.
    """

    def __init__(self, start: str = "offsets", *, causal: bool = False) -> None:
        super().__init__()
        self.letters = nn.Embedding(LETTERS + 1, WIDTH)
        nn.init.normal_(self.letters.weight, std=0.1)
        self.blocks = nn.ModuleList(Block(offsets=start == "offsets") for _ in range(LAYERS))
        self.after = nn.LayerNorm(WIDTH)
        self.places = None
        if start != "offsets":
            scale = 0.02 if start == "small" else 0.1
            self.places = nn.Parameter(scale * torch.randn(LENGTH, WIDTH))
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.normal_(
                    part.weight, std=0.02 if start == "small" else part.in_features**-0.5
                )
                nn.init.zeros_(part.bias)
        hidden = torch.full((LENGTH, LENGTH), -math.inf).triu(1)
        self.allowed = hidden if causal else torch.zeros(LENGTH, LENGTH)

    def forward(self, read: Tensor, at: Tensor | None = None) -> Tensor:
        """Logits at all places (batch, T, 27), or at the places `at` of a mask, (selected, 27)."""
        length = read.shape[1]
        x = self.letters(read)
        if self.places is not None:
            x = x + self.places[:length]
        for block in self.blocks:
            x = block(x, self.allowed[:length, :length])
        x = self.after(x) if at is None else self.after(x[at])
        return x @ self.letters.weight[:LETTERS].T

    @torch.no_grad()
    def chances(self, read: NDArray[np.int64]) -> NDArray[np.float64]:
        """The distribution at each place, (n, T, 27): of its letter, or of the next if causal."""
        parts = torch.from_numpy(read).split(256)
        return np.concatenate([self(part).double().softmax(-1).numpy() for part in parts])


@torch.no_grad()
def rescore(
    model: TinyBert, sequences: NDArray[np.int64], places: NDArray[np.int64]
) -> NDArray[np.float64]:
    """A causal model's distribution of the letter at one place of each sequence, both sides known.

    Bayes' rule: each of the 27 fillings is scored by the chain rule as a whole sequence, so it
    costs 27 passes. Returns (n, 27). At place 0 the first letter's own chance is left out.
    """
    out = np.empty((len(sequences), LETTERS))
    for start in range(0, len(sequences), 16):
        part = torch.from_numpy(sequences[start : start + 16]).repeat_interleave(LETTERS, 0)
        where = torch.from_numpy(places[start : start + 16]).repeat_interleave(LETTERS)
        rows = torch.arange(len(part))
        part[rows, where] = rows % LETTERS
        logs = model(part).log_softmax(-1)[:, :-1].gather(2, part[:, 1:, None])[..., 0]
        matter = torch.arange(1, part.shape[1])[None] >= where[:, None]  # before, all are equal
        total = (logs * matter).sum(dim=1).view(-1, LETTERS)
        out[start : start + 16] = total.double().softmax(-1).numpy()
    return out


@torch.no_grad()
def influence(model: TinyBert, sequence: NDArray[np.int64]) -> NDArray[np.float64]:
    """How far the logits at each place move when one letter changes, (T outputs, T inputs)."""
    length = len(sequence)
    changed = np.repeat(sequence[None], length + 1, axis=0)
    along = np.arange(length)
    changed[along, along] = (changed[along, along] + 5) % LETTERS
    logits = model(torch.from_numpy(changed)).double().numpy()
    moved: NDArray[np.float64] = np.abs(logits[:length] - logits[length]).max(axis=2)
    return moved.T


@torch.no_grad()
def future_leak(model: TinyBert, sequences: NDArray[np.int64], cut: int) -> float:
    """Change everything from place `cut` on: the largest change of any logit before it."""
    other = sequences.copy()
    other[:, cut:] = (other[:, cut:] + 5) % LETTERS
    both = [model(torch.from_numpy(each))[:, :cut] for each in (sequences, other)]
    return float((both[0] - both[1]).abs().max())
