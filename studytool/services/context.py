"""What every use case needs: folders, clock, settings, the deck in hand, and the store.

Opening an App reads settings.toml and nothing else; the database is opened by the first use
of `app.store`, on the thread that uses it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from studytool import settings as settings_file
from studytool.clock import Clock, SystemClock, study_day
from studytool.errors import UsageError
from studytool.paths import Paths, builtin_content, default_paths
from studytool.schedule import days

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path
    from types import TracebackType

    from studytool.schedule.model import Moment, Policy, Rollover
    from studytool.settings import Settings
    from studytool.store import Store

#: The name under which the deck that ships with the tool is kept in the database.
BUILTIN_DECK = "builtin"


class App:
    """One run of the program. A context manager; leaving it closes the store."""

    def __init__(self, paths: Paths, clock: Clock, deck_name: str, deck_folder: Path) -> None:
        self.paths = paths
        self.clock = clock
        self.deck_name = deck_name
        self.deck_folder = deck_folder
        #: What the user should be told once, such as faults of settings.toml.
        self.warnings: list[str] = []
        self.settings = self._load_settings()
        self._store: Store | None = None

    def __enter__(self) -> App:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def store(self) -> Store:
        """The store, opened by the first use. Raises StorageError when it can't be."""
        if self._store is None:
            from studytool.store import open_store

            self._store = open_store(
                self.paths, self.clock, rollover_hour=self.settings.study.rollover_hour
            )
            self.warnings.extend(self._store.warnings)
        return self._store

    def keep_daily_copy(self) -> None:
        """Save the copy of the day now rather than before the first write. Raises StorageCorrupt."""
        told = len(self.store.warnings)
        self.store.keep_daily_copy()
        self.warnings.extend(self.store.warnings[told:])

    @property
    def today(self) -> date:
        """The present study day."""
        return study_day(self.clock.now(), self.settings.study.rollover_hour, self.clock.zone())

    @property
    def moment(self) -> Moment:
        """The present moment as the schedule sees it."""
        return days.moment(self.clock.now(), self.today)

    @property
    def rollover(self) -> Rollover:
        """When the present study day ends."""
        return days.rollover(self.today, self.settings.study.rollover_hour, self.clock.zone())

    @property
    def policy(self) -> Policy:
        """The scheduling policy of the settings."""
        return settings_file.policy(self.settings)

    def save_settings(self, settings: Settings) -> None:
        """Write settings.toml and use the new settings. A new rollover hour holds from the next start.

        Raises SettingsError and changes nothing when they can't be written.
        """
        settings_file.save(self.paths.settings, settings)
        self.settings = settings

    def close(self) -> None:
        """Close the store; call it on the thread that used it."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _load_settings(self) -> Settings:
        today = self.clock.now().astimezone(self.clock.zone()).date()
        loaded = settings_file.load(self.paths.settings, today)
        self.warnings.extend(loaded.warnings)
        return loaded.settings


def open_app(
    deck_dir: Path | None = None, clock: Clock | None = None, paths: Paths | None = None
) -> App:
    """An App for the deck in `deck_dir`; without one, for the deck that ships with the tool.

    `deck_dir` may also be the name of a folder in the user's decks folder. Raises UsageError
    when there is no such folder.
    """
    paths = paths or default_paths()
    name, folder = deck_identity(deck_dir, paths)
    return App(paths, clock or SystemClock(), name, folder)


def deck_identity(deck_dir: Path | None, paths: Paths) -> tuple[str, Path]:
    """The name a deck has in the database and its folder; see `open_app`.

    The name of another deck ends in a hash of its path, so that two folders called "cards"
    stay two decks.
    """
    if deck_dir is None:
        return BUILTIN_DECK, builtin_content()
    known = paths.decks / deck_dir
    folder = deck_dir if deck_dir.is_dir() or not known.is_dir() else known
    if not folder.is_dir():
        raise UsageError(
            f"There is no folder {deck_dir}, and no deck of that name in {paths.decks}.",
            hint="--deck takes a folder with card files (*.md)",
        )
    folder = folder.resolve()
    mark = hashlib.blake2b(str(folder).encode(errors="surrogateescape"), digest_size=4).hexdigest()
    return f"{folder.name}-{mark}", folder
