"""Text as numbers: gensim's packaged Wikipedia sample, or the user's own file, of any size.

A corpus is one long array of word numbers. Words are numbered from the most frequent down, so
that "at least n occurrences" is a prefix of the vocabulary; SENTENCE_END stands between
sentences. The array is read from disk as it is needed, never loaded whole.
"""

from __future__ import annotations

import bz2
import hashlib
import json
import re
import shutil
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from demos.kit.data import DataFault, fresh_folder, packaged
from demos.kit.encoder import Encoder
from studytool.demo.events import Event, Progress, Stage
from studytool.demo.spec import Lab

I32: TypeAlias = NDArray[np.int32]

#: What stands between two sentences in `Corpus.ids`.
SENTENCE_END = -1
#: Raised whenever the cleaning changes, so that an older cache is left aside.
VERSION = 2
#: A corpus with fewer words than this teaches nothing.
MIN_TOKENS = 10_000
#: Nor does a vocabulary of fewer words.
MIN_WORDS = 50
#: The user's own corpora that stay in the cache.
KEEP_OWN = 2

_ENWIKI = "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"
_PAGES = 206  # in that file, 99 of them redirects
_END_MATTER = re.compile(r"\n==+\s*(?:references|see also|external links)\s*==+", re.IGNORECASE)
_WIKI_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_WIKI_SENTENCE = re.compile(r"[.!?]\s|\n")
_SHORTEST_ARTICLE, _SHORTEST_SENTENCE = 50, 3  # words; shorter ones are list items and stubs
# A word of any script, or the end of a sentence.
_OWN_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[.!?](?=\s)|\n")
_BLOCK = 1 << 20  # characters read at a time


@dataclass(frozen=True, slots=True)
class Corpus:
    """Word numbers on disk (`ids`), with the words and their counts, the most frequent first.

    `starts` says for each document how many words stand before it.
    """

    name: str
    ids: I32
    words: list[str]
    counts: NDArray[np.int64]
    tokens: int
    sentences: int
    documents: int
    starts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))

    def vocabulary(self, min_count: int) -> int:
        """How many words occur at least `min_count` times."""
        return int((self.counts >= min_count).sum())

    def usable(self, min_count: int, most: int) -> int:
        """The same, at most `most`. Raises DataFault when there are fewer than MIN_WORDS."""
        size = min(self.vocabulary(min_count), most)
        if size < MIN_WORDS:
            raise DataFault(
                f"{self.name} has {size} words that occur {min_count} times or more",
                f"At least {MIN_WORDS} are needed: lower --min-count, or use a longer text.",
            )
        return size

    def stretches(self, length: int) -> Iterator[I32]:
        """The text in order, about `length` places at a time, cut after a sentence's end.

        A sentence longer than `length` is cut where it must be. Each stretch is a copy in memory.
        """
        at = 0
        while at < len(self.ids):
            piece = np.array(self.ids[at : at + length])
            if at + length < len(self.ids):
                ends = np.flatnonzero(piece == SENTENCE_END)
                if len(ends):
                    piece = piece[: ends[-1] + 1]
            yield piece
            at += len(piece)


def wikipedia(lab: Lab) -> Generator[Event, None, Corpus]:
    """Yields what is being done; returns the Wikipedia sample, cleaned once and then cached.

    106 articles whose titles begin with A, from gensim's test data (text: CC BY-SA, Wikipedia).
    """
    folder = lab.shared("corpus") / f"wikipedia-v{VERSION}"
    found = _read(folder)
    if found is None:
        yield Stage("corpus", "cleaning the Wikipedia sample; it is kept for all later runs")
        yield from _clean(folder)
        found = _read(folder)
    return _checked(found, folder)


def own(lab: Lab, path: str) -> Generator[Event, None, Corpus]:
    """Yields progress; returns the corpus of the user's own UTF-8 text file.

    Read in blocks and numbered on disk, so memory holds the vocabulary and one block. Raises
    DataFault when the file is missing, binary, not UTF-8, empty or too small.
    """
    source = Path(path).expanduser()
    try:
        size, changed = source.stat().st_size, source.stat().st_mtime_ns
    except OSError as fault:
        raise DataFault(f"{path}: {fault.strerror}", "Name a UTF-8 text file.") from fault
    if not source.is_file():
        raise DataFault(f"{path} is not a file", "Name a UTF-8 text file.")
    facts = f"{source.resolve()}|{size}|{changed}|{VERSION}".encode()
    home = lab.shared("corpus")
    folder = home / f"own-{hashlib.blake2b(facts, digest_size=8).hexdigest()}"
    found = _read(folder)
    if found is None:
        yield Stage("corpus", f"reading {source.name}; its word numbers are kept in the cache")
        yield from _number_file(source, size, folder)
        found = _read(folder)
        _forget_old(home, folder)
    return _checked(found, folder)


