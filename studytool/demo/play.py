"""Runs a demo in this process and turns whatever it does into lines of the protocol.

Shared by the child process and by `python -m demos.<chapter>.<name>`, so that both say the same.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Generator
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Any, cast, get_args

from studytool import __version__
from studytool.demo.crash import failed
from studytool.demo.events import Done, Event, Failed, Stage, encode
from studytool.demo.spec import DemoSpec, Explorer, Lab, Params

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from studytool.paths import Paths

_EVENTS = get_args(Event)


def play(
    spec: DemoSpec[Any], params: Params, lab: Lab, install: str
) -> Generator[bytes, None, Explorer | None]:
    """The lines of one run, the last a Done or a Failed; returns what serves explore requests.

    `install` is the command named when a package is missing. Nothing a demo raises escapes,
    except KeyboardInterrupt.
    """
    started = time.monotonic()
    yield encode(Stage("loading", "libraries and the code of the demo"))
    try:
        events = _run_module(spec.info.module).run(params, lab)
        with closing(events) if isinstance(events, Generator) else nullcontext():
            last, explorer = yield from _lines(iter(events))
        if isinstance(last, Failed):
            return None
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - foreign code: all it raises is shown
        yield encode(failed(fault, install))
        return None
    asks = "" if explorer is None else spec.info.explore or "type a request"
    yield encode(Done(time.monotonic() - started, asks))
    return explorer


def _lines(
    events: Iterator[object],
) -> Generator[bytes, None, tuple[object, Explorer | None]]:
    """The events as lines, up to a Failed; returns the last event and what the run returned."""
    event: object = None
    while not isinstance(event, Failed):
        try:
            event = next(events)
        except StopIteration as end:
            return event, end.value
        if not isinstance(event, Done):  # the end is reported with the time that it took
            yield _line(event)
    return event, None


def answer(explorer: Explorer, request: str, install: str) -> Iterator[bytes]:
    """The lines that answer one request; a fault becomes a Failed and ends only this answer."""
    try:
        for event in explorer.explore(request):
            yield _line(event)
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - foreign code: all it raises is shown
        yield encode(failed(fault, install))


def _line(event: object) -> bytes:
    if not isinstance(event, _EVENTS):
        raise TypeError(f"a run yields events, and this one yielded a {type(event).__name__}")
    return encode(cast("Event", event))


def _run_module(name: str) -> ModuleType:
    """The run module; the running script itself when it was started by `python -m`."""
    script = sys.modules["__main__"]
    if getattr(getattr(script, "__spec__", None), "name", None) == name:
        return script
    return importlib.import_module(name)


def cache_folder(paths: Paths) -> Path:
    """The folder of all demos' caches, one for each version of studytool."""
    return paths.demo_cache / __version__


def make_lab(
    spec: DemoSpec[Any], params: Params, cache: Path, threads: int, save: Path | None
) -> Lab:
    """What the run is given. `cache` is the folder of all demos' caches."""
    folder = cache / spec.info.id
    folder.mkdir(parents=True, exist_ok=True)
    return Lab(cache=folder, seed=params.seed, threads=threads, save=save)
