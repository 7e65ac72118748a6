"""Fixtures for pilots and pictures of the screens: nothing moves, nothing blinks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual import _wait

from studytool.tui.app import StudyApp
from tests.tui import toy


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No animation, colours as on a terminal that has them, and short looks at whether it is idle.

    The pilot looks every 20 ms whether the app still works; all that has to be waited for is
    waited for by a condition (`helpers.until`), so a shorter look is enough.
    """
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", 0.004)
    monkeypatch.setattr(_wait, "SLEEP_IDLE", 0.0004)
    monkeypatch.setattr(StudyApp, "animation_level", "none", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("STUDYTOOL_PICTURES", raising=False)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The demo `toy`, installed for this test."""
    site = toy.write_plugin(tmp_path / "site")
    monkeypatch.syspath_prepend(str(site))
    yield site
    sys.modules.pop("toyplugin", None)


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    """A folder with two cards, the first with the demo `toy`."""
    return toy.write_deck(tmp_path / "deck")
