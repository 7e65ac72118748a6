"""Fine-tuning four ways: probe, LoRA, everything, and from scratch. What is learnt, what is lost.

A pretrained model and a few labels of a new task. One can train a linear layer on its frozen
vectors (probe), small additions to its matrices (LoRA: Hu et al. 2021, arXiv:2106.09685), all of
it, or leave it and start from random weights. Two cases, because the answer differs:

1. MiniLM, which has read a great deal, learns to sort names of emoji by category from eight
   labels each. Here pre-training is nearly everything.
2. A network that knows upright digits gets digits turned by 90 degrees. Here what it knows is in
   the way: starting from scratch wins, and this row is the one that is usually left out.

For each method: accuracy on the new task, what is left of the old skill, how many numbers are
trained and what that costs in memory. LoRA forgets least and can be taken off again.

    python -m demos.foundation.finetune --rank 16 --shots 30
    python -m demos.foundation.finetune --explore      then: a red sports car
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import msgspec
import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from demos.foundation.finetune_models import DigitNet, Lora, TunableMiniLM, Weights
from demos.foundation.finetune_tasks import (
    CLASSES,
    Names,
    WordPairs,
    load_digits,
    load_names,
    majority,
    nearest_name,
)
from demos.foundation.specs import FINETUNE, FinetuneParams
from demos.kit.adamw import AdamW
from demos.kit.data import DataFault
from demos.kit.minilm import WIDTH
from demos.kit.plots import Curves
from studytool.demo.events import (
    Cell,
    Event,
    Failed,
    Finding,
    Note,
    Outcome,
    Prediction,
    Progress,
    Stage,
    Table,
    claim,
)
from studytool.demo.spec import Explorer, Lab, main

R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

METHODS = ("probe", "LoRA", "full", "from scratch")

# %% [markdown]
# ## 1. What each method trains, and what that costs


def lora_numbers(shapes: list[tuple[int, int]], rank: int) -> int:
    """Trainable numbers of LoRA: r · (in + out) for each matrix (out, in)."""
    return sum(rank * (out + inward) for out, inward in shapes)


def training_memory(weights: int, trained: int) -> float:
    """Megabytes of float32 for the weights, and for the trained ones a gradient and AdamW's two
    moments. Activations come on top and are much alike for LoRA and full."""
    return 4 * (weights + 3 * trained) / 1e6


# %% [markdown]
# ## 2. One training loop for all
# The same batches, steps and schedule; the method only decides which tensors are in `trained`.


def tune(
    logits: Callable[[np.ndarray], Tensor],
    labels: Tensor,
    trained: list[tuple[list[Tensor], float]],
    steps: int,
    batch: int,
    rng: np.random.Generator,
) -> Iterator[float]:
    """Cross-entropy on random batches of row numbers; yields the loss of each step.

    `trained` are groups of tensors, each with its peak learning rate, falling linearly to 0.
    """
    groups = [(AdamW(tensors, decay=0.01), rate) for tensors, rate in trained]
    for step in range(steps):
        rows = rng.choice(len(labels), min(batch, len(labels)), replace=False)
        loss = nnf.cross_entropy(logits(rows), labels[torch.from_numpy(rows)])
        for optimiser, _ in groups:
            optimiser.clear()
        loss.backward()
        for optimiser, rate in groups:
            optimiser.step(rate * min(1.0, (step + 1) / 4) * (1 - step / steps))
        yield loss.item()


@dataclass(frozen=True)
class Row:
    """What came of one method: accuracy on the new task, what is left of the old skill."""

    method: str
    new: float
    old: float
    trained: int
    weights: int

    def cells(self) -> list[Cell]:
        memory = training_memory(self.weights, self.trained)
        return [self.method, round(self.new, 3), round(self.old, 3), self.trained, round(memory, 1)]


# %% [markdown]
# ## 3. Digits: when pre-training is in the way

_PRETRAIN_STEPS, _DIGIT_STEPS, _DIGIT_BATCH = 250, 200, 32
_DIGIT_RATE = 3e-3


@dataclass(frozen=True)
class DigitResult:
    """The rows of the digits case, the old skill before, and the checks of LoRA."""

    rows: dict[str, Row]
    before: float
    identity: float
    merge: float
    removal: float


def digit_case(params: FinetuneParams, lab: Lab) -> Steps[DigitResult]:
    yield Stage("digits", f"a network that knows upright digits meets digits turned {params.turn}°")
    data = load_digits(lab.rng(1), params.shots, int(params.turn) // 90)
    base = DigitNet(params.seed)
    every = [weight.requires_grad_() for weight in base.weights.values()]
    fit(base, data.old, [(every, _DIGIT_RATE)], _PRETRAIN_STEPS, lab.rng(2))
    base.weights = {name: weight.detach() for name, weight in base.weights.items()}
    before = _right(base, data.old_test)
    yield Note(
        f"before: {before:.3f} of upright digits, {_right(base, data.new_test):.3f} of turned ones; "
        f"{len(data.new[1])} labels to learn from; chance 0.1"
    )
    rows, checks = {}, (0.0, 0.0, 0.0)
    for method in METHODS:
        net, trained = _digit_start(base, method, params)
        first = net.logits(data.new_test[0]).detach()
        groups = [(trained, _DIGIT_RATE)]
        loss = fit(net, data.new, groups, _DIGIT_STEPS, lab.rng(3))
        rows[method] = Row(
            method,
            _right(net, data.new_test),
            _right(net, data.old_test),
            sum(each.numel() for each in trained),
            sum(each.numel() for each in net.weights.values()),
        )
        if method == "LoRA":
            checks = lora_checks(base, net, first, data.new_test[0])
        yield Progress(len(rows), len(METHODS), "method", f"{method}: loss {loss:.3f}")
        yield _table("digits", f"Digits turned by {params.turn}°", list(rows.values()), [
            ["before", round(_right(base, data.new_test), 3), round(before, 3), 0, None]
        ], "accuracy on turned and on upright digits")  # fmt: skip
    return DigitResult(rows, before, *checks)


def fit(
    net: DigitNet,
    data: tuple[Tensor, Tensor],
    trained: list[tuple[list[Tensor], float]],
    steps: int,
    rng: np.random.Generator,
) -> float:
    """Tune a digit network on pixels and labels; returns the loss of the last step."""
    pixels, labels = data

    def logits(rows: np.ndarray) -> Tensor:
        return net.logits(pixels[torch.from_numpy(rows)])

    return list(tune(logits, labels, trained, steps, _DIGIT_BATCH, rng))[-1]


def _digit_start(
    base: DigitNet, method: str, params: FinetuneParams
) -> tuple[DigitNet, list[Tensor]]:
    """The network of a method before tuning, and which of its tensors are trained."""
    net = DigitNet(params.seed + 1) if method == "from scratch" else base.copy()
    if method == "LoRA":
        return net, net.adapt(Lora(params.rank, params.alpha, params.seed))
    names = [name for name in net.weights if method != "probe" or name.startswith(net.last)]
    return net, [net.weights[name].requires_grad_() for name in names]


@torch.no_grad()
def _right(net: DigitNet, data: tuple[Tensor, Tensor]) -> float:
    return (net.logits(data[0]).argmax(1) == data[1]).float().mean().item()


@torch.no_grad()
def lora_checks(
    base: DigitNet, tuned: DigitNet, first: Tensor, pixels: Tensor
) -> tuple[float, float, float]:
    """How far LoRA's start is from the base model; merged from added; the rest without it from
    the base."""
    lora = tuned.lora
    if lora is None:
        raise ValueError("the tuned network has no LoRA to check")
    merged = tuned.copy()
    for name in lora.up:
        merged.weights[f"{name}.weight"] = lora.merged(name, tuned.weights[f"{name}.weight"])
    added, plain = tuned.logits(pixels), base.logits(pixels)
    together = (added - merged.logits(pixels)).abs().max() / added.abs().max()
    without = (tuned.copy().logits(pixels) - plain).abs().max()
    return (first - plain).abs().max().item(), together.item(), without.item()


# %% [markdown]
# ## 4. Text: when pre-training is nearly everything

_HEAD_RATE = 5e-3
_TEXT_RATES = {"LoRA": 5e-3, "full": 1e-4, "from scratch": 1e-3}
_TEXT_BATCH, _TESTED, _PROBE_STEPS = 32, 240, 60


@dataclass
class TextCase:
    """MiniLM, its weights as they came, the names, and the word pairs of its old skill."""

    params: FinetuneParams
    lab: Lab
    model: TunableMiniLM
    base: Weights
    train: Names
    test: Names
    pairs: WordPairs

    @torch.no_grad()
    def measure(self, method: str, trained: int) -> Row:
        guess = self.model.logits(self.test.texts).argmax(1)
        right = (guess == self.test.labels).float().mean().item()
        old = self.pairs.agreement(self.model.vectors(self.pairs.words))
        weights = sum(each.numel() for each in self.base.values()) + self.model.head.numel()
        return Row(method, right, old, trained, weights)

    def prepare(self, method: str) -> list[tuple[list[Tensor], float]]:
        """Set the model to a method's start; returns what is trained at which rate."""
        self.model.replace(self.base)
        if method == "from scratch":
            self.model.randomise(self.params.seed)
        self.model.head = torch.zeros(len(CLASSES), WIDTH, requires_grad=True)
        self.model.bias = torch.zeros(len(CLASSES), requires_grad=True)
        groups = [([self.model.head, self.model.bias], _HEAD_RATE)]
        if method == "LoRA":
            lora = Lora(self.params.rank, self.params.alpha, self.params.seed)
            groups.append((self.model.adapt(lora), _TEXT_RATES[method]))
        elif method != "probe":
            groups.append((self.model.unfreeze(), _TEXT_RATES[method]))
        return groups

    def losses(self, method: str, groups: list[tuple[list[Tensor], float]]) -> Iterator[float]:
        """Train; a probe's vectors never change, so they are computed once."""
        train, model = self.train, self.model
        if method == "probe":
            with torch.no_grad():
                fixed = WIDTH**0.5 * model.vectors(train.texts)
            yield from tune(
                lambda rows: nnf.linear(fixed[torch.from_numpy(rows)], model.head, model.bias),
                train.labels,
                groups,
                _PROBE_STEPS,
                _TEXT_BATCH,
                self.lab.rng(6),
            )
            return
        yield from tune(
            lambda rows: model.logits([train.texts[int(i)] for i in rows]),
            train.labels,
            groups,
            self.params.steps,
            _TEXT_BATCH,
            self.lab.rng(6),
        )


