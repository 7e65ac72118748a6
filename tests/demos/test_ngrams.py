"""N-grams: tables and smoothing against independent forms, the run, its claims and figures."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import cache as cached
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.kit.corpus import SENTENCE_END, Corpus
from demos.kit.data import DataFault
from demos.kit.ngram_tables import END, UNKNOWN, View, count, split
from demos.lexical import ngrams as demo
from demos.lexical.ngram_definition import Definition
from demos.lexical.ngram_models import KneserNey, add_k, discounts, jelinek_mercer, learn_weights
from demos.lexical.specs import NGRAMS, NgramParams
from studytool.demo.events import Claim, Failed, Metric, Note, Outcome, Series, Stage, Table, Text
from tests.demos.lexical_kit import ROOT, check_claims, of, play, without_times, write_text

Sentence = tuple[int, ...]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the session, shared with the other demos: Wikipedia is cleaned once."""
    folder = tmp_path_factory.getbasetemp() / "demos" / "ngrams"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text(tmp_path_factory.mktemp("text") / "topics.txt")


def zipf_text(seed: int, sentences: int, size: int) -> list[list[int]]:
    """Sentences of Zipf-distributed symbols 2 … size - 1, each ended by END."""
    rng = np.random.default_rng(seed)
    rows = []
    for length in rng.integers(1, 9, sentences):
        words = 2 + (rng.zipf(1.3, length) - 1) % (size - 2)
        rows.append([*words.tolist(), END])
    return rows


def stream(sentences: Sequence[Sequence[int]], size: int) -> Any:
    """The sentences as one array, each with its opening."""
    return np.array([symbol for words in sentences for symbol in (size, *words)], np.int64)


# ------------------------------------------------------------------ an independent oracle


class Oracle:
    """Kneser-Ney told once more: counts by scanning the text anew, recursion from the top down."""

    def __init__(self, text: list[list[int]], n: int, size: int, modified: bool) -> None:
        self.text = [("<s>", *words) for words in text]
        self.n, self.size, self.modified = n, size, modified
        self.tables = {k: self._table(k) for k in range(1, n + 1)}

    def _occurrences(self, k: int) -> Counter[tuple[Any, ...]]:
        return Counter(
            words[i : i + k]
            for words in self.text
            for i in range(len(words) - k + 1)
            if words[i : i + k] != ("<s>",)
        )

    def _table(self, k: int) -> dict[tuple[Any, ...], int]:
        whole = self._occurrences(k)
        if k == self.n:
            return dict(whole)
        left: dict[tuple[Any, ...], set[Any]] = {}
        for gram in self._occurrences(k + 1):
            left.setdefault(gram[1:], set()).add(gram[0])
        return {g: number if g[0] == "<s>" else len(left[g]) for g, number in whole.items()}

    @cached  # noqa: B019 - lives as long as the test
    def discount(self, k: int, number: int) -> Fraction:
        n = [sum(1 for c in self.tables[k].values() if c == i) for i in range(5)]
        if number == 0:
            return Fraction(0)
        if 0 in (n[1:] if self.modified else n[1:3]):
            return Fraction(3, 4)
        y = Fraction(n[1], n[1] + 2 * n[2])
        if not self.modified:
            return y
        i = min(number, 3)
        return max(Fraction(0), i - (i + 1) * y * Fraction(n[i + 1], n[i]))

    def p(self, word: int, before: tuple[Any, ...]) -> Fraction:
        if len(before) > self.n - 1:
            return self.p(word, before[1:])
        k = len(before) + 1
        lower = self.p(word, before[1:]) if before else Fraction(1, self.size)
        seen = {g[-1]: number for g, number in self.tables[k].items() if g[:-1] == before}
        if not seen:
            return lower
        freed = sum((self.discount(k, number) for number in seen.values()), Fraction(0))
        top = seen.get(word, 0) - self.discount(k, seen.get(word, 0))
        return (top + freed * lower) / sum(seen.values())


