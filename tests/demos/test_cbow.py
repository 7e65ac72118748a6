"""The CBOW demo: its gradients and loops, planted words, runs on a small text, the default run."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from demos.kit.alias import alias_table
from demos.kit.compiled import load
from demos.kit.corpus import SENTENCE_END, Corpus
from demos.kit.counting import smoothed
from demos.kit.planting import MARK, Planted, plant
from demos.kit.similarity import Space
from demos.static import cbow as demo
from demos.static import cbow_math as maths
from demos.static.specs import CBOW, CbowParams
from studytool.demo.events import Claim, Failed, Finding, Metric, Note, Stage, Table
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
    return load("cbow_loop", Lab(cache=cache))


def small(topics: Path, **changes: Any) -> CbowParams:
    given = {"epochs": 3, "dim": 16, "corpus": str(topics), "words": "topicab,topicbc", **changes}
    return CbowParams(**given)


# ------------------------------------------------------------------------- mathematics


@pytest.mark.parametrize("negatives", [1, 5])
def test_gradients_equal_finite_differences(negatives: int) -> None:
    assert maths.finite_difference_error(np.random.default_rng(1), negatives) < 1e-8


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = maths.window_gradients

    def undivided(v: Any, u: Any, n: Any) -> Any:
        dv, du, dn = right(v, u, n)
        return len(v) * dv, du, dn

    monkeypatch.setattr(maths, "window_gradients", undivided)
    assert maths.finite_difference_error(np.random.default_rng(1), 5) > 0.1


def test_the_loss_of_one_window_by_hand() -> None:
    v = np.array([[2.0, 1.0], [0.0, -1.0]])  # mean (1, 0)
    u, n = np.array([math.log(3), 5.0]), np.array([[-math.log(7), 1.0]])

    assert maths.window_loss(v, u, n) == pytest.approx(math.log(4 / 3) + math.log(8 / 7))
    assert maths.window_loss(0 * v, u, n) == pytest.approx(2 * math.log(2))


@pytest.mark.parametrize(("window", "negatives"), [(1, 1), (5, 5), (20, 20)])
def test_the_fast_loop_equals_the_slow_one(kernel: ModuleType, window: int, negatives: int) -> None:
    assert maths.fast_loop_error(kernel, np.random.default_rng(2), window, negatives) < 2e-6


def test_a_wrong_fast_loop_is_found(kernel: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    right = maths.slow_window

    def wrong(*given: Any) -> Any:
        loss, d_inputs, d_outputs = right(*given)
        return loss, d_inputs, d_outputs * (1 + 1e-4)

    monkeypatch.setattr(maths, "slow_window", wrong)
    assert maths.fast_loop_error(kernel, np.random.default_rng(2), 5, 5) > 5e-5


def test_the_undivided_step_is_the_window_times_the_gradient(kernel: ModuleType) -> None:
    rng = np.random.default_rng(3)
    inputs, outputs = rng.normal(0, 0.3, (2, 20, 16)).astype(np.float32)
    contexts, targets = np.array([1, 2, 3, 4]), np.array([5, 6, 7])
    moved = []
    for divide in (True, False):
        after = inputs.copy()
        scratch = kernel.scratch(2, 16)
        kernel.step_window(
            contexts, 4, targets, np.float32(0.1), divide, after, outputs.copy(), *scratch
        )
        moved.append(after - inputs)

    np.testing.assert_allclose(moved[1], 4 * moved[0], atol=1e-6)
    assert np.abs(moved[0][:1]).max() == 0


def test_training_falls_and_leaves_padding_alone(kernel: ModuleType) -> None:
    rng = np.random.default_rng(4)
    ids = np.repeat(rng.integers(0, 6, 400) * 2, 2).astype(np.int32)
    ids[1::2] += 1  # pairs of words that always stand together
    ids[-1] = SENTENCE_END
    keep = np.ones(12, np.float32)
    alias = alias_table(smoothed(np.ones(12), 0.75))
    inputs, outputs = np.zeros((2, 12, 16), np.float32)
    inputs[:, :13] = (rng.random((12, 13)) - 0.5) / 13
    state, losses = np.array([7], np.uint64), []
    for _ in range(40):
        loss, windows = kernel.train(ids, keep, *alias, inputs, outputs, 1, 3, 0.05, state, False)
        losses.append(loss / windows)

    assert losses[0] == pytest.approx(4 * math.log(2), rel=0.1)
    assert losses[-1] < 0.8 * losses[0]
    assert np.all(inputs[:, 13:] == 0)
    assert np.all(outputs[:, 13:] == 0)


# ------------------------------------------------------------------------------ planting


def text(words: int = 400, each: int = 30) -> Corpus:
    """Many frequent words, one after the other; the first 150 don't count as content words."""
    ids = np.random.default_rng(0).permutation(np.repeat(np.arange(words), each)).astype(np.int32)
    names = [
        f"word{chr(97 + n // 26 % 26)}{chr(97 + n % 26)}{chr(97 + n // 676)}" for n in range(words)
    ]
    return Corpus("x", ids, names, np.full(words, each), len(ids), 1, 1)


