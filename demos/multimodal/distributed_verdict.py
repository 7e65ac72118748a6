"""What the demo of the shared batch asks beforehand, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from demos.kit.params import as_default
from demos.kit.retrieval import chance_recall
from demos.multimodal.distributed_task import HELD_OUT
from demos.multimodal.distributed_ways import (
    CUT_ROWS,
    CUT_SCALED,
    CUT_WHOLE,
    LOCAL,
    RIGHT,
    WAYS,
    Way,
)
from demos.multimodal.specs import DistributedParams
from studytool.demo.events import Cell, Claim, Event, Note, Outcome, Prediction, Table, claim

LOSSES = ("the same", "lower", "higher")
DIRECTIONS = ("the same", "the right direction, 1/W as long", "another direction")
SHOWS = ("in both", "with plain SGD only", "with AdamW only", "in neither")


@dataclass(frozen=True)
class Slope:
    """A gradient held against the one process's: all parameters, and the towers without ln(1/τ).

    `angle` in degrees and `length` as a ratio are the towers'; `temperature` is the ratio of the
    derivatives by ln(1/τ); `error` is the norm of the difference of everything, as a share.
    """

    loss: float
    angle: float
    length: float
    temperature: float
    error: float


def compare(loss: float, gradient: np.ndarray, wanted: np.ndarray, place: int) -> Slope:
    """`gradient` against `wanted`, both (parameters,); ln(1/τ) stands at `place`."""
    had, right = gradient.astype(np.float64), wanted.astype(np.float64)
    towers, towers_right = np.delete(had, place), np.delete(right, place)
    length, length_right = np.linalg.norm(towers), np.linalg.norm(towers_right)
    # From the chord between the unit vectors: the arc cosine of nearly 1 would lose half the digits.
    chord = float(np.linalg.norm(towers / length - towers_right / length_right))
    return Slope(
        loss=loss,
        angle=math.degrees(2 * math.asin(min(1.0, chord / 2))),
        length=float(length / length_right),
        temperature=float(had[place] / right[place]),
        error=float(np.linalg.norm(had - right) / np.linalg.norm(right)),
    )


@dataclass(frozen=True)
class Trained:
    """What a training led to: held-out loss and R@1, and how its weights have moved."""

    loss: float
    recall: float
    moved: np.ndarray

    def apart(self, other: Trained) -> float:
        """How far the weights are from the other's, as a share of the way the other went."""
        return float(np.linalg.norm(self.moved - other.moved) / np.linalg.norm(other.moved))


@dataclass
class Result:
    """What a run found. `alone` is the one process's loss, for each start.

    `slopes` are by start ("first", "later") and way, `trained` by way and optimiser.
    """

    params: DistributedParams
    alone: dict[str, float] = field(default_factory=dict)
    slopes: dict[tuple[str, str], Slope] = field(default_factory=dict)
    trained: dict[tuple[str, str], Trained] = field(default_factory=dict)

    def slope(self, way: Way, start: str = "first") -> Slope:
        return self.slopes[start, way.id]

    @property
    def asked(self) -> Way:
        """The way without gradients that the questions are about."""
        return CUT_ROWS if self.params.compute == "own_rows" else CUT_WHOLE

    def apart(self, optimiser: str) -> float:
        """How far 1/W of the gradient led from where the gradient leads."""
        return self.trained[CUT_WHOLE.id, optimiser].apart(self.trained[RIGHT.id, optimiser])


def questions(params: DistributedParams) -> Iterator[Prediction]:
    """What to guess before anything is shown."""
    each = params.batch // params.workers
    what = (
        f"computes the loss of its own {each} rows against all {params.batch}"
        if params.compute == "own_rows"
        else f"computes the loss of the whole {params.batch} x {params.batch} table"
    )
    yield Prediction(
        "loss-value",
        f"{params.workers} processes gather each other's features as plain numbers, without "
        f"gradients; each {what}. The mean of their losses, against one process with everything?",
        LOSSES,
    )
    yield Prediction(
        "gradient",
        "And the averaged gradient of the towers, against the one process's?",
        DIRECTIONS,
    )
    yield Prediction(
        "local-start",
        f"Now nothing is gathered: each process contrasts its own {each} pairs only. By how much "
        "is the first loss lower than the whole batch's, with the same weights?",
        unit="nats",
    )
    yield Prediction(
        "optimiser",
        "A gradient of the right direction that is W times too short: with which optimiser does "
        f"it change where {params.steps} steps lead by more than a tenth of the way?",
        SHOWS,
    )


