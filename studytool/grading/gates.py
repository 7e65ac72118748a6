"""Answers that only look like answers: empty, the question said back, lists of keywords, code.

The thresholds are counts and shares of word classes; nothing here knows a subject.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from studytool.grading.features import is_verb
from studytool.grading.words import VERBS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.grading.lexical import Lexicon
    from studytool.grading.text import Token
    from studytool.grading.units import Reading, Unit

#: A stretch of at least STUFFED_WORDS words with a smaller share of function words is a list of
#: keywords.
STUFFED_SHARE = 0.14
STUFFED_WORDS = 4
#: Keywords between commas: at least so many pieces, of fewer words on average.
_PIECES = 5
_PIECE_WORDS = 3.2
#: Terse speech has a common verb in this share of its pieces.
_TERSE = 0.4
#: Strung keywords: so many words at least, a smaller share of predicates, a larger one of strings.
_LONG = 10
_SAID = 0.035
_STRUNG = 0.33
_STRINGS = frozenset(
    [
        "and",
        "with",
        "of",
        "for",
        "in",
        "on",
        "about",
        "then",
        "also",
        "plus",
        "or",
        "by",
        "to",
        "from",
    ]
)
_COPULAS = frozenset(
    [
        "am",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "it's",
        "that's",
        "there's",
        "they're",
    ]
)
_BEFORE_NOUNS = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "with",
        "and",
        "in",
        "for",
        "on",
        "about",
        "by",
        "from",
        "this",
        "that",
        "these",
        "those",
        "to",
        "its",
        "their",
    ]
)
#: Joins topics to each other or to nothing, and says nothing of them.
_EMPTY = re.compile(
    r"\b(?:there(?: is| are|'s)|(?:it|this|that|answer|all)(?:'s| is) (?:all )?about|"
    r"(?:is|are) (?:also |closely )?(?:related|relevant|connected|linked|important|key)|(?:we|you) have|"
    r"involves?|includes?|concerns?|deals? with|(?:has|have) to do with|mentions?|so on|of course)\b"
)
#: An empty sentence joins so many things at least; so many such sentences are a list all the same.
_JOINED, _ROW = 3, 3
#: The share of a unit's content words that the question has, from which it says nothing new.
ECHO_SHARE = 0.8
_CODE = re.compile(
    r"```|^\s*(?:def|class|import|from|for|while|return|if)\b.*[:(]|[\w\])]\s*[-+*/]?=\s*[\w\[(-]|\w\(|@|//|;\s*$|^\s*#",
    re.MULTILINE,
)
_COMMAS = re.compile(r"[,;/|\n]+|[.!?](?=\s|$)")
#: "x: y", "x -> y", "x = y" say something without a verb.
_RELATION = re.compile(r"[:=<>→]|->")
_LIST = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+\S", re.MULTILINE)
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_LETTER = re.compile(r"[^\W\d_]")


def is_code(text: str) -> bool:
    """Whether most lines of the text look like code."""
    lines = [line for line in text.splitlines() if line.strip()]
    return bool(lines) and 2 * sum(bool(_CODE.search(line)) for line in lines) > len(lines)


def is_foreign(text: str) -> bool:
    """Whether most letters are of another script than the deck's Latin."""
    letters = len(_LETTER.findall(text))
    return letters > 0 and 2 * len(_LATIN.findall(text)) < letters


def is_listed(text: str) -> bool:
    """Whether the text has the layout of a list."""
    return len(_LIST.findall(text)) >= 2


def is_keywords(text: str, words: Sequence[Token]) -> bool:
    """Whether a stretch is keywords between commas, stops or lines, or with no word between them."""
    if len(words) < STUFFED_WORDS:
        return False
    share = sum(token.function for token in words) / len(words)
    pieces = _pieces(_said(text, words))
    said = [token.word for token in words]
    if pieces >= _PIECES and len(words) < _PIECE_WORDS * pieces:
        return share < 2 * STUFFED_SHARE and finite(said) < _TERSE * pieces
    if share >= STUFFED_SHARE or len(words) < _LONG or _RELATION.search(_said(text, words)):
        return False
    return predicates(said) == 0 if pieces >= 3 else finite(said) * _LONG < len(words)


