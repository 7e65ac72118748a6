"""Arrays kept between runs: written whole or not at all, and made again when damaged."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np


def write_arrays(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a compressed .npz in one step: a reader sees the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.stem, suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            _write_zip(stream, arrays)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _write_zip(stream: IO[bytes], arrays: Mapping[str, np.ndarray]) -> None:
    """What np.savez_compressed writes, but never a pickle and whatever the arrays are called."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def read_arrays(file: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray] | None:
    """The named arrays, or None when the file is missing, damaged or of other shapes.

    A shape may have -1 where any length is right. Pickled objects are never loaded.
    """
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in shapes}
    except (FileNotFoundError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    for name, shape in shapes.items():
        found = arrays[name].shape
        if len(found) != len(shape) or any(
            want not in (-1, have) for want, have in zip(shape, found, strict=True)
        ):
            return None
    return arrays
