"""N-gram language models: predict the next word from the few before it, by counting.

A language model says how likely each word is to come next. An n-gram model looks only at the
n - 1 words before it, and its maximum-likelihood estimate is count and divide. It is also
useless: one pair of words that the training text lacks, and the whole test text is impossible.
Everything after that is about where to take probability from, and whom to give it.

The text is 106 Wikipedia articles; every tenth is held out and only ever scored. Watch four
things: what adding one does (it is worse than to ignore all context), what asking "how many
different words come before it?" instead of "how often?" is worth, how little a fourth word of
context brings on half a million words, and how text drawn from each model reads.

The estimates are in demos/lexical/ngram_models.py: read that first.

Chen and Goodman 1998, *An Empirical Study of Smoothing Techniques for Language Modeling*,
Harvard TR-10-98; Kneser and Ney 1995.

    python -m demos.lexical.ngrams --k 0.01
    python -m demos.lexical.ngrams --corpus my.txt --explore      then: in the
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from demos.kit.corpus import own, wikipedia
from demos.kit.data import DataFault, told
from demos.kit.ngram_tables import END, UNKNOWN, Split, Tables, View, count, split
from demos.kit.params import as_default
from demos.kit.plots import Curves
from demos.lexical.ngram_models import (
    KneserNey,
    add_k,
    definition_error,
    jelinek_mercer,
    learn_weights,
    sum_error,
)
from demos.lexical.ngram_talk import Storyteller, surprise_table, versatile_table
from demos.lexical.specs import NGRAMS, NgramParams
from studytool.demo.events import (
    Cell,
    Event,
    Finding,
    Metric,
    Note,
    Outcome,
    Prediction,
    Progress,
    Stage,
    Table,
    Text,
    claim,
)
from studytool.demo.spec import Explorer, Lab, main

F64: TypeAlias = NDArray[np.float64]
R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. The run


def perplexity(p: F64) -> float:
    """exp of the mean surprise: as uncertain as among so many equally likely words."""
    return exp(-np.log(p).mean()) if p.min() > 0 else inf


#: Bounds for the default text and settings (Wikipedia sample, any tenth held out).
KN3, MODIFIED3, FOURTH = 400, 390, 0.02
ADD_K = ("better than the unigram", "up to 10 times worse", "more than 10 times worse")
MODIFIED = "modified Kneser-Ney"
PADDED = "the same, n - 1 openings"
#: Sentences that must be left to count, and symbols that the slow definition is given.
MIN_SENTENCES, _FEW = 50, 800
_SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)


@dataclass
class Bench:
    """What the parts of a run share; `scores` are perplexities by method and n."""

    params: NgramParams
    lab: Lab
    split: Split
    tables: Tables
    view: View
    scores: dict[tuple[str, int], float]

    @property
    def plain(self) -> bool:
        """Whether the bars are meant for these settings."""
        return as_default(self.params, "prefix", "words")

    @property
    def orders(self) -> range:
        return range(1, self.params.order + 1)


def run(params: NgramParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what answers a few words with their continuations."""
    return (yield from told(_lesson(params, lab)))


def _lesson(params: NgramParams, lab: Lab) -> Steps[Explorer]:
    yield from _questions(params)
    yield Stage("load", "text, and which of it is held out")
    corpus = yield from own(lab, params.corpus) if params.corpus else wikipedia(lab)
    parts = split(corpus, params.every, params.seed, params.min_count)
    if (parts.train == parts.size).sum() < MIN_SENTENCES:
        raise DataFault(
            f"{corpus.name} has fewer than {MIN_SENTENCES} sentences to count",
            "Use a longer text whose sentences end with a stop or a new line.",
        )
    yield Stage("count", f"all word sequences of length 1 to {params.order}")
    begun = time.process_time()
    tables = count(parts.train, parts.size, params.order)
    model = KneserNey(tables, params.order)
    model.spread([])
    yield Metric("training CPU", time.process_time() - begun, unit="s")
    bench = Bench(params, lab, parts, tables, View(tables, parts.test), {})
    unknown = float((parts.test == UNKNOWN).mean())
    yield Note(
        f"{corpus.name}: {int((parts.train < parts.size).sum()):,} words and sentence ends to "
        f"count, {len(bench.view.at):,} to predict, {parts.size:,} different; {unknown:.1%} of "
        "the held-out words are <unknown> and cheap to guess, so all figures flatter"
    )
    yield from _checks(bench, model)
    yield from _zeros(bench)
    yield from _smoothing(bench)
    yield from _more_text(bench)
    talk = Storyteller(
        [KneserNey(tables, n) for n in bench.orders], parts, params.words, [params.seed]
    )
    yield from _cases(bench, talk)
    yield from _verdict(bench)
    return talk


