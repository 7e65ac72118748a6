"""A mock interview as it is held: the pure session, a clock, a grader, and the store after each step.

Everything here is synchronous and may wait for the disk or the grader; a full-screen interface
calls it through worker.StoreWorker. What is typed is cleaned before the session sees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from studytool.deck.model import KeyPoint, Scalar
from studytool.errors import UsageError
from studytool.interview import model as m
from studytool.interview import plan, probes, prompts, report, session
from studytool.interview.lines import AnswerLine, Report
from studytool.interview.model import NotNow, Phase, Setup, State
from studytool.services import interviews, questions
from studytool.services.safe import clean
from studytool.store.records import InterviewRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studytool.deck.model import Card
    from studytool.grading.model import Graded
    from studytool.interview.model import Event, Turn
    from studytool.services.context import App

INTERVIEWER, YOU, HINT = "Interviewer", "You", "Hint"
ASK_SURE = "Before we go on: how sure are you of that, from 1 (guessing) to 5 (certain)?"


class Judge(Protocol):
    """What an interview needs of the grader; services.grading.GradingService is one."""

    def grade(self, card: Card, answer: str) -> Graded: ...


class Line(msgspec.Struct, frozen=True):
    """Something said: by whom, and what; `deck` marks Markdown of a card, the rest is plain text."""

    who: str
    text: str
    deck: bool = False


class View(msgspec.Struct, frozen=True, kw_only=True):
    """An interview as it is shown between two steps.

    `lines` is what was said about the question on the table, `prompt` the place in it of what is
    to be answered. `seconds` and `limit` are those of the answer in hand, `left` is the time
    left for questions. `points` are the key points to tick, `verdict` the line of the report
    that is shown when verdicts were asked for. `can` names the events that the session takes.
    """

    id: int
    setup: Setup
    phase: Phase
    paused: bool
    number: int
    total: int
    lines: tuple[Line, ...] = ()
    card: str = ""
    chapter: str = ""
    level: str = ""
    probe: int = 0
    draft: str = ""
    seconds: float = 0.0
    limit: float = 0.0
    left: float = 0.0
    hints_left: int = 0
    demo: str = ""
    params: dict[str, Scalar] = {}
    points: tuple[KeyPoint, ...] = ()
    verdict: AnswerLine | None = None
    can: frozenset[str] = frozenset()


class Interview:
    """One interview in progress. Every method that changes it has saved it when it returns.

    The methods raise UsageError for a step that is not possible now, and StorageError.
    """

    def __init__(self, app: App, number: int, started_ms: int, state: State, judge: Judge) -> None:
        self._app = app
        self.id = number
        self.started_ms = started_ms
        self.state = state
        self.report: Report | None = None
        self._judge = judge
        self._since = app.clock.monotonic()

    @classmethod
    def begin(cls, app: App, setup: Setup, judge: Judge) -> Interview:
        """Plan an interview and ask its first question.

        One that was not finished is ended first, and its report kept. Raises UsageError for a
        chapter that the deck does not have, or when it has nothing to ask.
        """
        questions.check_chapters(app, setup.chapters)
        made = plan.make(setup, interviews.known(app), app.today.toordinal())
        if not made.chapters:
            raise UsageError(
                "There is no card that an interviewer could ask.",
                hint="Interviews ask open questions: choice, cloze and suspended cards are left out.",
            )
        left = app.store.interviews.unfinished(app.deck_name)
        if left is not None:
            cls._load(app, left, judge).finish()
        state = session.begin(setup, made)
        record = InterviewRecord(
            deck=app.deck_name,
            started_ms=app.moment.at_ms,
            setup=interviews.encode(setup),
            state=interviews.encode(state),
        )
        number = app.store.interviews.add(record)
        held = cls(app, number, record.started_ms, state, judge)
        held._settle()
        return held

    @classmethod
    def resume(cls, app: App, judge: Judge) -> Interview:
        """Go on with the newest interview that was not finished, its clock as it stood.

        Raises UsageError when there is none.
        """
        record = app.store.interviews.unfinished(app.deck_name)
        if record is None:
            raise UsageError(
                "There is no interview to go on with.", hint="`studytool interview` begins one."
            )
        held = cls._load(app, record, judge)
        if held.state.paused:
            held._step(m.Resume())
        else:
            held._settle()
        return held

    @classmethod
    def _load(cls, app: App, record: InterviewRecord, judge: Judge) -> Interview:
        state = interviews.decode(record.state, State)
        return cls(app, record.id, record.started_ms, state, judge)

    # what the candidate does

    def answer(self, text: str) -> None:
        """Hand in a typed answer; `judge` comes next, after `sure` if this was the first."""
        self._step(m.Answer(clean(text)))

    def draft(self, text: str) -> None:
        """Keep an answer half typed, and the clock as it stands; harmless when none is expected."""
        if m.Draft in session.allowed(self.state):
            self._step(m.Draft(clean(text)))

    def spoke(self) -> None:
        """The answer was given out loud; `tick` says what was in it."""
        self._step(m.Spoke())

    def sure(self, level: int | None) -> None:
        """How sure the candidate is, from 1 to 5."""
        self._step(m.Sure(level))

    def tick(self, points: Sequence[int]) -> None:
        """The key points, by place, that an answer given out loud had."""
        self._step(m.Ticked(tuple(points)))

    def judge(self) -> None:
        """Grade the newest answer, when it waits for that; the next question or probe follows."""
        turn = self.state.turn
        if turn is None or self.state.phase is not Phase.JUDGING:
            return
        graded = self._judge.grade(turn.card, turn.exchanges[-1].answer)
        self._step(m.Judged(graded))

    def hint(self) -> None:
        self._step(m.Hint())

    def skip(self) -> None:
        self._step(m.Skip())

    def unknown(self) -> None:
        self._step(m.Unknown())

    def showed(self) -> None:
        """The demo of the card was shown."""
        self._step(m.Showed())

    def go_on(self) -> None:
        """The verdict was read."""
        self._step(m.GoOn())

    def pause(self) -> None:
        """Stop the clock; harmless when it stands, or when the interview is over."""
        if m.Pause in session.allowed(self.state):
            self._step(m.Pause())

    def unpause(self) -> None:
        """Let the clock run again; harmless when it does."""
        if self.state.paused:
            self._step(m.Resume())

    def finish(self) -> None:
        """End the interview now."""
        if self.state.phase is not Phase.OVER:
            self._step(m.Finish())
        elif self.report is None:
            self._settle()

    def keep_time(self) -> None:
        """Save the clock as it stands."""
        if session.running(self.state):
            self._pass_time()
            self._app.store.interviews.save_state(self.id, interviews.encode(self.state))

    # what is shown

    def view(self) -> View:
        """The interview as it is now."""
        self._pass_time()
        state, turn = self.state, self.state.turn
        can = frozenset(kind.__name__.lower() for kind in session.allowed(state))
        base = View(
            id=self.id, setup=state.setup, phase=state.phase, paused=state.paused,
            number=min(state.number, max(1, state.total)), total=state.total, can=can,
            left=max(0.0, state.setup.minutes * 60 - state.used),
        )  # fmt: skip
        if turn is None:
            return base
        card, last = turn.card, turn.exchanges[-1]
        return msgspec.structs.replace(
            base,
            lines=tuple(_said(state, turn)),
            card=str(card.id),
            chapter=card.chapter,
            level=card.level.value,
            probe=len(turn.exchanges) - 1,
            draft=state.draft,
            seconds=last.seconds,
            limit=plan.SHORT if session.probing(state) else turn.limit,
            hints_left=probes.hints_left(turn),
            demo=str(card.demo or ""),
            params=card.params,
            points=card.key_points if state.phase is Phase.TICKING else (),
            verdict=report.answer_line(turn) if state.phase is Phase.VERDICT else None,
        )

    # inside

    def _pass_time(self) -> None:
        now = self._app.clock.monotonic()
        self.state = session.advance(self.state, now - self._since)
        self._since = now

    def _step(self, event: Event) -> None:
        self._pass_time()
        try:
            self.state = session.step(self.state, event)
        except NotNow as error:
            raise UsageError(f"{error}.") from error
        self._settle()

    def _settle(self) -> None:
        """Put the next question on the table, save, and write the report when it is over."""
        while (planned := session.wanted(self.state)) is not None:
            stored = self._app.store.card(self._app.deck_name, planned.card)
            event: Event = m.Gone(planned.card)
            if stored is not None and not stored.retired:
                event = m.Ask(stored.card)
            self.state = session.step(self.state, event)
        text = interviews.encode(self.state)
        kept = self._app.store.interviews
        if self.state.phase is not Phase.OVER:
            kept.save_state(self.id, text)
            return
        self.report = report.make(self.state, self.started_ms, interviews.trend(self._app))
        kept.finish(self.id, text, interviews.encode(self.report), self._app.moment.at_ms)


def _said(state: State, turn: Turn) -> list[Line]:
    """What was said about the question on the table, in order."""
    setup, number = state.setup, len(state.turns)
    lines = []
    if number == 0:
        lines.append(Line(INTERVIEWER, prompts.opening(setup)))
    else:
        before = len(state.turns[-1].exchanges) - 1
        words = f"{prompts.acknowledge(setup, number - 1, before)} {prompts.move_on(setup, number)}"
        lines.append(Line(INTERVIEWER, words))
    lines.append(Line(INTERVIEWER, prompts.question(turn.card), deck=True))
    lines += [Line(HINT, hint, deck=True) for hint in turn.hints]
    probed = {point.probe for point in turn.card.key_points}
    for at, exchange in enumerate(turn.exchanges):
        if at:
            words = prompts.acknowledge(setup, number, at - 1)
            lead = prompts.follow_up(setup, number, at)
            text = f"{words} {lead} {exchange.prompt}"
            lines.append(Line(INTERVIEWER, text, deck=exchange.prompt in probed))
        if exchange.answer:
            lines.append(Line(YOU, exchange.answer))
        elif session.spoken_aloud(state, at):
            lines.append(Line(YOU, "(out loud)"))
    if state.phase is Phase.SURE:
        lines.append(Line(INTERVIEWER, ASK_SURE))
    elif state.phase is Phase.JUDGING:
        last = len(turn.exchanges) - 1
        lines.append(Line(INTERVIEWER, prompts.acknowledge(setup, number, last)))
    return lines
