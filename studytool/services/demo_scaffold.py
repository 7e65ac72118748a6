"""The files of a new demo: a package with spec, run module, test and entry point that runs as it is."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studytool.demo.save import write_atomic
from studytool.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: the project's `folder`, its `files`, the run `module`, the entry point."""

    folder: Path
    files: tuple[Path, ...]
    module: str
    entry_point: str


def scaffold(demo_id: str, chapter: str, parent: Path) -> Made:
    """Write the project of a new demo below `parent`.

    Raises UsageError when the id or the chapter is not in kebab-case, or the folder exists.
    """
    for name, what in ((demo_id, "id"), (chapter, "chapter")):
        if not _ID.fullmatch(name):
            raise UsageError(
                f"the {what} {name!r} is not in kebab-case",
                hint="Small letters and digits, with hyphens between: beam-search.",
            )
    name = demo_id.replace("-", "_")
    if keyword.iskeyword(name):
        raise UsageError(f"the id {demo_id!r} is a word of Python", hint="Choose another.")
    folder = (parent / f"{demo_id}-demo").absolute()
    if folder.exists():
        raise UsageError(f"{folder} is there already", hint="Name another --dir, or another id.")
    words = {
        "ID": demo_id,
        "NAME": name,
        "PACKAGE": f"{name}_demo",
        "CONSTANT": name.upper(),
        "CLASS": "".join(part.capitalize() for part in name.split("_")) + "Params",
        "TITLE": demo_id.replace("-", " ").capitalize(),
        "CHAPTER": chapter,
    }
    files = []
    for pattern, text in _FILES.items():
        path = folder / _fill(pattern, words)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, _fill(text, words).encode())
        except OSError as fault:
            raise UsageError(f"{path}: {fault.strerror}", hint="Name another --dir.") from fault
        files.append(path)
    return Made(
        folder, tuple(files), _fill("@PACKAGE@.@NAME@", words), _fill(_ENTRY_POINT, words).strip()
    )


def _fill(text: str, words: dict[str, str]) -> str:
    return re.sub(r"@([A-Z]+)@", lambda found: words[found[1]], text)


_ENTRY_POINT = """
[project.entry-points."studytool.demos"]
@ID@ = "@PACKAGE@.specs:@CONSTANT@"
"""

_PROJECT = f"""[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "@ID@-demo"
version = "0.1.0"
description = "A demo for studytool."
requires-python = ">=3.11"
dependencies = ["studytool"]
{_ENTRY_POINT}
[tool.hatch.build.targets.wheel]
packages = ["@PACKAGE@"]

[tool.pytest.ini_options]
pythonpath = ["."]
"""

_SPECS = '''"""What the demo is and what can be turned; imports nothing heavy."""

from __future__ import annotations

from typing import Annotated

from studytool.demo.spec import DemoInfo, DemoSpec, Meta, Params


class @CLASS@(Params, frozen=True, kw_only=True):
    """How many flips, and of which coin."""

    flips: Annotated[int, Meta(ge=100, le=1_000_000, description="flips of the coin")] = 10_000
    bias: Annotated[float, Meta(ge=0, le=1, description="chance of heads")] = 0.5


@CONSTANT@ = DemoSpec(
    DemoInfo(
        id="@ID@",
        title="@TITLE@",
        chapter="@CHAPTER@",
        summary="The mean of coin flips comes closer to the truth as one over the square root.",
        paper="the law of large numbers",
        seconds=1,
        module="@PACKAGE@.@NAME@",
        extra="",
        requires=(),
        claims=("error-within-bound",),
    ),
    @CLASS@,
)
'''

_RUN = '''"""The mean of coin flips: how fast does it come closer to the truth?

A flip has the standard deviation sqrt(p (1 - p)) <= 1/2, so the mean of n flips has at most
1 / (2 sqrt(n)), and five of those are exceeded less than once in a million runs.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from @PACKAGE@.specs import @CONSTANT@, @CLASS@

from studytool.demo.events import (
    Event,
    Finding,
    Metric,
    Outcome,
    Prediction,
    Progress,
    Stage,
    claim,
)
from studytool.demo.spec import Lab, main


# %% The mathematics
def bound(n: int) -> float:
    """Five standard deviations of the mean of n fair flips."""
    return 5 / (2 * math.sqrt(n))


# %% The run
def run(params: @CLASS@, lab: Lab) -> Iterator[Event]:
    """Flip, and watch the error of the mean."""
    yield Prediction(
        "half", "How many times the flips halve the error?", options=("twice", "four times")
    )
    yield Stage("flipping", f"{params.flips} flips")
    rng = random.Random(lab.seed)
    heads, part = 0, max(1, params.flips // 50)
    for n in range(1, params.flips + 1):
        heads += rng.random() < params.bias
        if n % part == 0:
            yield Progress(n, params.flips, "flip")
            yield Metric("error", abs(heads / n - params.bias), step=n)
    error = abs(heads / params.flips - params.bias)
    yield Outcome("half", "four times", "the error falls as one over the square root")
    yield claim(
        "error-within-bound",
        "the error stays within five standard deviations",
        error,
        "<=",
        bound(params.flips),
    )
    yield Finding(
        f"After {params.flips} flips the mean was off by {error:.4f}; "
        "four times the flips halve the error."
    )


if __name__ == "__main__":
    main(@CONSTANT@)
'''

_TEST = '''"""The demo's claims hold, and its bound is right."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from @PACKAGE@.@NAME@ import bound, run
from @PACKAGE@.specs import @CLASS@

from studytool.demo.events import Claim
from studytool.demo.spec import Lab


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_claims_are_as_expected(seed: int, tmp_path: Path) -> None:
    events = list(run(@CLASS@(flips=1000, seed=seed), Lab(cache=tmp_path, seed=seed)))

    claims = [event for event in events if isinstance(event, Claim)]
    assert claims
    assert all(claim.as_expected for claim in claims)


def test_four_times_the_flips_halve_the_bound() -> None:
    assert math.isclose(bound(400), bound(100) / 2)
'''

_FILES = {
    "pyproject.toml": _PROJECT,
    "@PACKAGE@/__init__.py": '"""A demo for studytool."""\n',
    "@PACKAGE@/specs.py": _SPECS,
    "@PACKAGE@/@NAME@.py": _RUN,
    "tests/test_@NAME@.py": _TEST,
}
