"""A session over the real study service; every call runs on the store's thread."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from studytool.deck.cloze import base_id
from studytool.services.questions import draft_key
from studytool.tui.ports import Sheet, View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from studytool.deck.model import Card
    from studytool.schedule.model import Override, Rating
    from studytool.services.study import Session
    from studytool.services.types import Question, Rated, Summary, Undone
    from studytool.tui.desk import StoreDesk

P = ParamSpec("P")
T = TypeVar("T")
_CLAIM = re.compile(r"\{claim:([\w.-]+)/")


def claimed_demos(card: Card) -> list[str]:
    """The demos whose claims the text of a card cites."""
    texts = [card.answer, card.deeper, card.see_it, *(point.text for point in card.key_points)]
    return sorted({demo for text in texts for demo in _CLAIM.findall(text)})


class StoreSitting:
    """Wraps a Session so that each call also says where the session stands."""

    def __init__(self, desk: StoreDesk, session: Session) -> None:
        self._desk = desk
        self._session = session

    async def view(self) -> View:
        return await self._desk.worker.run(self._view)

    def _view(self) -> View:
        session = self._session
        now, ahead = session.current(), session.peek_next()
        return View(self._sheet(now), self._sheet(ahead), *session.position)

    def _sheet(self, question: Question | None) -> Sheet | None:
        return None if question is None else self._desk.make_sheet(question)

    async def _after(
        self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> tuple[T, View]:
        def both() -> tuple[T, View]:
            result = call(*args, **kwargs)
            return result, self._view()

        return await self._desk.worker.run(both)

    async def rate(
        self,
        rating: Rating,
        *,
        duration_ms: int,
        typed: str,
        ticked: Sequence[int],
        suggested: Rating | None,
        corrections: Sequence[Override] = (),
    ) -> tuple[Rated, View]:
        """Store the answer; the draft of it has done its duty, and the grader learns."""

        def answer() -> Rated:
            rated = self._session.rate(
                rating,
                duration_ms=duration_ms,
                typed=typed,
                ticked=ticked,
                suggested=suggested,
                corrections=corrections,
            )
            self._desk.app.store.clear_draft(draft_key(rated.card_id))
            if corrections:
                self._desk.grading.learn()
            return rated

        return await self._after(answer)

    async def undo(self) -> tuple[Undone | None, View]:
        def take_back() -> Undone | None:
            undone = self._session.undo()
            self._desk.grading.learn()
            return undone

        return await self._after(take_back)

    async def suspend(self) -> View:
        return (await self._after(self._session.suspend))[1]

    async def bury(self) -> View:
        return (await self._after(self._session.bury))[1]

    async def reset(self) -> View:
        return (await self._after(self._session.reset))[1]

    async def flag(self, flag: int) -> View:
        return (await self._after(self._session.flag, flag))[1]

    async def note(self, text: str) -> View:
        return (await self._after(self._session.note, text))[1]

    async def insert(self, card_id: str) -> View:
        return (await self._after(self._session.insert, base_id(card_id)))[1]

    async def refresh(self) -> View:
        """Read the changed card files, then the card on the table."""

        def read() -> None:
            self._desk.sync_here()
            self._session.refresh()

        return (await self._after(read))[1]

    async def save_draft(self, card_id: str, text: str) -> None:
        def write() -> None:
            store = self._desk.app.store
            if text:
                store.save_draft(draft_key(card_id), text)
            else:
                store.clear_draft(draft_key(card_id))

        await self._desk.worker.run(write)

    async def summary(self) -> Summary:
        return await self._desk.worker.run(self._session.summary)
