"""Numbers that the store and the peek both report. Named tuples, so that `due` starts quickly."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """What a card waits for, as the generated column `card_state.kind` says it."""

    NEW = 0
    LEARNING = 1
    REVIEW = 2
    SUSPENDED_NEW = 3
    SUSPENDED_SEEN = 4


class Counts(NamedTuple):
    """How much is due now. `learning` counts cards in (re)learning due within today."""

    new: int = 0
    learning: int = 0
    review: int = 0

    @property
    def total(self) -> int:
        return self.new + self.learning + self.review


class ChapterNumbers(NamedTuple):
    """One chapter: `cards` counts suspended ones too, `due` and `new` only what may be served today."""

    chapter: str
    cards: int = 0
    seen: int = 0
    due: int = 0
    new: int = 0


class DayNumbers(NamedTuple):
    """One study day of answers that were not undone.

    `introduced` counts first answers to new cards, `reviewed` answers to cards in review, and
    `recalled` those of them that were not Again; the rest are learning steps.
    """

    day: int
    reviews: int = 0
    again: int = 0
    introduced: int = 0
    reviewed: int = 0
    recalled: int = 0
    duration_ms: int = 0

    @property
    def seconds(self) -> float:
        return self.duration_ms / 1000


class Glance(NamedTuple):
    """What Home shows before the store is open.

    `days` are the study days with answers, newest first, at most 400; `ahead` maps the coming
    study days to the cards that fall due on them.
    """

    counts: Counts = Counts()
    chapters: tuple[ChapterNumbers, ...] = ()
    total_cards: int = 0
    today: DayNumbers = DayNumbers(0)
    days: tuple[int, ...] = ()
    ahead: tuple[tuple[int, int], ...] = ()