def worst(text: list[list[int]], test: list[list[int]], n: int, size: int, modified: bool) -> float:
    """The largest relative deviation of the fast form from the oracle over all words of `test`."""
    view = View(count(stream(text, size), size, n), stream(test, size))
    fast = KneserNey(view.tables, n, modified).score(view)
    oracle, exact = Oracle(text, n, size, modified), []
    for words in test:
        so_far: tuple[Any, ...] = ("<s>",)
        for word in words:
            exact.append(float(oracle.p(word, so_far[-(n - 1) :] if n > 1 else ())))
            so_far += (word,)
    return float(np.abs(fast / np.array(exact) - 1).max())


@pytest.mark.parametrize("modified", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", [0, 1])
def test_kneser_ney_equals_the_oracle(seed: int, n: int, modified: bool) -> None:
    text, test = zipf_text(seed, 60, 40), zipf_text(seed + 100, 8, 60)
    assert worst(text, test, n, 60, modified) < 1e-12


@pytest.mark.parametrize("modified", [False, True])
def test_a_closed_vocabulary_of_few_words_falls_back_on_three_quarters(modified: bool) -> None:
    text, test = zipf_text(3, 60, 7), zipf_text(4, 5, 7)
    model = KneserNey(count(stream(text, 7), 7, 2), 2, modified)

    assert 1 in model.fallbacks
    assert worst(text, test, 2, 7, modified) < 1e-12


@pytest.mark.parametrize("modified", [False, True])
def test_the_lessons_definition_equals_the_oracle(modified: bool) -> None:
    text = zipf_text(5, 30, 20)
    lesson = Definition([(20, *words) for words in text], 3, 20, modified)
    oracle = Oracle(text, 3, 20, modified)
    for word in range(20):
        for history in ((), (2,), (2, 3), (20,), (20, 2), (19, 19)):
            told = tuple("<s>" if symbol == 20 else symbol for symbol in history)
            assert lesson.p(history, word) == oracle.p(word, told)


def test_orders_that_the_text_is_too_short_for_change_nothing() -> None:
    tables = count(stream([[2, END], [3, END]], 5), 5, 6)
    view = View(tables, stream([[2, 3, 2, 2, 3, 3, 2, END]], 5))

    np.testing.assert_array_equal(KneserNey(tables, 6).score(view) > 0, True)
    assert KneserNey(tables, 6).spread([2, 3, 2, 2, 3, 3]).sum() == pytest.approx(1)
    assert add_k(view, 6, 1).min() > 0


@pytest.mark.parametrize(("modified", "continuation"), [(True, True), (False, True), (True, False)])
def test_all_probabilities_sum_to_one_and_agree_with_the_scores(
    modified: bool, continuation: bool
) -> None:
    text, size = zipf_text(6, 80, 30), 40
    tables = count(stream(text, size), size, 3)
    model = KneserNey(tables, 3, modified, continuation)
    for history in ([], [2], [2, 3], [39, 39], [5, 2], [2, END]):
        assert model.spread(history).sum() == pytest.approx(1, abs=1e-12)
    view = View(tables, stream([[2, 3, 4, 39, 5, END]], size))
    scores = model.score(view)
    words = view.stream[view.at].tolist()
    each = [model.spread(words[:i])[word] for i, word in enumerate(words)]
    np.testing.assert_allclose(scores, each, rtol=1e-12)


# ------------------------------------------------------------------------ simpler models


def test_maximum_likelihood_and_add_k_by_hand() -> None:
    # "a b a b c": p(a | b) = p(c | b) = 1/2, and "b b" is impossible.
    a, b, c, size = 2, 3, 4, 5
    tables = count(stream([[a, b, a, b, c, END]], size), size, 2)
    view = View(tables, stream([[b, a, b, c, b, b]], size))

    np.testing.assert_allclose(add_k(view, 2, 0), [0, 1 / 2, 1, 1 / 2, 0, 0])
    np.testing.assert_allclose(add_k(view, 2, 1), [1 / 6, 2 / 7, 3 / 7, 2 / 7, 1 / 6, 1 / 7])
    np.testing.assert_allclose(add_k(view, 1, 1), [3 / 11, 3 / 11, 3 / 11, 2 / 11, 3 / 11, 3 / 11])


def test_interpolation_by_hand() -> None:
    a, b, size = 2, 3, 4
    tables = count(stream([[a, b, a, a, END]], size), size, 2)
    view = View(tables, stream([[a, b, b]], size))
    one = [0.5 * 3 / 5 + 0.5 / 4, 0.5 * 1 / 5 + 0.5 / 4]
    found = jelinek_mercer(view, [0.5, 0.9])

    expected = [0.9 * 1 + 0.1 * one[0], 0.9 / 3 + 0.1 * one[1], 0.1 * one[1]]
    np.testing.assert_allclose(found, expected)


def chained(seed: int, sentences: int) -> list[list[int]]:
    """Sentences in which half of the words follow from the one before; 300 different words."""
    rng = np.random.default_rng(seed)
    rows = []
    for words in rng.integers(2, 302, (sentences, 10)).tolist():
        for i in range(1, 10):
            words[i] = words[i - 1] * 7 % 300 + 2 if rng.random() < 0.5 else words[i]
        rows.append([*words, END])
    return rows


def test_learnt_weights_are_better_than_others() -> None:
    view = View(count(stream(chained(7, 400), 302), 302, 2), stream(chained(8, 200), 302))
    weights = learn_weights(view, 2)

    def fit(upper: float) -> float:
        return float(np.log(jelinek_mercer(view, [weights[0], upper])).mean())

    assert 0.2 < weights[1] < 0.8
    assert fit(weights[1] - 0.02) < fit(weights[1]) > fit(weights[1] + 0.02)


def test_discounts_by_hand() -> None:
    counts = np.repeat([1.0, 2, 3, 4, 9], [8, 4, 2, 1, 3])

    assert discounts(counts, modified=False) == (0.5, 0.5, 0.5)
    assert discounts(counts, modified=True) == (0.5, 1.25, 2.0)
    assert discounts(np.array([1.0, 1, 3]), modified=False) is None
    assert discounts(np.array([1.0, 2, 2]), modified=True) is None
    many = np.repeat([1.0, 2, 3, 4], [10, 1, 50, 1])
    assert discounts(many, modified=True) == pytest.approx((5 / 6, 0, 3 - 1 / 15))


# ------------------------------------------------------------------------ tables and split

symbols = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=6), min_size=1, max_size=8)


