"""Transition: what comes next, when more than one thing may come next, and many steps ahead.

A ball meets a wedge and comes to rest on the left or on the right, never between. Four models
watch the same balls with the same net; only the last layer is read differently:

1. **Deterministic**, by squared error: one number. It learns E[y|x], the middle, where no ball rests.
2. **Single Gaussian** with a learned spread: the middle again, and wide enough to cover both sides.
3. **Mixture density network** (Bishop 1994): several bells, each with a weight.
4. **Categorical** over bins: a chance for each piece of the line.

Counted are predictions that cannot happen, beside the squared error, which prefers them. Then a
pendulum, whose future goes one way: a good model of one step is fed with its own predictions, and
its errors are followed by horizon, down to which paths make them, and to the gradients that a
planner would use.

    python -m demos.world.transition --sharp 60
    python -m demos.world.transition --kernels 1 --explore     then: 0.2 left
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import inf
from typing import TypeAlias, TypeVar

import numpy as np
import torch
from torch import Tensor

from demos.kit.parts import diagram
from demos.world.specs import TRANSITION, TransitionParams
from demos.world.transition_models import (
    Categorical,
    Head,
    Learned,
    Mixture,
    Point,
    Swinger,
    fit,
    network,
    roll,
    sensitivity,
)
from demos.world.transition_talk import (
    FAR,
    NAMES,
    Ahead,
    Score,
    cases,
    diagnosis,
    horizon_plots,
    horizon_table,
    learned_mean,
    strips,
    told,
)
from demos.world.transition_world import F64, PUSHES, Wedge, drops, swings
from studytool.demo.events import (
    Event,
    Finding,
    Metric,
    Note,
    Outcome,
    Prediction,
    Progress,
    Stage,
    Table,
    claim,
)
from studytool.demo.spec import Lab, main

R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

_TESTED, _TEST_PATHS, _WATCHED = 4000, 200, 60

# %% [markdown]
# ## 1. Why squared error prefers what never happens
# For outcomes ±1 with chances p and 1 - p, always saying the mean costs the variance; an honest
# draw is off by the outcome's variance and by its own.


def cost_of_mean(right: F64, noise: float) -> float:
    """E[(y - E y)²] = 4p(1 - p) + noise², averaged over p = `right`, (n,); a draw costs twice that."""
    return float((4 * right * (1 - right)).mean() + noise**2)


# %% [markdown]
# ## 2. Gradients through the dynamics


def gradient_error(model: Swinger, start: Tensor, torques: Tensor) -> float:
    """Largest deviation of ∂θ_H/∂u_0 by autograd from central differences, over the largest gradient."""
    width = 1e-4
    moved = []
    for sign in (1, -1):
        other = torques.clone()
        other[:, 0] += sign * width
        with torch.no_grad():
            moved.append(roll(model.step, start, other)[:, -1, 0])
    numeric = (moved[0] - moved[1]) / (2 * width)
    exact = sensitivity(model.step, start, torques)
    return float((exact - numeric).abs().max() / exact.abs().max())


# %% [markdown]
# ## 3. The run


def run(params: TransitionParams, lab: Lab) -> Steps[TransitionExplorer]:
    """Yields the lesson; returns what tells where a ball of one's own will rest."""
    torch.set_num_threads(lab.threads)
    yield from _questions(params)
    world = Wedge(params.sharp, params.noise)
    models = yield from _learn(params, world, lab)
    scores = yield from _judge(params, world, models, lab)
    ahead = yield from _pendulum(params, lab)
    yield from _verdict(params, scores, ahead)
    yield _finding(scores, ahead)
    return TransitionExplorer(params, world, models)


def _questions(params: TransitionParams) -> Iterator[Event]:
    yield Note(
        "Balls rest near -1 or 1. A prediction in the gap between -0.7 and 0.7 counts as impossible."
    )
    yield Prediction(
        "lowest",
        f"sharp = {params.sharp:g}, noise = {params.noise:g}: each model says one place, its number "
        "or a draw. Whose squared error is lowest?",
        NAMES,
    )
    yield Prediction(
        "gap",
        "Which share of the single Gaussian's draws is impossible?",
        unit="share from 0 to 1",
    )
    yield Prediction(
        "growth",
        f"A pendulum learned from {params.paths} paths, fed with its own predictions: how many "
        f"times larger is the error after {FAR} steps than after one?",
        unit="times",
    )


