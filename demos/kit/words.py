"""Text as words: splitting, and a vocabulary that says which words it doesn't know."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

PAD, UNKNOWN = 0, 1


def split_words(text: str) -> list[str]:
    """Lower-case words without accents and punctuation: "Piñata: red!" gives pinata, red.

    A hyphen separates, so that *medium-dark* shares its parts with *medium* and *dark*.
    """
    flat = unicodedata.normalize("NFKD", text.lower())
    flat = "".join(sign for sign in flat if not unicodedata.combining(sign))
    return re.findall(r"[^\W_]+|#|\*", flat)


class Vocabulary:
    """The words of some texts, numbered in alphabetical order; 0 is padding, 1 any other word."""

    def __init__(self, texts: Sequence[str], longest: int = 16) -> None:
        words = sorted({word for text in texts for word in split_words(text)})
        self._numbers = {word: number for number, word in enumerate(words, start=2)}
        self.longest = longest

    def __len__(self) -> int:
        return len(self._numbers) + 2

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Word numbers, (len(texts), longest) int64, padded and cut on the right."""
        out = np.full((len(texts), self.longest), PAD, np.int64)
        for row, text in enumerate(texts):
            numbers = [self._numbers.get(word, UNKNOWN) for word in split_words(text)]
            out[row, : len(numbers)] = numbers[: self.longest]
        return out

    def unknown(self, text: str) -> tuple[str, ...]:
        """The words of the text that no known text has."""
        return tuple(word for word in split_words(text) if word not in self._numbers)
