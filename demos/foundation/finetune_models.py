"""Two pretrained models that can be tuned in four ways: a digit network, and MiniLM."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from demos.kit.minilm import WIDTH, MiniLM

#: Weight and bias of each layer, by name.
Weights = dict[str, Tensor]


class Lora:
    """Low-rank additions to frozen matrices (Hu et al. 2021, arXiv:2106.09685, equation 3).

    h = W x + (α / r) B A x, with A (r, in) drawn and B (out, r) zero: at the start nothing is
    changed. Trainable are r · (in + out) numbers per matrix.
    """

    def __init__(self, rank: int, alpha: float, seed: int) -> None:
        self.scale = alpha / rank
        self.rank = rank
        self.generator = torch.Generator().manual_seed(seed)
        self.down: Weights = {}
        self.up: Weights = {}

    def attach(self, name: str, weight: Tensor) -> None:
        """Put an addition beside the matrix `weight` (out, in)."""
        out, inward = weight.shape
        drawn = torch.randn(self.rank, inward, generator=self.generator) / sqrt(inward)
        self.down[name] = drawn.requires_grad_()
        self.up[name] = torch.zeros(out, self.rank).requires_grad_()

    def add(self, name: str, x: Tensor) -> Tensor | float:
        """(α / r) B A x for x (…, in), or 0 where nothing is attached."""
        if name not in self.down:
            return 0.0
        return self.scale * nnf.linear(nnf.linear(x, self.down[name]), self.up[name])

    def merged(self, name: str, weight: Tensor) -> Tensor:
        """W + (α / r) B A: one matrix that does the same, at no cost when used."""
        return weight + self.scale * self.up[name] @ self.down[name]

    @property
    def parameters(self) -> list[Tensor]:
        """All that is trained."""
        return [*self.down.values(), *self.up.values()]


class DigitNet:
    """64 pixels, 256 and 128 hidden units, 10 classes."""

    SIZES = (64, 256, 128, 10)

    def __init__(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.lora: Lora | None = None
        self.weights: Weights = {}
        for layer, (inward, out) in enumerate(pairwise(self.SIZES)):
            drawn = torch.randn(out, inward, generator=generator)
            self.weights[f"{layer}.weight"] = drawn * sqrt(2 / inward)
            self.weights[f"{layer}.bias"] = torch.zeros(out)

    @property
    def last(self) -> str:
        """The name of the layer that decides."""
        return str(len(self.SIZES) - 2)

    def copy(self) -> DigitNet:
        """The same weights, to be changed apart."""
        other = DigitNet(0)
        other.weights = {name: weight.clone() for name, weight in self.weights.items()}
        return other

    def logits(self, pixels: Tensor) -> Tensor:
        """(n, 10) for pixels (n, 64)."""
        x = pixels
        for layer in range(len(self.SIZES) - 1):
            weight, bias = self.weights[f"{layer}.weight"], self.weights[f"{layer}.bias"]
            y = nnf.linear(x, weight, bias)
            if self.lora is not None:
                y = y + self.lora.add(str(layer), x)
            x = y.relu() if str(layer) != self.last else y
        return x

    def adapt(self, lora: Lora) -> list[Tensor]:
        """Freeze everything and put an addition beside each layer; returns what is trained."""
        self.lora = lora
        for layer in range(len(self.SIZES) - 1):
            lora.attach(str(layer), self.weights[f"{layer}.weight"])
        return lora.parameters


class TunableMiniLM(MiniLM):
    """MiniLM with a linear classifier on its mean vector, and weights that may be trained."""

    #: What LoRA is put beside: the projections to queries and values (Hu et al., section 4.2).
    ADAPTED = ("attention.self.query", "attention.self.value")

    def __init__(self, classes: int, folder: Path | None = None) -> None:
        super().__init__(folder)
        self.lora: Lora | None = None
        self.head = torch.zeros(classes, WIDTH)
        self.bias = torch.zeros(classes)
        unused = [name for name in self._weights if name.startswith("pooler") or "ids" in name]
        for name in unused:
            del self._weights[name]

    @property
    def weights(self) -> Weights:
        """The encoder's weights by name; change them through `replace`."""
        return self._weights

    def replace(self, weights: Weights) -> None:
        """Take these weights, detached from whatever trained before."""
        self._weights = {name: weight.detach().clone() for name, weight in weights.items()}
        self.lora = None

    def randomise(self, seed: int) -> None:
        """The same architecture untrained."""
        self.replace(self.untrained(torch.Generator().manual_seed(seed))._weights)

    def unfreeze(self) -> list[Tensor]:
        """Train all weights; returns them."""
        return [weight.requires_grad_() for weight in self._weights.values()]

    def adapt(self, lora: Lora) -> list[Tensor]:
        """Freeze everything and put additions beside `ADAPTED`; returns what is trained."""
        self.lora = lora
        for name in sorted(self._weights):  # the file gives them in no fixed order
            if name.endswith(tuple(f"{part}.weight" for part in self.ADAPTED)):
                lora.attach(name.removesuffix(".weight"), self._weights[name])
        return lora.parameters

    @property
    def layer_count(self) -> int:
        """How many layers the weights are for."""
        return sum(name.endswith("self.query.weight") for name in self._weights)

    def _linear(self, name: str, x: Tensor) -> Tensor:
        plain = super()._linear(name, x)
        return plain if self.lora is None else plain + self.lora.add(name, x)

    def vectors(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (n, 384), with gradients where weights are trained."""
        by_length: defaultdict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        for index, text in enumerate(texts):
            ids, _ = self.tokens(text)
            by_length[len(ids)].append((index, ids))
        order, parts = [], []
        for _, group in sorted(by_length.items()):
            hidden = self._embed(torch.tensor([ids for _, ids in group]))
            for layer in range(self.layer_count):
                hidden = self._layer(layer, hidden)
            parts.append(nnf.normalize(hidden.mean(dim=1), dim=1))
            order += [index for index, _ in group]
        return torch.cat(parts)[torch.from_numpy(np.argsort(order))]

    def logits(self, texts: Sequence[str]) -> Tensor:
        """(n, classes), from vectors scaled to a mean square of 1 per number."""
        return nnf.linear(sqrt(WIDTH) * self.vectors(texts), self.head, self.bias)
