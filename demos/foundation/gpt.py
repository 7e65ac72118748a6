"""A GPT from scratch: one next-token loss, and everything that hangs on it.

The model reads a text and says, at every place at once, how likely each token is to come next.
Nothing else is trained: samples, "knowledge" and prompts are what falls out of that. Here it is
at a size for one laptop core (Radford et al. 2019, *Language Models are Unsupervised Multitask
Learners*; the architecture in demos/kit/decoder.py, to be read beside this).

Four things to watch, beside n-grams that are counted from the same tokens:

1. The first loss is ln V. A model that knows nothing is uniform; any other start is a fault.
2. It passes the unigram, then the bigram. The trigram, counted in a second, stays ahead: at this
   size counting wins. But n-grams end at four or five tokens, and the decoder is still falling.
3. Decoding is a choice of its own: greedy runs in circles, temperature 1 wanders off.
4. The cache of keys and values gives the same numbers for a fraction of the work.

    python -m demos.foundation.gpt --positions none
    python -m demos.foundation.gpt --corpus my.txt --explore      then: t=0.5 the city of
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from copy import deepcopy
from dataclasses import dataclass
from math import exp, log
from typing import TypeAlias, TypeVar

import msgspec
import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray

from demos.foundation.gpt_panel import (
    LONGEST,
    GptExplorer,
    NgramLines,
    attention_events,
    case_table,
    line_table,
    name_of,
    sampling_events,
    token_table,
)
from demos.foundation.sampling import Sampling, Writer, nucleus_size, softmax
from demos.foundation.specs import GPT, GptParams
from demos.kit.adamw import AdamW
from demos.kit.bpe import Bpe
from demos.kit.corpus import own, wikipedia
from demos.kit.data import DataFault
from demos.kit.decoder import Cache, Decoder, DecoderConfig, attend
from demos.kit.plots import Curves
from demos.kit.schedule import warm_cosine
from demos.kit.tokens import TokenText, tokenise
from studytool.demo.events import (
    Cell,
    Event,
    Failed,
    Finding,
    Metric,
    Note,
    Outcome,
    Prediction,
    Progress,
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
# ## 1. The loss
# One sum over places: -ln p(token t | tokens before t). The mask lets all places be scored in one
# pass, so a text of T tokens is T training examples.


def losses(model: Decoder, windows: I64) -> F64:
    """-ln p of tokens 1 … of each window (rows, length), in nats; (rows, length - 1)."""
    ids = torch.from_numpy(windows)
    with torch.no_grad():
        logits = model(ids[:, :-1])
        flat = nnf.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    return flat.double().numpy().reshape(len(windows), -1)


def train_step(model: Decoder, optimiser: AdamW, batch: I64, rate: float) -> float:
    """One step on a batch of windows; returns its loss before the step."""
    ids = torch.from_numpy(batch)
    logits = model(ids[:, :-1])
    loss = nnf.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    optimiser.clear()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step(rate)
    return loss.item()


# %% [markdown]
# ## 2. Is it right?
# Attention against torch's own; the mask by changing the future; the cache against reading anew;
# tokens by writing odd texts and reading them back.

ODD_TEXTS = ("", " ", "naïve café", "שלום 世界 🙂", "a\tb\n\n c", "\x00\x7f", "don't  stop...")


def round_trip_faults(bpe: Bpe, texts: tuple[str, ...]) -> int:
    """How many of the texts are not the same after encoding and decoding."""
    return sum(bpe.decode(bpe.encode(text)) != text for text in texts)


def attention_error(rng: np.random.Generator) -> float:
    """The largest deviation of `attend` from torch's scaled_dot_product_attention, in float64."""
    q, k, v = (torch.from_numpy(rng.normal(0, 1, (2, 3, 17, 8))) for _ in range(3))
    theirs = nnf.scaled_dot_product_attention(q, k, v, is_causal=True)
    return (attend(q, k, v)[0] - theirs).abs().max().item()


@torch.no_grad()
def peeking(model: Decoder, window: I64, rng: np.random.Generator) -> float:
    """How much the logits of the first half change when the second half is replaced."""
    half = len(window) // 2
    other = window.copy()
    other[half:] = rng.integers(0, model.config.vocabulary, len(window) - half)
    first, second = (model(torch.from_numpy(ids[None]))[0, :half] for ids in (window, other))
    return (first - second).abs().max().item()


