"""How the transition demo shows and scores predictions: strips, single balls, errors by horizon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
import torch
from torch import Tensor

from demos.world.transition_models import Learned, Swinger, error_by_horizon, roll, sensitivity
from demos.world.transition_world import F64, FASTEST, GAP, PUSHES, Wedge, features, swing
from studytool.demo.events import Cell, Event, Line, Note, Series, Table, Text

#: The four models, in the order of the lesson.
NAMES = ("deterministic", "single Gaussian", "mixture", "categorical")
#: How many steps the pendulum is imagined, and where its error is looked at.
FAR = 50
_HORIZONS = (1, 5, 10, 25, FAR)
_COLUMNS, _DRAWS, _BLOCKS = 61, 2000, " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Score:
    """`impossible` is the share of predictions in the gap, the errors are mean squares.

    `surprise` is the mean of -log p in nats, infinite for who says one number: what happens then has
    density 0.
    """

    name: str
    impossible: float
    error: float
    error_of_mean: float
    surprise: float

    @classmethod
    def of(cls, name: str, said: F64, mean: F64, rest: F64, surprise: float = inf) -> Score:
        """Predictions `said` and means against where the balls came to rest, (n,) each."""
        squares = float(((said - rest) ** 2).mean()), float(((mean - rest) ** 2).mean())
        return cls(name, impossible_share(said), *squares, surprise)

    @property
    def row(self) -> list[Cell]:
        nats = round(self.surprise, 3) if isfinite(self.surprise) else "infinite"
        errors = round(self.error, 3), round(self.error_of_mean, 3)
        return [self.name, round(self.impossible, 4), *errors, nats]


def impossible_share(said: F64) -> float:
    """How many predictions lie in the gap, where no ball comes to rest."""
    return float((np.abs(said) < GAP).mean())


def told(transition: str, state: str) -> dict[str, str]:
    """What the five parts are here."""
    return {
        "state": state,
        "transition": transition,
        "observation": "the state itself",
        "reward": "none: only predicted here",
        "planner": "none: actions at random",
    }


# ---------------------------------------------------------------------------------- the wedge


def strip(said: F64) -> str:
    """A histogram of predictions from -1.5 to 1.5 in one line, its highest bar full."""
    counts, _ = np.histogram(said, _COLUMNS, (-1.5, 1.5))
    heights = np.ceil(counts / max(1, counts.max()) * (len(_BLOCKS) - 1)).astype(int)
    return "".join(_BLOCKS[height] for height in heights)


def strips(
    world: Wedge, models: dict[str, Learned], seed: int, place: float, push: str
) -> Iterator[Event]:
    """Where the world and each model let 2,000 balls of one place and push come to rest."""
    where = np.tile([place, PUSHES[push]], (_DRAWS, 1))
    rows = {"the world": strip(world.draw(where, np.random.default_rng([seed, 7])))}
    rows |= {name: strip(model.draw(where, seed)) for name, model in models.items()}
    lines = [f"{name:>16} │{line}│" for name, line in rows.items()]
    lines.append(" " * 18 + "-1.5".ljust(9) + "-1".ljust(21) + "0".ljust(20) + "1".ljust(8) + "1.5")
    lines.append(" " * 34 + "└" + " no ball rests here ".center(27, "─") + "┘")
    title = f"{_DRAWS:,} predictions for a ball at {place:g}, push {push}"
    yield Text("rests", title, "\n".join(lines))


def cases(where: F64, rest: F64, said: dict[str, F64]) -> Table:
    """Eight balls, with one prediction of each model."""

    def cell(place: float) -> str:
        return f"{place:+.2f}{' impossible' if abs(place) < GAP else ''}"

    pushes = {value: name for name, value in PUSHES.items()}
    rows: list[list[Cell]] = []
    for n in range(8):
        seen: list[Cell] = [f"{where[n, 0]:+.2f}", pushes[where[n, 1]], f"{rest[n]:+.2f}"]
        rows.append([*seen, *(cell(said[name][n]) for name in NAMES)])
    columns = ["meets at", "push", "came to rest", *NAMES]
    return Table("cases", "Eight balls, one prediction of each model", columns, rows)


def learned_mean(world: Wedge, model: Learned) -> Series:
    """What the deterministic model says along the wedge, beside the exact mean."""
    places = np.linspace(-1, 1, 41)
    where = np.stack([places, np.zeros(41)], axis=1)
    lines = [
        Line("deterministic", places.tolist(), model.mean(where).tolist()),
        Line("exact mean", places.tolist(), world.mean(where).tolist()),
    ]
    title = "What squared error learns: straight through the gap"
    levels = {"gap from": -GAP, "gap to": GAP}
    return Series("mean", title, lines, "where the ball meets the wedge", "said to rest at", levels)


# ------------------------------------------------------------------------------- the pendulum


@dataclass(frozen=True)
class Ahead:
    """True paths and imagined ones, (n, H + 1, 2), and one step's error from each state, (n, H).

    `on_true` starts each step from the true state, `on_own` from the imagined one; the judge is the
    true pendulum's step from the same state.
    """

    imagined: Tensor
    true: Tensor
    on_true: Tensor
    on_own: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, model: Swinger, true: Tensor, torques: Tensor) -> Ahead:
        """Roll the model from each path's start, and ask it for one step from every state of both."""

        def one_step(path: Tensor) -> Tensor:
            here = path[:, :-1]
            return _distance(model.step(here, torques), swing(here, torques))

        imagined = roll(model.step, true[:, 0], torques)
        return cls(imagined, true, one_step(true), one_step(imagined))

    def errors(self) -> F64:
        """Root mean squared error by horizon, (H + 1,)."""
        return error_by_horizon(self.imagined, self.true)

    def medians(self) -> F64:
        """The median path's error by horizon, (H + 1,)."""
        each = _distance(self.imagined, self.true)
        return np.asarray(each.median(dim=0).values.numpy())

    @property
    def growth(self) -> float:
        """The error after the last step over that after one."""
        errors = self.errors()
        return float(errors[-1] / errors[1])

    @property
    def last(self) -> Tensor:
        """Each path's error after the last step, (n,)."""
        return _distance(self.imagined[:, -1], self.true[:, -1])

    @property
    def worst_share(self) -> float:
        """What share of the squared error after the last step the worst twentieth of paths makes."""
        squares = self.last.square().sort().values
        return float(squares[-max(1, len(squares) // 20) :].sum() / squares.sum())

    def near_upright(self) -> tuple[float, float]:
        """How near to upright rest the true paths come, in features: the worst twentieth, the rest.

        Medians. A pendulum that nearly stands falls to one side or the other by a hair.
        """
        upright = torch.tensor([1.0, 0.0, 0.0], dtype=self.true.dtype)
        nearest = (features(self.true) - upright).norm(dim=2).min(dim=1).values
        order = self.last.argsort()
        worst = max(1, len(order) // 20)
        return float(nearest[order[-worst:]].median()), float(nearest[order[:-worst]].median())

    @property
    def own_over_true(self) -> float:
        """The median error of a step from imagined states over that from true ones."""
        return float(self.on_own.median() / self.on_true.median())


def _distance(found: Tensor, true: Tensor) -> Tensor:
    """Root mean square over the three features, (...)."""
    return (features(found) - features(true)).square().mean(dim=-1).sqrt()


def horizon_plots(ahead: Ahead) -> Iterator[Event]:
    """The error by horizon beside two that learn nothing, and a typical and the worst path."""
    steps = list(range(1, ahead.true.shape[1]))
    still = error_by_horizon(ahead.true[:, :1].expand_as(ahead.true), ahead.true)
    curves = {"mean": ahead.errors(), "median path": ahead.medians(), "no change": still}
    lines = [Line(name, steps, np.log10(each[1:]).tolist()) for name, each in curves.items()]
    seen = features(ahead.true)
    spread = (seen - seen.mean(dim=(0, 1))).square().mean().sqrt()
    level = {"always the average state": float(spread.log10())}
    title = "Error of the imagined pendulum by horizon"
    yield Series("horizon", title, lines, "steps ahead", "log10 of the error", level)
    order = ahead.last.argsort().tolist()
    for name, which in (("median", order[len(order) // 2]), ("worst", order[-1])):
        shown = [
            Line(kind, [0, *steps], path[which, :, 0].tolist())
            for kind, path in (("true", ahead.true), ("imagined", ahead.imagined))
        ]
        yield Series(
            f"path-{name}", f"The {name} path of {len(order)}", shown, "step", "angle, rad"
        )


def horizon_table(model: Swinger, ahead: Ahead, torques: Tensor) -> Table:
    """Errors at five horizons, and how far a planner's gradient is off there."""
    errors, medians, start = ahead.errors(), ahead.medians(), ahead.true[:, 0]
    rows: list[list[Cell]] = []
    for far in _HORIZONS:
        learned = sensitivity(model.step, start, torques[:, :far])
        exact = sensitivity(swing, start, torques[:, :far])
        off = float((learned - exact).square().mean().sqrt() / exact.square().mean().sqrt())
        sign = float((learned.sign() == exact.sign()).double().mean())
        found = (float(f"{value:.3g}") for value in (errors[far], medians[far], off))
        rows.append([far, *found, round(sign, 3)])
    columns = ["steps ahead", "error", "median path", "gradient off by", "its sign right"]
    note = "gradient: of the last angle by the first torque, against the true pendulum's"
    return Table("trust", "How far can it be trusted?", columns, rows, note)


def diagnosis(ahead: Ahead) -> Iterator[Note]:
    """Which paths fail, and whether the model does worse on the states that it imagined itself."""
    worst, others = ahead.near_upright()
    yield Note(
        f"The worst twentieth of paths come within {worst:.2f} of standing upright at rest, the "
        f"others within {others:.2f} (medians; of the features): there a hair decides the side."
    )
    fastest = float(ahead.imagined[..., 1].abs().max())
    yield Note(
        f"One step from its own states errs by {float(ahead.on_own.median()):.5f} in the median, from "
        f"true states by {float(ahead.on_true.median()):.5f}. The largest are "
        f"{float(ahead.on_own.max()):.3f} and {float(ahead.on_true.max()):.3f}: it imagines speeds up "
        f"to {fastest:.1f}, and the pendulum stops at {FASTEST:g}."
    )
