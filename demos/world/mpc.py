"""MPC: learn how the world moves, plan in imagination, carry out one step, plan again.

A pendulum whose motor is too weak has to be swung up and balanced. Nothing is learned about what
to do; only how the world moves (as in PETS: Chua et al. 2018, arXiv:1805.12114).

1. **Data**: one episode of 200 random torques. A small net is fitted to the changes of the state.
2. **Plan**: sample sequences of torques, roll them out in the net, keep the best tenth, sample
   again around them (the cross-entropy method); apply the first torque only. The reward is given.
3. **Again**: the 200 steps that the planner has just lived through join the data. That is all:
   after 400 real steps it is judged on fresh episodes, beside a planner that has the true
   equations and beside random torques.

What goes wrong is watched too: a net fitted too little; few data and a search that finds the
model's mistakes, so that it promises more than reality gives; and whether an ensemble is needed.

    python -m demos.world.mpc --planner mppi
    python -m demos.world.mpc --few 300 --explore      then: shooting, true, fit 100
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import torch
from torch import Tensor

from demos.kit.parts import diagram
from demos.kit.plots import Curves
from demos.world.mpc_model import Ensemble, Transitions
from demos.world.mpc_planners import METHODS, Model, Planner, imagine
from demos.world.mpc_world import EPISODE, TORQUE, Reality, Truth, arrows, true_step
from demos.world.specs import MPC, MpcParams
from studytool.demo.events import (
    Cell,
    Event,
    Finding,
    Line,
    Metric,
    Note,
    Outcome,
    Prediction,
    Progress,
    Series,
    Stage,
    Table,
    Text,
    claim,
)
from studytool.demo.spec import Lab, main

R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

_PLACES, _FAN, _HARD = 40, 12, 10

# %% [markdown]
# ## 1. Living through episodes


@dataclass(frozen=True)
class Lived:
    """Episodes side by side: returns (worlds,), and states (steps, worlds, 3)."""

    returns: Tensor
    states: Tensor
    torques: Tensor

    @property
    def mean(self) -> float:
        return float(self.returns.mean())

    def transitions(self) -> Transitions:
        """All steps of all worlds, as a model is fitted to them."""
        before, after = self.states[:-1].flatten(0, 1), self.states[1:].flatten(0, 1)
        return Transitions(before, self.torques.flatten(), after)


def live(
    planner: Planner | None, seeds: Sequence[int], generator: torch.Generator, note: str
) -> Steps[Lived]:
    """One episode of 200 real steps from each seed's start; without a planner, random torques."""
    real, total = Reality(seeds), torch.zeros(len(seeds))
    states, torques = [real.states], []
    if planner is not None:
        planner.begin(len(seeds))
    for step in range(1, EPISODE + 1):
        if planner is None:
            applied = (2 * torch.rand(len(seeds), generator=generator) - 1) * TORQUE
        else:
            applied = planner.act(real.states)
        total = total + real.step(applied)
        states.append(real.states)
        torques.append(applied)
        if step % 20 == 0:
            yield Progress(step, EPISODE, "real step", note)
    return Lived(total, torch.stack(states), torch.stack(torques))


# %% [markdown]
# ## 2. The run

FEW = ("within 50 of it", "worse by 50 to 300", "worse by more than 300")
ENSEMBLE = ("better by more than 20", "within 20", "worse by more than 20")
PROMISE = ("too good", "about right", "too bad")


def _place(difference: float, low: float, high: float) -> int:
    """0 above `high`, 1 between, 2 below `low`."""
    return 0 if difference > high else 1 if difference >= low else 2


