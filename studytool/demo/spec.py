"""The light half of a demo: what it is, what can be turned, and where its run module is.

A spec imports nothing heavy, so lists, forms and the deck linter know every demo without
loading torch. The run module is imported only in the child process; it has

    def run(params: P, lab: Lab) -> Iterator[Event]: ...
    if __name__ == "__main__": main(SPEC)

`run` may *return* (as a generator's value) an object with `explore(request: str) ->
Iterator[Event]`; the child then keeps the process open and serves requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Generic, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from studytool.demo.events import Event

Meta = msgspec.Meta


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every demo's parameters: bool, int, float, str and Literal fields, all with defaults.

    Ranges and the text of the help come from `Annotated[int, Meta(ge=1, le=10,
    description="…")]`; from this struct come the command-line flags, the form and the stored
    JSON. Every demo has a seed: the same seed gives the same events.
    """

    seed: Annotated[
        int, Meta(ge=0, le=2**31 - 1, description="random seed; same seed, same run")
    ] = 0


P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True)
class DemoInfo:
    """What a list shows of a demo. `seconds` is the default run's CPU time on one laptop core.

    `claims` names the claims that the default run makes, so that the linter can check what cards
    refer to; an empty tuple says nothing. `extra` is the extra of the demo's own distribution that
    installs `requires`, which are import names.
    """

    id: str
    title: str
    chapter: str
    summary: str
    paper: str
    seconds: float
    module: str
    extra: str = "demos"
    requires: tuple[str, ...] = ("numpy",)
    explore: str = ""
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoSpec(Generic[P]):
    """What an entry point of the group "studytool.demos" names."""

    info: DemoInfo
    params: type[P]


class Explorer(Protocol):
    """What a run may return to stay open: answers one typed request with events."""

    def explore(self, request: str) -> Iterator[Event]: ...


@dataclass(frozen=True, slots=True)
class Lab:
    """What a run is given besides its parameters.

    `cache` is a folder of this demo's own, kept between runs and named by version; what is
    put there may be deleted at any time. `threads` is what BLAS, torch and numba may use.
    `save` is a folder for files the user asked for, or None.
    """

    cache: Path
    seed: int = 0
    threads: int = 1
    save: Path | None = None
    extra: dict[str, str] = field(default_factory=dict)

    def rng(self, stream: int = 0) -> np.random.Generator:
        """A generator of its own for each `stream`, all from the run's seed."""
        import numpy as np

        return np.random.default_rng([self.seed, stream])

    def shared(self, name: str) -> Path:
        """A cache folder that several demos share, such as the cleaned corpus."""
        folder = self.cache.parent / f"shared-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


Run = Callable[[Any, Lab], Iterator["Event"]]


def main(spec: DemoSpec[Any], argv: list[str] | None = None) -> None:
    """What `python -m demos.<chapter>.<name>` does: run in this process and print to the terminal."""
    from studytool.demo.console import main_for

    raise SystemExit(main_for(spec, argv))
