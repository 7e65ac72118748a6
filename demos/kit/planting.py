"""Rare words whose right neighbour is known: some occurrences of a frequent word are renamed.

The planted word means what the frequent one means, so the frequent word should be among its
nearest neighbours. The same words are planted at each count: only the count differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from demos.kit.corpus import Corpus
from demos.kit.similarity import Space

#: A word that is planted keeps at least as many occurrences as are taken away.
_LEFT = 2
#: The most frequent words are function words, which stand beside everything.
_FUNCTION_WORDS = 150
_SHORTEST = 4  # letters
MARK = "__"


@dataclass(frozen=True)
class Planted:
    """A corpus with renamed occurrences: `names[r]` pairs each planted word with its original."""

    corpus: Corpus
    names: dict[int, list[tuple[str, str]]]

    def found(self, space: Space, count: int, nearest: int = 10) -> list[bool]:
        """Whether each original is among the `nearest` words of its twin with `count` occurrences.

        Planted words can't be neighbours: else the other twins of a word would take the places.
        """
        real = np.array([MARK not in word for word in space.words])
        unit = space.unit
        hits = []
        for planted, original in self.names[count]:
            if planted not in space:
                hits.append(False)
                continue
            cosine = unit @ unit[space.index[planted]]
            better = (cosine > cosine[space.index[original]]) & real
            hits.append(int(better.sum()) < nearest)
        return hits

    def neighbours(self, space: Space, word: str, count: int) -> list[str]:
        """The nearest words to `word` that are not planted."""
        twins = sum(map(len, self.names.values()))
        near = [other for other, _ in space.neighbours(word, count + twins)]
        return [other for other in near if MARK not in other][:count]

    def shares(self, space: Space) -> dict[int, float]:
        """The share of originals found, by the number of occurrences of their twins."""
        return {count: float(np.mean(self.found(space, count))) for count in self.names}


def plant(
    corpus: Corpus, counts: Sequence[int], most: int, rng: np.random.Generator
) -> Planted | None:
    """Rename random occurrences of up to `most` words; None where the text has too few for it."""
    need = _LEFT * sum(counts)
    known = corpus.counts >= need
    candidates = [
        number
        for number in np.flatnonzero(known)
        if number >= _FUNCTION_WORDS
        and len(corpus.words[number]) >= _SHORTEST
        and corpus.words[number].isalpha()
    ]
    if len(candidates) < 2:
        return None
    chosen = sorted(rng.choice(candidates, min(most, len(candidates)), replace=False).tolist())
    ids = np.array(corpus.ids)
    words, sizes = list(corpus.words), corpus.counts.tolist()
    names: dict[int, list[tuple[str, str]]] = {count: [] for count in counts}
    for number in chosen:
        places = rng.permutation(np.flatnonzero(ids == number))
        for count in counts:
            taken, places = places[:count], places[count:]
            ids[taken] = len(words)
            words.append(f"{corpus.words[number]}{MARK}{count}")
            sizes.append(count)
            sizes[number] -= count
            names[count].append((words[-1], corpus.words[number]))
    return Planted(_in_order(corpus, ids, words, np.array(sizes)), names)


def _in_order(corpus: Corpus, ids: np.ndarray, words: list[str], sizes: np.ndarray) -> Corpus:
    """The corpus with its words numbered from the most frequent down again."""
    order = np.argsort(-sizes, kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    ids = np.where(ids >= 0, place[ids], ids).astype(np.int32)
    return replace(corpus, ids=ids, words=[words[number] for number in order], counts=sizes[order])
