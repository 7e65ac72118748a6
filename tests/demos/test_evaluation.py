"""The evaluation demo: geometry, intervals, senses and bias by hand, small runs, the default run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from demos.kit import geometry
from demos.kit.similarity import Pair, Space, interval
from demos.static import bias, senses
from demos.static import evaluation as demo
from demos.static.specs import EVALUATION, EvaluationParams
from studytool.demo.events import (
    Claim,
    Failed,
    Finding,
    Note,
    Outcome,
    Prediction,
    Series,
    Stage,
    Table,
)
from tests.demos.static_kit import (
    check_default,
    of,
    one,
    play,
    without_times,
)


def small(topics: Path, **changes: Any) -> EvaluationParams:
    return EvaluationParams(**{"effort": 0.1, "corpus": str(topics), **changes})


def space(vectors: Any) -> Space:
    rows = np.asarray(vectors, np.float32)
    return Space([f"w{n}" for n in range(len(rows))], rows)


# ------------------------------------------------------------------------------ geometry


def test_the_mean_cosine_equals_all_pairs() -> None:
    cloud = space(np.random.default_rng(0).normal(0.3, 1, (40, 6)))
    cosine = cloud.unit @ cloud.unit.T

    assert geometry.mean_cosine(cloud) == pytest.approx(
        cosine[~np.eye(40, dtype=bool)].mean(), abs=1e-5
    )


def test_all_but_the_top_removes_mean_and_directions() -> None:
    rng = np.random.default_rng(1)
    cloud = space(rng.normal(0, [9, 5, 1, 1, 1], (200, 5)) + 3)

    after = geometry.all_but_the_top(cloud, 2).vectors

    np.testing.assert_allclose(after.mean(axis=0), 0, atol=1e-4)
    spread = np.linalg.svd(after, compute_uv=False)
    assert spread[3:].max() < 1e-3 * spread[0]
    assert after[:, :2].std() < 0.5 < after[:, 2:].std()


def test_hubs_equal_a_count_by_hand() -> None:
    cloud = space(np.random.default_rng(2).normal(size=(60, 4)))
    counts = np.zeros(50)
    for word in range(50):
        cosine = cloud.unit[:50] @ cloud.unit[word]
        cosine[word] = -2
        counts[np.argsort(-cosine)[:10]] += 1

    found = geometry.hubs(cloud, 50)

    assert found.largest == counts.max()
    assert found.word == f"w{counts.argmax()}"
    assert found.never == (counts == 0).mean()
    standard = (counts - counts.mean()) / counts.std()
    assert found.skew == pytest.approx((standard**3).mean())


def test_length_follows_frequency() -> None:
    assert geometry.norm_by_frequency(space([[4, 0], [0, 3], [2, 0], [0, 1]])) == pytest.approx(1)


def test_ranks_without_a_direction_are_those_of_the_rest() -> None:
    cloud = space([[1, 0, 0], [0.9, 0.1, 0], [0.5, 0, 0.5], [0, 0.05, 1], [1, 0.4, 0.01]])

    plain = geometry.neighbour_ranks(cloud, "w0")
    assert plain[0] == 0
    assert sorted(plain) == [0, 1, 2, 3, 4]
    assert plain[1] == 1
    axis = np.array([[1, 0, 0]], np.float32)
    assert np.abs(geometry.without(cloud.vectors, axis)[:, 0]).max() == 0
    main = geometry.neighbourhood(cloud, 0, 2, 1)
    assert abs(main[0, 0]) > 0.9


def test_intervals_equal_those_of_one_method_and_pairs_share_draws() -> None:
    rng = np.random.default_rng(3)
    cloud = space(rng.normal(size=(80, 5)))
    pairs = [
        Pair(f"w{a}", f"w{b}", float(rng.uniform(0, 10))) for a, b in rng.integers(0, 80, (60, 2))
    ]
    spaces = {"one": cloud, "same": cloud, "noise": space(rng.normal(size=(80, 5)))}

    found = geometry.bootstrap(spaces, pairs, np.random.default_rng(4), 300)

    expected = interval(*cloud.cosines(pairs), np.random.default_rng(4), 300)
    assert found.score("one")[1:] == pytest.approx(expected)
    assert found.gain("one", "same") == (0, 0, 0)
    gain = found.gain("noise", "one")
    assert gain.low < gain.value < gain.high
    assert str(geometry.Range(0.5, 0.25, 0.75)) == "0.50 [0.25, 0.75]"


# ----------------------------------------------------------------------- senses and bias


def test_a_planted_sense_surfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    near, far = np.eye(40)[0], np.eye(40)[1]
    rows, words = [2 * near + 0.7 * far], ["bank"]
    for n in range(12):
        rows.append(2 * near + rng.normal(0, 0.1, 40))
        words.append(f"money{n}")
    for n in range(6):
        rows.append(1.0 * far + rng.normal(0, 0.12, 40))
        words.append(f"river{n}")
    for n in range(600):
        rows.append(0.4 * near + rng.normal(0, 0.15, 40))
        words.append(f"other{n}")
    cloud = Space(words, np.array(rows, np.float32))
    monkeypatch.setattr(
        senses,
        "SENSES",
        {"bank": ("money0 money1 money2", "river0 river1 river2"), "absent": ("a", "b")},
    )

    (found,) = senses.hidden_senses(cloud, np.random.default_rng(6))

    assert found.hidden == "river0, river1, river2"
    assert found.shown.startswith("money")
    assert found.surfaces
    assert found.after < found.before / 2
    assert found.random < 1


def test_random_words_gain_as_much_as_random_words() -> None:
    rng = np.random.default_rng(7)
    before, after = rng.permutation(2000), rng.permutation(2000)

    chances = [
        senses.chance_of_gain(before, after, rng.integers(0, 2000, 5), rng) for _ in range(200)
    ]

    assert 0.35 < np.mean(chances) < 0.65
    assert np.mean(np.array(chances) < 0.05) < 0.12


def test_the_lists_of_senses_have_two_each() -> None:
    assert len(senses.SENSES) == 20
    for word, pair in senses.SENSES.items():
        for sense in pair:
            assert word not in sense.split()
            assert len(set(sense.split())) == 5


def test_the_association_test_finds_what_was_planted() -> None:
    words = [*bias.MALE.split(), *bias.FEMALE.split(), *bias.CAREER.split(), *bias.FAMILY.split()]
    rng = np.random.default_rng(8)
    sign = [1] * 8 + [-1] * 8 + [1] * 8 + [-1] * 8
    rows = [np.array([s, 1]) + rng.normal(0, 0.2, 2) for s in sign]
    cloud = Space(words, np.array(rows, np.float32))
    lists = [each.split() for each in (bias.MALE, bias.FEMALE)]

    career = bias.associations(cloud, bias.CAREER.split(), *lists)
    family = bias.associations(cloud, bias.FAMILY.split(), *lists)

    assert bias.effect_size(career, family) > 1.5
    assert bias.permutation_p(career, family, rng) < 0.01
    assert bias.permutation_p(family, career, rng) > 0.9
    assert bias.effect_size(family, career) == pytest.approx(-bias.effect_size(career, family))
    table = next(event for event in bias.bias_probe(cloud, rng) if isinstance(event, Table))
    assert [row[0] for row in table.rows] == ["career", "family"]
    assert list(bias.bias_probe(space([[1, 0]]), rng)) == []


# ------------------------------------------------------------------------------- the run


def test_the_same_seed_gives_the_same_events(cache: Path, topics: Path) -> None:
    play(demo.run, small(topics), cache)  # fills the cache, which is a stage of its own

    first, second = (without_times(play(demo.run, small(topics), cache)[0]) for _ in range(2))
    other = without_times(play(demo.run, small(topics, seed=1), cache)[0])

    assert first == second
    assert first != other


def test_a_run_on_own_text_tells_what_it_can(cache: Path, topics: Path, tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    events, guide = play(demo.run, small(topics, fasttext=True), cache, save=tmp_path)

    stages = [stage.name for stage in of(Stage, events) if stage.name != "corpus"]
    assert stages == ["load", "compile", "count", *["train"] * 4, "analogies", "shape", "senses"]
    assert not of(Claim, events)
    assert any("rated pairs" in note.text for note in of(Note, events))
    shapes = one(Table, events, "shapes").rows
    assert [row[0] for row in shapes] == ["PPMI + SVD", "skip-gram", "CBOW", "GloVe", "fastText"]
    saved = sorted(path.name for path in tmp_path.iterdir())
    assert saved == [
        "vectors-cbow.txt", "vectors-fasttext.txt", "vectors-glove.txt",
        "vectors-ppmi+svd.txt", "vectors-skip-gram.txt",
    ]  # fmt: skip
    read = KeyedVectors.load_word2vec_format(str(tmp_path / "vectors-skip-gram.txt"))
    assert read.index_to_key == list(guide.space.words)
    np.testing.assert_allclose(read.vectors, guide.space.vectors, rtol=1e-5, atol=1e-8)
    assert len(of(Finding, events)) == 1


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
    events, guide = play(demo.run, EvaluationParams(), cache)

    check_default(events, EVALUATION.info.claims, {"predicting-better"})
    curve = one(Series, events, "score-by-cpu")
    assert {line.name: len(line.x) for line in curve.lines} == {
        "PPMI + SVD": 1, "skip-gram": 18, "CBOW": 25, "GloVe": 9,
    }  # fmt: skip
    differences = one(Table, events, "differences").rows
    assert all("[" in str(cell) for row in differences for cell in row[1:])
    assert len(one(Table, events, "senses").rows) >= 16
    assert guide.space.words[0] == "the"


@pytest.mark.demo
def test_outcomes_differ_when_parameters_differ(cache: Path) -> None:
    events, _ = play(demo.run, EvaluationParams(effort=0.2), cache)

    outcomes = {event.prediction: event.value for event in of(Outcome, events)}
    assert outcomes["best-method"] == "PPMI + SVD"  # counting needs no passes
    assert {event.id for event in of(Prediction, events)} == set(outcomes)
    assert not of(Claim, events)


@pytest.mark.seeds
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_claims_hold_on_more_seeds(cache: Path, seed: int) -> None:
    events, _ = play(demo.run, msgspec.structs.replace(EvaluationParams(), seed=seed), cache)

    check_default(events, EVALUATION.info.claims, {"predicting-better"})
