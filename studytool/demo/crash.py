"""What a demo's exception means to the user: the error, what to do, and the last lines."""

from __future__ import annotations

import errno
import traceback

from studytool.demo.events import EventTooLarge, Failed
from studytool.safetext import clean

#: How much of a traceback is shown, and how long one of its lines may be.
_LINES, _WIDTH = 24, 400
MEMORY_HINT = "It ran out of memory: choose smaller settings, or close other programs."


def failed(fault: BaseException, install: str) -> Failed:
    """The event for an exception; `install` is the command that installs the demo's packages."""
    trace = fault.__traceback__
    if trace is not None and trace.tb_next is not None:
        trace = trace.tb_next  # the first frame is always ours
    lines = traceback.format_exception(type(fault), fault, trace)
    rows = [row[:_WIDTH] for row in clean("".join(lines)).rstrip().splitlines()]
    said = clean(str(fault)).strip()
    name = type(fault).__name__
    return Failed(
        error=f"{name}: {said}"[:2000] if said else name,
        hint=_hint(fault, install),
        trace="\n".join(rows[-_LINES:]),
    )


def _hint(fault: BaseException, install: str) -> str:
    if isinstance(fault, ImportError):
        return f"A package is missing or broken. Install what the demo needs: {install}"
    if isinstance(fault, MemoryError) or "can't allocate memory" in str(fault).lower():
        return MEMORY_HINT
    if isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full: free some space, or name another folder with --cache."
    if isinstance(fault, EventTooLarge):
        return "The demo must send fewer numbers in this event: thin out or split it."
    if isinstance(fault, SystemExit):
        return "The demo ended the process itself; a run must return instead."
    return "This is a fault of the demo. The last lines say where it happened."
