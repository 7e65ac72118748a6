"""Scaling laws: price the largest model before it is trained.

Train a ladder of small models, draw loss against size on logarithmic axes, and the points lie
almost on a line (Kaplan et al. 2020, arXiv:2001.08361). Extend the line and you know what a
larger model will reach before you pay for it. That is how large models are planned; here it is
done with eight models in a quarter of a minute, and the forecast is on record before the largest
one begins to train.

The models predict the next letter from the eight before it, in the manner of Bengio et al. 2003
(*A Neural Probabilistic Language Model*): letter vectors side by side, one hidden layer, one more
on top. They are small because the lesson needs eight sizes and not one large one; nothing in the
method asks what is inside.

What to watch: the straight line is too hopeful, because there is a floor that no size gets under;
a floor can be fitted, but these points do not say where it is; and one learning rate for all
sizes bends the ladder until "bigger is worse". The second half plants known laws of two
variables, N and D, and asks whether fits find them, and what a budget C = 6 N D should buy
(Hoffmann et al. 2022, *Chinchilla*, arXiv:2203.15556).

    python -m demos.foundation.scaling --rate constant --lr 0.1
    python -m demos.foundation.scaling --explore        then: C=5.9e23   or   N=70e9 D=1.4e12
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import log, sqrt
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor, nn

from demos.foundation.scaling_budget import BudgetExplorer, optimum_table
from demos.foundation.scaling_laws import (
    KAPLAN,
    PUBLISHED,
    PowerLaw,
    fit_chinchilla,
    fit_kaplan,
    fit_line,
    fit_with_floor,
    floors,
    optimum_by_search,
    planted_runs,
    plausible,
    relative_errors,
    training_flops,
)
from demos.foundation.specs import SCALING, ScalingParams
from demos.kit.adamw import AdamW
from demos.kit.corpus import own, wikipedia
from demos.kit.data import DataFault
from demos.kit.schedule import warm_cosine
from demos.kit.tokens import TokenText, tokenise
from studytool.demo.events import (
    Cell,
    Event,
    Failed,
    Finding,
    Line,
    Note,
    Outcome,
    Prediction,
    Progress,
    Series,
    Stage,
    Table,
    claim,
)
from studytool.demo.spec import Explorer, Lab, main

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]
R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. One rung of the ladder

#: Letters looked back at, numbers per letter, and examples in a step.
CONTEXT, LETTER, BATCH = 8, 12, 256
#: The hidden widths; each is about 1.5 times the one before. The last one is what is predicted.
WIDTHS = (12, 18, 27, 40, 60, 90, 135, 200)
_HELD, _WARMUP = 40_000, 20


class Rung(nn.Module):
    """Logits of the next letter, (batch, letters), from the ids before it, (batch, CONTEXT)."""

    def __init__(self, letters: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, LETTER)
        self.first = nn.Linear(CONTEXT * LETTER, width)
        self.second = nn.Linear(width, width)
        self.output = nn.Linear(width, letters)
        with torch.no_grad():
            self.letters.weight.normal_(0, 1, generator=generator)
            for layer in (self.first, self.second):
                layer.weight.normal_(0, layer.in_features**-0.5, generator=generator)
                layer.bias.zero_()
            self.output.weight.zero_()  # so that the first loss is exactly ln V
            self.output.bias.zero_()

    def forward(self, ids: Tensor) -> Tensor:
        hidden = nnf.gelu(self.first(self.letters(ids).flatten(1)))
        return self.output(hidden + nnf.gelu(self.second(hidden)))

    def size(self) -> int:
        """N: the parameters without embeddings, as Kaplan et al. count them."""
        return sum(each.numel() for each in self.parameters()) - self.letters.weight.numel()


def learning_rate(params: ScalingParams, width: int) -> float:
    """Falls with 1/√width from `lr` at the narrowest rung, or is `lr` for all.

    Wider layers add up more terms, so that the same step moves their outputs further.
    """
    return params.lr * sqrt(WIDTHS[0] / width) if params.rate == "width" else params.lr


def train_rung(text: TokenText, width: int, params: ScalingParams) -> tuple[int, float]:
    """N and the held-out loss in nats per letter. Each rung sees the same text in the same order."""
    model = Rung(len(text.bpe.tokens), width, torch.Generator().manual_seed(params.seed))
    optimiser, rng = AdamW(model.parameters(), decay=0.01), np.random.default_rng(params.seed)
    peak = learning_rate(params, width)
    for step in range(params.steps):
        ids = torch.from_numpy(text.batch(rng, BATCH, CONTEXT + 1))
        loss = nnf.cross_entropy(model(ids[:, :-1]), ids[:, -1])
        optimiser.clear()
        loss.backward()
        optimiser.step(warm_cosine(step, params.steps, peak, warmup=_WARMUP, floor=0))
    with torch.no_grad():
        ids = torch.from_numpy(text.held_out(_HELD, CONTEXT + 1))
        return model.size(), nnf.cross_entropy(model(ids[:, :-1]), ids[:, -1]).item()


def ngram_loss(text: TokenText, n: int) -> float:
    """The baseline that is only counted: letter n-grams with add-one, on the same held-out places."""
    size = len(text.bpe.tokens)
    place = size ** np.arange(n, dtype=np.int64)[::-1]

    def codes(stretches: I64) -> I64:
        return stretches[:, -n:] @ place

    windows = np.lib.stride_tricks.sliding_window_view(text.train, n)
    counts = np.bincount(codes(windows), minlength=size**n).reshape(-1, size) + 1.0
    chance = (counts / counts.sum(axis=1, keepdims=True)).ravel()
    return float(-np.log(chance[codes(text.held_out(_HELD, CONTEXT + 1))]).mean())


# %% [markdown]
# ## 2. The forecasts


class Forecasts(NamedTuple):
    """What the rungs below say about the loss of the largest model, in nats."""

    line: float
    floor: float
    naive: float

    def errors(self, actual: float) -> Forecasts:
        """Relative errors; below 0 is too hopeful."""
        return Forecasts(*(each / actual - 1 for each in self))


@dataclass(frozen=True)
class Ladder:
    """The models trained so far: N and loss of each, the smallest first."""

    sizes: F64
    losses: F64

    @property
    def line(self) -> PowerLaw:
        return fit_line(self.sizes, self.losses)

    @property
    def curve(self) -> PowerLaw:
        return fit_with_floor(self.sizes, self.losses)

    def forecast(self, size: float) -> Forecasts:
        """By the straight line, by the line with a floor, and "the same as the last"."""
        return Forecasts(self.line(size), self.curve(size), float(self.losses[-1]))

    def exponents(self) -> tuple[float, float]:
        """The lowest and highest exponent that fit the points about as well as the best."""
        found = [law.exponent for law in plausible(floors(self.sizes, self.losses))]
        return min(found), max(found)


# %% [markdown]
# ## 3. The run

BIGGER = ("yes", "no")
FORECASTS = ("straight line", "with a floor", "same as the last")
LINE_ERRS = ("too hopeful by over 0.3 %", "within 0.3 %", "too gloomy by over 0.3 %")
_RIGHT = 0.003


def run(params: ScalingParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns the calculator for budgets."""
    torch.set_num_threads(lab.threads)
    try:
        return (yield from _lesson(params, lab))
    except DataFault as fault:
        yield Failed(fault.message, fault.hint)
        return None


