"""Learning one thing after another: what is left of the first?

A network that is trained on new data moves its weights to where the new data want them. Nothing
holds them where the old data had them: what it could do is gone. McCloskey and Cohen called that
catastrophic interference in 1989. Here it happens to handwritten digits: 0 or 1 first, then 2 or
3, up to 8 or 9, each task learned with its own data alone.

Two remedies. Elastic weight consolidation (EWC, Kirkpatrick et al. 2017, arXiv:1612.00796) keeps
no data: it pulls each weight back to where it was, by how much it mattered (equation 3)

    L(θ) = L_new(θ) + λ/2 Σ_i F_i (θ_i - θ*_i)²        F: diagonal of the Fisher information

Replay keeps a few old examples and mixes them in. And two questions that sound alike (van de Ven
and Tolias 2019, arXiv:1904.07734): class-incremental, "which of the ten digits is it?", and
task-incremental, "this one is a 0 or a 1: which?". Most of what is said about forgetting depends
on which of the two was asked.

Two lines are on every plot: training on everything at once, which no learner in sequence can be
asked to beat, and a method that can't forget, the mean picture of each digit.

    python -m demos.frontier.continual --kept 50
    python -m demos.frontier.continual --strength 100000 --explore      then: replay 1 task
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar, get_args

import numpy as np
import torch

from demos.frontier.continual_net import (
    TASKS,
    Examples,
    Learner,
    Life,
    Method,
    Scenario,
    class_means,
    load,
)
from demos.frontier.specs import CONTINUAL, ContinualParams
from demos.kit.images import GREY, contact_sheet, picture_event
from demos.kit.plots import Curves
from studytool.demo.events import (
    Cell,
    Claim,
    Event,
    Finding,
    Matrix,
    Metric,
    Note,
    Outcome,
    Prediction,
    Progress,
    Stage,
    claim,
)
from studytool.demo.events import Table as TableEvent
from studytool.demo.spec import Lab, main

T = TypeVar("T")
Steps: TypeAlias = Generator[Event, None, T]
_SCENARIOS: Final[tuple[Scenario, ...]] = get_args(Scenario)
_ASKED: Final[dict[Scenario, str]] = {
    "class": "which of the ten digits?",
    "task": "which of these two?",
}
_CHANCE: Final[dict[Scenario, float]] = {"class": 0.1, "task": 0.5}
#: The strengths at which EWC is tried besides the chosen one.
_STRENGTHS = (10.0, 100.0, 10_000.0, 100_000.0)
BEST = ("EWC", "replay", "class means")
_NAMES = [f"{a} or {b}" for a, b in TASKS]


@dataclass
class World:
    """The data, the settings, and every life lived so far."""

    params: ContinualParams
    train: Examples
    test: Examples
    lives: dict[tuple[Scenario, str], Life] = field(default_factory=dict)

    def live(self, method: Method, scenario: Scenario) -> Life:
        """The life of a network that learns by this method; the same start for all."""
        key = scenario, method.name
        if key not in self.lives:
            settings = self.params.width, self.params.epochs, self.params.rate
            rng = np.random.default_rng([self.params.seed, 1])
            learner = Learner(method, scenario, *settings, rng)
            self.lives[key] = learner.live(self.train, self.test)
        return self.lives[key]


def _few(params: ContinualParams) -> int:
    return max(1, params.kept // 5)


def _ewc(strength: float) -> Method:
    return Method(f"EWC, λ = {strength:,.10g}", strength=strength)


def _replay(kept: int) -> Method:
    return Method(f"replay, {kept} of each", kept=kept)


NAIVE = Method("naive")
JOINT = Method("all at once", joint=True)


def methods(params: ContinualParams) -> dict[str, Method]:
    """The methods compared, in the order of what they store."""
    few = {} if _few(params) == params.kept else {"few": _replay(_few(params))}
    return {
        "naive": NAIVE,
        "EWC": _ewc(params.strength),
        **few,
        "replay": _replay(params.kept),
        "joint": JOINT,
    }


def run(params: ContinualParams, lab: Lab) -> Steps[ContinualExplorer]:
    """Events of one run; see the module's text."""
    yield Stage("loading", "handwritten digits, five tasks of two")
    torch.set_num_threads(lab.threads)
    world = World(params, *load(lab.rng()))
    yield Note(
        f"{len(world.train):,} pictures of 8 x 8 pixels to learn from, {len(world.test)} to be asked "
        f"about; tasks in order: {', '.join(_NAMES)}. Chance is 0.1 when any of ten digits may be "
        "named, 0.5 when the pair is given."
    )
    yield from _questions(params)
    means = class_means(world.train, world.test)
    found = {}
    for scenario in _SCENARIOS:
        found[scenario] = yield from _compare(world, scenario, means)
    yield from _looks(world, found["class"])
    swept = yield from _sweep(world) if params.sweep else _one(world)
    yield from _outcomes(found, means)
    if params.is_recipe:
        yield from _claims(world, found, swept, means)
    yield _finding(world, found["class"], means)
    return ContinualExplorer(world)


