"""Grading from the command line: a deck and a grader loaded once, then answers one by one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from studytool.deck.cloze import base_id, sibling_ids
from studytool.deck.faults import nearest
from studytool.deck.load import load_folders
from studytool.errors import UsageError
from studytool.grading.grader import Grader
from studytool.grading.judge import JudgeFailed, judge_from
from studytool.services.grading import load_grader
from studytool.settings import load as load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from studytool.grading.judge import Judge
    from studytool.grading.model import Graded
    from studytool.paths import Paths


class _Item(msgspec.Struct, frozen=True):
    """One line of a batch; other fields are the caller's own and are ignored."""

    card: str
    answer: str


class Run:
    """Loads the deck and the grader once. Raises UsageError for what can't be had.

    Only settings.toml and the deck are read: the database stays closed, so the user's corrections
    don't bear on these verdicts, and a batch gives the same on every machine.
    """

    def __init__(
        self,
        paths: Paths,
        folders: Sequence[Path],
        today: date,
        *,
        lexical: bool = False,
        judge: bool = False,
        agree: str = "",
    ) -> None:
        settings = load_settings(paths.settings, today)
        #: What to say on stderr, once.
        self.notes: list[str] = list(settings.warnings)
        self._cards = {one.card.id: one.card for one in reversed(load_folders(list(folders)).cards)}
        self._judge = self._agreed(paths.state, agree) if judge or agree else None
        if lexical:
            self._grader = Grader()
        else:
            self._grader, reason = load_grader(paths, settings.settings.grading.encoder)
            if reason:
                self.notes.append(f"graded by words alone: {reason}")

    def grade(self, card_id: str, answer: str) -> Graded:
        """The verdict on one answer. Raises UsageError when the deck has no such card."""
        card = self._cards.get(base_id(card_id))
        if card is None or card_id not in (card.id, *sibling_ids(card)):
            near = nearest(card_id, self._cards)
            raise UsageError(
                f"there is no card {card_id!r}",
                hint=f"Did you mean {near!r}?" if near else "`studytool deck list` lists all ids.",
            )
        graded = self._grader.grade(card, answer, card_id=card_id)
        if self._judge is None:
            return graded
        try:
            return self._judge.grade(card, answer, graded)
        except JudgeFailed as error:
            if (note := f"the offline verdict stands: {error}") not in self.notes:
                self.notes.append(note)
            return graded

    def batch(self, lines: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
        """For each line that isn't blank a line of JSON, and whether it is a verdict.

        A line that can't be graded gives {"error", "line"}, counted from 1.
        """
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                item = msgspec.json.decode(line, type=_Item)
                yield as_line(item.card, self.grade(item.card, item.answer)), True
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                yield msgspec.json.encode({"error": str(error), "line": number}), False
            except UsageError as error:
                yield msgspec.json.encode({"error": error.message, "line": number}), False

    def _agreed(self, state: Path, agree: str) -> Judge:
        """The judge of the environment, if the user agrees to its host."""
        try:
            judge = judge_from(os.environ, state)
            if judge is None:
                raise UsageError(
                    "No judge is set up.",
                    hint="STUDYTOOL_LLM_BASE_URL names an OpenAI-compatible server.",
                )
            if agree and agree == judge.host:
                judge.consent.give(agree)
        except JudgeFailed as error:
            raise UsageError(f"The judge can't be used: {error}.") from error
        if not judge.consent.given(judge.host):
            raise UsageError(
                f"Your answers would be sent to {judge.host}, and you have not agreed to that.",
                hint=f"Say yes once with `--agree {judge.host}`.",
            )
        return judge


def as_line(card_id: str, graded: Graded) -> bytes:
    """One verdict as one line of JSON."""
    points = [
        {
            "text": point.text,
            "verdict": point.verdict,
            "evidence": point.evidence,
            "weight": point.weight,
            "probability": point.probability,
            "wrong": point.wrong,
            "why": point.why,
        }
        for point in graded.points
    ]
    return msgspec.json.encode(
        {
            "card": card_id,
            "score": graded.score,
            "rating": graded.rating,
            "points": points,
            "grader": graded.grader,
            "gates": graded.gates,
            "voiced": graded.voiced,
            "number": graded.number,
        }
    )


__all__ = ["Run", "as_line"]
