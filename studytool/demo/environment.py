"""The environment variables of a demo's process: few threads, no network, no secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SECRET = re.compile(
    r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|_AUTH|^STUDYTOOL_LLM_", re.IGNORECASE
)
#: Names that look like secrets and are none.
_HARMLESS = frozenset({"TOKENIZERS_PARALLELISM", "XKB_DEFAULT_KEYMAP"})
#: What the libraries that compute read as they are loaded.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def is_secret(name: str) -> bool:
    """Whether a variable of this name is kept from demos."""
    return name not in _HARMLESS and _SECRET.search(name) is not None


def child_environment(base: Mapping[str, str], *, threads: int, cache: Path) -> dict[str, str]:
    """`base` made fit for a demo.

    Of Python's own variables only PYTHONPATH stays; hashing is fixed, so that sets have the same
    order in each run. Compiled numba code goes to `cache`, as the demo's own folder may be
    read-only.
    """
    kept = {
        name: value
        for name, value in base.items()
        if not is_secret(name) and (not name.startswith("PYTHON") or name == "PYTHONPATH")
    }
    kept.update(dict.fromkeys(THREADS, str(threads)))
    kept.update(
        OMP_WAIT_POLICY="PASSIVE",
        TOKENIZERS_PARALLELISM="false",
        PYTHONHASHSEED="0",
        PYTHONUTF8="1",
        HF_HUB_OFFLINE="1",
        TRANSFORMERS_OFFLINE="1",
        MPLBACKEND="Agg",
        NUMBA_CACHE_DIR=str(cache / "numba"),
    )
    return kept
