"""Does a text say what a misconception says? A small matcher on words, for the linter.

A sentence voices a wrong statement when it repeats nearly all of its content words in the same
order and denies as often (an odd number of denials turns a statement round). Order matters:
"CBOW is faster than skip-gram" isn't "skip-gram is faster than CBOW".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studytool.deck.citations import sentences
from studytool.deck.refs import mask_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The share of a wrong statement's content words that a sentence must repeat in order.
OVERLAP = 0.85
#: Statements with fewer content words are too short to judge by words.
SHORTEST = 3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TOKEN = re.compile(r"[\w@]+(?:[-.][\w@]+)*(?:['’]t)?")
_DENIALS = _words("""
    not no never none neither nor without cannot hardly fails fail failed wrong false myth untrue
    incorrect misconception mistake mistaken instead rather despite
""")
_COMMON = _words("""
    a an the is are was were be been being it its this that these those of to in on at for from by
    with and or as so than then there their they which who what when while into only just also very
    more most do does did has have had can could will would should may might must one because since
    if but
""")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence as the matcher sees it: its content words in order, and whether it denies."""

    content: tuple[str, ...]
    denies: bool


def statements(text: str) -> tuple[Statement, ...]:
    """The sentences of a text."""
    masked = mask_code(text)
    return tuple(statement(masked[start:end]) for start, end in sentences(text))


def voices(said: Iterable[Statement], wrong: Statement) -> bool:
    """Whether one of the sentences `said` states `wrong`."""
    if len(wrong.content) < SHORTEST:
        return False
    enough = OVERLAP * len(wrong.content)
    words = set(wrong.content)
    return any(
        one.denies == wrong.denies
        and sum(word in words for word in one.content) >= enough
        and _in_order(wrong.content, one.content) >= enough
        for one in said
    )


def statement(text: str) -> Statement:
    """A text as one sentence."""
    content: list[str] = []
    denials = 0
    for match in _TOKEN.finditer(text.lower()):
        word = match[0]
        if word in _DENIALS or word.endswith(("n't", "n’t")):
            denials += 1
        elif word not in _COMMON:
            content.append(_stem(word))
    return Statement(tuple(content), denials % 2 == 1)


def _stem(word: str) -> str:
    """The word without its common endings."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)].rstrip("e")
    return word.rstrip("e") if len(word) > 4 else word


def _in_order(statement: Sequence[str], sentence: Sequence[str]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(sentence) + 1)
    for word in statement:
        diagonal = 0
        for k, other in enumerate(sentence, 1):
            diagonal, row[k] = row[k], diagonal + 1 if word == other else max(row[k], row[k - 1])
    return row[-1]
