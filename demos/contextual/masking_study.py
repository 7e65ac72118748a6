"""What the masking demo measures: shares of what can be learnt, and losses at one blank."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np

from demos.contextual.letters import (
    BLANK,
    F64,
    I64,
    KEPT,
    LETTERS,
    Chain,
    Mask,
    best_guess,
    corrupt,
    fates,
    fill,
    mean_loss,
    seen,
)
from demos.contextual.specs import MaskingParams
from demos.contextual.tiny_bert import LENGTH, TinyBert, rescore
from demos.kit.plots import Curves
from studytool.demo.spec import Lab

MASKED, CAUSAL = "masked", "causal"
BEST = (
    "the masked model, in one pass",
    "the causal model, from the left",
    "the causal model, by all 27 fillings",
)
TRAINED_ON, TESTED_ON, RESCORED, WATCHED = 40_000, 1024, 384, 128
_EDGE = 4  # blanks keep away from the ends by so many letters


@dataclass
class Bench:
    """What the parts of a run share.

    Test sequences have one blank each in `one`; `read` is what a masked model reads of the first
    WATCHED ones, `chosen` where it is scored. Models are by kind.
    """

    params: MaskingParams
    lab: Lab
    chain: Chain
    data: I64
    tests: I64
    one: Mask
    read: I64
    chosen: Mask
    models: dict[str, TinyBert] = field(default_factory=dict)
    curves: Curves = field(
        default_factory=lambda: Curves(
            "learnt", "Share of what can be learnt: 0 letters' shares, 1 optimum", "step", "share",
            {"optimum": 1.0, "letters' shares": 0.0},
        )
    )  # fmt: skip
    early: dict[str, float] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether the claims are meant for these settings."""
        free = {name: getattr(self.params, name) for name in ("seed", "all")}
        return self.params == msgspec.structs.replace(MaskingParams(), **free)

    def learnt(self, kind: str) -> float:
        """The share of the learnable information that the model of this kind has by now."""
        few, model = self.tests[:WATCHED], self.models[kind]
        if kind == MASKED:
            exact = best_guess(self.chain, self.read, self.params.rate, self.params.recipe)
            losses = [
                mean_loss(chances, few, self.chosen)
                for chances in (model.chances(self.read), exact)
            ]
        else:
            everywhere = np.ones((WATCHED, LENGTH - 1), bool)
            exact = self.chain.messages(seen(few))[0][:, 1:]
            losses = [
                mean_loss(chances, few[:, 1:], everywhere)
                for chances in (model.chances(few)[:, :-1], exact)
            ]
        return (self.chain.letter_entropy - losses[0]) / (self.chain.letter_entropy - losses[1])


def prepare(params: MaskingParams, lab: Lab, chain: Chain) -> Bench:
    """Sequences to train and to test on, and the blanks of the test."""
    rng = lab.rng(0)
    data, tests = chain.draw(rng, TRAINED_ON, LENGTH), chain.draw(rng, TESTED_ON, LENGTH)
    one = np.zeros(tests.shape, bool)
    one[np.arange(TESTED_ON), rng.integers(_EDGE, LENGTH - _EDGE, TESTED_ON)] = True
    fate = fates(rng, (WATCHED, LENGTH), params.rate, params.recipe)
    fate[0, 0] = fate[0, 0] or 1
    read = corrupt(tests[:WATCHED], fate, rng, BLANK, LETTERS)
    return Bench(params, lab, chain, data, tests, one, read, fate != KEPT)


def blank_losses(bench: Bench) -> dict[str, float]:
    """The mean loss at the tests' one blank, by each way to fill it."""
    tests, one = bench.tests, bench.one
    hidden = np.where(one, BLANK, tests)
    places = one.argmax(axis=1)
    left = bench.models[CAUSAL].chances(tests)
    before = np.zeros_like(one)
    before[np.arange(len(tests)), places - 1] = True
    few = slice(0, RESCORED)
    tried = rescore(bench.models[CAUSAL], tests[few], places[few])
    answers = tests[one]
    return {
        "exact": mean_loss(fill(bench.chain, hidden), tests, one),
        "exact from the left": _mean(bench.chain.messages(seen(tests))[0][one], answers),
        BEST[0]: mean_loss(bench.models[MASKED].chances(hidden), tests, one),
        BEST[1]: _mean(left[before], answers),
        BEST[2]: _mean(tried, answers[few]),
        "exact, on the rescored ones": mean_loss(
            fill(bench.chain, hidden[few]), tests[few], one[few]
        ),
        "masked, on the rescored ones": mean_loss(
            bench.models[MASKED].chances(hidden[few]), tests[few], one[few]
        ),
    }


def _mean(chances: F64, answers: I64) -> float:
    return float(-np.log(np.take_along_axis(chances, answers[:, None], axis=1)).mean())
