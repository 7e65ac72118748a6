"""Induction heads: a small circuit that copies, and the moment when it appears.

[A][B] … [A] → [B]: a model that has seen "A then B" once in its context says B after the next A.
No pair (A, B) is in the training set more often than any other, so nothing of it is in the
weights: it is learning inside the context, in its smallest form (Olsson et al. 2022,
*In-context Learning and Induction Heads*, arXiv:2209.11895).

It takes two layers. A head in the first looks at the token before and writes "I come after A"
into each place; a head in the second, standing at the new A, looks for that note and copies what
it finds there. Until both halves exist neither is of use, so nothing happens for a while, and
then all of it at once. Four things to watch:

1. The cliff in the accuracy on repeated tokens, and the score of the heads at that step.
2. One layer, same data: it learns which tokens are about, and no more.
3. Each head switched off: what looks at the token before carries everything, often one head.
4. With learned positions another circuit does the same (`--positions learned`).

    python -m demos.foundation.induction --layers 3
    python -m demos.foundation.induction --explore      then: off 0.1   or: a b c d a b
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple, TypeAlias, TypeVar

import msgspec
import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor

from demos.foundation.induction_explore import InductionExplorer, letters
from demos.foundation.specs import INDUCTION, InductionParams
from demos.kit.adamw import AdamW
from demos.kit.decoder import Decoder, DecoderConfig, Head
from demos.kit.plots import Curves
from studytool.demo.events import (
    Cell,
    Event,
    Failed,
    Finding,
    Line,
    Matrix,
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
from studytool.demo.spec import Explorer, Lab, main

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]
R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. The data
# Random tokens, a stretch of random length, the same stretch again, then noise. The length varies,
# so that "look so many places back" can't do it.

#: Tokens in a row, and the shortest and longest stretch that is repeated.
LENGTH, SHORTEST, LONGEST = 40, 8, 20


class Rows(NamedTuple):
    """Token numbers (rows, LENGTH); the length of each row's stretch."""

    ids: I64
    stretch: I64

    @property
    def scored(self) -> NDArray[np.bool_]:
        """The second copy without its first token, which nobody can know."""
        place = np.arange(LENGTH)
        start = self.stretch[:, None]
        return (place > start) & (place < 2 * start)


def draw_rows(rng: np.random.Generator, rows: int, tokens: int) -> Rows:
    """Rows with one repeated stretch each."""
    ids = rng.integers(0, tokens, (rows, LENGTH))
    stretch = rng.integers(SHORTEST, LONGEST + 1, rows)
    place, start = np.arange(LENGTH), stretch[:, None]
    second = (place >= start) & (place < 2 * start)
    return Rows(np.take_along_axis(ids, np.where(second, place - start, place), axis=1), stretch)


# %% [markdown]
# ## 2. What can be reached without learning
# Three lines for the plot: guess any token; guess one that was seen; and do by hand what the
# circuit does. The last isn't perfect: a token may stand twice in its stretch.


def seen_so_far(rows: Rows) -> float:
    """Accuracy of guessing one of the different tokens seen so far, all equally likely."""
    hits = []
    for row, place in np.argwhere(rows.scored):
        before = set(rows.ids[row, :place].tolist())
        hits.append((int(rows.ids[row, place]) in before) / len(before))
    return float(np.mean(hits))


def copy_by_hand(rows: Rows, match: int) -> float:
    """Accuracy of finding where the last `match` tokens stood most recently, and copying on.

    Where they never stood, one token less is looked for.
    """
    hits = []
    for row, place in np.argwhere(rows.scored):
        before = rows.ids[row, :place].tolist()
        hits.append(_continuation(before, match) == rows.ids[row, place])
    return float(np.mean(hits))


def _continuation(before: list[int], match: int) -> int:
    for size in range(match, 0, -1):
        key = before[-size:]
        for end in range(len(before) - 1, size - 1, -1):
            if before[end - size : end] == key:
                return before[end]
    return -1


# %% [markdown]
# ## 3. Scores of heads
# How much of its attention a head puts, on average, where a part of the circuit would.


class HeadScore(NamedTuple):
    """Mean attention, from 0 to 1: on the token before; at a scored place, on the earlier copy of
    the present token, and on the token after that copy (prefix matching, Olsson et al.)."""

    previous: float
    duplicate: float
    induction: float