def test_planting_renames_and_forgets_nothing() -> None:
    corpus = text()

    planted = plant(corpus, (2, 5), 10, np.random.default_rng(1))

    assert planted is not None
    after = planted.corpus
    assert after.counts.sum() == corpus.counts.sum()
    assert np.bincount(after.ids).tolist() == after.counts.tolist()
    assert sorted(after.counts, reverse=True) == after.counts.tolist()
    assert {count: len(names) for count, names in planted.names.items()} == {2: 10, 5: 10}
    number = {word: place for place, word in enumerate(after.words)}
    for count, names in planted.names.items():
        for twin, original in names:
            assert after.counts[number[twin]] == count
            assert after.counts[number[original]] == 30 - 7
            assert twin == f"{original}{MARK}{count}"
    back = [after.words[n].split(MARK)[0] for n in after.ids.tolist()]
    assert back == [corpus.words[n] for n in corpus.ids.tolist()]


def test_planting_needs_frequent_words() -> None:
    assert plant(text(each=10), (2, 5), 10, np.random.default_rng(1)) is None
    assert plant(text(words=100), (2, 5), 10, np.random.default_rng(1)) is None


def test_an_original_is_found_behind_other_twins_but_not_behind_words() -> None:
    words = ["city", "city__20", "city__40", "town", "lake"]
    angles = np.radians([20, 0, 5, 30, 10])
    space = Space(words, np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32))
    corpus = text()
    planted = Planted(corpus, {20: [("city__20", "city")], 40: [("city__40", "city")]})

    assert planted.found(space, 20, nearest=2) == [True]  # lake is nearer, city__40 doesn't count
    assert planted.found(space, 20, nearest=1) == [False]
    assert planted.neighbours(space, "city__20", 2) == ["lake", "city"]
    assert planted.shares(space) == {20: 1.0, 40: 1.0}
    assert Planted(corpus, {5: [("absent__5", "city")]}).found(space, 5) == [False]


# ------------------------------------------------------------------------------- the run


def test_the_same_seed_gives_the_same_events(cache: Path, topics: Path) -> None:
    play(demo.run, small(topics), cache)  # fills the cache, which is a stage of its own

    first, second = (without_times(play(demo.run, small(topics), cache)[0]) for _ in range(2))
    other = without_times(play(demo.run, small(topics, seed=1), cache)[0])

    assert first == second
    assert first != other


def test_a_run_on_own_text_tells_what_it_can(cache: Path, topics: Path, tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    events, guide = play(demo.run, small(topics, epochs=10), cache, save=tmp_path)

    stages = [stage.name for stage in of(Stage, events) if stage.name != "corpus"]
    assert stages == ["load", "compile", "check", "count", "train", "train", "train"]
    checks = {"gradient-check", "fast-equals-slow", "start-loss", "order-ignored"}
    assert {claim.id for claim in of(Claim, events)} == checks
    assert all(claim.as_expected for claim in of(Claim, events))
    assert any("too small" in note.text for note in of(Note, events))
    assert len(of(Finding, events)) == 1
    near = [word for word, _ in guide.space.neighbours("topicab", 5)]
    assert sum(word.startswith("topica") for word in near) >= 4
    read = KeyedVectors.load_word2vec_format(str(tmp_path / "vectors.txt"))
    assert read.index_to_key == list(guide.space.words)
    np.testing.assert_allclose(read.vectors, guide.space.vectors, rtol=1e-5, atol=1e-8)


def test_the_exact_gradient_trains_as_well(cache: Path, topics: Path) -> None:
    _, guide = play(demo.run, small(topics, divide=True, lr=0.25, epochs=10), cache)

    near = [word for word, _ in guide.space.neighbours("topicbc", 5)]
    assert sum(word.startswith("topicb") for word in near) >= 4


def test_the_peer_gets_the_same_time(cache: Path, topics: Path) -> None:
    events, _ = play(demo.run, small(topics, peer=True, epochs=2), cache)

    assert one(Table, events, "methods").rows[-1][0] == "gensim's CBOW, 5 epochs"
    assert "gensim's CBOW: CPU" in [metric.name for metric in of(Metric, events)]


def test_a_learning_rate_that_is_too_high_is_told(cache: Path, topics: Path) -> None:
    events, guide = play(demo.run, small(topics, lr=5.0), cache)

    assert any("blew up" in note.text for note in of(Note, events))
    assert len(of(Finding, events)) == 1
    assert guide is None


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
    events, guide = play(demo.run, CbowParams(), cache)

    check_default(events, CBOW.info.claims, {"skipgram-better-rare"})
    rows = one(Table, events, "rare").rows
    assert [row[0] for row in rows] == [
        demo.COUNTING, "skip-gram, 12 epochs", "CBOW, 12 epochs", "CBOW, 17 epochs",
    ]  # fmt: skip
    for row in rows:
        assert float(row[2] or 0) <= float(row[5] or 0)  # the rarest are found the least
    assert guide.space.words[0] == "the"


@pytest.mark.demo
def test_outcomes_differ_when_parameters_differ(cache: Path) -> None:
    from studytool.demo.events import Outcome

    shares = []
    for epochs in (2, 20):
        events, _ = play(demo.run, CbowParams(epochs=epochs), cache)
        shares.append(
            {event.prediction: event.value for event in of(Outcome, events)}["rare-share"]
        )

    assert float(shares[0]) + 0.1 < float(shares[1])


@pytest.mark.seeds
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_the_claims_hold_on_more_seeds_beside_the_peer(cache: Path, seed: int) -> None:
    events, _ = play(demo.run, CbowParams(seed=seed, peer=True), cache)

    claims = (*CBOW.info.claims, "gensim-cpu", "gensim-cbow-wins")
    check_default(events, claims, {"skipgram-better-rare"})
