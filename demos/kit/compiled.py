"""Loads the modules of this kit that numba compiles, with a cache that lasts between runs."""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType

from studytool.demo.spec import Lab


def load(name: str, lab: Lab) -> ModuleType:
    """The module `demos.kit.<name>`, its machine code kept beside the demos' caches.

    A NUMBA_CACHE_DIR that is already set is respected. numba looks at its setting when a
    function is decorated, so this has to run before the module is imported.
    """
    import numba

    if not os.environ.get("NUMBA_CACHE_DIR"):
        folder = lab.cache.parent / "numba"
        folder.mkdir(parents=True, exist_ok=True)
        numba.config.CACHE_DIR = str(folder)
    return import_module(f"demos.kit.{name}")
