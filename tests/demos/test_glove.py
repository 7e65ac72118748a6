"""The GloVe demo: its table, gradients, loops and exact solution, small runs, the default run."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from demos.kit.compiled import load
from demos.kit.corpus import Corpus
from demos.kit.counting import cooccurrence
from demos.kit.similarity import Space
from demos.static import glove as demo
from demos.static import glove_math as mathematics
from demos.static.specs import GLOVE, GloveParams
from studytool.demo.events import Claim, Failed, Finding, Note, Outcome, Series, Stage, Table
from studytool.demo.spec import Lab
from tests.demos.static_kit import (
    check_default,
    of,
    one,
    play,
    without_times,
)


@pytest.fixture(scope="session")
def kernel(cache: Path) -> ModuleType:
    return load("glove_loop", Lab(cache=cache))


def small(topics: Path, **changes: Any) -> GloveParams:
    given = {
        "iterations": 4, "dim": 8, "corpus": str(topics), "words": "topicab,topicbc",
        "first": "topicaa", "second": "topicba", "probes": "topicab,topicbb,absent", **changes,
    }  # fmt: skip
    return GloveParams(**given)


def table(size: int = 12, seed: int = 0) -> csr_array:
    """A symmetric table of positive counts with empty cells."""
    rng = np.random.default_rng(seed)
    counts = rng.gamma(1.0, 6.0, (size, size)) * (rng.random((size, size)) < 0.6)
    return csr_array(counts + counts.T)


# ------------------------------------------------------------------------- mathematics


@settings(max_examples=30)
@given(st.lists(st.integers(-1, 6), min_size=2, max_size=80), st.integers(1, 6))
def test_the_table_equals_plain_loops(ids: list[int], window: int) -> None:
    text = np.array([*ids, -1], np.int32)
    fast = cooccurrence(text, 5, window, harmonic=True)
    slow = mathematics.count_slowly(text, 5, window)

    assert mathematics.support_difference(fast, slow) == 0


def test_the_table_by_hand() -> None:
    counts = cooccurrence(np.array([0, 1, 2, 0, -1, 1], np.int32), 3, 3, harmonic=True).toarray()

    np.testing.assert_allclose(counts, [[2 / 3, 1.5, 1.5], [1.5, 0, 1], [1.5, 1, 0]])


def test_a_wrong_table_is_found() -> None:
    text = np.random.default_rng(0).integers(-1, 6, 200).astype(np.int32)
    slow = mathematics.count_slowly(text, 6, 3)

    assert mathematics.support_difference(cooccurrence(text, 6, 3), slow) > 0
    assert mathematics.support_difference(cooccurrence(text, 6, 2, harmonic=True), slow) > 0


def test_the_table_is_the_same_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 6, 300).astype(np.int32)
    ids[9::10] = -1
    corpus = Corpus("x", ids, list("abcdef"), np.full(6, 45), 270, 30, 1)
    whole, share = mathematics.count_table(corpus, 6, 3)
    assert share == 1
    monkeypatch.setattr(mathematics, "_STRETCH", 40)

    table, share = mathematics.count_table(corpus, 6, 3)
    np.testing.assert_allclose(table.toarray(), whole.toarray())
    assert share == 1
    monkeypatch.setattr(mathematics, "_MOST_CELLS", 5)
    table, share = mathematics.count_table(corpus, 6, 3)
    assert table.nnz > 5
    assert share == 40 / 300


def test_the_weighting_is_capped_and_zero_at_zero() -> None:
    weights = mathematics.weighting(np.array([0.0, 5.0, 10.0, 1000.0]), 10, 0.75)

    np.testing.assert_allclose(weights, [0, 0.5**0.75, 1, 1])


def test_the_loss_of_one_cell_by_hand() -> None:
    w, c = np.array([1.0, 2.0, 0.5]), np.array([3.0, -1.0, 0.25])

    assert mathematics.cell_loss(w, c, float(np.exp(2)), 0.5) == pytest.approx(0.25 * 0.25**2)


def test_gradients_equal_finite_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mathematics.finite_difference_error(np.random.default_rng(1)) < 1e-8
    right = mathematics.cell_gradients
    monkeypatch.setattr(
        mathematics, "cell_gradients", lambda *a: tuple(1.001 * g for g in right(*a))
    )
    assert mathematics.finite_difference_error(np.random.default_rng(1)) > 1e-5


def test_the_fast_loop_equals_the_slow_one(
    kernel: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mathematics.fast_loop_error(kernel, np.random.default_rng(2)) < 1e-5
    right = mathematics.cell_gradients
    monkeypatch.setattr(
        mathematics, "cell_gradients", lambda *a: tuple(1.01 * g for g in right(*a))
    )
    assert mathematics.fast_loop_error(kernel, np.random.default_rng(2)) > 1e-3


def test_exact_rows_leave_no_gradient() -> None:
    counts, ridge = table(), 0.1
    given = np.random.default_rng(3).normal(0, 0.5, (12, 5)).astype(np.float32)

    solved = mathematics.solve_side(counts, given, 10, 0.75, ridge)

    for i in range(12):
        total = ridge * solved[i].astype(float)
        for j in range(12):
            if x := counts[i, j]:
                weight = float(mathematics.weighting(np.array([x]), 10, 0.75)[0])
                total += mathematics.cell_gradients(
                    solved[i].astype(float), given[j].astype(float), x, weight
                )[0]
        assert np.abs(total).max() < 1e-4


def test_sweeps_lower_the_loss_and_blocks_do_not_change_it() -> None:
    counts = table(20)
    cells = mathematics.cells_of(counts, 10, 0.75)
    model = mathematics.new_model(20, 6, np.random.default_rng(4))
    losses = [mathematics.mean_loss(cells, model)]
    for _ in range(3):
        model.words = mathematics.solve_side(counts, model.contexts, 10, 0.75, 1e-4)
        model.contexts = mathematics.solve_side(counts, model.words, 10, 0.75, 1e-4)
        losses.append(mathematics.mean_loss(cells, model))

    assert losses == sorted(losses, reverse=True)
    slow = [
        mathematics.cell_loss(
            model.words[i].astype(float),
            model.contexts[j].astype(float),
            float(np.exp(log)),
            float(weight),
        )
        for i, j, log, weight in zip(*cells, strict=True)
    ]
    assert losses[-1] == pytest.approx(np.mean(slow), rel=1e-3)
    assert losses[-1] < mathematics.bias_loss(counts, cells, 10, 0.75) < losses[0]


def test_ratios_of_a_table_that_is_fitted_exactly() -> None:
    rng = np.random.default_rng(5)
    model = mathematics.new_model(6, 4, rng)
    logs = model.words[:, :4] @ model.contexts[:, :4].T
    logs = logs + model.words[:, 4:] + model.contexts[:, 4]
    counts = np.exp(logs.astype(float))
    counts[0, 3] = 0
    space = Space(list("abcdef"), model.vectors())

    found = mathematics.ratios(space, csr_array(counts), model, ["a", "b"], ["c", "d"])

    totals = counts.sum(axis=1)
    expected = (counts[0, 2] / totals[0]) / (counts[1, 2] / totals[1])
    assert found[0].counted == pytest.approx(expected)
    assert found[0].fitted == pytest.approx(expected, rel=1e-4)
    assert np.isnan(found[1].counted)
    assert found[1].fitted > 0


# ------------------------------------------------------------------------------- the run


def test_the_same_seed_gives_the_same_events(cache: Path, topics: Path) -> None:
    play(demo.run, small(topics), cache)  # fills the cache, which is a stage of its own

    first, second = (without_times(play(demo.run, small(topics), cache)[0]) for _ in range(2))
    other = without_times(play(demo.run, small(topics, seed=1), cache)[0])

    assert first == second
    assert first != other


def test_a_run_on_own_text_tells_all_of_it(cache: Path, topics: Path, tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    events, guide = play(demo.run, small(topics, iterations=30), cache, save=tmp_path)

    stages = [stage.name for stage in of(Stage, events) if stage.name != "corpus"]
    assert stages == ["load", "co-occurrence", "compile", "check", "count", "train", "solve"]
    checks = {"table-equals-loops", "gradient-check", "fast-equals-slow"}
    assert {claim.id for claim in of(Claim, events)} == checks
    assert all(claim.as_expected for claim in of(Claim, events))
    loss = one(Series, events, "loss")
    assert loss.lines[0].y[-1] < 0.5 * loss.lines[0].y[0]
    assert loss.lines[0].y[-1] < next(iter(loss.levels.values()))
    ratios = one(Table, events, "ratios").rows
    assert [row[0] for row in ratios] == ["topicab", "topicbb"]
    assert float(ratios[0][1] or 0) > float(ratios[0][2] or 0)
    read = KeyedVectors.load_word2vec_format(str(tmp_path / "vectors.txt"))
    np.testing.assert_allclose(read.vectors, guide.space.vectors, rtol=1e-5, atol=1e-8)
    assert len(of(Finding, events)) == 1


def test_words_that_the_text_lacks_are_told(cache: Path, topics: Path) -> None:
    events, _ = play(demo.run, small(topics, first="absent", iterations=1), cache)

    assert any("ratio table" in note.text for note in of(Note, events))


def test_what_cannot_be_trained_is_told(cache: Path, topics: Path) -> None:
    for changes in ({"corpus": "/no/such/file"}, {"min_count": 1000}):
        events, guide = play(demo.run, small(topics, **changes), cache)
        last = events[-1]
        assert isinstance(last, Failed)
        assert last.hint
        assert guide is None


# ------------------------------------------------------------- the default run, for real


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(cache: Path) -> None:
    events, guide = play(demo.run, GloveParams(), cache)

    check_default(events, GLOVE.info.claims, {"lower-loss-better"})
    counted = {row[0]: float(row[3] or 0) for row in one(Table, events, "ratios").rows}
    assert counted["sulfuric"] > counted["base"] > 5
    assert counted["alkali"] < counted["hydroxide"] < 0.2
    assert 0.5 < counted["chloride"] < 2
    assert guide.space.words[0] == "the"


@pytest.mark.demo
def test_outcomes_differ_when_parameters_differ(cache: Path) -> None:
    scores = []
    for iterations in (1, 30):
        params = GloveParams(iterations=iterations, dim=20)
        events, _ = play(demo.run, params, cache)
        scores.append({event.prediction: event.value for event in of(Outcome, events)}["wordsim"])

    assert float(scores[0]) != float(scores[1])


@pytest.mark.seeds
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_claims_hold_on_more_seeds(cache: Path, seed: int) -> None:
    events, _ = play(demo.run, msgspec.structs.replace(GloveParams(), seed=seed), cache)

    check_default(events, GLOVE.info.claims, {"lower-loss-better"})
