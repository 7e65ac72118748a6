"""PPMI: counts, bridges and factorisation against independent forms; the run and its claims."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import threadpoolctl  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from demos.kit.corpus import SENTENCE_END, own
from demos.kit.counting import cooccurrence, keep_chance
from demos.kit.guide import Guide
from demos.kit.similarity import Pair, Space, simlex, wordsim
from demos.lexical import ppmi as demo
from demos.lexical import ppmi_math as maths
from demos.lexical.ppmi import Bench
from demos.lexical.ppmi_math import positive_pmi
from demos.lexical.specs import PPMI, PpmiParams
from studytool.demo.events import Claim, Failed, Metric, Note, Outcome, Stage, Table
from studytool.demo.spec import Lab
from tests.demos.lexical_kit import check_claims, of, play, without_times, write_text


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.getbasetemp() / "demos" / "ppmi"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text(tmp_path_factory.mktemp("text") / "topics.txt")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in a demo's own process: several BLAS threads only get in each other's way."""
    with threadpoolctl.threadpool_limits(1):
        yield


def small(topics: Path, **changes: Any) -> PpmiParams:
    given_: dict[str, Any] = {"corpus": str(topics), "dim": 12, "words": "t1w1,t2w2", **changes}
    return PpmiParams(**given_)


def bench(cache: Path, params: PpmiParams) -> Bench:
    lab = Lab(cache=cache, seed=params.seed)
    steps = own(lab, params.corpus)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            text = end.value
            size = text.vocabulary(params.min_count)
            return Bench(params, lab, text, text.words[:size], wordsim(), simlex())


# -------------------------------------------------------------------------------- counting

words = st.lists(st.integers(-1, 6), min_size=1, max_size=60)


@given(words, st.integers(1, 6))
def test_cooccurrence_equals_plain_loops(ids: list[int], window: int) -> None:
    text = np.array(ids, np.int32)
    if not (text[text < 5] >= 0).any():
        return
    fast = cooccurrence(text, 5, window).toarray()

    # What is left out of the vocabulary is closed up before windows are laid.
    closed = text[text < 5]
    np.testing.assert_allclose(fast, maths.plain_count(closed, 5, window))
    assert np.array_equal(fast, fast.T)


def test_the_plain_count_by_hand() -> None:
    ids = np.array([0, 1, 2, SENTENCE_END, 2, 0], np.int32)
    assert maths.plain_count(ids, 3, 2).tolist() == [[0, 1, 1.5], [1, 0, 1], [1.5, 1, 0]]


