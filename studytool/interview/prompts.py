"""What the interviewer says. Nothing here depends on a verdict, so nothing gives one away.

Which of several wordings is used follows from the seed and the place in the interview.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from studytool.deck import refs
from studytool.interview.model import Style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.deck.model import Card
    from studytool.interview.model import Setup

_ACKNOWLEDGED = (
    "Thank you.",
    "All right.",
    "Okay, noted.",
    "I see.",
    "Understood.",
    "Fine, thank you.",
)
_FOLLOWING_UP = (
    "Let me ask a little further.",
    "One question on that.",
    "Staying with this for a moment.",
    "Let me follow up.",
)
_MOVING_ON = ("Next question.", "Let's go on.", "Something else.", "Let's move on.")
_OPENINGS = {
    Style.SCREENING: "I'd like to go through a number of topics; keep your answers to the point.",
    Style.DEEP_DIVE: "We'll stay with few topics and go deep; think aloud if it helps.",
    Style.RAPID_FIRE: "Short questions, short answers: about a minute each.",
    Style.STORY: "I'm interested in how the field came to be what it is; tell it as problems and repairs.",
}
_KEPT = re.compile(r"^(?: {4}|\t|\s*(?:[-*+|>#]|\d+[.)]\s|\$\$))", re.MULTILINE)
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_][\w-]{3,}")
#: Words that are no subject.
_COMMON = frozenset(
    """about again also answer because been before being between both does during each explain from
    give have here instead into itself just like made make many more most much must name need only
    other over same should show some such tell than that their them then there these they this
    those through under used using very what when where which while will with without word words
    would write your""".split()  # noqa: SIM905 - a list literal of 70 words would fill two pages
)


def opening(setup: Setup) -> str:
    """The first words of the interview."""
    return f"Thanks for coming. We have {setup.minutes} minutes. {_OPENINGS[setup.style]}"


def acknowledge(setup: Setup, turn: int, exchange: int) -> str:
    """A word after an answer, the same whatever it was worth."""
    return _one(_ACKNOWLEDGED, setup.seed, "ack", turn, exchange)


def follow_up(setup: Setup, turn: int, exchange: int) -> str:
    """What leads over to a probe."""
    return _one(_FOLLOWING_UP, setup.seed, "probe", turn, exchange)


def move_on(setup: Setup, turn: int) -> str:
    """What leads over to the next question."""
    return _one(_MOVING_ON, setup.seed, "next", turn)


def question(card: Card) -> str:
    """The question as it is asked, with the code or data that belongs to it."""
    text = f"{card.question}\n\n{reflow(card.prompt)}" if card.prompt.strip() else card.question
    return unmarked(text)


def reflow(text: str) -> str:
    """Paragraphs of prose without their line breaks; code, lists, tables and formulas as they are."""
    paragraphs = re.split(r"\n[ \t]*\n", text.strip("\n"))
    fenced = False
    for at, paragraph in enumerate(paragraphs):
        fences = len(re.findall(r"^ {0,3}(?:```|~~~)", paragraph, re.MULTILINE))
        if not fenced and not fences and not _KEPT.search(paragraph):
            paragraphs[at] = " ".join(paragraph.split("\n"))
        fenced ^= fences % 2 == 1
    return "\n\n".join(paragraphs)


def challenge(evidence: str) -> str:
    """The question about a statement that was made: it asks for reasons and says nothing of them."""
    return f"You said: “{_short(evidence)}” What makes you say so?"


def more_about(card: Card, point: str) -> str:
    """The question about a point that was left out: names a word that the question has too."""
    asked = {word.lower() for word in _WORD.findall(card.question)} - _COMMON
    shared = [word for word in _WORD.findall(spoken(point)) if word.lower() in asked]
    subject = shared[0] if shared else card.topic
    return f"Can you say more about {subject}? Think of what you have not touched yet."


def unmarked(text: str) -> str:
    """Deck text without citations and claim references: nobody says these."""
    for claim in reversed(refs.claims(text)):
        text = f"{text[: claim.start]}the measured value{text[claim.end :]}"
    return refs.without_notes(text)


def spoken(text: str) -> str:
    """Deck text without citations and claim references, on one line."""
    return _SPACE.sub(" ", unmarked(text)).strip()


def _short(text: str, room: int = 160) -> str:
    words = _SPACE.sub(" ", text).strip()
    return words if len(words) <= room else words[: room - 1].rstrip() + "…"


def _one(choices: Sequence[str], *key: object) -> str:
    digest = hashlib.blake2b("\n".join(map(str, key)).encode(), digest_size=4).digest()
    return choices[int.from_bytes(digest) % len(choices)]
