"""From features to probabilities of missed, covered and contradicted.

Two ways: a hand rule with three thresholds, and a logistic regression whose weights are in
weights.json (written by tests/grading/train.py). weights.json says for each kind of rubric which
one did better on questions it had not seen, and that one is used. Everything here is plain
arithmetic: verdicts on words alone need no numpy.
"""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The order of probabilities everywhere.
CLASSES = ("missed", "covered", "contradicted")


class HandRule(msgspec.Struct, frozen=True, kw_only=True):
    """Covered when `signal` >= t; contradicted when `wrong` >= a and `margin` >= m.

    `sharpness` turns the distance to a threshold into a probability.
    """

    signal: str
    t: float
    wrong: str
    a: float
    margin: str
    m: float
    sharpness: float = 12.0

    def probabilities(self, features: Mapping[str, float]) -> tuple[float, float, float]:
        against = 0.0
        if self.wrong in features:
            over = min(features[self.wrong] - self.a, features.get(self.margin, 0.0) - self.m)
            against = _sigmoid(self.sharpness * over)
        covered = (1 - against) * _sigmoid(self.sharpness * (features[self.signal] - self.t))
        return 1 - against - covered, covered, against


class Logistic(msgspec.Struct, frozen=True, kw_only=True):
    """Three-class logistic regression on standardised features; one row of weights a class."""

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    bias: tuple[float, ...]

    def probabilities(self, features: Mapping[str, float]) -> tuple[float, float, float]:
        values = [
            (features.get(name, mean) - mean) / scale
            for name, mean, scale in zip(self.names, self.mean, self.scale, strict=True)
        ]
        logits = [
            bias + sum(weight * value for weight, value in zip(row, values, strict=True))
            for row, bias in zip(self.weights, self.bias, strict=True)
        ]
        missed, covered, contradicted = softmax(logits)
        return missed, covered, contradicted


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """Both ways for one kind of rubric, and which is used: "hand" or "logistic"."""

    use: str
    hand: HandRule
    logistic: Logistic | None = None

    def probabilities(self, features: Mapping[str, float]) -> tuple[float, float, float]:
        """(missed, covered, contradicted), which add up to 1."""
        if self.use == "logistic" and self.logistic is not None:
            return self.logistic.probabilities(features)
        return self.hand.probabilities(features)


class Tone(msgspec.Struct, frozen=True, kw_only=True):
    """A direction in the space of one encoder: from what is so towards mistakes as people voice them.

    Such mistakes claim too much: always, nothing else, simply. The direction knows no card; it is
    fitted on the mistakes and truths of a deck and on sentences of right and wrong answers.
    """

    encoder: str
    weights: tuple[float, ...]
    bias: float


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """weights.json: a model for each of words alone or vectors, with or without authored mistakes."""

    models: dict[str, Model]
    tone: Tone | None = None

    def model(self, *, neural: bool, wrongs: bool) -> Model:
        return self.models[f"{'neural' if neural else 'lexical'}{'' if wrongs else '-bare'}"]


@cache
def weights() -> Weights:
    """The weights that come with the package."""
    raw = resources.files("studytool.grading").joinpath("weights.json").read_bytes()
    return msgspec.json.decode(raw, type=Weights)


def softmax(logits: Sequence[float]) -> list[float]:
    top = max(logits)
    powers = [math.exp(one - top) for one in logits]
    return [one / sum(powers) for one in powers]


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, value))))
