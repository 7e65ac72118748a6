"""Runs one demo in a process of its own and hands on its events.

    async with DemoRun(found, params, cache=paths.demo_cache) as run:
        async for event in run:
            ...
        async for event in run.explore("a purple heart"):
            ...

Leaving the block, cancelling the task that reads, or `cancel()` ends the process and everything
it started, within a second.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

import msgspec

from studytool.demo.channel import LineTooLong
from studytool.demo.crash import MEMORY_HINT
from studytool.demo.environment import child_environment
from studytool.demo.events import MAX_LINE, Done, Event, Failed, decode
from studytool.demo.params import encode
from studytool.demo.process import ChildProcess, exit_words, resident_bytes
from studytool.demo.protocol import ANSWERED, Cancel, Explore, Start
from studytool.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from studytool.demo.registry import Found
    from studytool.demo.spec import Params

#: How long a run that is over may take to close its files, in seconds.
_LAST_WORDS = 3.0
_KILLED = -9


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use, generously: wall seconds until it is done, and bytes of memory."""

    seconds: float = 3_600
    memory: int = 8 * 2**30
    address_space: int = 64 * 2**30


class RunState(StrEnum):
    """Where a run stands; OPEN means that it is done and answers explore requests."""

    NEW = "new"
    RUNNING = "running"
    OPEN = "open"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DemoRun:
    """One run of a demo. Iterate it once; the last event is a Done or a Failed.

    The events of a cancelled run end without either. `log` is what the process wrote to stderr or
    printed; `on_log` is called with each line of it.
    """

    def __init__(
        self,
        found: Found,
        params: Params,
        *,
        cache: Path,
        threads: int = 1,
        save: Path | None = None,
        limits: Limits | None = None,
        on_log: Callable[[str], None] | None = None,
    ) -> None:
        self.found = found
        self.params = params
        self.state = RunState.NEW
        self._cache = cache
        self._threads = threads
        self._save = save
        self._limits = limits or Limits()
        self._on_log = on_log
        self._child: ChildProcess | None = None
        self._watching: asyncio.Task[None] | None = None
        self._over_limit: Failed | None = None
        self._asking = asyncio.Lock()
        self._unread_answers = 0

    @property
    def pid(self) -> int | None:
        """The process, once it is started."""
        return self._child.pid if self._child else None

    @property
    def log(self) -> Sequence[str]:
        """The last lines of the log."""
        return list(self._child.log) if self._child else []

    async def start(self) -> None:
        """Start the process; its first event tells that it lives."""
        if self.state is not RunState.NEW:
            raise RuntimeError("a run is started once")
        self.state = RunState.RUNNING
        environment = child_environment(os.environ, threads=self._threads, cache=self._cache)
        self._child = await ChildProcess.start(
            "studytool.demo.child", environment, longest=MAX_LINE, on_log=self._on_log
        )
        self._watching = asyncio.create_task(self._watch(self._child))
        self._child.write(msgspec.json.encode(self._start_line()))

    def _start_line(self) -> Start:
        return Start(
            spec=self.found.target,
            params=encode(self.params),
            cache=str(self._cache),
            install=self.found.install,
            root=self.found.root,
            threads=self._threads,
            save=str(self._save) if self._save else None,
            parent=os.getpid(),
            address_space=self._limits.address_space,
        )

    async def __aiter__(self) -> AsyncIterator[Event]:
        if self.state is RunState.NEW:
            await self.start()
        try:
            while self.state is RunState.RUNNING:
                event = await self._next()
                if event is None:
                    return
                if isinstance(event, Done):
                    self.state = RunState.OPEN if event.explore else RunState.DONE
                elif isinstance(event, Failed):
                    self.state = RunState.FAILED
                yield event
        finally:
            if self.state is RunState.RUNNING:
                self.state = RunState.CANCELLED
            if self.state is not RunState.OPEN:
                over = self.state in (RunState.DONE, RunState.FAILED)
                await self._end(patience=_LAST_WORDS if over else 0.0)

    async def explore(self, request: str) -> AsyncIterator[Event]:
        """The answer to one request. Raises UsageError when the run does not answer any."""
        if self.state is not RunState.OPEN or self._child is None:
            raise UsageError(
                f"demo {self.found.id!r} is {self.state} and answers no requests",
                hint="Only a finished run of a demo that can be explored does.",
            )
        async with self._asking:
            self._child.write(msgspec.json.encode(Explore(request)))
            self._unread_answers += 1
            while self.state is RunState.OPEN:
                event = await self._next()
                if event is not None and self._unread_answers == 1:
                    yield event
                elif event is None:
                    self._unread_answers -= 1
                    if not self._unread_answers:
                        return

    async def cancel(self) -> None:
        """End the run and everything it started, in less than a second; harmless when it is over."""
        if self.state in (RunState.NEW, RunState.RUNNING):
            self.state = RunState.CANCELLED
        elif self.state is RunState.OPEN:
            self.state = RunState.DONE
        await self._end()

    async def __aenter__(self) -> Self:
        if self.state is RunState.NEW:
            await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.cancel()

    async def _next(self) -> Event | None:
        """The next event; None where an answer is complete, or a cancelled run ends."""
        assert self._child is not None
        try:
            line = await self._child.lines.next()
            if line is not None:
                event = None if line == ANSWERED else decode(line)
                # What a library says when it is interrupted is no failure of the run.
                stopped = self.state is RunState.CANCELLED and isinstance(event, Failed)
                return None if stopped else event
        except (LineTooLong, msgspec.MsgspecError) as fault:
            self.state = RunState.FAILED
            self._child.kill()
            hint = "This is a fault of the demo, which wrote past its events."
            return Failed(f"the demo sent what is no event: {fault}", hint)
        return await self._last_event(self._child)

    async def _last_event(self, child: ChildProcess) -> Event | None:
        """What to say of a process that ended before it said Done."""
        code = await child.wait()
        if self.state not in (RunState.RUNNING, RunState.OPEN):
            return None
        self.state = RunState.FAILED
        if self._over_limit is not None:
            return self._over_limit
        hint = "This is a fault of the demo or of a library it uses; the log may say more."
        if code == _KILLED:
            hint = f"Something outside ended it, most often the system. {MEMORY_HINT}"
        return Failed(f"the demo's process {exit_words(code)}", hint, "\n".join(self.log[-24:]))

    async def _watch(self, child: ChildProcess) -> None:
        """End a run that goes over its limits; time spent exploring doesn't count."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.seconds
        while self._over_limit is None:
            await asyncio.sleep(0.25)
            if self.state is RunState.RUNNING and loop.time() > deadline:
                said = f"the run took longer than {self._limits.seconds:g} s"
            elif resident_bytes(child.pid) > self._limits.memory:
                said = f"the run used more than {self._limits.memory / 2**30:.2g} GiB of memory"
            else:
                continue
            self._over_limit = Failed(said, "Choose smaller settings.")
            child.kill()

    async def _end(self, patience: float = 0.0) -> None:
        if self._watching is not None:
            self._watching.cancel()
        if self._child is not None:
            if not patience:
                self._child.write(msgspec.json.encode(Cancel()))  # what Windows has for SIGTERM
            await self._child.end(patience)