@given(symbols, st.integers(1, 4))
def test_tables_hold_the_counts(sentences: list[list[int]], longest: int) -> None:
    tables = count(stream(sentences, 6), 6, longest)
    plain = [Counter[Sentence]() for _ in range(longest + 1)]
    for words in sentences:
        for end in range(2, len(words) + 2):
            for k in range(1, min(longest, end) + 1):
                plain[k][(6, *words)[end - k : end]] += 1
    located = tables.locate(stream([list(g) for k in plain for g in k if g[0] != 6], 6))
    assert len(located) == longest
    for k, level in enumerate(tables.levels, start=1):
        assert level.raw.sum() == plain[k].total()
        assert sorted(level.raw[level.raw > 0]) == sorted(plain[k].values())
        if k < longest:
            lefts = Counter(gram[1:] for gram in plain[k + 1])
            opening = sum(number for gram, number in plain[k].items() if gram[0] == 6)
            assert level.lefts.sum() == opening + sum(lefts[g] for g in plain[k] if g[0] != 6)


def test_ngrams_are_found_again_and_others_are_not() -> None:
    tables = count(stream([[2, 3, 4, END]], 6), 6, 3)
    found = tables.locate(stream([[3, 4, 2, END], [2, 3, 4]], 6))

    assert (found[1] >= 0).tolist() == [
        False, False, True, False, False, False, True, True, True,
    ]  # fmt: skip
    assert (found[2] >= 0).tolist() == [*[False] * 7, True, True]


