"""Which numbers of a text need a citation, and which of these have none.

A number written in digits needs `[^source]`, `{claim:demo/id}` or `[^derived]` in its sentence
(or right after the full stop); a row of a table and an item of a list count as sentences.
No citation is needed for

- what stands in code, in a formula `$…$`, in a reference, a link or an identifier
  such as arXiv:1301.3781;
- names: a word that begins with a letter (GPT-2, word2vec, R@10, ViT-L/14, F1, BM25), and words
  that begin with a digit and are names all the same: 3CosAdd, 2D, 3rd, 4-gram; and the
  coefficient of a variable in capitals: 2C, 6ND (but 340M, 7B, 2K, 5GB are numbers);
- 0, 1, +1 and -1 alone, the bounds of probabilities and cosines;
- places: equation 3, section 2.5, table 1, figure 4, step 2, (1), the number of a list item;
- years after a preposition or a name, or in brackets: in 2013, Mikolov 2013, (2018);
- numbers that the question or its prompt has already given.

Counts that are part of a structure are best spelled as words: two towers, three losses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studytool.deck.refs import blank, mask_code

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = re.compile(r"(?:[^\s()\[\]{}<>\"“”‘’,;=≈~≤≥|*…]|(?<=\d),(?=\d))+")
_DIGIT = re.compile(r"[0-9]")
_NUMBER = re.compile(r"\.?[0-9][0-9,]*(?:\.[0-9]+)*")
_NAME_WITH_DIGIT_FIRST = re.compile(
    r"[0-9]+(?:[A-Z][a-z]+[A-Z]\w*|D|st|nd|rd|th|-?grams?|(?![KMGTP]?B?$)[A-Z]{1,2})$"
)
_EXEMPT = re.compile(
    r"https?://\S+|\]\([^)\s]*\)|\b(?:arXiv|doi|DOI|ISBN):\s?[\w./-]+"  # identifiers and links
    r"|\{\{c\d+::|^[ \t]*(?:[-*+][ \t]+)?\d{1,3}[.)](?=[ \t])|\(\d\)"  # cloze marks, list numbers, (1)
    r"|(?:\b(?:[Ee]quations?|[Ee]qs?\.?|[Ss]ections?|[Ss]ec\.|[Tt]ables?|[Ff]igures?|[Ff]ig\.|[Aa]ppendix|[Cc]hapter"
    r"|[Ss]teps?|[Ss]tage|[Pp]hase|[Pp]art|[Cc]ase|[Tt]heorem|[Ll]emma|[Ii]tem|[Pp]oint)|§+)\s*\(?\d+(?:\.\d+)*\)?",
    re.MULTILINE,
)
_COUNTED = (
    "steps|tokens|words|dimensions|samples|images|pairs|examples|documents|epochs|parameters|layers"
    "|units|queries|points|items|cards|runs|hours|seconds|sentences|articles|negatives"
)
_YEAR = re.compile(
    r"(?:\b(?:in|since|by|until|during|from|of|early|late|and|to|the|[A-Z][\w’'-]*|al\.),?\s+|\()"
    rf"(?:19\d\d|20[0-3]\d)(?:s\b)?(?=[^\w%]|$)(?![.,]\d|\s+(?:{_COUNTED})\b)"
)
_CITATION = re.compile(r"\[\^[^\]\s]+\]|\{claim:[^}\s]+\}")
_BREAK = re.compile(
    r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*+>]|\d{1,3}[.)])[ \t])|\n(?=[ \t]*\|)"  # paragraph, item, row
    r"|(?<=[.!?])[\"')\]*_]*(?:[ \t]*(?:\[\^[^\]\s]+\]|\{claim:[^}\s]+\}))*[*_]*"  # full stop, marks
    r"\s+(?=[\"'(\[*_`$]*[A-ZÀ-ÞΑ-Ω])"
)
_ABBREVIATION = re.compile(r"\b(?:cf|vs|al|e\.g|i\.e|Eq|Fig|Sec|approx|resp)\.$")
_TRIVIAL = frozenset({"0", "1"})


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, and where it stands in its text."""

    text: str
    start: int


def numbers(text: str) -> tuple[Number, ...]:
    """The numbers of a text that need a citation."""
    if not _DIGIT.search(text):
        return ()
    masked = _blank_exempt(text)
    found: list[Number] = []
    for word in _WORD.finditer(masked):
        body = word[0].strip(".:!?%/'-–—+−±×·_&$€£#")
        if not body or body[0] not in "0123456789" or _NAME_WITH_DIGIT_FIRST.match(body):
            continue
        if body in _TRIVIAL and not _has_unit(masked, word):
            continue
        number = _NUMBER.search(word[0])
        if number is not None:
            found.append(Number(number[0].rstrip(",."), word.start() + number.start()))
    return tuple(found)


def uncited(text: str, given: str = "") -> tuple[Number, ...]:
    """The numbers of `text` without a citation in their sentence; `given` is what was asked."""
    found = numbers(text)
    if not found:
        return ()
    known = {number.text for number in numbers(given)}
    masked = mask_code(text)
    cited = [span for span in sentences(text) if _CITATION.search(masked, *span)]
    found = tuple(number for number in found if number.text not in known)
    return tuple(n for n in found if not any(start <= n.start < end for start, end in cited))


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence, list item and table row; marks after a full stop belong to it."""
    start = 0
    masked = mask_code(text)
    for match in _BREAK.finditer(masked):
        if _ABBREVIATION.search(masked, max(0, match.start() - 8), match.start()):
            continue
        yield start, match.end()
        start = match.end()
    yield start, len(text)


def _blank_exempt(text: str) -> str:
    masked = _CITATION.sub(lambda match: blank(match[0]), mask_code(text))
    masked = _EXEMPT.sub(lambda match: blank(match[0]), masked)
    return _YEAR.sub(lambda match: blank(match[0]), masked)


def _has_unit(masked: str, word: re.Match[str]) -> bool:
    """Whether a percent sign follows: 1 % is a measurement where 1 alone is a bound."""
    return masked[word.start() : word.end() + 2].rstrip().endswith("%")
