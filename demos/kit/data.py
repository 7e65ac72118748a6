"""Where packaged data lives, and folders that are kept between runs."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from studytool.demo.events import Event, Failed

R = TypeVar("R")

_DAY = 86_400.0


class DataFault(ValueError):
    """Data that a demo can't use: `message` says what and where, `hint` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def told(steps: Generator[Event, None, R]) -> Generator[Event, None, R | None]:
    """The same steps, ending with a Failed in place of a DataFault; then there is no result."""
    try:
        return (yield from steps)
    except DataFault as fault:
        yield Failed(fault.message, fault.hint)
        return None


def packaged(package: str, *parts: str) -> Path:
    """A data file inside an installed package, found without importing the package.

    Raises ModuleNotFoundError when the package is not installed, DataFault when the file is
    not in it.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    path = Path(spec.origin).parent.joinpath(*parts)
    if not path.is_file():
        raise DataFault(
            f"{package} is installed without its data file {'/'.join(parts)}",
            f"Install it again from a wheel: pip install --force-reinstall {package}",
        )
    return path


@contextmanager
def fresh_folder(target: Path) -> Iterator[Path]:
    """A new folder that becomes `target` in one step when the block ends well.

    When another process made `target` meanwhile, its folder stays and ours goes. What killed
    processes left behind is swept away after a day.
    """
    home = target.parent
    home.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=home))
    try:
        yield part
        try:
            part.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _sweep(home: Path) -> None:
    for left in home.glob(".part-*"):
        if left.stat().st_mtime < time.time() - _DAY:
            shutil.rmtree(left, ignore_errors=True)