def is_strung(text: str, words: Sequence[Token]) -> bool:
    """Whether an answer strings keywords together with "and the" and "with", and says nothing of them."""
    if len(words) < _LONG:
        return False
    said = predicates([token.word for token in words])
    strung = sum(token.word in _STRINGS for token in words) + _pieces(_said(text, words)) - 1
    return said < _SAID * len(words) and strung >= _STRUNG * len(words)


def is_empty(words: Sequence[Token]) -> bool:
    """Whether a sentence has no verb but such as join topics: "x is related to y", "there is the x"."""
    content = sum(not token.function for token in words)
    line, joined = _EMPTY.subn(" ", " ".join(token.word for token in words))
    return content >= _JOINED and joined > 0 and not any(w in VERBS for w in line.split())


def _joins(text: str, words: Sequence[Token]) -> bool:
    """Whether a sentence has at least _JOINED commas and joining words behind its verb."""
    joints = sum(token.word in ("and", "then", "about", "plus", "also") for token in words)
    return joints + _pieces(_said(text, words)) - 1 >= _JOINED


def predicates(words: Sequence[str]) -> int:
    """How many of the words say something: verbs, but neither "is" alone nor "the learned …"."""
    return sum(is_verb(word) for word in _free(words))


def finite(words: Sequence[str]) -> int:
    """How many of the words are common verbs; "learned" and "training" may be part of a name."""
    return sum(word in VERBS for word in _free(words))


def _free(words: Sequence[str]) -> list[str]:
    """The words that are neither a form of "be" nor right behind an article or preposition."""
    return [
        word
        for at, word in enumerate(words)
        if word not in _COPULAS and (at == 0 or words[at - 1] not in _BEFORE_NOUNS)
    ]


def stuffed(reading: Reading) -> list[tuple[int, int]]:
    """Start and end of the stretches that are keywords rather than speech; none when it is code.

    The lines of a list may be terse and strung together; bare keywords are never speech.
    """
    if not reading.tokens or is_code(reading.text):
        return []
    text = reading.text
    parts = [reading.tokens[first:last] for first, last in reading.sentences]
    found: list[tuple[Token, ...]] = []
    rest: list[tuple[Token, ...]] = []
    row = sum(is_empty(part) for part in parts) >= _ROW
    for part in parts:
        listed = is_keywords(text, part) or (is_empty(part) and (row or _joins(text, part)))
        (found if listed else rest).append(part)
    left = tuple(token for part in rest for token in part)
    if _one_a_line(text, left) or (not is_listed(text) and is_strung(text, left)):
        found += rest
    return sorted((part[0].start, part[-1].end) for part in found)


def _one_a_line(text: str, words: Sequence[Token]) -> bool:
    """Whether keywords stand on lines or between stops of their own, so that each says nothing."""
    if not words or _RELATION.search(_said(text, words)):
        return False
    pieces = _pieces(_said(text, words))
    return pieces >= _PIECES and len(words) < _PIECE_WORDS * pieces and is_keywords(text, words)


def _said(text: str, words: Sequence[Token]) -> str:
    """The text from the first to the last of some words."""
    return text[words[0].start : words[-1].end]


def _pieces(text: str) -> int:
    """How many pieces a text has between commas and the like."""
    return max(1, sum(1 for piece in _COMMAS.split(text) if piece.strip()))


def echoes(unit: Unit, lexicon: Lexicon) -> bool:
    """Whether a unit has nothing beyond the words of the question."""
    stems = unit.stems
    return bool(stems) and len(stems & lexicon.question) >= ECHO_SHARE * len(stems)


def one_unit(evidence: Sequence[str]) -> bool:
    """Whether at least three points are said to be covered by one and the same short unit."""
    return (
        len(evidence) >= 3
        and len(set(evidence)) == 1
        and len(evidence[0].split()) < 6 * len(evidence)
    )
