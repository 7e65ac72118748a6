"""The demos as the screens and the command line meet them: what there is, and running one.

What a run leaves behind (history, guesses, comparison) is in `studytool.services.demo_history`.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studytool.demo import registry, save
from studytool.demo.environment import child_environment
from studytool.demo.params import decode, describe
from studytool.demo.play import cache_folder
from studytool.demo.process import ChildProcess
from studytool.demo.runner import DemoRun, Limits
from studytool.demo.spec import Params
from studytool.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from studytool.demo.events import Event
    from studytool.demo.registry import Found
    from studytool.demo.spec import DemoSpec
    from studytool.services.context import App


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All demos by id, ordered by chapter, and a warning for each plugin that is broken."""

    demos: Mapping[str, Found]
    warnings: tuple[str, ...] = ()

    @property
    def specs(self) -> tuple[DemoSpec[Any], ...]:
        return tuple(found.spec for found in self.demos.values())

    def installed(self, demo_id: str) -> bool:
        """Whether all packages that the demo needs are there; nothing is imported."""
        return self.demos[demo_id].installed


def catalogue() -> Catalogue:
    """Every demo that is registered, built in or by a plugin."""
    found = registry.load_all()
    return Catalogue(found.demos, found.warnings)


def find(demo_id: str) -> Found:
    """One demo. Raises UnknownDemo naming the nearest, BrokenDemo with the reason."""
    return registry.load(demo_id)


def facts(found: Found) -> dict[str, Any]:
    """One demo as `demo list --json` tells it."""
    info = found.spec.info
    return {
        "id": info.id,
        "chapter": info.chapter,
        "title": info.title,
        "summary": info.summary,
        "paper": info.paper,
        "seconds": info.seconds,
        "installed": found.installed,
        "missing": list(found.missing),
        "install": found.install,
        "explore": info.explore,
        "distribution": found.distribution,
    }


def parameter_facts(found: Found) -> list[dict[str, Any]]:
    """The parameters of a demo as `demo show --json` tells them."""
    return [
        {
            "name": param.name,
            "flag": param.flag,
            "kind": param.kind,
            "default": param.default,
            "takes": param.takes,
            "choices": list(param.choices),
            "help": param.help,
        }
        for param in describe(found.spec.params)
    ]


def require(found: Found) -> None:
    """Raise MissingExtra, with the exact command, when a package that the demo needs is missing."""
    if found.missing:
        packages = ", ".join(found.missing)
        raise MissingExtra(
            f"demo {found.id!r} needs {packages}, not installed here",
            hint=f"Install with: {found.install}",
        )


def start(
    app: App,
    demo_id: str,
    params: Mapping[str, Any] | Params,
    *,
    save_to: Path | None = None,
    limits: Limits | None = None,
    on_log: Callable[[str], None] | None = None,
) -> DemoRun:
    """A run that is ready; `async with` starts it. Nothing is loaded in this process.

    Raises UnknownDemo, MissingExtra, and UsageError for a parameter that is not allowed.
    """
    found = find(demo_id)
    require(found)
    chosen: Params = (
        params
        if isinstance(params, Params)
        else decode(found.spec.params, params, where=f"demo {demo_id}")
    )
    return DemoRun(
        found,
        chosen,
        cache=cache_folder(app.paths),
        save=save_to,
        limits=limits,
        on_log=on_log,
    )


async def save_report(
    app: App,
    demo_id: str,
    params: Params,
    events: Sequence[Event],
    folder: Path | None = None,
) -> Path:
    """Save a run that was watched: events, report, pictures, plots; returns the folder.

    Without a `folder` it is one of its own among the user's files. Raises UsageError when the
    folder holds something else, SaveFailed when it can't be written.
    """
    spec = find(demo_id).spec
    if folder is None:
        folder = app.paths.data / "reports" / f"{demo_id}-{app.clock.now():%Y%m%d-%H%M%S}"
    saver = save.Saver.open(folder, spec, params, app.clock)
    await asyncio.to_thread(_write_events, saver, events)
    await write_report(saver.folder)
    return saver.folder


def _write_events(saver: save.Saver, events: Sequence[Event]) -> None:
    from studytool.demo.events import encode

    for event in events:
        saver.add(encode(event))
    saver.finish()


async def write_report(folder: Path) -> None:
    """Write the report of a saved run in a process of its own, as plots load matplotlib.

    Raises SaveFailed.
    """
    environment = child_environment(os.environ, threads=1, cache=folder)
    child = await ChildProcess.start(
        "studytool.demo.report", environment, longest=2**20, arguments=(str(folder),)
    )
    try:
        code = await child.wait()
    finally:
        await child.end()
    if code:
        raise save.SaveFailed(
            f"the report in {folder} could not be written: {' '.join(child.log)[-300:]}",
            hint="The events of the run are there, in events.jsonl.",
        )
