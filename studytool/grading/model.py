"""What the grader says of an answer. Plain frozen values that serialise."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from studytool.schedule.model import Rating


class Verdict(StrEnum):
    COVERED = "covered"
    MISSED = "missed"
    CONTRADICTED = "contradicted"
    #: Too close to call: the user judges.
    UNSURE = "unsure"


class PointVerdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The verdict on one key point.

    `probability` is that of the likeliest verdict; when it is too low the verdict is unsure.
    `evidence` is the clause it was judged by, a substring of the answer; "" when the point was
    missed. `wrong` and `why` are the mistake that the answer voices and why it is one, when the
    point is contradicted by a statement that the card's author wrote down.
    """

    text: str
    weight: int
    verdict: Verdict
    probability: float
    evidence: str = ""
    wrong: str = ""
    why: str = ""


class Voiced(msgspec.Struct, frozen=True, gc=False):
    """A misconception of the card that the answer voices; `evidence` is a substring of the answer."""

    text: str
    why: str
    evidence: str


class Number(msgspec.Struct, frozen=True, gc=False):
    """The number of a `compute` card as the answer gives it; `evidence` is "" when it gives none."""

    right: bool
    evidence: str


class Graded(msgspec.Struct, frozen=True, kw_only=True):
    """The whole verdict. `score` is 0..1; `rating` is None when too much is unsure to suggest one.

    `grader` names who judged: "lexical", the encoder's name, or "llm:" and the model's name.
    `gates` say what held the score down or was odd: "empty", "echo", "stuffed", "one-unit",
    "off-topic", "code-only", "foreign", "too-long".
    """

    score: float
    rating: Rating | None
    points: tuple[PointVerdict, ...] = ()
    voiced: tuple[Voiced, ...] = ()
    grader: str = "lexical"
    gates: tuple[str, ...] = ()
    number: Number | None = None
