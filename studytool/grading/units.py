"""An answer cut into what can be judged: sentences, clauses, and pairs of neighbouring clauses."""

from __future__ import annotations

import re
from functools import cached_property

import msgspec

from studytool.grading import denial
from studytool.grading.text import Token, tokens

#: A sentence ends here: a stop with white space behind it, a line break, a CJK stop.
_STOP = re.compile(r"[.!?…]+[\"')\]»”]*(?=\s|$)|[。！？；]|\n+|;(?=\s)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|etc|al|eq|fig|resp|approx)|^\s*\d{1,2})\.$", re.IGNORECASE
)
#: Between two clauses of a sentence stands one of these marks …
_MARK = re.compile(r"[,;:()\[\]{}=]|\s[-–—]+\s|[—–]|->|→|=>")
#: … or the second begins with one of these words.
_JOINTS = frozenset(
    [
        "and",
        "but",
        "because",
        "so",
        "while",
        "whereas",
        "which",
        "since",
        "although",
        "though",
        "then",
        "or",
        "when",
        "if",
        "unless",
        "until",
        "where",
        "rather",
        "instead",
        "therefore",
        "thus",
        "hence",
        "however",
    ]
)
#: The fewest words of a clause, and of what may be left of a sentence.
SHORTEST = 3
#: Speech without stops is cut after so many words.
LONGEST = 30


class Unit(msgspec.Struct, frozen=True, gc=False):
    """A stretch of the answer: characters `start`..`end`, its tokens, which of them are denied.

    `disowned`: most of it is called untrue, or said to be what others believe.
    """

    start: int
    end: int
    text: str
    tokens: tuple[Token, ...]
    denied: tuple[bool, ...]
    kind: str
    disowned: bool = False

    @property
    def stems(self) -> frozenset[str]:
        return frozenset(token.stem for token in self.tokens if not token.function)


class Reading:
    """An answer read once: its tokens, the sentences and clauses as ranges of tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.sentences = _sentences(text, self.tokens)
        self.clauses = [
            clause
            for first, last in self.sentences
            for clause in _clauses(text, self.tokens, first, last)
        ]

    @cached_property
    def flags(self) -> denial.Flags:
        """Which tokens are denied, and which disowned."""
        return denial.flags(self.text, self.tokens, self.sentences)

    @property
    def denied(self) -> tuple[bool, ...]:
        """For each token, whether an odd number of denials reaches it."""
        return tuple(self.flags.odd)

    def units(self) -> list[Unit]:
        """All units in reading order, each stretch once."""
        ranges = dict.fromkeys(self.sentences, "sentence")
        for clause in self.clauses:
            ranges.setdefault(clause, "clause")
        owner = self._owners()
        for left, right in zip(self.clauses, self.clauses[1:], strict=False):
            if right[1] - left[0] <= 2 * LONGEST:
                near = owner[left[0]] == owner[right[0]]
                ranges.setdefault((left[0], right[1]), "pair" if near else "bridge")
        return [self.unit(*span, kind) for span, kind in sorted(ranges.items())]

    def unit(self, first: int, last: int, kind: str = "sentence") -> Unit:
        """The unit of the tokens `first`..`last` (exclusive)."""
        start, end = self.tokens[first].start, self.tokens[last - 1].end
        words = self.tokens[first:last]
        denied = tuple(self.flags.odd[first:last])
        disowned = 2 * sum(self.flags.disowned[first:last]) > last - first
        return Unit(start, end, self.text[start:end], words, denied, kind, disowned)

    def _owners(self) -> dict[int, int]:
        """Which sentence a token belongs to."""
        return {
            token: at
            for at, (first, last) in enumerate(self.sentences)
            for token in range(first, last)
        }


def _sentences(text: str, words: tuple[Token, ...]) -> list[tuple[int, int]]:
    stops = [
        match.end()
        for match in _STOP.finditer(text)
        if not _ABBREVIATION.search(text, max(0, match.end() - 12), match.end())
    ]
    spans: list[tuple[int, int]] = []
    first = at = 0
    for stop in [*stops, len(text)]:
        while at < len(words) and words[at].start < stop:
            at += 1
        spans += _windows(first, at)
        first = at
    return spans


def _windows(first: int, last: int) -> list[tuple[int, int]]:
    """A stretch of tokens in pieces of at most twice LONGEST."""
    if last <= first:
        return []
    if last - first <= 2 * LONGEST:
        return [(first, last)]
    return [(at, min(at + LONGEST, last)) for at in range(first, last, LONGEST)]


def _clauses(text: str, words: tuple[Token, ...], first: int, last: int) -> list[tuple[int, int]]:
    """The clauses of one sentence."""
    spans: list[tuple[int, int]] = []
    begin = first
    for at in range(first + 1, last):
        gap = text[words[at - 1].end : words[at].start]
        marked = bool(_MARK.search(gap))
        joint = words[at].word in _JOINTS
        long_enough = at - begin >= SHORTEST + (0 if marked else 1)
        if (marked or joint) and long_enough and last - at >= SHORTEST:
            spans.append((begin, at))
            begin = at
    spans.append((begin, last))
    return spans
