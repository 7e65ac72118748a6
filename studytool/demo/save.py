"""What `--save DIR` keeps: the events of a run, then a report with pictures and plots.

A folder of a saved run holds `run.json` (what was run, and the list of files that belong to the
save), `events.jsonl`, `report.md`, and the pictures that the report shows. This half is light;
`studytool.demo.report` writes the report in a process that may load matplotlib.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from studytool import __version__
from studytool.clock import Clock, SystemClock
from studytool.demo.params import Value, encode
from studytool.errors import StudytoolError, UsageError

if TYPE_CHECKING:
    from studytool.demo.spec import DemoSpec, Params

HEAD, EVENTS, REPORT = "run.json", "events.jsonl", "report.md"


class Head(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="studytool-demo-run"):
    """`run.json`: what was run. `files` are the names that a later save to the folder replaces."""

    demo: str
    title: str
    summary: str
    paper: str
    params: Mapping[str, Value]
    saved_at: str
    versions: Mapping[str, str]
    files: tuple[str, ...] = ()


class SaveFailed(StudytoolError):
    """The files of a run could not be written."""

    title = "The run can't be saved"


def read_head(folder: Path) -> Head | None:
    """The head of the run saved in `folder`, or None where there is none."""
    try:
        return msgspec.json.decode((folder / HEAD).read_bytes(), type=Head)
    except (OSError, msgspec.MsgspecError):
        return None


def write_atomic(path: Path, data: bytes) -> None:
    """Replace `path` in one step, so that a reader finds the old file or the new, never half."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


class Saver:
    """Collects the lines of one run and writes them when it is over."""

    def __init__(self, folder: Path, head: Head) -> None:
        self.folder = folder
        self._head = head
        self._lines: list[bytes] = []

    @classmethod
    def open(
        cls,
        folder: Path,
        spec: DemoSpec[Any],
        params: Params,
        clock: Clock | None = None,
    ) -> Saver:
        """Check and create `folder` before the run begins.

        Raises UsageError when it holds something other than an earlier save, SaveFailed when it
        can't be created.
        """
        folder = folder.expanduser().absolute()
        earlier = read_head(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            filled = any(folder.iterdir())
        except OSError as fault:
            raise SaveFailed(f"{folder}: {fault.strerror}", hint="Name another folder.") from fault
        if filled and earlier is None:
            raise UsageError(
                f"{folder} is not empty and holds no saved run",
                hint="Name a new folder, or one that --save wrote before.",
            )
        info = spec.info
        head = Head(
            demo=info.id,
            title=info.title,
            summary=info.summary,
            paper=info.paper,
            params=encode(params),
            saved_at=(clock or SystemClock()).now().isoformat(timespec="seconds"),
            versions={"studytool": __version__, "python": platform.python_version()},
            files=earlier.files if earlier else (),
        )
        return cls(folder, head)

    def add(self, line: bytes) -> None:
        """Keep one line of the protocol."""
        self._lines.append(line)

    def finish(self) -> None:
        """Write the events and the head. Raises SaveFailed."""
        body = b"".join(line + b"\n" for line in self._lines)
        try:
            write_atomic(self.folder / EVENTS, body)
            write_atomic(self.folder / HEAD, encode_head(self._head))
        except OSError as fault:
            raise SaveFailed(
                f"{self.folder}: {fault.strerror}", hint="Free some space or name another folder."
            ) from fault


def encode_head(head: Head) -> bytes:
    """`run.json`, indented for people."""
    return msgspec.json.format(msgspec.json.encode(head), indent=2) + b"\n"