@dataclass
class Laboratory:
    """What all stages share: settings, random numbers, the starts of the episodes."""

    params: MpcParams
    generator: torch.Generator
    starts: list[int]

    @classmethod
    def of(cls, params: MpcParams, lab: Lab) -> Laboratory:
        """Two starts to learn from, then those of the fresh episodes."""
        starts = lab.rng(1).integers(0, 2**31 - 1, 2 + params.episodes).tolist()
        return cls(params, torch.Generator().manual_seed(params.seed), starts)

    @property
    def fresh(self) -> list[int]:
        """The starts on which everyone is judged."""
        return self.starts[2:]

    def planner(self, model: Model, method: str = "", rounds: int = 2) -> Planner:
        """A planner in this model, by default of the kind that was asked for."""
        kind, horizon, tries = method or self.params.planner, self.params.horizon, self.params.tries
        return Planner(model, kind, horizon, tries, self.generator, rounds)

    def judge(self, model: Model | None, note: str, method: str = "") -> Steps[Lived]:
        """Fresh episodes with a model; random torques without one."""
        planner = None if model is None else self.planner(model, method)
        return (yield from live(planner, self.fresh, self.generator, note))

    def fit(self, data: Transitions, steps: int, members: int, name: str) -> Steps[Ensemble]:
        """Nets with fresh weights, fitted to the data; their loss is a live curve."""
        model = Ensemble(members, self.generator)
        for step, loss in model.fit(data, steps):
            yield Metric(f"loss of {name}", loss, step)
        return model


def run(params: MpcParams, lab: Lab) -> Steps[MpcExplorer]:
    """Yields the lesson; returns what plays further episodes."""
    torch.set_num_threads(lab.threads)
    hall = Laboratory.of(params, lab)
    yield from _questions(params)
    random, first, data = yield from _data(hall)
    model, learned = yield from _learned(hall, random, first, data)
    poor = yield from _too_little(hall, data, learned)
    gain = yield from _ensemble(hall, data, learned)
    gap = yield from _promise(hall, data)
    yield from _fans(hall, {"well fitted": model, "fitted too little": poor})
    yield Finding(
        f"A model of the world learned from {2 * EPISODE} real steps planned its way to a mean "
        f"return of {learned.mean:.0f}, and {params.nets} nets instead of one changed that by "
        f"{gain:+.0f}: what it needs is enough fitting. A planner searching hard in a model of "
        f"{params.offline} random steps promised {gap:.0f} more than reality gave."
    )
    return MpcExplorer(hall, model, data)


def _told(transition: str, planner: str) -> dict[str, str]:
    return {
        "state": "angle and speed of a pendulum",
        "transition": transition,
        "observation": "(cos θ, sin θ, ω): everything",
        "reward": "given: -(θ² + 0.1 ω² + 0.001 u²)",
        "planner": planner,
    }


def _questions(params: MpcParams) -> Iterator[Event]:
    yield Stage("questions", "what will 400 real steps be enough for?")
    yield Note(
        "A return is the sum of 200 rewards, none above 0; random torques earn about -1,200, and "
        "a pendulum that starts hanging has to lose some hundred before it stands."
    )
    yield Prediction(
        "after",
        f"A model is learned from {2 * EPISODE} real steps. The mean return of the fresh episodes?",
        unit="return",
    )
    yield Prediction(
        "few", f"The same data, but {params.few} gradient steps: its mean return is …", FEW
    )
    yield Prediction(
        "ensemble",
        f"{params.nets} nets instead of one, each fitted as long: the mean return is …",
        ENSEMBLE,
    )
    yield Prediction(
        "promise",
        f"A model of {params.offline} random steps, a hard search: what the plan promises is …",
        PROMISE,
    )


def _data(hall: Laboratory) -> Steps[tuple[Lived, float, Transitions]]:
    yield Stage("data", "200 random steps, a net, and 200 steps planned in it")
    yield diagram("transition", _told("a net fitted to 200 random steps", "waits"))
    begun = yield from live(None, hall.starts[:1], hall.generator, "random")
    data = begun.transitions()
    error = (true_step(data.before, data.torques) - data.after).abs().max().item()
    text = "the true equations agree with gymnasium's own step (largest deviation)"
    yield claim("gymnasium", text, error, "<=", 1e-4)
    model = yield from hall.fit(data, hall.params.fitting, 1, "the first net")
    planner = hall.planner(model)
    lived = yield from live(planner, hall.starts[1:2], hall.generator, "first planned")
    random = yield from hall.judge(None, "random torques")
    yield Note(f"the first planned episode returned {lived.mean:.0f}: it is often a bad one.")
    return random, lived.mean, data + lived.transitions()