def heads(params: TransitionParams) -> dict[str, Head]:
    """The four readings of the last layer."""
    kinds = Point(), Mixture(1), Mixture(params.kernels), Categorical(params.bins)
    return dict(zip(NAMES, kinds, strict=True))


def _learn(params: TransitionParams, world: Wedge, lab: Lab) -> Steps[dict[str, Learned]]:
    yield Stage("wedge", f"four models watch {params.examples:,} balls")
    yield diagram("transition", told("a ball on a wedge: one of two sides", "place and push"))
    where, rest = drops(world, params.examples, lab.rng(1))
    models: dict[str, Learned] = {}
    for number, (name, head) in enumerate(heads(params).items()):
        torch.manual_seed(params.seed)
        models[name] = Learned(head, network(2, head.outputs))
        for step, loss in fit(models[name], where, rest, params.steps, lab.rng(2)):
            yield Metric(f"loss, {name}", loss, step)
            yield Progress(number + step / params.steps, len(NAMES), "model", name)
    return models


def _judge(
    params: TransitionParams, world: Wedge, models: dict[str, Learned], lab: Lab
) -> Steps[dict[str, Score]]:
    rng = lab.rng(3)
    where, rest = drops(world, _TESTED, rng)
    said = {name: model.draw(where, params.seed) for name, model in models.items()}
    yield from strips(world, models, params.seed, 0.0, "none")
    yield cases(where, rest, said)
    yield learned_mean(world, models[NAMES[0]])
    scores: dict[str, Score] = {}
    for name, model in models.items():
        nats = inf if isinstance(model.head, Point) else model.surprise(where, rest)
        scores[name] = Score.of(name, said[name], model.mean(where), rest, nats)
    best = -float(world.log_density(where, rest).mean())
    truth = Score.of("the world itself", world.draw(where, rng), world.mean(where), rest, best)
    nothing = np.zeros(len(rest))
    rows = [Score.of("always 0", nothing, nothing, rest).row]
    rows += [scores[name].row for name in NAMES] + [truth.row]
    columns = ["model", "impossible", "squared error", "of its mean", "-log p, nats"]
    note = f"{_TESTED:,} fresh balls, one prediction each; the world itself is the best possible"
    yield Table("models", "Four models of one step", columns, rows, note)
    cost = cost_of_mean(world.right(where), params.noise)
    yield Note(
        f"By the formula the exact mean costs {cost:.3f}, a draw of the truth {2 * cost:.3f}."
    )
    lowest = scores[min(NAMES, key=lambda name: scores[name].error)]
    text = f"{lowest.error:.3f}, with {lowest.impossible:.1%} of its predictions impossible."
    yield Outcome("lowest", lowest.name, text)
    wide = scores[NAMES[1]].impossible
    text = f"{wide:.1%}; of the world's own balls {truth.impossible:.2%}."
    yield Outcome("gap", round(wide, 3), text)
    return scores | {"truth": truth}


def _pendulum(params: TransitionParams, lab: Lab) -> Steps[Ahead]:
    yield Stage("pendulum", "one step at a time, then on its own predictions")
    yield diagram("transition", told("a pendulum: one future only", "angle and speed"))
    paths, torques = swings(params.paths, _WATCHED, lab.rng(4))
    true, tested = swings(_TEST_PATHS, FAR, lab.rng(5))
    torch.manual_seed(params.seed)
    model = Swinger.new(paths)
    for step, loss in model.fit(paths, torques, params.steps, params.unroll, lab.rng(6)):
        yield Metric("loss, pendulum", loss, step)
        yield Progress(step, params.steps)
    model.net.double()
    yield claim(
        "gradient-check",
        "∂θ after ten steps / ∂ first torque through the learned model: autograd against central "
        "differences (largest relative deviation)",
        gradient_error(model, true[:, 0], tested[:, :10]),
        "<=",
        1e-6,
    )
    ahead = Ahead.of(model, true, tested)
    yield from horizon_plots(ahead)
    yield horizon_table(model, ahead, tested)
    yield from diagnosis(ahead)
    errors = ahead.errors()
    text = (
        f"From {errors[1]:.4f} to {errors[-1]:.3f}; in the median path {ahead.medians()[-1]:.3f}."
    )
    yield Outcome("growth", round(ahead.growth), text)
    return ahead


