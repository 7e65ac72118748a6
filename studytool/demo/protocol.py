"""What passes between the runner and a demo's process besides events.

The runner writes one `Start` line, then any number of requests; the process answers with events,
one a line, and closes each answer to an explore request with the line ANSWERED.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from studytool.demo.params import Value

ANSWERED = b'{"type":"answered"}'


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What to run.

    `spec` is `module:ATTRIBUTE`, found in the folder `root` when it is on no other path; `cache`
    is the folder of all demos' caches; `install` is the command that installs what is missing;
    `address_space` is in bytes, 0 for no limit.
    """

    spec: str
    params: Mapping[str, Value]
    cache: str
    install: str
    root: str = ""
    threads: int = 1
    save: str | None = None
    parent: int = 0
    address_space: int = 0


class Explore(msgspec.Struct, frozen=True, tag_field="ask", tag="explore"):
    """A request for the explorer that the run returned."""

    request: str


class Cancel(msgspec.Struct, frozen=True, tag_field="ask", tag="cancel"):
    """End the process, wherever it is."""


Request: TypeAlias = Explore | Cancel
