"""The sentence demo: the loss against torch and by hand, the split, searching, the default run."""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from demos.contextual import sentence as demo
from demos.contextual.sentence_data import Matcher, by_letters, by_words, split
from demos.contextual.specs import SENTENCE, SentenceParams
from demos.kit.data import DataFault
from demos.kit.library import Item, package_functions
from demos.kit.minilm import POOLINGS, MiniLM, cached_poolings
from studytool.demo.events import Claim, Failed, Note, Outcome, Series, Table
from studytool.demo.spec import Lab
from tests.demos.static_kit import cache_folder, check_default, of, one, play, result, without_times

REFUTED = {"centring-cures", "dense-beats-letters"}


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cache_folder(tmp_path_factory.getbasetemp())


def some_items(count: int = 240) -> list[Item]:
    """Made-up functions in files of four: verbs and nouns, described in other words."""
    verbs = {
        "sort": "put in order",
        "close": "shut",
        "read": "take the content of",
        "sum": "add up",
    }
    nouns = ["array", "file", "matrix", "tree", "table", "graph", "list", "word", "image", "clock"]
    found = []
    for n in range(count):
        verb, says = list(verbs.items())[n % 4]
        first, second = nouns[n // 4 % 10], nouns[n // 40 % 10]
        name = [verb, first, second]
        told = f"{says} the {first} {second} number {n % 7}" if n % 6 else f"{says} thing {n}"
        found.append(Item(f"file{n // 4}", f"file{n // 4}.{'_'.join(name)}", told, name, name))
    return found


# ------------------------------------------------------------------------------------- the loss


def test_info_nce_equals_its_definition_with_hard_negatives() -> None:
    torch.manual_seed(0)
    queries, names = (torch.nn.functional.normalize(torch.randn(5, 8), dim=1) for _ in range(2))
    hard = torch.nn.functional.normalize(torch.randn(5, 3, 8), dim=2)

    total = 0.0
    for i in range(5):
        answers = [float(queries[i] @ names[j]) / 0.1 for j in range(5)]
        more = [float(queries[i] @ hard[i, k]) / 0.1 for k in range(3)]
        total -= answers[i] - math.log(sum(map(math.exp, answers + more)))
        asked = [float(queries[j] @ names[i]) / 0.1 for j in range(5)]
        total -= asked[i] - math.log(sum(map(math.exp, asked)))

    assert demo.info_nce(queries, names, 0.1, hard).item() == pytest.approx(total / 10, rel=1e-5)
    same = torch.ones(6, 4) / 2
    assert demo.info_nce(same, same, 0.05).item() == pytest.approx(math.log(6), rel=1e-5)


@pytest.mark.parametrize("temperature", [0.02, 0.3, 2.0])
def test_the_gradient_formula(temperature: float) -> None:
    rng = np.random.default_rng(0)

    assert demo.gradient_error(rng, temperature) < 1e-9
    scores = rng.uniform(-1, 1, (6, 6))
    right = demo.score_gradient(scores, temperature)
    numeric = np.zeros_like(scores)
    for i, j in np.ndindex(6, 6):
        both = []
        for step in (1e-6, -1e-6):
            moved = torch.tensor(scores)
            moved[i, j] += step
            logits, rows = moved / temperature, torch.arange(6)
            loss = torch.nn.functional.cross_entropy
            both.append(float(loss(logits, rows) + loss(logits.T, rows)) / 2)
        numeric[i, j] = (both[0] - both[1]) / 2e-6
    np.testing.assert_allclose(right, numeric, atol=1e-6)
    assert np.abs(right * 2 - numeric).max() > 1e-3, "a wrong factor is found"


def test_the_mean_cosine_equals_loops() -> None:
    vectors = np.random.default_rng(0).normal(0.5, 1, (7, 5)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    pairs = [unit[i] @ unit[j] for i in range(7) for j in range(7) if i != j]
    assert demo.mean_cosine(vectors) == pytest.approx(np.mean(pairs), abs=1e-6)


# ---------------------------------------------------------------------------- searching, data


def test_word_scores_equal_scikit_learns() -> None:
    names = [["read", "big", "file"], ["read", "read", "array"], ["sum", "array"]]
    queries = ["read an array", "big big sum", "nothing known"]

    theirs = TfidfVectorizer(sublinear_tf=True, analyzer=str.split)
    documents = theirs.fit_transform([" ".join(name) for name in names])
    expected = (theirs.transform(queries) @ documents.T).toarray()
    np.testing.assert_allclose(by_words(names, queries), expected, atol=1e-12)
    assert np.all(by_words(names, queries)[2] == 0)
    assert Matcher(names).scores([["unknown"]]).tolist() == [[0, 0, 0]]


def test_letters_connect_what_words_do_not() -> None:
    names = [["sorted", "array"], ["close", "file"]]

    assert by_words(names, ["sorting"]).max() == 0
    letters = by_letters(names, ["sorting"])[0]
    assert letters[0] > letters[1] == 0


def test_the_split_keeps_files_whole_and_names_unique() -> None:
    items = some_items()
    parts = split([*items, items[0]._replace(place="other")], 60, 80, np.random.default_rng(0))

    assert len(parts.pool) == 60
    assert len(parts.train) == 80
    assert not {item.place for item in parts.pool} & {item.place for item in parts.train}
    names = [tuple(item.name) for item in parts.pool + parts.train]
    assert len(set(names)) == len(names)
    texts = parts.texts()
    assert texts[3] == parts.pool[3].says
    assert texts[140 + 3] == " ".join(parts.pool[3].name)
    with pytest.raises(DataFault, match="too few"):
        split(items, 200, 100, np.random.default_rng(0))


def test_packages_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "src" / "tiny"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text('def open_box(a):\n    """Open the big box."""\n', "utf-8")
    monkeypatch.syspath_prepend(tmp_path / "src")
    monkeypatch.setattr("demos.kit.library.version", lambda _: "1.0")
    lab = Lab(cache=tmp_path / "cache" / "x")

    first = result(package_functions(lab, ("tiny",)))
    assert [item.title for item in first] == ["tiny.__init__.open_box"]
    (source / "__init__.py").write_text("", "utf-8")
    assert result(package_functions(lab, ("tiny",))) == first


def test_poolings_are_those_of_the_layers(tmp_path: Path) -> None:
    model, texts = MiniLM(), ["close a file", "sort", "close a tree"]
    lab = Lab(cache=tmp_path / "x")

    found = result(cached_poolings(lab, texts, model))
    again = result(cached_poolings(lab, texts, model))

    for row, text in enumerate(texts):
        ids, _ = model.tokens(text)
        last = model.layers(torch.tensor([ids]))[-1][0]
        expected = {
            "mean": last.mean(dim=0).numpy(),
            "cls": last[0].numpy(),
            "static": model.input_vectors(ids[1:-1]).mean(axis=0),
        }
        for name in POOLINGS:
            np.testing.assert_allclose(found[name][row], expected[name], atol=2e-3)
            np.testing.assert_array_equal(found[name], again[name])


# -------------------------------------------------------------------------------------- the run


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """240 made-up functions instead of installed packages."""

    def read(lab: Lab, packages: tuple[str, ...]) -> Generator[Any, None, list[Item]]:
        yield from ()
        return some_items()

    monkeypatch.setattr(demo, "package_functions", read)


def tiny(**changes: Any) -> SentenceParams:
    given = {"pool": 60, "pairs": 80, "steps": 12, "batch": 16, "matryoshka": False, **changes}
    return SentenceParams(**given)


@pytest.mark.usefixtures("made_up")
def test_a_short_run_tells_all_of_it_and_the_same_twice(cache: Path) -> None:
    params = tiny(matryoshka=True, hard=2)
    play(demo.run, params, cache)
    events, finder = play(demo.run, params, cache)

    assert without_times(events) == without_times(play(demo.run, params, cache)[0])
    claims = {claim.id: claim for claim in of(Claim, events)}
    assert set(claims) == {"closed-form-gradient", "words-zero"}
    assert all(claim.as_expected for claim in claims.values())
    assert {event.prediction for event in of(Outcome, events)} == {"first", "gain", "gap"}
    assert len(one(Series, events, "search").lines[0].y) == 13
    cuts = one(Table, events, "cuts").rows
    assert [row[0] for row in cuts] == ["nested training", "plain training", "untrained"]
    (table,) = finder.explore("shut the tree")
    assert isinstance(table, Table)
    assert len(table.rows) == 6
    (note,) = finder.explore(" ?! ")
    assert isinstance(note, Note)


@pytest.mark.usefixtures("made_up")
def test_the_pooling_and_the_temperature_matter(cache: Path) -> None:
    found = []
    for changes in ({}, {"pooling": "static"}, {"temperature": 5.0, "lr": 1.0}):
        events, _ = play(demo.run, tiny(**changes), cache)
        found.append({event.prediction: event.value for event in of(Outcome, events)})

    assert found[0] != found[1]
    assert float(found[2]["gain"]) < float(found[0]["gain"])


@pytest.mark.usefixtures("made_up")
def test_too_few_functions_are_told(cache: Path) -> None:
    events, finder = play(demo.run, tiny(pairs=3000), cache)

    failed = events[-1]
    assert isinstance(failed, Failed)
    assert "too few" in failed.error
    assert failed.hint
    assert finder is None


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(cache: Path) -> None:
    events, finder = play(demo.run, SentenceParams(), cache)

    check_default(events, SENTENCE.info.claims, REFUTED)
    (table,) = finder.explore("invert a matrix")
    assert isinstance(table, Table)
    assert len(table.rows) == 6


@pytest.mark.seeds
def test_the_claims_hold_on_more_seeds(cache: Path) -> None:
    runs = []
    for seed in (1, 2, 3):
        events, _ = play(demo.run, SentenceParams(seed=seed), cache)
        check_default(events, SENTENCE.info.claims, REFUTED)
        runs.append({claim.id: claim.value for claim in of(Claim, events)})

    def mean(name: str) -> float:
        return float(np.mean([found[name] for found in runs]))

    assert mean("trained-ahead") >= 0.04
    assert mean("sum-ahead") >= 0.05
