"""Noughts and crosses as two nine-bit sets: the rules, perfect play, and a drawing.

A position is (x, o), the cells each side has taken; x moves when both have equally many. The cells
are numbered 1 to 9 for people and 0 to 8 inside, row by row.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Position: TypeAlias = tuple[int, int]
#: What a position is: the game goes on, x has won, o has won, or the board is full.
ONGOING, X_WON, O_WON, DRAWN = range(4)
NAMES = ("goes on", "x won", "o won", "drawn")
#: Rules as a planner needs them: what each position is. True or learned.
Rules: TypeAlias = Mapping[Position, int]

FULL = 0b111_111_111
START: Position = (0, 0)
_ROWS = (0b111, 0b111_000, 0b111_000_000)
_COLUMNS = (0b001_001_001, 0b010_010_010, 0b100_100_100)
LINES = (*_ROWS, *_COLUMNS, 0b100_010_001, 0b001_010_100)


def has_line(cells: int) -> bool:
    """True when a side with these cells has three in a row."""
    return any(cells & line == line for line in LINES)


def judge(position: Position) -> int:
    """The true rules: what a position is."""
    x, o = position
    if has_line(x):
        return X_WON
    if has_line(o):
        return O_WON
    return DRAWN if x | o == FULL else ONGOING


def moves(position: Position) -> list[int]:
    """The free cells."""
    taken = position[0] | position[1]
    return [cell for cell in range(9) if not taken >> cell & 1]


def x_to_move(position: Position) -> bool:
    return position[0].bit_count() == position[1].bit_count()


def play(position: Position, cell: int) -> Position:
    """The position after the side to move takes a cell."""
    x, o = position
    return (x | 1 << cell, o) if x_to_move(position) else (x, o | 1 << cell)


def all_boards() -> list[Position]:
    """Every board with as many crosses as noughts or one more, over or not: 6,046 of them."""
    return [
        (x, o)
        for x in range(FULL + 1)
        for o in range(FULL + 1)
        if not x & o and x.bit_count() - o.bit_count() in (0, 1)
    ]


@cache
def reachable() -> tuple[Position, ...]:
    """Every position that can occur in a game, over or not: 5,478 of them."""
    seen, queue = {START}, [START]
    while queue:
        position = queue.pop()
        if judge(position) == ONGOING:
            following = {play(position, cell) for cell in moves(position)} - seen
            seen |= following
            queue += following
    return tuple(sorted(seen))


@cache
def minimax(position: Position) -> int:
    """The value for x under perfect play: 1, 0 or -1."""
    outcome = judge(position)
    if outcome != ONGOING:
        return {X_WON: 1, O_WON: -1, DRAWN: 0}[outcome]
    values = [minimax(play(position, cell)) for cell in moves(position)]
    return max(values) if x_to_move(position) else min(values)


def best_moves(position: Position) -> list[int]:
    """All moves that keep the value of the position."""
    value = minimax(position)
    return [cell for cell in moves(position) if minimax(play(position, cell)) == value]


def planes(positions: list[Position]) -> NDArray[np.float32]:
    """What a network sees: (n, 18), cells of x and then of o."""
    bits = np.array(positions)[:, :, None] >> np.arange(9) & 1
    return bits.reshape(len(positions), 18).astype(np.float32)


def draw(position: Position, marks: Mapping[int, str] | None = None) -> str:
    """Three lines of text; free cells show their number, or what `marks` has for them."""
    x, o = position
    cells = [
        "X" if x >> cell & 1 else "O" if o >> cell & 1 else (marks or {}).get(cell, str(cell + 1))
        for cell in range(9)
    ]
    wide = max(map(len, cells))
    rows = (" │ ".join(cell.center(wide) for cell in cells[i : i + 3]) for i in (0, 3, 6))
    return ("\n" + "─┼─".join(["─" * wide] * 3) + "\n").join(rows)
