"""The process of one demo: reads a start line, writes events, serves explore requests, and ends
with its parent.

Started by `studytool.demo.runner` as `python -P -m studytool.demo.child`. The protocol has a
channel of its own: file descriptor 1 is pointed at stderr before anything is imported, so what a
library prints becomes a line of the log.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import TYPE_CHECKING, BinaryIO, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue
    from types import FrameType

    from studytool.demo.protocol import Start

#: How long a demo may clean up after SIGTERM before it and all it started are killed, in seconds.
GRACE = 0.3


def main() -> int:
    """Run one demo; returns the exit code, 0 or 4."""
    channel, commands = _private_channels()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a print shows in the log when it is made
    from queue import SimpleQueue
    from threading import Thread

    import msgspec

    from studytool.demo.protocol import Start

    signal.signal(signal.SIGTERM, _interrupt)
    start = msgspec.json.decode(commands.readline(), type=Start)
    _end_with_parent(start.parent)
    _limit(start.address_space)
    requests: SimpleQueue[str] = SimpleQueue()
    Thread(target=_listen, args=(commands, requests), name="commands", daemon=True).start()
    try:
        return _run(start, _sender(channel), requests)
    except KeyboardInterrupt:
        _end_group()


def _private_channels() -> tuple[int, BinaryIO]:
    """The event channel and the command pipe, out of the reach of print() and input()."""
    channel, commands = os.dup(1), os.dup(0)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return channel, os.fdopen(commands, "rb")


def _run(start: Start, send: Callable[[bytes], None], requests: SimpleQueue[str]) -> int:
    from contextlib import closing
    from pathlib import Path

    from studytool.demo.crash import failed
    from studytool.demo.events import encode
    from studytool.demo.params import decode
    from studytool.demo.play import answer, make_lab, play
    from studytool.demo.protocol import ANSWERED
    from studytool.demo.registry import from_target

    try:
        _look_in(start)
        spec = from_target(start.spec)
        params = decode(spec.params, start.params)
        save = Path(start.save) if start.save else None
        lab = make_lab(spec, params, Path(start.cache), start.threads, save)
    except Exception as fault:  # noqa: BLE001 - a plugin's import may raise anything; it is told
        send(encode(failed(fault, start.install)))
        return 4
    last, explorer = b"", None
    with closing(play(spec, params, lab, start.install)) as steps:
        while True:
            try:
                last = next(steps)
            except StopIteration as end:
                explorer = end.value
                break
            send(last)
    while explorer is not None:
        for line in answer(explorer, requests.get(), start.install):
            send(line)
        send(ANSWERED)
    return 4 if last.startswith(b'{"type":"failed"') else 0


def _sender(channel: int) -> Callable[[bytes], None]:
    """Writes whole lines to the channel; a reader that has gone ends the process."""

    def send(line: bytes) -> None:
        rest = memoryview(line + b"\n")
        try:
            while rest:
                rest = rest[os.write(channel, rest) :]
        except BrokenPipeError:
            _end_group()

    return send


def _look_in(start: Start) -> None:
    """Make the plugin importable where only the parent's path has it."""
    from importlib.util import find_spec

    top = start.spec.partition(":")[0].partition(".")[0]
    if start.root and find_spec(top) is None:
        sys.path.append(start.root)


def _listen(commands: BinaryIO, requests: SimpleQueue[str]) -> None:
    """Hand on requests; the end of the pipe means that the parent is gone."""
    import threading
    import time

    import msgspec

    from studytool.demo.protocol import Explore, Request

    for line in commands:
        request: Request = msgspec.json.decode(line, type=Request)
        if not isinstance(request, Explore):
            break
        requests.put(request.request)
    main_thread = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main_thread is not None:
        signal.pthread_kill(main_thread, signal.SIGTERM)
        time.sleep(GRACE)
    _end_group()


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM unwinds the run, so that temporary folders and files are cleaned up."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end_group() -> NoReturn:
    """End this process and all it started, at once."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(130)


def _end_with_parent(parent: int) -> None:
    """On Linux the kernel sends SIGTERM when the parent dies; elsewhere the pipe's end tells."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    set_parent_death_signal = 1
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGTERM, 0, 0, 0)
    if parent and os.getppid() != parent:
        _end_group()


def _limit(address_space: int) -> None:
    """Let an allocation beyond reason raise MemoryError instead of starving the machine."""
    if not address_space or sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = address_space if hard == resource.RLIM_INFINITY else min(address_space, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


if __name__ == "__main__":
    sys.exit(main())