def test_stretches_are_counted_like_the_whole(
    cache: Path, topics: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench(cache, small(topics)).count(3).toarray()
    monkeypatch.setattr(demo, "STRETCH", 5_000)
    np.testing.assert_allclose(bench(cache, small(topics)).count(3).toarray(), one)


def test_expected_subsampling_is_the_mean_of_the_drawn(cache: Path, topics: Path) -> None:
    """Windows of neighbours only, so that dropped words bring nobody nearer who was apart."""
    params = small(topics, sample=3e-3)
    expected = bench(cache, params).count(1)
    drawn = [
        bench(cache, msgspec.structs.replace(params, seed=seed)).count(1, "drawn").sum()
        for seed in range(4)
    ]
    # Drawn windows close over what was dropped, so there are more pairs, but not many times more.
    assert expected.sum() < np.mean(drawn) < 4 * expected.sum()
    assert len(set(drawn)) == 4


def test_keep_chance_thins_frequent_words_alone() -> None:
    keep = keep_chance(np.array([90_000, 9_999, 1]), 1e-3)

    assert keep[0] == pytest.approx(math.sqrt(1e-3 / 0.9) + 1e-3 / 0.9)
    assert keep[2] == 1
    assert keep_chance(np.array([5, 1]), 0).tolist() == [1, 1]


# ------------------------------------------------------------------------ table and vectors


def table() -> csr_array:
    return csr_array(np.array([[0, 6, 2.0], [6, 0, 0], [2, 0, 4.0]]))


def test_positive_pmi_by_hand() -> None:
    plain = positive_pmi(table(), 1, 1).toarray()

    expected = np.zeros((3, 3))
    sums = np.array([8, 6, 6]) / 20
    for w, c, number in [(0, 1, 6), (2, 2, 4), (0, 2, 2)]:
        expected[w, c] = expected[c, w] = max(0, math.log(number / 20 / sums[w] / sums[c]))
    np.testing.assert_allclose(plain, expected, rtol=1e-6)


def test_the_shift_takes_log_k_off() -> None:
    one, two = (positive_pmi(table(), 1, k).toarray() for k in (1, 2))

    np.testing.assert_allclose(two, np.maximum(one - math.log(2), 0), atol=1e-6)


def test_smoothing_lowers_the_pmi_of_rare_contexts() -> None:
    counts = csr_array(np.array([[50, 1.0], [1.0, 1.0]]))

    rare = [positive_pmi(counts, power, 1).toarray()[1, 1] for power in (1, 0.75)]
    assert rare[1] < rare[0]


def test_the_factors_are_those_of_the_full_svd() -> None:
    rng = np.random.default_rng(0)
    dense = np.maximum(rng.normal(size=(40, 30)), 0)
    vectors = maths.factor(csr_array(dense).astype(np.float32), 5)
    u, s, _ = np.linalg.svd(dense, full_matrices=False)

    gram = (u[:, :5] * s[:5]) @ u[:, :5].T
    np.testing.assert_allclose(vectors @ vectors.T, gram, atol=1e-4)


@pytest.mark.parametrize("k", [1, 5, 20])
def test_the_best_dot_product_is_shifted_pmi(k: int) -> None:
    assert maths.bridge_error(table(), k, np.random.default_rng(0)) < 1e-9


def test_a_wrong_bridge_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = maths.best_product
    monkeypatch.setattr(maths, "best_product", lambda *given_: right(*given_) + 1e-3)
    assert maths.bridge_error(table(), 1, np.random.default_rng(0)) > 5e-4


def test_lsa_is_co_occurrence_in_a_passage() -> None:
    rng = np.random.default_rng(1)
    counts = csr_array(rng.poisson(0.3, (50, 30)).astype(float))
    assert maths.lsa_error(counts) < 1e-12


def test_a_word_beyond_what_is_read_has_no_vector() -> None:
    counts = np.random.default_rng(1).poisson(0.3, (12, 30)).astype(float)
    counts[4] = 0
    vectors = maths.lsa(csr_array(counts), 3)

    assert np.isfinite(vectors).all()
    assert np.abs(vectors[4]).max() < 1e-6


def test_passages_hold_every_known_word_once(cache: Path, topics: Path) -> None:
    text = bench(cache, small(topics)).corpus
    counts = maths.term_documents(text, 20, 100)

    assert counts.shape == (20, 300)
    assert counts.sum() == text.counts[:20].sum()


def test_row_scores_are_cosines() -> None:
    rows = np.array([[1.0, 2, 0], [2, 4, 1], [0, 0, 3], [1, 1, 1]])
    index = {word: n for n, word in enumerate("abcd")}
    pairs = [Pair("a", "b", 0), Pair("a", "c", 1), Pair("a", "d", 2), Pair("b", "d", 3)]

    score = demo.row_score(csr_array(rows), index, pairs)
    assert score == Space(list("abcd"), rows.astype(np.float32)).score(pairs)


# --------------------------------------------------------------------------------- the run


def test_a_run_on_own_text_tells_all_of_it(cache: Path, topics: Path, tmp_path: Path) -> None:
    events, guide = play(demo, small(topics), cache, save=tmp_path)

    names = [stage.name for stage in of(Stage, events)]
    assert [name for name in names if name != "corpus"] == [
        "load", "count", "check", "factor", "compare", "windows and shifts",
    ]  # fmt: skip
    assert {claim.id for claim in of(Claim, events)} == {
        "brute-force", "word2vec-bridge", "lsa-bridge",
    }  # fmt: skip
    assert all(claim.holds for claim in of(Claim, events))
    neighbours = next(table for table in of(Table, events) if table.id == "neighbours")
    assert sum(word.startswith("t1w") for word in str(neighbours.rows[0][1]).split(", ")) >= 5
    assert isinstance(guide, Guide)
    found = next(guide.explore("t4w1"))
    assert isinstance(found, Table)
    assert str(found.rows[0][0]).startswith("t4w")
    grid = [table for table in of(Table, events) if table.id == "grid"][-1]
    assert len(grid.rows) == 6


def test_saved_vectors_are_read_back_by_gensim(cache: Path, topics: Path, tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    _, guide = play(demo, small(topics, compare=False), cache, save=tmp_path)

    read = KeyedVectors.load_word2vec_format(str(tmp_path / "vectors.txt"))
    assert read.index_to_key == list(guide.space.words)
    np.testing.assert_allclose(read.vectors, guide.space.vectors, rtol=1e-5, atol=1e-8)


def test_the_same_seed_gives_the_same_events(cache: Path, topics: Path) -> None:
    play(demo, small(topics, compare=False), cache)
    runs = [without_times(play(demo, small(topics), cache)[0]) for _ in range(2)]

    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"corpus": "/no/such/file"}, "No such file"), ({"min_count": 1000}, "words that occur")],
)
def test_what_cannot_be_counted_is_told(
    cache: Path, topics: Path, changes: dict[str, Any], what: str
) -> None:
    events, guide = play(demo, small(topics, **changes), cache)

    last = events[-1]
    assert isinstance(last, Failed)
    assert what in last.error
    assert last.hint
    assert guide is None


