"""What the word vector demos share: one cache and one small text for the session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demos.static_kit import cache_folder, write_topics


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cache_folder(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_topics(tmp_path_factory.mktemp("text"))