def _learned(
    hall: Laboratory, random: Lived, first: float, data: Transitions
) -> Steps[tuple[Ensemble, Lived]]:
    yield Stage("plan", f"{len(hall.fresh)} fresh episodes after {len(data)} real steps")
    method = hall.params.planner
    yield diagram(
        "planner",
        _told("a net fitted to 400 real steps", f"{method}, {hall.params.horizon} steps ahead"),
    )
    model = yield from hall.fit(data, hall.params.fitting, 1, "one net")
    learned = yield from hall.judge(model, "learned model")
    truth = yield from hall.judge(Truth(), "true equations")
    names = {"learned from 400 steps": learned, "true equations": truth, "random": random}
    rows: list[list[Cell]] = [
        [name, *(round(each) for each in lived.returns.tolist()), round(lived.mean, 1)]
        for name, lived in names.items()
    ]
    columns = ["planned with", *(f"start {n + 1}" for n in range(len(hall.fresh))), "mean"]
    yield Table("returns", "Returns of fresh episodes from the same starts", columns, rows)
    pictures = (f"{name:<24}{arrows(lived.states[:, 0])}" for name, lived in names.items())
    yield Text("episode", "Start 1, every fourth step; ↑ is upright", "\n".join(pictures))
    curves = Curves("steps", "Return by real steps", "real steps lived through", "return")
    curves.levels = {"true equations": truth.mean, "random": random.mean}
    for steps, value in ((0, random.mean), (EPISODE, first), (len(data), learned.mean)):
        curves.add("learned model", steps, value)
    yield curves.series()
    text = f"Random {random.mean:.0f}, true equations {truth.mean:.0f}."
    yield Outcome("after", round(learned.mean), text)
    if hall.params.is_recipe:
        yield claim("after-400", "mean return after 400 real steps", learned.mean, ">=", -300)
        text = "short of the planner with the true equations by (return)"
        yield claim("near-truth", text, truth.mean - learned.mean, "<=", 100)
        yield claim("random-fails", "mean return of random torques", random.mean, "<=", -700)
    return model, learned


def _too_little(hall: Laboratory, data: Transitions, learned: Lived) -> Steps[Ensemble]:
    few = hall.params.few
    yield Stage("too-little", f"the same 400 steps of data, {few} gradient steps")
    yield diagram("transition", _told(f"a net after {few} gradient steps", "the same"))
    model = yield from hall.fit(data, few, 1, "the hasty net")
    lived = yield from hall.judge(model, "fitted too little")
    lost = learned.mean - lived.mean
    yield Text("hasty", "Start 1 with the hasty net", arrows(lived.states[:, 0]))
    place = 2 - _place(lost, 50, 300)
    yield Outcome("few", FEW[place], f"{lived.mean:.0f} against {learned.mean:.0f}.")
    if hall.params.is_recipe:
        text = f"return lost by {few} gradient steps instead of {hall.params.fitting:,}"
        yield claim("too-little", text, lost, ">=", 150)
    return model


def _ensemble(hall: Laboratory, data: Transitions, learned: Lived) -> Steps[float]:
    nets = hall.params.nets
    yield Stage("ensemble", f"{nets} nets, each rolled out by itself, returns averaged")
    model = yield from hall.fit(data, hall.params.fitting, nets, f"{nets} nets")
    lived = yield from hall.judge(model, f"{nets} nets")
    gain = lived.mean - learned.mean
    text = f"{lived.mean:.0f} with {nets} nets, {learned.mean:.0f} with one."
    yield Outcome("ensemble", ENSEMBLE[_place(gain, -20, 20)], text)
    if hall.params.is_recipe:
        text = f"{nets} nets are needed: return gained over one net"
        yield claim("ensemble-needed", text, gain, ">=", 50, expect="refuted")
    return gain


@dataclass(frozen=True)
class Promised:
    """Mean return of plans by the model that made them, and of the same torques in reality."""

    promise: float
    real: float

    @property
    def gap(self) -> float:
        return self.promise - self.real


def promised(planner: Planner, starts: Tensor) -> Promised:
    """Plan once from each start (n, 3); then carry the whole plan out by the true equations."""
    planner.begin(len(starts))
    plans = planner.plan(starts)[:, None]
    promise = imagine(planner.model, starts, plans).returns.mean()
    return Promised(float(promise), float(imagine(Truth(), starts, plans).returns.mean()))