# --------------------------------------------------------------- the default run, for real

EXPECTED = set(PPMI.info.claims)
REFUTED = {"rare-pairs", "narrow-window", "shift"}


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(cache: Path) -> None:
    events, guide = play(demo, PpmiParams(), cache)

    check_claims(events, EXPECTED, REFUTED)
    seconds = {metric.name: metric.value for metric in of(Metric, events)}
    assert seconds["CPU of counting and SVD"] <= 6  # the bar of 3 s is for the `seeds` tests
    assert guide.space.words[0] == "the"
    neighbours = {str(table.rows[2][0]): table for table in of(Table, events)
                  if table.id == "neighbours-window"}["german"]  # fmt: skip
    assert "french" in str(neighbours.rows[2][1])
    assert "french" not in str(neighbours.rows[2][2])


@pytest.mark.demo
def test_outcomes_differ_when_parameters_differ(cache: Path) -> None:
    found = []
    for window in (2, 10):
        events, _ = play(demo, PpmiParams(window=window), cache)
        found.append({event.prediction: event.value for event in of(Outcome, events)})

    assert [outcome["shift"] for outcome in found] == [
        "raises it by .02 or more", "lowers it by .02 or more",
    ]  # fmt: skip
    assert float(found[0]["wordsim"]) + 0.1 < float(found[1]["wordsim"])


@pytest.mark.seeds
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_claims_hold_on_more_seeds(cache: Path, seed: int) -> None:
    events, _ = play(demo, PpmiParams(seed=seed), cache)

    check_claims(events, EXPECTED, REFUTED)
    methods = next(table for table in of(Table, events) if table.id == "methods")
    drawn = next(row for row in methods.rows if "drawn" in str(row[0]))
    assert float(str(drawn[1])) >= 0.4
    spent = [m.value for m in of(Metric, events) if m.name == "CPU of counting and SVD"]
    assert spent[0] <= 3
    assert not [note for note in of(Note, events) if "stand alone" in note.text]
