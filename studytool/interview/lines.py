"""What a report is made of: one line for each answer, one for each key point, parts and steps.

Scores are from 0 to 1, times in seconds. Texts are as the deck and the candidate wrote them, and
are made safe where they are shown.
"""

from __future__ import annotations

import msgspec

from studytool.deck.model import Level
from studytool.grading.model import Verdict
from studytool.interview import scoring
from studytool.interview.model import Outcome, Setup
from studytool.interview.skills import Skill


class PointLine(msgspec.Struct, frozen=True):
    """One key point as it went: the verdict, the skill it asks for, the share of its weight that
    was earned, and the clause that decided it."""

    text: str
    weight: int
    verdict: Verdict
    skill: Skill
    credit: float
    evidence: str = ""
    probed: bool = False


class AnswerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One question as it went. `said` is the sentence that decided it, `instead` what to say."""

    card: str
    question: str
    chapter: str
    level: Level
    outcome: Outcome
    score: float
    seconds: float
    limit: float
    first_seconds: float
    confidence: int | None = None
    first_score: float | None = None
    hints: int = 0
    probes: int = 0
    aloud: bool = False
    demo: str = ""
    grader: str = ""
    said: str = ""
    instead: tuple[str, ...] = ()
    points: tuple[PointLine, ...] = ()

    @property
    def missed(self) -> bool:
        """Whether the card is offered for the next review."""
        wrong = any(point.verdict is Verdict.CONTRADICTED for point in self.points)
        return self.score < scoring.PASS or wrong


class Misconception(msgspec.Struct, frozen=True):
    """A mistake that was voiced: its text, the clause that voiced it, why it is one, what to say."""

    card: str
    text: str
    said: str
    why: str
    instead: str = ""


class Part(msgspec.Struct, frozen=True):
    """The score of a chapter or a skill, over `count` questions or key points."""

    name: str
    score: float
    count: int


class Calibration(msgspec.Struct, frozen=True):
    """Confidence before the verdict against the result.

    `brier` is the mean of (p - o)² over the answers with a stated confidence, p from CONFIDENCE
    and o = 1 where the first answer was worth scoring.PASS or more (Brier 1950): 0 is perfect,
    0.25 what "fifty-fifty" every time earns.
    """

    count: int
    brier: float
    confident: float
    right: float


class Past(msgspec.Struct, frozen=True):
    """An earlier interview, as the trend shows it."""

    started_ms: int
    score: float
    skills: dict[str, float] = {}
    chapters: dict[str, float] = {}


class NextStep(msgspec.Struct, frozen=True):
    """Something to do: the card to study, the demo to run; one of them at least, or a new interview."""

    text: str
    card: str = ""
    demo: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that is said of an interview; `missed` are the cards offered for the next review, `queued`
    those of them that the candidate has put there."""

    setup: Setup
    started_ms: int
    score: float
    seconds: float
    target: float
    over_limit: int
    answers: tuple[AnswerLine, ...]
    chapters: tuple[Part, ...]
    skills: tuple[Part, ...]
    strongest: tuple[int, ...]
    weakest: tuple[int, ...]
    misconceptions: tuple[Misconception, ...]
    calibration: Calibration | None
    earlier: tuple[Past, ...]
    steps: tuple[NextStep, ...]
    missed: tuple[str, ...]
    queued: tuple[str, ...] = ()
    unasked: int = 0
