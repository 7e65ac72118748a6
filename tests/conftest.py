"""Fixtures that every test shares: a home of its own, a clock that stands still."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest

from studytool.clock import FixedClock
from studytool.paths import Paths, default_paths

# Read when numpy and torch are imported: on a busy machine a second thread costs more than it brings.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# Time per example says more about the machine's load than about the code.
hypothesis.settings.register_profile(
    "studytool", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("studytool")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the user's home; nothing may be written to the real one."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("STUDYTOOL_HOME", str(folder))
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("EDITOR", "VISUAL", "NO_COLOR", "STUDYTOOL_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in list(os.environ):
        if name.startswith("XDG_"):
            monkeypatch.delenv(name)
    return folder


@pytest.fixture
def paths(home: Path) -> Paths:
    """The folders of the test's own profile."""
    del home
    return default_paths()


@pytest.fixture
def clock() -> FixedClock:
    """Monday 23 November 2026, 10:00 UTC."""
    return FixedClock(datetime(2026, 11, 23, 10, 0, tzinfo=UTC))