def _lesson(params: ScalingParams, lab: Lab) -> Steps[Explorer]:
    yield Stage("load", "text as letters")
    corpus = yield from own(lab, params.corpus) if params.corpus else wikipedia(lab)
    bytes_seen = {byte for word in corpus.words for byte in word.encode()}
    text = tokenise(corpus, len(bytes_seen) + 2, every_byte=False)
    levels = {"uniform: ln V": log(len(text.bpe.tokens))}
    levels |= {f"letter {n}-grams, counted": ngram_loss(text, n) for n in (2, 3)}
    yield Note(
        f"{corpus.name}: {len(text.train):,} letters to train on; each model takes {params.steps} "
        f"steps of {BATCH} letters, D = {params.steps * BATCH:,}, and is scored on the same "
        f"{_HELD:,} held-out places. Uniform guessing costs {levels['uniform: ln V']:.3f} nats a "
        f"letter; the best possible is not known for real text."
    )
    ladder = yield from _climb(params, text, levels)
    largest = Rung(len(text.bpe.tokens), WIDTHS[-1], torch.Generator()).size()
    forecast = yield from _register(ladder, largest)
    yield Stage("largest", "the forecast is on record; now train the model it is about")
    _, actual = train_rung(text, WIDTHS[-1], params)
    yield _plot(ladder, levels, largest, actual)
    yield from _verdict(params, ladder, forecast, actual, levels)
    yield from _two_variables(lab)
    yield _finding(ladder, forecast, actual)
    return BudgetExplorer(ladder.curve)


