"""Fills the blanks of a typed text by every method, beside the exact answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demos.contextual.letters import BLANK, F64, SIGNS, Chain, fill, to_numbers
from demos.contextual.tiny_bert import LENGTH, TinyBert, rescore
from studytool.demo.events import Cell, Event, Note, Table

_MOST_BLANKS = 6


def top(chances: F64, count: int = 3) -> str:
    """The likeliest letters with their chances: "e .41, a .20, i .12"; a space is written ␣."""
    best = np.argsort(-chances, kind="stable")[:count]
    return ", ".join(f"{SIGNS[i].replace(' ', '␣')} {chances[i]:.2f}" for i in best)


@dataclass(frozen=True)
class Filler:
    """The trained models, and the chain that the letters were drawn from."""

    chain: Chain
    masked: TinyBert
    causal: TinyBert

    def explore(self, request: str) -> Iterator[Event]:
        """`th_ cat`: each `_` is a letter to find."""
        read = to_numbers(request)[:LENGTH]
        blanks = np.flatnonzero(read == BLANK)
        if not 1 <= len(blanks) <= _MOST_BLANKS or len(read) < 2:
            yield Note(
                f"type up to {LENGTH} letters with 1 to {_MOST_BLANKS} blanks, such as: th_ cat"
            )
            return
        exact = fill(self.chain, read[None])[0]
        both = self.masked.chances(read[None])[0]
        left = self._left(read, blanks)
        rows: list[list[Cell]] = [
            [
                int(at) + 1,
                top(exact[at]),
                top(both[at]),
                left[int(at)],
                self._rescored(read, blanks),
            ]
            for at in blanks
        ]
        columns = ["place", "exact", "masked model, one pass", "causal, left only",
                   "causal, 27 passes"]  # fmt: skip
        note = "the language knows pairs of letters only, so even the exact answer is no word"
        yield Table("explore", f"“{request.strip()}”", columns, rows, note)

    def _left(self, read: np.ndarray, blanks: np.ndarray) -> dict[int, str]:
        """What the causal model expects at each blank; it can't read past an earlier one."""
        first = int(blanks[0])
        out = {int(at): "a blank stands before it" for at in blanks}
        out[first] = "nothing stands before it"
        if first > 0:
            out[first] = top(self.causal.chances(read[None, :first])[0, -1])
        return out

    def _rescored(self, read: np.ndarray, blanks: np.ndarray) -> str:
        if len(blanks) > 1:
            return f"27^{len(blanks)} fillings to score"
        if blanks[0] == 0:
            return "no chance of the first letter"
        return top(rescore(self.causal, read[None], blanks)[0])