def corpus(documents: list[list[list[int]]], words: int) -> Corpus:
    ids = [w for document in documents for sentence in document for w in (*sentence, SENTENCE_END)]
    sizes = [sum(map(len, document)) for document in documents]
    array = np.array(ids, np.int32)
    return Corpus(
        "x", array, [f"w{n}" for n in range(words)],
        np.bincount(array[array >= 0], minlength=words), sum(sizes), 0, len(documents),
        np.cumsum([0, *sizes[:-1]]),
    )  # fmt: skip


def test_whole_documents_are_held_out() -> None:
    documents = [[[n, n], [n, 5]] for n in range(5)]
    parts = split(corpus(documents, 6), 5, 2, 1)

    names = [parts.names[n] if n < parts.size else "<s>" for n in parts.test]
    assert names == ["<s>", *2 * ["<unknown>"], "</s>", "<s>", "<unknown>", "w5", "</s>"]
    assert "w2" not in parts.names
    assert parts.names[:2] == ["<unknown>", "</s>"]
    assert sorted(set(parts.piece.tolist())) == [0, 1, 3, 4]
    assert len(parts.piece) == len(parts.train)
    assert (parts.train == parts.size).sum() == 8
    assert parts.numbers(["w5", "w2"]) == [parts.names.index("w5"), UNKNOWN]


def test_rare_words_are_unknown() -> None:
    parts = split(corpus([[[0, 0, 1]], [[0, 1, 2]], [[2, 2]]], 3), 3, 2, 2)

    assert parts.names == ["<unknown>", "</s>", "w0", "w1"]
    assert (parts.train == UNKNOWN).sum() == 1


def test_more_openings_repeat_the_opening_under_other_numbers() -> None:
    parts = split(corpus([[[0, 1]], [[1]]], 2), 2, 1, 1).reopened(3)

    size = parts.size
    assert parts.train[:3].tolist() == [size, size + 1, size + 2]
    assert len(parts.piece) == len(parts.train)
    tables = count(parts.train, size, 3, 3)
    assert View(tables, parts.test).at.tolist() == [3, 4]
    assert KneserNey(tables, 3).spread([size + 1, size + 2]).sum() == pytest.approx(1)


def test_too_few_documents_are_told() -> None:
    with pytest.raises(DataFault, match="too few"):
        split(corpus([[[0, 1]]], 2), 10, 3, 1)


# --------------------------------------------------------------------------------- the run


def small(topics: Path, **changes: Any) -> NgramParams:
    given_: dict[str, Any] = {"corpus": str(topics), "prefix": "t1w1", "order": 3, **changes}
    return NgramParams(**given_)


def test_a_run_on_own_text_tells_all_of_it(cache: Path, topics: Path) -> None:
    events, talk = play(demo, small(topics), cache)

    names = [stage.name for stage in of(Stage, events)]
    assert [name for name in names if name != "corpus"] == [
        "load", "count", "check", "zeros", "smooth", "more text", "cases",
    ]  # fmt: skip
    assert {claim.id for claim in of(Claim, events)} == {"definition", "sums-to-one"}
    assert all(claim.holds for claim in of(Claim, events))
    table = [table for table in of(Table, events) if table.id == "perplexity"][-1]
    scores = {str(row[0]): row[1:] for row in table.rows}
    assert scores["maximum likelihood"][2] == "infinite"
    assert float(scores["modified Kneser-Ney"][1]) < float(scores["modified Kneser-Ney"][0])  # type: ignore[arg-type]
    curve = of(Series, events)[-1]
    assert curve.lines[0].y[-1] < curve.lines[0].y[0]
    drawn = {text.id: text.text for text in of(Text, events)}
    assert set(drawn) == {"drawn-1", "drawn-2", "drawn-3"}
    assert all(text.startswith("t1w1") for text in drawn.values())
    answers = list(talk.explore("t2w1 nosuchword"))
    assert "nosuchword" in next(note.text for note in answers if isinstance(note, Note))
    assert [type(answer) for answer in answers] == [Note, Table, Text]
    assert next(note.text for note in talk.explore("  ")).startswith("type a few words")