def _climb(params: ScalingParams, text: TokenText, levels: dict[str, float]) -> Steps[Ladder]:
    yield Stage("ladder", f"{len(WIDTHS) - 1} sizes, the same text in the same order")
    sizes: list[float] = []
    losses: list[float] = []
    rows: list[list[Cell]] = []
    for number, width in enumerate(WIDTHS[:-1], start=1):
        size, loss = train_rung(text, width, params)
        sizes.append(size)
        losses.append(loss)
        rate = learning_rate(params, width)
        flops = training_flops(size, params.steps * BATCH)
        rows.append([width, size, round(rate, 4), f"{flops:.1e}", round(loss, 4)])
        yield Progress(number, len(WIDTHS) - 1, "model", f"loss {loss:.3f}")
        columns = ["width", "N", "learning rate", "C = 6ND", "held-out loss"]
        yield Table("ladder", "The ladder", columns, rows, "loss in nats a letter")
        if number > 2:
            yield _plot(Ladder(np.array(sizes), np.array(losses)), levels)
    return Ladder(np.array(sizes), np.array(losses))


def _plot(
    ladder: Ladder, levels: dict[str, float], largest: float = 0.0, actual: float = 0.0
) -> Series:
    """Loss against log10 N, with both forecasts once there is something to forecast."""
    lines = [Line("trained", np.log10(ladder.sizes).tolist(), ladder.losses.tolist())]
    if largest:
        along = np.logspace(np.log10(ladder.sizes[0]), np.log10(largest), 40)
        for name, law in (("straight line", ladder.line), ("with a floor", ladder.curve)):
            lines.append(Line(name, np.log10(along).tolist(), [law(n) for n in along]))
        lines.append(Line("the largest, measured", [float(np.log10(largest))], [actual]))
    shown = {name: level for name, level in levels.items() if level < ladder.losses.max() * 1.1}
    return Series("ladder-plot", "Loss against size", lines, "log10 N", "nats a letter", shown)


def _register(ladder: Ladder, largest: int) -> Steps[Forecasts]:
    """Ask the user and the fits for the loss of a model that nobody has trained yet."""
    times = largest / ladder.sizes[-1]
    yield Prediction(
        "largest-loss",
        f"The largest model will have N = {largest:,}, {times:.1f} times the last one. "
        f"The last two losses were {ladder.losses[-2]:.3f} and {ladder.losses[-1]:.3f}. "
        "What will its loss be?",
        unit="nats a letter",
    )
    yield Prediction(
        "line-errs",
        "A straight line through the points on log-log axes forecasts it as well. By how much "
        "will that forecast be off?",
        LINE_ERRS,
    )
    yield Prediction("bigger-better", "Will the largest model be the best of all?", BIGGER)
    forecast, line, curve = ladder.forecast(largest), ladder.line, ladder.curve
    low, high = ladder.exponents()
    rows: list[list[Cell]] = [
        [FORECASTS[0], round(forecast.line, 4), round(line.exponent, 3), 0.0],
        [FORECASTS[1], round(forecast.floor, 4), round(curve.exponent, 3), round(curve.floor, 2)],
        [FORECASTS[2], round(forecast.naive, 4), None, None],
    ]
    columns = ["forecast", "loss", "exponent", "floor"]
    note = f"exponents from {low:.2f} to {high:.2f} fit about equally well, each with its own floor"
    yield Table("forecasts", f"On record, for N = {largest:,}", columns, rows, note)
    return forecast


