"""Turns a stream of words into a file of numbers, in memory that does not grow with the text."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import count
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

#: Tokens that end a sentence.
SEPARATORS = frozenset(".!?\n")
#: With more different words than this, those seen only once so far are dropped.
MAX_TYPES = 2_000_000
_BLOCK = 1 << 20  # numbers rewritten at a time


class Encoder:
    """Numbers words in the order in which they come, then renumbers them by frequency.

    Use as a context manager around a folder: `document(tokens)` as often as there is text, then
    `finish`. Leaves ids.bin (int32), words.txt, counts.npy, starts.npy and facts.json.
    """

    def __init__(self, folder: Path, max_types: int = MAX_TYPES) -> None:
        self._folder = folder
        self._max_types = max_types
        self._numbers: defaultdict[str, int] = defaultdict(count().__next__)
        self._numbers.update(dict.fromkeys(SEPARATORS, -1))
        self._counts = np.zeros(1024, np.int64)
        self._raw = (folder / "raw.bin").open("wb")
        self.tokens = 0
        self.documents = 0
        self._starts: list[int] = []

    def __enter__(self) -> Encoder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._raw.close()

    def document(self, tokens: list[str]) -> None:
        """Add text as words and SEPARATORS."""
        if not tokens:
            return
        ids = np.fromiter(map(self._numbers.__getitem__, tokens), np.int32, len(tokens))
        seen = np.bincount(ids[ids >= 0])
        if len(seen) > len(self._counts):
            self._counts.resize(max(len(seen), 2 * len(self._counts)), refcheck=False)
        self._counts[: len(seen)] += seen
        self._raw.write(ids.tobytes())
        self._starts.append(self.tokens)
        self.tokens += int(seen.sum())
        self.documents += 1
        if len(self._numbers) > self._max_types:
            self._drop_rare()

    def _drop_rare(self) -> None:
        """Forget the rarest words; one that comes back is counted anew (as in word2vec.c)."""
        least = 2
        while len(self._numbers) > self._max_types // 2:
            for word in [w for w, n in self._numbers.items() if n >= 0 and self._counts[n] < least]:
                del self._numbers[word]
            least *= 2

    def finish(self, name: str, version: int, documents: int | None = None) -> None:
        """Write the files. Words of equal frequency stand in alphabetical order."""
        self._raw.close()
        known = [(word, number) for word, number in self._numbers.items() if number >= 0]
        known.sort(key=lambda pair: (-self._counts[pair[1]], pair[0]))
        order = np.array([number for _, number in known], np.int64)
        rank = np.full(len(self._counts) + 1, len(known), np.int32)  # a dropped word: past the end
        rank[order] = np.arange(len(known), dtype=np.int32)
        rank[-1] = -1  # the separator's number is -1, which is the last place
        ends = self._rewrite(rank)
        (self._folder / "words.txt").write_bytes("\n".join(word for word, _ in known).encode())
        np.save(self._folder / "counts.npy", self._counts[order])
        starts = self._starts if documents is None else self._starts[:documents]
        np.save(self._folder / "starts.npy", np.array(starts, np.int64))
        parts = ("ids.bin", "words.txt", "counts.npy", "starts.npy")
        facts = {
            "name": name,
            "version": version,
            "tokens": self.tokens,
            "sentences": ends,
            "documents": self.documents if documents is None else documents,
            "sizes": {part: (self._folder / part).stat().st_size for part in parts},
        }
        (self._folder / "facts.json").write_text(json.dumps(facts), "utf-8")

    def _rewrite(self, rank: NDArray[np.int32]) -> int:
        """raw.bin to ids.bin by `rank`, one separator for several in a row; returns how many."""
        ends = 0
        last = -1
        raw = self._folder / "raw.bin"
        with raw.open("rb") as source, (self._folder / "ids.bin").open("wb") as target:
            while block := source.read(4 * _BLOCK):
                ids = rank[np.frombuffer(block, np.int32)]
                before = np.concatenate(([last], ids[:-1]))
                ids = ids[(ids >= 0) | (before >= 0)]
                if len(ids):
                    last = int(ids[-1])
                ends += int((ids < 0).sum())
                target.write(ids.tobytes())
            if last >= 0:
                target.write(np.array([-1], np.int32).tobytes())
                ends += 1
        raw.unlink()
        return ends
