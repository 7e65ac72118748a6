"""How many cards the coming days bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studytool.schedule.model import CardState, Phase

if TYPE_CHECKING:
    from collections.abc import Iterable


def forecast(states: Iterable[CardState], day: int, days: int) -> tuple[int, ...]:
    """Cards due on each of `days` study days from `day` on, if nothing is answered in between.

    Whatever is overdue stands on the first day; new and suspended cards are left out; a buried
    card counts from the day after.
    """
    load = [0] * days
    for state in states:
        if state.phase is Phase.NEW or state.suspended:
            continue
        due = day if state.due_day is None else state.due_day
        if state.buried_day is not None:
            due = max(due, state.buried_day + 1)
        ahead = max(0, due - day)
        if ahead < days:
            load[ahead] += 1
    return tuple(load)