def test_likely_words_follow_the_prefix(cache: Path, topics: Path) -> None:
    _, talk = play(demo, small(topics), cache)

    likely = next(event for event in talk.explore("t3w1") if isinstance(event, Table))
    assert sum(str(row[0]).startswith("t3w") for row in likely.rows) >= 7
    top = [float(str(row[-1])) for row in likely.rows]
    assert top == sorted(top, reverse=True)


def test_the_same_seed_gives_the_same_events(cache: Path, topics: Path) -> None:
    play(demo, small(topics), cache)  # fills the cache, which is a stage of its own
    runs = [without_times(play(demo, small(topics), cache)[0]) for _ in range(2)]
    other = without_times(play(demo, small(topics, seed=1), cache)[0])

    assert runs[0] == runs[1] != other


@pytest.mark.parametrize(("sentences", "what"), [(130, "fewer than 50"), (30, "too few to hold")])
def test_a_text_of_few_sentences_is_told(
    cache: Path, tmp_path: Path, sentences: int, what: str
) -> None:
    rng = np.random.default_rng(0)
    text = tmp_path / "text.txt"
    words = rng.zipf(1.5, (sentences, 12_000 // sentences)) % 50
    text.write_text("\n".join(" ".join(f"w{n}" for n in row) for row in words), "utf-8")
    events, talk = play(demo, NgramParams(corpus=str(text), every=2), cache)

    assert isinstance(events[-1], Failed)
    assert what in events[-1].error
    assert talk is None


def test_what_cannot_be_read_is_told(cache: Path) -> None:
    events, talk = play(demo, NgramParams(corpus="/no/such/file"), cache)

    assert isinstance(events[-1], Failed)
    assert events[-1].hint
    assert talk is None


def test_the_spec_is_light() -> None:
    code = (
        "import sys, demos.lexical.specs as s; [x.params() for x in (s.TFIDF, s.NGRAMS, s.PPMI)];"
        "print([m for m in ('numpy', 'gensim', 'scipy', 'sklearn') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
    assert NGRAMS.params() == NgramParams()


def test_the_command_prints_json_lines(cache: Path, topics: Path) -> None:
    given_ = ["--order", "2", "--corpus", str(topics), "--cache", str(cache.parent)]
    run = subprocess.run(
        [sys.executable, "-m", "demos.lexical.ngrams", "--json", *given_],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    last = json.loads(run.stdout.splitlines()[-1])
    assert last["type"] == "done"
    assert last["explore"]


# --------------------------------------------------------------- the default run, for real

EXPECTED = set(NGRAMS.info.claims)
REFUTED = {"add-one", "fourth-word"}


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(cache: Path) -> None:
    events, _ = play(demo, NgramParams(), cache)

    check_claims(events, EXPECTED, REFUTED)
    seconds = {metric.name: metric.value for metric in of(Metric, events)}
    assert seconds["training CPU"] <= 2
    values = {claim.id: claim.value for claim in of(Claim, events)}
    assert 12 < values["add-one"] < 13
    assert values["kn3"] == pytest.approx(381.5, abs=0.5)


@pytest.mark.demo
def test_outcomes_differ_when_parameters_differ(cache: Path) -> None:
    found = []
    for changes in ({}, {"order": 2, "k": 0.01}):
        events, _ = play(demo, msgspec.structs.replace(NgramParams(), **changes), cache)
        found.append({event.prediction: event.value for event in of(Outcome, events)})

    assert found[0] == {"best-n": "4", "add-k": "more than 10 times worse"}
    assert found[1] == {"best-n": "2", "add-k": "up to 10 times worse"}


@pytest.mark.seeds
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_claims_hold_on_other_articles(cache: Path, seed: int) -> None:
    events, _ = play(demo, NgramParams(seed=seed), cache)

    check_claims(events, EXPECTED, REFUTED)


def test_perplexity_of_a_uniform_guess_is_the_number_of_words() -> None:
    assert demo.perplexity(np.full(9, 1 / 50)) == pytest.approx(50)
    assert demo.perplexity(np.array([0.5, 0.0])) == math.inf