def _checked(found: Corpus | None, folder: Path) -> Corpus:
    if found is None:
        raise DataFault(
            f"the cached corpus {folder} can't be read back", "Delete the folder and try again."
        )
    return found


# ------------------------------------------------------------------------------ cleaning


def _clean(folder: Path) -> Iterator[Event]:
    with fresh_folder(folder) as part, Encoder(part) as encoder:
        for number, sentences in enumerate(_articles(), start=1):
            if sum(map(len, sentences)) >= _SHORTEST_ARTICLE:
                encoder.document([word for words in sentences for word in (*words, "\n")])
            yield Progress(number, _PAGES, "page")
        encoder.finish("Wikipedia sample", VERSION)


def _articles() -> Iterator[list[list[str]]]:
    """The sentences of each page, as lists of words; none for a redirect."""
    from gensim.corpora.wikicorpus import extract_pages, filter_wiki

    with bz2.BZ2File(packaged("gensim", "test", "test_data", _ENWIKI)) as stream:
        for _title, text, _number in extract_pages(stream, ("0",)):
            if text.lstrip().lower().startswith("#redirect"):
                yield []
                continue
            end = _END_MATTER.search(text)
            plain = filter_wiki(text[: end.start()] if end else text).lower()
            parts = (_WIKI_WORD.findall(part) for part in _WIKI_SENTENCE.split(plain))
            yield [words for words in parts if len(words) >= _SHORTEST_SENTENCE]


def _number_file(source: Path, size: int, folder: Path) -> Iterator[Event]:
    with fresh_folder(folder) as part, Encoder(part) as encoder:
        done = 0
        for text in _blocks(source):
            encoder.document(_OWN_TOKEN.findall(text.lower()))
            done += len(text)
            yield Progress(min(done, size), size, "byte")
        if encoder.tokens < MIN_TOKENS:
            raise DataFault(
                f"{source.name} has {encoder.tokens:,} words, and {MIN_TOKENS:,} are the least",
                "Use a longer text: from about 300,000 words on, neighbours begin to make sense.",
            )
        encoder.finish(source.name, VERSION, documents=1)


def _blocks(source: Path) -> Iterator[str]:
    """The text in blocks that end between words. Raises DataFault where it is no text."""
    rest = ""
    try:
        with source.open(encoding="utf-8-sig") as stream:
            while text := stream.read(_BLOCK):
                if "\0" in text:
                    raise _binary(source)
                text = rest + text
                cut = max(text.rfind(" "), text.rfind("\n")) + 1 or len(text)
                rest = text[cut:]
                yield text[:cut]
    except UnicodeDecodeError as fault:
        raise _binary(source) from fault
    except OSError as fault:
        raise DataFault(f"{source}: {fault.strerror}", "Check the file and its rights.") from fault
    yield rest


def _binary(source: Path) -> DataFault:
    return DataFault(
        f"{source.name} is binary, or text in another encoding than UTF-8",
        f"Convert it first, for example: iconv -f LATIN1 -t UTF-8 {source.name} > text.txt",
    )


# --------------------------------------------------------------------------------- cache


def _read(folder: Path) -> Corpus | None:
    """The cached corpus, or None when it is missing or damaged; what is damaged is removed."""
    try:
        facts = json.loads((folder / "facts.json").read_text("utf-8"))
        for part, size in facts["sizes"].items():
            if (folder / part).stat().st_size != size:
                raise ValueError(f"{part} is damaged")
        words = (folder / "words.txt").read_bytes().decode().split("\n")
        counts = np.load(folder / "counts.npy", allow_pickle=False)
        starts = np.load(folder / "starts.npy", allow_pickle=False)
        ids = np.memmap(folder / "ids.bin", np.int32, "r")
        return Corpus(
            name=facts["name"],
            ids=ids,
            words=words,
            counts=counts,
            tokens=facts["tokens"],
            sentences=facts["sentences"],
            documents=facts["documents"],
            starts=starts,
        )
    except (FileNotFoundError, ValueError, KeyError, EOFError):
        shutil.rmtree(folder, ignore_errors=True)
        return None


def _forget_old(home: Path, newest: Path) -> None:
    """Keep the `KEEP_OWN` corpora used last of those the user brought."""
    others = [folder for folder in home.glob("own-*") if folder != newest]
    others.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in others[KEEP_OWN - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


def sentences(corpus: Corpus) -> Iterator[list[str]]:
    """The sentences as words, for libraries that want strings."""
    size = len(corpus.words)
    for piece in corpus.stretches(100_000):
        for part in np.split(piece, np.flatnonzero(piece == SENTENCE_END)):
            known = part[(part >= 0) & (part < size)]
            if len(known):
                yield [corpus.words[number] for number in known]
