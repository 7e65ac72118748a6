"""Masked and causal language models, beside the best answer that is possible.

BERT hides 15 % of the tokens and predicts them from both sides; GPT predicts every token from
the left. Which learns more from a text, and what does each of them see? On real text nobody knows
the best possible loss. So the letters here are drawn from a chain in which each depends on the
one before (its counts are Wikipedia's): for any pattern of blanks the exact distribution of the
missing letters follows by the forward-backward algorithm, and every curve has a floor to be
held against.

Watch for four things. A share of only 12 % of the tokens becomes [MASK]. Both models start level,
and the causal one is far ahead after 100 steps, since it has more to learn from per token: the
amount is computed exactly, without any training. The masked model then fills a blank better than
the causal model can from the left. And the causal model, if it may try all 27 fillings, fills it
as well: it isn't blind to the right side, only 27 times as expensive.

    python -m demos.contextual.masking --rate 0.4
    python -m demos.contextual.masking --start small --steps 300     the plateau
    python -m demos.contextual.masking --explore                         then: th_ cat

Devlin et al. 2019, arXiv:1810.04805; Wettig et al. 2023 on the rate, arXiv:2202.08005.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from typing import TypeAlias, TypeVar

import msgspec
import numpy as np
import torch
import torch.nn.functional as nnf

from demos.contextual.letters import (
    BLANK,
    I64,
    KEPT,
    LETTERS,
    causal_signal,
    corrupt,
    detection_signal,
    fates,
    fill,
    fill_by_enumeration,
    masked_signal,
    mean_loss,
    to_text,
    wikipedia_chain,
)
from demos.contextual.masking_explore import Filler, top
from demos.contextual.masking_study import (
    BEST,
    CAUSAL,
    MASKED,
    RESCORED,
    TESTED_ON,
    Bench,
    blank_losses,
    prepare,
)
from demos.contextual.masking_text import count_fates
from demos.contextual.specs import MASKING, MaskingParams
from demos.contextual.tiny_bert import LENGTH, TinyBert, future_leak, influence
from demos.kit.adamw import AdamW
from demos.kit.data import DataFault
from studytool.demo.events import (
    Cell,
    Event,
    Failed,
    Finding,
    Matrix,
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

BATCH, LEAKY_STEPS, EARLY = 32, 80, 100
_WARM_UP, _LOOKS = 40, 12

# %% [markdown]
# ## 1. What is known exactly
# `Chain.messages` in letters.py passes what the left and the right side know along the sequence,
# the forward-backward algorithm. From it follow the best loss of any mask pattern, the entropy
# rate, and how much there is to learn per token, for each objective.
#
# ## 2. The model
# tiny_bert.py: two layers of width 64. Causal and masked models are the same network; the causal
# one has a mask on its attention, -inf above the diagonal.


def next_letter_loss(model: TinyBert, letters: torch.Tensor) -> torch.Tensor:
    """The causal objective: every letter after the first from all before it, in nats."""
    logits = model(letters)[:, :-1]
    return nnf.cross_entropy(logits.reshape(-1, LETTERS), letters[:, 1:].reshape(-1))


def masked_loss(
    model: TinyBert, read: torch.Tensor, letters: torch.Tensor, chosen: torch.Tensor
) -> torch.Tensor:
    """The masked objective: the loss is taken at the selected places only."""
    return nnf.cross_entropy(model(read, chosen), letters[chosen])


def rate_of(step: int, steps: int, peak: float) -> float:
    """The learning rate of a step counted from 0: warm-up, then a cosine to 2 % of the peak."""
    share = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps))
    return peak * min(1.0, (step + 1) / _WARM_UP) * share


def train(
    model: TinyBert,
    kind: str,
    params: MaskingParams,
    steps: int,
    data: I64,
    rng: np.random.Generator,
) -> Iterator[tuple[int, float]]:
    """Train in place; yields the number of each step and its loss."""
    optimiser = AdamW(model.parameters(), decay=0.01)
    for step in range(steps):
        letters = data[rng.integers(0, len(data), BATCH)]
        if kind == MASKED:
            fate = fates(rng, letters.shape, params.rate, params.recipe)
            fate[0, 0] = fate[0, 0] or 1  # a batch without any selected letter has no loss
            read = torch.from_numpy(corrupt(letters, fate, rng, BLANK, LETTERS))
            loss = masked_loss(
                model, read, torch.from_numpy(letters), torch.from_numpy(fate != KEPT)
            )
        else:
            loss = next_letter_loss(model, torch.from_numpy(letters))
        optimiser.clear()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step(rate_of(step, steps, params.lr))
        yield step + 1, loss.item()


# %% [markdown]
# ## 3. The run


def run(params: MaskingParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what fills typed blanks."""
    torch.set_num_threads(lab.threads)
    try:
        return (yield from _lesson(params, lab))
    except DataFault as fault:
        yield Failed(fault.message, fault.hint)
        return None


