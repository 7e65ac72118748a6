"""The fastText demo: pieces equal to gensim's, gradients and loops, typos, runs, the default run."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demos.kit.compiled import load
from demos.kit.similarity import Pair, Space
from demos.static import fasttext as demo
from demos.static import fasttext_math as maths
from demos.static import subwords
from demos.static.specs import FASTTEXT, FasttextParams
from studytool.demo.events import Claim, Failed, Finding, Metric, Note, Outcome, Stage, Table
from studytool.demo.spec import Lab
from tests.demos.static_kit import (
    check_default,
    of,
    one,
    play,
    without_times,
)

WORDS = st.text(st.sampled_from("abcdeäßжλ'中"), min_size=1, max_size=12)


@pytest.fixture(scope="session")
def kernel(cache: Path) -> ModuleType:
    return load("subword_loop", Lab(cache=cache))


def small(topics: Path, **changes: Any) -> FasttextParams:
    given = {
        "epochs": 2, "dim": 16, "buckets": 500, "corpus": str(topics), "words": "topicab,topicbc",
        "unknown": "topicz", **changes,
    }  # fmt: skip
    return FasttextParams(**given)


# --------------------------------------------------------------------------------- pieces


@given(WORDS, st.integers(1, 4), st.integers(0, 4))
@settings(max_examples=60)
def test_pieces_and_their_hashes_equal_gensims(word: str, shortest: int, more: int) -> None:
    from gensim.models.fasttext import compute_ngrams_bytes, ft_hash_bytes

    expected = compute_ngrams_bytes(word, shortest, shortest + more)
    found = subwords.ngrams(word, shortest, shortest + more)

    assert [piece.encode() for piece in found] == expected
    assert [subwords.fnv1a(piece) for piece in found] == [
        ft_hash_bytes(piece) for piece in expected
    ]


def test_where_has_fourteen_pieces() -> None:
    found = subwords.ngrams("where", 3, 6)

    assert len(found) == 14
    assert {"<wh", "her", "re>", "<where", "where>"[:6]} <= set(found)
    assert "<her>" not in found
    assert subwords.ngrams("her", 3, 6)[-1] == "er>"


def test_vectors_of_unknown_words_equal_gensims() -> None:
    from gensim.models import FastText

    model = FastText(vector_size=8, min_count=1, bucket=300, min_n=2, max_n=4, seed=1, workers=1)
    text = [["anarchist", "state", "theory"], ["anarchism", "state", "law"]] * 5
    model.build_vocab(text)
    keys = model.wv
    pieces = subwords.Pieces(len(keys), 300, 2, 4)
    rows = np.vstack([keys.vectors_vocab, keys.vectors_ngrams]).astype(np.float32)
    known = subwords.means(rows, *pieces.table(keys.index_to_key))
    speller = subwords.Speller(Space(keys.index_to_key, known), rows, pieces)

    for word in ("anarchistic", "xyzzy"):
        np.testing.assert_allclose(speller.vectors([word])[0], keys[word], atol=1e-6)
    keys.adjust_vectors()
    np.testing.assert_allclose(known, keys.vectors, atol=1e-6)


def test_overlap_counts_shared_pieces() -> None:
    assert subwords.overlap("where", "where", 3, 6) == 1
    assert subwords.overlap("abc", "xyz", 3, 6) == 0
    assert subwords.overlap("bank", "banc", 3, 3) == pytest.approx(2 / 6)


# ----------------------------------------------------------------------------- mathematics


@pytest.mark.parametrize("negatives", [1, 5])
def test_gradients_equal_finite_differences(negatives: int) -> None:
    assert maths.finite_difference_error(np.random.default_rng(1), negatives) < 1e-8


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = maths.window_gradients

    def wrong(*given: Any) -> Any:
        to_h, du, dn = right(*given)
        return to_h, du, 1.001 * dn

    monkeypatch.setattr(maths, "window_gradients", wrong)
    assert maths.finite_difference_error(np.random.default_rng(1), 5) > 1e-5


@pytest.mark.parametrize(("window", "negatives"), [(1, 1), (5, 5), (10, 20)])
def test_the_fast_loop_equals_the_formulas(kernel: ModuleType, window: int, negatives: int) -> None:
    assert maths.fast_loop_error(kernel, np.random.default_rng(2), window, negatives) < 2e-6


def test_a_negative_that_is_a_context_is_not_pushed_from_it(kernel: ModuleType) -> None:
    rng = np.random.default_rng(3)
    inputs, outputs = rng.normal(0, 0.3, (2, 10, 8)).astype(np.float32)
    units, contexts = np.array([0, 1]), np.array([4, 5])
    losses = []
    for negatives in ([4, 5], [6, 7]):
        after = inputs.copy(), outputs.copy()
        losses.append(
            kernel.step_window(
                units, contexts, 2, np.array(negatives), np.float32(0), *after, *kernel.scratch(8)
            )
        )
    h = inputs[:2].astype(float).mean(axis=0)
    positives = np.logaddexp(0, -(outputs[4:6].astype(float) @ h)).sum()
    one_each = np.logaddexp(0, outputs[4:6].astype(float) @ h).sum()

    assert losses[0] == pytest.approx(positives + one_each, rel=1e-6)
    assert losses[1] == pytest.approx(
        maths.window_loss(inputs[:2], outputs[4:6], outputs[6:8]), rel=1e-6
    )


# ----------------------------------------------------------------------------------- typos


@given(st.text("abcdefgh", min_size=7, max_size=12), st.integers(0, 99))
def test_typos_change_one_place_and_never_the_first_letter(word: str, seed: int) -> None:
    for kind, length in (("delete", -1), ("swap", 0), ("replace", 0)):
        wrong = subwords.misspell(word, kind, np.random.default_rng(seed))
        assert len(wrong) == len(word) + length
        assert wrong[0] == word[0]
        if kind == "swap":
            assert sorted(wrong) == sorted(word)
        if kind == "replace":
            assert sum(a != b for a, b in zip(word, wrong, strict=True)) <= 1


def planted() -> subwords.Speller:
    """Words along two directions; n-grams of length 1 have rows of their own."""
    pieces = subwords.Pieces(3, 2000, 1, 1)
    rows = np.zeros((2003, 2), np.float32)
    for letter in "ab":
        rows[3 + subwords.fnv1a(letter) % 2000] = [1, 0] if letter == "a" else [0, 1]
    words = ["aaa", "bbb", "aab"]
    table = pieces.table(words)
    return subwords.Speller(Space(words, subwords.means(rows, *table)), rows, pieces)


def test_places_and_pairs_by_hand() -> None:
    speller = planted()

    assert speller.places(["aa", "bb", "aa"], ["aaa", "bbb", "bbb"]).tolist() == [0, 0, 2]
    pairs = [Pair("aaa", "aaaa", 9.0), Pair("aaa", "aab", 5.0), Pair("bbbb", "aaaa", 1.0)]
    assert speller.pair_score(pairs) == pytest.approx(1)


def test_requests_are_answered() -> None:
    guide = subwords.SpellingGuide(planted())

    (unknown,) = guide.explore("AA")
    assert isinstance(unknown, Table)
    assert unknown.rows[0][0] == "aaa"
    assert "not in the text" in unknown.note
    (known,) = guide.explore("aaa")
    assert isinstance(known, Table)
    assert "aaa" not in [row[0] for row in known.rows]
    for request in ("", "two words"):
        (note,) = guide.explore(request)
        assert isinstance(note, Note)


# --------------------------------------------------------------------------------- the run


def test_the_same_seed_gives_the_same_events(cache: Path, topics: Path) -> None:
    play(demo.run, small(topics), cache)  # fills the cache, which is a stage of its own

    first, second = (without_times(play(demo.run, small(topics), cache)[0]) for _ in range(2))
    other = without_times(play(demo.run, small(topics, seed=1), cache)[0])

    assert first == second
    assert first != other


def test_a_run_on_own_text_tells_all_of_it(cache: Path, topics: Path, tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    events, guide = play(demo.run, small(topics, epochs=6), cache, save=tmp_path)

    stages = [stage.name for stage in of(Stage, events) if stage.name != "corpus"]
    assert stages == ["load", "compile", "check", "train", "word2vec", "typos", "unknown"]
    assert {claim.id for claim in of(Claim, events)} == {"gradient-check", "fast-equals-slow"}
    assert all(claim.as_expected for claim in of(Claim, events))
    start = {event.name: event.value for event in of(Metric, events)}["loss before training"]
    assert start == pytest.approx(6 * math.log(2), rel=0.1)  # a negative may equal a context
    assert one(Table, events, "typos").rows[0][2] == 0
    assert one(Table, events, "unknown").rows[0][0] == "topicz"
    space = guide.speller.space
    read = KeyedVectors.load_word2vec_format(str(tmp_path / "vectors.txt"))
    assert read.index_to_key == list(space.words)
    np.testing.assert_allclose(read.vectors, space.vectors, rtol=1e-5, atol=1e-8)
    assert len(of(Finding, events)) == 1


def test_the_kind_of_typo_changes_the_outcome(cache: Path, topics: Path) -> None:
    outcomes = []
    for kind in ("delete", "replace"):
        events, _ = play(demo.run, small(topics, typo=kind), cache)
        outcomes.append(one(Table, events, "typos").rows)

    assert outcomes[0] != outcomes[1]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"corpus": "/no/such/file"}, "No such file"),
        ({"min_count": 1000}, "words that occur"),
        ({"min_n": 5, "max_n": 4}, "longer than"),
    ],
)
def test_what_cannot_be_trained_is_told(
    cache: Path, topics: Path, changes: dict[str, Any], what: str
) -> None:
    events, guide = play(demo.run, small(topics, **changes), cache)

    last = events[-1]
    assert isinstance(last, Failed)
    assert what in last.error
    assert last.hint
    assert guide is None


def test_a_learning_rate_that_is_too_high_is_told(cache: Path, topics: Path) -> None:
    events, guide = play(demo.run, small(topics, lr=5.0, epochs=4), cache)

    assert any("blew up" in note.text for note in of(Note, events))
    assert guide is None


# --------------------------------------------------------------- the default run, for real

REFUTED = {"training-finds-typos", "unknown-meaning"}


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(cache: Path) -> None:
    events, guide = play(demo.run, FasttextParams(), cache)

    check_default(events, FASTTEXT.info.claims, REFUTED)
    methods = {row[0]: row[1] for row in one(Table, events, "methods").rows}
    assert float(methods["fastText"] or 0) > 0.35
    (table,) = guide.explore("anarchistic")
    assert isinstance(table, Table)
    assert sum(str(row[0]).startswith("anarch") for row in table.rows) >= 3


@pytest.mark.demo
def test_outcomes_differ_when_parameters_differ(cache: Path) -> None:
    events, _ = play(demo.run, FasttextParams(epochs=3), cache)

    outcomes = {event.prediction: event.value for event in of(Outcome, events)}
    assert outcomes["typo-winner"] == demo.WHO[1]  # trained a little, it finds fewer than untrained
    assert float(outcomes["typo-share"]) < 0.6
    assert not any(claim.id == "typo-top10" for claim in of(Claim, events))


@pytest.mark.seeds
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_claims_hold_on_more_seeds(cache: Path, seed: int) -> None:
    events, _ = play(demo.run, msgspec.structs.replace(FasttextParams(), seed=seed), cache)

    check_default(events, FASTTEXT.info.claims, REFUTED)