def _verdict(params: TransitionParams, scores: dict[str, Score], ahead: Ahead) -> Iterator[Event]:
    if not params.is_recipe:
        return
    point, bell, mixture, binned = (scores[name] for name in NAMES)
    text = "impossible predictions of the deterministic model (share)"
    yield claim("impossible-mean", text, point.impossible, ">=", 0.5)
    text = "impossible draws of the single Gaussian (share)"
    yield claim("impossible-gaussian", text, bell.impossible, ">=", 0.4)
    for id, score in (("mixture", mixture), ("categorical", binned)):
        text = f"impossible draws of the {id} model (share)"
        yield claim(f"impossible-{id}", text, score.impossible, "<=", 0.01)
    text = "squared error of the mixture's draws over that of the deterministic model"
    yield claim("mean-wins-error", text, mixture.error / point.error, ">=", 1.7)
    lowest = min(NAMES, key=lambda name: scores[name].error)
    fewest = min(NAMES, key=lambda name: scores[name].impossible)
    text = "the model with the lowest squared error says the fewest impossible things (1: it does)"
    same = float(lowest == fewest)
    yield claim("lowest-error-possible", text, same, ">=", 1, expect="refuted")
    text = "what the mixture gains over a single Gaussian in -log p"
    yield claim("likelihood-gap", text, bell.surprise - mixture.surprise, ">=", 1.2, unit="nats")
    text = "what the mixture lacks to the world's own density"
    lacks = mixture.surprise - scores["truth"].surprise
    yield claim("near-truth", text, lacks, "<=", 0.1, unit="nats")
    text = f"error after {FAR} imagined steps over that after one"
    yield claim("compounding", text, ahead.growth, ">=", 100)
    text = "share of the last squared error made by the worst twentieth of paths"
    yield claim("few-paths", text, ahead.worst_share, ">=", 0.4)
    text = "a step from the model's own states errs more than from true ones (ratio of medians)"
    yield claim("own-states-worse", text, ahead.own_over_true, ">=", 1.25, expect="refuted")


def _finding(scores: dict[str, Score], ahead: Ahead) -> Finding:
    point, bell, mixture, _ = (scores[name] for name in NAMES)
    return Finding(
        f"Trained by squared error a model said something impossible in {point.impossible:.0%} of "
        f"cases, one Gaussian in {bell.impossible:.0%}, a mixture in {mixture.impossible:.1%}; yet "
        f"squared error was {point.error:.2f} for the first and {mixture.error:.2f} for the mixture's "
        "draws. Judge by likelihood, or by what is possible. Of the squared error many steps ahead "
        f"the worst twentieth of paths made {ahead.worst_share:.0%}: look at paths, not at the mean."
    )


@dataclass(frozen=True)
class TransitionExplorer:
    """Says where a ball of one's own may come to rest, by each model."""

    params: TransitionParams
    world: Wedge
    models: dict[str, Learned]

    def explore(self, request: str) -> Iterator[Event]:
        """`0.2`, `0.2 left`, `-0.5 right`."""
        place, push = _ball(request)
        if place is None:
            yield Note("type a place from -1 to 1, and left, right or none, such as 0.2 left")
            return
        yield from strips(self.world, self.models, self.params.seed, place, push)
        where = np.array([[place, PUSHES[push]]])
        rng = np.random.default_rng([self.params.seed, 8])
        rest, _ = self.world.step(place, list(PUSHES).index(push), rng)
        chance = float(self.world.right(where)[0])
        said = float(self.models[NAMES[0]].mean(where)[0])
        yield Note(
            f"truly it goes right with a chance of {chance:.1%}; this one rests at {rest:+.2f}; "
            f"the deterministic model says {said:+.2f}"
        )


def _ball(request: str) -> tuple[float | None, str]:
    words = request.lower().split()
    push = words[1] if len(words) == 2 else "none"
    if len(words) not in (1, 2) or push not in PUSHES:
        return None, push
    try:
        place = float(words[0])
    except ValueError:
        return None, push
    return (place, push) if -1 <= place <= 1 else (None, push)


if __name__ == "__main__":
    main(TRANSITION)
