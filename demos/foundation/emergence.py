"""Emergence: the same models, two metrics, and one of them jumps.

An ability is called emergent when small models lack it and large ones have it, so that nobody
could have foreseen it (Wei et al. 2022, arXiv:2206.07682). Schaeffer et al. 2023
(arXiv:2304.15004) answer: look at the metric. An answer of k digits counts as right only when all
k are right; if each digit is right with probability p, the whole is right with about p^k. Let p
rise gently from 0.6 to 0.99 and p^16 goes from nothing to nearly everything.

Here eleven networks of growing size learn to add two numbers of eight digits, a column at a time
from the right. Each is then scored in three ways on the same answers: by exact match, digit by
digit, and by the likelihood it gave to the right digits.

The critique explains the cliff, and this demo shows how well. It does not explain everything:
digit accuracy is itself S-shaped in log N here; only the log-likelihood is smooth. And to the
person who needs the sum, the cliff is real.

    python -m demos.foundation.emergence --digits 4
    python -m demos.foundation.emergence --explore          then: 99999999 + 1   or   12 digits
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import TypeAlias, TypeVar

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor, nn

from demos.foundation.specs import EMERGENCE, EmergenceParams
from demos.kit.adamw import AdamW
from demos.kit.schedule import warm_cosine
from studytool.demo.events import (
    Cell,
    Event,
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
from studytool.demo.spec import Lab, main

I64: TypeAlias = NDArray[np.int64]
R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

#: Hidden units of the eleven networks.
WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
_BATCH, _TESTED, _WARMUP = 128, 1500, 20
_CHUNK = 500

# %% [markdown]
# ## 1. The task
# Sums are written with the last digit first, as one adds on paper, so that a carry travels in the
# direction of reading. A sum of two k-digit numbers is asked for in k + 1 digits.


def columns(numbers: Sequence[int], digits: int) -> list[list[int]]:
    """Each number's digits, the last one first, padded with zeros to `digits`."""
    return [[n // 10**place % 10 for place in range(digits)] for n in numbers]


def sums(rng: np.random.Generator, rows: int, digits: int) -> tuple[I64, I64]:
    """Columns (rows, digits + 1, 2) of two numbers, and the digits of their sum (rows, digits + 1).

    Column by column with a carry, so any number of digits will do. The first column of a row is
    the last digit; the highest column of both numbers is 0.
    """
    pairs = rng.integers(0, 10, (rows, digits + 1, 2))
    pairs[:, -1] = 0
    return pairs, add(pairs)


def add(pairs: I64) -> I64:
    """School addition of columns (rows, digits, 2), the last digit first."""
    answer, carry = np.zeros(pairs.shape[:2], np.int64), np.zeros(len(pairs), np.int64)
    for place in range(pairs.shape[1]):
        total = pairs[:, place].sum(axis=1) + carry
        answer[:, place], carry = total % 10, total // 10
    return answer


# %% [markdown]
# ## 2. The networks: one GRU, eleven widths


class Adder(nn.Module):
    """A GRU (Cho et al. 2014, arXiv:1406.1078) over columns of two digits, one-hot."""

    def __init__(self, width: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.gru = nn.GRU(20, width, batch_first=True)
        self.output = nn.Linear(width, 10)

    def forward(self, pairs: Tensor) -> Tensor:
        """Logits of the ten digits, (rows, columns, 10), for pairs (rows, columns, 2) int64."""
        hot = nnf.one_hot(pairs, 10).flatten(2).float()
        states, _ = self.gru(hot)
        return self.output(states)

    def size(self) -> int:
        """How many parameters it has."""
        return sum(each.numel() for each in self.parameters())


def train(model: Adder, params: EmergenceParams, rng: np.random.Generator) -> None:
    """In place, on fresh sums at every step: nothing can be learnt by heart."""
    optimiser = AdamW(model.parameters(), decay=0.0, betas=(0.9, 0.99))
    for step in range(params.steps):
        pairs, answer = map(torch.from_numpy, sums(rng, _BATCH, params.digits))
        loss = nnf.cross_entropy(model(pairs).flatten(0, 1), answer.flatten())
        optimiser.clear()
        loss.backward()
        optimiser.step(warm_cosine(step, params.steps, params.lr, warmup=_WARMUP))


# %% [markdown]
# ## 3. Three metrics on the same answers


@dataclass(frozen=True, slots=True)
class Score:
    """One network on sums of one length. `places` is what one answer has of digits."""

    places: int
    exact: float
    digit: float
    loss: float

    @property
    def product(self) -> float:
        """p^k: how often all would be right, were digits right or wrong independently."""
        return self.digit**self.places

    @property
    def gap(self) -> float:
        """How far p^k is from the exact matches."""
        return abs(self.exact - self.product)


def score_of(right: NDArray[np.bool_], surprise: NDArray[np.float64]) -> Score:
    """Scores from which digits were right, and -ln p of the right digits, both (rows, places)."""
    return Score(
        right.shape[1],
        float(right.all(axis=1).mean()),
        float(right.mean()),
        float(surprise.mean()),
    )


def answers(model: Adder, pairs: I64) -> tuple[I64, NDArray[np.float64]]:
    """The digits it would write, and the log-probabilities of all digits at each place."""
    with torch.no_grad():
        parts = [
            model(torch.from_numpy(pairs[at : at + _CHUNK])) for at in range(0, len(pairs), _CHUNK)
        ]
        logs = torch.cat(parts).log_softmax(dim=-1).double().numpy()
    return logs.argmax(axis=-1), logs


def test(model: Adder, digits: int, rng: np.random.Generator) -> Score:
    """Scores on fresh sums of `digits` digits, also longer ones than in training."""
    pairs, truth = sums(rng, _TESTED, digits)
    written, logs = answers(model, pairs)
    surprise = -np.take_along_axis(logs, truth[..., None], axis=-1)[..., 0]
    return score_of(written == truth, surprise)


# %% [markdown]
# ## 4. The run

EXPLAINED = ("within 0.04 at every size", "off by more than 0.04 somewhere")
SMOOTH = ("a straight ramp in log N", "S-shaped too")


def run(params: EmergenceParams, lab: Lab) -> Steps[AdditionExplorer]:
    """Yields the lesson; returns the networks, to be asked for sums."""
    torch.set_num_threads(lab.threads)
    lengths = sorted({params.digits // 2, params.digits, 2 * params.digits})
    yield from _questions(params, lengths)
    yield Stage("train", f"{len(WIDTHS)} networks, {params.steps} steps of {_BATCH} sums each")
    models: list[Adder] = []
    scores: list[dict[int, Score]] = []
    for number, width in enumerate(WIDTHS, start=1):
        model = Adder(width, params.seed)
        train(model, params, lab.rng(1))
        models.append(model)
        scores.append({k: test(model, k, lab.rng(2)) for k in lengths})
        yield Progress(number, len(WIDTHS), "network", f"{model.size():,} parameters")
        if number > 1:
            yield from _plots(params, models, scores)
            yield _table(params, models, scores)
    yield Stage("judge", "the same answers by three metrics")
    yield from _cases(params, models, lab)
    yield from _outcomes(params, models, scores)
    yield from _claims(params, scores)
    yield _finding(params, models, scores)
    return AdditionExplorer(models, params.seed)


def _questions(params: EmergenceParams, lengths: list[int]) -> Iterator[Event]:
    k = params.digits
    yield Note(
        f"A digit guessed at random is right in 0.1 of cases, a sum of {k} digits in "
        f"10^-{k + 1}; the best possible is 1 and a loss of 0, and a carry is all it takes. "
        f"Trained on {k} digits, tested on {', '.join(map(str, lengths))}."
    )
    yield Prediction(
        "half-digits",
        f"A network gets 90 % of the digits right. In how many of 100 sums of {k} digits "
        f"({k + 1} in the answer) are all digits right?",
        unit="of 100",
    )
    yield Prediction(
        "explained", "How well will p^k give the exact matches, over all sizes?", EXPLAINED
    )
    yield Prediction(
        "digit-curve", "And accuracy by digit, against log N: what shape will it have?", SMOOTH
    )


def _plots(
    params: EmergenceParams, models: list[Adder], scores: list[dict[int, Score]]
) -> Iterator[Series]:
    x = [float(np.log10(model.size())) for model in models]
    k, long = params.digits, 2 * params.digits

    def line(name: str, length: int, metric: str) -> Line:
        return Line(name, x, [float(getattr(score[length], metric)) for score in scores])

    lines = [
        line(f"exact, {k} digits", k, "exact"),
        line(f"exact, {long} digits", long, "exact"),
        line(f"p^k, {long} digits", long, "product"),
        line("by digit", k, "digit"),
    ]
    chance = {"a digit by chance": 0.1}
    yield Series("accuracy", "Share right", lines, "log10 parameters", "share", chance)
    loss = [line(f"{k} digits", k, "loss")]
    yield Series(
        "loss", "The same answers by likelihood", loss, "log10 parameters", "nats a digit",
        {"uniform: ln 10": log(10), "the best": 0.0},
    )  # fmt: skip


def _table(params: EmergenceParams, models: list[Adder], scores: list[dict[int, Score]]) -> Table:
    k, long = params.digits, 2 * params.digits
    rows: list[list[Cell]] = [
        [
            model.size(),
            round(score[k].loss, 3),
            round(score[k].digit, 3),
            round(score[k].exact, 3),
            round(score[k].product, 3),
            round(score[long].exact, 3),
        ]
        for model, score in zip(models, scores, strict=True)
    ]
    columns_ = ["parameters", "loss", "by digit", f"exact {k}", f"p^{k + 1}", f"exact {long}"]
    return Table("sizes", "Eleven sizes, three metrics", columns_, rows, "loss in nats a digit")


def _cases(params: EmergenceParams, models: list[Adder], lab: Lab) -> Iterator[Event]:
    """One sum with a long chain of carries and two drawn ones, at three sizes."""
    hard = 10**params.digits - 1
    drawn = [int(n) for n in lab.rng(3).integers(0, hard + 1, 4)]
    for number, (a, b) in enumerate([(hard, 1), (drawn[0], drawn[1]), (drawn[2], drawn[3])]):
        rows = [_answer_row(model, a, b) for model in (models[4], models[7], models[-1])]
        table = ["parameters", "written", "digits right", "all right"]
        yield Table(f"case-{number}", f"{a} + {b} = {a + b}", table, rows)


def _answer_row(model: Adder, a: int, b: int) -> list[Cell]:
    places = max(len(str(a)), len(str(b))) + 1
    pairs = np.array(columns((a, b), places), np.int64).T[None]
    written = answers(model, pairs)[0][0]
    right = int((written == np.array(columns((a + b,), places)[0])).sum())
    text = "".join(str(digit) for digit in written[::-1])
    return [model.size(), text.lstrip("0") or "0", f"{right} of {places}", right == places]


def jump(values: Sequence[float]) -> float:
    """The largest rise between neighbouring sizes, as a share of the whole rise."""
    rises = np.diff(values)
    whole = max(values[-1] - values[0], 1e-9)
    return float(rises.max() / whole)


def _outcomes(
    params: EmergenceParams, models: list[Adder], scores: list[dict[int, Score]]
) -> Iterator[Event]:
    k = params.digits
    nearest = min(range(len(scores)), key=lambda i: abs(scores[i][k].digit - 0.9))
    found = scores[nearest][k]
    told = 100 * 0.9 ** (k + 1)
    yield Outcome(
        "half-digits",
        round(told, 1),
        f"0.9^{k + 1} is {told:.0f} in 100. The network nearest to that ({models[nearest].size():,} "
        f"parameters) has {found.digit:.0%} of digits and {found.exact:.0%} of sums right.",
    )
    gap = max(score.gap for each in scores for score in each.values())
    yield Outcome(
        "explained", EXPLAINED[0 if gap <= 0.04 else 1], f"The largest difference is {gap:.3f}."
    )
    share = jump([score[k].digit for score in scores])
    yield Outcome(
        "digit-curve",
        SMOOTH[1 if share > _RAMP else 0],
        f"One step of eleven sizes brings {share:.0%} of the whole rise; on a ramp it were 10 %.",
    )


#: On a ramp over ten steps each brings about a tenth of the whole rise.
_RAMP = 0.15


def _claims(params: EmergenceParams, scores: list[dict[int, Score]]) -> Iterator[Event]:
    if not params.is_recipe:
        return
    k, long = params.digits, 2 * params.digits
    gap = max(score.gap for each in scores for score in each.values())
    text = "p^k gives the share of exact answers (largest difference, all sizes and lengths)"
    yield claim("product", text, gap, "<=", 0.04)
    exact = [score[long].exact for score in scores]
    text = f"small networks get no sum of {long} digits right (share, up to 362 parameters)"
    yield claim("absent-small", text, max(exact[:4]), "<", 0.01)
    text = f"the largest network gets most sums of {long} digits right"
    yield claim("present-large", text, exact[-1], ">", 0.85)
    losses = [score[k].loss for score in scores]
    text = "yet the loss falls from each size to the next (largest rise, nats a digit)"
    yield claim("loss-falls", text, float(np.diff(losses).max()), "<", 0.05)
    text = "exact match rises faster than accuracy by digit (largest step, share of the whole rise)"
    sharper = jump(exact) - jump([score[k].digit for score in scores])
    yield claim("sharper", text, sharper, ">", 0)
    text = "the metric explains it all: by digit the rise is a ramp (its largest step)"
    steep = jump([score[k].digit for score in scores])
    yield claim("metric-is-all", text, steep, "<=", _RAMP, expect="refuted")


def _finding(
    params: EmergenceParams, models: list[Adder], scores: list[dict[int, Score]]
) -> Finding:
    k, long = params.digits, 2 * params.digits
    gap = max(score.gap for each in scores for score in each.values())
    exact = [score[long].exact for score in scores]
    steepest = int(np.argmax(np.diff(exact)))
    if exact[-1] < 0.1:
        return Finding(
            f"By exact match on {long} digits nothing has emerged: {exact[-1]:.0%} at the largest "
            f"size. By likelihood the sizes differ all the same: from {scores[0][k].loss:.2f} to "
            f"{scores[-1][k].loss:.2f} nats a digit."
        )
    return Finding(
        f"Exact match on {long} digits goes from {exact[steepest]:.0%} to {exact[steepest + 1]:.0%} "
        f"between {models[steepest].size():,} and {models[steepest + 1].size():,} parameters, while "
        f"the loss per digit only goes from {scores[steepest][k].loss:.2f} to "
        f"{scores[steepest + 1][k].loss:.2f}. p^k explains it to within {gap:.3f}. What it leaves: "
        "accuracy by digit is S-shaped too, and whoever needs the sum needs all of it."
    )


# %% [markdown]
# ## 5. Afterwards


@dataclass(frozen=True)
class AdditionExplorer:
    """Answers a sum at every size, or scores all sizes on another length."""

    models: list[Adder]
    seed: int

    def explore(self, request: str) -> Iterator[Event]:
        """`99999999 + 1`, or `12 digits`."""
        parts = [part.strip() for part in request.split("+")]
        if len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts):
            a, b = (int(part[:_LONGEST]) for part in parts)
            rows = [_answer_row(model, a, b) for model in self.models]
            table = ["parameters", "written", "digits right", "all right"]
            yield Table("explore", f"{a} + {b} = {a + b}", table, rows)
            return
        words = request.split()
        if len(words) == 2 and words[1].startswith("digit") and words[0].isdigit():
            yield self._length(min(max(int(words[0][:4]), 1), _LONGEST))
            return
        yield Note("type a sum such as 99999999 + 1, or a length such as: 12 digits")

    def _length(self, digits: int) -> Table:
        scores = [test(model, digits, np.random.default_rng(self.seed)) for model in self.models]
        rows: list[list[Cell]] = [
            [model.size(), round(s.digit, 3), round(s.exact, 3), round(s.product, 3)]
            for model, s in zip(self.models, scores, strict=True)
        ]
        table = ["parameters", "by digit", "exact", f"p^{digits + 1}"]
        return Table("explore", f"Sums of {digits} digits", table, rows)


_LONGEST = 40

if __name__ == "__main__":
    main(EMERGENCE)