def _questions(params: ContinualParams) -> Iterator[Event]:
    yield Prediction(
        "first",
        f"Naive, ten digits to choose from, {params.epochs} passes a task: what share of the zeros and "
        "ones is still named right after the fifth task?",
        unit="share",
    )
    yield Prediction(
        "given",
        "The very same network, but at the test it is told the pair (this is a 0 or a 1): what share of "
        "all pictures is right at the end?",
        unit="share",
    )
    yield Prediction(
        "best",
        f"Ten digits to choose from: which is best at the end? EWC with λ = {params.strength:g}, replay "
        f"of {params.kept} pictures of each digit, or the nearest of ten mean pictures, no network?",
        BEST,
    )


def _compare(world: World, scenario: Scenario, means: Life) -> Steps[dict[str, Life]]:
    """Each method through the five tasks, watched on the first one."""
    yield Stage(f"{scenario}-incremental", _ASKED[scenario])
    title = f"The first task after each task, {scenario}-incremental"
    curves = Curves(f"first-{scenario}", title, "tasks learned", "share of 0 and 1 right")
    curves.levels = {"chance": _CHANCE[scenario]}
    found: dict[str, Life] = {}
    names = methods(world.params)
    for number, (name, method) in enumerate(names.items()):
        life = found[name] = world.live(method, scenario)
        yield Progress(number + 1, len(names), "method", method.name)
        yield Metric(f"{scenario}: {method.name}", life.final)
        if method.joint:
            curves.levels["all at once"] = float(life.accuracy[0, 0])
        else:
            for stage, accuracy in enumerate(life.accuracy[:, 0]):
                curves.add(method.name, stage + 1, float(accuracy))
        if scenario == "class" and name == "naive":
            for stage, accuracy in enumerate(means.accuracy[:, 0]):
                curves.add("class means", stage + 1, float(accuracy))
        yield curves.series()
        yield _table(scenario, found, means)
    yield _matrix(scenario, found["naive"])
    yield _matrix(scenario, found["replay"])
    return found


def _table(scenario: Scenario, found: dict[str, Life], means: Life) -> TableEvent:
    shown = [*found.values(), *([means] if scenario == "class" else [])]
    rows: list[list[Cell]] = [
        [
            life.method.name,
            round(life.final, 3),
            round(float(life.accuracy[-1, 0]), 3),
            round(float(life.accuracy[-1, -1]), 3),
            round(life.given, 3),
            None if life.method.joint else round(life.forgotten, 3),
            _stores(life),
        ]
        for life in shown
    ]
    columns = ["method", "all tasks", "0 or 1", "8 or 9", "pair given", "forgotten", "stores"]
    note = (
        f"share right at the end; chance {_CHANCE[scenario]}; pair given: the same network, told the "
        "pair at the test; forgotten: mean loss since learned"
    )
    return TableEvent(
        f"methods-{scenario}", f"{scenario}-incremental: {_ASKED[scenario]}", columns, rows, note
    )


def _stores(life: Life) -> str:
    method = life.method
    if method.joint:
        return "everything"
    if method.kept and life.memory is not None:
        return f"{len(life.memory)} pictures"
    if method.strength:
        return "weights and importances of each task"
    return "ten mean pictures" if method.name == "class means" else "nothing"