def _lesson(params: MaskingParams, lab: Lab) -> Steps[Explorer]:
    yield Stage("language", "counting the letters of Wikipedia")
    yield from _questions(params)
    chain, corpus = yield from wikipedia_chain(lab)
    bench = prepare(params, lab, chain)
    yield Note(
        f"a letter without context costs {chain.letter_entropy:.3f} nats, one whose left side is "
        f"known {chain.rate:.3f}: no model can do better"
    )
    yield from _exact(bench)
    yield Stage("80/10/10", "BERT's masking on real text, with BERT's own word pieces")
    yield from count_fates(corpus, params.rate, lab.rng(3))
    ratio = yield from _signal(bench)
    for kind, steps in ((CAUSAL, params.causal_steps), (MASKED, params.steps)):
        yield from _train(bench, kind, steps)
    yield from _sight(bench)
    losses = yield from _one_blank(bench)
    if params.all:
        yield from _other_rate(bench)
    yield from _verdict(bench, ratio, losses)
    return Filler(chain, bench.models[MASKED], bench.models[CAUSAL])


def _questions(params: MaskingParams) -> Iterator[Event]:
    yield Prediction(
        "masked-share",
        f"BERT's recipe selects {params.rate:.0%} of all tokens. How many per cent of all tokens "
        "does the network read as [MASK]?",
        unit="%",
    )
    yield Prediction(
        "signal",
        f"A causal model is scored at every token, a masked one at {params.rate:.0%}. How many "
        "times as much is there to learn per token of text for the causal one, in nats?",
        unit="times",
    )
    yield Prediction("blank", "Who fills one blank letter with the lowest loss?", BEST)


def _exact(bench: Bench) -> Iterator[Event]:
    rng, worst = bench.lab.rng(1), 0.0
    for _ in range(3):
        short = bench.chain.draw(rng, 1, 7)[0]
        short[rng.permutation(7)[:2]] = BLANK
        ours = fill(bench.chain, short[None])[0]
        worst = max(worst, float(np.abs(ours - fill_by_enumeration(bench.chain, short)).max()))
    text = "forward-backward equals adding up all fillings, on short texts (largest deviation)"
    yield claim("exact-enumeration", text, worst, "<=", 1e-9)


def _signal(bench: Bench) -> Steps[float]:
    """What there is to learn per token of text, exactly, before any training."""
    yield Stage("signal", "exact: nats to be learnt per token, beyond the letters' shares")
    chain, tests, rng = bench.chain, bench.tests, bench.lab.rng(2)
    causal = causal_signal(chain, tests)
    mine = masked_signal(chain, tests, bench.params.rate, rng)
    found = detection_signal(chain, tests, bench.params.rate, rng)
    share = f"{bench.params.rate:.0%}"
    others: list[list[Cell]] = [
        [f"masked: {rate:.0%}", f"{rate:.0%}", round(masked_signal(chain, tests, rate, rng), 3)]
        for rate in (0.15, 0.4, 0.8)
        if rate != bench.params.rate
    ]
    rows: list[list[Cell]] = [
        ["causal: every token from the left", "100 %", round(causal, 3)],
        [f"masked: {share} of the tokens, both sides", share, round(mine, 3)],
        *others,
        [f"replaced or not, {share} replaced by common letters", "100 %", round(found, 3)],
    ]
    note = "computed by forward-backward; no model is involved"
    columns = ["objective", "scored", "nats per token of text"]
    yield Table("signal", "What can be learnt from a token", columns, rows, note)
    if bench.plain:
        text = "a causal model has more to learn per token than a masked one, by"
        yield claim("signal-ratio", text, causal / mine, ">=", 3.5, unit="times")
        text = "scoring every token makes replaced-token detection richer than masking (difference)"
        yield claim("detection-richer", text, found - mine, ">=", 0, unit="nats", expect="refuted")
    said = (
        f"{causal:.3f} against {mine:.3f} nats per token; the count of targets says "
        f"{1 / bench.params.rate:.1f}"
    )
    yield Outcome("signal", round(causal / mine, 2), said)
    return causal / mine


