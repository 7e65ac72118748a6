"""The corpus: cleaned once, cached whole or not at all, read from disk, bounded in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.kit import corpus as room
from demos.kit.corpus import SENTENCE_END, Corpus, own, sentences, wikipedia
from demos.kit.data import DataFault, fresh_folder, packaged
from demos.kit.encoder import SEPARATORS, Encoder
from studytool.demo.events import Event, Progress, Stage
from studytool.demo.spec import Lab

T = TypeVar("T")
ROOT = Path(__file__).parents[2]


def drive(steps: Generator[Event, None, T]) -> tuple[list[Event], T]:
    """The events of a generator and what it returns."""
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A lab whose cache lasts for the session, so that Wikipedia is cleaned once."""
    folder = tmp_path_factory.getbasetemp() / "demos" / "skipgram"
    folder.mkdir(parents=True, exist_ok=True)
    return Lab(cache=folder)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    folder = tmp_path / "cache" / "demo"
    folder.mkdir(parents=True)
    return Lab(cache=folder)


def prose(words: int) -> str:
    """Text of `words` words with sentences of ten, drawn from 500 word forms."""
    rng = np.random.default_rng(words)
    names = rng.zipf(1.4, words) % 500
    rows = (" ".join(f"word{n}" for n in names[at : at + 10]) for at in range(0, words, 10))
    return ". ".join(rows) + ".\n"


def decoded(folder: Path) -> list[str | None]:
    """The words of an encoded folder in order, None for a separator."""
    ids = np.fromfile(folder / "ids.bin", np.int32)
    names = (folder / "words.txt").read_text("utf-8").split("\n")
    return [None if n < 0 else names[n] if n < len(names) else "?" for n in ids]


def encoded(folder: Path, blocks: list[list[str]], max_types: int = 1000) -> None:
    folder.mkdir(exist_ok=True)
    with Encoder(folder, max_types) as encoder:
        for block in blocks:
            encoder.document(block)
        encoder.finish("test", 1)


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c", "dd", ".", "\n"]), max_size=8)))
def test_encoding_keeps_words_and_sentence_ends(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("encoder")
    tokens = [token for block in blocks for token in block]
    words = Counter(token for token in tokens if token not in SEPARATORS)

    encoded(folder, [["a", "."], *blocks, ["a"]])

    expected: list[str | None] = []
    for token in ["a", ".", *tokens, "a", "."]:
        mark = None if token in SEPARATORS else token
        if mark is not None or (expected and expected[-1] is not None):
            expected.append(mark)
    assert decoded(folder) == expected
    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    assert facts["tokens"] == words.total() + 2
    assert facts["sentences"] == expected.count(None)
    counts = np.load(folder / "counts.npy").tolist()
    assert counts == sorted(counts, reverse=True)
    names = (folder / "words.txt").read_text("utf-8").split("\n")
    words["a"] += 2
    assert dict(zip(names, counts, strict=True)) == words


def test_words_of_equal_frequency_stand_in_alphabetical_order(tmp_path: Path) -> None:
    encoded(tmp_path / "x", [["pear", "fig", "apple", "fig"]])

    assert (tmp_path / "x" / "words.txt").read_text("utf-8").split("\n") == ["fig", "apple", "pear"]


def test_too_many_word_forms_drop_the_rarest_and_keep_the_places(tmp_path: Path) -> None:
    rare = [f"rare{n}" for n in range(30)]

    encoded(tmp_path / "x", [["common"] * 5 + rare, ["common"]], max_types=20)

    assert decoded(tmp_path / "x") == ["common"] * 5 + ["?"] * 30 + ["common", None]
    assert (tmp_path / "x" / "words.txt").read_text("utf-8") == "common"


def test_wikipedia_is_cleaned_once_and_then_cached(kept: Lab) -> None:
    _, first = drive(wikipedia(kept))
    events, text = drive(wikipedia(kept))

    assert events == []
    assert text.documents == first.documents == 106
    assert text.tokens == 458_311
    assert text.vocabulary(5) == 9_045
    assert text.words[:3] == ["the", "of", "and"]
    assert text.counts.sum() == text.tokens
    assert np.array_equal(text.ids, first.ids)
    ends = np.flatnonzero(text.ids == SENTENCE_END)
    assert len(ends) == text.sentences == 23_995
    assert np.diff(ends, prepend=-1).min() > 3  # at least three words each


def test_a_first_cleaning_shows_stage_and_progress(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = [["one", "two", "three"]] * 20
    monkeypatch.setattr(room, "_articles", lambda: iter([page, [], page[:2]]))

    events, text = drive(wikipedia(lab))

    assert isinstance(events[0], Stage)
    assert [event.done for event in events if isinstance(event, Progress)] == [1, 2, 3]
    assert (text.documents, text.tokens, text.sentences) == (1, 60, 20)


@pytest.mark.parametrize("harm", ["ids.bin", "words.txt", "facts.json", "counts.npy"])
@pytest.mark.parametrize("how", ["cut", "remove"])
def test_a_damaged_cache_is_made_again(lab: Lab, tmp_path: Path, harm: str, how: str) -> None:
    source = tmp_path / "text.txt"
    source.write_text(prose(12_000), "utf-8")
    _, before = drive(own(lab, str(source)))
    places = np.array(before.ids)
    file = next(lab.shared("corpus").glob("own-*")) / harm
    if how == "cut":
        file.write_bytes(file.read_bytes()[:-7])
    else:
        file.unlink()

    events, after = drive(own(lab, str(source)))

    assert any(isinstance(event, Stage) for event in events)
    assert np.array_equal(after.ids, places)


def test_own_text_is_numbered_and_then_cached(lab: Lab, tmp_path: Path) -> None:
    source = tmp_path / "ord.txt"
    source.write_text("\ufeffDen røde RÆV's hale. " * 3000 + "Ende! Wörter? Да.\n", "utf-8-sig")

    events, text = drive(own(lab, str(source)))

    assert any(isinstance(event, Progress) for event in events)
    assert text.words[:4] == ["den", "hale", "ræv's", "røde"]
    assert {"ende", "wörter", "да"} <= set(text.words)
    assert text.sentences == 3003
    assert next(sentences(text)) == ["den", "røde", "ræv's", "hale"]
    again, same = drive(own(lab, str(source)))
    assert again == []
    assert same.tokens == text.tokens == 12_003


def test_a_changed_file_is_read_again(lab: Lab, tmp_path: Path) -> None:
    source = tmp_path / "text.txt"
    source.write_text(prose(12_000), "utf-8")
    drive(own(lab, str(source)))
    source.write_text(prose(15_000), "utf-8")

    _, text = drive(own(lab, str(source)))

    assert text.tokens == 15_000


def test_only_the_newest_own_texts_stay_in_the_cache(lab: Lab, tmp_path: Path) -> None:
    for number in range(4):
        source = tmp_path / f"{number}.txt"
        source.write_text(prose(11_000 + number), "utf-8")
        drive(own(lab, str(source)))

    assert len(list(lab.shared("corpus").glob("own-*"))) == room.KEEP_OWN


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "has 0 words"),
        (b"only a few words\n", "has 4 words"),
        (b"\x7fELF\x00\x01" * 5000, "is binary"),
        ("naïve café ".encode("latin-1") * 9000, "is binary"),
        ("wide words ".encode("utf-16") * 9000, "is binary"),
        (b"words \xff " * 9000, "is binary"),
    ],
)
def test_what_is_no_text_is_refused_and_leaves_nothing(
    lab: Lab, tmp_path: Path, content: bytes, what: str
) -> None:
    source = tmp_path / "input.txt"
    source.write_bytes(content)

    with pytest.raises(DataFault, match=what) as fault:
        drive(own(lab, str(source)))

    assert fault.value.hint
    assert list(lab.shared("corpus").iterdir()) == []


