"""Judge word vectors: several methods, the same text, about the same CPU time.

A single score says little. Here counting, skip-gram, CBOW and GloVe get about the same CPU time on
the same text, and each comparison has an interval, for WordSim-353 knows only some hundred pairs.
Then the questions that scores hide: what analogies return when nothing is excluded, which words
are everybody's neighbours, what frequency does to a vector, and where the other sense of a word is.

How they are trained is in demos/static/equal_time.py.

    python -m demos.static.evaluation --effort 0.5
    python -m demos.static.evaluation --fasttext
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TypeAlias, TypeVar

import numpy as np

from demos.kit.compiled import load
from demos.kit.corpus import own, wikipedia
from demos.kit.data import told
from demos.kit.geometry import (
    Draws,
    all_but_the_top,
    bootstrap,
    hubs,
    mean_cosine,
    norm_by_frequency,
)
from demos.kit.guide import Guide
from demos.kit.judge import ask_analogies, frequency_score
from demos.kit.methods import counted
from demos.kit.plots import Curves
from demos.kit.similarity import (
    Space,
    analogies,
    answer_analogies,
    save_word2vec,
    simlex,
    wordsim,
)
from demos.kit.trainer import MAX_WORDS
from demos.static.bias import bias_probe
from demos.static.equal_time import (
    CBOW,
    COUNT_DIM,
    COUNT_TOLERANCE,
    COUNTING,
    FASTTEXT,
    GLOVE,
    SKIPGRAM,
    Bench,
    Trained,
    add_score,
    fit_glove,
    predict,
)
from demos.static.senses import hidden_senses
from demos.static.specs import EVALUATION, EvaluationParams
from studytool.demo.events import (
    Cell,
    Claim,
    Event,
    Finding,
    Metric,
    Note,
    Outcome,
    Prediction,
    Stage,
    Table,
    claim,
)
from studytool.demo.spec import Explorer, Lab, main

R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. The run


def run(params: EvaluationParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what answers words and sums of words, with skip-gram's vectors."""
    return (yield from told(_lesson(params, lab)))


def _lesson(params: EvaluationParams, lab: Lab) -> Steps[Explorer | None]:
    bench = yield from _prepare(params, lab)
    yield from _predictions(bench)
    methods = yield from _train(bench)
    spaces = {name: each.space for name, each in methods.items()}
    if lab.save is not None:
        for name, space in spaces.items():
            save_word2vec(space, lab.save / f"vectors-{name.replace(' ', '').lower()}.txt")
        yield Note("each method's vectors are in a file of their own, in word2vec's text format")
    said = []
    if bench.scored:
        said.append((yield from _scores(bench, methods)))
    else:
        yield Note("too few rated pairs are in this text: the scores are left out")
    said.append((yield from _analogies(bench, spaces)))
    yield from _shapes(bench, spaces)
    said.append((yield from _senses(bench, spaces[SKIPGRAM])))
    yield from bias_probe(spaces[SKIPGRAM], lab.rng(30))
    if not bench.plain:
        yield Note("the bars are for the default text and settings; these figures stand alone")
    yield Finding(" ".join(part for part in said if part))
    return Guide(spaces[SKIPGRAM])


def _prepare(params: EvaluationParams, lab: Lab) -> Steps[Bench]:
    yield Stage("load", "text and human judgements")
    corpus = yield from own(lab, params.corpus) if params.corpus else wikipedia(lab)
    size = corpus.usable(params.min_count, MAX_WORDS)
    yield Note(f"{corpus.name}: {corpus.tokens:,} words; {size:,} get a vector")
    yield Stage("compile", "the inner loops: some seconds once, then they come from the cache")
    files = {SKIPGRAM: "sgns", CBOW: "cbow_loop", GLOVE: "glove_loop"}
    if params.fasttext:
        files[FASTTEXT] = "subword_loop"
    loops = {method: load(file, lab) for method, file in files.items()}
    for loop in loops.values():
        loop.warm_up()
    curve = Curves("score-by-cpu", "Agreement with people: WordSim-353", "CPU seconds", "Spearman")
    curve.levels["chance"] = 0.0
    return Bench(params, lab, corpus, size, loops, wordsim(), curve)


def _predictions(bench: Bench) -> Iterator[Event]:
    if bench.scored:
        yield Prediction(
            "best-method",
            "All get about the same CPU time, counting far less. Whose cosines agree best with "
            "people (WordSim-353)?",
            (COUNTING, *bench.loops),
        )
    yield Prediction(
        "raw-is-input",
        "Of the analogies a : b = c : ?, with skip-gram's vectors and nothing excluded: for what "
        "share is the nearest word one of a, b and c themselves (0 to 1)?",
        unit="share",
    )