def _promise(hall: Laboratory, data: Transitions) -> Steps[float]:
    few = hall.params.offline
    yield Stage("promise", f"models of {few} random steps: promised against real")
    yield diagram("planner", _told(f"nets fitted to {few} random steps", "searches ever harder"))
    starts = Reality([hall.starts[0] + n for n in range(_PLACES)]).states
    rows: list[list[Cell]] = []
    found: dict[tuple[int, int], Promised] = {}
    for nets in (1, hall.params.nets):
        name = f"{nets} of {few} steps"
        model = yield from hall.fit(data.first(few), hall.params.fitting, nets, name)
        for rounds in (1, 2, _HARD):
            result = promised(hall.planner(model, "cem", rounds), starts)
            found[nets, rounds] = result
            row: list[Cell] = [
                nets,
                rounds,
                *(round(x, 1) for x in (result.promise, result.real, result.gap)),
            ]
            rows.append(row)
            yield Progress(len(rows), 6, "search")
    columns = ["nets", "rounds of search", "promised", "real", "too good by"]
    note = f"plans of {hall.params.horizon} steps from {_PLACES} starts, carried out blindly"
    yield Table("promise", "What a plan promises, and what it brings", columns, rows, note)
    hard = found[1, _HARD].gap
    yield Outcome("promise", PROMISE[_place(hard, -1, 1)], f"Too good by {hard:.1f}.")
    if hall.params.is_recipe:
        text = "return that a hard search promises beyond what reality gives"
        yield claim("promise-too-good", text, hard, ">", 0)
    return hard


def _fans(hall: Laboratory, models: dict[str, Ensemble]) -> Iterator[Event]:
    """Imagined rollouts from the first fresh start, the plan chosen, and what it really brings."""
    yield Stage("fan", "what the planner imagines at its first step")
    start = Reality(hall.fresh[:1]).states
    steps = list(range(hall.params.horizon + 1))
    for number, (name, model) in enumerate(models.items()):
        planner = hall.planner(model)
        planner.begin(1)
        chosen = planner.plan(start)
        shape = _FAN, hall.params.horizon
        tried = (2 * torch.rand(*shape, generator=hall.generator) - 1) * TORQUE
        seen = imagine(model, start, torch.cat((tried, chosen))[None]).states[0, :, :, 0]
        real = imagine(Truth(), start, chosen[None]).states[0, 0, :, 0]
        names = [*(f"imagined {n + 1}" for n in range(_FAN)), "plan, promised"]
        lines = [Line(each, steps, y.tolist()) for each, y in zip(names, seen, strict=True)]
        lines.append(Line("plan, real", steps, real.tolist()))
        title = f"Imagined in the net {name}"
        levels = {"upright": 1.0}
        yield Series(f"fan-{number}", title, lines, "steps ahead", "height cos θ", levels)


@dataclass(frozen=True)
class MpcExplorer:
    """Plays one more episode: with another planner, with the truth, or with other fitting."""

    hall: Laboratory
    model: Ensemble
    data: Transitions

    def explore(self, request: str) -> Iterator[Event]:
        """`cem`, `mppi`, `shooting`, `true`, or `fit 100`."""
        words = request.lower().split()
        model: Model = self.model
        if len(words) == 2 and words[0] == "fit" and words[1].isdecimal():
            steps = min(max(int(words[1][:6]), 1), 5000)
            model = yield from self.hall.fit(self.data, steps, 1, f"{steps} steps")
        elif words == ["true"]:
            model = Truth()
        elif len(words) != 1 or words[0] not in METHODS:
            yield Note(f"type {', '.join(METHODS)}, true, or fit and a number, such as fit 100")
            return
        method = words[0] if words[0] in METHODS else ""
        planner = self.hall.planner(model, method)
        lived = yield from live(planner, self.hall.fresh[:1], self.hall.generator, request)
        title = f"{' '.join(words)}: return {lived.mean:.0f}"
        yield Text("explore", title, arrows(lived.states[:, 0]))


if __name__ == "__main__":
    main(MPC)