def _questions(params: NgramParams) -> Iterator[Event]:
    yield Prediction(
        "best-n",
        f"Kneser-Ney with n from 1 to {params.order}, half a million words: which n predicts the "
        "held-out text best?",
        [str(n) for n in range(1, params.order + 1)],
    )
    yield Prediction(
        "add-k",
        f"A trigram smoothed by adding {params.k:g} to each count, against the plain unigram that "
        "ignores all context: its perplexity is …",
        ADD_K,
    )


def _checks(bench: Bench, model: KneserNey) -> Iterator[Event]:
    yield Stage("check", "the fast form against the definition in exact fractions")
    size, train = bench.split.size, bench.split.train
    later = np.flatnonzero((train == size) & (np.arange(len(train)) >= _FEW))
    at = int(later[0]) if len(later) else 0
    error = definition_error(train[:_FEW], size, train[at : at + 80], 3)
    text = "fast Kneser-Ney equals its recursive definition (largest relative deviation)"
    yield claim("definition", text, error, "<=", 1e-12)
    error = sum_error(model, size, bench.lab.rng(1))
    text = "the probabilities of all words add up to 1, after any history"
    yield claim("sums-to-one", text, error, "<=", 1e-9)
    for k in model.fallbacks:
        yield Note(f"order {k} has too few counts of 1 to 4: a discount of 0.75 stands in")


def _zeros(bench: Bench) -> Iterator[Event]:
    yield Stage("zeros", "count and divide")
    rows: list[list[Cell]] = []
    shares = {}
    for n in bench.orders:
        shares[n] = float((add_k(bench.view, n, 0) == 0).mean())
        rows.append([n, len(bench.tables.levels[n - 1].keys), shares[n]])
    columns = ["n", "different n-grams counted", "held-out words that are impossible"]
    yield Table("zeros", "Maximum likelihood: one zero, and perplexity is infinite", columns, rows)
    if bench.plain:
        text = "held-out words that the bigram model calls impossible (share)"
        yield claim("bigram-zeros", text, shares[2], ">=", 0.2)


def _smoothing(bench: Bench) -> Iterator[Event]:
    """Perplexity of each method at each n; the tuned one learns on a tenth of the training text."""
    yield Stage("smooth", "perplexity on the held-out text, lower is better")
    params, train, size = bench.params, bench.split.train, bench.split.size
    held = bench.split.piece % params.every == (params.seed + 1) % params.every
    if held.all() or not held.any():  # no document to spare: every tenth sentence
        held = np.cumsum(train == size) % 10 == 0
    tuning = View(count(train[~held], size, params.order), train[held])
    for n in bench.orders:
        methods = _methods(bench, tuning, n)
        bench.scores.update({(name, n): perplexity(p) for name, p in methods.items()})
        yield _perplexities(bench, list(methods), n)
        yield Progress(n, params.order, "order")


def _methods(bench: Bench, tuning: View, n: int) -> dict[str, F64]:
    view, tables, k = bench.view, bench.tables, bench.params.k
    padded = bench.split.reopened(max(1, n - 1))
    again = count(padded.train, padded.size, n, max(1, n - 1))
    return {
        "maximum likelihood": add_k(view, n, 0),
        "add 1": add_k(view, n, 1),
        "add 0.01": add_k(view, n, 0.01),
        f"add {k:g}": add_k(view, n, k),
        "Jelinek-Mercer, tuned": jelinek_mercer(view, learn_weights(tuning, n)),
        "absolute discounting": KneserNey(tables, n, False, False).score(view),
        "Kneser-Ney": KneserNey(tables, n, False).score(view),
        MODIFIED: KneserNey(tables, n).score(view),
        PADDED: KneserNey(again, n).score(View(again, padded.test)),
    }


def _perplexities(bench: Bench, names: Sequence[str], orders: int) -> Table:
    shown = range(1, orders + 1)
    rows: list[list[Cell]] = [["uniform: chance", *(bench.split.size for _ in shown)]]
    for name in names:
        found = (bench.scores[name, n] for n in shown)
        rows.append([name, *(round(x, 1) if isfinite(x) else "infinite" for x in found)])
    columns = ["perplexity", *(f"n = {n}" for n in shown)]
    note = "n = 1 is the unigram, which ignores all context: the line to beat"
    return Table("perplexity", "Held-out perplexity", columns, rows, note)


