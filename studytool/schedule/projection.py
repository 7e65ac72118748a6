"""From the log to card states: the one fold that store, doctor and sync all use.

The result depends only on the set of events, not on the order in which they are handed in:
they are sorted by (at_ms, device, seq), the ones that an Undo names are left out, and the
rest is folded card by card. A tombstone itself can't be undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from studytool.errors import StorageCorrupt
from studytool.schedule import scheduler
from studytool.schedule.model import (
    Bury,
    CardState,
    Flag,
    LogEvent,
    Note,
    PolicySet,
    Reset,
    Review,
    Rollover,
    Suspend,
    Undo,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from studytool.schedule.model import Policy


def apply(state: CardState, event: LogEvent, policies: Mapping[str, Policy]) -> CardState:
    """The state after one event; PolicySet, Undo and Override leave a card as it is.

    Raises StorageCorrupt when a review names a policy that `policies` does not hold.
    """
    match event.body:
        case Review() as body:
            return _review(state, event, body, policies)
        case Suspend(on=on):
            return msgspec.structs.replace(state, suspended=on)
        case Bury(day=day):
            return msgspec.structs.replace(state, buried_day=day)
        case Flag(flag=flag):
            return msgspec.structs.replace(state, flag=flag)
        case Note(text=text):
            return msgspec.structs.replace(state, note=text)
        case Reset():
            return CardState(
                suspended=state.suspended,
                buried_day=state.buried_day,
                flag=state.flag,
                note=state.note,
            )
        case _:
            return state


def replay(events: Iterable[LogEvent]) -> dict[str, CardState]:
    """The states of all cards that the whole log speaks of."""
    log = sorted(events, key=lambda event: event.order)
    undone = {event.body.target for event in log if isinstance(event.body, Undo)}
    policies = {
        event.body.id: event.body.policy for event in log if isinstance(event.body, PolicySet)
    }
    fresh = CardState()
    states: dict[str, CardState] = {}
    for event in log:
        card = touched_card(event)
        if card is not None and event.uuid not in undone:
            states[card] = apply(states.get(card, fresh), event, policies)
    return states


def touched_card(event: LogEvent) -> str | None:
    """The card whose state the event changes, or None."""
    match event.body:
        case Review() | Suspend() | Bury() | Reset() | Flag() | Note() as body:
            return body.card
        case _:
            return None


def _review(
    state: CardState, event: LogEvent, body: Review, policies: Mapping[str, Policy]
) -> CardState:
    policy = policies.get(body.policy)
    if policy is None:
        raise StorageCorrupt(
            f"the answer {event.uuid} to {body.card} names the policy {body.policy!r}, "
            "which the log does not hold",
            hint="run `studytool doctor`; a backup from `studytool backup --list` may be whole",
        )
    rollover = Rollover(body.day_ends_at)
    after = scheduler.answer(state, body.rating, event.moment, policy, event.uuid, rollover)
    return msgspec.structs.replace(after, content_hash=body.content_hash)