def outcomes(result: Result) -> Iterator[Outcome]:
    """How it came out."""
    slope, alone = result.slope(result.asked), result.alone["first"]
    difference = slope.loss - alone
    kind = 0 if abs(difference) <= 1e-4 else 1 if difference < 0 else 2
    yield Outcome("loss-value", LOSSES[kind], f"{slope.loss:.6f} against {alone:.6f}")
    short = abs(slope.length * result.params.workers - 1) < 0.01
    kind = 2 if slope.angle > 1 or not short else 1
    kind = 0 if slope.error < 0.01 else kind
    text = f"{slope.angle:.2f}° off, {slope.length:.3f} times as long"
    yield Outcome("gradient", DIRECTIONS[kind], text)
    lower = alone - result.slope(LOCAL).loss
    text = f"ln W = {math.log(result.params.workers):.3f} if all candidates were equally likely"
    yield Outcome("local-start", lower, text)
    adam, sgd = result.apart("adamw") > 0.1, result.apart("sgd") > 0.1
    kind = {(True, True): 0, (False, True): 1, (True, False): 2, (False, False): 3}[adam, sgd]
    text = f"AdamW {result.apart('adamw'):.1%} of the way apart, SGD {result.apart('sgd'):.0%}"
    yield Outcome("optimiser", SHOWS[kind], text)


def slope_table(result: Result, start: str) -> Table:
    """Loss and gradient of every way beside the one process's."""
    when = "untrained" if start == "first" else f"after {result.params.steps} steps"
    rows: list[list[Cell]] = [
        [
            way.name,
            round(slope.loss, 5),
            round(slope.angle, 3),
            round(slope.length, 4),
            round(slope.temperature, 3),
            f"{slope.error:.1e}",
        ]
        for way in WAYS
        for slope in [result.slopes[start, way.id]]
    ]
    rows.insert(0, ["one process", round(result.alone[start], 5), 0.0, 1.0, 1.0, "0"])
    return Table(
        f"slopes-{start}",
        f"One step, {when}: the same batch, the same weights",
        ["way", "loss", "angle °", "length", "τ's share", "error"],
        rows,
        "with and without: gradients through the gather; angle and length: of the towers' "
        "gradient against the one process's; τ's share: the "
        "derivative by ln(1/τ) as a ratio; error: norm of the difference of all of it",
    )


def training_table(result: Result) -> Table:
    """Where each way led, with each optimiser."""
    names = {way.id: way.name for way in WAYS} | {"alone": "one process"}
    return Table(
        "training",
        f"After {result.params.steps} steps on the same batches: {HELD_OUT} held-out pairs",
        ["way", "optimiser", "loss", "R@1", "apart"],
        [
            [names[way], optimiser, round(it.loss, 3), round(it.recall, 3), apart]
            for (way, optimiser), it in result.trained.items()
            for apart in [f"{it.apart(result.trained[RIGHT.id, optimiser]):.1%}"]
        ],
        f"chance: {math.log(HELD_OUT):.2f} nats, R@1 {chance_recall(1, HELD_OUT):.3f}; apart: from "
        "the weights that full gradients lead to, as a share of the way they went",
    )


