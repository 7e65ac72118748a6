"""A made-up demo with every kind of event, for pilots and pictures."""

from __future__ import annotations

import base64
import io
import math
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from PIL import Image

from studytool.demo import events as ev
from studytool.demo.spec import DemoInfo, Meta, Params
from studytool.services.demo_history import PastRun
from tests.tui.fakes import FakeDemo

INFO = DemoInfo(
    id="clip",
    title="CLIP from scratch on 2,790 emoji",
    chapter="multimodal",
    summary="Two towers trained live by contrast; type a query and see pictures.",
    paper="Radford et al. 2021, arXiv:2103.00020",
    seconds=60,
    module="tests.none",
    explore="type a query",
)


class ClipParams(Params, frozen=True, kw_only=True):
    """What can be turned."""

    steps: Annotated[int, Meta(ge=1, le=2000, description="training steps")] = 300
    lr: Annotated[float, Meta(gt=0, le=1, description="learning rate")] = 0.1
    tower: Annotated[Literal["frozen", "trained"], Meta(description="the text tower")] = "frozen"
    shuffle: bool = True


TAU = ev.Prediction("tau", "which temperature gives the better retrieval?", ("0.07", "1"))
CLAIMS = (
    ev.claim("unseen", "finds unseen tone–gender combinations", 0.72, ">=", 0.65),
    ev.claim("chance", "an untrained model is at chance", 0.01, "<=", 0.01),
    ev.claim("batch", "a bigger batch is better", 0.41, ">=", 0.46, expect="refuted"),
)
FINDING = ev.Finding("CLIP's classes are sentences, so a new class costs nothing.")


def png() -> str:
    """A small picture: a red square with a blue edge."""
    picture = Image.new("RGB", (72, 72), (40, 80, 200))
    picture.paste((220, 60, 60), (12, 12, 60, 60))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def training(steps: int = 45) -> list[ev.Event]:
    """Stages, a prediction, a live curve."""
    script: list[ev.Event] = [ev.Stage("data", "reading emoji"), TAU, ev.Stage("training")]
    for step in range(0, 4 * steps, 4):
        loss = 4.5 * math.exp(-step / 60) + 1 + 0.1 * math.sin(step)
        script += [ev.Metric("loss", loss, step=step), ev.Progress(step, 340)]
    return script


def results() -> list[ev.Event]:
    """One panel of each kind."""
    return [
        ev.Series(
            "retrieval",
            "retrieval R@1",
            [
                ev.Line("frozen", [1, 2, 3, 4], [0.1, 0.4, 0.6, 0.71]),
                ev.Line("trained", [1, 2, 3, 4], [0.1, 0.3, 0.5, 0.6]),
            ],
            x_label="epoch",
            levels={"chance": 0.003},
        ),
        ev.Table(
            "nearest",
            "query “woman pilot”",
            ["rank", "name", "score", "right"],
            [[1, "woman pilot", 0.81, True], [2, "man pilot", 0.74, False]],
        ),
        ev.Matrix(
            "similar",
            "similarities",
            [[0.9, 0.1, 0.05], [0.2, 0.8, 0.1], [0.0, 0.1, 0.95]],
            ["cat", "dog", "car"],
            ["cat", "dog", "car"],
        ),
        ev.Text("caption", "a caption", "a cat [b]sits[/b] on a car"),
        ev.Graph("tree", "a plan", ["start", "left", "goal"], [ev.Edge("start", "left", "go")]),
        ev.Image("emoji", "woman pilot", png(), 72, 72, "rank 1", "OpenMoji, CC BY-SA 4.0"),
        ev.Metric("chance R@1", 0.003),
        ev.Note("two emoji share a name"),
    ]


def verdicts() -> list[ev.Event]:
    """Outcome, claims, finding, end."""
    outcome = ev.Outcome("tau", "0.07", "R@1 0.71 against 0.12")
    return [outcome, *CLAIMS, FINDING, ev.Done(12.3, "type a query")]


PAST = (
    PastRun(
        id=8,
        demo="clip",
        at=datetime(2026, 11, 21, 14, 3, tzinfo=UTC),
        params={"steps": 100, "lr": 0.1, "tower": "frozen", "shuffle": True, "seed": 0},
        seconds=20.0,
        passed=False,
        claims={"unseen": ev.claim("unseen", CLAIMS[0].text, 0.55, ">=", 0.65)},
        metrics={"loss": 2.1},
    ),
    PastRun(
        id=7,
        demo="clip",
        at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        params={"steps": 300, "lr": 0.1, "tower": "trained", "shuffle": True, "seed": 0},
        seconds=61.0,
        passed=True,
        claims={claim.id: claim for claim in CLAIMS[:2]},
        metrics={"loss": 1.2},
    ),
)


def demo(**changes: Any) -> FakeDemo:
    """The whole run, unless told otherwise."""
    settings: dict[str, Any] = {
        "script": [*training(), *results(), *verdicts()],
        "answers": {"a cat": [ev.Table("nearest", "query “a cat”", ["name"], [["cat"]])]},
        "history": PAST,
        "log": ["loading torch", "a warning [red]of[/red] a library\x1b[31m"],
    }
    return FakeDemo(INFO, ClipParams, **{**settings, **changes})
