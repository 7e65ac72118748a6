"""Where files live. STUDYTOOL_HOME puts everything under one folder; else the system's own places.

data      collection.db, backups/, decks/ (the user's own decks)
settings  settings.toml
cache     what demos and the encoder keep between runs; may be deleted at any time
state     logs
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one profile. Nothing is created until it is written to."""

    data: Path
    config: Path
    cache: Path
    state: Path

    @property
    def database(self) -> Path:
        return self.data / "collection.db"

    @property
    def backups(self) -> Path:
        return self.data / "backups"

    @property
    def decks(self) -> Path:
        return self.data / "decks"

    @property
    def settings(self) -> Path:
        return self.config / "settings.toml"

    @property
    def demo_cache(self) -> Path:
        return self.cache / "demos"


def default_paths() -> Paths:
    """The paths of this user, from STUDYTOOL_HOME or the platform's conventions."""
    home = os.environ.get("STUDYTOOL_HOME")
    if home:
        root = Path(home).expanduser().absolute()
        return Paths(root / "data", root / "config", root / "cache", root / "state")
    import platformdirs

    dirs = platformdirs.PlatformDirs("studytool", appauthor=False)
    return Paths(
        Path(dirs.user_data_dir),
        Path(dirs.user_config_dir),
        Path(dirs.user_cache_dir),
        Path(dirs.user_state_dir),
    )


def builtin_content() -> Path:
    """The folder of the built-in deck: beside the package, in a wheel and in a checkout."""
    return PACKAGE.parent / "content"
