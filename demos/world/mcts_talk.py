"""What the tree search demo asks, draws and says, and the game that is played afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import msgspec

from demos.world.board import (
    DRAWN,
    NAMES,
    ONGOING,
    START,
    X_WON,
    Position,
    Rules,
    best_moves,
    draw,
    judge,
    moves,
    play,
    reachable,
    x_to_move,
)
from demos.world.specs import MctsParams
from studytool.demo.events import (
    Cell,
    Claim,
    Edge,
    Event,
    Graph,
    Line,
    Note,
    Outcome,
    Prediction,
    Series,
    Table,
    Text,
    claim,
)

FIRST = ("the middle", "a corner", "an edge")
_WIDE, _DEEP = 3, 3  # of the tree that is drawn


class Tree(Protocol):
    """What a drawing needs of a node."""

    @property
    def position(self) -> Position: ...
    @property
    def children(self) -> Mapping[int, Tree]: ...
    @property
    def visits(self) -> int: ...
    @property
    def value(self) -> float: ...


class Grower(Protocol):
    """A search that can be asked for its tree."""

    def grow(self, position: Position, rng: Random) -> Tree: ...


@dataclass(frozen=True)
class Score:
    """Learned rules: the share of boards judged rightly, of games not lost, of misled simulations."""

    right: float
    kept: float
    misled: float


@dataclass
class Result:
    """What a run found; shares of games not lost against perfect play."""

    params: MctsParams
    first: int = 4
    random: float = 0.0
    true: dict[int, float] = field(default_factory=dict)
    learned: dict[int, Score] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Only the seed is turned: the setting that the bars are stated for."""
        return msgspec.structs.replace(self.params, seed=0) == MctsParams()


def questions(params: MctsParams) -> Iterator[Prediction]:
    """What to guess before anything is shown."""
    yield Prediction(
        "true",
        f"Tree search with the true rules and {params.simulations} random games a move meets "
        "perfect play, which never loses. How many per cent of its games does it not lose?",
        unit="%",
    )
    yield Prediction(
        "learned",
        f"The same search, with rules learned from {params.watched} watched games, which judge some "
        "95 of 100 boards rightly. How many per cent does it not lose now?",
        unit="%",
    )
    yield Prediction("first", "Where does the search put most visits on the empty board?", FIRST)


# ----------------------------------------------------------------------------- drawing


def board_text(id: str, title: str, root: Tree) -> Text:
    """The board with the visits of each free cell."""
    marks = {cell: str(child.visits) for cell, child in root.children.items()}
    return Text(id, title, draw(root.position, marks))


def search_table(root: Tree, perfect: Callable[[int], int]) -> Table:
    """Each move: visits, value, and what perfect play makes of it (for the side to move)."""
    sign = 1 if x_to_move(root.position) else -1
    word = {1: "wins", 0: "draws", -1: "loses"}
    rows: list[list[Cell]] = [
        [cell + 1, child.visits, round(child.value, 3), word[sign * perfect(cell)]]
        for cell, child in sorted(root.children.items(), key=lambda item: -item[1].visits)
    ]
    return Table(
        "search", "What the search thinks", ["cell", "visits", "value", "perfect play"], rows
    )


def tree_graph(root: Tree) -> Graph:
    """The most visited branches, three moves deep; edges carry visits."""
    nodes, edges = [f"now ({root.visits})"], []
    level = [(root, nodes[0], "")]
    for _ in range(_DEEP):
        following = []
        for node, name, line in level:
            most = sorted(node.children.items(), key=lambda item: -item[1].visits)[:_WIDE]
            for cell, child in most:
                if not child.visits:
                    continue
                mark = "X" if x_to_move(node.position) else "O"
                moved = f"{line} {mark}{cell + 1}".strip()
                label = f"{moved} ({child.visits})"
                nodes.append(label)
                edges.append(Edge(name, label, f"{child.value:.2f}", child.visits))
                following.append((child, label, moved))
        level = following
    return Graph("tree", "The search tree: moves, visits; edges: value", nodes, edges)


def true_plot(result: Result) -> Series:
    """Games not lost by simulations, with the true rules."""
    budgets = sorted(result.true)
    line = Line("true rules", budgets, [result.true[n] for n in budgets])
    levels = {"perfect play": 1.0, "random moves": result.random}
    title = "Games not lost against perfect play"
    return Series("true", title, [line], "simulations a move", "share", levels)


def learned_plot(result: Result) -> Series:
    """Games not lost by how much of the rules is right."""
    scores = sorted(result.learned.values(), key=lambda score: score.right)
    line = Line("learned rules", [s.right for s in scores], [s.kept for s in scores])
    true = result.true[result.params.simulations]
    levels = {"true rules": true, "random moves": result.random}
    title = f"The same search, {result.params.simulations} simulations, in a learned world"
    return Series("learned", title, [line], "boards judged rightly", "games not lost", levels)


