"""Which words of a text are denied.

"The temperature is not fixed", "it is a myth that it is fixed", "fixed? No, that is wrong" and
"learned rather than fixed" all deny that it is fixed. Each denial turns the words of its scope
round; two denials cancel. The scope of "not" is its part of the sentence (between commas, "but"
and the like), that of "rather than" what follows it, that of "it is a myth that" the rest of the
sentence up to "but", and that of "that is wrong" what was said before. What others are said to
believe ("people say that it is fixed") is denied already: "but that is wrong" adds nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from studytool.grading.words import DENIALS, UNTRUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.grading.text import Token

_BREAK = re.compile(r"[,;:()\[\]]|\s[-–—]+\s|[—–]|->|→")
_BREAK_WORDS = frozenset(
    ["but", "because", "so", "whereas", "while", "although", "though", "since", "however", "and"]
)
#: No denial at all, though it looks like one.
_NEUTRAL = re.compile(
    r"\b(?:not (?:only|just|merely|simply|to mention)|no doubt|why not|if not|no matter|whether or not)\b"
)
#: Turns what follows round, up to the end of its part.
_FORWARD = re.compile(
    r"\b(?:rather than|instead of|as opposed to|in place of|unlike|contrary to|far from|"
    r"and not|but not|without|no longer|fails? to|failed to|failing to|lacks?|free of)\b"
)
_WHO = r"(?:people|some|many|most|others|candidates|everyone|everybody|textbooks|tutorials|blogs?)"
_ANYBODY = rf"(?:{_WHO}|one|you|we|i|they)"
_DOUBT = (
    r"(?:think|thinks|thought|believe|believes|believed|assume|assumes|assumed|claim|claims|claimed|"
    r"expect|guess|imagine|suppose|say|says|said|hear|heard|conclude)"
)
_HEDGE = r"(?:might|may|could|would|often|sometimes|usually|wrongly|falsely|used to|mistakenly)"
#: What may stand between "is" and "wrong".
_FILL = (
    r"(?:(?:a|an|the|just|simply|plainly|clearly|completely|totally|entirely|quite|really|actually|"
    r"also|still|such|very|common|popular|widespread|typical|classic|big|bit|of|pure|kind) )"
)
_NOT_TRUE = r"not (?:true|right|correct|the case|so)"
_A = r"(?:a|the|one|another|this|common|popular|typical|usual|classic|famous|big)"
#: What others believe: many would think that …, some say …
_REPORT = (
    rf"(?:{_ANYBODY} (?:\w+ ){{0,2}}{_HEDGE}(?: \w+)? {_DOUBT}|{_WHO}(?: \w+)? {_DOUBT})(?: that)?"
)
_REPORTED = re.compile(_REPORT)
#: Turns the rest of the sentence round, up to a "but".
_FRAME = re.compile(
    r"\b(?:"
    + "|".join(
        (
            # it is not true that …, it's a common myth that …, it would be wrong to say …
            rf"(?:it|that|this|there)(?: is|'s| was| would be|s)? "
            rf"(?:{_NOT_TRUE}|{_FILL}{{0,3}}{UNTRUE})(?: to \w+)?(?: that)?",
            # a common misconception is that …, the usual mistake is to think …
            rf"{_A} (?:\w+ )?(?:myth|misconception|misunderstanding|fallacy)s?"
            r"(?: (?:is|here|would be|was)){0,2}(?: (?:to \w+|thinking|saying|that|believing))*",
            rf"{_A} (?:\w+ )?mistake(?: (?:is|here|people make|i hear|would be|was)){{1,2}}"
            r"(?: (?:to \w+|thinking|saying|that|believing))+",
            _REPORT,
            # it is tempting to say that …
            rf"(?:tempting|wrong|false|incorrect|mistaken) to {_DOUBT}(?: that)?",
            # that doesn't mean that …, I don't buy that …
            r"(?:don't|doesn't|do not|does not|didn't|not|never|nor) (?:be \w+ |fall for |buy )?"
            r"(?:think|believe|mean|imply|say|claim|assume|agree|true)(?: that)?",
            r"(?:disagree|deny|denies|reject|rejects|dispute)(?: with)?(?: the \w+)?(?: that)?",
        )
    )
    + r")(?= |$)"
)
_FRAME_ENDS = frozenset(["but", "however", "yet", "actually", "whereas"])
#: Turns what was said before round: at the end of a part, or as a sentence of its own.
_BACKWARD = re.compile(
    rf"\b(?:(?:is|are|was|were|be|'s|that's|it's) {_FILL}{{0,3}}{UNTRUE}"
    rf"|(?:is|are|was|were) {_NOT_TRUE}"
    r"|(?:isn't|aren't|wasn't|that's not|it's not) (?:true|right|correct|the case|so))\b(?! to | that )"
)
_VERDICT = re.compile(
    rf"^(?:(?:but|and|well|so|no|nope|actually)\s)*(?:(?:that|this|it|which|they|those|these|i think that)"
    rf"(?:'s| is| are| was)? {_FILL}{{0,3}}(?:{UNTRUE}|{_NOT_TRUE})\b(?! to | that )"
    r"|(?:no|nope|wrong|false|incorrect|not true|not so|not really|that isn't \w+)$)"
)


class Flags:
    """What is known of each token of a text.

    `odd`: an odd number of denials reaches it. `reported`: it is what others are said to believe.
    `disowned`: it is part of what the writer calls untrue, or reports, or of the words that do so.
    """

    def __init__(self, count: int) -> None:
        self.odd = [False] * count
        self.reported = [False] * count
        self.disowned = [False] * count


def flags(text: str, words: Sequence[Token], sentences: Sequence[tuple[int, int]]) -> Flags:
    """The flags of the tokens of a text."""
    found = Flags(len(words))
    before: tuple[int, int] | None = None
    for first, last in sentences:
        _Sentence(text, words, first, last, found).mark(before)
        before = (first, last)
    return found


class _Sentence:
    """One sentence as words with single spaces between, and where its parts begin."""

    def __init__(
        self, text: str, words: Sequence[Token], first: int, last: int, found: Flags
    ) -> None:
        self.first, self.last, self.found = first, last, found
        self.words = [words[at].word for at in range(first, last)]
        self.line = " ".join(self.words)
        self.starts = [0]
        for word in self.words[:-1]:
            self.starts.append(self.starts[-1] + len(word) + 1)
        self.breaks = [
            at
            for at in range(1, last - first)
            if self.words[at] in _BREAK_WORDS
            or _BREAK.search(text[words[first + at - 1].end : words[first + at].start])
        ]

    def mark(self, before: tuple[int, int] | None) -> None:
        """Turn the flags round for every denial of the sentence."""
        used: set[int] = set()
        if before is not None and len(self.words) <= 14 and (match := _VERDICT.search(self.line)):
            self._disown(before[0], before[1])
            used |= self._tokens(match)
            self._own_words(used)
        for match in _NEUTRAL.finditer(self.line):
            used |= self._tokens(match)
        self._frames(used)
        for match in _BACKWARD.finditer(self.line):
            span = self._tokens(match)
            if not span & used:
                used |= span
                self._disown(self.first, self.first + min(span))
                self._own_words(span)
        for match in _FORWARD.finditer(self.line):
            span = self._tokens(match)
            if not span & used:
                used |= span
                self._turn(self.first + max(span) + 1, self.first + self._part(max(span))[1])
        for at, word in enumerate(self.words):
            if word in DENIALS and at not in used:
                begin, end = self._part(at)
                self._turn(self.first + begin, self.first + end)

    def _frames(self, used: set[int]) -> None:
        """What stands behind "it is a myth that" and "people say that"."""
        for match in _FRAME.finditer(self.line):
            span = self._tokens(match)
            if span & used or max(span) + 1 >= len(self.words):
                continue
            used |= span
            begin, end = max(span) + 1, self._frame_end(max(span) + 1)
            self._disown(self.first + begin, self.first + end)
            self._own_words(span)
            if _REPORTED.fullmatch(match[0]):
                for at in range(self.first + begin, self.first + end):
                    self.found.reported[at] = True

    def _disown(self, first: int, last: int) -> None:
        """Turn round what is called untrue, unless it is only reported, and so denied already."""
        for at in range(first, last):
            self.found.disowned[at] = True
            if not self.found.reported[at]:
                self.found.odd[at] = not self.found.odd[at]

    def _own_words(self, span: set[int]) -> None:
        """The words of the refutation itself."""
        for at in span:
            self.found.disowned[self.first + at] = True

    def _turn(self, first: int, last: int) -> None:
        for at in range(first, last):
            self.found.odd[at] = not self.found.odd[at]

    def _tokens(self, match: re.Match[str]) -> set[int]:
        """The tokens that a match covers."""
        begin = bisect_left(self.starts, match.start())
        return set(range(begin, max(begin + 1, bisect_left(self.starts, match.end()))))

    def _part(self, at: int) -> tuple[int, int]:
        """The part of the sentence, between breaks, that token `at` stands in."""
        begin = max((place for place in self.breaks if place <= at), default=0)
        end = min((place for place in self.breaks if place > at), default=len(self.words))
        return begin, end

    def _frame_end(self, begin: int) -> int:
        for at in range(begin, len(self.words)):
            if self.words[at] in _FRAME_ENDS:
                return at
        return len(self.words)