@dataclass(frozen=True)
class CacheCheck:
    """The largest difference of logits, and CPU seconds and tokens read, with and without."""

    error: float
    seconds: tuple[float, float]
    tokens: tuple[int, int]


@torch.no_grad()
def check_cache(model: Decoder, window: I64) -> CacheCheck:
    """Read a window token by token in float64: with the cache, and all of it anew at each token."""
    ids, cache = torch.from_numpy(window[None]), Cache()
    model = deepcopy(model).double()
    begun = time.process_time()
    cached = [model(ids[:, at : at + 1], cache)[0, -1] for at in range(len(window))]
    between = time.process_time()
    anew = [model(ids[:, : at + 1])[0, -1] for at in range(len(window))]
    seconds = (between - begun, time.process_time() - between)
    error = (torch.stack(cached) - torch.stack(anew)).abs().max().item()
    return CacheCheck(error, seconds, (len(window), len(window) * (len(window) + 1) // 2))


# %% [markdown]
# ## 3. The run

RANKS = ("not even the unigram", *(f"the {name_of(n)}" for n in range(1, LONGEST + 1)))
_HELD_ROWS, _LOOKS, _SAMPLE, _CACHED = 128, 8, 24, 256


@dataclass
class Bench:
    """What the parts of a run share; `ngrams` are held-out losses by n."""

    params: GptParams
    lab: Lab
    text: TokenText
    held: I64
    surprise: dict[int, F64]
    model: Decoder

    @property
    def plain(self) -> bool:
        """Whether the bars are meant for these settings."""
        free = ("seed", "prompt", "temperature", "top_k", "top_p")
        masked = {name: getattr(self.params, name) for name in free}
        return self.params == msgspec.structs.replace(GptParams(), **masked)

    @property
    def ngrams(self) -> dict[int, float]:
        return {n: float(x.mean()) for n, x in self.surprise.items()}

    @property
    def writer(self) -> Writer:
        return Writer(self.model, self.text.bpe)

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.params.temperature, self.params.top_k, self.params.top_p)

    def loss(self) -> float:
        return float(losses(self.model, self.held).mean())


def run(params: GptParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what continues the user's prompts."""
    torch.set_num_threads(lab.threads)
    try:
        return (yield from _lesson(params, lab))
    except DataFault as fault:
        yield Failed(fault.message, fault.hint)
        return None


def _lesson(params: GptParams, lab: Lab) -> Steps[Explorer]:
    model = _new_model(params)
    yield from _questions(params)
    bench = yield from _prepare(params, lab, model)
    start = bench.loss()
    yield from _checks(bench, start)
    curve = yield from _train(bench, start)
    ours = losses(model, bench.held)
    yield line_table(bench.ngrams, start, params.vocabulary, float(ours.mean()))
    yield case_table(
        bench.writer, bench.held[0], ours[0], {n: x[0] for n, x in bench.surprise.items()}
    )
    yield Stage("sampling", "the same model, decoded in different ways")
    yield from sampling_events(bench.writer, params.prompt, bench.sampling, params.seed)
    yield Stage("attention", "what each head looks at")
    yield from attention_events(model, bench.text.bpe, bench.held[:16, :-1])
    yield from _cache(bench)
    yield from _verdict(bench, start, float(ours.mean()), curve)
    return GptExplorer(bench.writer, bench.sampling, params.seed)


def _new_model(params: GptParams) -> Decoder:
    config = {
        name: getattr(params, name)
        for name in ("vocabulary", "width", "layers", "heads", "context", "positions", "causal")
    }
    try:
        return Decoder(DecoderConfig(**config), seed=params.seed, std=params.init)
    except ValueError as fault:
        raise DataFault(
            f"{fault}", "Each head needs an even share of the width: try width 64 with 4 heads."
        ) from fault


def _questions(params: GptParams) -> Iterator[Event]:
    yield Prediction(
        "start",
        f"An untrained model, {params.vocabulary} tokens, weights drawn with a standard deviation "
        f"of {params.init:g}: what is its loss?",
        unit="nats",
    )
    yield Prediction(
        "rank",
        f"After {params.steps} steps of {params.batch} × {params.context} tokens: which is the "
        "best n-gram of the same text that it beats?",
        RANKS,
    )
    yield Prediction(
        "nucleus",
        f"Of {params.vocabulary} tokens, how many does top-p = {params.top_p:g} keep on average, "
        "over places of held-out text?",
        unit="tokens",
    )


def _prepare(params: GptParams, lab: Lab, model: Decoder) -> Steps[Bench]:
    yield Stage("load", "text, tokens, and what is held out")
    corpus = yield from own(lab, params.corpus) if params.corpus else wikipedia(lab)
    text = tokenise(corpus, params.vocabulary, first=params.seed)
    if min(len(text.train), len(text.test)) <= params.context + 1:
        raise DataFault(
            f"{corpus.name} is too short to hold out a part of it", "Use a longer text."
        )
    if len(text.bpe) < params.vocabulary:
        raise DataFault(
            f"{corpus.name} has so few different words that {len(text.bpe)} tokens spell it",
            f"Ask for a vocabulary of {len(text.bpe)} or less.",
        )
    yield Note(
        f"{corpus.name}: {len(text.train):,} tokens to train on, {len(text.test):,} held out, "
        f"{text.letters_per_token:.2f} letters per token; {model.size():,} parameters, "
        f"{model.size(embeddings=False):,} of them not embeddings"
    )
    words = (" the", " encyclopedia", " antidisestablishmentarianism", " 1984", " שלום", " 🙂")
    yield token_table(text.bpe, words)
    yield Stage("count", f"the baseline: n-grams of the same tokens up to n = {LONGEST}")
    held = text.held_out(_HELD_ROWS, params.context + 1)
    surprise = NgramLines(text.train, params.vocabulary).surprise(held)
    return Bench(params, lab, text, held, surprise, model)


def _checks(bench: Bench, start: float) -> Iterator[Event]:
    yield Stage("check", "tokens, attention, mask and first loss")
    params, size = bench.params, bench.params.vocabulary
    faults = round_trip_faults(bench.text.bpe, (*ODD_TEXTS, params.prompt))
    text = "texts in any script come back unchanged from their tokens (faults)"
    yield claim("tokens-round-trip", text, faults, "==", 0)
    error = attention_error(bench.lab.rng(3))
    text = "attention equals torch's scaled_dot_product_attention (largest deviation)"
    yield claim("attention-equals-torch", text, error, "<=", 1e-12)
    change = peeking(bench.model, bench.held[0], bench.lab.rng(4))
    text = "replacing later tokens changes no earlier logit (largest change)"
    yield claim("no-peeking", text, change, "==", 0, expect="holds" if params.causal else "refuted")
    yield Outcome("start", start, f"It is {start:.3f}, and ln {size} = {log(size):.3f}.")
    if bench.plain:
        text = "the first loss is ln V (relative deviation)"
        yield claim("start-loss", text, abs(start / log(size) - 1), "<=", 0.01)


def _train(bench: Bench, start: float) -> Steps[list[tuple[int, float]]]:
    """Train; returns the held-out loss at some steps."""
    params = bench.params
    yield Stage("train", f"{params.steps} steps, one loss: the next token")
    curves = Curves("loss", "Loss per token", "step", "nats")
    curves.levels["ln V: chance"] = log(params.vocabulary)
    curves.levels.update({name_of(n): loss for n, loss in bench.ngrams.items()})
    optimiser = AdamW(bench.model.parameters(), decay=0.01)
    rng = bench.lab.rng(1)
    looks = {max(1, round(params.steps * (i / _LOOKS) ** 1.5)) for i in range(1, _LOOKS + 1)}
    rows: list[list[Cell]] = [[0, round(start, 3), _sample(bench)]]
    curve = [(0, start)]
    curves.add("held out", 0, start)
    yield _samples(rows)
    for step in range(1, params.steps + 1):
        batch = bench.text.batch(rng, params.batch, params.context + 1)
        rate = warm_cosine(step - 1, params.steps, params.lr)
        loss = train_step(bench.model, optimiser, batch, rate)
        if step % 10 == 0:
            curves.add("training batch", step, loss)
            yield Progress(step, params.steps, note=f"loss {loss:.2f}")
        if step in looks:
            curve.append((step, bench.loss()))
            curves.add("held out", step, curve[-1][1])
            rows.append([step, round(curve[-1][1], 3), _sample(bench)])
            yield curves.series()
            yield _samples(rows)
    return curve


def _sample(bench: Bench) -> str:
    seed = [bench.params.seed, 5]
    return bench.writer.tell(bench.params.prompt, _SAMPLE, bench.sampling, seed)


def _samples(rows: list[list[Cell]]) -> Table:
    columns = ["step", "held-out loss", "what it writes"]
    return Table("samples", "The same prompt and the same dice, as it learns", columns, rows)


def _cache(bench: Bench) -> Iterator[Event]:
    yield Stage("cache", "reading token by token, with and without the cache")
    longest = bench.params.context if bench.params.positions == "learned" else _CACHED
    check = check_cache(bench.model, bench.text.test[:longest])
    yield Metric("with the cache", check.seconds[0], unit="CPU s")
    yield Metric("without it", check.seconds[1], unit="CPU s")
    with_cache, without = check.tokens
    numbers = 2 * bench.params.layers * bench.params.width * with_cache
    rows: list[list[Cell]] = [
        ["with the cache", with_cache, numbers],
        ["reading anew at each token", without, 0],
    ]
    title = f"Writing {with_cache} tokens"
    yield Table("cache", title, ["", "tokens read", "numbers kept"], rows)
    if bench.params.causal:
        text = "logits by the cache equal logits without it (largest difference)"
        yield claim("cache-equal", text, check.error, "<=", 1e-5)
    else:
        yield Note("without the mask earlier keys would change with each token: nothing to cache")


def _verdict(
    bench: Bench, start: float, end: float, curve: list[tuple[int, float]]
) -> Iterator[Event]:
    ngrams, params = bench.ngrams, bench.params
    beaten = [n for n, loss in ngrams.items() if end < loss]
    best = min(beaten, key=lambda n: ngrams[n], default=0)
    yield Outcome("rank", RANKS[best], f"Its held-out loss is {end:.3f} nats.")
    kept = _nucleus(bench)
    yield Outcome("nucleus", kept, f"On average {kept:.0f} of {params.vocabulary} are kept.")
    if bench.plain:
        yield from _claims(bench, end, curve)
    else:
        yield Note("the bars are for the default text and settings; these figures stand alone")
    if not params.causal:
        yield Finding(
            f"Without the causal mask the loss falls to {end:.2f} nats, below every n-gram, and "
            "the samples are worthless: each place copied its answer from the input. A loss that "
            "is too good is a leak until shown otherwise."
        )
        return
    above = [name_of(n) for n, loss in ngrams.items() if loss <= end]
    yield Finding(
        f"The loss starts at {start:.2f}, where ln V is {log(params.vocabulary):.2f}, and falls to "
        f"{end:.2f} nats per token in {params.steps} steps. It beats {RANKS[best]}"
        + (f"; still ahead, counted in a second: {', '.join(above)}. " if above else ". ")
        + f"But counting saturates: n = {LONGEST} brings {ngrams[LONGEST - 1] - ngrams[LONGEST]:.2f} "
        "nats over one token less, while more steps, width and text go on helping the decoder."
    )


def _nucleus(bench: Bench) -> float:
    """Tokens that top-p keeps, in the mean over held-out places."""
    with torch.no_grad():
        logits = bench.model(torch.from_numpy(bench.held[:16, :-1])).double().numpy()
    spread = -np.sort(-softmax(logits.reshape(-1, logits.shape[-1])), axis=-1)
    return float(np.mean([nucleus_size(p, bench.params.top_p) for p in spread]))


def _claims(bench: Bench, end: float, curve: list[tuple[int, float]]) -> Iterator[Event]:
    ngrams = bench.ngrams
    text = "it beats the bigram (difference of held-out losses)"
    yield claim("beats-bigram", text, ngrams[2] - end, ">", 0, unit="nats")
    text = "it beats the trigram counted from the same text (difference of losses)"
    yield claim("beats-trigram", text, ngrams[3] - end, ">", 0, unit="nats", expect="refuted")
    gain = ngrams[LONGEST - 1] - ngrams[LONGEST]
    text = "n-grams are at their end: n = 5 gains little over n = 4"
    yield claim("ngrams-saturate", text, gain, "<=", 0.06, unit="nats")
    before = next(loss for step, loss in reversed(curve) if step <= 0.8 * bench.params.steps)
    text = "the decoder is not: gain of the last fifth or so of its steps"
    yield claim("still-falling", text, before - end, ">=", 0.02, unit="nats")
    text = "perplexity of the decoder on held-out tokens"
    yield claim("perplexity", text, exp(end), "<=", 60)


if __name__ == "__main__":
    main(GPT)
