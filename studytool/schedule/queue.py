"""The order in which a session serves its cards.

1. Cards in learning that are due come first, the longest waiting first.
2. Reviews come with the one most likely to be forgotten first; new cards, in the order of the
   deck, are spread evenly among them.
3. No two neighbours share a chapter, unless one chapter holds more than half of what is left.
4. Of the siblings of one card (cloze deletions) one a day is served, or, when burying is
   switched off, the later ones come after everything else.

Pure: the same candidates, limits, day and seed give the same order on every machine.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from studytool.schedule.fsrs import retrievability
from studytool.schedule.model import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Candidate(Protocol):
    """A card that may be served; the store's DueRow is one."""

    @property
    def card_id(self) -> str: ...
    @property
    def base_id(self) -> str: ...
    @property
    def chapter(self) -> str: ...
    @property
    def phase(self) -> str: ...
    @property
    def due_at(self) -> int | None: ...
    @property
    def stability(self) -> float | None: ...
    @property
    def last_day(self) -> int | None: ...


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How many cards are still to be served today; None is no limit. Learning has none."""

    new: int | None = None
    review: int | None = None
    bury_siblings: bool = True


class _Placed(NamedTuple):
    """A candidate with its wished place: the round of siblings, then 0..1 within the session."""

    round: int
    place: float
    tie: bytes
    card_id: str
    chapter: str


def build(
    candidates: Iterable[Candidate], limits: Limits, day: int, now_ms: int, seed: str
) -> tuple[str, ...]:
    """The ids of the cards to serve, in order. New cards must come in the order of the deck.

    Learning cards whose step is not due at `now_ms` are left to the caller.
    """
    learning: list[Candidate] = []
    reviews: list[Candidate] = []
    new: list[Candidate] = []
    rooms = {Phase.REVIEW: reviews, Phase.NEW: new}
    for candidate in candidates:
        rooms.get(Phase(candidate.phase), learning).append(candidate)
    ready = [row for row in learning if row.due_at is None or row.due_at <= now_ms]
    ready.sort(key=lambda row: (row.due_at or 0, _tie(seed, row)))
    reviews.sort(key=lambda row: (_recall(row, day), _tie(seed, row)))

    met = Counter(row.base_id for row in learning)
    chosen_reviews = _take(reviews, limits.review, met, limits)
    chosen_new = _take(new, limits.new, met, limits)
    placed = [*_place(chosen_reviews, seed), *_place(chosen_new, seed)]
    last = ready[-1].chapter if ready else None
    return (*(row.card_id for row in ready), *_interleave(placed, last))


def _recall(row: Candidate, day: int) -> float:
    """The predicted probability that the card is still known."""
    if row.stability is None or row.last_day is None:
        return 0.0
    return retrievability(row.stability, day - row.last_day)


def _tie(seed: str, row: Candidate) -> bytes:
    """A place among equals that depends on the day's seed and the card alone."""
    return hashlib.blake2b(f"{seed}\n{row.card_id}".encode(), digest_size=8).digest()


def _take(
    rows: Sequence[Candidate], limit: int | None, met: Counter[str], limits: Limits
) -> list[tuple[int, Candidate]]:
    """Up to `limit` rows, each with the number of its siblings that come before it."""
    taken: list[tuple[int, Candidate]] = []
    for row in rows:
        if limit is not None and len(taken) >= limit:
            break
        earlier = met[row.base_id]
        if earlier and limits.bury_siblings:
            continue
        met[row.base_id] += 1
        taken.append((earlier, row))
    return taken


def _place(rows: Sequence[tuple[int, Candidate]], seed: str) -> list[_Placed]:
    """Wished places spread evenly over the session."""
    count = len(rows)
    return [
        _Placed(earlier, (index + 0.5) / count, _tie(seed, row), row.card_id, row.chapter)
        for index, (earlier, row) in enumerate(rows)
    ]


def _interleave(placed: Sequence[_Placed], last: str | None) -> list[str]:
    """By wished place, but never the chapter just served while another order is possible.

    At each step the earliest card is taken whose choice leaves the rest possible to arrange: of
    `n` cards left none of another chapter than the last may have more than (n + 1) // 2, and
    the last one's chapter no more than n // 2.
    """
    lines: dict[str, deque[_Placed]] = {}
    for item in sorted(placed):
        lines.setdefault(item.chapter, deque()).append(item)
    order: list[str] = []
    for left in range(len(placed) - 1, -1, -1):
        chapter = _next_chapter(lines, last, left)
        order.append(lines[chapter].popleft().card_id)
        if not lines[chapter]:
            del lines[chapter]
        last = chapter
    return order


def _next_chapter(lines: dict[str, deque[_Placed]], last: str | None, left: int) -> str:
    """The chapter to serve from, when `left` cards remain after it."""
    fullest = max(lines, key=lambda chapter: (len(lines[chapter]), chapter))
    if len(lines[fullest]) > (left + 1) // 2 and fullest != last:
        return fullest
    free = [chapter for chapter in lines if chapter != last] or list(lines)
    return min(free, key=lambda chapter: lines[chapter][0])
