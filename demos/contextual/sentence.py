"""How an embedding model is trained: pairs, negatives, a temperature, and what it is up against.

The task is search: given what a function's docstring says, find its name among 1,000. A frozen
encoder (MiniLM) turns each text into 384 numbers; one matrix on top, shared by both sides and
starting as the identity, is trained by contrast: in a batch of pairs each query has to pick its
own name, and the other names are its negatives (InfoNCE). Queries and names of the test come from
files that the training never saw.

Watch what it is held against. Word matching finds nothing where no word is shared. Groups of
three and four letters, sixty years old and without training, are as good as the encoder out of
the box. The pooling that a model was trained for matters more than many a trick; centring cures
the famous narrow cone at once and hardly changes what is found. And the sum of trained vectors and
letter groups beats either.

    python -m demos.contextual.sentence --temperature 1
    python -m demos.contextual.sentence --explore          then: invert a matrix

MiniLM's own training had docstrings in it, so its lead over counting may be flattered; gains on
top of it are fair. Reimers and Gurevych 2019, arXiv:1908.10084; van den Oord et al. 2018,
arXiv:1807.03748 (equation 4); Kusupati et al. 2022, arXiv:2205.13147.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray

from demos.contextual.sentence_data import Finder, Split, by_letters, by_words, split
from demos.contextual.specs import SENTENCE, SentenceParams
from demos.kit.adamw import AdamW
from demos.kit.data import DataFault
from demos.kit.library import package_functions
from demos.kit.minilm import POOLINGS, WIDTH, MiniLM, cached_poolings
from demos.kit.plots import Curves
from demos.kit.retrieval import chance_recall, ranks, recall_at
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

F32: TypeAlias = NDArray[np.float32]
F64: TypeAlias = NDArray[np.float64]
R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

PACKAGES = ("scipy", "sklearn")
WORDS, LETTERS, TRAINED, SUM = (
    "words, TF-IDF",
    "groups of letters, TF-IDF",
    "trained",
    "trained + letters",
)
FIRST = ("the encoder", "groups of letters", "they are level (within 2 points)")
#: Lengths that Matryoshka training asks to work, and at which vectors are cut.
CUTS = (16, 32, 64, 128, WIDTH)
_LOOKS = 12

# %% [markdown]
# ## 1. The loss
# N queries and N names; s_ij is the cosine of query i and name j. Each query is a question with N
# answers, each name as well, and the right ones stand on the diagonal.


def info_nce(
    queries: torch.Tensor, names: torch.Tensor, temperature: float, hard: torch.Tensor | None = None
) -> torch.Tensor:
    """The symmetric loss in nats; `queries`, `names` (N, d) unit vectors (van den Oord, eq. 4).

    `hard` (N, k, d) are further wrong names for each query; they join its answers only.
    """
    scores = queries @ names.T / temperature
    right = torch.arange(len(queries))
    backward = nnf.cross_entropy(scores.T, right)
    if hard is not None:
        extra = torch.einsum("nd,nkd->nk", queries, hard) / temperature
        scores = torch.cat([scores, extra], dim=1)
    return (nnf.cross_entropy(scores, right) + backward) / 2


def score_gradient(scores: F64, temperature: float) -> F64:
    """The gradient of `info_nce` for the cosines (N, N): (P + Q - 2 I) / (2 N τ).

    P has the softmax along rows, Q along columns: a pair is pulled by 1 - p, a wrong one is pushed
    by its own p. So at small τ only the nearest negatives count.
    """
    weights = np.exp((scores - scores.max()) / temperature)
    rows, columns = weights / weights.sum(1, keepdims=True), weights / weights.sum(0, keepdims=True)
    n = len(scores)
    gradient: F64 = (rows + columns - 2 * np.eye(n)) / (2 * n * temperature)
    return gradient


def gradient_error(rng: np.random.Generator, temperature: float) -> float:
    """The largest relative deviation of that formula from autograd, in float64."""
    scores = torch.tensor(rng.uniform(-1, 1, (8, 8)), requires_grad=True)
    right = torch.arange(8)
    logits = scores / temperature
    ((nnf.cross_entropy(logits, right) + nnf.cross_entropy(logits.T, right)) / 2).backward()
    assert scores.grad is not None
    exact = scores.grad.numpy()
    ours = score_gradient(scores.detach().numpy(), temperature)
    return float(np.abs(ours - exact).max() / np.abs(exact).max())


def unit(vectors: F32) -> F32:
    """The rows at length 1."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: F32 = (vectors / np.maximum(length, 1e-12)).astype(np.float32)
    return scaled