def _verdict(
    params: ScalingParams,
    ladder: Ladder,
    forecast: Forecasts,
    actual: float,
    levels: dict[str, float],
) -> Iterator[Event]:
    line, floor, naive = forecast.errors(actual)
    rows: list[list[Cell]] = [
        [name, round(value, 4), f"{error:+.2%}"]
        for name, value, error in zip(FORECASTS, forecast, forecast.errors(actual), strict=True)
    ]
    yield Table("verdict", f"Measured: {actual:.4f}", ["forecast", "loss", "error"], rows)
    yield Outcome("largest-loss", round(actual, 4), f"It is {actual:.4f}.")
    place = 0 if line < -_RIGHT else 2 if line > _RIGHT else 1
    yield Outcome("line-errs", LINE_ERRS[place], f"The straight line is off by {line:+.2%}.")
    best = actual < ladder.losses.min()
    text = "It is." if best else f"No: width {WIDTHS[int(ladder.losses.argmin())]} is better."
    yield Outcome("bigger-better", BIGGER[0 if best else 1], text)
    if not params.is_recipe:
        return
    text = "the line with a floor forecasts the largest model (relative error)"
    yield claim("floor-forecast", text, abs(floor), "<=", 0.015)
    text = "its error as a share of that of 'same as the last'"
    yield claim("against-naive", text, abs(floor) / abs(naive), "<=", 1)
    text = "even the straight line forecasts the largest model (relative error)"
    yield claim("line-forecast", text, abs(line), "<=", 0.025)
    text = "loss is a straight line on log-log axes: its forecast isn't too hopeful (error)"
    yield claim("straight-line", text, line, ">=", -_RIGHT, expect="refuted")
    low, high = ladder.exponents()
    text = "the ladder tells the exponent (highest over lowest that fit about equally well)"
    yield claim("exponent-known", text, high / max(low, 1e-9), "<=", 1.1, expect="refuted")
    bigram = levels["letter 2-grams, counted"]
    text = "the smallest model is better than counted letter pairs (nats a letter)"
    yield claim("beats-bigram", text, bigram - float(ladder.losses[0]), ">", 0)


def _two_variables(lab: Lab) -> Iterator[Event]:
    """Planted laws: do the fits find them, and what does a budget buy?"""
    yield Stage("two variables", "plant a law of N and D, fit it, and spend a budget")
    exact = relative_errors(fit_chinchilla(*planted_runs(PUBLISHED, 0, lab.rng(1))), PUBLISHED)
    text = "Chinchilla's five numbers are found again from exact runs (largest relative error)"
    yield claim("planted-chinchilla", text, exact.max(), "<=", 1e-4)
    error = relative_errors(fit_kaplan(*planted_runs(KAPLAN, 0, lab.rng(2))), KAPLAN)
    text = "Kaplan's four numbers are found again from exact runs (largest relative error)"
    yield claim("planted-kaplan", text, error.max(), "<=", 1e-4)
    noisy = fit_chinchilla(*planted_runs(PUBLISHED, 0.005, lab.rng(3)))
    rows: list[list[Cell]] = [
        [name, round(getattr(PUBLISHED, name), 3), round(getattr(noisy, name), 3)]
        for name in ("E", "A", "B", "alpha", "beta")
    ]
    columns = ["number", "planted", "found with 0.5 % noise in L"]
    yield Table("planted", "48 planted runs", columns, rows, "noise moves A and B most")
    budget = 5.88e23
    closed, tried = PUBLISHED.optimum(budget), optimum_by_search(PUBLISHED, budget)
    text = "the closed-form optimum is what trying 200,000 sizes finds (relative difference of N)"
    yield claim("optimum-by-search", text, abs(closed[0] / tried[0] - 1), "<=", 1e-3)
    text = "the published parametric fit asks for about 20 tokens a parameter (at Chinchilla's C)"
    ratio = closed[1] / closed[0]
    yield claim("twenty-tokens", text, ratio, "<=", 40, unit="tokens", expect="refuted")
    yield optimum_table()


def _finding(ladder: Ladder, forecast: Forecasts, actual: float) -> Finding:
    line, floor, naive = forecast.errors(actual)
    low, high = ladder.exponents()
    said = (
        f"Seven small models forecast the eighth: off by {floor:+.1%} with a floor, by {line:+.1%} "
        f"with a straight line, by {naive:+.1%} if one repeats the last. "
    )
    if actual >= ladder.losses.min():
        return Finding(
            f"{said}And the largest isn't the best: this is no law of size but an untuned "
            "recipe. Tune learning rate and length at each size before fitting anything."
        )
    return Finding(
        f"{said}The law itself isn't known: exponents from {low:.2f} to {high:.2f} fit these "
        "points about equally well, so don't extrapolate far."
    )


if __name__ == "__main__":
    main(SCALING)