def score_heads(maps: list[Tensor], rows: Rows) -> dict[Head, HeadScore]:
    """The scores of every head, from its attention. A query at place t predicts place t + 1."""
    row, target = (torch.from_numpy(x) for x in np.nonzero(rows.scored))
    query = target - 1
    source = query - torch.from_numpy(rows.stretch)[row]
    later, found = torch.arange(1, LENGTH), {}
    for layer, weights in enumerate(maps):
        for head in range(weights.shape[1]):
            w = weights[:, head]
            found[layer, head] = HeadScore(
                w[:, later, later - 1].mean().item(),
                w[row, query, source].mean().item(),
                w[row, query, source + 1].mean().item(),
            )
    return found


def previous_heads(scores: dict[Head, HeadScore]) -> list[Head]:
    """The head that looks most at the token before, then those with a third of its score or more.

    Often one head does it alone; on some seeds two share the work, and then one alone isn't missed.
    """
    order = sorted(scores, key=lambda head: -scores[head].previous)
    return [head for head in order if scores[head].previous >= scores[order[0]].previous / 3]


class Look(NamedTuple):
    """A model measured: the share of repeated tokens that are its best guess; mean -ln p of these
    and of the first stretch, which is pure chance; and the scores of its heads."""

    accuracy: float
    repeated: float
    fresh: float
    scores: dict[Head, HeadScore]


@torch.no_grad()
def look(model: Decoder, rows: Rows, off: Collection[Head] = ()) -> Look:
    """One pass over the rows, without the heads in `off`."""
    ids, maps = torch.from_numpy(rows.ids), list[Tensor]()
    logits = model(ids, maps=maps, off=off)[:, :-1]
    flat = nnf.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    losses = flat.reshape(len(ids), -1).double().numpy()
    repeated = rows.scored[:, 1:]
    first = (np.arange(LENGTH) < rows.stretch[:, None])[:, 1:]
    right = (logits.argmax(-1) == ids[:, 1:]).numpy()[repeated].mean()
    scores = score_heads(maps, rows)
    return Look(float(right), float(losses[repeated].mean()), float(losses[first].mean()), scores)


# %% [markdown]
# ## 4. The run

#: The bars of one run; those over the seeds are in the tests.
TWO_LAYERS, ONE_LAYER, ABLATED = 0.90, 0.35, 0.40
_HELD, _LOOK, _CLIFF = 256, 25, 100
CLIFF = ("it rises evenly", "most of it within a third of the steps", "most of it within 100 steps")
_WARMUP, _RATE_NOTE = 20, 10


@dataclass
class Trial:
    """One training, and what was seen at some of its steps."""

    model: Decoder
    steps: list[int] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    @property
    def end(self) -> Look:
        """The last look."""
        return self.looks[-1]

    @property
    def accuracy(self) -> list[float]:
        """Accuracy at each look."""
        return [each.accuracy for each in self.looks]

    def see(self, step: int, rows: Rows) -> Look:
        """Look at the model after this step."""
        self.steps.append(step)
        self.looks.append(look(self.model, rows))
        return self.end

    def rise(self, width: int) -> tuple[float, int]:
        """The largest gain in accuracy within `width` steps, and where it begins."""
        gains = [
            (self.accuracy[b] - self.accuracy[a], self.steps[a])
            for a in range(len(self.steps))
            for b in range(a, len(self.steps))
            if self.steps[b] - self.steps[a] <= width
        ]
        return max(gains)


def new_model(params: InductionParams, layers: int) -> Decoder:
    """Attention only: no feed-forward part, so that heads are all there is."""
    config = DecoderConfig(
        params.tokens,
        params.width,
        layers,
        params.heads,
        LENGTH,
        params.positions,
        expand=0,
        tied=False,
    )
    return Decoder(config, seed=params.seed)


def train(model: Decoder, params: InductionParams, rng: np.random.Generator) -> Iterator[int]:
    """Train in place on the loss of all tokens, repeated or not; yields the step after each."""
    optimiser = AdamW(model.parameters(), decay=0.01)
    for step in range(1, params.steps + 1):
        ids = torch.from_numpy(draw_rows(rng, params.batch, params.tokens).ids)
        logits = model(ids[:, :-1])
        loss = nnf.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
        optimiser.clear()
        loss.backward()
        optimiser.step(params.lr * min(1.0, step / _WARMUP))
        yield step