def mean_cosine(vectors: F32) -> float:
    """The mean cosine of two different rows: 0 where directions are spread evenly."""
    rows = unit(vectors).astype(float)
    total = rows.sum(axis=0)
    return float((total @ total - len(rows)) / (len(rows) * (len(rows) - 1)))


# %% [markdown]
# ## 2. Training
# Only the matrix W learns: x -> W x / |W x|. With Matryoshka the loss is the mean over vectors cut
# to their first 16, 32, 64, 128 and 384 numbers (Kusupati et al., section 3).


@dataclass(frozen=True)
class Pairs:
    """Training vectors (n, 384): queries, names, and places of hard negatives (n, k)."""

    queries: torch.Tensor
    names: torch.Tensor
    hard: NDArray[np.int64]


def train(
    matrix: torch.Tensor,
    pairs: Pairs,
    params: SentenceParams,
    rng: np.random.Generator,
    cuts: Sequence[int],
) -> Iterator[tuple[int, float]]:
    """Train `matrix` in place; yields each step's number and loss."""
    optimiser = AdamW([matrix], decay=0.01)
    size = min(params.batch, len(pairs.queries))
    order: list[int] = []
    for step in range(params.steps):
        if len(order) < size:
            order = rng.permutation(len(pairs.queries)).tolist()
        chosen, order = order[:size], order[size:]
        queries, names = pairs.queries[chosen] @ matrix, pairs.names[chosen] @ matrix
        wrong = pairs.names[pairs.hard[chosen]] @ matrix if params.hard else None
        losses = []
        for cut in cuts:
            sides = [nnf.normalize(each[..., :cut], dim=-1) for each in (queries, names)]
            extra = None if wrong is None else nnf.normalize(wrong[..., :cut], dim=-1)
            losses.append(info_nce(sides[0], sides[1], params.temperature, extra))
        loss = torch.stack(losses).mean()
        optimiser.clear()
        loss.backward()
        optimiser.step(params.lr * 0.5 * (1 + math.cos(math.pi * step / params.steps)))
        yield step + 1, loss.item()


def hardest(split_: Split, count: int) -> NDArray[np.int64]:
    """For each training query the `count` wrong names that share most groups of letters."""
    if not count:
        return np.zeros((len(split_.train), 0), np.int64)
    queries = [item.says for item in split_.train]
    scores = by_letters([item.name for item in split_.train], queries)
    np.fill_diagonal(scores, -1)
    return np.argsort(-scores, axis=1, kind="stable")[:, :count]


# %% [markdown]
# ## 3. The run


@dataclass
class Bench:
    """What the parts share: vectors by pooling, and scores (queries, names) by method."""

    params: SentenceParams
    lab: Lab
    split: Split
    vectors: dict[str, F32]
    scores: dict[str, F64] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether the claims are meant for these settings."""
        return self.params == SentenceParams(seed=self.params.seed)

    def sides(self, vectors: F32) -> tuple[F32, F32]:
        """Query and name vectors of the pool."""
        half, n = len(vectors) // 2, len(self.split.pool)
        return vectors[:n], vectors[half : half + n]

    def pairs(self) -> Pairs:
        rows = torch.from_numpy(unit(self.vectors[self.params.pooling]))
        half, n = len(rows) // 2, len(self.split.pool)
        return Pairs(rows[n:half], rows[half + n :], hardest(self.split, self.params.hard))

    def compare(self, vectors: F32) -> F64:
        """The cosines of the pool's queries and names."""
        queries, names = self.sides(vectors)
        return (unit(queries) @ unit(names).T).astype(float)

    def first(self, method: str) -> float:
        return recall_at(ranks(self.scores[method]), 1)

    def gap(self, method: str) -> float:
        """R@10 where query and name share no word; 0 when there is no such query."""
        places = ranks(self.scores[method])[self.split.unconnected]
        return recall_at(places, 10) if len(places) else 0.0


