"""A decoder, the architecture of GPT, written to be read.

Token vectors run down a stream; each block adds to it what attention copied from earlier places
and what a two-layer network made of the result. The sums are left alone and their inputs are
normalised (pre-norm: Xiong et al. 2020, arXiv:2002.04745), the last vector is compared with all
token vectors (tied weights: Press and Wolf 2017, arXiv:1608.05859), and the only place where
information moves between tokens is `attend`.

    model = Decoder(DecoderConfig(vocabulary=512), seed=0)
    logits = model(ids)                            ids (batch, length) int64
    cache = Cache()                                read on from where the last call ended
    logits = model(ids[:, :1], cache), model(ids[:, 1:], cache)
    maps: list[Tensor] = []                        one (batch, heads, length, seen) per layer
    logits = model(ids, maps=maps)
    logits = model(ids, off={(0, 1)})              layer 0 without head 1
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from math import sqrt
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

#: A head, by its layer and its number in the layer, both from 0.
Head: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """The shape of a decoder. `width` is divisible by `heads`, with RoPE by twice the heads.

    `context` is how many learned positions there are; RoPE and "none" know no limit. `expand`
    times the width is inside the two-layer network; 0 leaves it out (attention only). `causal`
    False forgets the mask, so that each place sees its own answer: a leak to be shown.
    """

    vocabulary: int
    width: int = 64
    layers: int = 2
    heads: int = 4
    context: int = 64
    positions: Literal["rope", "learned", "none"] = "rope"
    expand: int = 4
    tied: bool = True
    causal: bool = True

    def __post_init__(self) -> None:
        least = 2 * self.heads if self.positions == "rope" else self.heads
        if self.width % least:
            raise ValueError(f"a width of {self.width} is not divisible by {least}")


@dataclass
class Cache:
    """Keys and values of the tokens read so far, one (batch, heads, seen, size) each per layer."""

    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)

    @property
    def length(self) -> int:
        """How many tokens are in it."""
        return self.keys[0].shape[2] if self.keys else 0

    @property
    def numbers(self) -> int:
        """How many numbers it holds: 2 · layers · width · tokens · batch."""
        return sum(each.numel() for each in (*self.keys, *self.values))

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """All keys and values of a layer, the new ones last; the new ones are kept."""
        if layer == len(self.keys):
            self.keys.append(keys)
            self.values.append(values)
        else:
            self.keys[layer] = torch.cat((self.keys[layer], keys), dim=2)
            self.values[layer] = torch.cat((self.values[layer], values), dim=2)
        return self.keys[layer], self.values[layer]


def attend(q: Tensor, k: Tensor, v: Tensor, *, causal: bool = True) -> tuple[Tensor, Tensor]:
    """softmax(q kᵀ / √d) v, and the weights (Vaswani et al. 2017, arXiv:1706.03762, equation 1).

    q is (…, length, d), k and v are (…, seen, d) with seen >= length: the queries are the last
    `length` places. Causal: a query sees its own place and the earlier ones, no later one.
    """
    scores = q @ k.transpose(-2, -1) / sqrt(q.shape[-1])
    length, seen = scores.shape[-2:]
    if causal and length > 1:
        later = torch.ones(length, seen, dtype=torch.bool).triu(1 + seen - length)
        scores = scores.masked_fill(later, float("-inf"))
    weights = scores.softmax(dim=-1)
    return weights @ v, weights


def rotate(x: Tensor, first: int) -> Tensor:
    """RoPE (Su et al. 2021, arXiv:2104.09864, equation 34) for x (…, length, d) from place `first`.

    The pair (x_i, x_(i + d/2)) is turned by place · 10000^(-2i/d). So q·k depends on how far
    apart two tokens are and not on where they stand.
    """
    length, half = x.shape[-2], x.shape[-1] // 2
    frequency = 10_000.0 ** (-torch.arange(half, dtype=x.dtype) / half)
    angle = torch.arange(first, first + length, dtype=x.dtype)[:, None] * frequency
    cos, sin = angle.cos(), angle.sin()
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one call asks of every layer: the place of its first token, and what to keep or mute."""

    first: int
    cache: Cache | None
    maps: list[Tensor] | None
    off: Collection[Head]


