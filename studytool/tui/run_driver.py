"""Drives one run of a demo: reads its events as they come and never holds up the event loop.

Knows nothing of widgets: it calls `changed` whenever something is new; the screen decides how
often to draw.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from studytool.demo.events import Failed
from studytool.errors import StudytoolError
from studytool.tui.demo_model import DemoModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from studytool.demo.events import Event
    from studytool.demo.params import Value
    from studytool.tui.ports import Desk, Run

#: How long events are taken in before the screen has its turn, and how long that turn is at least,
#: in seconds.
SLICE = 0.004
PAUSE = 0.001


class RunDriver:
    """The runs of one demo screen, one at a time."""

    def __init__(
        self,
        desk: Desk,
        demo_id: str,
        card: str,
        changed: Callable[[], None],
        tell: Callable[[StudytoolError], None],
    ) -> None:
        self.desk = desk
        self.demo_id = demo_id
        self.card = card
        self.changed = changed
        self.tell = tell
        self.model = DemoModel()
        self.params: dict[str, Value] = {}
        self.stored: int | None = None
        self.exploring = False
        self._run: Run | None = None
        self._began = 0.0
        self._ended: float | None = None
        self._kept: set[str] = set()
        self._one_at_a_time = asyncio.Lock()

    @property
    def seconds(self) -> float:
        """How long the run has been going, or took."""
        now = self.desk.clock.monotonic() if self._ended is None else self._ended
        return now - self._began if self._run is not None or self._ended is not None else 0.0

    async def go(self, params: Mapping[str, Value]) -> None:
        """Run the demo with `params` from its first event to its last, then store the run.

        A run that still goes on is stopped and stored first.
        """
        if self.model.running:
            await self.cancel()
        async with self._one_at_a_time:
            self.model = model = DemoModel()
            self.params = dict(params)
            self.stored, self._ended, self._kept = None, None, set()
            self._began = self.desk.clock.monotonic()
            self.changed()
            await self._play(model)
            self._ended = self.desk.clock.monotonic()
            self.changed()
            await self._store(model)
            self.changed()

    async def _play(self, model: DemoModel) -> None:
        def log(line: str) -> None:
            model.note_log(line)
            self.changed()

        try:
            self._run = run = await self.desk.run(self.demo_id, self.params, log)
            if model.running:
                await self._read(aiter(run), model)
            if model.running:
                model.feed(Failed("The run ended without a result.", "The log may say more."))
        except StudytoolError as fault:
            model.feed(Failed(fault.message, fault.hint))

    async def _read(self, events: AsyncIterator[Event], model: DemoModel) -> None:
        began = time.perf_counter()
        async for event in events:
            model.feed(event)
            self.changed()
            if time.perf_counter() - began > SLICE:
                await asyncio.sleep(PAUSE)
                began = time.perf_counter()

    async def _store(self, model: DemoModel) -> None:
        try:
            self.stored = await self.desk.keep_run(
                self.demo_id,
                self.params,
                model.history,
                seconds=self.seconds,
                cancelled=model.cancelled,
                card=self.card,
            )
            await self._settle(model)
        except StudytoolError as fault:
            self.tell(fault)

    async def _settle(self, model: DemoModel) -> None:
        """Store the guesses whose outcome is known."""
        if self.stored is None:
            return
        for guess in model.guesses.values():
            asked = guess.prediction
            if guess.answer is None or guess.outcome is None or asked.id in self._kept:
                continue
            self._kept.add(asked.id)
            await self.desk.keep_guess(
                self.demo_id, asked, guess.answer, guess.outcome, self.stored
            )

    async def answer(self, prediction: str, value: str | float | None) -> None:
        """Take the user's guess; None skips the question."""
        self.model.answer(prediction, value)
        self.changed()
        try:
            await self._settle(self.model)
        except StudytoolError as fault:
            self.tell(fault)

    async def cancel(self) -> None:
        """Stop the run, whatever it is doing."""
        self.model.cancel()
        self.changed()
        if self._run is not None:
            await self._run.cancel()

    async def explore(self, request: str) -> None:
        """Ask the finished run; what it answers joins the panels."""
        if self._run is None or self.exploring:
            return
        self.exploring = True
        self.model.ask(request)
        self.changed()
        try:
            await self._read(self._run.explore(request), self.model)
        except StudytoolError as fault:
            self.tell(fault)
        finally:
            self.exploring = False
        self.changed()