def error_table(rules: Rules) -> Table:
    """Some boards that the learned rules judge wrongly."""
    wrong = [each for each in reachable() if rules[each] != judge(each)]
    step = max(1, len(wrong) // 8)
    rows: list[list[Cell]] = [
        [draw(each, dict.fromkeys(range(9), "·")).replace("\n", " / ").replace("─", "").replace("┼", "")
         .replace("/  /", "/"), NAMES[judge(each)], NAMES[rules[each]]]
        for each in wrong[::step][:8]
    ]  # fmt: skip
    title = f"Judged wrongly: {len(wrong)} of {len(reachable()):,} boards"
    return Table("errors", title, ["board", "in truth", "learned"], rows)


# --------------------------------------------------------------------------- the verdict


def conclude(result: Result) -> Iterator[Event]:
    """The table, the outcomes of the guesses, and the claims."""
    rows: list[list[Cell]] = [["random moves", None, round(result.random, 3), None]]
    rows += [
        [f"true rules, {n} simulations", 1.0, round(v, 3), 0.0] for n, v in result.true.items()
    ]
    rows += [
        [f"learned from {n:,} games", *(round(v, 3) for v in (s.right, s.kept, s.misled))]
        for n, s in result.learned.items()
    ]
    rows.append(["perfect play", 1.0, 1.0, None])
    columns = ["player", "boards right", "games not lost", "simulations misled"]
    yield Table("players", "Against perfect play", columns, rows)
    params = result.params
    true, score = result.true[params.simulations], result.learned[params.watched]
    yield Outcome("true", 100 * true, f"{true:.0%} not lost; random moves {result.random:.0%}")
    text = f"{score.right:.1%} of boards right, {score.kept:.0%} of games not lost"
    yield Outcome("learned", 100 * score.kept, text)
    kind = 0 if result.first == 4 else 1 if result.first % 2 == 0 else 2
    yield Outcome("first", FIRST[kind], f"cell {result.first + 1}")
    if result.plain:
        yield from _claims(result)
    else:
        yield Note("The bars are stated for the default settings, so not here.")


def _claims(result: Result) -> Iterator[Claim]:
    """Bounds with slack that hold on any seed."""
    true, score = result.true[300], result.learned[500]
    yield claim("true-rules", "300 simulations, true rules: games not lost", true, ">=", 0.75)
    text = "100 times the simulations lose less, by"
    yield claim("more-simulations", text, true - result.true[3], ">=", 0.3)
    yield claim(
        "nearly-right",
        f"commonly taught: rules that are right on {score.right:.1%} of boards plan nearly as well; "
        "share of the games that true rules keep",
        score.kept / true,
        ">=",
        0.95,
        expect="refuted",
    )
    text = "rules learned from 3,000 games come back to the true ones; games lost more"
    yield claim("all-learned", text, true - result.learned[3000].kept, "<=", 0.2)
    text = "share of simulations misled, over the share of boards judged wrongly"
    yield claim("seeks-errors", text, score.misled / (1 - score.right), ">=", 1.0)
    yield claim("random-loses", "random moves: games not lost", result.random, "<=", 0.25)


def finding(result: Result) -> str:
    """The sentence to say, with what was just measured."""
    params = result.params
    score, true = result.learned[params.watched], result.true[params.simulations]
    return (
        f"Search with the true rules kept {true:.0%} of its games against perfect play, where random "
        f"moves keep {result.random:.0%}. With rules learned from {params.watched:,} games, right on "
        f"{score.right:.1%} of boards, the same search kept {score.kept:.0%}: {score.misled:.0%} of its "
        f"simulations ended on one of the {1 - score.right:.1%} of boards that are judged wrongly. A "
        "planner looks for whatever promises a win, and a model's errors promise one: so measure a "
        "world model on the states that its planner visits."
    )


# ----------------------------------------------------------------------------- the game

HELP = (
    "`new` begins a game where you are X and move first, `new second` lets the search begin, "
    "`new learned` puts it into the learned world; then type a free cell from 1 to 9."
)


class Explorer:
    """A game against the search: typed cells, the board drawn, the tree after each of its moves."""

    def __init__(self, searches: Mapping[str, Callable[[], Grower]], rng: Random) -> None:
        self._searches, self._rng = searches, rng
        self._rules, self._board, self._you_are_x = "true", START, True

    def explore(self, request: str) -> Iterator[Event]:
        """`new`, `new second`, `new learned`, or a cell."""
        words = request.lower().split()
        if words[:1] == ["new"] and set(words[1:]) <= {"first", "second", "learned", "true"}:
            self._board = START
            self._you_are_x = "second" not in words
            self._rules = "learned" if "learned" in words else "true"
            yield from self._answer()
        elif len(words) == 1 and words[0].isdigit():
            yield from self._move(int(words[0]) - 1)
        else:
            yield Note(HELP)

    def _move(self, cell: int) -> Iterator[Event]:
        if judge(self._board) != ONGOING:
            yield Note(f"This game is over. {HELP}")
        elif cell not in moves(self._board):
            free = ", ".join(str(each + 1) for each in moves(self._board))
            yield Note(f"That cell is not free. Free are: {free}.")
        else:
            good = cell in best_moves(self._board)
            self._board = play(self._board, cell)
            if not good:
                yield Note("Perfect play would have chosen another cell.")
            yield from self._answer()

    def _answer(self) -> Iterator[Event]:
        """The search's move if it is its turn, then the board."""
        if judge(self._board) == ONGOING and x_to_move(self._board) != self._you_are_x:
            root = self._searches[self._rules]().grow(self._board, self._rng)
            yield board_text("thoughts", "Its visits", root)
            yield tree_graph(root)
            self._board = play(
                self._board, max(root.children, key=lambda c: root.children[c].visits)
            )
        outcome, you = judge(self._board), "X" if self._you_are_x else "O"
        if outcome == ONGOING:
            title = f"You are {you}; your move"
        elif outcome == DRAWN:
            title = "Drawn. Type new for another game"
        else:
            title = "You won" if (outcome == X_WON) == self._you_are_x else "The search won"
        yield Text("board", f"{title} ({self._rules} rules)", draw(self._board))