def _train(bench: Bench, kind: str, steps: int) -> Iterator[Event]:
    yield Stage(f"train {kind}", f"{steps} steps of {BATCH} x {LENGTH} letters")
    torch.manual_seed(bench.lab.seed)
    model = bench.models[kind] = TinyBert(bench.params.start, causal=kind == CAUSAL)
    every = max(1, steps // _LOOKS)
    bench.curves.add(kind, 0, bench.learnt(kind))
    stream = 4 if kind == CAUSAL else 5
    for step, loss in train(model, kind, bench.params, steps, bench.data, bench.lab.rng(stream)):
        if step % 10 == 0 or step == steps:
            yield Progress(step, steps, "step", f"loss {loss:.3f}")
        if step == min(EARLY, steps):
            bench.early[kind] = bench.learnt(kind)
        if step % every == 0 or step == steps:
            bench.curves.add(kind, step, bench.learnt(kind))
            yield bench.curves.series()
            if kind == MASKED:
                yield _filled(bench, step)


def _filled(bench: Bench, step: int) -> Table:
    """Six blanks as the masked model fills them at this moment."""
    few = np.where(bench.one, BLANK, bench.tests)[:6]
    ours, exact = bench.models[MASKED].chances(few), fill(bench.chain, few)
    rows: list[list[Cell]] = []
    for row, at in enumerate(bench.one[:6].argmax(axis=1).tolist()):
        around = to_text(few[row, at - 4 : at + 5]).replace(" ", "␣")
        truth = to_text(bench.tests[row, at : at + 1]).replace(" ", "␣")
        rows.append([around, truth, top(ours[row, at]), top(exact[row, at])])
    columns = ["text", "was", f"masked model at step {step}", "exact"]
    return Table("filled", "Blanks being filled", columns, rows)


def _sight(bench: Bench) -> Iterator[Event]:
    """What each place sees, the leak test, and a model with a leak."""
    yield Stage("sight", "change one letter: whose prediction moves?")
    for kind in (MASKED, CAUSAL):
        moved = influence(bench.models[kind], bench.tests[0, :16])
        marks = [sign.replace(" ", "␣") for sign in to_text(bench.tests[0, :16])]
        title = f"{kind}: rows are predictions, columns the letter that was changed"
        note = "the largest change of a logit" + (
            "; the causal row t predicts letter t + 1, and nothing right of the diagonal moves it"
            if kind == CAUSAL
            else ""
        )
        yield Matrix(f"sight-{kind}", title, moved.round(3).tolist(), marks, marks, note)
    leak = future_leak(bench.models[CAUSAL], bench.tests[:64], LENGTH // 2)
    text = "change all letters after the middle: the causal model's earlier logits move by"
    yield claim("leak-zero", text, leak, "==", 0)
    yield Stage("leak", "the same causal training with the attention mask forgotten")
    torch.manual_seed(bench.lab.seed)
    leaky, last = TinyBert(bench.params.start), [0.0]
    for step, loss in train(leaky, CAUSAL, bench.params, LEAKY_STEPS, bench.data, bench.lab.rng(6)):
        last = [*last[-19:], loss]
        if step % 10 == 0:
            yield Progress(step, LEAKY_STEPS, "step", f"loss {loss:.3f}")
    found, moved_by = float(np.mean(last)), future_leak(leaky, bench.tests[:64], LENGTH // 2)
    yield Note(
        f"the leaky model's loss is {found:.3f}, below the entropy rate of {bench.chain.rate:.3f}, "
        f"which is impossible without seeing the answer; its earlier logits move by {moved_by:.1f}"
    )
    if bench.plain:
        text = "a leak shows as a loss below the entropy rate: the leaky model's share of it"
        yield claim("leaky-below-rate", text, found / bench.chain.rate, "<=", 0.5)


def _one_blank(bench: Bench) -> Steps[dict[str, float]]:
    yield Stage(
        "one blank", f"{TESTED_ON:,} texts; the causal model tries all 27 fillings of {RESCORED}"
    )
    losses = blank_losses(bench)
    part = losses["exact, on the rescored ones"]
    rows: list[list[Cell]] = [
        ["knowing the letters' shares only", 0, round(bench.chain.letter_entropy, 3), None],
        *(
            [name, passes, round(losses[name], 3), round(losses[name] - losses[floor], 3)]
            for name, passes, floor in (
                (BEST[1], 1, "exact"),
                ("exact from the left", None, "exact"),
                (BEST[0], 1, "exact"),
                ("masked, on the rescored ones", 1, "exact, on the rescored ones"),
                (BEST[2], 27, "exact, on the rescored ones"),
                ("exact", None, "exact"),
            )
        ),
    ]
    columns = ["filling one blank", "passes", "nats", "above the optimum"]
    note = f"the optimum is {losses['exact']:.3f}, on the {RESCORED} rescored texts {part:.3f}"
    yield Table("blank", "One blank, four ways", columns, rows, note)
    return losses


def _other_rate(bench: Bench) -> Iterator[Event]:
    """The same masked training at another rate, scored on the same blanks."""
    other = 0.4 if bench.params.rate <= 0.25 else 0.15
    yield Stage("other rate", f"the masked model once more, trained with {other:.0%} selected")
    params = msgspec.structs.replace(bench.params, rate=other)
    torch.manual_seed(bench.lab.seed)
    first = bench.models[MASKED]
    model = TinyBert(params.start)
    for step, loss in train(model, MASKED, params, params.steps, bench.data, bench.lab.rng(5)):
        if step % 10 == 0 or step == params.steps:
            yield Progress(step, params.steps, "step", f"loss {loss:.3f}")
    rng = bench.lab.rng(7)
    at = rng.random(bench.tests.shape) < 0.15
    read = np.where(at, BLANK, bench.tests)
    exact = mean_loss(fill(bench.chain, read), bench.tests, at)
    span = bench.chain.letter_entropy - exact
    shares = {
        rate: (bench.chain.letter_entropy - mean_loss(each.chances(read), bench.tests, at)) / span
        for rate, each in ((bench.params.rate, first), (other, model))
    }
    rows: list[list[Cell]] = [[f"{rate:.0%}", round(share, 3)] for rate, share in shares.items()]
    yield Table(
        "rates", "Trained at, scored on the same 15 % blanks", ["rate", "share learnt"], rows
    )
    if bench.plain:
        text = (
            "15 % is the best rate, at least when 15 % are to be filled (share learnt, 15 - 40 %)"
        )
        yield claim("fifteen-best", text, shares[0.15] - shares[0.4], ">=", 0, expect="refuted")


def _verdict(bench: Bench, ratio: float, losses: dict[str, float]) -> Iterator[Event]:
    share = 80 * bench.params.rate
    said = f"80 % of the {bench.params.rate:.0%}; a tenth each is random and left as it is"
    yield Outcome("masked-share", round(share, 2), said)
    masked, left = losses[BEST[0]] - losses["exact"], losses[BEST[1]] - losses["exact"]
    tried = losses[BEST[2]] - losses["exact, on the rescored ones"]
    same = losses["masked, on the rescored ones"] - losses["exact, on the rescored ones"]
    above = dict(zip(BEST, (same, left, tried), strict=True))
    answer = min(BEST, key=lambda name: above[name])
    said = (
        f"Above the optimum: masked {same:.3f}, left only {left:.3f}, 27 fillings {tried:.3f} nats."
    )
    yield Outcome("blank", answer, said)
    if bench.plain:
        ahead = bench.early[CAUSAL] - bench.early[MASKED]
        text = f"after {EARLY} steps the causal model has learnt a larger share of its task, by"
        yield claim("causal-ahead-early", text, ahead, ">=", 0.1)
        text = "one blank: the masked model's loss above the exact optimum"
        yield claim("masked-near-optimum", text, masked, "<=", 0.11, unit="nats")
        text = "one blank: the causal model's loss from the left above that optimum"
        yield claim("left-only-worse", text, left, ">=", 0.36, unit="nats")
        text = "a causal model can't use the right side: 27 fillings minus masked, same blanks"
        yield claim(
            "causal-blind-to-right", text, tried - same, ">=", 0, unit="nats", expect="refuted"
        )
    else:
        yield Note("the claims are for the default settings; these figures stand alone")
    learnt = bench.learnt(MASKED)
    if learnt < 0.1:
        yield Finding(
            f"After {bench.params.steps} steps the masked model has learnt {learnt:.0%} of what it "
            "could: it sits on the plateau of the letters' shares. A blank carries no letter of "
            "its own, so nothing can be learnt until some head attends to a neighbour, and with "
            "tiny matrices the gradient towards that is second-order small. I would look at the "
            "initialisation before the learning rate."
        )
        return
    yield Finding(
        f"Per token of text the causal objective has {ratio:.1f} times as much to learn as masking "
        f"{bench.params.rate:.0%}, so it learns sooner. A blank with both sides known is filled by "
        f"the masked model within {masked:.2f} nats of the optimum, where the left side alone is "
        f"{left:.2f} above it. A causal model that scores all 27 fillings comes within {tried:.2f}: "
        "it isn't blind to the right, it pays for it in passes."
    )


if __name__ == "__main__":
    main(MASKING)
