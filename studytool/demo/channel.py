"""Lines from a pipe, read in pieces so that a flood of them never holds up the event loop."""

from __future__ import annotations

import asyncio
import time
from collections import deque

_PIECE = 2**16
#: The longest stretch, in seconds, in which lines are handed out without a turn for others.
_TURN = 0.005


class LineTooLong(ValueError):
    """A line is longer than the protocol allows."""


class Lines:
    """The lines of a stream. `longest` is in bytes, without the newline."""

    def __init__(self, stream: asyncio.StreamReader, longest: int) -> None:
        self._stream = stream
        self._longest = longest
        self._ready: deque[bytes] = deque()
        self._rest = bytearray()
        self._turn_began = time.monotonic()

    async def next(self) -> bytes | None:
        """The next line, or None at the end of the stream; a last half line is dropped.

        Raises LineTooLong.
        """
        if time.monotonic() - self._turn_began > _TURN:
            await asyncio.sleep(0)
            self._turn_began = time.monotonic()
        while not self._ready:
            piece = await self._stream.read(_PIECE)
            if not piece:
                return None
            head, *tail = piece.split(b"\n")
            self._rest += head
            if len(self._rest) > self._longest:
                raise LineTooLong(f"a line has more than {self._longest} bytes")
            if tail:
                self._ready.append(bytes(self._rest))
                self._ready.extend(tail[:-1])
                self._rest = bytearray(tail[-1])
        return self._ready.popleft()
