"""Lines from standard input that can be waited for, so that Ctrl-C and a demo's events get through."""

from __future__ import annotations

import asyncio
import io
import os
import sys


class StdinLines:
    """Reads a terminal, a pipe or a file line by line."""

    def __init__(self) -> None:
        self._rest = b""
        self._ended = False
        try:
            self._descriptor: int | None = sys.stdin.fileno()
        except (io.UnsupportedOperation, ValueError):
            self._descriptor = None

    async def read(self) -> str | None:
        """The next line without its end, None when there is no more."""
        if self._descriptor is None:
            return sys.stdin.readline().rstrip("\n") or None
        while b"\n" not in self._rest and not self._ended:
            await self._readable(self._descriptor)
            piece = os.read(self._descriptor, 4096)
            self._ended = not piece
            self._rest += piece
        if not self._rest:
            return None
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("utf-8", "replace").rstrip("\r")

    @staticmethod
    async def _readable(descriptor: int) -> None:
        """Wait until there is something to read; a plain file always has."""
        loop = asyncio.get_running_loop()
        ready = loop.create_future()

        def wake() -> None:
            if not ready.done():
                ready.set_result(None)

        try:
            loop.add_reader(descriptor, wake)
        except (PermissionError, NotImplementedError):
            return
        try:
            await ready
        finally:
            loop.remove_reader(descriptor)
