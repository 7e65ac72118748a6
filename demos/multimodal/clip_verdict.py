"""What the CLIP demo asks beforehand, and what came of it: outcomes, claims, the sentence to say."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from demos.kit.retrieval import chance_recall, recall_at
from demos.multimodal.clip_study import Score, Step, Study
from demos.multimodal.specs import ClipParams
from studytool.demo.events import Claim, Event, Note, Outcome, Prediction, claim

TEMPERATURES = ("lower, so sharper", "the same within 10 %", "higher, so softer")
GAPS = ("the gap stays", "it shrinks, but to more than half", "it closes to less than half")


#: Steps that reach the bars with some slack, by text tower.
RECIPE_STEPS = {"scratch": 280, "minilm": 440}


def with_steps(params: ClipParams) -> ClipParams:
    """The same parameters with the number of steps that will be run."""
    return msgspec.structs.replace(params, steps=params.steps or RECIPE_STEPS[params.text])


@dataclass(frozen=True)
class Result:
    """What a run found.

    `among_all` are the places of the held-out combinations among all pictures; `loss_error` is
    how far the loss is from its definition, `above_floor` how near a batch came to the floor.
    """

    params: ClipParams
    study: Study
    before: Score
    after: Score
    steps: list[Step]
    among_all: np.ndarray
    loss_error: float
    above_floor: float

    @property
    def start_loss(self) -> float:
        return self.steps[0].loss

    @property
    def temperature(self) -> float:
        """The temperature before the last update."""
        return self.steps[-1].temperature

    @property
    def is_recipe(self) -> bool:
        """Only seed and text tower are turned: the setting that the bars are stated for."""
        turned = msgspec.structs.replace(self.params, seed=0, all=False)
        return turned == with_steps(ClipParams(text=self.params.text))


def questions(params: ClipParams) -> Iterator[Prediction]:
    """What to guess before anything is shown."""
    yield Prediction(
        "start-loss",
        f"A batch has {params.batch} pairs and nothing is learnt yet. What is the first loss?",
        unit="nats",
    )
    yield Prediction(
        "combinations",
        "Some 300 pictures mix person, doing and skin tone as no training picture does. For how "
        "many per cent will the name find just that picture first? (by chance 0.3)",
        unit="%",
    )
    if params.learn_temperature:
        yield Prediction(
            "temperature",
            f"The temperature starts at {params.temperature:g} and is learnt. Where does it end?",
            TEMPERATURES,
        )
    yield Prediction(
        "gap",
        "Before training the mean picture and the mean text lie far apart. And after it?",
        GAPS,
    )


def outcomes(result: Result) -> Iterator[Outcome]:
    """How it came out, for each question that was asked."""
    n, found = result.params.batch, recall_at(result.after.comp, 1)
    text = f"ln {n} = {math.log(n):.2f} is guessing; the rest is chance, stretched by 1/τ"
    yield Outcome("start-loss", result.start_loss, text)
    yield Outcome("combinations", 100 * found, f"{found:.0%} of {result.study.comps}")
    start, end = result.params.temperature, result.temperature
    if result.params.learn_temperature:
        kind = 1 if abs(math.log(end / start)) < math.log(1.1) else 0 if end < start else 2
        yield Outcome("temperature", TEMPERATURES[kind], f"{start:g} became {end:.3f}")
    first, last = result.before.gap, result.after.gap
    kind = 2 if last < first / 2 else 1 if last < first * 0.9 else 0
    yield Outcome("gap", GAPS[kind], f"{first:.2f} became {last:.2f}")


def claims(result: Result) -> Iterator[Event]:
    """What must be so in any run, then what this recipe is good for."""
    params, error = result.params, result.loss_error
    yield claim("symmetric-loss", "the loss equals -ln p(right), pair by pair", error, "<=", 1e-6)
    yield claim(
        "loss-floor",
        "no batch gets below the floor of its τ; the nearest came within",
        result.above_floor,
        ">=",
        -1e-4,
        unit="nats",
    )
    untrained = recall_at(result.before.comp, 10)
    bound = 3 * chance_recall(10, result.study.comps)
    text = "untrained, R@10 is within 3 times chance"
    yield claim("untrained-chance", text, untrained, "<=", bound)
    if params.temperature >= 0.07 and params.batch >= 128:
        off = result.start_loss / math.log(params.batch) - 1
        text = "the first loss is ln N and a little more, as 1/τ stretches chance; share more"
        yield claim("start-loss-ln-n", text, abs(off), "<=", 0.15)
    if result.is_recipe:
        yield from recipe_claims(result)
    else:
        yield Note("The bars for retrieval are stated for the default settings, so not here.")


def recipe_claims(result: Result) -> Iterator[Claim]:
    """Bounds that hold on any seed at the default setting."""
    after, study = result.after, result.study
    comp, unseen = (0.78, 0.38) if result.params.text == "minilm" else (0.65, 0.18)
    text = f"finds combinations never trained on, R@1 of {len(after.comp)}"
    yield claim("comp-r1", text, recall_at(after.comp, 1), ">=", comp)
    text = f"finds things never seen, R@10 of {len(after.unseen)}"
    yield claim("unseen-r10", text, recall_at(after.unseen, 10), ">=", unseen)
    ahead = recall_at(result.among_all, 1) - recall_at(study.copied.comp_among_all, 1)
    text = "R@1 among all pictures, ahead of copying by"
    yield claim("beats-copying", text, ahead, ">=", 0.1)
    shrunk = result.temperature / result.params.temperature
    yield claim("temperature-learned", "τ ends below where it began, ratio", shrunk, "<=", 0.9)
    yield claim(
        "gap-persists",
        "commonly taught: the modality gap persists through training; share left",
        after.gap / result.before.gap,
        ">=",
        0.5,
        expect="refuted",
    )
    yield claim(
        "only-composition",
        "commonly taught: only a model that composes finds new combinations; R@1 of copying",
        recall_at(study.copied.comp, 1),
        "<=",
        0.1,
        expect="refuted",
    )


def finding(result: Result) -> str:
    """The sentence to say, with what was just measured."""
    study, after, params = result.study, result.after, result.params
    tower = "frozen and borrowed" if params.text == "minilm" else "learnt from the captions alone"
    n, comps = params.batch, study.comps
    return (
        f"CLIP never sees a label: it only tells the {n} pairs of a batch apart, so its loss "
        f"starts near ln {n} = {math.log(n):.2f} (measured {result.start_loss:.2f}). With a text "
        f"tower {tower}, trained for {params.steps} steps, it puts {recall_at(after.comp, 1):.0%} "
        f"of {comps} combinations it never trained on first, where chance is "
        f"{chance_recall(1, comps):.1%} and copying the nearest caption's picture already gives "
        f"{recall_at(study.copied.comp, 1):.0%}; of things whose whole family it never saw, "
        f"{recall_at(after.unseen, 10):.0%} are in the first ten."
    )
