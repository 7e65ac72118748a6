"""The interview as a state machine: `step(state, event)` is the state after it, and nothing else happens.

    NEXT --Ask--> ASKING --Answer--> SURE --Sure--> JUDGING --Judged--> ASKING (a probe)
                    |                                   |            \\-> VERDICT --GoOn--> NEXT
                    |--Spoke--> SURE --Sure--> TICKING --Ticked--> (as Judged)      \\-> NEXT
                    |--Skip, Unknown--> NEXT          (after a probe SURE is left out)
                    \\--Hint, Draft, Showed--> ASKING
    any --Pause/Resume--> the same, the clock stopped or running          any --Finish--> OVER

NEXT becomes OVER when the plan is done or the time is up: no question begins after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from studytool.interview import model as m
from studytool.interview import plan, probes, scoring
from studytool.interview.model import Event, NotNow, Outcome, Phase, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from studytool.deck.model import Card
    from studytool.grading.model import Graded
    from studytool.interview.model import Exchange, Plan, Planned, Setup, Turn

#: A question that would begin with less time than this left is not asked.
LEAST_LEFT = 20.0


def begin(setup: Setup, made: Plan) -> State:
    """The state before the first question."""
    return _next(State(setup=setup, plan=made, rung=plan.first_rung(setup)))


def wanted(state: State) -> Planned | None:
    """The card that NEXT waits for; None in every other phase."""
    if state.phase is not Phase.NEXT:
        return None
    asked = [str(turn.card.id) for turn in state.turns]
    left = state.setup.minutes * 60 - state.used
    return plan.pick(state.setup, state.plan, asked, state.rung, left, state.gone)


def running(state: State) -> bool:
    """Whether the candidate's clock runs."""
    return state.phase is Phase.ASKING and not state.paused


def advance(state: State, seconds: float) -> State:
    """Let time pass; it counts only while the clock runs."""
    turn = state.turn
    if turn is None or not running(state) or seconds <= 0:
        return state
    last = turn.exchanges[-1]
    return _last(state, replace(last, seconds=last.seconds + seconds))


def probing(state: State) -> bool:
    """Whether the question on the table is a probe."""
    return state.turn is not None and len(state.turn.exchanges) > 1


def spoken_aloud(state: State, at: int) -> bool:
    """Whether the exchange at place `at` of the question on the table was answered out loud."""
    turn = state.turn
    if turn is None or turn.exchanges[at].answer:
        return False
    graded = turn.exchanges[at].graded
    if graded is not None:
        return graded.grader == scoring.SELF
    return (turn.aloud and at == 0) or (
        state.phase is Phase.TICKING and at == len(turn.exchanges) - 1
    )


def allowed(state: State) -> frozenset[type[Event]]:
    """The kinds of event that `step` takes now."""
    if state.phase is Phase.OVER:
        return frozenset()
    if state.paused:
        return frozenset({m.Resume, m.Finish})
    kinds: set[type[Event]] = {*_TAKEN[state.phase], m.Pause, m.Finish}
    turn = state.turn
    if turn is not None and state.phase is Phase.ASKING:
        if probes.tickable(turn.card):
            kinds.add(m.Spoke)
        if not probing(state) and probes.hints_left(turn) > 0:
            kinds.add(m.Hint)
        if turn.card.demo is not None:
            kinds.add(m.Showed)
    return frozenset(kinds)


def step(state: State, event: Event) -> State:
    """The state after `event`. Raises NotNow when it is not among those `allowed`."""
    if type(event) not in allowed(state):
        where = "paused" if state.paused else state.phase
        raise NotNow(f"{type(event).__name__} is not possible while the interview is {where}")
    return _STEPS[type(event)](state, event)


# The steps; each is called only in a state that allows it.


def _ask(state: State, event: m.Ask) -> State:
    planned = wanted(state)
    if planned is None or planned.card != event.card.id:
        raise NotNow(f"the card {event.card.id} is not the one that comes next")
    turn = m.Turn(
        card=event.card,
        limit=plan.limit(state.setup, event.card.level),
        exchanges=(m.Exchange(prompt=event.card.question),),
    )
    return replace(state, phase=Phase.ASKING, turn=turn, draft="")


def _gone(state: State, event: m.Gone) -> State:
    return _next(replace(state, gone=(*state.gone, event.card)))


def _draft(state: State, event: m.Draft) -> State:
    return replace(state, draft=event.text[: m.LONGEST_ANSWER])


def _answer(state: State, event: m.Answer) -> State:
    text = event.text.strip()[: m.LONGEST_ANSWER]
    if not text:
        raise NotNow("an empty answer is none; say that you don't know, or skip the question")
    state = _last(replace(state, draft=""), replace(_turn(state).exchanges[-1], answer=text))
    return replace(state, phase=Phase.JUDGING if probing(state) else Phase.SURE)


def _spoke(state: State, event: m.Spoke) -> State:
    del event
    if probing(state):
        return replace(state, phase=Phase.TICKING, draft="")
    return replace(state, phase=Phase.SURE, draft="", turn=replace(_turn(state), aloud=True))


def _sure(state: State, event: m.Sure) -> State:
    turn = replace(_turn(state), confidence=event.level)
    return replace(state, phase=Phase.TICKING if turn.aloud else Phase.JUDGING, turn=turn)