def run(params: SentenceParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what answers a typed query."""
    torch.set_num_threads(lab.threads)
    try:
        return (yield from _lesson(params, lab))
    except DataFault as fault:
        yield Failed(fault.message, fault.hint)
        return None


def _lesson(params: SentenceParams, lab: Lab) -> Steps[Explorer]:
    yield Stage("load", "functions of installed packages, and the encoder")
    yield from _questions(params)
    items = yield from package_functions(lab, PACKAGES)
    parts = split(items, params.pool, params.pairs, lab.rng())
    model = MiniLM()
    vectors = yield from cached_poolings(lab, parts.texts(), model)
    bench = Bench(params, lab, parts, vectors)
    yield Note(
        f"“{parts.pool[0].says}” should find {' '.join(parts.pool[0].name)}; "
        f"{int(parts.unconnected.sum())} of {params.pool:,} queries share no word with their name"
    )
    yield from _untrained(bench)
    matrix = yield from _train(bench)
    yield from _cone(bench, matrix)
    cut = (yield from _matryoshka(bench, matrix)) if params.matryoshka else 0.0
    yield from _verdict(bench, cut)
    projected = unit(vectors[params.pooling]) @ matrix

    def encode(text: str) -> F32:
        steps = model.poolings([text])
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found: dict[str, F32] = end.value
                return unit(unit(found[params.pooling]) @ matrix)[0]

    return Finder(parts.pool, unit(bench.sides(projected)[1]), encode)


def _questions(params: SentenceParams) -> Iterator[Event]:
    yield Prediction(
        "first",
        f"Which finds more names at the first place among {params.pool:,}: MiniLM as it comes "
        f"(pooling: {params.pooling}), or shared groups of 3 and 4 letters, weighted by rarity?",
        FIRST,
    )
    yield Prediction(
        "gain",
        f"{params.pairs:,} pairs train one matrix on top. By how many points does the share found "
        "at the first place rise?",
        unit="points",
    )
    yield Prediction(
        "gap",
        "Some queries share no word with the name. Of how many per cent of these will the trained "
        "vectors have the name among the first ten? Word matching has none.",
        unit="%",
    )


def _untrained(bench: Bench) -> Iterator[Event]:
    yield Stage("check", "the gradient by its closed form, and what needs no training")
    error = gradient_error(bench.lab.rng(1), bench.params.temperature)
    text = "the gradient of InfoNCE is (P + Q - 2 I) / (2 N τ): deviation from autograd"
    yield claim("closed-form-gradient", text, error, "<=", 1e-6)
    names = [item.name for item in bench.split.pool]
    queries = [item.says for item in bench.split.pool]
    bench.scores = {WORDS: by_words(names, queries), LETTERS: by_letters(names, queries)}
    bench.scores |= {_named(each): bench.compare(bench.vectors[each]) for each in POOLINGS}
    yield _table(bench)
    text = "R@10 of word matching where no word is shared"
    yield claim("words-zero", text, bench.gap(WORDS), "==", 0)


def _named(pooling: str) -> str:
    return {"mean": "MiniLM, mean", "cls": "MiniLM, [CLS]", "static": "MiniLM, input vectors"}[
        pooling
    ]


def _train(bench: Bench) -> Steps[F32]:
    params, pairs = bench.params, bench.pairs()
    yield Stage(
        "train", f"{params.steps} steps, {len(pairs.queries):,} pairs, one 384 x 384 matrix"
    )
    curves = Curves("search", f"Found at the first place among {params.pool:,}", "step", "R@1")
    curves.levels = {"chance": chance_recall(1, params.pool), LETTERS: bench.first(LETTERS)}
    matrix = torch.eye(WIDTH, requires_grad=True)
    every = max(1, params.steps // _LOOKS)
    curves.add(TRAINED, 0, bench.first(_named(params.pooling)))
    for step, loss in train(matrix, pairs, params, bench.lab.rng(2), (WIDTH,)):
        if step % 5 == 0 or step == params.steps:
            yield Progress(step, params.steps, "step", f"loss {loss:.3f}")
        if step % every == 0 or step == params.steps:
            _judge(bench, matrix)
            curves.add(TRAINED, step, bench.first(TRAINED))
            yield curves.series()
    bench.scores[SUM] = bench.scores[TRAINED] + bench.scores[LETTERS]
    yield _table(bench)
    yield _cases(bench)
    learnt: F32 = matrix.detach().numpy()
    return learnt


def _judge(bench: Bench, matrix: torch.Tensor) -> None:
    rows = unit(bench.vectors[bench.params.pooling])
    bench.scores[TRAINED] = bench.compare(rows @ matrix.detach().numpy())


def _table(bench: Bench) -> Table:
    pool = bench.params.pool
    rows: list[list[Cell]] = [["chance", *(round(chance_recall(k, pool), 3) for k in (1, 10, 10))]]
    for name, score in bench.scores.items():
        places = ranks(score)
        found = (recall_at(places, 1), recall_at(places, 10), bench.gap(name))
        rows.append([name, *(round(x, 3) for x in found)])
    columns = ["method", "R@1", "R@10", "R@10, no shared word"]
    return Table("search-table", f"Docstring to name, {pool:,} functions", columns, rows)


def _cases(bench: Bench) -> Table:
    """Queries whose place changed most by training, and what stands first now."""
    now, before = (ranks(bench.scores[m]) for m in (TRAINED, _named(bench.params.pooling)))
    moved = np.argsort(now - before, kind="stable")
    rows: list[list[Cell]] = []
    for i in [*moved[:4], *moved[-3:]]:
        best = bench.split.pool[int(bench.scores[TRAINED][i].argmax())]
        item = bench.split.pool[i]
        places = [int(before[i]) + 1, int(now[i]) + 1]
        rows.append([item.says[:60], " ".join(item.name), *places, " ".join(best.name)])
    columns = ["query", "name", "place before", "place now", "first now"]
    return Table("cases", "What training moved", columns, rows)


def _cone(bench: Bench, matrix: F32) -> Iterator[Event]:
    """Anisotropy: the mean cosine of random texts, and whether curing it helps the search."""
    yield Stage("cone", "mean cosine of two random texts, raw, centred and trained")
    rows: list[list[Cell]] = []
    found: dict[str, tuple[float, float]] = {}
    for pooling in POOLINGS:
        raw = bench.vectors[pooling]
        n = len(bench.split.pool)
        centred = unit(raw) - unit(raw)[n : len(raw) // 2].mean(axis=0)
        for name, vectors in ((_named(pooling), raw), (f"{_named(pooling)}, centred", centred)):
            found[name] = mean_cosine(vectors), recall_at(ranks(bench.compare(vectors)), 1)
            rows.append([name, *(round(x, 3) for x in found[name])])
    trained = unit(bench.vectors[bench.params.pooling]) @ matrix
    rows.append([TRAINED, round(mean_cosine(trained), 3), round(bench.first(TRAINED), 3)])
    yield Table("cone", "The cone and the search", ["vectors", "mean cosine", "R@1"], rows,
                "centred by the mean of the training queries")  # fmt: skip
    if bench.plain:
        cls = _named("cls")
        text = "[CLS] vectors lie in a cone: the mean cosine of two random texts"
        yield claim("cone", text, found[cls][0], ">=", 0.3)
        text = "curing the cone by centring cures the search (R@1 of [CLS], centred minus raw)"
        gain = found[f"{cls}, centred"][1] - found[cls][1]
        yield claim("centring-cures", text, gain, ">=", 0.1, expect="refuted")


def _matryoshka(bench: Bench, matrix: F32) -> Steps[float]:
    """Cut vectors: plain training, nested training, no training. Returns the gain at the shortest."""
    yield Stage("matryoshka", f"the same training, the loss at {', '.join(map(str, CUTS))} numbers")
    nested = torch.eye(WIDTH, requires_grad=True)
    params = bench.params
    for step, loss in train(nested, bench.pairs(), params, bench.lab.rng(2), CUTS):
        if step % 5 == 0 or step == params.steps:
            yield Progress(step, params.steps, "step", f"loss {loss:.3f}")
    rows_ = unit(bench.vectors[params.pooling])
    kinds = {
        "nested training": rows_ @ nested.detach().numpy(),
        "plain training": rows_ @ matrix,
        "untrained": rows_,
    }
    shares = {
        name: [recall_at(ranks(bench.compare(vectors[:, :cut])), 1) for cut in CUTS]
        for name, vectors in kinds.items()
    }
    rows: list[list[Cell]] = [[name, *(round(x, 3) for x in row)] for name, row in shares.items()]
    yield Table("cuts", "R@1 by the numbers kept", ["vectors", *map(str, CUTS)], rows)
    return shares["nested training"][0] - shares["plain training"][0]


def _verdict(bench: Bench, cut: float) -> Iterator[Event]:
    own = _named(bench.params.pooling)
    start, letters, end = bench.first(own), bench.first(LETTERS), bench.first(TRAINED)
    kind = 2 if abs(start - letters) < 0.02 else 0 if start > letters else 1
    yield Outcome("first", FIRST[kind], f"MiniLM {start:.1%}, groups of letters {letters:.1%}.")
    yield Outcome("gain", round(100 * (end - start), 1), f"from {start:.1%} to {end:.1%}")
    yield Outcome("gap", round(100 * bench.gap(TRAINED), 1), f"untrained {bench.gap(own):.1%}")
    both = bench.first(SUM)
    if bench.plain:
        yield from _claims(bench, cut)
    else:
        yield Note("the claims are for the default settings; these figures stand alone")
    yield Finding(
        f"I froze the encoder and trained one matrix with InfoNCE on {bench.params.pairs:,} pairs: "
        f"the right name comes first in {end:.0%} of queries instead of {start:.0%}. Groups of "
        f"letters, without training, have {letters:.0%}, and the sum of both {both:.0%}. Where no "
        f"word is shared, word matching finds nothing among the first ten and the trained vectors "
        f"{bench.gap(TRAINED):.0%}. So I would ship the sum, and always show the lexical baseline."
    )


def _claims(bench: Bench, cut: float) -> Iterator[Event]:
    mean, trained = bench.first(_named("mean")), bench.first(TRAINED)
    text = "mean pooling finds more than [CLS] in a model trained for the mean (R@1, difference)"
    yield claim("mean-above-cls", text, mean - bench.first(_named("cls")), ">=", 0.02)
    text = "R@1 after training minus R@1 of mean pooling"
    yield claim("trained-ahead", text, trained - mean, ">=", 0.015)
    text = "R@10 of the trained vectors where no word is shared, chance being 0.01"
    yield claim("zero-overlap", text, bench.gap(TRAINED), ">=", 0.3)
    text = "a pretrained encoder clearly beats lexical search (R@1, MiniLM minus letter groups)"
    ahead = mean - bench.first(LETTERS)
    yield claim("dense-beats-letters", text, ahead, ">=", 0.05, expect="refuted")
    text = "the sum of trained vectors and letter groups minus letter groups (R@1)"
    yield claim("sum-ahead", text, bench.first(SUM) - bench.first(LETTERS), ">=", 0.03)
    text = f"vectors cut to {CUTS[0]} numbers: nested minus plain training (R@1)"
    yield claim("matryoshka", text, cut, ">=", 0.01)


if __name__ == "__main__":
    main(SENTENCE)
