"""The mathematics of skip-gram, counting and scoring, against independent forms of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from demos.kit.alias import alias_table
from demos.kit.compiled import load
from demos.kit.corpus import SENTENCE_END, Corpus
from demos.kit.counting import cooccurrence, keep_chance, pmi, ppmi_vectors, smoothed
from demos.kit.judge import method_table
from demos.kit.loop import looks
from demos.kit.plots import group_means
from demos.kit.similarity import (
    Analogy,
    Pair,
    Space,
    analogies,
    answer_analogies,
    interval,
    parse_sum,
    ranks,
    simlex,
    spearman,
    wordsim,
)
from demos.static import skipgram_math as demo
from studytool.demo.spec import Lab


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the session: Wikipedia is cleaned, and the loop compiled, once."""
    folder = tmp_path_factory.getbasetemp() / "demos" / "skipgram"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def kernel(cache: Path) -> ModuleType:
    return load("sgns", Lab(cache=cache))


# ------------------------------------------------------------------------- mathematics


@pytest.mark.parametrize("negatives", [1, 5, 20])
def test_gradients_equal_finite_differences(negatives: int) -> None:
    assert demo.finite_difference_error(np.random.default_rng(1), negatives) < 1e-8


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = demo.pair_gradients

    def wrong(v: Any, u: Any, n: Any) -> Any:
        dv, du, dn = right(v, u, n)
        return dv, du, 1.001 * dn

    monkeypatch.setattr(demo, "pair_gradients", wrong)
    assert demo.finite_difference_error(np.random.default_rng(1), 5) > 1e-5


def test_the_loss_of_one_pair_by_hand() -> None:
    v, u, n = np.array([1.0, 0.0]), np.array([math.log(3), 5.0]), np.array([[-math.log(7), 1.0]])

    assert demo.pair_loss(v, u, n) == pytest.approx(math.log(4 / 3) + math.log(8 / 7))
    assert demo.pair_loss(0 * v, u, n) == pytest.approx(2 * math.log(2))


@pytest.mark.parametrize(("window", "negatives"), [(1, 1), (5, 5), (2, 6), (20, 20)])
def test_the_fast_loop_equals_the_slow_one(kernel: ModuleType, window: int, negatives: int) -> None:
    assert demo.fast_loop_error(kernel, np.random.default_rng(2), window, negatives) < 1e-6


