"""What the two public yardsticks share: a reference answer as a card, and its features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studytool.deck.model import Card, CardId, KeyPoint, Kind, Level
from studytool.grading.encoder import Unavailable, load_encoder
from studytool.grading.features import Subject, Table, features
from studytool.grading.grader import Grader
from studytool.grading.rubric import rubric
from studytool.grading.units import Reading
from studytool.grading.vectors import VectorCache, cosines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from studytool.grading.encoder import Encoder


def loaded() -> Encoder:
    """The built-in encoder; ends the program when there is none."""
    encoder = load_encoder()
    if isinstance(encoder, Unavailable):
        raise SystemExit(encoder.reason)
    return encoder


def as_card(question: str, references: Sequence[str]) -> Card:
    """A question with its reference answers, the first as key point, the others as its wordings."""
    return Card(
        id=CardId("yardstick"),
        question=question,
        chapter="",
        area="",
        topic="",
        level=Level.EASY,
        kind=Kind.EXPLAIN,
        answer=references[0],
        key_points=(KeyPoint(1, references[0], also=tuple(references[1:])),),
    )


def table(
    encoder: Encoder, question: str, references: Sequence[str], answers: Sequence[str]
) -> list[dict[str, float]]:
    """The features of each answer to one question; empty for an answer without a word."""
    wanted = rubric(as_card(question, references))
    subject, grader = Subject(wanted), Grader()
    vectors = VectorCache(None).vectors(encoder, wanted.texts)
    found: list[dict[str, float]] = []
    for answer in answers:
        reading = Reading(answer)
        units, _ = grader.units(reading, subject) if reading.tokens else ([], [])
        # Answers of a few words may be nothing but words of the question; they count here.
        units = units or reading.units()[:10]
        if not units:
            found.append({})
            continue
        rows = cosines(encoder.encode([unit.text for unit in units]), vectors)
        found.append(features(Table(subject, units, vectors, rows))[0].values)
    return found


def matrix(rows: Sequence[dict[str, float]]) -> NDArray[np.float64]:
    """Features as [n, d]; what an answer lacks is 0."""
    names = sorted({name for row in rows for name in row})
    return np.array([[row.get(name, 0.0) for name in names] for row in rows])
