"""Studying: one session from the first question to the summary.

A session asks its store for the cards of the day once, then keeps the line in memory. Each
answer is one step of the log, on disk when `rate` returns: the review, and with it the burying
of siblings and the suspending of a leech, undone together. Everything here is synchronous and
may wait for the disk; a full-screen interface calls it through worker.StoreWorker.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from studytool.deck.cloze import sibling_ids
from studytool.errors import UsageError
from studytool.schedule import projection, scheduler
from studytool.schedule.model import (
    Bury,
    CardState,
    Flag,
    Note,
    Phase,
    Rating,
    Reset,
    Review,
    Suspend,
)
from studytool.services import line, questions, timefmt
from studytool.services.overview import glance, overview, stats
from studytool.services.questions import due_date
from studytool.services.types import (
    Question,
    Rated,
    SessionQuery,
    Summary,
    Undone,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.schedule.model import Body, Moment, Override
    from studytool.services.context import App
    from studytool.services.opening import FirstCard

__all__ = ["Session", "glance", "overview", "stats"]


class _Answered(NamedTuple):
    """What the summary and undo need of an answer of this session."""

    card_id: str
    rating: Rating
    lapse: bool
    duration_ms: int
    buried: tuple[str, ...]


class Session:
    """The cards of a query in a good order, one at a time.

    The current question stays until it is answered, suspended, buried, or another card is put
    before it. Learning cards come back when their step is over, or up to 20 minutes earlier
    when nothing else is left.
    """

    def __init__(
        self, app: App, query: SessionQuery | None = None, first: FirstCard | None = None
    ) -> None:
        """Begin with `first` if it was shown already, under the UUID it was shown with.

        Raises UsageError for a chapter or a card that the deck does not have.
        """
        self._app = app
        self._store = app.store
        self._deck = app.deck_name
        self._policy = app.policy
        self._policy_id = self._store.ensure_policy(self._policy)
        self._uuids: dict[str, str] = {}
        self._answers: dict[str, _Answered] = {}
        self._question: Question | None = None
        self._agenda = line.agenda(app, self._store, query or SessionQuery(), self._now())
        if first is not None:
            card = first.question.card_id
            self._uuids[card] = first.seed
            self._agenda.put_first(card)

    # the question

    def current(self) -> Question | None:
        """The card on the table; None when nothing is left now."""
        while self._question is None:
            card = self._agenda.take(self._now().at_ms)
            if card is None:
                return None
            self._question = self._ask(card)
        return self._question

    def peek_next(self) -> Question | None:
        """The card that would come next, if nothing changes; the current one stays."""
        card = self._agenda.peek(self._now().at_ms)
        return None if card is None else self._ask(card)

    @property
    def position(self) -> tuple[int, int]:
        """(answers given, answers given and cards still to come) of this session."""
        done = len(self._answers)
        return done, done + len(self._agenda) + (self._question is not None)

    def refresh(self) -> Question | None:
        """Read the current card again, after its text was edited and synchronised."""
        if self._question is not None:
            self._question = self._ask(self._question.card_id)
        return self.current()

    # what the user does

    def rate(
        self,
        rating: Rating,
        *,
        duration_ms: int,
        typed: str = "",
        ticked: Sequence[int] = (),
        suggested: Rating | None = None,
        corrections: Sequence[Override] = (),
    ) -> Rated:
        """Store an answer to the current question; returns when it is on disk.

        `corrections` are the verdicts on its key points that the user has changed: they are part
        of the same step, so undo takes them back with the answer.
        """
        question = self._table()
        card, before, now = question.card_id, question.state, self._now()
        review = Review(
            card=card,
            rating=rating,
            duration_ms=max(0, duration_ms),
            policy=self._policy_id,
            content_hash=question.content_hash,
            typed=typed,
            ticked=tuple(ticked),
            suggested=suggested,
            day_ends_at=self._app.rollover.ends_at,
            before=before,
        )
        outcome = question.choices[rating - 1].state
        leech = scheduler.became_leech(before, outcome, self._policy)
        buried = self._siblings_to_bury(question, now)
        bodies: list[Body] = [review]
        bodies += [Suspend(card=card, by_leech=True)] if leech else []
        bodies += [Bury(card=sibling, day=now.day, sibling=True) for sibling in buried]
        bodies += corrections
        event = self._store.record_many(bodies, uuid=self._seed(card))[0]

        after = projection.apply(before, event, {self._policy_id: self._policy})
        dropped = tuple(sibling for sibling in buried if self._agenda.drop(sibling))
        lapse = after.lapses > before.lapses
        self._answers[event.uuid] = _Answered(card, rating, lapse, review.duration_ms, dropped)
        self._leave_table()
        if not leech and after.due_at is not None and after.due_day is None:
            self._agenda.wait(card, after.due_at)
        return Rated(
            card_id=card,
            rating=rating,
            next_due=due_date(after, event.moment),
            interval_text=timefmt.interval(after, event.moment),
            event=event.uuid,
            leech=leech,
        )

    def undo(self) -> Undone | None:
        """Take back the newest step, of this session or an earlier one, and show its card again.

        None when nothing is left to undo.
        """
        taken = self._store.undo()
        if taken is None:
            return None
        _, event = taken
        body = event.body
        answered = self._answers.pop(event.uuid, None)
        for sibling in answered.buried if answered else ():
            self._agenda.put_last(sibling)
        card: str = getattr(body, "card", "")
        rating = body.rating if isinstance(body, Review) else None
        if isinstance(body, Flag | Note) or not card:
            self.refresh()
        else:
            self._show(card)
        return Undone(
            card_id=card, what=type(body).__name__.lower(), rating=rating, event=event.uuid
        )

    def suspend(self) -> None:
        """Take the current card out of study until it is unsuspended."""
        self._store.record(Suspend(card=self._table().card_id))
        self._leave_table()

    def bury(self) -> None:
        """Hide the current card until the next study day."""
        self._store.record(Bury(card=self._table().card_id, day=self._now().day))
        self._leave_table()

    def flag(self, flag: int) -> None:
        """Mark the current card with a colour, 0 for none."""
        self._store.record(Flag(card=self._table().card_id, flag=flag))
        self.refresh()

    def note(self, text: str) -> None:
        """Keep the user's own note on the current card; an empty text removes it."""
        self._store.record(Note(card=self._table().card_id, text=text))
        self.refresh()

    def reset(self) -> None:
        """Forget the memory of the current card, which stays on the table as a new one."""
        self._store.record(Reset(card=self._table().card_id))
        self.refresh()

    def insert(self, card_id: str) -> None:
        """Show `card_id` now (a follow-up, say); the current card comes after it.

        Raises UsageError when the deck has no such card.
        """
        self._show(questions.schedules(self._app, self._store, card_id)[0])

    def summary(self) -> Summary:
        """What was done in this session and what is left for today and tomorrow."""
        answers = self._answers.values()
        count = Counter(answer.rating for answer in answers)
        now = self._now()
        ahead = dict(self._store.ahead(self._deck, now))
        return Summary(
            answered=len(answers),
            again=count[Rating.AGAIN],
            hard=count[Rating.HARD],
            good=count[Rating.GOOD],
            easy=count[Rating.EASY],
            seconds=sum(answer.duration_ms for answer in answers) / 1000,
            lapsed_cards=tuple(dict.fromkeys(a.card_id for a in answers if a.lapse)),
            remaining=line.counts(self._app, self._store, self._store.counts(self._deck, now), now),
            tomorrow=ahead.get(now.day + 1, 0),
        )

    # inside

    def _now(self) -> Moment:
        return self._app.moment

    def _ask(self, card: str) -> Question | None:
        return questions.ask(self._app, self._store, self._policy, card, self._seed(card))

    def _table(self) -> Question:
        question = self.current()
        if question is None:
            raise UsageError("There is no card on the table.", hint="The session is over.")
        return question

    def _leave_table(self) -> None:
        if self._question is not None:
            self._uuids.pop(self._question.card_id, None)
        self._question = None

    def _show(self, card: str) -> None:
        """Put a card on the table now; the one that lies there comes after it."""
        if self._question is not None and self._question.card_id != card:
            self._agenda.put_first(self._question.card_id)
        self._agenda.put_first(card)
        self._question = None

    def _seed(self, card: str) -> str:
        """The UUID that the next answer to `card` will have; it seeds the fuzz of the preview."""
        return self._uuids.setdefault(card, uuid4().hex)

    def _siblings_to_bury(self, question: Question, now: Moment) -> tuple[str, ...]:
        """The other schedules of the same card that could still be served today."""
        if not self._app.settings.study.bury_siblings:
            return ()
        others = (one for one in sibling_ids(question.card) if one != question.card_id)
        return tuple(one for one in others if _could_come(self._store.state(one), now.day))


def _could_come(state: CardState, day: int) -> bool:
    """Whether a card not yet begun today may be served today."""
    if state.suspended or (state.buried_day is not None and state.buried_day >= day):
        return False
    return state.phase is Phase.NEW or (state.due_day is not None and state.due_day <= day)
