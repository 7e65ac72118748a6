"""The fold of the log: the same for any order in which its events arrive."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studytool.errors import StorageCorrupt
from studytool.schedule import scheduler
from studytool.schedule.model import (
    Body,
    Bury,
    CardState,
    Flag,
    LogEvent,
    Moment,
    Note,
    Override,
    Phase,
    Policy,
    PolicySet,
    Rating,
    Reset,
    Review,
    Rollover,
    Suspend,
    Undo,
    policy_id,
)
from studytool.schedule.projection import apply, replay, touched_card

POLICY = Policy()
OTHER = Policy(desired_retention=0.8, learning_steps=(300,))
POLICIES = {policy_id(policy): policy for policy in (POLICY, OTHER)}
FIRST, SECOND = POLICIES
DAY = 739_943
CARDS = ("clip-temperature", "cloze/c1", "cloze/c2")


def event(number: int, body: Body, device: str = "a", at_ms: int | None = None) -> LogEvent:
    at_ms = 1_000_000 * number if at_ms is None else at_ms
    return LogEvent(
        uuid=f"{device}-{number}",
        device=device,
        seq=number,
        at_ms=at_ms,
        day=DAY + at_ms // scheduler.DAY_MS,
        body=body,
    )


def review(rating: Rating = Rating.GOOD, card: str = CARDS[0], policy: str = FIRST) -> Review:
    return Review(card=card, rating=rating, duration_ms=5_000, policy=policy, content_hash="h1")


POLICY_EVENTS = [
    event(number, PolicySet(id=name, policy=policy), device="p")
    for number, (name, policy) in enumerate(POLICIES.items())
]


def test_a_review_is_the_answer_of_the_scheduler() -> None:
    body = msgspec.structs.replace(review(), day_ends_at=1_000_000 + 60_000)
    one = event(1, body)

    state = apply(CardState(), one, POLICIES)

    expected = scheduler.answer(
        CardState(),
        Rating.GOOD,
        Moment(1_000_000, DAY),
        POLICY,
        "a-1",
        Rollover(1_060_000),
    )
    assert state == msgspec.structs.replace(expected, content_hash="h1")
    assert state.due_day == DAY + 1


def test_each_event_does_its_one_thing() -> None:
    card = CARDS[0]
    state = apply(CardState(), event(1, review()), POLICIES)
    for body, changed in (
        (Suspend(card=card), {"suspended": True}),
        (Bury(card=card, day=DAY), {"buried_day": DAY}),
        (Flag(card=card, flag=3), {"flag": 3}),
        (Note(card=card, text="see §2.5"), {"note": "see §2.5"}),
        (Override(card=card, point=0, graded="missed", chosen="said"), {}),
        (PolicySet(id=FIRST, policy=POLICY), {}),
        (Undo(target="a-9", card=card), {}),
    ):
        after = apply(state, event(2, body), POLICIES)
        assert after == msgspec.structs.replace(state, **changed)


def test_a_reset_forgets_the_memory_and_keeps_what_the_user_wrote() -> None:
    card = CARDS[0]
    log = [
        *POLICY_EVENTS,
        event(1, review()),
        event(2, Flag(card=card, flag=2)),
        event(3, Note(card=card, text="mine")),
        event(4, Reset(card=card)),
    ]
    assert replay(log) == {card: CardState(flag=2, note="mine")}


def test_an_undone_event_never_happened() -> None:
    log = [*POLICY_EVENTS, event(1, review()), event(2, review(Rating.AGAIN))]
    tombstone = event(3, Undo(target="a-2", card=CARDS[0]))

    assert replay([*log, tombstone]) == replay(log[:-1])
    assert replay([*POLICY_EVENTS, log[2], event(5, Undo(target="a-1"))]) == {}


def test_a_tombstone_cannot_be_undone() -> None:
    log = [*POLICY_EVENTS, event(1, review()), event(2, Undo(target="a-1"))]

    assert replay([*log, event(3, Undo(target="a-2"))]) == {}


def test_a_review_under_an_unknown_policy_is_told() -> None:
    with pytest.raises(StorageCorrupt, match="policy 'gone'"):
        replay([event(1, review(policy="gone"))])


def test_touched_card() -> None:
    assert touched_card(event(1, review())) == CARDS[0]
    assert touched_card(event(1, Undo(target="x", card=CARDS[0]))) is None
    assert touched_card(POLICY_EVENTS[0]) is None


bodies = st.one_of(
    st.builds(
        review, st.sampled_from(Rating), st.sampled_from(CARDS), st.sampled_from(list(POLICIES))
    ),
    st.builds(Suspend, card=st.sampled_from(CARDS), on=st.booleans()),
    st.builds(Bury, card=st.sampled_from(CARDS), day=st.none() | st.just(DAY)),
    st.builds(Reset, card=st.sampled_from(CARDS)),
    st.builds(Flag, card=st.sampled_from(CARDS), flag=st.integers(0, 4)),
    st.builds(Undo, target=st.integers(1, 20).map("a-{}".format)),
)


@st.composite
def logs(draw: st.DrawFn) -> list[LogEvent]:
    """A log of two devices, with equal times and a clock that jumps back and forth."""
    events = list(POLICY_EVENTS)
    for number, body in enumerate(draw(st.lists(bodies, max_size=20)), start=1):
        device = draw(st.sampled_from("ab"))
        at_ms = draw(st.integers(0, 40)) * 21_600_000
        events.append(event(number, body, device, at_ms))
    return events


@given(logs(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_difference(log: list[LogEvent], dice: random.Random) -> None:
    expected = replay(log)
    shuffled = list(log)
    dice.shuffle(shuffled)

    assert replay(shuffled) == expected
    assert replay(iter(log)) == expected


@given(logs())
def test_replay_is_the_fold_of_apply_over_what_was_not_undone(log: list[LogEvent]) -> None:
    undone = {one.body.target for one in log if isinstance(one.body, Undo)}
    states: dict[str, CardState] = {}
    for one in sorted(log, key=lambda one: (one.at_ms, one.device, one.seq)):
        card = touched_card(one)
        if card and one.uuid not in undone:
            states[card] = apply(states.get(card, CardState()), one, POLICIES)

    assert replay(log) == states


@given(logs(), st.sampled_from(CARDS))
def test_undoing_the_newest_event_gives_the_state_before(log: list[LogEvent], card: str) -> None:
    newest = event(99, review(card=card), at_ms=10**12)
    tombstone = event(100, Undo(target=newest.uuid, card=card), at_ms=10**12 + 1)

    assert replay([*log, newest, tombstone]) == replay(log)


def test_a_log_survives_its_encoding() -> None:
    log = [*POLICY_EVENTS, *(event(n, review(Rating(n % 4 + 1))) for n in range(1, 12))]
    coded = msgspec.json.decode(msgspec.json.encode(log), type=list[LogEvent])

    assert coded == log
    assert replay(coded) == replay(log)
    assert replay(log)[CARDS[0]].phase is not Phase.NEW
