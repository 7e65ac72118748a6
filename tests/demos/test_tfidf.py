"""TF-IDF and BM25 against scikit-learn, loops and hand; the library as data; the run."""

from __future__ import annotations

import math
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import threadpoolctl  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from demos.kit.data import DataFault
from demos.kit.library import Item, functions, parts_of, read_module, words_of
from demos.kit.terms import Terms, document_frequency, letter_groups
from demos.lexical import tfidf as demo
from demos.lexical import tfidf_weights as weights
from demos.lexical.specs import TFIDF, TfidfParams
from demos.lexical.tfidf_search import Searcher
from demos.lexical.tfidf_weights import (
    bm25_by_loops,
    bm25_weights,
    cosines,
    library_idf,
    textbook_idf,
    weigh,
)
from studytool.demo.events import Claim, Failed, Note, Outcome, Progress, Stage, Table
from studytool.demo.spec import Lab
from tests.demos.lexical_kit import check_claims, of, play, without_times, write_text


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.getbasetemp() / "demos" / "tfidf"
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


DOCUMENTS = [text.split() for text in ("cat sat mat", "cat cat dog", "dog chased ball")]
texts = st.lists(
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=9), min_size=2, max_size=8
)


# -------------------------------------------------------------------------------- formulas


def test_the_example_by_hand() -> None:
    found = weights.by_hand()

    third, rare = math.log(3 / 2), math.log(3)
    length = math.hypot(third, rare)
    assert found[0] == pytest.approx(length**2 / length / math.hypot(third, rare, rare))
    assert found[1] == pytest.approx(2 * third**2 / length / math.hypot(2 * third, third))
    assert found[2] == 0
    assert [round(cosine, 3) for cosine in found] == [0.729, 0.310, 0]


@given(texts)
def test_every_convention_equals_scikit_learn(documents: list[list[str]]) -> None:
    assert weights.library_error(Terms(documents).count(documents)) < 1e-12


def test_the_whole_path_from_text_equals_scikit_learn() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer()
    theirs = vectoriser.fit_transform(" ".join(words) for words in DOCUMENTS).toarray()
    terms = Terms(DOCUMENTS)
    counts = terms.count(DOCUMENTS)
    idf = library_idf(document_frequency(counts), 3, smooth=True)

    assert terms.words == vectoriser.get_feature_names_out().tolist()
    np.testing.assert_allclose(
        weigh(counts, idf, sublinear=False, norm="l2").toarray(), theirs, atol=1e-12
    )
    query = ["cat", "mat"]
    found = cosines(terms.count([query]), counts, idf)[0]
    assert found == pytest.approx((theirs @ vectoriser.transform(["cat mat"]).toarray().T)[:, 0])
    assert found[0] == pytest.approx(0.782, abs=5e-4)


def test_a_wrong_weight_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = weights.library_idf
    monkeypatch.setattr(
        weights, "library_idf", lambda df, n, *, smooth: right(df, n, smooth=smooth) + 1e-6
    )
    counts = Terms(DOCUMENTS).count(DOCUMENTS)
    assert weights.library_error(counts) > 1e-8


def test_a_term_in_all_documents_is_erased_by_the_textbook_alone() -> None:
    df = np.array([4, 1])

    assert textbook_idf(df, 4).tolist() == [0, math.log(4)]
    assert library_idf(df, 4, smooth=True)[0] == 1


@given(texts, st.floats(0, 3), st.floats(0, 1))
def test_bm25_equals_loops(documents: list[list[str]], k1: float, b: float) -> None:
    terms = Terms(documents)
    query = ["a", "b", "b", "zzz"]
    fast = (terms.count([query]) @ bm25_weights(terms.count(documents), k1, b).T).toarray()[0]

    np.testing.assert_allclose(fast, bm25_by_loops(query, documents, k1, b), atol=1e-12)


