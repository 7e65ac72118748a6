"""A third party's plugin, installed for one test."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PLUGIN = Path(__file__).parents[1] / "fixtures" / "plugin"


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package `fakedemos` and its entry points, as pip would install them."""
    monkeypatch.syspath_prepend(str(PLUGIN))
    yield PLUGIN
    for name in [name for name in sys.modules if name.split(".")[0] == "fakedemos"]:
        del sys.modules[name]
