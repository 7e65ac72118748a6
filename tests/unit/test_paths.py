"""STUDYTOOL_HOME holds everything; without it the system's places do."""

from __future__ import annotations

from pathlib import Path

import pytest

from studytool.paths import builtin_content, default_paths


def test_studytool_home_holds_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STUDYTOOL_HOME", str(tmp_path))

    paths = default_paths()

    for path in (paths.database, paths.backups, paths.decks, paths.settings, paths.demo_cache):
        assert path.is_relative_to(tmp_path)


def test_without_it_the_platform_decides(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.delenv("STUDYTOOL_HOME")

    paths = default_paths()

    assert paths.data.is_relative_to(home)
    assert paths.data.name == "studytool"


def test_asking_for_paths_creates_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STUDYTOOL_HOME", str(tmp_path / "new"))

    default_paths()

    assert not (tmp_path / "new").exists()


def test_the_built_in_deck_stands_beside_the_package() -> None:
    assert sorted(builtin_content().glob("*/*.md"))
