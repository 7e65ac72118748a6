"""A child process with a line protocol, which is ended together with all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Self

from studytool.demo.channel import Lines
from studytool.safetext import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

POSIX = sys.platform != "win32"
#: How many lines of the log are kept, and how much of each.
LOG_LINES, LOG_WIDTH = 2_000, 2_000
#: What is allowed, in seconds, between asking a process to end and ending it.
GRACE = 0.4


class _Pipes(asyncio.SubprocessProtocol):
    """The pipes of a process as streams, and a future for its exit.

    `asyncio.subprocess.Process.wait` would wait for the pipes as well, which something that the
    process left running may hold open.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.streams = {1: asyncio.StreamReader(), 2: asyncio.StreamReader()}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        for number, stream in self.streams.items():
            pipe = transport.get_pipe_transport(number)
            assert pipe is not None
            stream.set_transport(pipe)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.streams[fd].feed_data(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd in self.streams:
            self.streams[fd].feed_eof()

    def process_exited(self) -> None:
        self.exited.set_result(None)


class ChildProcess:
    """One Python process that runs a module; `log` holds the last lines of its stderr, cleaned."""

    def __init__(
        self,
        transport: asyncio.SubprocessTransport,
        pipes: _Pipes,
        longest: int,
        on_log: Callable[[str], None] | None,
    ) -> None:
        self.pid = transport.get_pid()
        self.lines = Lines(pipes.streams[1], longest)
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._transport = transport
        self._exited = pipes.exited
        self._errors = pipes.streams[2]
        self._on_log = on_log
        self._logging = asyncio.create_task(self._read_log())
        self._exited.add_done_callback(lambda _: self._end_the_rest())

    @classmethod
    async def start(
        cls,
        module: str,
        environment: Mapping[str, str],
        *,
        longest: int,
        arguments: Sequence[str] = (),
        on_log: Callable[[str], None] | None = None,
    ) -> Self:
        """Start `python -m module …` in a session of its own; lines over `longest` bytes are faults."""
        transport, pipes = await asyncio.get_running_loop().subprocess_exec(
            _Pipes,
            sys.executable,
            *("-P", "-X", "faulthandler", "-m", module, *arguments),
            env=environment,
            start_new_session=POSIX,
        )
        return cls(transport, pipes, longest, on_log)

    def write(self, line: bytes) -> None:
        """Send one line. A process that is gone is noticed where its lines are read."""
        pipe = self._transport.get_pipe_transport(0)
        if isinstance(pipe, asyncio.WriteTransport) and not pipe.is_closing():
            pipe.write(line + b"\n")

    async def wait(self) -> int:
        """The exit code, once the process has ended and its log is read; -n is signal n."""
        await asyncio.shield(self._exited)
        await asyncio.wait([self._logging], timeout=GRACE)
        code = self._transport.get_returncode()
        assert code is not None
        return code

    def kill(self) -> None:
        """End the process and its group now."""
        if not self._exited.done():
            self._signal(signal.SIGKILL if POSIX else signal.SIGTERM)

    async def end(self, patience: float = 0.0) -> None:
        """Leave nothing behind: wait for `patience` seconds, ask, and after GRACE insist."""
        try:
            if patience:
                await asyncio.wait([self._exited], timeout=patience)
            if not self._exited.done():
                self._signal(signal.SIGTERM)
                await asyncio.wait([self._exited], timeout=GRACE)
        finally:
            self.kill()
            await asyncio.shield(self._exited)
            await asyncio.wait([self._logging], timeout=GRACE)
            self._logging.cancel()
            self._transport.close()

    def _end_the_rest(self) -> None:
        """End what the process left running in its group."""
        if POSIX:
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        """Signal the whole group; one that is gone is fine."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._transport.terminate()  # Windows has no groups to signal
            else:
                os.killpg(self.pid, number)

    async def _read_log(self) -> None:
        rest = ""
        while piece := await self._errors.read(2**14):
            *whole, rest = (rest + piece.decode("utf-8", "replace")).replace("\r", "\n").split("\n")
            for line in whole:
                self._note(line)
            rest = rest[-LOG_WIDTH:]
            await asyncio.sleep(0)
        self._note(rest)

    def _note(self, line: str) -> None:
        text = clean(line[:LOG_WIDTH]).rstrip()
        if text:
            self.log.append(text)
            if self._on_log is not None:
                self._on_log(text)


def resident_bytes(pid: int) -> int:
    """The memory of a process and its descendants, in bytes; 0 where /proc doesn't tell."""
    total, waiting = 0, [pid]
    while waiting:
        folder = Path("/proc") / str(waiting.pop())
        try:
            pages = int((folder / "statm").read_text().split()[1])
            children = (folder / "task" / folder.name / "children").read_text().split()
        except (OSError, IndexError):
            continue
        total += pages * os.sysconf("SC_PAGE_SIZE")
        waiting += map(int, children)
    return total


def exit_words(code: int) -> str:
    """`was ended by signal SIGSEGV` or `ended with code 3`."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by signal {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