def _train(bench: Bench) -> Steps[dict[str, Trained]]:
    methods = {}
    yield Stage("count", "positive PMI of co-occurrence counts, and its SVD")
    if counts := counted(bench.corpus, bench.size, COUNT_DIM, COUNT_TOLERANCE):
        methods[COUNTING] = Trained(counts.space, counts.seconds)
        add_score(bench, COUNTING, counts.seconds, counts.space)
    else:
        yield Note("counting is left out: it would need the whole text in memory")
    for stream, method in enumerate(bench.loops):
        yield Stage("train", f"{method}, {bench.passes(method)} passes")
        if method == GLOVE:
            methods[method] = yield from fit_glove(bench, stream)
        else:
            methods[method] = yield from predict(bench, method, stream)
        if bench.scored:
            yield bench.curve.series()
    for name, trained in methods.items():
        yield Metric(f"{name}: CPU", trained.seconds, unit="s")
    return methods


# %% [markdown]
# ## 2. Scores with intervals
# The pairs are drawn again with replacement; two methods are compared on the same draws.


def _scores(bench: Bench, methods: dict[str, Trained]) -> Steps[str]:
    yield Stage("scores", "agreement with people, each with a 95 % bootstrap interval")
    spaces = {name: each.space for name, each in methods.items()}
    spaces |= {f"{name}, top removed": all_but_the_top(spaces[name], 2) for name in methods}
    related = bootstrap(spaces, bench.human, bench.lab.rng(20))
    similar = bootstrap(spaces, simlex(), bench.lab.rng(21))
    trivial = frequency_score(bench.corpus, spaces[SKIPGRAM], bench.human)
    rows: list[list[Cell]] = [
        ["equally frequent words are alike", None, f"{trivial.rho:.2f}", None]
    ]
    for name, trained in methods.items():
        scores = str(related.score(name)), str(similar.score(name))
        rows.append([name, round(trained.seconds, 1), *scores])
    pairs = [spaces[SKIPGRAM].score(each).pairs for each in (bench.human, simlex())]
    note = (
        f"Spearman and 95 % interval over {pairs[0]} and {pairs[1]} pairs; chance is 0, the best 1"
    )
    columns = ["method", "CPU s", "WordSim-353", "SimLex-999"]
    yield Table("methods", "Agreement with people", columns, rows, note)
    yield from _differences(methods, related, similar)
    best = max(methods, key=lambda name: related.values[name])
    said = ", ".join(f"{name} {related.values[name]:.2f}" for name in methods)
    yield Outcome("best-method", best, f"WordSim-353: {said}.")
    if bench.plain:
        yield from _score_claims(methods, related)
    return (
        f"At about equal CPU time the methods agree with people like this: {said}. With "
        f"{pairs[0]} pairs an interval is about {_width(related):.2f} wide, so small differences "
        "say nothing."
    )


def _width(draws: Draws) -> float:
    _, low, high = draws.score(SKIPGRAM)
    return high - low


def _differences(methods: dict[str, Trained], related: Draws, similar: Draws) -> Iterator[Event]:
    rows: list[list[Cell]] = []
    for name in methods:
        if name != SKIPGRAM:
            gains = (draws.gain(name, SKIPGRAM) for draws in (related, similar))
            rows.append([f"{name} minus {SKIPGRAM}", *map(str, gains)])
    for name in methods:
        gains = (draws.gain(f"{name}, top removed", name) for draws in (related, similar))
        rows.append([f"{name}: mean and 2 directions removed", *map(str, gains)])
    columns = ["difference", "WordSim-353", "SimLex-999"]
    note = "an interval that holds 0 shows no difference"
    yield Table("differences", "Differences on the same draws of pairs", columns, rows, note)


def _score_claims(methods: dict[str, Trained], related: Draws) -> Iterator[Claim]:
    lows = [related.gain(name, GLOVE).low for name in methods if name != GLOVE]
    text = "GloVe is last on so small a text (lower end of the interval to the last but one)"
    yield claim("glove-last", text, min(lows), ">", 0)
    text = "predicting is better than counting (lower end of skip-gram minus PPMI + SVD)"
    yield claim(
        "predicting-better", text, related.gain(SKIPGRAM, COUNTING).low, ">", 0, expect="refuted"
    )
    text = "counting's share of skip-gram's CPU time"
    share = methods[COUNTING].seconds / methods[SKIPGRAM].seconds
    yield claim("counting-cpu", text, share, "<=", 0.2)


