"""Drives a session: deals the next card at once, commits behind it, takes it back when that fails.

Knows nothing of widgets: it calls `show` after every change and `tell` with a fault.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from studytool.deck.model import Kind
from studytool.errors import StudytoolError
from studytool.services.safe import clean
from studytool.tui.review_state import Table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from studytool.grading.model import Graded
    from studytool.schedule.model import Rating
    from studytool.services.types import Rated, SessionQuery
    from studytool.tui.ports import Desk, Sheet, Sitting, View

#: The name of the grader that knows words alone.
LEXICAL = "lexical"


class Driver:
    """The session of one review screen.

    `status` is what happened last, in a few words; `over` says that no card is left.
    """

    def __init__(
        self, desk: Desk, show: Callable[[], None], tell: Callable[[StudytoolError], None]
    ) -> None:
        self.desk = desk
        self.show = show
        self.tell = tell
        self.sitting: Sitting | None = None
        self.table: Table | None = None
        self.done = 0
        self.total = 0
        self.rated: list[Rated] = []
        self.over = False
        self.saving = False
        self.status = ""
        self._ahead: Sheet | None = None
        self._queued: Rating | None = None
        #: Cleared while a rating is on its way to the disk.
        self.settled = asyncio.Event()
        self.settled.set()
        self._left: dict[str, Table] = {}

    @property
    def _now(self) -> float:
        return self.desk.clock.monotonic()

    async def deal_first(self, query: SessionQuery) -> None:
        """Show the first card before the store is open; a rating of it waits for `start`."""
        try:
            view = await self.desk.first(query)
        except StudytoolError as fault:
            self.tell(fault)
            return
        if view is not None:
            self._take(view)
            self.show()

    async def start(self, query: SessionQuery) -> None:
        """Open the session and deal its first card, unless it lies on the table already."""
        try:
            self.sitting = await self.desk.sit(query)
            self._take(await self.sitting.view())
        except StudytoolError as fault:
            self._queued = None
            self.settled.set()
            self.tell(fault)
            return
        self.show()
        await self._rate_queued()

    async def rate(self, rating: Rating) -> None:
        """Rate the card on the table; once the store is open, and the last rating is saved."""
        table, sitting = self.table, self.sitting
        if table is None or not table.revealed:
            return
        self.settled.clear()
        if self.saving or sitting is None:
            self._queued = rating
            return
        table.pause(self._now)
        duration = round(table.seconds(self._now) * 1000)
        before = (self.done, self.total, self._ahead)
        if self._ahead is not None:
            self._deal(self._ahead)
            self.done += 1
        self.saving, self.status = True, ""
        self.show()
        try:
            rated, view = await sitting.rate(
                rating,
                duration_ms=duration,
                typed=table.said,
                ticked=sorted(table.ticked),
                suggested=table.suggested,
                corrections=table.corrections,
            )
        except StudytoolError as fault:
            self.saving, self._queued = False, None
            self.done, self.total, self._ahead = before
            self._lay(table)
            self.status = "not saved"
            self.settled.set()
            self.show()
            self.tell(fault)
            return
        self.saving, self.status = False, "✓ saved"
        self.rated.append(rated)
        if rated.leech:
            self.status = "✓ saved · a leech: suspended"
        if self._ahead is before[2] and self.table is table:
            self.table = None
        self._take(view)
        self.show()
        await self._rate_queued()

    async def _rate_queued(self) -> None:
        """The rating that was typed in the meantime, if the card it is for shows its answer."""
        queued, self._queued = self._queued, None
        if queued is not None and self.table is not None and self.table.revealed:
            await self.rate(queued)
        else:
            self.settled.set()

    @property
    def busy(self) -> bool:
        """Whether a rating is on its way to the disk, or waits for the store."""
        return not self.settled.is_set()

    async def undo(self) -> None:
        """Take back the newest thing done; its card comes back."""
        if self.sitting is None or self.saving:
            return
        try:
            undone, view = await self.sitting.undo()
        except StudytoolError as fault:
            self.tell(fault)
            return
        self.status = "nothing to undo"
        if undone is not None:
            what = undone.rating.name.lower() if undone.rating is not None else undone.what
            self.status = f"undone: {what}"
            self.rated = [rated for rated in self.rated if rated.event != undone.event]
        self._take(view, fresh=undone is not None and undone.what not in ("flag", "note"))
        self.show()

    async def change(self, call: Callable[[Sitting], Awaitable[View]], status: str) -> None:
        """Suspend, bury, flag and the like: do it, then show where the session stands."""
        if self.sitting is None or self.saving:
            return
        try:
            view = await call(self.sitting)
        except StudytoolError as fault:
            self.tell(fault)
            return
        self.status = status
        self._take(view)
        self.show()

    async def follow(self, card_id: str) -> None:
        """Bring a follow-up to the table; the present card waits as it is."""
        if self.table is not None:
            self.table.pause(self._now)
            self._left[self.table.sheet.question.card_id] = self.table
        await self.change(lambda sitting: sitting.insert(card_id), "follow-up")

    def type(self, text: str) -> None:
        """The typed answer is now this."""
        if self.table is not None:
            self.table.typed = clean(text)

    async def save_draft(self) -> None:
        """Put the typed answer into the store, so that it survives whatever happens next."""
        table = self.table
        if table is None or self.sitting is None:
            return
        try:
            await self.sitting.save_draft(table.sheet.question.card_id, table.typed)
        except StudytoolError as fault:
            self.tell(fault)

    async def judge(self, table: Table) -> None:
        """Have the typed answer of `table` graded: by words at once, then by meaning too.

        What was judged is dropped when the card's text has changed in the meantime.
        """
        question, grades = table.sheet.question, self.desk.grading

        def take(graded: Graded) -> None:
            if table.sheet.question.card == question.card:
                table.take(graded)
            self.show()

        table.judging = True
        first = await grades.grade(question, table.typed)
        take(first)
        if first.grader == LEXICAL and table.kind is not Kind.CLOZE:
            notice = await grades.complete()
            better = first if notice else await grades.grade(question, table.typed)
            table.notice = notice
            take(better)
        table.judging = False
        self.show()

    def reveal(self) -> None:
        if self.table is not None and not self.table.revealed:
            self.table.revealed = True
            self.show()

    def pause(self) -> None:
        """The card is out of sight: its time stands."""
        if self.table is not None:
            self.table.pause(self._now)

    def resume(self) -> None:
        if self.table is not None:
            self.table.resume(self._now)

    def _take(self, view: View, *, fresh: bool = False) -> None:
        """Believe the session; a card that is on the table already keeps what was done to it."""
        self.done, self.total, self._ahead = view.done, view.total, view.ahead
        sheet = view.sheet
        if sheet is None:
            self.table, self.over = None, True
            return
        self.over = False
        table = self.table
        if not fresh and table and table.sheet.question.card_id == sheet.question.card_id:
            table.change_sheet(sheet)
            return
        self._deal(sheet)

    def _deal(self, sheet: Sheet) -> None:
        waiting = self._left.pop(sheet.question.card_id, None)
        if waiting is not None:
            waiting.change_sheet(sheet)
        self._lay(waiting or Table(sheet, typed=sheet.draft))

    def _lay(self, table: Table) -> None:
        if self.table is not None:
            self.table.pause(self._now)
        table.resume(self._now)
        self.table = table
