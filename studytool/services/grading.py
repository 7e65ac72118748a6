"""Grading as the screens and the command line use it.

The first verdicts rest on words alone; `prepare` loads the sentence encoder on a thread of its own,
and from then on verdicts use it too. Grading has another thread, so an interface never waits for
it: `await service.grade_async(card, answer)`.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from studytool.deck.cloze import base_id
from studytool.errors import UsageError
from studytool.grading.calibration import Calibration, calibrate, overrides
from studytool.grading.grader import Grader
from studytool.grading.judge import Judge, JudgeFailed, judge_from
from studytool.grading.vectors import VectorCache
from studytool.schedule.model import Override

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from concurrent.futures import Future
    from types import TracebackType

    from studytool.deck.model import Card
    from studytool.grading.model import Graded, Verdict
    from studytool.paths import Paths
    from studytool.services.context import App

#: The subfolder of the cache that holds the vectors of cards.
VECTORS = "vectors"


class GradingService:
    """Grades answers to the cards of an app's deck. A context manager; `close` ends its threads.

    Only `learn` and `override` touch the store: call them where the store is used (through
    worker.StoreWorker in the app). Everything else may be called from any thread.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="grading")
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")
        self._calibration = Calibration()
        self._grader = Grader(cache=vector_cache(app.paths))
        self._begun = False
        #: Why verdicts rest on words alone, in words for the user; empty once they don't.
        self.why_lexical = "the sentence encoder is not loaded yet"

    def __enter__(self) -> GradingService:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """Who judges at present: "lexical" or the encoder's name."""
        return self._grader.name

    def prepare(self, cards: Iterable[Card] = ()) -> Future[None]:
        """Begin to load the encoder, then the vectors of `cards`; a screen that grades calls it."""
        wanted = tuple(cards)
        if not self._begun:
            self._begun = True
            self._loader.submit(self._load)
        return self._loader.submit(lambda: self._pool.submit(self._warm, wanted).result())

    def learn(self) -> Calibration:
        """Take in the user's corrections from the log. Raises StorageError."""
        events = self._app.store.events(kinds=("override", "undo"))
        self._calibration = calibrate(overrides(events))
        self._grader.calibration = self._calibration
        return self._calibration

    def grade(self, card: Card | str, answer: str, card_id: str = "") -> Graded:
        """The verdict on an answer, at once: by words alone until the encoder is there.

        `card` may be an id of the app's deck, `card_id` name a cloze sibling of `card`. Raises
        UsageError when the deck does not have it.
        """
        found, named = self._card(card)
        return self._pool.submit(self._grade, found, answer, card_id or named).result()

    async def grade_async(self, card: Card, answer: str, *, card_id: str = "") -> Graded:
        """As `grade`, without holding up the event loop; `card_id` may name a cloze sibling."""
        return await asyncio.wrap_future(self._pool.submit(self._grade, card, answer, card_id))

    def override(self, card_id: str, point: int, graded: Verdict, chosen: Verdict) -> None:
        """Store the user's own verdict on a key point, and learn from it. Raises StorageError."""
        if graded == chosen:
            return
        self._app.store.record(
            Override(card=card_id, point=point, graded=graded.value, chosen=chosen.value)
        )
        self.learn()

    def judge(self, environment: Mapping[str, str]) -> Judge | None:
        """The judge that the environment names, None when it names none. See judge.py."""
        return judge_from(environment, self._app.paths.state)

    def second_opinion(self, judge: Judge, card: Card, answer: str, offline: Graded) -> Graded:
        """The verdict of `judge`; on any failure the offline one, and `app.warnings` says why.

        May take as long as the judge's time-out: call it on a thread that may wait.
        """
        try:
            return judge.grade(card, answer, offline)
        except JudgeFailed as error:
            self._app.warnings.append(str(error))
            return offline

    def close(self) -> None:
        """End the threads; grading that has begun is waited for."""
        self._loader.shutdown(cancel_futures=True)
        self._pool.shutdown(cancel_futures=True)

    def _grade(self, card: Card, answer: str, card_id: str) -> Graded:
        """On the grading thread, by the grader that is there when the turn comes."""
        return self._grader.grade(card, answer, card_id=card_id)

    def _warm(self, cards: Sequence[Card]) -> None:
        """On the grading thread: the vectors of cards; a card between two answers at most."""
        self._grader.warm(cards)

    def _load(self) -> None:
        """On the loader's thread: from here on verdicts use the encoder, if there is one."""
        grader, reason = load_grader(self._app.paths, self._app.settings.grading.encoder)
        grader.calibration = self._calibration
        self._grader, self.why_lexical = grader, reason

    def _card(self, card: Card | str) -> tuple[Card, str]:
        if not isinstance(card, str):
            return card, ""
        stored = self._app.store.card(self._app.deck_name, base_id(card))
        if stored is None:
            raise UsageError(f"There is no card {card!r} in this deck.")
        return stored.card, card


def vector_cache(paths: Paths) -> VectorCache:
    """Where the vectors of cards are kept."""
    return VectorCache(paths.cache / VECTORS)


def load_grader(paths: Paths, encoder: str = "") -> tuple[Grader, str]:
    """A grader with the encoder (`encoder` may be a path), and why it has none, if so."""
    from studytool.grading.encoder import Unavailable, load_encoder

    loaded = load_encoder(encoder)
    if isinstance(loaded, Unavailable):
        return Grader(cache=vector_cache(paths)), loaded.reason
    return Grader(loaded, cache=vector_cache(paths)), ""
