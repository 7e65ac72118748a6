from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("numpy")

import numpy as np
from numpy.typing import NDArray

from studytool.grading.vectors import VectorCache


class Counting:
    """Counts how often it is asked; a text's vector is made of its characters."""

    name = "counting"

    def __init__(self, identity: str = "counting-1") -> None:
        self.identity = identity
        self.calls = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls += 1
        rows = np.array([[len(text) + 1, text.count("a") + 1] for text in texts], np.float32)
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


def test_vectors_are_kept_by_encoder_and_text(tmp_path: Path) -> None:
    one, other = Counting(), Counting("counting-2")
    cache = VectorCache(tmp_path / "vectors")

    first = cache.vectors(one, ["banana", "b"])
    again = VectorCache(tmp_path / "vectors").vectors(one, ["banana", "b"])
    cache.vectors(one, ["banana", "c"])
    cache.vectors(other, ["banana", "b"])

    assert np.array_equal(first.rows, again.rows)
    assert (one.calls, other.calls) == (2, 1)


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    encoder, cache = Counting(), VectorCache(tmp_path)
    cache.vectors(encoder, ["banana"])
    file = next(tmp_path.iterdir())
    file.write_bytes(file.read_bytes()[:-3])

    cache.vectors(encoder, ["banana"])

    assert encoder.calls == 2


def test_a_folder_that_cannot_be_written_costs_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    vectors = VectorCache(tmp_path / "file").vectors(Counting(), ["banana"])

    assert vectors.rows.shape == (1, 2)
