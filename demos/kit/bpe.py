"""Byte-pair encoding: the pair of neighbours seen most often becomes a token, again and again.

Sennrich et al. 2016 (arXiv:1508.07909) for characters; on bytes as in GPT-2, so that any text in
any script can be written in the 256 tokens it begins with, and nothing is ever unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

I64: TypeAlias = NDArray[np.int64]

#: Tokens never cross these borders: a word with the blank before it, signs, other blanks.
_PIECES = re.compile(r" ?\w+| ?[^\w\s]+|\s+")
_GAP = -1


class Bpe:
    """Tokens, and the merges that make them, in the order in which they were learnt.

    Tokens 0 … are single bytes, `alphabet`; token len(alphabet) + i joins the pair merges[i].
    """

    def __init__(self, alphabet: bytes, merges: Sequence[tuple[int, int]]) -> None:
        self.alphabet = alphabet
        self.merges = list(merges)
        self.tokens = [bytes([byte]) for byte in alphabet]
        for left, right in self.merges:
            self.tokens.append(self.tokens[left] + self.tokens[right])
        self._byte = {byte: number for number, byte in enumerate(alphabet)}
        self._rank = {pair: rank for rank, pair in enumerate(self.merges)}
        self._piece = lru_cache(maxsize=100_000)(self._encode_piece)

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """The tokens of a text. Raises ValueError for a byte that the alphabet lacks."""
        return [token for piece in _PIECES.findall(text) for token in self._piece(piece)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the tokens; bytes that are no UTF-8 come out as replacement characters."""
        return b"".join(self.tokens[i] for i in ids).decode("utf-8", "replace")

    def show(self, token: int) -> str:
        """A token to read: a blank is written as ·, a byte that is no text as <9f>."""
        data = self.tokens[token]
        text = data.decode("utf-8", "replace")
        readable = text.isprintable() and "\ufffd" not in text
        return text.replace(" ", "·") if readable else f"<{data.hex()}>"

    def _encode_piece(self, piece: str) -> tuple[int, ...]:
        """Join the pair that was learnt first, until no neighbours are a learnt pair."""
        data = piece.encode("utf-8", "surrogatepass")
        missing = next((byte for byte in data if byte not in self._byte), None)
        if missing is not None:
            raise ValueError(f"the alphabet lacks the byte {missing:#04x} of {piece!r}")
        ids = [self._byte[byte] for byte in data]
        while len(ids) > 1:
            never = len(self.merges)
            rank = min(self._rank.get(pair, never) for pair in pairwise(ids))
            if rank == never:
                break
            ids = _joined(ids, self.merges[rank], len(self.alphabet) + rank)
        return tuple(ids)


def _joined(ids: Sequence[int], pair: tuple[int, int], token: int) -> list[int]:
    out: list[int] = []
    at = 0
    while at < len(ids):
        both = tuple(ids[at : at + 2]) == pair
        out.append(token if both else ids[at])
        at += 2 if both else 1
    return out


def learn(counts: Mapping[str, int], size: int, *, every_byte: bool = True) -> Bpe:
    """Learn up to `size` tokens from pieces of text (words with their blank) and their counts.

    `every_byte` begins with all 256 bytes, else with those that occur. Of pairs that are equally
    frequent the one with the smaller numbers wins, so the same counts give the same tokens.
    Raises ValueError when `size` is smaller than the alphabet.
    """
    pieces = [(piece.encode(), n) for piece, n in counts.items() if piece and n > 0]
    seen = {byte for data, _ in pieces for byte in data}
    alphabet = bytes(range(256)) if every_byte else bytes(sorted(seen))
    if size < len(alphabet):
        raise ValueError(f"{size} tokens are fewer than the {len(alphabet)} bytes to begin with")
    number = np.full(256, _GAP)
    number[list(alphabet)] = np.arange(len(alphabet))
    parts = [np.append(number[list(data)], _GAP) for data, _ in pieces]
    ids: I64 = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    weight = np.repeat([n for _, n in pieces], [len(part) for part in parts])
    merges: list[tuple[int, int]] = []
    for token in range(len(alphabet), size):
        left, right = ids[:-1], ids[1:]
        inside = (left >= 0) & (right >= 0)
        packed = left[inside] * size + right[inside]
        if not len(packed):
            break  # every piece is one token
        often = np.bincount(packed, weight[:-1][inside], size * size)
        pair = divmod(int(often.argmax()), size)
        merges.append(pair)
        ids, weight = _merge(ids, weight, pair, token)
    return Bpe(alphabet, merges)


def _merge(ids: I64, weight: I64, pair: tuple[int, int], token: int) -> tuple[I64, I64]:
    """Every pair as one token; in a run like aaa the first two are joined."""
    starts = np.flatnonzero((ids[:-1] == pair[0]) & (ids[1:] == pair[1]))
    if pair[0] == pair[1] and len(starts):
        run = np.flatnonzero(np.diff(starts, prepend=-2) != 1)  # where a run of overlaps begins
        place = np.arange(len(starts)) - np.repeat(run, np.diff(np.append(run, len(starts))))
        starts = starts[place % 2 == 0]
    ids = ids.copy()
    ids[starts] = token
    return np.delete(ids, starts + 1), np.delete(weight, starts + 1)