def text_case(params: FinetuneParams, lab: Lab) -> Steps[tuple[TextCase, dict[str, Row], float]]:
    yield Stage("text", f"MiniLM learns {len(CLASSES)} categories, {params.labels} names each")
    train, test = load_names(lab.rng(5), params.labels, _TESTED)
    model = TunableMiniLM(len(CLASSES))
    case = TextCase(params, lab, model, dict(model.weights), train, test, WordPairs())
    before = case.measure("before", 0).old
    yield Note(
        f"old skill: agreement with people on {len(case.pairs.pairs)} word pairs, rho {before:.3f}; "
        f"{len(train.texts)} names to learn from, such as: {'; '.join(train.texts[:5])}"
    )
    guessing: list[list[Cell]] = [
        ["always the most frequent class", round(majority(test.labels), 3), None, 0, None],
        ["nearest name by its letters", round(nearest_name(train, test), 3), None, 0, None],
    ]
    curves, rows = Curves("text-loss", "Training loss by method", "step", "nats"), {}
    kept: dict[str, tuple[Tensor, Tensor]] = {}
    for method in (*METHODS[:1], *METHODS[2:], METHODS[1]):  # LoRA last: it stays for explore
        groups = case.prepare(method)
        total = _PROBE_STEPS if method == "probe" else params.steps
        for step, loss in enumerate(case.losses(method, groups), start=1):
            yield Progress(step, total, note=f"{method}: loss {loss:.2f}")
            if method != "probe":
                curves.add(method, step, loss)
        rows[method] = case.measure(method, sum(t.numel() for ts, _ in groups for t in ts))
        kept[method] = (case.model.head.detach(), case.model.bias.detach())
        shown = [rows[each] for each in METHODS if each in rows]
        yield curves.series()
        note = "new: accuracy on other names; old: rho on word pairs"
        yield _table("text", "Names of emoji by category", shown, guessing, note)
    return case, rows, before


