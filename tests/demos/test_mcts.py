"""Tree search: rules against brute force, search against minimax, learned rules, the game."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from demos.world import mcts as demo
from demos.world.board import (
    DRAWN,
    ONGOING,
    START,
    X_WON,
    Position,
    all_boards,
    best_moves,
    draw,
    has_line,
    judge,
    minimax,
    moves,
    planes,
    reachable,
    x_to_move,
)
from demos.world.mcts_talk import FIRST, Explorer
from demos.world.specs import MCTS, MctsParams
from studytool.demo.events import (
    Claim,
    Event,
    Finding,
    Graph,
    Note,
    Outcome,
    Prediction,
    Table,
    Text,
)
from tests.demos.static_kit import check_default, of, one
from tests.demos.static_kit import play as run_demo

torch.set_num_threads(1)


def small(**changes: Any) -> MctsParams:
    return MctsParams(**{"simulations": 12, "games": 2, "fitting": 20, "watched": 20, **changes})


# ------------------------------------------------------------------------------ the rules


def as_text(position: Position) -> str:
    return "".join(
        "X" if position[0] >> i & 1 else "O" if position[1] >> i & 1 else "." for i in range(9)
    )


def slow_winner(board: str) -> str:
    rows = [board[i : i + 3] for i in (0, 3, 6)]
    columns = [board[i::3] for i in range(3)]
    slants = [board[0] + board[4] + board[8], board[2] + board[4] + board[6]]
    for side in "XO":
        if side * 3 in rows + columns + slants:
            return side
    return ""


def slow_value(board: str, mover: str) -> int:
    """Minimax once more, over strings and without a cache."""
    winner = slow_winner(board)
    if winner or "." not in board:
        return {"X": 1, "O": -1, "": 0}[winner]
    other = "O" if mover == "X" else "X"
    values = [
        slow_value(board[:i] + mover + board[i + 1 :], other) for i in range(9) if board[i] == "."
    ]
    return max(values) if mover == "X" else min(values)


def test_the_numbers_of_boards() -> None:
    assert len(all_boards()) == 6046
    assert len(reachable()) == 5478
    assert set(reachable()) < set(all_boards())
    ends = [judge(each) for each in reachable()]
    assert (ends.count(X_WON), ends.count(2), ends.count(DRAWN)) == (626, 316, 16)


@given(st.sampled_from(reachable()))
@settings(max_examples=60, deadline=None)
def test_rules_and_values_equal_brute_force(position: Position) -> None:
    board = as_text(position)

    assert (judge(position) == X_WON) == (slow_winner(board) == "X")
    if board.count(".") <= 6:
        assert minimax(position) == slow_value(board, "X" if x_to_move(position) else "O")


def test_perfect_play_draws() -> None:
    assert minimax(START) == 0
    assert best_moves(START) == list(range(9))
    assert best_moves(demo.PUZZLE) == [2]
    assert all(demo.match(demo.Perfect(), 6, Random(0)))


def test_the_network_sees_both_sides() -> None:
    (row,) = planes([(0b1, 0b100)])

    assert row.tolist() == [1, *[0] * 8, 0, 0, 1, *[0] * 6]


def test_boards_are_drawn() -> None:
    assert draw((0b1, 0b10)).split("\n")[0] == "X │ O │ 3"
    assert draw((0b1, 0b10), {2: "120"}).split("\n")[0].split("│")[2] == " 120"


# ----------------------------------------------------------------------------- the search


def test_the_selection_rules_by_hand() -> None:
    assert demo.uct(100, 25, 0.5, 2.0) == pytest.approx(0.5 + 2 * math.sqrt(math.log(100) / 25))
    assert demo.uct(10, 0, 0.5, 1.0) == math.inf
    assert demo.puct(100, 4, 0.6, 1.5, 0.2) == pytest.approx(0.6 + 1.5 * 0.2 * 10 / 5)
    assert demo.puct(100, 0, 0.5, 1.0, 0.0) == 0.5  # no prior, no bonus: it may never be tried


@pytest.mark.parametrize("select", ["uct", "puct"])
def test_visits_and_values_add_up(select: str) -> None:
    root = demo.Search(demo.TRUE, 200, select).grow(START, Random(0))

    def check(node: demo.Node) -> None:
        inside = sum(child.visits for child in node.children.values())
        ends = node.visits - inside  # simulations that stopped here
        assert ends >= 0
        if node.children:
            assert ends <= (0 if node is root else 1)
            # What is good for the mover into a child is bad for the mover into its parent.
            total = sum(child.visits - child.total for child in node.children.values())
            assert abs(total - node.total) <= ends + 1e-9
        for child in node.children.values():
            assert 0 <= child.total <= child.visits
            check(child)

    assert root.visits == 200
    check(root)


@pytest.mark.parametrize(("select", "c"), [("uct", 1.4), ("puct", 2.0)])
def test_with_many_simulations_moves_are_perfect(select: str, c: float) -> None:
    rng = Random(0)
    open_positions = [p for p in reachable() if judge(p) == ONGOING]
    asked = [p for p in rng.sample(open_positions, 150) if len(best_moves(p)) < len(moves(p))][:25]
    search = demo.Search(demo.TRUE, 1500, select, c)

    right = [search.choose(each, rng) in best_moves(each) for each in asked]

    assert np.mean(right) >= 0.92


def test_a_search_that_helps_the_other_side_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "outcome_for_x", lambda outcome: 1.0 if outcome == 2 else 0.0)

    assert demo.Search(demo.TRUE, 300).choose(demo.PUZZLE, Random(0)) != 2


def test_values_near_those_of_perfect_play_on_a_forced_win() -> None:
    # X holds 1 and 2, O holds 4 and 5: X wins with 3, and everything else lets O win with 6.
    position = (0b11, 0b11000)
    root = demo.Search(demo.TRUE, 800).grow(position, Random(0))

    assert root.children[2].visits > 600
    assert root.children[2].value == 1.0


def test_the_root_is_searched_even_if_the_rules_call_it_over() -> None:
    wrong = {**demo.TRUE, START: DRAWN}

    assert len(demo.Search(wrong, 50).grow(START, Random(0)).children) == 9


def test_wrong_rules_mislead_the_count() -> None:
    always = dict.fromkeys(all_boards(), ONGOING)  # no game is ever over
    search = demo.Search(always, 60)
    search.grow(START, Random(0))
    true = demo.Search(demo.TRUE, 60)
    true.grow(START, Random(0))

    assert search.misled == search.ended == 60
    assert true.misled == 0


def test_searches_repeat_with_their_seed() -> None:
    def tree(seed: int) -> list[int]:
        root = demo.Search(demo.TRUE, 100).grow(START, Random(seed))
        return [root.children[cell].visits for cell in sorted(root.children)]

    assert tree(1) == tree(1) != tree(2)


# --------------------------------------------------------------------------- learned rules


def test_watched_games_end_and_stay_within_the_rules() -> None:
    seen = demo.watch(30, Random(0))

    assert sum(judge(each) != ONGOING for each in seen) == 30
    assert set(seen) <= set(reachable())


def test_learning_beats_saying_that_every_game_goes_on() -> None:
    seen = demo.watch(300, Random(0))
    rules = demo.learn_rules(seen, 250, torch.Generator().manual_seed(0))
    naive = demo.accuracy(dict.fromkeys(all_boards(), ONGOING))

    assert set(rules) == set(all_boards())
    assert naive == pytest.approx(1 - 958 / 5478)
    assert demo.accuracy(rules) > naive + 0.03
    assert demo.accuracy(demo.TRUE) == 1.0


def test_random_moves_lose_to_perfect_play() -> None:
    kept = list(demo.match(demo.Anything(), 200, Random(0)))

    assert 0.03 < np.mean(kept) < 0.25


# -------------------------------------------------------------------------------- the run


def test_the_same_seed_gives_the_same_events(tmp_path: Path) -> None:
    first, second = (run_demo(demo.run, small(), tmp_path)[0] for _ in range(2))
    other = run_demo(demo.run, small(seed=1), tmp_path)[0]

    assert first == second
    assert first != other


def test_a_run_tells_all_of_it(tmp_path: Path) -> None:
    events, explorer = run_demo(demo.run, small(select="puct", watched=30), tmp_path)

    assert {each.id for each in of(Claim, events)} == {"minimax"}
    asked = {each.id for each in of(Prediction, events)}
    outcomes = {each.prediction: each.value for each in of(Outcome, events)}
    assert asked == set(outcomes)
    assert outcomes["first"] in FIRST
    players = [str(row[0]) for row in one(Table, events, "players").rows]
    assert players == [
        "random moves", "true rules, 3 simulations", "true rules, 10 simulations",
        "true rules, 12 simulations", "learned from 20 games", "learned from 30 games",
        "learned from 150 games", "learned from 500 games", "learned from 3,000 games",
        "perfect play",
    ]  # fmt: skip
    tree = one(Graph, events, "tree")
    assert tree.nodes[0] == "now (12)"
    assert {edge.source for edge in tree.edges} | {edge.target for edge in tree.edges} == set(
        tree.nodes
    )
    assert len(of(Finding, events)) == 1
    assert isinstance(explorer, Explorer)


def game(explorer: Explorer, request: str) -> tuple[list[Event], str]:
    events = list(explorer.explore(request))
    boards = [event for event in events if isinstance(event, Text) and event.id == "board"]
    return events, boards[-1].title + "\n" + boards[-1].text if boards else ""


def test_a_game_is_played_to_its_end() -> None:
    explorer = Explorer({"true": lambda: demo.Search(demo.TRUE, 400)}, Random(0))
    _, board = game(explorer, "new")
    assert "You are X; your move" in board
    assert "9" in board
    rng, turns = Random(1), 0
    while "your move" in board:
        free = [word for word in board.split() if word.isdigit()]
        events, board = game(explorer, rng.choice(free))
        turns += 1
    assert turns <= 5
    assert any(isinstance(event, Graph) for event in events) or "Drawn" in board or "won" in board
    (note,) = explorer.explore("1")
    assert isinstance(note, Note)
    assert "over" in note.text


def test_the_search_may_begin_and_bad_input_gets_help() -> None:
    explorer = Explorer({"true": lambda: demo.Search(demo.TRUE, 60)}, Random(0))
    events, board = game(explorer, "new second")
    assert isinstance(events[0], Text)
    assert "You are O" in board
    assert board.count("X") == 1
    taken = next(str(n) for n in range(1, 10) if str(n) not in board.split())
    for wrong, said in (
        (taken, "not free"),
        ("hello", "new"),
        ("0", "not free"),
        ("new game", "new"),
    ):
        (note,) = explorer.explore(wrong)
        assert isinstance(note, Note)
        assert said in note.text


def test_a_losing_move_is_told() -> None:
    explorer = Explorer({"true": lambda: demo.Search(demo.TRUE, 300)}, Random(0))
    list(explorer.explore("new"))
    explorer._board = demo.PUZZLE
    events = list(explorer.explore("4"))

    assert isinstance(events[0], Note)
    assert "Perfect play" in events[0].text
    board = next(e for e in events if isinstance(e, Text) and e.id == "board")
    assert "The search won" in board.title
    assert has_line(0b111)


# ------------------------------------------------------------- the default run, for real


def check(events: list[Event]) -> dict[str, float]:
    check_default(events, MCTS.info.claims, {"nearly-right"})
    values = {each.id: each.value for each in of(Claim, events)}
    rows = {str(row[0]): row for row in one(Table, events, "players").rows}
    values["learned"] = float(rows["learned from 500 games"][2] or 0)
    values["boards"] = float(rows["learned from 500 games"][1] or 0)
    return values


@pytest.mark.demo
def test_the_default_run_keeps_its_claims(tmp_path: Path) -> None:
    check(run_demo(demo.run, MctsParams(), tmp_path)[0])


@pytest.mark.seeds
def test_the_bar_over_seeds(tmp_path: Path) -> None:
    found = [
        check(run_demo(demo.run, msgspec.structs.replace(MctsParams(), seed=seed), tmp_path)[0])
        for seed in range(4)
    ]

    print(found)
    assert float(np.mean([each["true-rules"] for each in found])) >= 0.85
    assert float(np.mean([each["learned"] for each in found])) <= 0.70
    assert all(0.93 <= each["boards"] <= 0.98 for each in found)
