"""Every fault that a user can meet, and the exit code it ends the program with.

StudytoolError
├── ContentError      a card file is wrong                      exit 1
├── UsageError        an argument or a name is wrong            exit 2
├── SettingsError     settings.toml is wrong                    exit 2
├── StorageError      the database can't be used                exit 3
│   ├── StorageLocked, StorageReadOnly, StorageCorrupt,
│   └── StorageTooNew, StorageFull, StorageUnwritable
├── DemoError         a demo failed or found what it should not exit 4
│   └── MissingExtra  the demo's packages are not installed
└── Cancelled         the user stopped it                       exit 130

Anything else that escapes is a fault of studytool's own: it is logged and ends with 70.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process ends with; scripts rely on these numbers."""

    OK = 0
    CONTENT = 1
    USAGE = 2
    STORAGE = 3
    DEMO = 4
    INTERNAL = 70
    CANCELLED = 130


class StudytoolError(Exception):
    """A fault with a title, one sentence of what and where, and what to do about it."""

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE
    title: ClassVar[str] = "studytool can't go on"

    def __init__(self, message: str, *, hint: str = "") -> None:
        """`message` says what and where; `hint` says what to do."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ContentError(StudytoolError):
    exit_code = ExitCode.CONTENT
    title = "A card file has a fault"


class UsageError(StudytoolError):
    exit_code = ExitCode.USAGE
    title = "That can't be done so"


class SettingsError(StudytoolError):
    exit_code = ExitCode.USAGE
    title = "The settings have a fault"


class StorageError(StudytoolError):
    exit_code = ExitCode.STORAGE
    title = "The database can't be used"


class StorageLocked(StorageError):
    title = "Another studytool has the database open"


class StorageReadOnly(StorageError):
    title = "The database is read-only"


class StorageCorrupt(StorageError):
    title = "The database is damaged"


class StorageTooNew(StorageError):
    title = "The database was written by a newer studytool"


class StorageFull(StorageError):
    title = "The disk is full"


class StorageUnwritable(StorageError):
    title = "The data folder can't be written"


class DemoError(StudytoolError):
    exit_code = ExitCode.DEMO
    title = "The demo failed"


class MissingExtra(DemoError):
    title = "This demo needs packages that are not installed"


class Cancelled(StudytoolError):
    exit_code = ExitCode.CANCELLED
    title = "Cancelled"