def _matrix(scenario: Scenario, life: Life) -> Matrix:
    return Matrix(
        f"{scenario}-{life.method.name}",
        f"Right on each task after each task: {life.method.name}, {scenario}-incremental",
        [[round(float(cell), 3) for cell in row] for row in life.accuracy],
        [f"after {name}" for name in _NAMES],
        _NAMES,
        "below the diagonal stands what is left of earlier tasks",
    )


def _looks(world: World, found: dict[str, Life]) -> Iterator[Event]:
    """Single pictures through the years, and the memory that saves them."""
    yield Stage("looking", "single pictures, and what is stored")
    asked = [int(np.flatnonzero(world.test.digits.numpy() == digit)[0]) for digit in range(6)]
    naive, replay = found["naive"], found["replay"]
    rows: list[list[Cell]] = [
        [int(world.test.digits[place]), _told(naive, place), _told(replay, place)]
        for place in asked
    ]
    columns = ["picture of", "naive says after tasks 1-5", f"{replay.method.name} says"]
    note = "a digit that was not learned yet can't be named"
    yield TableEvent(
        "cases", "One picture of each digit, asked again and again", columns, rows, note
    )
    least = found.get("few", replay)
    if least.memory is not None:
        yield _sheet(least.memory)


def _told(life: Life, place: int) -> str:
    return " ".join(str(said) for said in life.says[:, place])


