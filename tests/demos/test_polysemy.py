"""The polysemy demo: scores against plain loops, own sentences, requests, the default run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from demos.contextual import polysemy as demo
from demos.contextual import uses_space as space
from demos.contextual.polysemy_static import PROBES, Shown, input_space
from demos.contextual.specs import POLYSEMY, PolysemyParams
from demos.contextual.uses import OWN_USES, Use, read_uses, shuffled, words_of_uses
from demos.kit.data import DataFault
from demos.kit.minilm import MiniLM
from studytool.demo.events import Claim, Event, Failed, Matrix, Note, Outcome, Table
from tests.demos.static_kit import check_default, of, one, play, without_times

ROOT = Path(__file__).parents[2]
SMALL = """# a comment, and an empty line

bat | animal | A bat flew out of the cave.
bat | animal | The bat eats moths at night.
bat | club | He swung the bat at the ball.
bat | club | Her bat is made of wood.
light | bright | The light of the lamp is bright.
light | bright | Turn off the light in the hall.
light | easy | This bag is light to carry.
light | easy | A light meal is enough.
"""
REFUTED = {
    "contextual-crushes-bag", "last-layer-best", "order-carries-sense", "one-threshold",
    "removal-shows-other",
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "mine.txt"
    path.write_text(SMALL, "utf-8")
    return path


# ----------------------------------------------------------------------------------- scores


def some_uses(rng: np.random.Generator, count: int) -> list[Use]:
    return [
        Use(f"w{rng.integers(2)}", f"s{rng.integers(2)}", f"say w{n}") for n in range(count)
    ] + [Use(f"w{w}", f"s{s}", "x") for w in range(2) for s in range(2) for _ in range(2)]


@given(st.integers(0, 10_000))
def test_hits_and_pairs_equal_plain_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    uses = some_uses(rng, 6)
    n = len(uses)
    cosines = rng.integers(0, 4, (n, n)) / 4
    cosines = (cosines + cosines.T) / 2
    labels = space.Labels(uses)

    expected, wins, pairs = [], 0.0, 0
    same_pairs: list[float] = []
    other_pairs: list[float] = []
    for i, use in enumerate(uses):
        right = [cosines[i, j] for j in range(n) if j != i and uses[j][:2] == use[:2]]
        wrong = [cosines[i, j] for j in range(n) if uses[j].word == use.word
                 and uses[j].sense != use.sense]  # fmt: skip
        expected.append(0.5 if max(right) == max(wrong) else float(max(right) > max(wrong)))
        for j in range(i + 1, n):
            if uses[j].word == use.word:
                (same_pairs if uses[j].sense == use.sense else other_pairs).append(cosines[i, j])
    for a in same_pairs:
        for b in other_pairs:
            wins += 0.5 if a == b else float(a > b)
            pairs += 1

    assert space.hits(cosines, labels).tolist() == expected
    assert space.separation(cosines, labels) == pytest.approx(wins / pairs)


def test_noise_hits_as_often_as_chance_says() -> None:
    uses = read_uses(OWN_USES)
    labels = space.Labels(uses)
    shares = []
    for seed in range(60):
        noise = np.random.default_rng(seed).random((len(uses), len(uses)))
        shares.append(space.hits(noise + noise.T, labels).mean())

    assert labels.chance == pytest.approx(7 / 15)
    assert np.mean(shares) == pytest.approx(7 / 15, abs=0.02)


def test_a_threshold_is_judged_on_words_that_had_no_part_in_it() -> None:
    uses = [Use(w, s, "") for w in ("a", "b") for s in ("x", "y") for _ in range(2)]
    labels = space.Labels(uses)
    cosines = np.where(labels.same, 0.9, 0.1)
    moved = cosines.copy()
    moved[4:, 4:] += 5  # the second word's cosines are all far above the first word's

    assert space.one_threshold(cosines, labels) == 1
    assert space.one_threshold(moved, labels) == 0.5
    assert np.isnan(space.one_threshold(cosines[:4, :4], space.Labels(uses[:4])))


def test_lenses() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(3, [1, 5, 0.1], (8, 3))
    words = ["a"] * 4 + ["b"] * 4

    standard = space.Lens.fit("standardised", vectors, words)
    rescaled = space.Lens.fit("standardised", vectors * [2, 10, 7] + 4, words)
    np.testing.assert_allclose(
        standard.unit(vectors, words), rescaled.unit(vectors * [2, 10, 7] + 4, words)
    )
    centred = space.Lens.fit("centred", vectors, words)
    moved = vectors + np.repeat([[0.0], [9.0]], 4, axis=0)
    np.testing.assert_allclose(
        centred.unit(vectors, words),
        space.Lens.fit("centred", moved, words).unit(moved, words),
    )
    raw = space.table_of_cosines("raw", vectors, words)
    theirs = torch.nn.functional.cosine_similarity(
        torch.from_numpy(vectors)[:, None], torch.from_numpy(vectors)[None], dim=2
    )
    np.testing.assert_allclose(raw, theirs.numpy(), atol=1e-12)


# ---------------------------------------------------------------------------------- vectors


def test_the_word_is_found_whatever_its_pieces(model: MiniLM) -> None:
    sentence = "The unbelievableness of bats: a bat's Bat."

    pieces = model.tokens(sentence)[1]
    assert [pieces[i] for i in space.token_places(model, "bat", sentence)] == ["bat"]
    long = space.token_places(model, "unbelievableness", sentence)
    assert len(long) > 1
    assert "".join(pieces[i].removeprefix("##") for i in long) == "unbelievableness"
    states = space.use_vectors(model, "unbelievableness", sentence, "word")
    last = model.layers(torch.tensor([model.tokens(sentence)[0]]))[-1][0]
    np.testing.assert_allclose(states[-1], last[long].mean(dim=0).numpy(), atol=1e-6)
    assert space.use_vectors(model, "bat", sentence, "cls")[3].shape == (384,)


def test_bags_leave_the_word_out_and_weigh_rare_pieces(model: MiniLM) -> None:
    uses = [Use("bat", "x", "red bat flew"), Use("bat", "x", "bat red ran")]
    red, flew = (model.input_vectors([model.pieces()[w]])[0] for w in ("red", "flew"))

    plain, weighed = (space.bags(model, uses, idf=idf) for idf in (False, True))

    np.testing.assert_allclose(plain[0], red + flew, atol=1e-6)
    np.testing.assert_allclose(weighed[0], np.log(2) * flew, atol=1e-6)


def test_fresh_weights_keep_the_shape_and_nothing_else(model: MiniLM) -> None:
    fresh = model.untrained(torch.Generator().manual_seed(1))
    ids = torch.tensor([model.tokens("a bat flew")[0]])

    ours, theirs = fresh.layers(ids), model.layers(ids)
    assert [state.shape for state in ours] == [state.shape for state in theirs]
    assert not torch.allclose(ours[-1], theirs[-1], atol=0.1)
    assert abs(float(fresh.input_vectors(range(1000)).std()) - 0.02) < 1e-3
    assert not np.allclose(fresh.input_vectors([7]), model.input_vectors([7]), atol=0.02)


def test_probes_are_known_words(model: MiniLM) -> None:
    known = input_space(model)

    assert set(PROBES) == set(words_of_uses(read_uses(OWN_USES)))
    for senses in PROBES.values():
        assert all(sum(word in known for word in sense.split()) >= 4 for sense in senses)
    assert Shown("a", "", 5, 100, "", 50, 90).surfaces
    assert not Shown("a", "", 5, 100, "", 50, 50).surfaces


# ------------------------------------------------------------------------------------- uses


def test_the_own_sentences_are_balanced() -> None:
    uses = read_uses(OWN_USES)

    groups = {(use.word, use.sense) for use in uses}
    assert len(uses) == 128
    assert len(groups) == 16
    assert all(sum((u.word, u.sense) == group for u in uses) == 8 for group in groups)
    assert len({use.sentence for use in uses}) == 128
    mixed = shuffled(uses[0], np.random.default_rng(0))
    assert sorted(mixed.sentence.split()) != mixed.sentence.split()
    assert sorted(mixed.sentence.strip(".").split()) == sorted(uses[0].sentence.strip(".").split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bat | animal\n", "line 1: no word, sense and sentence"),
        ("bat | animal | Bats fly.\n", "line 1: “Bats fly.” does not have the word bat"),
        ("bat | a | a bat\nbat | a | the bat\n", "bat needs two senses"),
        ("# nothing\n", "has no sentences"),
        ("bat | a | " + "bat " * 200, "letters"),
        ("# x\n" * 3000, "3,000 lines"),
    ],
)
def test_a_file_of_another_form_is_told_by_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(text, "utf-8")

    with pytest.raises(DataFault) as fault:
        read_uses(path)
    assert said in fault.value.message
    assert fault.value.hint


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    latin = tmp_path / "latin.txt"
    latin.write_bytes("bat | x | é bat".encode("latin-1"))

    with pytest.raises(DataFault, match="not UTF-8"):
        read_uses(latin)
    with pytest.raises(DataFault, match="No such file"):
        read_uses(tmp_path / "none.txt")


# -------------------------------------------------------------------------------------- run


def test_own_sentences_run_the_same_twice_and_answer_requests(tmp_path: Path, small: Path) -> None:
    params = PolysemyParams(sentences=str(small), word="Light", layer=3, cosine="centred")
    events, finder = play(demo.run, params, tmp_path / "d")

    assert without_times(events) == without_times(play(demo.run, params, tmp_path / "d")[0])
    other = play(demo.run, PolysemyParams(sentences=str(small), word="bat", seed=1), tmp_path / "d")
    assert without_times(events) != without_times(other[0])
    assert {claim.id for claim in of(Claim, events)} == {"static-half"}
    assert all(claim.as_expected for claim in of(Claim, events))
    heat = one(Matrix, events, "heat")
    assert "layer 3" in heat.title
    np.testing.assert_allclose(np.diag(np.array(heat.values)), 1, atol=1e-3)
    assert heat.columns == ["b1", "b2", "e1", "e2"]
    (near,) = finder.explore("A bat slept in the barn.")
    assert isinstance(near, Table)
    assert near.rows[0][0] == "animal"
    (pair,) = finder.explore("The light is on. / The light went out.")
    assert isinstance(pair, Table)
    assert len(pair.rows) == 8
    (rare,) = finder.explore("A jaguar ran. / I drove a jaguar.")
    assert isinstance(rare, Table)
    for request, said in (("", "type a sentence"), ("A dog.", "none of the words"),
                          ("Dogs run / cats sleep", "no word in common")):  # fmt: skip
        (note,) = finder.explore(request)
        assert isinstance(note, Note)
        assert said in note.text


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"word": "zebra"}, "no uses of 'zebra'"), ({"sentences": "/no/file"}, "No such file")],
)
def test_what_cannot_be_run_is_told(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    events, finder = play(demo.run, PolysemyParams(**changes), tmp_path / "d")

    failed = events[-1]
    assert isinstance(failed, Failed)
    assert said in failed.error
    assert failed.hint
    assert finder is None


def test_the_spec_is_light() -> None:
    code = (
        "import sys, demos.contextual.specs as s; s.POLYSEMY.params();"
        "print([m for m in ('numpy', 'torch', 'tokenizers') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def check(events: list[Event]) -> None:
    check_default(events, POLYSEMY.info.claims, REFUTED)


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(tmp_path: Path) -> None:
    events, finder = play(demo.run, PolysemyParams(), tmp_path / "d")

    check(events)
    assert finder.layer == 4
    assert len(one(Matrix, events, "heat").values) == 16
    (table,) = finder.explore("The player hit a six with his bat.")
    assert isinstance(table, Table)
    assert table.rows[0][0] == "club"


@pytest.mark.demo
def test_outcomes_follow_the_parameters(tmp_path: Path) -> None:
    events, _ = play(demo.run, PolysemyParams(vector="cls", cosine="raw"), tmp_path / "d")

    outcomes = {event.prediction: event for event in of(Outcome, events)}
    assert float(outcomes["bag"].value) < 82
    assert "94.5%" not in outcomes["layer"].text


@pytest.mark.seeds
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_claims_hold_on_more_seeds(tmp_path: Path, seed: int) -> None:
    events, _ = play(demo.run, PolysemyParams(seed=seed), tmp_path / "d")

    check(events)
    found = {claim.id: claim.value for claim in of(Claim, events)}
    assert found["best-layer"] >= 0.94
    assert found["untrained-chance"] <= 0.6
    assert found["above-bag"] >= 0.05
