"""Two encoders with a shared output space: pictures of 32 x 32 pixels and short texts.

The layout is CLIP's (Radford et al. 2021, §2.3-2.5) at a size for one laptop core: a residual
network for pictures, a transformer over words for texts, a linear projection of each, and one
learned temperature. Unlike CLIP's, the text tower reads whole words in both directions and
averages them, where CLIP has byte pairs, a causal mask and the feature at [EOS].
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from demos.kit.minilm import MiniLM
from demos.kit.words import PAD, UNKNOWN, Vocabulary

#: Radford et al. 2021, §2.5: the logits are never scaled by more than this.
MAX_SCALE = 100.0


def ink(pixels: np.ndarray) -> Tensor:
    """(n, 32, 32, 3) uint8 to (n, 3, 32, 32) float in [0, 1], white paper as 0."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(-255).add_(1)


class Residual(nn.Module):
    """Two 3 x 3 convolutions added to their input (He et al. 2016, arXiv:1512.03385, figure 2).

    The last scale begins at 0, so the block begins as the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        nn.init.zeros_(self.inner[4].weight)

    def forward(self, x: Tensor) -> Tensor:
        return nnf.relu(x + self.inner(x))


class ImageTower(nn.Module):
    """Pictures (n, 3, 32, 32) to (n, out). Squares of 4 x 4 pixels become channels first.

    Convolutions thus run on 8 x 8 and 4 x 4 cells only, which is what makes a training step
    cheap: width 16 has 0.25 M parameters.
    """

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        fine, coarse = 2 * width, 4 * width
        self.body = nn.Sequential(
            nn.PixelUnshuffle(4),
            *_convolution(48, fine, kernel=3, stride=1),
            Residual(fine),
            *_convolution(fine, coarse, kernel=2, stride=2),
            Residual(coarse),
            nn.Flatten(),
            nn.Linear(coarse * 16, out),
        )
        self.to(memory_format=torch.channels_last)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.body(pictures)


def _convolution(inputs: int, outputs: int, *, kernel: int, stride: int) -> list[nn.Module]:
    padding = kernel // 2 if kernel % 2 else 0
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


class WordTower(nn.Module):
    """A text tower from scratch: word and position vectors, one transformer layer, the mean.

    It knows the words of the training captions and takes all others for one unknown word. That
    word has a vector too: in training a few words are hidden behind it.
    """

    def __init__(
        self, vocabulary: Vocabulary, out: int, width: int = 64, hidden: float = 0.05
    ) -> None:
        """`hidden` is the share of words taken for unknown in training."""
        super().__init__()
        self.vocabulary = vocabulary
        self.hidden = hidden
        self.words = nn.Embedding(len(vocabulary), width)
        self.places = nn.Parameter(torch.randn(vocabulary.longest, width) * 0.02)
        self.layer = nn.TransformerEncoderLayer(
            width, 4, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, out, bias=False)
        nn.init.normal_(self.words.weight, std=0.1)

    def prepare(self, texts: Sequence[str]) -> Tensor:
        """What `forward` takes: word numbers, (n, longest) int64."""
        return torch.from_numpy(self.vocabulary.encode(texts))

    def unknown(self, text: str) -> tuple[str, ...]:
        """The words of the text it has never met."""
        return self.vocabulary.unknown(text)

    def forward(self, numbers: Tensor) -> Tensor:
        used = max(1, int((numbers != PAD).sum(dim=1).max()))
        numbers = numbers[:, :used]
        empty = numbers == PAD
        if self.training and self.hidden > 0:
            numbers = numbers.masked_fill(torch.rand(numbers.shape) < self.hidden, UNKNOWN)
        empty[:, 0] = False  # a text without any word is one padding word, not a division by 0
        hidden = self.words(numbers) + self.places[:used]
        hidden = self.norm(self.layer(hidden, src_key_padding_mask=empty))
        kept = (~empty).unsqueeze(-1)
        return self.project((hidden * kept).sum(dim=1) / kept.sum(dim=1))


class FrozenTower(nn.Module):
    """LiT (Zhai et al. 2022, arXiv:2111.07991) turned round: the text side is borrowed and locked.

    MiniLM's sentence vectors are centred on the training captions; one linear map is trained. It
    begins as the projection to their principal directions, so their geometry is there at step 0.
    In training the vectors are blurred a little: neighbouring texts then share neighbouring
    pictures, which helps with texts that were never trained on.
    """

    def __init__(self, reader: MiniLM, captions: np.ndarray, out: int, blur: float = 0.3) -> None:
        """`captions` are the training captions' vectors, (n, 384).

        `blur` is the noise in training, as a share of each dimension's standard deviation.
        """
        super().__init__()
        self.reader = reader
        vectors = torch.from_numpy(captions)
        self.register_buffer("centre", vectors.mean(dim=0))
        self.register_buffer("noise", blur * vectors.std(dim=0))
        self.project = nn.Linear(vectors.shape[1], out, bias=False)
        centred = vectors - self.centre
        _, directions = torch.linalg.eigh(centred.T @ centred)
        self.project.weight.data.copy_(directions.T[-out:])

    def prepare(self, texts: Sequence[str]) -> Tensor:
        """What `forward` takes: MiniLM's vectors, (n, 384)."""
        return torch.from_numpy(self.reader.sentences(texts))

    def unknown(self, text: str) -> tuple[str, ...]:
        """Nothing: MiniLM reads any word in pieces."""
        return ()

    def forward(self, vectors: Tensor) -> Tensor:
        centred = vectors - self.centre
        if self.training:
            centred = centred + self.noise * torch.randn_like(centred)
        return self.project(centred)


class TwoTowers(nn.Module):
    """An image tower, a text tower and the temperature between them.

    The temperature is kept as `log_scale` = ln(1/τ), so that it stays positive whatever the
    optimiser does to it (Radford et al. 2021, §2.3 and figure 3).
    """

    def __init__(
        self,
        image: ImageTower,
        text: WordTower | FrozenTower,
        temperature: float = 0.07,
        *,
        learn_temperature: bool = True,
    ) -> None:
        super().__init__()
        self.image = image
        self.text = text
        self.log_scale = nn.Parameter(
            torch.tensor(-math.log(temperature)), requires_grad=learn_temperature
        )

    @property
    def scale(self) -> Tensor:
        """What cosines are multiplied by, 1/τ, at most 100."""
        return self.log_scale.exp().clamp(max=MAX_SCALE)

    @property
    def temperature(self) -> float:
        """τ as a number."""
        return 1 / self.scale.item()

    def images(self, pictures: Tensor) -> Tensor:
        """Unit vectors of pictures (n, 3, 32, 32)."""
        return nnf.normalize(self.image(pictures), dim=1)

    def texts(self, prepared: Tensor) -> Tensor:
        """Unit vectors of what `text.prepare` gave."""
        return nnf.normalize(self.text(prepared), dim=1)

    @torch.no_grad()
    def look(self, pixels: np.ndarray, batch: int = 512) -> np.ndarray:
        """Unit vectors of (n, 32, 32, 3) uint8 pictures, in evaluation mode."""
        self.eval()
        parts = [
            self.images(ink(pixels[i : i + batch])).numpy() for i in range(0, len(pixels), batch)
        ]
        return np.concatenate(parts)

    @torch.no_grad()
    def read(self, prepared: Tensor, batch: int = 512) -> np.ndarray:
        """Unit vectors of prepared texts, in evaluation mode."""
        self.eval()
        return np.concatenate([self.texts(part).numpy() for part in prepared.split(batch)])