def _table(id: str, title: str, rows: list[Row], first: list[list[Cell]], note: str) -> Table:
    columns = ["method", "new task", "old skill", "numbers trained", "memory, MB"]
    return Table(id, title, columns, [*first, *(row.cells() for row in rows)], note)


# %% [markdown]
# ## 5. The run


class NameExplorer:
    """Says which category the LoRA-tuned model gives a typed name, and which the probe-less one."""

    def __init__(self, case: TextCase) -> None:
        self.case = case

    @torch.no_grad()
    def explore(self, request: str) -> Iterator[Event]:
        """A short text: its categories, and the nearest names that were trained on."""
        text = request.strip().lower()
        if not any(letter.isalnum() for letter in text):
            yield Note("type a short name, such as: a red sports car")
            return
        model = self.case.model
        p = model.logits([text[:300]])[0].softmax(0)
        rows: list[list[Cell]] = [
            [CLASSES[i], round(p[i].item(), 3)] for i in p.argsort(descending=True).tolist()
        ]
        yield Table("explore", f"“{text[:60]}”, by the LoRA-tuned model", ["category", "p"], rows)
        train = self.case.train
        near = (model.vectors(train.texts) @ model.vectors([text[:300]])[0]).argsort(
            descending=True
        )
        found: list[list[Cell]] = [
            [train.texts[i], CLASSES[int(train.labels[i])]] for i in near[:5].tolist()
        ]
        yield Table("explore-near", "Nearest names it was trained on", ["name", "category"], found)


