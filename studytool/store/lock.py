"""One writer at a time: an operating-system lock on a small file beside the database.

The lock goes with the process, however it ends, so there is never a stale one to remove. The
file holds the writer's process id for the message; its content decides nothing.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from studytool.errors import StorageLocked
from studytool.store.faults import NOTHING_LOST, storage_errors

if TYPE_CHECKING:
    from pathlib import Path

#: Windows locks bytes, not files: one far behind the text, so that others can still read the id.
_FAR = 2**30


class InstanceLock:
    """Held from construction to `release`. Raises StorageLocked when another process holds it."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        with storage_errors(database):
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not _try_lock(self._fd):
                raise _held_by_another(self._fd, database)
            with storage_errors(database):
                os.ftruncate(self._fd, 0)
                os.write(self._fd, f"{os.getpid()}\n".encode())
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let the next one in. The file stays: removing it would race with who is opening it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _held_by_another(fd: int, database: Path) -> StorageLocked:
    other = os.read(fd, 32).decode("ascii", "replace").strip()
    return StorageLocked(
        f"{database} is open in another studytool"
        + (f" (process {other})." if other.isdigit() else "."),
        hint=f"Close that one first; `studytool due` works beside it. {NOTHING_LOST}",
    )


if sys.platform == "win32":
    import msvcrt

    def _try_lock(fd: int) -> bool:
        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(fd, 0, os.SEEK_SET)
        return True
else:
    import fcntl

    def _try_lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
