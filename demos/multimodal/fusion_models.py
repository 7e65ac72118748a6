"""Eight ways to join a picture and a question, and the two that use only one of them."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

WIDTH = 64
HIDDEN = 128
#: How each joins the picture's vector a and the question's vector b into one logit.
FORMULAS: Final = {
    "image only": "w·a",
    "text only": "w·b",
    "late": "w·a + v·b",
    "concat, linear": "w·[a; b]",
    "concat, MLP": "w·relu(W[a; b])",
    "early": "MLP([pixels; b])",
    "gated": "w·(g∘tanh a + (1-g)∘tanh b), g = σ(W[a; b])",
    "bilinear": "w·(a∘b)",
    "FiLM": "w·relu(γ(b)∘a + β(b))",
    "cross-attention": "each word attends to 16 patches",
}
ADDITIVE: Final = ("late", "concat, linear")
INTERACTING: Final = ("concat, MLP", "early", "gated", "bilinear", "FiLM")


class Words(nn.Module):
    """The question's vector: an MLP over the sum of its word vectors, so order is lost."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.table = nn.Embedding(vocabulary, WIDTH, padding_idx=0)
        self.mix = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))

    def forward(self, words: Tensor) -> Tensor:
        """(B, L) word numbers -> (B, WIDTH)."""
        mixed: Tensor = self.mix(self.table(words).sum(1))
        return mixed


class Pixels(nn.Module):
    """The picture's vector: an MLP over its pixels."""

    def __init__(self, pixels: int = 64) -> None:
        super().__init__()
        self.mix = nn.Sequential(nn.Linear(pixels, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, WIDTH))

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 64) -> (B, WIDTH)."""
        mixed: Tensor = self.mix(pictures)
        return mixed


class Fusion(nn.Module):
    """The base: a picture tower, a question tower, and one logit for yes."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.picture, self.question = Pixels(), Words(vocabulary)
        self.head: nn.Module = nn.Linear(WIDTH, 1)

    def join(self, a: Tensor, b: Tensor) -> Tensor:
        """Both vectors (B, WIDTH) -> logits (B, 1)."""
        raise NotImplementedError

    def forward(self, pictures: Tensor, words: Tensor) -> Tensor:
        """(B, 64) pixels and (B, L) words -> (B) logits."""
        return self.join(self.picture(pictures), self.question(words))[:, 0]


class ImageOnly(Fusion):
    def join(self, a: Tensor, b: Tensor) -> Tensor:
        logits: Tensor = self.head(a.relu())
        return logits


class TextOnly(Fusion):
    def join(self, a: Tensor, b: Tensor) -> Tensor:
        logits: Tensor = self.head(b.relu())
        return logits


class Late(Fusion):
    """Two classifiers whose logits are added: the usual ensemble of experts."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__(vocabulary)
        self.other = nn.Linear(WIDTH, 1)

    def join(self, a: Tensor, b: Tensor) -> Tensor:
        logits: Tensor = self.head(a.relu()) + self.other(b.relu())
        return logits


class ConcatLinear(Fusion):
    """One linear layer over both vectors: again a sum of two parts."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__(vocabulary)
        self.head = nn.Linear(2 * WIDTH, 1)

    def join(self, a: Tensor, b: Tensor) -> Tensor:
        logits: Tensor = self.head(torch.cat([a, b], 1))
        return logits


class ConcatMLP(Fusion):
    """A hidden layer over both vectors: the first that can multiply, if crudely."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__(vocabulary)
        self.head = nn.Sequential(nn.Linear(2 * WIDTH, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))

    def join(self, a: Tensor, b: Tensor) -> Tensor:
        logits: Tensor = self.head(torch.cat([a, b], 1))
        return logits


class Early(Fusion):
    """The raw pixels meet the question before anything has been made of them."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__(vocabulary)
        self.picture = nn.Identity()
        self.head = nn.Sequential(
            nn.Linear(64 + WIDTH, HIDDEN), nn.ReLU(),
            nn.Linear(HIDDEN, HIDDEN), nn.ReLU(),
            nn.Linear(HIDDEN, 1),
        )  # fmt: skip

    def join(self, a: Tensor, b: Tensor) -> Tensor:
        logits: Tensor = self.head(torch.cat([a, b], 1))
        return logits


class Gated(Fusion):
    """Arevalo et al. 2017, arXiv:1702.01992, section 3.1: a gate weighs the two."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__(vocabulary)
        self.gate = nn.Linear(2 * WIDTH, WIDTH)

    def join(self, a: Tensor, b: Tensor) -> Tensor:
        gate = self.gate(torch.cat([a, b], 1)).sigmoid()
        logits: Tensor = self.head(gate * a.tanh() + (1 - gate) * b.tanh())
        return logits


class Bilinear(Fusion):
    """A product in each coordinate: bilinear pooling of low rank."""

    def join(self, a: Tensor, b: Tensor) -> Tensor:
        logits: Tensor = self.head(a * b)
        return logits


class FiLM(Fusion):
    """Perez et al. 2018, arXiv:1709.07871, equation 2: the question scales and shifts features."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__(vocabulary)
        self.affine = nn.Linear(WIDTH, 2 * WIDTH)

    def join(self, a: Tensor, b: Tensor) -> Tensor:
        scale, shift = self.affine(b).chunk(2, 1)
        logits: Tensor = self.head(((1 + scale) * a + shift).relu())
        return logits


class CrossAttention(Fusion):
    """Each word asks the sixteen 2 x 2 patches; the answers are averaged (one head)."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__(vocabulary)
        self.picture = nn.Identity()
        self.patch = nn.Linear(4, WIDTH)
        self.place = nn.Parameter(0.1 * torch.randn(16, WIDTH))
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))

    def forward(self, pictures: Tensor, words: Tensor) -> Tensor:
        """(B, 64) pixels and (B, L) words -> (B) logits."""
        patches = pictures.view(-1, 4, 2, 4, 2).transpose(2, 3).reshape(-1, 16, 4)
        seen = self.patch(patches).relu() + self.place
        question = self.question(words)
        asked = self.query(self.question.table(words) + question[:, None])
        weights = (asked @ self.key(seen).transpose(1, 2) / WIDTH**0.5).softmax(-1)
        found = (weights @ self.value(seen)).mean(1) + question
        logits: Tensor = self.head(found.relu())
        return logits[:, 0]


FUSIONS: Final[dict[str, type[Fusion]]] = {
    "image only": ImageOnly,
    "text only": TextOnly,
    "late": Late,
    "concat, linear": ConcatLinear,
    "concat, MLP": ConcatMLP,
    "early": Early,
    "gated": Gated,
    "bilinear": Bilinear,
    "FiLM": FiLM,
    "cross-attention": CrossAttention,
}