def test_bm25_by_hand() -> None:
    # "dog" is in two of three documents of equal length: idf ln 1.6, tf 1 of 1 + 1.2.
    found = bm25_by_loops(["dog"], DOCUMENTS, 1.2, 0.75)

    assert found == pytest.approx([0, math.log(1.6) / 2.2, math.log(1.6) / 2.2])
    twice = bm25_by_loops(["cat"], DOCUMENTS, 1.2, 0.75)
    assert twice[1] / twice[0] == pytest.approx((2 / 3.2) / (1 / 2.2))
    assert bm25_by_loops(["cat"], DOCUMENTS, 0, 0.75)[1] == pytest.approx(math.log(1.6))


def test_length_is_a_dial() -> None:
    documents = [["a", "b"], ["a", *"cdefgh"]]
    terms = Terms(documents)
    counts, query = terms.count(documents), terms.count([["a"]])
    flat, full = ((query @ bm25_weights(counts, 1.2, b).T).toarray()[0] for b in (0.0, 1.0))

    assert flat[0] == flat[1]
    assert full[0] > full[1]


def test_lsa_finds_what_shares_no_word() -> None:
    said = [["erase", "file"], ["delete", "file"], ["erase", "disk"], ["delete", "disk"]] * 10
    other = [["sing", "song"], ["hum", "song"], ["sing", "tune"], ["hum", "tune"]] * 10
    lsa = weights.Lsa.learn(said + other, 2)
    vectors = lsa.vectors([["erase"], ["delete"], ["hum"], ["unknown"]])

    assert vectors[0] @ vectors[1] > 0.9
    assert abs(vectors[0] @ vectors[2]) < 0.1
    assert vectors[3].tolist() == [0] * vectors.shape[1]


# ------------------------------------------------------------------------------------ data

SOURCE = '''
def openFileList(path, *more, mode="r"):
    """Open each file of a list. Then return them.

    More text.
    """
    return [io.open(name) for name in path]

class HTTPServer:
    def get_url(self): "Too short."
    def __len__(self): "The number of open connections."
    async def close_all(self):
        """Close all connections"""
'''


def test_functions_are_read_from_source() -> None:
    found = list(read_module("pkg.mod", SOURCE))

    assert [item.title for item in found] == ["pkg.mod.openFileList", "pkg.mod.close_all"]
    assert found[0].says == "Open each file of a list."
    assert found[0].name == ["open", "file", "list"]
    assert sorted(found[0].body) == sorted(
        ["open", "file", "list", "path", "more", "mode", "io", "open", "name", "name", "path"]
    )
    assert list(read_module("broken", "def (")) == []


@pytest.mark.parametrize(
    ("identifier", "parts"),
    [
        ("getFileSize", ["get", "file", "size"]),
        ("HTTPServer2", ["http", "server", "2"]),
        ("_a85_encode", ["a", "85", "encode"]),
        ("__", []),
    ],
)
def test_identifiers_are_split(identifier: str, parts: list[str]) -> None:
    assert parts_of(identifier) == parts


def test_letter_groups_stay_within_words() -> None:
    assert letter_groups(["ab", "c"]) == [" ab", "ab ", " ab ", " c "]


def drive(lab: Lab) -> tuple[list[Any], list[Item]]:
    events, steps = [], functions(lab)
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


def test_the_library_is_read_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "lib"
    (root / "test").mkdir(parents=True)
    (root / "one.py").write_text(SOURCE)
    (root / "two.py").write_text(SOURCE)
    (root / "test" / "three.py").write_text(SOURCE.replace("Open each", "Test every"))
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"stdlib": str(root)})
    lab = Lab(cache=tmp_path / "cache" / "demo")
    lab.cache.mkdir(parents=True)

    events, items = drive(lab)
    again, same = drive(lab)

    assert [type(event) for event in events] == [Stage, Progress]
    assert [item.title for item in items] == ["one.openFileList", "one.close_all"]
    assert again == []
    assert same == items


def test_a_library_without_source_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"stdlib": str(tmp_path)})
    lab = Lab(cache=tmp_path / "cache" / "demo")
    lab.cache.mkdir(parents=True)

    with pytest.raises(DataFault, match="no Python source"):
        drive(lab)


# --------------------------------------------------------------------------------- the run


