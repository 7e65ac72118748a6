"""TF-IDF and BM25: find a document by the words it shares with a query.

A word that is in few documents says more about the one that has it. That is the whole idea, and
it ranks well: rare words weigh more, repeated words count, long documents pay for their length.
Nothing is trained. What can go wrong is what no counting repairs: when the query says "delete" and
the document "remove", they share nothing, and the score is exactly zero.

What is searched here ships with every Python: the functions of its standard library. The query is
the first sentence of a function's docstring, the document is the function's name (`document =
body`: all names in its code), and the right answer is known.

Watch four things: the same formula under several conventions, each equal to scikit-learn's;
BM25 losing to TF-IDF on names and winning on code; the queries that no word connects; and what
other methods find of them.

Robertson and Zaragoza 2009, *The Probabilistic Relevance Framework*, doi:10.1561/1500000019.

The formulas are in demos/lexical/tfidf_weights.py: read that first.

    python -m demos.lexical.tfidf --document body
    python -m demos.lexical.tfidf --corpus my.txt --explore      then: type a query
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from demos.kit.corpus import own
from demos.kit.data import DataFault, told
from demos.kit.library import Item, functions, words_of
from demos.kit.params import as_default
from demos.kit.retrieval import chance_recall, ranks, recall_at
from demos.kit.terms import Terms, document_frequency, letter_groups, passages
from demos.lexical.specs import TFIDF, TfidfParams
from demos.lexical.tfidf_search import Searcher
from demos.lexical.tfidf_weights import (
    BY_HAND,
    Lsa,
    bm25_by_loops,
    bm25_weights,
    by_hand,
    cosines,
    library_error,
    library_idf,
)
from studytool.demo.events import (
    Cell,
    Event,
    Finding,
    Note,
    Outcome,
    Prediction,
    Stage,
    Table,
    claim,
)
from studytool.demo.spec import Explorer, Lab, main

F64: TypeAlias = NDArray[np.float64]
R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. The run

TF_IDF, SUBLINEAR, BM25 = "TF-IDF", "TF-IDF, 1 + ln tf", "BM25"
LETTERS, LSA, MINILM = "letter groups, TF-IDF", "LSA", "MiniLM, pretrained"
#: What a difference in mean reciprocal rank must be to count.
MATTERS = 0.003
DUEL = ("BM25", "TF-IDF", "they are level")


@dataclass
class Bench:
    """The pool that is searched: the i-th query's right answer is the i-th document."""

    params: TfidfParams
    lab: Lab
    pool: list[Item]
    others: list[Item]
    scores: dict[str, F64] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether the claims are meant for these settings."""
        return as_default(self.params, "minilm")

    @property
    def queries(self) -> list[list[str]]:
        return [words_of(item.says) for item in self.pool]

    def documents(self, which: str = "") -> list[list[str]]:
        return texts(self.pool, which or self.params.document)

    @property
    def unconnected(self) -> NDArray[np.bool_]:
        """The queries that share no word with their own document."""
        pairs = zip(self.queries, self.documents(), strict=True)
        return np.array([not set(query) & set(document) for query, document in pairs])


def texts(items: Sequence[Item], which: str) -> list[list[str]]:
    """The words of the documents: names, or all names in the code."""
    return [item.name if which == "name" else item.body for item in items]


def lexical_scores(bench: Bench, which: str) -> dict[str, F64]:
    """TF-IDF and BM25 of all queries with all documents."""
    documents = bench.documents(which)
    terms = Terms(documents)
    d, q = terms.count(documents), terms.count(bench.queries)
    idf = library_idf(document_frequency(d), len(documents), smooth=True)
    return {
        TF_IDF: cosines(q, d, idf),
        SUBLINEAR: cosines(q, d, idf, sublinear=True),
        BM25: (q @ bm25_weights(d, bench.params.k1, bench.params.b).T).toarray(),
    }


def reciprocal(score: F64) -> float:
    """The mean reciprocal rank of the right answers; what ties with them stands before them."""
    return float((1 / (1 + ranks(score))).mean())


def run(params: TfidfParams, lab: Lab) -> Steps[Explorer | None]:
    """Yields the lesson; returns what answers a query with passages."""
    return (yield from told(_lesson(params, lab)))


def _lesson(params: TfidfParams, lab: Lab) -> Steps[Explorer]:
    yield Stage("load", "what is searched")
    if params.corpus:
        items = passages((yield from own(lab, params.corpus)))
    else:
        items = yield from functions(lab)
    bench = Bench(params, lab, *_split(items, params.pool, lab.rng()))
    gap = int(bench.unconnected.sum())
    yield Note(
        f"{len(items):,} to search, {len(bench.pool):,} of them in the pool, from places of their "
        f"own; e.g. “{bench.pool[0].says}” should find {bench.pool[0].title}"
    )
    yield from _questions(bench, gap)
    yield from _checks(bench)
    yield Stage("search", f"{len(bench.pool):,} queries by each method")
    bench.scores |= lexical_scores(bench, params.document)
    yield _table(bench)
    yield from _dense(bench)
    yield from _cases(bench)
    yield from _verdict(bench, gap)
    return Searcher(items, texts(items, params.document), params.k1, params.b, bm25_weights)


def _split(
    items: Sequence[Item], size: int, rng: np.random.Generator
) -> tuple[list[Item], list[Item]]:
    """A pool of whole modules, cut to `size`, and the items of all other modules."""
    places = sorted({item.place for item in items})
    by_place: dict[str, list[Item]] = {place: [] for place in places}
    for item in items:
        by_place[item.place].append(item)
    pool: list[Item] = []
    others: list[Item] = []
    for number in rng.permutation(len(places)):
        part = by_place[places[number]]
        (pool if len(pool) < size else others).extend(part)
    if len(others) < 50 or len(pool) < 20:
        raise DataFault(
            f"{len(items)} passages are too few to search",
            "Use a longer text, or a smaller --pool.",
        )
    return pool[:size], others


def _questions(bench: Bench, gap: int) -> Iterator[Event]:
    yield Prediction(
        "duel",
        f"Which has the higher mean reciprocal rank when a document is a function's "
        f"{bench.params.document}: BM25 or TF-IDF?",
        DUEL,
    )
    yield Prediction(
        "gap",
        f"{gap} of {len(bench.pool)} queries share no word with their document. For what share of "
        "them is the right one among the first ten by LSA's vectors? (BM25's share is no riddle.)",
        unit="%",
    )


def _checks(bench: Bench) -> Iterator[Event]:
    yield Stage("check", "against scikit-learn, against loops, and by hand")
    documents = bench.documents()
    terms = Terms(documents)
    counts = terms.count(documents)
    error = library_error(counts)
    text = "TF-IDF equals scikit-learn's under all twelve conventions (largest deviation)"
    yield claim("sklearn", text, error, "<=", 1e-9)
    few, queries = documents[:200], bench.queries[:10]
    small = Terms(few)
    weights = bm25_weights(small.count(few), *_dials(bench))
    fast = (small.count(queries) @ weights.T).toarray()
    slow = [bm25_by_loops(query, few, *_dials(bench)) for query in queries]
    text = "BM25 by sparse matrices equals BM25 by plain loops (largest deviation)"
    yield claim("bm25-loops", text, float(np.abs(fast - np.array(slow)).max()), "<=", 1e-9)
    found = by_hand()
    rows: list[list[Cell]] = [
        [text, round(cosine, 3)] for text, cosine in zip(BY_HAND[0], found, strict=True)
    ]
    yield Table("by-hand", f"“{BY_HAND[1]}” by the textbook", ["document", "cosine"], rows)
    text = f"“{BY_HAND[1]}” and “{BY_HAND[0][0]}”, worked out by hand (cosine)"
    yield claim("by-hand", text, round(found[0], 3), "==", 0.729)


def _dials(bench: Bench) -> tuple[float, float]:
    return bench.params.k1, bench.params.b


def _dense(bench: Bench) -> Iterator[Event]:
    """What is found without a shared word: by letters, by counted vectors, by trained ones."""
    queries, documents = bench.queries, bench.documents()
    groups = [letter_groups(text) for text in documents]
    terms = Terms(groups)
    d, q = terms.count(groups), terms.count([letter_groups(text) for text in queries])
    idf = library_idf(document_frequency(d), len(d.indptr) - 1, smooth=True)
    bench.scores[LETTERS] = cosines(q, d, idf, sublinear=True)
    yield _table(bench)
    yield Stage("LSA", f"an SVD over {len(bench.others):,} others, with their descriptions")
    own_words = texts(bench.others, bench.params.document)
    both = [words_of(i.says) + own for i, own in zip(bench.others, own_words, strict=True)]
    lsa = Lsa.learn(both, bench.params.dim)
    bench.scores[LSA] = lsa.vectors(queries) @ lsa.vectors(documents).T
    yield _table(bench)
    if bench.params.minilm:
        from demos.kit.minilm import MiniLM, cached_sentences

        yield Stage("MiniLM", "a sentence encoder; its training may have seen these docstrings")
        said = [item.says for item in bench.pool] + [" ".join(words) for words in documents]
        vectors = yield from cached_sentences(bench.lab, said, MiniLM())
        half = len(bench.pool)
        bench.scores[MINILM] = (vectors[:half] @ vectors[half:].T).astype(float)
        yield _table(bench)


def _table(bench: Bench) -> Table:
    gap, pool = bench.unconnected, len(bench.pool)
    rows: list[list[Cell]] = [["chance", *(chance_recall(k, pool) for k in (1, 10)), None,
                               chance_recall(10, pool)]]  # fmt: skip
    for name, score in bench.scores.items():
        places = ranks(score)
        found = [recall_at(places, 1), recall_at(places, 10), round(reciprocal(score), 3)]
        rows.append([name, *found, recall_at(places[gap], 10) if gap.any() else None])
    columns = ["method", "R@1", "R@10", "MRR", "R@10, no shared word"]
    note = f"{int(gap.sum())} of {pool} queries share no word with their document"
    return Table("search", f"{pool:,} queries, {pool:,} documents", columns, rows, note)


def _cases(bench: Bench) -> Iterator[Event]:
    """Queries where the methods differ most, with what each puts first."""
    places = {name: ranks(bench.scores[name]) for name in (BM25, TF_IDF, LETTERS, LSA)}
    best_of_others = np.minimum(places[LETTERS], places[LSA])
    order = [
        *np.lexsort((places[LSA], ~bench.unconnected))[:4],  # LSA finds what no word connects
        *np.argsort(places[BM25] - best_of_others, kind="stable")[:2],  # BM25 beats both
        *np.argsort(places[TF_IDF] - places[BM25], kind="stable")[:2],  # TF-IDF beats BM25
    ]
    rows: list[list[Cell]] = [
        [bench.pool[i].says[:60], bench.pool[i].title.rpartition(".")[2],
         *(int(places[name][i]) + 1 for name in places)]
        for i in order
    ]  # fmt: skip
    columns = ["query", "right answer", *places]
    note = "the place of the right answer; what ties with it stands before it"
    yield Table("cases", "Where the methods differ", columns, rows, note)


def _verdict(bench: Bench, gap: int) -> Iterator[Event]:
    mrr = {name: reciprocal(score) for name, score in bench.scores.items()}
    ahead = mrr[BM25] - mrr[TF_IDF]
    answer = DUEL[0 if ahead >= MATTERS else 1 if ahead <= -MATTERS else 2]
    text = f"BM25 has {mrr[BM25]:.3f}, TF-IDF {mrr[TF_IDF]:.3f}."
    yield Outcome("duel", answer, text)
    found = {
        name: recall_at(ranks(score)[bench.unconnected], 10) if gap else 0.0
        for name, score in bench.scores.items()
    }
    said = f"LSA {found[LSA]:.1%}, letter groups {found[LETTERS]:.1%}, BM25 {found[BM25]:.1%}."
    yield Outcome("gap", round(100 * found[LSA], 1), said)
    if bench.plain:
        yield from _claims(bench, mrr, found)
    else:
        yield Note("the claims are for the default settings; these figures stand alone")
    yield Finding(
        f"Of {len(bench.pool):,} queries, {gap} share no word with what they look for: there "
        f"BM25 finds nothing among the first ten, and LSA {found[LSA]:.0%}. Overall {text} Which "
        "of the two is better depends on the documents: BM25's dials need lengths and "
        "repetitions to work on."
    )


def _claims(bench: Bench, mrr: dict[str, float], found: dict[str, float]) -> Iterator[Event]:
    none = max(found[TF_IDF], found[BM25])
    text = "R@10 of TF-IDF and BM25 where query and document share no word"
    yield claim("no-shared-word", text, none, "==", 0)
    text = "R@10 of LSA on the same queries, chance being 0.01"
    yield claim("lsa-bridges", text, found[LSA], ">=", 0.05)
    text = "R@10 of letter groups on the same queries: parts of words are shared"
    yield claim("letters-bridge", text, found[LETTERS], ">=", 0.1)
    text = "BM25 always beats TF-IDF (MRR on function names, BM25 minus TF-IDF)"
    ahead = mrr[BM25] - mrr[TF_IDF]
    yield claim("bm25-always", text, ahead, ">=", 0, expect="refuted")
    longer = lexical_scores(bench, "body")
    text = "BM25 beats TF-IDF on long documents that repeat (MRR on code, difference)"
    ahead = reciprocal(longer[BM25]) - reciprocal(longer[TF_IDF])
    yield claim("bm25-on-code", text, ahead, ">=", 0.01)
    text = "dense vectors beat plain word matching overall (MRR, LSA minus TF-IDF)"
    yield claim("dense-beats-sparse", text, mrr[LSA] - mrr[TF_IDF], ">=", 0, expect="refuted")


if __name__ == "__main__":
    main(TFIDF)