def claims(result: Result) -> Iterator[Event]:
    """Identities that hold in any run, then what the default setting shows."""
    world, alone = result.params.workers, result.alone
    starts = ("first", "later")
    worst = max(abs(result.slope(RIGHT, s).loss - alone[s]) for s in starts)
    yield claim("gathered-loss", f"{world} processes have the one process's loss; off by",
                worst, "<=", 1e-5, unit="nats")  # fmt: skip
    worst = max(result.slope(RIGHT, s).error for s in starts)
    yield claim("gathered-gradient", "and its gradient, as features are gathered with gradients; "
                "off by, as a share", worst, "<=", 1e-5)  # fmt: skip
    worst = max(
        abs(result.slope(w, s).loss - alone[s]) for w in (CUT_ROWS, CUT_WHOLE) for s in starts
    )
    yield claim("cut-loss", "without gradients the loss is still right, so it can't tell; off by",
                worst, "<=", 1e-5, unit="nats")  # fmt: skip
    slope = result.slope(CUT_WHOLE)
    yield claim("cut-whole-length", "whole matrix, no gradients: the towers' gradient times W is "
                "as long as it should be; off by", abs(slope.length * world - 1), "<=", 1e-4)  # fmt: skip
    yield claim("cut-points-elsewhere", "commonly taught: without gradients through the gather the "
                "gradient always points elsewhere; whole matrix, degrees", slope.angle, ">=", 1,
                unit="°", expect="refuted")  # fmt: skip
    ratio = result.slope(CUT_SCALED).temperature
    yield claim("scaled-temperature", "the loss times W mends the towers and makes τ's derivative "
                "W times too large; ratio less W", abs(ratio - world), "<=", 1e-3)  # fmt: skip
    if as_default(result.params, "compute"):
        yield from default_claims(result)
    else:
        yield Note(
            "Bounds on angles and on training are stated for the default settings, so not here."
        )


def default_claims(result: Result) -> Iterator[Claim]:
    """Bounds that hold on any seed at the default setting."""
    slope, world = result.slope(CUT_ROWS), result.params.workers
    yield claim("cut-rows-angle", "own rows, no gradients: the gradient is turned by",
                slope.angle, ">=", 15, unit="°")  # fmt: skip
    yield claim("cut-rows-length", "and this share of its length, as what others want of my "
                "features is lost", slope.length, "<=", 0.7)  # fmt: skip
    lower = result.alone["first"] - result.slope(LOCAL).loss
    yield claim("local-start", "local negatives: the first loss is lower by ln W, less",
                abs(lower - math.log(world)), "<=", 0.3, unit="nats")  # fmt: skip
    right, local = (result.trained[way.id, "adamw"] for way in (RIGHT, LOCAL))
    yield claim("local-held-out", "and after training the held-out loss is higher by",
                local.loss - right.loss, ">", 0, unit="nats")  # fmt: skip
    lost = right.recall - result.trained[CUT_ROWS.id, "adamw"].recall
    yield claim("cut-cannot-learn", "commonly taught: own rows can't learn without gradients; "
                "held-out R@1 lost", lost, ">=", 0.15, expect="refuted")  # fmt: skip
    yield claim("adam-hides", "AdamW hides a gradient of 1/W: the weights end apart by this share",
                result.apart("adamw"), "<=", 0.1)  # fmt: skip
    yield claim("sgd-shows", "plain SGD shows it: apart by this share of the way",
                result.apart("sgd"), ">=", 0.2)  # fmt: skip


def finding(result: Result) -> str:
    """The sentence to say, with what was just measured."""
    world, cut, whole = result.params.workers, result.slope(CUT_ROWS), result.slope(CUT_WHOLE)
    return (
        f"In CLIP the batch is the task, so {world} processes must contrast each pair with all "
        f"{result.params.batch}: gather the features, let the gradient flow back through the "
        f"gather, and loss and gradient are those of one process (off by "
        f"{result.slope(RIGHT).error:.0e}). Cut that gradient and the loss looks the same; with "
        f"own rows the gradient turns by {cut.angle:.0f}° and keeps {cut.length:.0%} of its "
        f"length, with the whole matrix it keeps its direction and {whole.length:.0%}, which "
        "AdamW hides and SGD shows. Contrast only within each process, and the loss starts near "
        f"ln {result.params.batch // world} instead of ln {result.params.batch}: lower, and easier."
    )