@pytest.mark.parametrize("name", ["", "missing.txt"])
def test_a_folder_or_a_missing_file_is_refused(lab: Lab, tmp_path: Path, name: str) -> None:
    with pytest.raises(DataFault) as fault:
        drive(own(lab, str(tmp_path / name)))

    assert str(tmp_path) in fault.value.message


def test_a_run_that_is_stopped_leaves_no_half_corpus(lab: Lab, tmp_path: Path) -> None:
    source = tmp_path / "text.txt"
    source.write_text(prose(12_000), "utf-8")
    steps = own(lab, str(source))
    next(step for step in steps if isinstance(step, Progress))

    steps.close()

    assert list(lab.shared("corpus").iterdir()) == []


def test_of_two_who_make_a_folder_the_first_one_stays(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with fresh_folder(target) as ours:
        (ours / "by").write_text("us")
        with fresh_folder(target) as theirs:
            (theirs / "by").write_text("them")

    assert (target / "by").read_text() == "them"
    assert list(tmp_path.iterdir()) == [target]


def test_a_package_without_its_data_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataFault, match="without its data file"):
        packaged("gensim", "no-such-file.txt")
    with pytest.raises(ModuleNotFoundError):
        packaged("no_such_package_at_all", "x")


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=7), min_size=1, max_size=20),
    st.integers(1, 30),
)
def test_stretches_are_the_text_cut_between_sentences(rows: list[list[int]], length: int) -> None:
    ids = np.array([n for row in rows for n in (*row, SENTENCE_END)], np.int32)
    text = Corpus("x", ids, [], np.zeros(0, np.int64), 0, 0, 1)

    pieces = list(text.stretches(length))

    assert np.array_equal(np.concatenate(pieces), ids)
    assert all(0 < len(piece) <= length for piece in pieces)
    if length >= 8:  # the longest sentence and its end
        assert all(piece[-1] == SENTENCE_END for piece in pieces)


MEASURE = """
import resource, sys
from pathlib import Path
from demos.kit.corpus import own
from studytool.demo.spec import Lab
for _ in own(Lab(cache=Path(sys.argv[1])), sys.argv[2]):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_memory(tmp_path: Path, megabytes: int) -> int:
    """The most memory, in MB, that a process of its own needs for a text of that size."""
    source, cache = tmp_path / f"{megabytes}.txt", tmp_path / f"cache{megabytes}" / "demo"
    cache.mkdir(parents=True)
    block = prose(60_000)
    with source.open("w", encoding="utf-8") as file:
        for _ in range(megabytes * 1_000_000 // len(block)):
            file.write(block)
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(cache), str(source)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(run.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_memory_does_not_grow_with_the_text(tmp_path: Path) -> None:
    assert peak_memory(tmp_path, 24) < peak_memory(tmp_path, 4) + 24


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_a_gigabyte_of_text_fits_into_little_memory(tmp_path: Path) -> None:
    assert peak_memory(tmp_path, 1000) < 300
