"""A deck of two cards and a demo installed as a third party's plugin would be."""

from __future__ import annotations

from pathlib import Path

DECK = """\
+++
schema = 1
chapter = "toy"
area = "A"
topic = "Toy"
+++

## What is one and one? {#toy-sum}
```toml
level = "easy"
kind = "explain"
demo = "toy"
params = { steps = 4 }
checked = 2026-11-23
```
### Answer
It is two. Measured here: {claim:toy/two}.
### Key points
- [1] Two
  - wrong: It is three. (why: one more is two)
### See it
Watch the sum grow.

## What is two and two? {#toy-double}
```toml
level = "easy"
kind = "explain"
no_demo = "the other card has it"
checked = 2026-11-23
```
### Answer
It is four.
### Key points
- [1] Four
  - wrong: It is five. (why: two more is four)
"""

DEMO = '''\
from typing import Annotated
from studytool.demo import events as ev
from studytool.demo.spec import DemoInfo, DemoSpec, Meta, Params


class ToyParams(Params, frozen=True, kw_only=True):
    """A sum."""

    steps: Annotated[int, Meta(ge=1, le=10_000_000, description="how far to count")] = 3


TOY = DemoSpec(
    DemoInfo(id="toy", title="A toy sum", chapter="toy", summary="Counts.", paper="none",
             seconds=1, module="toyplugin", extra="", requires=(), explore="say a word",
             claims=("two",)),
    ToyParams,
)


class Echo:
    def explore(self, request):
        yield ev.Text("echo", "echo", request.upper())


def run(params, lab):
    yield ev.Stage("counting")
    print("stray words [red]on[/red] stdout", flush=True)
    for step in range(params.steps):
        yield ev.Metric("sum", float(step), step=step)
        yield ev.Progress(step + 1, params.steps)
    yield ev.claim("two", "one and one is two", 2, "==", 2)
    yield ev.Finding("A sum of ones is a count.")
    return Echo()
'''


def write_deck(folder: Path) -> Path:
    """Write the cards into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "toy.md").write_text(DECK, encoding="utf-8")
    return folder


def write_plugin(site: Path) -> Path:
    """Write the demo into `site`, as pip would have installed it there."""
    info = site / "toyplugin-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "toyplugin.py").write_text(DEMO, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toyplugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[studytool.demos]\ntoy = toyplugin:TOY\n")
    return site