# %% [markdown]
# ## 3. Analogies, frequency and hubs


def _analogies(bench: Bench, spaces: dict[str, Space]) -> Steps[str]:
    yield Stage("analogies", "a is to b as c is to ...: with and without excluding a, b and c")
    yield from _example(spaces[SKIPGRAM])
    questions = analogies()
    rows: list[list[Cell]] = []
    found = {name: answer_analogies(space, questions) for name, space in spaces.items()}
    for name, score in found.items():
        asked = max(1, score.asked)
        shares = (score.right_excluded, score.right_raw, score.raw_is_input)
        rows.append([name, *(round(share / asked, 4) for share in shares)])
    asked = found[SKIPGRAM].asked
    columns = ["method", "right, inputs excluded", "right, nothing excluded", "answer is a, b or c"]
    yield Table("analogies-by-method", f"{asked:,} known questions", columns, rows)
    if not asked:
        return ""
    share = found[SKIPGRAM].raw_is_input / asked
    text = f"One of a, b and c is nearest in {share:.0%} of {asked:,} questions."
    yield Outcome("raw-is-input", round(share, 2), text)
    if bench.plain:
        text = "with nothing excluded, the nearest word is one of the inputs (skip-gram, share)"
        yield claim("raw-is-input", text, share, ">=", 0.7)
    return f"With nothing excluded, analogies return an input in {share:.0%} of the cases."


def _example(space: Space) -> Iterator[Event]:
    """The tables of one method, without the outcome that belongs to another demo's question."""
    return (
        event
        for event in ask_analogies(space)
        if isinstance(event, Table) and event.id == "example"
    )


def _shapes(bench: Bench, spaces: dict[str, Space]) -> Iterator[Event]:
    yield Stage("shape", "frequency, common directions, and words that are everybody's neighbour")
    rows: list[list[Cell]] = []
    for name, space in spaces.items():
        found = hubs(space, _HUB_WORDS)
        rows.append(
            [
                name,
                norm_by_frequency(space),
                mean_cosine(space),
                found.skew,
                found.largest,
                found.never,
                found.word,
            ]
        )
    columns = [
        "method", "length with frequency", "mean cosine", "skew of N10", "largest N10",
        "never a neighbour", "hub",
    ]  # fmt: skip
    note = (
        f"N10: in how many of {min(_HUB_WORDS, bench.size):,} lists of 10 neighbours a word stands; 10 in "
        "the mean. Length with frequency: Spearman; mean cosine: 0 if directions were spread evenly"
    )
    yield Table("shapes", "Frequency, common direction, hubs", columns, rows, note)


#: Hubs are counted among this many of the most frequent words.
_HUB_WORDS = 4000


# %% [markdown]
# ## 4. Where is the other sense?
# See demos/static/senses.py: the neighbours of an ambiguous word show one sense. The other is not
# mixed in; take the neighbours' main directions away, and it surfaces, or not, word by word.


def _senses(bench: Bench, space: Space) -> Steps[str]:
    yield Stage(
        "senses", "take away the neighbours' main directions: does the other sense come up?"
    )
    found = hidden_senses(space, bench.lab.rng(22))
    if not found:
        yield Note("the ambiguous words of this part are not in this text")
        return ""
    rows: list[list[Cell]] = [
        [
            each.word,
            each.shown,
            each.hidden,
            each.before,
            each.after,
            round(each.chance, 3),
            each.surfaces,
        ]
        for each in found
    ]
    columns = ["word", "nearest", "other sense", "rank before", "rank after", "p", "surfaces"]
    note = (
        "rank: median of the other sense's probe words; p: share of matched random words that gain as "
        "much; it surfaces when the rank is halved and p < .05"
    )
    yield Table("senses", "Hidden senses", columns, rows, note)
    real = float(np.mean([each.surfaces for each in found]))
    random = float(np.mean([each.random for each in found]))
    yield Metric("words whose other sense surfaces", real, unit="share")
    yield Metric("the same with random directions", random, unit="share")
    if bench.plain:
        text = f"the other sense surfaces more often than by random directions (share of {len(found)} words)"
        yield claim("senses-hidden", text, real - random, ">=", 0.05)
        text = "the other sense surfaces when random directions are taken away"
        yield claim("senses-random", text, random, "<=", 0.1)
    return (
        f"Taking away the main directions of an ambiguous word's neighbours brings up its other "
        f"sense in {real:.0%} of {len(found)} words, random directions in {random:.0%}."
    )


if __name__ == "__main__":
    main(EVALUATION)