def _ticked(state: State, event: m.Ticked) -> State:
    return _verdict(state, scoring.by_ticks(_turn(state).card, event.points))


def _judged(state: State, event: m.Judged) -> State:
    return _verdict(state, event.graded)


def _verdict(state: State, graded: Graded) -> State:
    state = _last(state, replace(_turn(state).exchanges[-1], graded=graded))
    turn = _turn(state)
    probe = probes.next_probe(state.setup, turn)
    if probe is None:
        return _close(state, Outcome.ANSWERED)
    exchange = m.Exchange(prompt=probe.text, point=probe.point)
    turn = replace(turn, exchanges=(*turn.exchanges, exchange))
    return replace(state, phase=Phase.ASKING, turn=turn)


def _hint(state: State, event: m.Hint) -> State:
    del event
    turn = _turn(state)
    hint = probes.next_hint(turn)
    if hint is None:
        raise NotNow("there is no further hint")
    return replace(state, turn=replace(turn, hints=(*turn.hints, hint)))


def _skip(state: State, event: m.Skip) -> State:
    del event
    # To pass over a probe leaves what was answered before.
    return _close(state, Outcome.ANSWERED if probing(state) else Outcome.SKIPPED)


def _unknown(state: State, event: m.Unknown) -> State:
    del event
    if not probing(state):
        return _close(state, Outcome.UNKNOWN)
    # Not known after a probe: another point may be, as the interviewer sees it.
    probe = probes.next_probe(state.setup, _turn(state))
    if probe is None:
        return _close(state, Outcome.ANSWERED)
    exchange = m.Exchange(prompt=probe.text, point=probe.point)
    turn = replace(_turn(state), exchanges=(*_turn(state).exchanges, exchange))
    return replace(state, turn=turn, draft="")


def _showed(state: State, event: m.Showed) -> State:
    del event
    return replace(state, turn=replace(_turn(state), shown=True))


def _go_on(state: State, event: m.GoOn) -> State:
    del event
    return _leave(state)


def _pause(state: State, event: m.Pause) -> State:
    del event
    return replace(state, paused=True)


def _resume(state: State, event: m.Resume) -> State:
    del event
    return replace(state, paused=False)


def _finish(state: State, event: m.Finish) -> State:
    """A question that has a verdict counts, also when a probe was still open."""
    del event
    turn = state.turn
    judged = turn is not None and turn.exchanges[0].graded is not None
    if turn is not None and (judged or state.phase is Phase.VERDICT):
        state = replace(state, turns=(*state.turns, _abridged(turn)))
    return replace(state, phase=Phase.OVER, paused=False, turn=None, draft="")


def _close(state: State, outcome: Outcome) -> State:
    """The question is done: its verdict is shown if that was asked for."""
    state = replace(state, turn=replace(_turn(state), outcome=outcome), draft="")
    if state.setup.verdicts:
        return replace(state, phase=Phase.VERDICT)
    return _leave(state)


def _leave(state: State) -> State:
    """Put the question behind and climb or descend."""
    turn = _turn(state)
    rung = state.rung
    if turn.outcome is not Outcome.SKIPPED:
        rung = plan.next_rung(state.setup, rung, turn.card.level, scoring.score(turn))
    turns = (*state.turns, _abridged(turn))
    return _next(replace(state, phase=Phase.NEXT, turn=None, turns=turns, rung=rung))


def _next(state: State) -> State:
    """NEXT, or OVER when there is nothing to ask or no time to ask it in."""
    state = replace(state, phase=Phase.NEXT, turn=None)
    left = state.setup.minutes * 60 - state.used
    if (state.turns and left < LEAST_LEFT) or wanted(state) is None:
        return replace(state, phase=Phase.OVER)
    return state


def _turn(state: State) -> Turn:
    if state.turn is None:
        raise NotNow("there is no question on the table")
    return state.turn


def _last(state: State, exchange: Exchange) -> State:
    """The state with its newest exchange replaced."""
    turn = _turn(state)
    return replace(state, turn=replace(turn, exchanges=(*turn.exchanges[:-1], exchange)))


def _abridged(turn: Turn) -> Turn:
    """A finished turn without the parts of its card that no report needs."""
    return replace(turn, card=_report_card(turn.card))


def _report_card(card: Card) -> Card:
    return replace(card, answer="", prompt="", deeper="", see_it="", sources={}, options=())


_TAKEN: dict[Phase, tuple[type[Event], ...]] = {
    Phase.NEXT: (m.Ask, m.Gone),
    Phase.ASKING: (m.Answer, m.Draft, m.Skip, m.Unknown),
    Phase.SURE: (m.Sure,),
    Phase.TICKING: (m.Ticked,),
    Phase.JUDGING: (m.Judged,),
    Phase.VERDICT: (m.GoOn,),
    Phase.OVER: (),
}
_STEPS: dict[type[Event], Callable[[State, Any], State]] = {
    m.Ask: _ask,
    m.Gone: _gone,
    m.Draft: _draft,
    m.Answer: _answer,
    m.Spoke: _spoke,
    m.Sure: _sure,
    m.Ticked: _ticked,
    m.Judged: _judged,
    m.Hint: _hint,
    m.Skip: _skip,
    m.Unknown: _unknown,
    m.Showed: _showed,
    m.GoOn: _go_on,
    m.Pause: _pause,
    m.Resume: _resume,
    m.Finish: _finish,
}
