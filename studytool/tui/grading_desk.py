"""The one grader of the app, shared by review and interviews; loaded when the first answer needs it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studytool.grading.model import Graded
    from studytool.services.context import App
    from studytool.services.grading import GradingService
    from studytool.services.types import Question
    from studytool.services.worker import StoreWorker


class StoreGrades:
    """A GradingService made on the store's thread, where it reads the user's corrections."""

    def __init__(self, app: App, worker: StoreWorker) -> None:
        self._app = app
        self._worker = worker
        self._service: GradingService | None = None

    def service(self) -> GradingService:
        """The service, which has learned from the log and begun to load; on the store's thread."""
        if self._service is None:
            from studytool.services.grading import GradingService

            self._service = GradingService(self._app)
            self._service.learn()
            self._service.prepare()
        return self._service

    def learn(self) -> None:
        """Take in what the log says by now, if anything was graded; on the store's thread."""
        if self._service is not None:
            self._service.learn()

    def close(self) -> None:
        """End the grader's threads."""
        if self._service is not None:
            self._service.close()

    async def _get(self) -> GradingService:
        if self._service is not None:
            return self._service
        return await self._worker.run(self.service)

    async def prepare(self, question: Question | None = None) -> None:
        """Begin to load the encoder, then the vectors of a question's card."""
        service = await self._get()
        if question is not None:
            service.prepare([question.card])

    async def grade(self, question: Question, answer: str) -> Graded:
        """The verdict at once, by the grader that is there."""
        service = await self._get()
        return await service.grade_async(question.card, answer, card_id=question.card_id)

    async def complete(self) -> str:
        """Wait for the encoder; why there is none, in a line."""
        from studytool.services.verdicts import only_words

        service = await self._get()
        await asyncio.wrap_future(service.prepare())
        return only_words(service.why_lexical)
