"""Which demos are installed: the entry points of the group "studytool.demos".

Three grains: `names` imports nothing, `load` imports one spec, `load_all` imports every spec and
turns each broken plugin into a warning. A spec is light; a run module is never imported here.
"""

from __future__ import annotations

import difflib
import importlib
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from studytool.demo.params import SpecFault, check_params, describe
from studytool.demo.spec import DemoSpec, Params
from studytool.errors import DemoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GROUP = "studytool.demos"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class UnknownDemo(DemoError):
    """No installed demo has this name."""

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE
    title = "There is no such demo"


class BrokenDemo(DemoError):
    """A plugin's entry point can't be loaded or names something that is no demo."""

    title = "This demo's plugin is broken"


@dataclass(frozen=True)
class Found:
    """One demo and where it comes from: `target` is `module:ATTRIBUTE` of its spec."""

    spec: DemoSpec[Any]
    target: str
    distribution: str = "studytool"

    @property
    def id(self) -> str:
        return self.spec.info.id

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """The required packages that can't be found, without importing any."""
        return tuple(name for name in self.spec.info.requires if not _importable(name))

    @property
    def installed(self) -> bool:
        return not self.missing

    @property
    def install(self) -> str:
        """The exact command that installs what the demo needs."""
        extra = f"[{self.spec.info.extra}]" if self.spec.info.extra else ""
        return f"pip install '{self.distribution}{extra}'"

    @property
    def root(self) -> str:
        """The folder on sys.path that holds the plugin, for a child process to look in."""
        top = find_spec(self.target.partition(":")[0].partition(".")[0])
        if top is None:
            return ""
        folders = list(top.submodule_search_locations or ())
        place = folders[0] if folders else top.origin
        return str(Path(place).parent) if place else ""

    # What the deck linter asks of a demo.

    @property
    def claims(self) -> frozenset[str] | None:
        """The ids of the default run's claims, or None when the spec doesn't list them."""
        return frozenset(self.spec.info.claims) or None

    def check_params(self, params: Mapping[str, Any]) -> str | None:
        """What is wrong with a card's parameters, or None."""
        return check_params(self.spec, params)


@dataclass(frozen=True, slots=True)
class AllFound:
    """Every demo that loads, by id, and a warning for each that does not."""

    demos: Mapping[str, Found]
    warnings: tuple[str, ...] = ()


def names() -> tuple[str, ...]:
    """The ids of all registered demos, sorted; nothing is imported."""
    return tuple(sorted({point.name for point in _points()}))


def load(name: str) -> Found:
    """One demo. Raises UnknownDemo naming the nearest, BrokenDemo with the reason."""
    for point in _points():
        if point.name == name:
            return _load(point)
    known = names()
    near = difflib.get_close_matches(name, known, n=1)
    listed = f"Installed: {', '.join(known)}." if known else "No demo is installed."
    hint = f"Did you mean {near[0]!r}? {listed}" if near else listed
    raise UnknownDemo(f"no demo is called {name!r}", hint=hint)


def load_all() -> AllFound:
    """Every demo; a broken plugin is a warning that names it and its distribution."""
    demos: dict[str, Found] = {}
    warnings: list[str] = []
    for point in _points():
        try:
            found = _load(point)
        except BrokenDemo as fault:
            warnings.append(fault.message)
            continue
        if point.name in demos:
            first = demos[point.name].distribution
            warnings.append(
                f"two demos are called {point.name!r}: the one of {first} is used, "
                f"the one of {found.distribution} is not"
            )
            continue
        demos[point.name] = found
    ordered = sorted(demos.values(), key=lambda found: (found.spec.info.chapter, found.id))
    return AllFound({found.id: found for found in ordered}, tuple(warnings))


def _points() -> Iterator[EntryPoint]:
    """The entry points, our own first, so that no plugin takes the place of a built-in demo."""
    points = entry_points(group=GROUP)
    yield from sorted(points, key=lambda p: (_distribution(p) != "studytool", p.name))


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "an unknown package"


def _load(point: EntryPoint) -> Found:
    where = f"demo {point.name!r} of {_distribution(point)}"
    try:
        spec = point.load()
    except (Exception, SystemExit) as fault:  # foreign code: whatever it raises is told
        reason = f"{type(fault).__name__}: {fault}"
        raise BrokenDemo(f"{where} can't be loaded: {reason}") from fault
    if fault_text := spec_fault(spec, point.name):
        raise BrokenDemo(f"{where} is not a valid demo: {fault_text}")
    return Found(spec, point.value, _distribution(point))


def spec_fault(spec: object, name: str) -> str | None:
    """What keeps `spec` from being the demo called `name`, or None."""
    if not isinstance(spec, DemoSpec):
        return f"it is a {type(spec).__name__}, not a DemoSpec"
    if spec.info.id != name:
        return f"its id is {spec.info.id!r}; the id and the entry point's name must be the same"
    if not _ID.fullmatch(name):
        return "its id is not in kebab-case"
    params: object = spec.params
    if not (isinstance(params, type) and issubclass(params, Params)):
        return "its parameters are not a subclass of Params"
    try:
        describe(spec.params)
    except SpecFault as fault:
        return str(fault)
    return None


def from_target(target: str) -> DemoSpec[Any]:
    """The spec that `module:ATTRIBUTE` names; what the child process does with its start line."""
    module, _, attribute = target.partition(":")
    spec = getattr(importlib.import_module(module), attribute)
    if not isinstance(spec, DemoSpec):
        raise TypeError(f"{target} is a {type(spec).__name__}, not a DemoSpec")
    return spec


def _importable(name: str) -> bool:
    try:
        return find_spec(name.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False