def run(params: InductionParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what switches heads off and continues the user's tokens."""
    torch.set_num_threads(lab.threads)
    try:
        model = new_model(params, params.layers)
    except ValueError as fault:
        yield Failed(str(fault), "Each head needs an even share of the width: try 64 with 2 heads.")
        return None
    yield from _questions(params)
    rows = draw_rows(lab.rng(1), _HELD, params.tokens)
    levels = yield from _baselines(rows, params)
    trial = yield from _train(Trial(model), params, lab, rows, levels)
    single = None
    if params.layers > 1:
        yield Stage("one layer", "the same data and steps for a model with a single layer")
        single = yield from _train(Trial(new_model(params, 1)), params, lab, rows, levels)
    yield from _verdict(params, rows, trial, single)
    return InductionExplorer(model, lambda off: look(model, rows, off).accuracy)


def _questions(params: InductionParams) -> Iterator[Event]:
    yield Prediction(
        "cliff",
        f"{params.layers} layers, {params.steps} steps: how does the accuracy on repeated tokens rise?",
        CLIFF,
    )
    if params.layers > 1:
        yield Prediction(
            "one-layer", "And a model with one layer: which accuracy does it end at?", unit="share"
        )
    yield Prediction(
        "ablated",
        f"After training, what looks at the token before is switched off: of "
        f"{params.layers * params.heads} heads the one that does so most, and any that does so at "
        "least a third as much. Which accuracy is left?",
        unit="share",
    )


def _baselines(rows: Rows, params: InductionParams) -> Steps[dict[str, float]]:
    yield Stage("baselines", "what can be reached without learning")
    levels = {
        f"chance: 1/{params.tokens}": 1 / params.tokens,
        "a token seen so far": seen_so_far(rows),
        "copying by hand, 1 token": copy_by_hand(rows, 1),
        "copying by hand, 3 tokens": copy_by_hand(rows, 3),
    }
    stretch = int(rows.stretch[0])
    text = letters(rows.ids[0])
    parts = (text[:stretch], text[stretch : 2 * stretch], text[2 * stretch :])
    yield Text("row", "A row: a stretch | its copy | noise", " | ".join(map(" ".join, parts)))
    return levels


def _train(
    trial: Trial, params: InductionParams, lab: Lab, rows: Rows, levels: dict[str, float]
) -> Steps[Trial]:
    """Train with the same batches whatever the model, and look every few steps."""
    layers = trial.model.config.layers
    name = f"{layers} layer" + "s" * (layers > 1)
    yield Stage(f"train {name}", f"{trial.model.size():,} parameters, {params.steps} steps")
    curves = Curves(f"accuracy-{layers}", f"Repeated tokens, {name}", "step", "accuracy", levels)
    trial.see(0, rows)
    for step in train(trial.model, params, lab.rng(2)):
        if step % _RATE_NOTE == 0:
            yield Progress(step, params.steps)
        if step % _LOOK == 0 or step == params.steps:
            now = trial.see(step, rows)
            curves.add("accuracy", step, now.accuracy)
            best = [max(each) for each in zip(*now.scores.values(), strict=True)]
            curves.add("best previous-token head", step, best[0])
            curves.add("best induction head", step, best[2])
            yield curves.series()
    lines = [
        Line("repeated tokens", trial.steps, [each.repeated for each in trial.looks]),
        Line("first stretch", trial.steps, [each.fresh for each in trial.looks]),
    ]
    level = {f"ln {params.tokens}: chance": log(params.tokens)}
    yield Series(f"loss-{layers}", f"Loss, {name}", lines, "step", "nats", level)
    return trial


def _verdict(
    params: InductionParams, rows: Rows, trial: Trial, single: Trial | None
) -> Iterator[Event]:
    yield Stage("heads", "scores, and each head switched off")
    model, end, scores = trial.model, trial.end.accuracy, trial.end.scores
    left = {head: look(model, rows, {head}).accuracy for head in scores}
    yield head_table(scores, left, end)
    keys = previous_heads(scores)
    key, without = keys[0], look(model, rows, keys).accuracy
    copier = max(scores, key=lambda head: scores[head].induction)
    yield from _maps(model, rows, {"previous": key, "induction": copier})
    yield Outcome("cliff", cliff_of(trial, params.steps), _cliff_text(trial))
    if single is not None:
        yield Outcome("one-layer", single.end.accuracy, f"It ends at {single.end.accuracy:.2f}.")
    names = " and ".join(f"{layer}.{head}" for layer, head in keys)
    yield Outcome("ablated", without, f"Without {names}: {without:.2f}.")
    if len(keys) > 1:
        yield Note(f"here {len(keys)} heads share the work: {names} stand in for each other")
    plain = msgspec.structs.replace(params, seed=0) == InductionParams()
    if single is not None and plain:
        yield from _claims(trial, single, left, without)
    else:
        yield Note("the bars are for the default settings; these figures stand alone")
    others = max((value for head, value in left.items() if head not in keys), default=end)
    one = "" if single is None else f" One layer ends at {single.end.accuracy:.2f}."
    yield Finding(
        f"Copying a stretch seen once reaches {end:.2f}; {_cliff_text(trial)}{one} Head "
        f"{key[0]}.{key[1]} looks at the token before with weight {scores[key].previous:.2f}; "
        f"without {names} the accuracy is {without:.2f}, without the least important head {others:.2f}. Head "
        f"{copier[0]}.{copier[1]} puts {scores[copier].induction:.2f} of its attention on the token "
        "to copy. No weight knows the pairs: the context does."
    )


def head_table(scores: dict[Head, HeadScore], left: dict[Head, float], end: float) -> Table:
    """Every head with its scores and what is left without it."""
    rows: list[list[Cell]] = [
        [f"{layer}.{head}", *(round(x, 3) for x in score), round(left[layer, head], 3)]
        for (layer, head), score in scores.items()
    ]
    columns = [
        "head", "on the token before", "on the earlier copy", "on the token after it",
        "accuracy without",
    ]  # fmt: skip
    return Table("heads", "Heads, layer.number", columns, rows, f"with all heads: {end:.3f}")


def _maps(model: Decoder, rows: Rows, heads: dict[str, Head]) -> Iterator[Event]:
    maps: list[Tensor] = []
    size = 2 * int(rows.stretch[0])
    ids = rows.ids[:1, :size]
    with torch.no_grad():
        model(torch.from_numpy(ids), maps=maps)
    names = letters(ids[0])
    for id, (layer, head) in heads.items():
        values = maps[layer][0, head].tolist()
        title = f"Head {layer}.{head}, the most {id}-like, on a stretch and its copy"
        yield Matrix(f"map-{id}", title, values, names, names, "row: reads; column: is read")


def cliff_of(trial: Trial, steps: int) -> str:
    """How the accuracy rose, as one of CLIFF: by the share of the whole gain in a short time."""
    whole = max(trial.end.accuracy - trial.looks[0].accuracy, 1e-9)
    if trial.rise(_CLIFF)[0] > whole / 2 and steps > 2 * _CLIFF:
        return CLIFF[2]
    return CLIFF[1] if trial.rise(max(_LOOK, steps // 3))[0] > whole / 2 else CLIFF[0]


def _cliff_text(trial: Trial) -> str:
    gain, start = trial.rise(_CLIFF)
    return f"{gain:.2f} of it came within {_CLIFF} steps, from step {start}."


def _claims(
    trial: Trial,
    single: Trial,
    left: dict[Head, float],
    without: float,
) -> Iterator[Event]:
    text = "two layers copy a stretch seen once (accuracy on repeated tokens)"
    yield claim("two-layers", text, trial.end.accuracy, ">=", TWO_LAYERS, unit="share")
    text = "one layer can't, at equal steps (accuracy)"
    yield claim("one-layer", text, single.end.accuracy, "<=", ONE_LAYER, unit="share")
    text = "one layer is at chance (accuracy times the number of tokens)"
    ratio = single.end.accuracy * single.model.config.vocabulary
    yield claim("one-layer-chance", text, ratio, "<=", 2, unit="times chance", expect="refuted")
    text = "the rise is sudden: gain within 100 steps"
    yield claim("cliff", text, trial.rise(_CLIFF)[0], ">=", 0.4, unit="share")
    text = "without what looks at the token before little is left (accuracy)"
    yield claim("ablated", text, without, "<=", ABLATED, unit="share")
    copiers = [value for (layer, _), value in left.items() if layer > 0]
    text = "no single induction head is needed: they stand in for each other (least accuracy left)"
    yield claim("redundant", text, min(copiers), ">=", 0.75, unit="share")
    best = max(score.induction for score in trial.end.scores.values())
    text = "attention of the best induction head on the token to copy"
    yield claim("prefix-matching", text, best, ">=", 0.6, unit="share")
    text = "tokens seen for the first time stay at chance (loss over ln V)"
    ratio = trial.end.fresh / log(trial.model.config.vocabulary)
    yield claim("nothing-in-weights", text, ratio, ">=", 0.99, unit="times ln V")


if __name__ == "__main__":
    main(INDUCTION)