def _sheet(memory: Examples) -> Event:
    kept = (255 - memory.pictures.numpy().reshape(-1, 8, 8) * 255).astype(np.uint8)
    digits = memory.digits.numpy()
    rows = [
        [np.repeat(picture[:, :, None], 3, axis=2) for picture in kept[digits // 2 == task]][:40]
        for task in range(len(TASKS))
    ]
    sheet = contact_sheet(rows, [[GREY] * len(row) for row in rows], scale=3)
    title = f"The whole memory of replay: {len(memory)} pictures"
    return picture_event("memory", title, sheet, caption="one row for each task; UCI digits")


def _sweep(world: World) -> Steps[list[Life]]:
    """Is it only the wrong λ? EWC from hardly any pull to one that forbids learning."""
    yield Stage("strengths", "EWC from hardly any pull to one that forbids learning")
    curves = Curves("strengths", "EWC by strength", "log10 of λ", "share right")
    curves.levels = {"chance": 0.1}
    lives = []
    strengths = sorted({*_STRENGTHS, world.params.strength})
    for number, strength in enumerate(strengths):
        life = world.live(_ewc(strength), "class")
        lives.append(life)
        curves.add("all tasks at the end", float(np.log10(strength)), life.final)
        learned = float(life.accuracy.diagonal().mean())
        curves.add("each task when learned", float(np.log10(strength)), learned)
        yield Progress(number + 1, len(strengths), "strength")
        yield curves.series()
    return lives


def _one(world: World) -> Steps[list[Life]]:
    yield Note("one strength of EWC; --sweep tries four more")
    return [world.live(_ewc(world.params.strength), "class")]


def _outcomes(found: dict[Scenario, dict[str, Life]], means: Life) -> Iterator[Event]:
    naive, given = found["class"]["naive"], found["task"]["naive"]
    first, last = naive.accuracy[0, 0], naive.accuracy[-1, 0]
    yield Outcome(
        "first",
        round(float(last), 3),
        f"{first:.1%} after the first task, {last:.1%} after the fifth; {_last(naive):.1%} of all "
        "answers are 8 or 9.",
    )
    yield Outcome(
        "given",
        round(naive.given, 3),
        f"{naive.given:.1%} against {naive.final:.1%} when any digit may be named, with the same "
        f"weights; {given.final:.1%} when it was trained with the pair given, too.",
    )
    finals = {name: found["class"][name].final for name in BEST[:2]} | {BEST[2]: means.final}
    best = max(finals, key=lambda name: finals[name])
    said = ", ".join(f"{name} {value:.1%}" for name, value in finals.items())
    yield Outcome("best", best, f"{said}.")


def _last(life: Life) -> float:
    """The share of answers, at the end, that are classes of the last task."""
    return float((life.says[-1] // 2 == len(TASKS) - 1).mean())


def _claims(
    world: World, found: dict[Scenario, dict[str, Life]], swept: list[Life], means: Life
) -> Iterator[Claim]:
    many, given = found["class"], found["task"]
    kept, few = world.params.kept, _few(world.params)
    text = "learning in sequence, ten digits to choose from: share right at the end"
    yield claim("naive-forgets", text, many["naive"].final, "<=", 0.22)
    text = "its answers at the end are digits of the last task (share)"
    yield claim("names-the-last", text, _last(many["naive"]), ">=", 0.9)
    text = f"replay of {kept} pictures of each digit: share right"
    yield claim("replay-keeps", text, many["replay"].final, ">=", 0.77)
    text = f"replay of {few} pictures of each digit minus EWC: share right"
    yield claim("few-beat-ewc", text, many["few"].final - many["EWC"].final, ">=", 0.3)
    text = "EWC, ten digits to choose from: share right"
    yield claim("ewc-class", text, many["EWC"].final, "<=", 0.4)
    text = "EWC keeps all ten digits apart at the right strength (best share over five strengths)"
    best = max(life.final for life in swept)
    yield claim("ewc-right-strength", text, best, ">=", 0.5, expect="refuted")
    text = "the very same network, told the pair at the test: share right"
    yield claim("same-network", text, many["naive"].given, ">=", 0.75)
    text = "naive, the pair given in training and at the test: share right"
    yield claim("task-given", text, given["naive"].final, ">=", 0.88)
    text = "EWC forgets little where the pair is given (mean loss since learned)"
    yield claim("ewc-task", text, given["EWC"].forgotten, "<=", 0.03)
    text = f"replay of {kept} is clearly better than the mean picture of each digit (difference)"
    gain = many["replay"].final - means.final
    yield claim("replay-best", text, gain, ">=", 0.02, expect="refuted")
    text = "all tasks at once: share right"
    yield claim("joint", text, many["joint"].final, ">=", 0.93)


def _finding(world: World, many: dict[str, Life], means: Life) -> Finding:
    left = "drowned, not erased" if many["naive"].given >= 0.8 else "drowned, and partly erased"
    return Finding(
        f"After five tasks in sequence {many['naive'].final:.0%} are right, but "
        f"{many['naive'].given:.0%} when the very same network is told the pair: old classes are "
        f"{left}. With all ten digits to choose from, EWC reaches {many['EWC'].final:.0%}, "
        f"{world.params.kept} stored pictures of each digit {many['replay'].final:.0%}, all data at "
        f"once {many['joint'].final:.0%}; and ten mean pictures, which can't forget, "
        f"{means.final:.0%}. A pull to old weights never contrasts an old class with a new one."
    )


@dataclass(frozen=True)
class ContinualExplorer:
    """Lives one more life."""

    world: World

    def explore(self, request: str) -> Iterator[Event]:
        """`naive`, `joint`, `ewc 100`, `replay 5`; with `task` after it, the pair is given."""
        words = request.lower().split()
        scenario: Scenario = "class"
        if words and words[-1] in _SCENARIOS:
            scenario = "task" if words.pop() == "task" else "class"
        method = _asked(words)
        if method is None:
            yield Note(
                "type naive, joint, ewc and a strength up to 1e7, or replay and 1 to 100 pictures of "
                "each digit; then task, if the pair is to be given"
            )
            return
        life = self.world.live(method, scenario)
        means = class_means(self.world.train, self.world.test)
        yield _table(scenario, {"asked": life}, means)
        if not method.joint:
            yield _matrix(scenario, life)


def _asked(words: list[str]) -> Method | None:
    """The method that the words name, or None."""
    if words in (["naive"], ["joint"]):
        return NAIVE if words == ["naive"] else JOINT
    if len(words) != 2 or words[0] not in ("ewc", "replay"):
        return None
    try:
        number = float(words[1])
    except ValueError:
        return None
    if words[0] == "ewc":
        return _ewc(number) if 0 < number <= 1e7 else None
    return _replay(int(number)) if 1 <= number <= 100 and number.is_integer() else None


if __name__ == "__main__":
    main(CONTINUAL)
