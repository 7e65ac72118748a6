"""Sentences that use an ambiguous word, each marked with its sense: ours, or the user's own file.

A line is `word | sense | sentence`; empty lines and lines that begin with # are left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from demos.kit.data import DataFault

#: The sentences of this package, written for it before any result was looked at.
OWN_USES = Path(__file__).with_name("uses.txt")
_FEWEST, _MOST, _LONGEST = 2, 2000, 500
_FORMAT = "Each line is: word | sense | sentence, such as: bank | river | We sat on the bank."


class Use(NamedTuple):
    """One sentence, and the sense that its `word` has there."""

    word: str
    sense: str
    sentence: str

    @property
    def span(self) -> tuple[int, int]:
        """Where the word stands. Raises ValueError when the sentence lacks it."""
        return find(self.word, self.sentence)

    def around(self, width: int = 13) -> str:
        """The word with a few letters to each side, to label a row with."""
        start, end = self.span
        left = self.sentence[max(0, start - width) : start]
        right = self.sentence[end : end + width]
        return f"{left:>{width}}{self.sentence[start:end].upper()}{right:<{width}}"


def find(word: str, sentence: str) -> tuple[int, int]:
    """Where `word` first stands as a whole word. Raises ValueError when it doesn't."""
    match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", sentence, re.IGNORECASE)
    if match is None:
        raise ValueError(f"“{sentence}” does not have the word {word}")
    return match.span()


def read_uses(path: Path) -> list[Use]:
    """The uses of a file, ordered by word and sense as these first come.

    Raises DataFault, naming the line, when the file is missing, is no UTF-8 text, or has a line
    of another form; and when a word has not two senses with at least two sentences each.
    """
    try:
        text = path.expanduser().read_text("utf-8-sig")
    except OSError as fault:
        raise DataFault(
            f"{path}: {fault.strerror}", f"Name a UTF-8 text file. {_FORMAT}"
        ) from fault
    except UnicodeDecodeError as fault:
        raise DataFault(f"{path.name} is not UTF-8 text", f"Convert it first. {_FORMAT}") from fault
    uses = list(_lines(text, path.name))
    grouped: defaultdict[str, defaultdict[str, list[Use]]] = defaultdict(lambda: defaultdict(list))
    for use in uses:
        grouped[use.word][use.sense].append(use)
    for word, senses in grouped.items():
        if len(senses) < 2 or min(map(len, senses.values())) < _FEWEST:
            raise DataFault(
                f"{path.name}: {word} needs two senses with {_FEWEST} sentences each",
                f"A use is judged by the other uses of its word. {_FORMAT}",
            )
    if not uses:
        raise DataFault(f"{path.name} has no sentences", _FORMAT)
    return [use for senses in grouped.values() for group in senses.values() for use in group]


def _lines(text: str, name: str) -> Iterator[Use]:
    lines = text.splitlines()
    if len(lines) > _MOST:
        raise DataFault(f"{name} has {len(lines):,} lines", f"At most {_MOST:,} are read.")
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = [part.strip() for part in line.split("|", 2)]
        if len(parts) < 3 or not all(parts):
            raise DataFault(f"{name}, line {number}: no word, sense and sentence", _FORMAT)
        if len(line) > _LONGEST:
            raise DataFault(
                f"{name}, line {number}: {len(line)} letters", f"At most {_LONGEST} fit a line."
            )
        use = Use(parts[0].lower(), parts[1], parts[2])
        try:
            use.span  # noqa: B018  # the look-up is the check
        except ValueError as fault:
            raise DataFault(
                f"{name}, line {number}: {fault}", "Write the word itself, not a form of it."
            ) from fault
        yield use


def shuffled(use: Use, rng: np.random.Generator) -> Use:
    """The same words in another order; the final stop stays where it is."""
    words = use.sentence.rstrip(".").split()
    return use._replace(sentence=" ".join(words[i] for i in rng.permutation(len(words))) + ".")


def words_of_uses(uses: Sequence[Use]) -> list[str]:
    """The different words in order."""
    return list(dict.fromkeys(use.word for use in uses))
