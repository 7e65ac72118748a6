"""Interviews over the real services; every call runs on the store's thread, the grader too."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec

from studytool.tui.interview_ports import Reception, ReportSheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from studytool.interview.model import Setup
    from studytool.services.context import App
    from studytool.services.grading import GradingService
    from studytool.services.interview import Interview, View
    from studytool.services.interviews import Format
    from studytool.services.worker import StoreWorker
    from studytool.tui.grading_desk import StoreGrades

P = ParamSpec("P")
#: Earlier interviews that are offered for reading.
LISTED = 20


class StoreInterviews:
    """The use cases of the interview screens, over one App."""

    def __init__(self, app: App, worker: StoreWorker, grades: StoreGrades) -> None:
        self._app = app
        self._worker = worker
        self._grades = grades

    def _judge(self) -> GradingService:
        """The grader that review uses too; on the store's thread."""
        return self._grades.service()

    async def reception(self) -> Reception:
        """What the set-up screen shows."""

        def read() -> Reception:
            from studytool.interview import document
            from studytool.services import chapters, interviews

            app = self._app
            rows = app.store.chapter_rows(app.deck_name, app.moment)
            names = sorted((row.chapter for row in rows), key=chapters.rank)
            held = (
                (one.id, f"{interviews.date_words(app, one.report)}   "
                         f"{document.percent(one.report.score)}")
                for one in interviews.held(app, LISTED)
            )  # fmt: skip
            titles = tuple((name, chapters.title(name)) for name in names)
            return Reception(titles, interviews.waiting(app), tuple(held))

        return await self._worker.run(read)

    async def begin(self, setup: Setup, *, choose_seed: bool) -> StoreTalk:
        """A new interview with its first question asked. Raises UsageError when it can't be."""

        def make() -> StoreTalk:
            from studytool.services import interviews
            from studytool.services.interview import Interview

            chosen = interviews.with_seed(self._app, setup) if choose_seed else setup
            return StoreTalk(Interview.begin(self._app, chosen, self._judge()), self._worker)

        return await self._worker.run(make)

    async def resume(self) -> StoreTalk:
        """The interview that waits. Raises UsageError when none does."""

        def make() -> StoreTalk:
            from studytool.services.interview import Interview

            return StoreTalk(Interview.resume(self._app, self._judge()), self._worker)

        return await self._worker.run(make)

    async def report(self, number: int) -> ReportSheet:
        """The report of a finished interview. Raises UsageError when there is none."""

        def read() -> ReportSheet:
            from studytool.services import interviews

            one = interviews.find(self._app, number)
            return ReportSheet(one, interviews.date_words(self._app, one.report))

        return await self._worker.run(read)

    async def queue_missed(self, number: int) -> tuple[str, ...]:
        """Put the missed cards into the review queue."""

        def write() -> tuple[str, ...]:
            from studytool.services import interviews

            return interviews.queue_missed(self._app, number)

        return await self._worker.run(write)

    async def export(self, number: int, form: Format) -> str:
        """Write the report to a file; answers with its path."""

        def write() -> str:
            from studytool.services import interviews

            return str(interviews.save(self._app, interviews.find(self._app, number), form))

        return await self._worker.run(write)


class StoreTalk:
    """Wraps an Interview so that each call runs on the store's thread and says how it stands."""

    def __init__(self, held: Interview, worker: StoreWorker) -> None:
        self._held = held
        self._worker = worker

    async def _after(self, call: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> View:
        def both() -> View:
            call(*args, **kwargs)
            return self._held.view()

        return await self._worker.run(both)

    async def view(self) -> View:
        return await self._worker.run(self._held.view)

    async def answer(self, text: str) -> View:
        return await self._after(self._held.answer, text)

    async def draft(self, text: str) -> None:
        await self._worker.run(self._held.draft, text)

    async def spoke(self) -> View:
        return await self._after(self._held.spoke)

    async def sure(self, level: int | None) -> View:
        return await self._after(self._held.sure, level)

    async def tick(self, points: Sequence[int]) -> View:
        return await self._after(self._held.tick, points)

    async def judge(self) -> View:
        return await self._after(self._held.judge)

    async def hint(self) -> View:
        return await self._after(self._held.hint)

    async def skip(self) -> View:
        return await self._after(self._held.skip)

    async def unknown(self) -> View:
        return await self._after(self._held.unknown)

    async def showed(self) -> View:
        return await self._after(self._held.showed)

    async def go_on(self) -> View:
        return await self._after(self._held.go_on)

    async def pause(self) -> View:
        return await self._after(self._held.pause)

    async def unpause(self) -> View:
        return await self._after(self._held.unpause)

    async def finish(self) -> View:
        return await self._after(self._held.finish)

    async def keep_time(self) -> None:
        await self._worker.run(self._held.keep_time)
