"""Cosines between an answer's units and a card's texts; the card's vectors are kept on disk.

A file of vectors is named by a hash of the encoder and the texts, so it can never be stale: a
changed card has another file. The folder may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from studytool.grading.decide import Tone
    from studytool.grading.encoder import Encoder


@dataclass(frozen=True, slots=True)
class CardVectors:
    """The texts of one rubric: where each stands, their unit rows, and the cosines among them."""

    index: dict[str, int]
    rows: NDArray[np.float32]
    among: list[list[float]]


class VectorCache:
    """Vectors of card texts, computed once; `folder` None keeps them nowhere."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def vectors(self, encoder: Encoder, texts: Sequence[str]) -> CardVectors:
        """The vectors of `texts` by `encoder`, from disk when they are there."""
        rows = self._read(encoder, texts)
        if rows is None:
            rows = encoder.encode(texts)
            self._write(encoder, texts, rows)
        return CardVectors(
            {text: at for at, text in enumerate(texts)}, rows, (rows @ rows.T).tolist()
        )

    def _read(self, encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """The rows from disk; None when there are none that fit."""
        import numpy as np

        path = self._path(encoder, texts)
        if path is None or not texts:
            return None
        try:
            raw = path.read_bytes()
        except OSError:
            return None
        body, digest = raw[:-16], raw[-16:]
        if len(body) % (4 * len(texts)) or hashlib.blake2b(body, digest_size=16).digest() != digest:
            return None
        return np.frombuffer(body, np.float32).reshape(len(texts), -1)

    def _write(self, encoder: Encoder, texts: Sequence[str], rows: NDArray[np.float32]) -> None:
        """Keep the rows; a folder that can't be written costs time, not the verdict."""
        path = self._path(encoder, texts)
        if path is None or not texts:
            return
        body = rows.tobytes()
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(body + hashlib.blake2b(body, digest_size=16).digest())
            beside.replace(path)
        except OSError:
            return

    def _path(self, encoder: Encoder, texts: Sequence[str]) -> Path | None:
        if self._folder is None:
            return None
        text = msgspec.json.encode([encoder.identity, *texts])
        return self._folder / hashlib.blake2b(text, digest_size=16).hexdigest()


def cosines(units: NDArray[np.float32], card: CardVectors) -> list[list[float]]:
    """Cosine of each unit (row) with each text of the card (column)."""
    table: list[list[float]] = (units @ card.rows.T).tolist()
    return table


def tones(units: NDArray[np.float32], tone: Tone | None, encoder: Encoder) -> list[float]:
    """How much each unit sounds like a mistake (see decide.Tone); none for another encoder's tone."""
    import numpy as np

    if tone is None or tone.encoder != encoder.name:
        return []
    found: list[float] = (units @ np.array(tone.weights, np.float32) + tone.bias).tolist()
    return found
