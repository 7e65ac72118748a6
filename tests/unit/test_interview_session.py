"""The state machine: every step, from any state, and back from JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studytool.deck.model import Card, DemoId, KeyPoint
from studytool.grading.model import Graded, Verdict
from studytool.interview import model as m
from studytool.interview import plan, probes, prompts, scoring, session
from studytool.interview.model import Event, NotNow, Phase, Setup, State, Style
from tests.unit.interview_kit import WordJudge, ask_card, deck, known

CARDS = {str(card.id): card for card in deck(2)}
JUDGE = WordJudge()


def begin(*cards: Card, **setup: object) -> State:
    """An interview whose first question was asked."""
    chosen = Setup(**setup)  # type: ignore[arg-type]
    rows = cards or tuple(CARDS.values())
    return ask(session.begin(chosen, plan.make(chosen, known(*rows), 1)), rows)


def ask(state: State, cards: Iterable[Card]) -> State:
    planned = session.wanted(state)
    assert planned is not None
    return session.step(state, m.Ask(next(card for card in cards if card.id == planned.card)))


def judge(state: State) -> Graded:
    assert state.turn is not None
    return JUDGE.grade(state.turn.card, state.turn.exchanges[-1].answer)


def say(state: State, text: str, sure: int | None = 3) -> State:
    """Answer, say how sure, and be judged."""
    state = session.step(state, m.Answer(text))
    if state.phase is Phase.SURE:
        state = session.step(state, m.Sure(sure))
    return session.step(state, m.Judged(judge(state)))


def one(**changes: Any) -> Card:
    return ask_card("one", **changes)


def test_the_heaviest_missed_point_is_probed_then_the_next() -> None:
    state = say(begin(one()), "nothing of it")
    assert state.turn is not None
    assert state.turn.exchanges[1].prompt == "What about the first thing of one?"
    state = say(state, "still nothing")
    assert state.turn is not None
    assert state.turn.exchanges[2].point == 1
    assert "beta" not in state.turn.exchanges[2].prompt, "a probe never gives the answer away"
    state = say(state, "beta-one")
    assert state.phase is Phase.OVER
    (turn,) = state.turns
    assert [result.probed for result in scoring.results(turn)] == [False, True]
    assert scoring.score(turn) == pytest.approx(scoring.PROBE_CREDIT / 3)


def test_a_whole_answer_is_not_probed() -> None:
    state = say(begin(one()), "alpha-one and beta-one", 5)
    assert state.phase is Phase.OVER
    assert scoring.score(state.turns[0]) == 1.0
    assert state.turns[0].confidence == 5


def test_of_equal_weight_a_contradiction_is_probed_first() -> None:
    card = one(key_points=(KeyPoint(1, "alpha a"), KeyPoint(1, "beta b"), KeyPoint(1, "gamma c")))
    state = say(begin(card), "never-beta it is")
    assert state.turn is not None
    probe = state.turn.exchanges[1]
    assert probe.point == 1
    assert probe.prompt == prompts.challenge("never-beta")
    state = say(state, "I meant beta", None)
    assert state.turn is not None
    first, second, _ = scoring.results(state.turn)
    assert second.point.verdict is Verdict.COVERED
    assert first.point.verdict is Verdict.MISSED


def test_rapid_fire_never_probes() -> None:
    assert say(begin(one(), style=Style.RAPID_FIRE), "nothing").phase is Phase.OVER


def test_hints_cost_and_their_words_are_not_asked_again() -> None:
    state = begin(one())
    for _ in range(probes.MOST_HINTS):
        state = session.step(state, m.Hint())
    assert state.turn is not None
    assert state.turn.hints[0] == "What about the first thing of one?"
    with pytest.raises(NotNow):
        session.step(state, m.Hint())
    missed = say(state, "nothing")
    assert missed.turn is not None
    assert missed.turn.exchanges[1].prompt not in state.turn.hints
    whole = say(state, "alpha-one beta-one")
    assert scoring.score(whole.turns[0]) == pytest.approx(1 - 2 * scoring.HINT_COST)


def test_out_loud_then_ticks_after_the_confidence() -> None:
    state = session.step(begin(one()), m.Spoke())
    assert state.phase is Phase.SURE, "the points are shown only after it"
    state = session.step(state, m.Sure(4))
    assert state.phase is Phase.TICKING
    state = session.step(state, m.Ticked((0,)))
    assert state.phase is Phase.ASKING
    assert state.turn is not None
    assert state.turn.exchanges[1].point == 1
    state = session.step(state, m.Skip())
    assert state.turns[0].aloud
    assert scoring.score(state.turns[0]) == pytest.approx(2 / 3)


def test_a_probe_may_be_answered_out_loud_after_a_typed_answer() -> None:
    state = say(begin(one()), "nothing of it")
    state = session.step(state, m.Spoke())
    assert state.phase is Phase.TICKING, "the confidence was asked for once"
    assert [session.spoken_aloud(state, at) for at in (0, 1)] == [False, True]
    state = session.step(state, m.Ticked((0,)))
    assert state.turn is not None
    assert not state.turn.aloud
    assert state.turn.exchanges[2].point == 1
    assert [session.spoken_aloud(state, at) for at in (0, 1, 2)] == [False, True, False]
    state = session.step(state, m.Skip())
    found = scoring.results(state.turns[0])
    assert [(one.point.verdict, one.probed) for one in found] == [
        (Verdict.COVERED, True),
        (Verdict.MISSED, False),
    ]


def test_nobody_says_citations_and_claims_and_code_stays() -> None:
    text = "Look [^a] at `x[^1]`, {claim:toy/two}:\n\n```\ny[^2] {claim:a/b}\n```"
    assert prompts.unmarked(text) == (
        "Look at `x[^1]`, the measured value:\n\n```\ny[^2] {claim:a/b}\n```"
    )


def test_a_card_without_points_cant_be_ticked() -> None:
    state = begin(one(key_points=()))
    assert m.Spoke not in session.allowed(state)
    assert session.step(state, m.Hint()).phase is Phase.ASKING


@pytest.mark.parametrize("event", [m.Skip(), m.Unknown()])
def test_skip_and_unknown_go_on(event: Event) -> None:
    state = session.step(begin(), event)
    assert state.phase is Phase.NEXT
    assert scoring.score(state.turns[0]) == 0.0
    assert (scoring.first_score(state.turns[0]) is None) == isinstance(event, m.Skip)


def test_verdicts_are_shown_only_when_asked_for() -> None:
    state = say(begin(one(), verdicts=True), "alpha-one beta-one")
    assert state.phase is Phase.VERDICT
    assert session.step(state, m.Finish()).turns, "a verdict that was not yet read counts"
    assert session.step(state, m.GoOn()).phase is Phase.OVER


def test_an_acknowledgement_never_depends_on_the_answer() -> None:
    setup = Setup(seed=5)
    good, bad = prompts.acknowledge(setup, 0, 0), prompts.acknowledge(setup, 0, 0)
    assert good == bad
    words = {prompts.acknowledge(setup, turn, 0) for turn in range(40)}
    assert len(words) > 3
    told = " ".join(words | {prompts.move_on(setup, n) for n in range(40)}).lower()
    for verdict in ("right", "correct", "good", "wrong", "great", "not quite"):
        assert verdict not in told.replace("all right", "")


def test_the_clock_runs_only_while_an_answer_is_expected() -> None:
    state = session.advance(begin(one()), 30)
    state = session.step(state, m.Pause())
    state = session.advance(state, 1000)
    state = session.advance(session.step(state, m.Resume()), 12.5)
    assert state.used == 42.5
    state = session.advance(session.step(state, m.Answer("nothing")), 99)
    assert state.used == 42.5
    state = session.step(state, m.Sure(None))
    state = session.step(state, m.Judged(judge(state)))
    state = session.advance(state, 5)
    assert state.turn is not None
    assert [exchange.seconds for exchange in state.turn.exchanges] == [42.5, 5]
    assert session.advance(state, -5) == state


def test_no_question_begins_when_the_time_is_up() -> None:
    state = session.advance(begin(minutes=1), 60 - session.LEAST_LEFT + 1)
    assert session.step(state, m.Skip()).phase is Phase.OVER
    state = session.advance(begin(minutes=1), 10)
    assert session.step(state, m.Skip()).phase is not Phase.OVER or state.total == 1


def test_a_card_that_went_away_is_passed_over() -> None:
    chosen = Setup(minutes=10)
    state = session.begin(chosen, plan.make(chosen, known(*CARDS.values()), 1))
    first = session.wanted(state)
    assert first is not None
    state = session.step(state, m.Gone(first.card))
    second = session.wanted(state)
    assert second is not None
    assert second.card != first.card
    with pytest.raises(NotNow):
        session.step(state, m.Ask(CARDS[first.card]))


@pytest.mark.parametrize("text", ["", "  \n\t ", "\u00a0"])
def test_an_empty_answer_is_none(text: str) -> None:
    with pytest.raises(NotNow, match="empty"):
        session.step(begin(), m.Answer(text))


def test_a_very_long_answer_is_cut() -> None:
    state = session.step(begin(), m.Answer("x" * (m.LONGEST_ANSWER + 5)))
    assert state.turn is not None
    assert len(state.turn.exchanges[0].answer) == m.LONGEST_ANSWER


def test_show_me_needs_a_demo() -> None:
    assert m.Showed not in session.allowed(begin(one()))
    state = session.step(begin(one(demo=DemoId("clip"), no_demo=None)), m.Showed())
    assert state.turn is not None
    assert state.turn.shown


EVENTS = st.one_of(
    st.sampled_from(
        [m.Spoke(), m.Hint(), m.Skip(), m.Unknown(), m.Showed(), m.GoOn(), m.Pause(), m.Resume(),
         m.Finish(), m.Sure(None), m.Sure(5), m.Ticked((0,)), m.Ticked((7, -1))]
    ),
    st.builds(m.Draft, st.text(max_size=20)),
    st.builds(m.Answer, st.text(max_size=20)),
)  # fmt: skip


@given(
    st.builds(
        Setup,
        minutes=st.integers(1, 60),
        style=st.sampled_from(Style),
        level=st.sampled_from(m.Grade),
        verdicts=st.booleans(),
        seed=st.integers(0, 99),
    ),
    st.lists(st.tuples(EVENTS, st.floats(0, 100)), max_size=60),
)
@settings(max_examples=80)
def test_any_run_of_events_keeps_the_rules(setup: Setup, events: list[tuple[Event, float]]) -> None:
    state = session.begin(setup, plan.make(setup, known(*CARDS.values()), 1))
    for event, seconds in events:
        while (planned := session.wanted(state)) is not None and not state.paused:
            state = session.step(state, m.Ask(CARDS[planned.card]))
        if state.phase is Phase.JUDGING and not state.paused:
            state = session.step(state, m.Judged(judge(state)))
            continue
        before = state
        state = session.advance(state, seconds)
        try:
            state = session.step(state, event)
        except NotNow:
            empty = isinstance(event, m.Answer) and not event.text.strip()
            assert empty or type(event) not in session.allowed(state)
        assert msgspec.json.decode(msgspec.json.encode(state), type=State) == state
        asked = [turn.card.id for turn in state.turns]
        assert len(asked) == len(set(asked)) <= state.total
        assert state.used >= before.used - 1e-6 or state.phase is Phase.OVER
        assert all(0 <= scoring.score(turn) <= 1 for turn in state.turns)
        assert all(len(turn.exchanges) <= 1 + probes.MOST_PROBES for turn in state.turns)
        assert (state.turn is None) == (state.phase in (Phase.NEXT, Phase.OVER))
        assert bool(session.allowed(state)) == (state.phase is not Phase.OVER)
