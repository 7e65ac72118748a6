"""The line of cards of one session: what comes next, what waits for its step, what was put first."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How far ahead of its time a learning card may be shown when nothing else is left.
AHEAD_MS = 20 * 60 * 1000


class Agenda:
    """Card ids in three places, each id in at most one of them.

    *First* are cards that the user asked for (undone, followed); *waiting* are learning cards
    with the time of their step; *line* is the queue of the day.
    """

    def __init__(self, line: Iterable[str]) -> None:
        self._first: deque[str] = deque()
        self._waiting: dict[str, int] = {}
        self._line: deque[str] = deque(line)

    def __len__(self) -> int:
        return len(self._first) + len(self._waiting) + len(self._line)

    def peek(self, now_ms: int) -> str | None:
        """The card to show next; None when nothing is left for this session."""
        if self._first:
            return self._first[0]
        soonest = min(self._waiting, key=self._waiting.__getitem__, default=None)
        if soonest is not None and self._waiting[soonest] <= now_ms:
            return soonest
        if self._line:
            return self._line[0]
        if soonest is not None and self._waiting[soonest] <= now_ms + AHEAD_MS:
            return soonest
        return None

    def take(self, now_ms: int) -> str | None:
        """Like `peek`, and the card leaves the agenda."""
        card = self.peek(now_ms)
        if card is not None:
            self.drop(card)
        return card

    def drop(self, card: str) -> bool:
        """Take a card out of wherever it is; says whether it was there."""
        for place in (self._first, self._line):
            if card in place:
                place.remove(card)
                return True
        return self._waiting.pop(card, None) is not None

    def put_first(self, card: str) -> None:
        """Show `card` before everything else."""
        self.drop(card)
        self._first.appendleft(card)

    def put_last(self, card: str) -> None:
        """Show `card` after the rest of the line."""
        self.drop(card)
        self._line.append(card)

    def wait(self, card: str, due_at: int) -> None:
        """Show `card` again when its learning step is over."""
        self.drop(card)
        self._waiting[card] = due_at
