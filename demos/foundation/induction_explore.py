"""After the run: switch heads off, or type tokens of your own."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demos.kit.decoder import Decoder, Head
from studytool.demo.events import Cell, Event, Matrix, Note, Table

#: How tokens are written: single letters and digits.
SIGNS = string.ascii_lowercase + string.digits + string.ascii_uppercase
_HEAD = re.compile(r"(\d+)\.(\d+)")
_LIKELY = 5
HELP = "type: off 0.1 (or off 0.0 1.1), heads, or tokens such as: a b c d a b"


def letters(ids: Sequence[int] | NDArray[np.int64]) -> list[str]:
    """Tokens as signs."""
    return [SIGNS[int(i)] for i in ids]


class InductionExplorer:
    """Ablates the heads the user names, and continues the tokens the user types."""

    def __init__(self, model: Decoder, accuracy: Callable[[Collection[Head]], float]) -> None:
        """`accuracy` is that of the model without the given heads."""
        self.model, self.accuracy = model, accuracy
        config = model.config
        self.heads = [(la, h) for la in range(config.layers) for h in range(config.heads)]
        self.off: set[Head] = set()

    def explore(self, request: str) -> Iterator[Event]:
        """`off 0.1`: without that head from here on, `off`: with all; `heads`; or tokens."""
        words = request.split()
        if not words:
            yield Note(HELP)
        elif words[0] == "off":
            yield from self._ablate(words[1:])
        elif words == ["heads"]:
            yield self._each()
        else:
            yield from self._continue([sign for word in words for sign in word])

    def _ablate(self, words: Sequence[str]) -> Iterator[Event]:
        named: set[Head] = set()
        for word in words:
            match = _HEAD.fullmatch(word)
            head = (int(match[1]), int(match[2])) if match else None
            if head not in self.heads:
                known = ", ".join(f"{layer}.{number}" for layer, number in self.heads)
                yield Note(f"there is no head {word}; the heads are {known}")
                return
            named.add(head)
        self.off = named
        rows: list[list[Cell]] = [
            ["all heads", round(self.accuracy(()), 3)],
            [self._without(), round(self.accuracy(self.off), 3)],
        ]
        yield Table("explore", "Accuracy on repeated tokens", ["", "accuracy"], rows)

    def _without(self) -> str:
        names = ", ".join(f"{layer}.{head}" for layer, head in sorted(self.off))
        return f"without {names}" if names else "none switched off"

    def _each(self) -> Table:
        rows: list[list[Cell]] = [
            [f"{layer}.{head}", round(self.accuracy(self.off | {(layer, head)}), 3)]
            for layer, head in self.heads
        ]
        title = f"Accuracy when one more head is switched off ({self._without()})"
        return Table("explore", title, ["head", "accuracy"], rows)

    @torch.no_grad()
    def _continue(self, signs: list[str]) -> Iterator[Event]:
        known = SIGNS[: self.model.config.vocabulary]
        unknown = sorted({sign for sign in signs if sign not in known})
        if unknown or not 2 <= len(signs) <= self.model.config.context:
            yield Note(
                f"write 2 to {self.model.config.context} tokens, each one of {known}; {HELP}"
            )
            return
        ids = torch.tensor([[known.index(sign) for sign in signs]])
        maps: list[Tensor] = []
        p = self.model(ids, maps=maps, off=self.off)[0, -1].softmax(-1)
        best = p.argsort(descending=True)[:_LIKELY]
        rows: list[list[Cell]] = [[known[i], round(p[i].item(), 3)] for i in best.tolist()]
        title = f"After {' '.join(signs[-8:])} ({self._without()})"
        yield Table("explore", title, ["next token", "p"], rows)
        reads: list[list[float]] = [
            maps[layer][0, head, -1].tolist()
            if (layer, head) not in self.off
            else [0.0] * len(signs)
            for layer, head in self.heads
        ]
        names = [f"{layer}.{head}" for layer, head in self.heads]
        yield Matrix("explore-map", "What each head reads at the last token", reads, names, signs)
