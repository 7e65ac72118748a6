"""The desk over the real services: every call on the store's thread, demos in their own processes.

Importing this and making a desk costs next to nothing: settings, SQLAlchemy, the deck and the demo
catalogue are loaded by the first call that needs them, on the thread, after the first paint.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from studytool.clock import Clock
    from studytool.demo.events import Event, Outcome, Prediction
    from studytool.demo.params import Value
    from studytool.demo.runner import DemoRun
    from studytool.services.context import App
    from studytool.services.demos import Catalogue
    from studytool.services.opening import FirstCard
    from studytool.services.story import Told
    from studytool.services.types import Overview, Question, SessionQuery
    from studytool.services.worker import StoreWorker
    from studytool.settings import Settings
    from studytool.store.records import StoredCard
    from studytool.tui.grading_desk import StoreGrades
    from studytool.tui.interview_desk import StoreInterviews
    from studytool.tui.ports import CardLine, DemoLine, DemoSheet, Opened, Sheet, View
    from studytool.tui.sitting import StoreSitting

#: Cards that are read between two chances for other calls, and handed to the screen at once.
BATCH = 1_000


class StoreDesk:
    """All use cases of the screens, over one App: the one given, else the user's own profile."""

    def __init__(self, app: App | None = None, deck_dir: Path | None = None) -> None:
        self._app = app
        self._deck_dir = deck_dir
        self._catalogue: Catalogue | None = None
        self._runs: set[DemoRun] = set()
        self._first: tuple[SessionQuery, FirstCard] | None = None

    @cached_property
    def worker(self) -> StoreWorker:
        """The thread that owns the store; begun with the first call."""
        from studytool.services.worker import StoreWorker

        return StoreWorker()

    @cached_property
    def interviews(self) -> StoreInterviews:
        """The use cases of the interview screens."""
        from studytool.tui.interview_desk import StoreInterviews

        return StoreInterviews(self.app, self.worker, self.grading)

    @cached_property
    def grading(self) -> StoreGrades:
        """The grader of typed answers, for review and interviews."""
        from studytool.tui.grading_desk import StoreGrades

        return StoreGrades(self.app, self.worker)

    @property
    def app(self) -> App:
        """The App; opened by `prepare`."""
        assert self._app is not None, "the desk is used before `prepare`"
        return self._app

    @property
    def clock(self) -> Clock:
        return self.app.clock

    @property
    def settings(self) -> Settings:
        return self.app.settings

    @property
    def folder(self) -> str:
        return str(self.app.deck_folder)

    def theme_hint(self) -> str:
        """The theme that settings.toml names, found without reading the file as TOML."""
        if self._app is not None:
            return self._app.settings.ui.theme
        import re

        from studytool.paths import default_paths

        try:
            text = default_paths().settings.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        found = re.search(r"""^\s*theme\s*=\s*["']([\w-]+)["']""", text, re.MULTILINE)
        return found[1] if found else ""

    async def prepare(self) -> None:
        """Read the settings and find the deck. Raises UsageError for a deck that isn't there."""

        def make() -> App:
            from studytool.services.context import open_app

            return open_app(self._deck_dir)

        if self._app is None:
            self._app = await self.worker.run(make)

    # Store and deck

    async def glance(self) -> Overview | None:
        def read() -> Overview | None:
            from studytool.services.overview import glance

            return glance(self.app)

        return await self.worker.run(read)

    async def open(self) -> Opened:
        return await self.sync()

    async def sync(self) -> Opened:
        """Read what has changed in the card files into the store."""
        return await self.worker.run(self.sync_here)

    def sync_here(self) -> Opened:
        """Like `sync`, on the thread that calls it."""
        from studytool.services import decks, story
        from studytool.tui.ports import Opened

        report = decks.sync(self.app)
        warnings = tuple(dict.fromkeys(self.app.warnings))
        self.app.warnings.clear()
        told = bool(story.files(decks.deck_folders(self.app)))
        return Opened(self.folder, report.total, warnings, told)

    async def keep_daily_copy(self) -> Sequence[str]:
        """Save the copy of the study day; what is to be told about it."""

        def save() -> list[str]:
            self.app.keep_daily_copy()
            warnings, self.app.warnings[:] = list(self.app.warnings), []
            return warnings

        return await self.worker.run(save)

    async def overview(self) -> Overview:
        def read() -> Overview:
            from studytool.services.overview import overview

            return overview(self.app)

        return await self.worker.run(read)

    async def first(self, query: SessionQuery) -> View | None:
        """The session's first card, read without SQLAlchemy; what needs more comes with `sit`."""

        def read() -> View | None:
            from studytool.services.opening import first_card
            from studytool.tui.ports import Sheet, View

            found = first_card(self.app, query)
            if found is None:
                return None
            self._first = (query, found)
            return View(Sheet(found.question, draft=found.draft), None, 0, found.total)

        return await self.worker.run(read)

    async def sit(self, query: SessionQuery) -> StoreSitting:
        def begin() -> StoreSitting:
            from studytool.services.study import Session
            from studytool.tui.sitting import StoreSitting

            first, self._first = self._first, None
            shown = first[1] if first is not None and first[0] == query else None
            return StoreSitting(self, Session(self.app, query, shown))

        return await self.worker.run(begin)

    async def card_lines(self) -> AsyncIterator[Sequence[CardLine]]:
        """All cards in batches; other calls have their turn between two of them."""
        held: list[Iterator[StoredCard]] = []
        await self.worker.run(lambda: held.append(self.app.store.cards(self.app.deck_name)))
        try:
            while batch := await self.worker.run(_lines, held[0]):
                yield batch
        finally:
            await self.worker.run(held.clear)

    async def sheet(self, card_id: str) -> Sheet | None:
        def read() -> Sheet | None:
            from uuid import uuid4

            from studytool.deck.cloze import sibling_ids
            from studytool.services import questions

            stored = self.app.store.card(self.app.deck_name, card_id)
            if stored is None:
                return None
            first = sibling_ids(stored.card)[0]
            store, policy = self.app.store, self.app.policy
            question = questions.ask(self.app, store, policy, first, uuid4().hex)
            return None if question is None else self.make_sheet(question)

        return await self.worker.run(read)

    def make_sheet(self, question: Question) -> Sheet:
        """A question with its claims, follow-ups, demo and draft; on the store's thread."""
        from studytool.services.demo_history import claim_texts
        from studytool.services.questions import draft_key
        from studytool.tui.ports import Sheet
        from studytool.tui.sitting import claimed_demos

        store, deck = self.app.store, self.app.deck_name
        claims: dict[str, str] = {}
        for demo_id in claimed_demos(question.card):
            claims |= claim_texts(self.app, demo_id)
        follow_ups = []
        for card_id in question.card.follow_ups:
            stored = store.card(deck, card_id)
            if stored is not None and not stored.retired:
                follow_ups.append((str(card_id), stored.card.question))
        demo = self.catalogue().demos.get(question.card.demo or "")
        return Sheet(
            question,
            claims,
            tuple(follow_ups),
            demo.spec.info.title if demo is not None else "",
            store.draft(draft_key(question.card_id)) or "",
        )

    async def stories(self) -> Sequence[Told]:
        """The stories of the deck. Raises UsageError for one that can't be read."""

        def read() -> list[Told]:
            from studytool.services import story

            found = self.catalogue().demos.values()
            return story.told(self.app, {demo.id: demo.spec.info for demo in found})

        return await self.worker.run(read)

    def place(self, question: Question) -> str:
        """The file that holds the text of a question."""
        from studytool.services.decks import card_file

        return str(card_file(self.app, question.path))

    # Demos

    def catalogue(self) -> Catalogue:
        """All demos, looked up once."""
        if self._catalogue is None:
            from studytool.services import demos

            self._catalogue = demos.catalogue()
        return self._catalogue

    async def demo_lines(self) -> tuple[Sequence[DemoLine], Sequence[str]]:
        def read() -> tuple[list[DemoLine], tuple[str, ...]]:
            from datetime import UTC, datetime

            from studytool.tui.ports import DemoLine

            lines = []
            for found in self.catalogue().demos.values():
                runs = self.app.store.runs(found.id)
                last = max(runs, key=lambda run: run.started_ms, default=None)
                at = None if last is None else datetime.fromtimestamp(last.started_ms / 1000, UTC)
                passed: bool | None = None
                if last is not None and last.status != "cancelled":
                    right = all(c.holds == (c.expect == "holds") for c in last.claims)
                    passed = last.status == "done" and right
                lines.append(DemoLine(found.spec.info, found.installed, found.install, at, passed))
            return lines, self.catalogue().warnings

        return await self.worker.run(read)

    async def demo(self, demo_id: str) -> DemoSheet:
        """A demo with its history. Raises UnknownDemo or BrokenDemo."""

        def read() -> DemoSheet:
            from studytool.demo.params import describe
            from studytool.services import demos
            from studytool.services.demo_history import history
            from studytool.tui.ports import DemoSheet

            found = self.catalogue().demos.get(demo_id) or demos.find(demo_id)
            return DemoSheet(
                found.spec.info,
                describe(found.spec.params),
                found.installed,
                found.install,
                history(self.app, demo_id),
            )

        return await self.worker.run(read)

    async def run(
        self, demo_id: str, params: Mapping[str, Value], on_log: Callable[[str], None]
    ) -> DemoRun:
        """A run that is ready to be iterated. Raises what `demos.start` raises."""

        def make() -> DemoRun:
            from studytool.services import demos

            return demos.start(self.app, demo_id, params, on_log=on_log)

        run = await self.worker.run(make)
        self._runs = {each for each in self._runs if each.state in ("new", "running", "open")}
        self._runs.add(run)
        return run

    async def keep_run(
        self,
        demo_id: str,
        params: Mapping[str, Value],
        events: Sequence[Event],
        *,
        seconds: float,
        cancelled: bool,
        card: str,
    ) -> int:
        def write() -> int:
            from studytool.services.demo_history import keep_run

            return keep_run(
                self.app, demo_id, params, events,
                seconds=seconds, cancelled=cancelled, card=card or None,
            )  # fmt: skip

        return await self.worker.run(write)

    async def keep_guess(
        self, demo_id: str, asked: Prediction, guess: str | float, outcome: Outcome, run: int
    ) -> None:
        def write() -> None:
            from studytool.services.demo_history import keep_guess

            keep_guess(self.app, demo_id, asked, guess, outcome, run)

        await self.worker.run(write)

    async def save_report(
        self, demo_id: str, params: Mapping[str, Value], events: Sequence[Event]
    ) -> str:
        from studytool.demo.params import decode
        from studytool.services import demos

        kind = self.catalogue().demos[demo_id].spec.params
        struct = decode(kind, params, where=f"demo {demo_id}")
        return str(await demos.save_report(self.app, demo_id, struct, events))

    # Settings and the end

    async def save_settings(self, settings: Settings) -> None:
        await self.worker.run(self.app.save_settings, settings)

    async def close(self) -> None:
        """End all runs, then close the store on its thread."""
        for run in self._runs:
            await run.cancel()
        await self.worker.close(self._close)

    def _close(self) -> None:
        """On the store's thread: what was opened, and only that."""
        if "grading" in self.__dict__:
            self.grading.close()
        if self._app is not None:
            self._app.close()


def _lines(cards: Iterator[StoredCard]) -> list[CardLine]:
    """The next batch as lines of the browser; empty at the end."""
    from itertools import islice

    from studytool.tui.ports import CardLine

    lines = []
    for stored in islice(cards, BATCH):
        card = stored.card
        words = (card.id, card.question, card.topic, card.chapter, *card.tags, card.demo or "")
        lines.append(CardLine(card.id, card.question, card.chapter, "\n".join(words).lower()))
    return lines
