"""What the use cases hand to the screens and the command line: plain frozen values."""

from __future__ import annotations

from datetime import date

import msgspec

from studytool.deck.model import Card
from studytool.schedule.model import CardState, Rating
from studytool.store.figures import Counts as Counts  # noqa: PLC0414 - re-exported: counted by store and peek


class ChapterRow(msgspec.Struct, frozen=True):
    """One row of Home: `ready` is the mean recall predicted now over all cards, unseen ones as 0."""

    chapter: str
    title: str
    cards: int
    seen: int
    due: int
    new: int
    ready: float


class LastInterview(msgspec.Struct, frozen=True):
    """The newest interview: where it waits (question `waiting` of `total`), or how it went and when."""

    waiting: int = 0
    total: int = 0
    score: float = 0.0
    day: date | None = None


class Overview(msgspec.Struct, frozen=True):
    """All that Home shows."""

    counts: Counts
    chapters: tuple[ChapterRow, ...] = ()
    streak: int = 0
    week: tuple[int, ...] = ()
    minutes: int = 0
    next_due: date | None = None
    total_cards: int = 0
    interview: LastInterview | None = None


class SessionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which cards a session serves; all that are due when nothing is said.

    `limit` is how many cards it serves at most, whatever they are.
    """

    chapters: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    new_limit: int | None = None
    review_limit: int | None = None
    limit: int | None = None


class Choice(msgspec.Struct, frozen=True):
    """One of the four buttons: where the rating leads and how that reads ("<10m", "2d")."""

    rating: Rating
    interval_text: str
    due: date
    state: CardState


class Question(msgspec.Struct, frozen=True):
    """The card on the table.

    `card_id` names the schedule (for a cloze sibling `id/c1`); `prompt` and `answer` are what to
    show, deletions already blanked; `change` is a unified diff when the text has changed since
    the last review, else empty; `content_hash` is that of the text shown.
    """

    card_id: str
    card: Card
    prompt: str
    answer: str
    state: CardState
    choices: tuple[Choice, ...]
    path: str
    line: int
    change: str = ""
    chapter_title: str = ""
    content_hash: str = ""


class Rated(msgspec.Struct, frozen=True):
    """An answer that is on disk."""

    card_id: str
    rating: Rating
    next_due: date
    interval_text: str
    event: str
    leech: bool = False


class Undone(msgspec.Struct, frozen=True):
    """A step that was taken back: `what` is the type of its first event, such as "review".

    `rating` is that of an answer, else None; `event` is the UUID of the undone event.
    """

    card_id: str
    what: str
    rating: Rating | None
    event: str


class Summary(msgspec.Struct, frozen=True):
    """The end of a session."""

    answered: int
    again: int
    hard: int
    good: int
    easy: int
    seconds: float
    lapsed_cards: tuple[str, ...] = ()
    remaining: Counts = Counts()
    tomorrow: int = 0