def _more_text(bench: Bench) -> Iterator[Event]:
    yield Stage("more text", "the same with less text: what would more of it bring?")
    curves = Curves("text", "Modified Kneser-Ney", "share of the training text", "perplexity")
    curves.levels["unigram"] = bench.scores["add 1", 1]
    train, piece = bench.split.train, bench.split.piece
    for share in _SHARES:
        part = train[piece <= np.quantile(piece, share)]
        tables = count(part, bench.split.size, bench.params.order)
        view = View(tables, bench.split.test)
        for n in bench.orders[1:]:
            curves.add(f"n = {n}", share, perplexity(KneserNey(tables, n).score(view)))
        yield curves.series()


def _cases(bench: Bench, talk: Storyteller) -> Iterator[Event]:
    yield Stage("cases", "text drawn from each model, and single words")
    words = bench.params.prefix.lower().split()
    for model in talk.models:
        yield Text(f"drawn-{model.n}", f"Text drawn with n = {model.n}", talk.tell(model, words))
    yield talk.likely(bench.split.numbers(words), bench.params.prefix)
    yield versatile_table(bench.tables, bench.split.names)
    yield from _surprises(bench)


def _surprises(bench: Bench) -> Iterator[Event]:
    """One held-out sentence of known words, under three models."""
    view, names = bench.view, bench.split.names
    words = view.stream[view.at]
    ends = np.flatnonzero(words == END)
    for begin, end in zip(ends + 1, ends[1:] + 1, strict=False):
        if 8 <= end - begin <= 16 and UNKNOWN not in words[begin:end]:
            scores = {
                "unigram": add_k(view, 1, 1),
                "add 1, n = 3": add_k(view, min(3, bench.params.order), 1),
                "Kneser-Ney": KneserNey(bench.tables, bench.params.order).score(view),
            }
            yield surprise_table(
                [names[word] for word in words[begin:end]],
                {name: p[begin:end] for name, p in scores.items()},
            )
            return


def _verdict(bench: Bench) -> Iterator[Event]:
    scores, params = bench.scores, bench.params
    kn = {n: scores[MODIFIED, n] for n in bench.orders}
    best, third, unigram = min(kn, key=lambda n: kn[n]), min(3, params.order), scores["add 1", 1]
    yield Outcome("best-n", str(best), f"n = {best}, with a perplexity of {kn[best]:.0f}.")
    ratio = scores[f"add {params.k:g}", third] / unigram
    answer = ADD_K[0 if ratio < 1 else 1 if ratio <= 10 else 2]
    yield Outcome("add-k", answer, f"It is {ratio:.1f} times the unigram's {unigram:.0f}.")
    if bench.plain:
        yield from _claims(bench)
    else:
        yield Note("the bars are for the default text and settings; these figures stand alone")
    also = "" if best == third else f" and {kn[best]:.0f} with n = {best}"
    yield Finding(
        f"On {len(bench.view.at):,} held-out words the unigram has a perplexity of {unigram:.0f}; "
        f"with n = {third}, adding {params.k:g} to each count makes that {ratio:.1f} times as "
        f"high, and modified Kneser-Ney reaches {kn[third]:.0f}{also}. What counts is where the "
        "probability of unseen words comes from, not the length of n."
    )


def _claims(bench: Bench) -> Iterator[Event]:
    scores = bench.scores
    plain3, three, four = scores["Kneser-Ney", 3], scores[MODIFIED, 3], scores[MODIFIED, 4]
    yield claim("kn3", "perplexity of the Kneser-Ney trigram", plain3, "<=", KN3)
    yield claim("modified-kn3", "three discounts instead of one", three, "<=", MODIFIED3)
    ratio = scores["add 1", 3] / scores["add 1", 1]
    text = "a trigram with add-one smoothing beats the unigram (ratio of perplexities)"
    yield claim("add-one", text, ratio, "<", 1, unit="times", expect="refuted")
    ratio = scores["absolute discounting", 3] / plain3
    text = "occurrences instead of continuation counts raise the perplexity (ratio)"
    yield claim("continuation", text, ratio, ">=", 1.03, unit="times")
    ratio = scores["Jelinek-Mercer, tuned", 3] / three
    text = "tuned interpolation is worse than modified Kneser-Ney (ratio)"
    yield claim("interpolation", text, ratio, ">=", 1.05, unit="times")
    text = "a fourth word lowers the perplexity by at least 2 % (share)"
    yield claim("fourth-word", text, 1 - four / three, ">=", FOURTH, expect="refuted")
    ratio = scores[PADDED, 4] / scores[PADDED, 3]
    text = "with n - 1 openings per sentence a fourth word makes it worse (ratio)"
    yield claim("padding", text, ratio, ">=", 1, unit="times")


if __name__ == "__main__":
    main(NGRAMS)
