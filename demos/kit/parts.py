"""The five parts of every world model, as small interfaces: state, transition, observation, reward, planner.

Each demo of the chapter composes the same five, so that a user sees the same picture every time:
what the world is, how it moves, what is seen of it, what it is worth, and who chooses. `diagram`
draws them with the part lit that the present stage is about.

S is whatever a state is in a demo: a number, a vector, a set of objects, a graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np

from studytool.demo.events import Text

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)
S_contra = TypeVar("S_contra", contravariant=True)
O_co = TypeVar("O_co", covariant=True)


class State(Protocol[S_co]):
    """What one needs to know of the world at a moment, and where it begins."""

    def start(self, rng: np.random.Generator) -> S_co:
        """A state to begin in."""
        ...


class Transition(Protocol[S]):
    """p(s' | s, a): what may follow a state and an action."""

    def step(self, state: S, action: int, rng: np.random.Generator) -> tuple[S, bool]:
        """One draw of the next state, and whether the episode ends there."""
        ...


class Observation(Protocol[S_contra, O_co]):
    """p(o | s): what is seen of a state; in a fully observed world, the state itself."""

    def see(self, state: S_contra, rng: np.random.Generator) -> O_co:
        """One draw of what is seen."""
        ...


class Reward(Protocol[S_contra]):
    """r(s, a, s'): what a step is worth; given, shaped or learned."""

    def of(self, state: S_contra, action: int, after: S_contra) -> float:
        """The reward of one step."""
        ...


class Planner(Protocol[S_contra]):
    """Chooses: by search, by a table of values, or by a policy learned earlier."""

    def choose(self, state: S_contra, rng: np.random.Generator) -> int:
        """The action to take in a state, or in a belief about it."""
        ...


#: In the order in which they are drawn.
PARTS = ("state", "transition", "observation", "reward", "planner")
_WIDTH = 68


def diagram(active: str, told: Mapping[str, str]) -> Text:
    """The five parts in a box each, the active one with a double frame; `told` says what each is here.

    Raises ValueError for a part that does not exist.
    """
    unknown = {active, *told} - set(PARTS)
    if unknown:
        raise ValueError(f"no such part: {', '.join(sorted(unknown))}; known: {', '.join(PARTS)}")
    lines: list[str] = []
    for number, part in enumerate(PARTS):
        lines += _box(part, told.get(part, ""), lit=part == active)
        if number < len(PARTS) - 1:
            lines.append(" " * 10 + "│")
    lines.append(" " * 10 + "└─ action ─> the world moves, and it begins again at state")
    return Text("parts", f"The five parts: {active} is lit", "\n".join(lines))


def _box(part: str, text: str, *, lit: bool) -> Sequence[str]:
    corners = "╔═╗║╚╝" if lit else "┌─┐│└┘"
    inside = f" {'▶' if lit else ' '} {part:<12}{text}"[: _WIDTH - 2].ljust(_WIDTH - 2)
    bar = corners[1] * (_WIDTH - 2)
    return (
        f"{corners[0]}{bar}{corners[2]}",
        f"{corners[3]}{inside}{corners[3]}",
        f"{corners[4]}{bar}{corners[5]}",
    )