def run(params: FinetuneParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what sorts the user's names."""
    torch.set_num_threads(lab.threads)
    yield from _questions(params)
    try:
        digits = yield from digit_case(params, lab)
        case, rows, before = yield from text_case(params, lab)
    except DataFault as fault:
        yield Failed(fault.message, fault.hint)
        return None
    yield from _verdict(params, digits, rows, before)
    return NameExplorer(case)


def _questions(params: FinetuneParams) -> Iterator[Event]:
    yield Prediction(
        "digits-best",
        f"A network knows upright digits; {params.shots} labels per class of digits turned by "
        f"{params.turn}°. Which way of training is best on them?",
        METHODS,
    )
    yield Prediction(
        "text-scratch",
        f"MiniLM's architecture from random weights, {params.labels} names per category, "
        f"{len(CLASSES)} categories: which accuracy on other names?",
        unit="share",
    )
    yield Prediction("forgets-least", "Of those that change the encoder, which keeps most of its "
                     "agreement with people on word pairs?", METHODS[1:])  # fmt: skip


def _verdict(
    params: FinetuneParams, digits: DigitResult, text: dict[str, Row], before: float
) -> Iterator[Event]:
    turned = digits.rows
    best = max(METHODS, key=lambda method: turned[method].new)
    yield Outcome("digits-best", best, f"{best}, with {turned[best].new:.3f}.")
    scratch = text["from scratch"].new
    yield Outcome(
        "text-scratch", scratch, f"{scratch:.3f}; the probe reaches {text['probe'].new:.3f}."
    )
    keeps = max(METHODS[1:], key=lambda method: text[method].old)
    yield Outcome(
        "forgets-least", keeps, f"{keeps}: rho {text[keeps].old:.3f}, before {before:.3f}."
    )
    yield from _lora_claims(digits)
    if msgspec.structs.replace(params, seed=0) == FinetuneParams():
        yield from _claims(digits, text, before)
    else:
        yield Note("the bars are for the default settings; these figures stand alone")
    share = text["LoRA"].trained / text["full"].trained
    yield Finding(
        f"With {params.labels} labels a class MiniLM sorts names {text['full'].new:.2f} right when "
        f"all of it is tuned, {text['LoRA'].new:.2f} with LoRA, which trains {share:.1%} of the "
        f"numbers, {text['probe'].new:.2f} with a probe, and {scratch:.2f} from scratch. On digits "
        f"turned by {params.turn}° full tuning reaches {turned['full'].new:.2f} and scratch "
        f"{turned['from scratch'].new:.2f}. LoRA keeps {turned['LoRA'].old:.2f} of the upright "
        f"digits, full tuning {turned['full'].old:.2f}."
    )


def _lora_claims(digits: DigitResult) -> Iterator[Event]:
    text = "at the start LoRA changes nothing, since B = 0 (largest change of a logit)"
    yield claim("lora-identity", text, digits.identity, "==", 0)
    text = "W + (α/r) B A in one matrix does the same (largest relative difference)"
    yield claim("lora-merge", text, digits.merge, "<=", 1e-5)
    text = "taken off again, the model is as it was (largest change of a logit)"
    yield claim("lora-removal", text, digits.removal, "==", 0)


def _claims(digits: DigitResult, text: dict[str, Row], before: float) -> Iterator[Event]:
    turned = digits.rows
    ahead = turned["full"].new - turned["from scratch"].new
    said = "pre-training helps: full tuning beats scratch on turned digits (difference)"
    yield claim("pretraining-always-helps", said, ahead, ">=", 0, expect="refuted")
    gain = turned["LoRA"].old - max(turned["full"].old, turned["probe"].old)
    said = "LoRA forgets least of the upright digits (lead over full and probe)"
    yield claim("lora-forgets-least", said, gain, ">=", 0.05)
    lag = turned["full"].new - turned["LoRA"].new
    said = "and it learns less of the turned ones than full tuning (difference)"
    yield claim("lora-learns-less", said, lag, ">=", 0.02)
    lead = text["probe"].new - text["from scratch"].new
    said = "on text even a probe beats scratch (difference in accuracy)"
    yield claim("text-pretraining", said, lead, ">=", 0.15)
    kept = text["LoRA"].old - before
    said = "LoRA's encoder keeps its agreement with people on word pairs (change of rho)"
    yield claim("text-kept", said, kept, ">=", -0.1, unit="rho")
    share = text["LoRA"].trained / text["full"].trained
    yield claim("lora-share", "LoRA trains a hundredth of the numbers or less", share, "<=", 0.01)


if __name__ == "__main__":
    main(FINETUNE)