def test_a_wrong_fast_loop_is_found(kernel: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    right = demo.window_gradient

    def wrong(*given: Any) -> Any:
        loss, d_inputs, d_outputs = right(*given)
        return loss, d_inputs * (1 + 1e-5), d_outputs

    monkeypatch.setattr(demo, "window_gradient", wrong)
    assert demo.fast_loop_error(kernel, np.random.default_rng(2), 5, 5) > 5e-6


class Replay:
    """The random draws of the compiled loop, made again with Python's whole numbers."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def bits(self) -> int:
        mask = 2**64 - 1
        self.state ^= (self.state << 13) & mask
        self.state ^= self.state >> 7
        self.state ^= (self.state << 17) & mask
        return self.state

    def coin(self) -> float:
        return (self.bits() >> 40) / 2**24

    def below(self, n: int) -> int:
        return ((self.bits() >> 32) * n) >> 32

    def noise(self, accept: Any, other: Any) -> int:
        bits = self.bits()
        place = ((bits >> 32) * len(accept)) >> 32
        return place if (bits & 0xFFFFFF) / 2**24 < accept[place] else int(other[place])


def windows(
    ids: list[int], keep: Any, alias: Any, window: int, k: int, draws: Replay
) -> Iterator[tuple[list[int], list[int]]]:
    """Context words and targets of each window, told as word2vec does it."""
    sentence: list[int] = []
    for word in ids:
        if word != SENTENCE_END:
            if word < len(keep) and draws.coin() < keep[word]:
                sentence.append(word)
            continue
        for at, centre in enumerate(sentence):
            reach = 1 + draws.below(window)
            near = sentence[max(0, at - reach) : at] + sentence[at + 1 : at + reach + 1]
            targets = [centre]
            while near and len(targets) <= k:
                drawn = draws.noise(*alias)
                if drawn != centre:
                    targets.append(drawn)
            if near:
                yield near, targets
        sentence = []


@pytest.mark.parametrize(("window", "negatives"), [(1, 2), (4, 5)])
def test_training_equals_plain_gradient_descent(
    kernel: ModuleType, window: int, negatives: int
) -> None:
    rng = np.random.default_rng(3)
    ids = rng.integers(-1, 14, 400).astype(np.int32)  # 12 and 13 are beyond the vocabulary
    ids[-1] = SENTENCE_END
    keep = np.linspace(0.3, 1, 12).astype(np.float32)
    alias = alias_table(smoothed(np.arange(12, 0, -1.0), 0.75))
    inputs, outputs = rng.normal(0, 0.4, (2, 12, 16)).astype(np.float32)
    fast = inputs.copy(), outputs.copy()
    slow, lr, seed = (inputs.astype(float), outputs.astype(float)), 0.05, 987654321

    loss, pairs = kernel.train(
        ids, keep, *alias, *fast, window, negatives, lr, np.array([seed], np.uint64)
    )

    expected, count = 0.0, 0
    for near, targets in windows(ids.tolist(), keep, alias, window, negatives, Replay(seed)):
        step = demo.window_gradient(np.array(near), np.array(targets), *slow)
        expected, count = expected + step[0], count + len(near)
        slow[0][:] -= lr * step[1]
        slow[1][:] -= lr * step[2]
    assert pairs == count > 200
    assert loss == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(fast[0], slow[0], atol=2e-5)
    np.testing.assert_allclose(fast[1], slow[1], atol=2e-5)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40).filter(lambda row: sum(row) > 0))
def test_the_alias_table_holds_the_distribution(weights: list[float]) -> None:
    share = np.array(weights) / sum(weights)
    accept, other = alias_table(share)
    held = accept.astype(float) / len(share)
    np.add.at(held, other, (1 - accept.astype(float)) / len(share))

    np.testing.assert_allclose(held, share, atol=1e-6)


def test_negatives_follow_the_noise(kernel: ModuleType) -> None:
    share = smoothed(np.array([1000.0, 300, 50, 7, 1]), 0.75)
    accept, other = alias_table(share)
    state = np.array([42], np.uint64)
    drawn = np.bincount([kernel.noise(state, accept, other) for _ in range(20_000)], minlength=5)

    assert scipy.stats.chisquare(drawn, share * 20_000).pvalue > 1e-4


def test_smoothing_goes_from_uniform_to_the_counts() -> None:
    counts = np.array([16.0, 1.0])

    np.testing.assert_allclose(smoothed(counts, 0), [0.5, 0.5])
    np.testing.assert_allclose(smoothed(counts, 0.75), [8 / 9, 1 / 9])
    np.testing.assert_allclose(smoothed(counts, 1), [16 / 17, 1 / 17])


def test_subsampling_keeps_rare_words_and_thins_frequent_ones() -> None:
    counts = np.array([90_000, 9_999, 1])

    keep = keep_chance(counts, 1e-3)

    assert keep[0] == pytest.approx(math.sqrt(1e-3 / 0.9) + 1e-3 / 0.9)
    assert keep[2] == 1
    assert keep_chance(counts, 0).tolist() == [1, 1, 1]


# ------------------------------------------------------------------------------- counts


def test_cooccurrence_equals_a_count_by_hand() -> None:
    rng = np.random.default_rng(4)
    ids = rng.integers(-1, 6, 300).astype(np.int32)  # 5 is beyond the vocabulary: closed up
    window = 3
    expected = np.zeros((5, 5))
    for sentence in np.split(ids, np.flatnonzero(ids == SENTENCE_END)):
        words = [int(n) for n in sentence if 0 <= n < 5]
        for i, w in enumerate(words):
            for j, c in enumerate(words):
                if 0 < abs(i - j) <= window:
                    expected[w, c] += (window - abs(i - j) + 1) / window

    np.testing.assert_allclose(cooccurrence(ids, 5, window).toarray(), expected)
    unweighted = cooccurrence(ids, 5, window, weighted=False).toarray()
    assert unweighted.sum() > expected.sum()
    keep = np.array([0.5, 1, 1, 1, 1], np.float32)
    thinned = cooccurrence(ids, 5, window, keep=keep).toarray()
    np.testing.assert_allclose(thinned, expected * np.outer(keep, keep))


def test_pmi_of_independent_words_is_zero() -> None:
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.6, 0.3, 0.1])
    table = cooccurrence(np.array([0, 1, 2, -1], np.int32), 3, 2)
    table = type(table)(1000 * np.outer(p, q))

    np.testing.assert_allclose(pmi(table, q).toarray(), 0, atol=1e-12)


def test_counting_finds_topics() -> None:
    rng = np.random.default_rng(0)
    rows = [[*(rng.integers(0, 5, 8) + 5 * topic), -1] for topic in rng.integers(0, 3, 300)]
    ids = np.array(rows, np.int32).ravel()

    unit = Space([str(n) for n in range(15)], ppmi_vectors(cooccurrence(ids, 15, 4), 3)).unit

    cosine = unit @ unit.T
    same = np.equal.outer(np.arange(15) // 5, np.arange(15) // 5)
    assert cosine[same].min() > 0.9
    assert np.abs(cosine[~same]).max() < 0.1


# --------------------------------------------------------------------------- similarity


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-5, 5)), min_size=3, max_size=30))
def test_spearman_equals_scipy(rows: list[tuple[int, float]]) -> None:
    x, y = ([float(row[side]) for row in rows] for side in (0, 1))
    assert ranks(np.array(y)).tolist() == (scipy.stats.rankdata(y) - 1).tolist()
    if len(set(x)) > 1 and len(set(y)) > 1:
        assert spearman(x, y) == pytest.approx(scipy.stats.spearmanr(x, y)[0], abs=1e-9)
    else:
        assert math.isnan(spearman(x, y))


def test_the_interval_holds_the_estimate() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = x + rng.normal(size=200)

    low, high = interval(x.tolist(), y.tolist(), rng)

    assert low < spearman(x, y) < high
    assert 0.1 < high - low < 0.3


def test_the_packaged_judgements_are_complete() -> None:
    assert len(wordsim()) == 353
    assert len(simlex()) == 999
    assert Pair("tiger", "cat", 7.35) in wordsim()
    assert len(analogies()) == 19_544
    assert ("family", "boy", "girl", "king", "queen") in [q for q in analogies() if q.d == "queen"]


def planted() -> Space:
    """Two directions, royal and female, with the sum near its inputs, as in real vectors."""
    words = ["king", "man", "woman", "queen", "stone"]
    rows = [[1, 0, 0.2], [0, 0, 1], [0, 0.1, 1], [1, 0.1, 0.2], [-1, -1, -1]]
    return Space(words, np.array(rows, np.float32))


def test_analogies_with_and_without_their_inputs() -> None:
    questions = [Analogy("x", "man", "king", "woman", "queen"), Analogy("x", "man", "?", "a", "b")]
    space = planted()

    found = answer_analogies(space, questions)

    assert (found.asked, found.right_excluded) == (1, 1)
    target = space.combine(parse_sum("king - man + woman"))
    first = space.nearest(target, 1)[0][0]
    assert found.right_raw == (first == "queen")
    assert found.raw_is_input == (first in ("king", "man", "woman"))
    assert answer_analogies(space, []) == (0, 0, 0, 0)


def test_neighbours_are_sorted_and_leave_out_the_word() -> None:
    found = planted().neighbours("king", 10)

    assert found[0][0] == "queen"
    assert "king" not in [word for word, _ in found]
    assert [cosine for _, cosine in found] == sorted((c for _, c in found), reverse=True)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("King - man+woman", [(1, "king"), (-1, "man"), (1, "woman")]),
        ("water", [(1, "water")]),
        ("a b", [(1, "a"), (1, "b")]),
        (" + ", []),
        ("", []),
    ],
)
def test_sums_are_read(text: str, terms: list[tuple[int, str]]) -> None:
    assert parse_sum(text) == terms


def test_the_table_scores_each_method_on_its_own() -> None:
    words = sorted({word for pair in wordsim() for word in (pair.first, pair.second)})
    rng = np.random.default_rng(0)
    spaces = {n: Space(words, rng.normal(size=(len(words), 8)).astype(np.float32)) for n in "ab"}
    text = Corpus("x", np.zeros(0, np.int32), words, np.arange(1, 1 + len(words)), 0, 0, 1)

    rows = method_table(text, wordsim(), spaces).rows

    assert [row[0] for row in rows[1:]] == ["a", "b"]
    assert [row[1] for row in rows[1:]] == [spaces[n].score(wordsim()).rho for n in "ab"]
    assert rows[1][1] != rows[2][1]


def test_looks_are_dense_at_first_and_end_with_the_end() -> None:
    assert sorted(looks(12)) == [1, 2, 3, 5, 10, 12]
    assert sorted(looks(1)) == [1]


def test_group_means_lie_on_a_line() -> None:
    x = np.linspace(0, 1, 100)

    means = group_means(x, 2 * x, 10)

    assert len(means[0]) == 10
    np.testing.assert_allclose(means[1], 2 * np.array(means[0]))
    assert group_means(np.zeros(4), np.ones(4), 10) == ([0.0], [1.0])