def test_a_run_on_own_text_tells_all_of_it(cache: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)  # seven sentences of each passage's own words
    lines = [
        " ".join(f"p{p}w{n}" for n in rng.integers(0, 15, 10)) for p in range(250) for _ in range(7)
    ]
    text = tmp_path / "text.txt"
    text.write_text(".\n".join(lines), "utf-8")
    params = TfidfParams(corpus=str(text), pool=100, dim=8)
    events, searcher = play(demo, params, cache)

    names = [stage.name for stage in of(Stage, events)]
    assert [name for name in names if name != "corpus"] == ["load", "check", "search", "LSA"]
    assert {claim.id for claim in of(Claim, events)} == {"sklearn", "bm25-loops", "by-hand"}
    assert all(claim.holds for claim in of(Claim, events))
    table = [table for table in of(Table, events) if table.id == "search"][-1]
    assert [row[0] for row in table.rows][:2] == ["chance", "TF-IDF"]
    assert [row[1] for row in table.rows][:4] == [0.01, 1, 1, 1]
    assert {event.prediction for event in of(Outcome, events)} == {"duel", "gap"}
    found = next(searcher.explore("p3w1 p3w2"))
    assert isinstance(found, Table)
    assert "p3w1" in str(found.rows[0][3])


def test_the_same_seed_gives_the_same_events(cache: Path, topics: Path) -> None:
    params = TfidfParams(corpus=str(topics), pool=100, dim=8)
    play(demo, params, cache)
    runs = [without_times(play(demo, params, cache)[0]) for _ in range(2)]

    assert runs[0] == runs[1]
    other = TfidfParams(corpus=str(topics), pool=100, dim=8, seed=1)
    assert without_times(play(demo, other, cache)[0]) != runs[0]


def test_what_cannot_be_searched_is_told(cache: Path, topics: Path) -> None:
    for params in (
        TfidfParams(corpus="/no/such/file"),
        TfidfParams(corpus=str(topics), pool=2000),
    ):
        events, searcher = play(demo, params, cache)
        assert isinstance(events[-1], Failed)
        assert events[-1].hint
        assert searcher is None


def test_queries_are_answered_with_reasons() -> None:
    items = [
        Item("m", f"m.f{n}", " ".join(words), words, words) for n, words in enumerate(DOCUMENTS)
    ]
    searcher = Searcher(items, DOCUMENTS, 1.2, 0.75, bm25_weights)

    (table,) = searcher.explore("Cat, mat")
    assert isinstance(table, Table)
    assert [row[1] for row in table.rows] == ["m.f0", "m.f1"]
    assert [part.split()[0] for part in str(table.rows[0][3]).split(", ")] == ["mat", "cat"]
    note, nothing = searcher.explore("zebra")
    assert isinstance(note, Note)
    assert "zebra" in note.text
    assert isinstance(nothing, Note)
    assert next(searcher.explore("?!")) == Note("type a query, such as: compress a file")


def test_words_are_lower_case_letters_and_digits() -> None:
    assert words_of("Base-64's  A85!") == ["base", "64", "s", "a85"]


# --------------------------------------------------------------- the default run, for real

EXPECTED = set(TFIDF.info.claims)
REFUTED = {"bm25-always", "dense-beats-sparse"}


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(cache: Path) -> None:
    events, searcher = play(demo, TfidfParams(), cache)

    check_claims(events, EXPECTED, REFUTED)
    table = next(searcher.explore("compress data"))
    assert isinstance(table, Table)
    assert any("compress" in str(row[1]) for row in table.rows)


@pytest.mark.demo
def test_outcomes_differ_when_parameters_differ(cache: Path) -> None:
    found = []
    for document in ("name", "body"):
        events, _ = play(demo, TfidfParams(document=document), cache)
        found.append({event.prediction: event.value for event in of(Outcome, events)})

    assert [outcome["duel"] for outcome in found] == ["TF-IDF", "BM25"]
    assert found[0]["gap"] != found[1]["gap"]


@pytest.mark.seeds
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_claims_hold_on_other_pools(cache: Path, seed: int) -> None:
    events, _ = play(demo, TfidfParams(seed=seed), cache)

    check_claims(events, EXPECTED, REFUTED)