class Attention(nn.Module):
    """Several heads side by side, each with its own queries, keys and values."""

    def __init__(self, config: DecoderConfig, layer: int) -> None:
        super().__init__()
        self.config, self.layer = config, layer
        self.inward = nn.Linear(config.width, 3 * config.width)
        self.outward = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor, reading: Reading) -> Tensor:
        heads = self.config.heads
        q, k, v = (
            part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in self.inward(x).chunk(3, -1)
        )
        if self.config.positions == "rope":
            q, k = rotate(q, reading.first), rotate(k, reading.first)
        if reading.cache is not None:
            k, v = reading.cache.extend(self.layer, k, v)
        mixed, weights = attend(q, k, v, causal=self.config.causal)
        if reading.maps is not None:
            reading.maps.append(weights)
        silent = [head for layer, head in reading.off if layer == self.layer]
        if silent:
            kept = torch.ones(heads)
            kept[silent] = 0
            mixed = mixed * kept[:, None, None]
        return self.outward(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Read from the stream, add to the stream: once by attention, once by the network."""

    def __init__(self, config: DecoderConfig, layer: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        self.attention = Attention(config, layer)
        self.network: nn.Sequential | None = None
        if config.expand:
            inner = config.expand * config.width
            self.network = nn.Sequential(
                nn.LayerNorm(config.width),
                nn.Linear(config.width, inner),
                nn.GELU(),
                nn.Linear(inner, config.width),
            )

    def forward(self, x: Tensor, reading: Reading) -> Tensor:
        x = x + self.attention(self.norm(x), reading)
        return x if self.network is None else x + self.network(x)


class Decoder(nn.Module):
    """Tokens in, logits of the next token out, at every place at once.

    Weights begin as GPT-2's: N(0, 0.02), the matrices that write into the stream smaller by
    1/√(2 · layers), biases 0. So all logits are near 0 and the first loss is near ln V.
    """

    def __init__(self, config: DecoderConfig, *, seed: int = 0, std: float = 0.02) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocabulary, config.width)
        self.places = (
            nn.Parameter(torch.empty(config.context, config.width))
            if config.positions == "learned"
            else None
        )
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.output = nn.Linear(config.width, config.vocabulary, bias=False)
        if config.tied:
            self.output.weight = self.tokens.weight
        self._initialise(seed, std)

    @torch.no_grad()
    def _initialise(self, seed: int, std: float) -> None:
        generator = torch.Generator().manual_seed(seed)
        writes = ("attention.outward.weight", "network.3.weight")
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            elif parameter.ndim > 1:
                small = sqrt(2 * self.config.layers) if name.endswith(writes) else 1
                parameter.normal_(0, std / small, generator=generator)

    def forward(
        self,
        ids: Tensor,
        cache: Cache | None = None,
        *,
        maps: list[Tensor] | None = None,
        off: Collection[Head] = (),
    ) -> Tensor:
        """Logits (batch, length, vocabulary) for ids (batch, length).

        With a cache the ids continue what it holds, and are added to it. `maps` collects the
        attention weights of each layer, and the heads in `off` contribute nothing. Raises
        ValueError beyond the last learned position.
        """
        first = cache.length if cache is not None else 0
        x = self.tokens(ids)
        if self.places is not None:
            if first + ids.shape[1] > self.config.context:
                raise ValueError(f"there are only {self.config.context} learned positions")
            x = x + self.places[first : first + ids.shape[1]]
        reading = Reading(first, cache, maps, off)
        for block in self.blocks:
            x = block(x, reading)
        return self.output(self.norm(x))

    def size(self, *, embeddings: bool = True) -> int:
        """How many parameters; without embeddings (tokens, places, output) as N in scaling laws."""
        outside = ("tokens.weight", "places", "output.weight")
        return sum(
            parameter.numel()
            for name, parameter in self.named_parameters()
            if embeddings or name not in outside
        )


def next_token_loss(logits: Tensor, ids: Tensor) -> Tensor:
    """Mean cross-entropy in nats of ids[:, 1:] given logits (batch, length, V) at the places before."""
    return nnf.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
