"""Monte Carlo tree search, first with the true rules, then with rules that were learned.

To choose a move, imagine many games. Each simulation walks down the tree of what was imagined so
far, adds one position, finishes the game there at random, and reports back how it ended. Moves
that did well are walked more often; moves seldom tried get a bonus (Kocsis and Szepesvári 2006,
UCT). AlphaZero replaces the random games by a value and weights the bonus by a prior (PUCT);
MuZero (Schrittwieser et al. 2020, arXiv:1911.08265) also *learns* the rules it imagines with.

What does it cost when the learned rules are a little wrong? Here a small network has watched random
games of noughts and crosses and says of a board whether the game goes on, is won or drawn. It is
right on nineteen boards of twenty and more, and the planner loses again and again to perfect play.
A planner does not meet a model's errors by chance: what looks like a win is where it goes.

    python -m demos.world.mcts --select puct --c 2
    python -m demos.world.mcts --explore          then: new, and a cell from 1 to 9
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Protocol, TypeAlias, TypeVar

import torch

from demos.kit.adamw import AdamW
from demos.kit.parts import diagram
from demos.world.board import (
    DRAWN,
    ONGOING,
    START,
    X_WON,
    Position,
    Rules,
    all_boards,
    best_moves,
    judge,
    minimax,
    moves,
    planes,
    play,
    reachable,
    x_to_move,
)
from demos.world.mcts_talk import (
    Explorer,
    Result,
    Score,
    board_text,
    conclude,
    error_table,
    finding,
    learned_plot,
    questions,
    search_table,
    tree_graph,
    true_plot,
)
from demos.world.specs import MCTS, MctsParams
from studytool.demo.events import Event, Finding, Progress, Stage, claim
from studytool.demo.spec import Lab, main

R = TypeVar("R")
Steps: TypeAlias = Generator[Event, None, R]

# %% [markdown]
# ## 1. The tree
# A node is a position that was imagined. It counts how often simulations came through and what
# they reported, seen by the side that moved into it: 1 for a win, 1/2 for a draw, 0 for a loss.


@dataclass
class Node:
    """One imagined position; `total / visits` is how good it was to move here."""

    position: Position
    children: dict[int, Node] = field(default_factory=dict)
    visits: int = 0
    total: float = 0.0

    @property
    def value(self) -> float:
        return self.total / self.visits if self.visits else 0.5


def uct(parent: int, child: int, value: float, c: float) -> float:
    """Value plus c √(ln N / n): the bonus falls with visits and never quite ends (UCB1)."""
    return value + c * math.sqrt(math.log(parent) / child) if child else math.inf


def puct(parent: int, child: int, value: float, c: float, prior: float) -> float:
    """Value plus c P √N / (1 + n): AlphaZero's rule; a move with little prior can wait for ever."""
    return value + c * prior * math.sqrt(parent) / (1 + child)


def outcome_for_x(outcome: int) -> float:
    """1, 1/2 or 0; a board that is full and yet said to go on counts as drawn."""
    return 1.0 if outcome == X_WON else 0.5 if outcome in (DRAWN, ONGOING) else 0.0


@dataclass
class Search:
    """Monte Carlo tree search under given rules: `choose` is a planner's one question."""

    rules: Rules
    simulations: int
    select: str = "uct"
    c: float = 1.4
    misled: int = 0  # simulations that ended on a board that the rules judge wrongly
    ended: int = 0

    def choose(self, position: Position, rng: Random) -> int:
        """The move that was walked most."""
        root = self.grow(position, rng)
        return max(root.children, key=lambda cell: (root.children[cell].visits, -cell))

    def grow(self, position: Position, rng: Random) -> Node:
        """The tree after all simulations; the root is never taken for the end of the game."""
        root = Node(position)
        for _ in range(self.simulations):
            self._simulate(root, rng)
        return root

    def _simulate(self, root: Node, rng: Random) -> None:
        path, node = [root], root
        while node is root or (node.visits > 0 and self.rules[node.position] == ONGOING):
            free = moves(node.position)
            if not free:
                break
            node = self._descend(node, free)  # 1 select, 2 expand
            path.append(node)
            if node.visits == 0:
                break
        for_x = self._finish(node.position, rng)  # 3 evaluate
        for each in path:  # 4 back up
            each.visits += 1
            each.total += 1 - for_x if x_to_move(each.position) else for_x

    def _descend(self, node: Node, free: list[int]) -> Node:
        best, chosen = -math.inf, free[0]
        for cell in free:
            child = node.children.get(cell)
            count, value = (child.visits, child.value) if child else (0, 0.5)
            if self.select == "uct":
                score = uct(node.visits + 1, count, value, self.c)
            else:
                score = puct(node.visits + 1, count, value, self.c, 1 / len(free))
            if score > best:
                best, chosen = score, cell
        return node.children.setdefault(chosen, Node(play(node.position, chosen)))

    def _finish(self, position: Position, rng: Random) -> float:
        """Random moves until the rules say that it is over; what that is worth to x."""
        while (outcome := self.rules[position]) == ONGOING and (free := moves(position)):
            position = play(position, rng.choice(free))
        self.ended += 1
        self.misled += outcome != judge(position)
        return outcome_for_x(outcome)


# %% [markdown]
# ## 2. Rules that are learned
# The network never hears of lines. It sees positions of random games and what each one was.


def watch(games: int, rng: Random) -> list[Position]:
    """The positions of so many random games, each with its end."""
    seen = []
    for _ in range(games):
        position = START
        while judge(position) == ONGOING:
            position = play(position, rng.choice(moves(position)))
            seen.append(position)
    return seen


def learn_rules(
    seen: list[Position], steps: int, generator: torch.Generator
) -> dict[Position, int]:
    """A network of 18-64-64-4 fitted to what was seen, asked about every board there is."""
    torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
    net = torch.nn.Sequential(
        torch.nn.Linear(18, 64), torch.nn.ReLU(),
        torch.nn.Linear(64, 64), torch.nn.ReLU(),
        torch.nn.Linear(64, 4),
    )  # fmt: skip
    inputs, labels = torch.from_numpy(planes(seen)), torch.tensor([judge(each) for each in seen])
    optimiser = AdamW(net.parameters(), decay=0.0)
    for _ in range(steps):
        rows = torch.randint(len(seen), (128,), generator=generator)
        loss = torch.nn.functional.cross_entropy(net(inputs[rows]), labels[rows])
        optimiser.clear()
        loss.backward()
        optimiser.step(3e-3)
    boards = all_boards()
    with torch.no_grad():
        said = net(torch.from_numpy(planes(boards))).argmax(1).tolist()
    return dict(zip(boards, said, strict=True))


def accuracy(rules: Rules) -> float:
    """The share of all positions of the game that the rules judge rightly."""
    return sum(rules[each] == judge(each) for each in reachable()) / len(reachable())


# %% [markdown]
# ## 3. Games against perfect play


class Player(Protocol):
    def choose(self, position: Position, rng: Random) -> int: ...


class Perfect:
    """Minimax; among equally good moves any one."""

    def choose(self, position: Position, rng: Random) -> int:
        return rng.choice(best_moves(position))


class Anything:
    """Random moves: the level that must be beaten."""

    def choose(self, position: Position, rng: Random) -> int:
        return rng.choice(moves(position))


def match(player: Player, games: int, rng: Random) -> Iterator[bool]:
    """Whether each game against perfect play was not lost; who begins alternates."""
    perfect = Perfect()
    for number in range(games):
        crosses, position = number % 2 == 0, START
        while judge(position) == ONGOING:
            mover = player if x_to_move(position) == crosses else perfect
            position = play(position, mover.choose(position, rng))
        yield judge(position) == DRAWN or (judge(position) == X_WON) == crosses


# %% [markdown]
# ## 4. The run

TRUE: dict[Position, int] = {board: judge(board) for board in all_boards()}
#: A position where the side to move (x) must take cell 3: everything else loses.
PUZZLE: Position = (1 << 4 | 1 << 8, 1 << 0 | 1 << 1)
_WATCHED = (20, 150, 500, 3000)


def run(params: MctsParams, lab: Lab) -> Steps[Explorer]:
    """Yields the lesson; returns what plays a typed game afterwards."""
    torch.set_num_threads(lab.threads)
    yield Stage("ask", "guess before you see it")
    yield from questions(params)
    yield diagram("planner", {
        "state": "a board of nine cells, and whose turn it is",
        "transition": "the true rules, or a network's guess of them",
        "observation": "everything: nothing is hidden on this board",
        "reward": "1 won, 1/2 drawn, 0 lost, at the end only",
        "planner": f"tree search, {params.simulations} simulations a move",
    })  # fmt: skip
    result = Result(params)
    yield from _checks(params, lab)
    yield from _look(params, lab, result)
    yield from _true(params, lab, result)
    rules = yield from _learned(params, lab, result)
    yield from conclude(result)
    yield Finding(finding(result))
    return Explorer(_searches(params, rules), rng_of(lab, 9))


def rng_of(lab: Lab, stream: int) -> Random:
    """Python's own generator, which is the faster one for single choices."""
    return Random(int(lab.rng(stream).integers(2**63)))


def _searches(params: MctsParams, rules: Rules) -> dict[str, Callable[[], Search]]:
    def maker(known: Rules) -> Callable[[], Search]:
        return lambda: Search(known, params.simulations, params.select, params.c)

    return {"true": maker(TRUE), "learned": maker(rules)}


def _checks(params: MctsParams, lab: Lab) -> Iterator[Event]:
    yield Stage("check", "search against minimax, which has seen every game to its end")
    rng = rng_of(lab, 1)
    open_positions = [each for each in reachable() if judge(each) == ONGOING]
    asked = [p for p in rng.sample(open_positions, 300) if len(best_moves(p)) < len(moves(p))][:40]
    search = Search(TRUE, 1000, params.select, params.c)
    right = sum(search.choose(each, rng) in best_moves(each) for each in asked)
    text = f"with 1,000 simulations and the true rules the move is perfect; share of {len(asked)}"
    yield claim("minimax", text, right / len(asked), ">=", 0.9)


def _look(params: MctsParams, lab: Lab, result: Result) -> Iterator[Event]:
    """The tree on the empty board and on one where a single move does not lose."""
    yield Stage("look", f"one search of {params.simulations} simulations, drawn")
    search = Search(TRUE, params.simulations, params.select, params.c)
    root = search.grow(START, rng_of(lab, 2))
    result.first = max(root.children, key=lambda cell: root.children[cell].visits)
    yield board_text("opening", "Visits on the empty board", root)
    root = search.grow(PUZZLE, rng_of(lab, 3))
    yield board_text("puzzle", "X to move: visits of each free cell", root)
    yield search_table(root, lambda cell: minimax(play(PUZZLE, cell)))
    yield tree_graph(root)


def _true(params: MctsParams, lab: Lab, result: Result) -> Iterator[Event]:
    yield Stage("true rules", f"{params.games} games against perfect play at each budget")
    games = list(match(Anything(), 400, rng_of(lab, 4)))
    result.random = sum(games) / len(games)
    budgets = sorted({n for n in (3, 10, 30, 100) if n < params.simulations} | {params.simulations})
    for number, budget in enumerate(budgets):
        search = Search(TRUE, budget, params.select, params.c)
        games = []
        for kept in match(search, params.games, rng_of(lab, 20 + number)):
            games.append(kept)
            yield Progress(len(games), params.games, "game", f"{budget} simulations")
        result.true[budget] = sum(games) / len(games)
        yield true_plot(result)


def _learned(params: MctsParams, lab: Lab, result: Result) -> Steps[Rules]:
    """The same search with rules learned from more and more games; returns those of `watched`."""
    kept: Rules = TRUE
    for number, games in enumerate(sorted({*_WATCHED, params.watched})):
        yield Stage("learned rules", f"a network watches {games:,} random games, then plans")
        generator = torch.Generator().manual_seed(int(lab.rng(30).integers(2**31)))
        rules = learn_rules(watch(games, rng_of(lab, 31 + number)), params.fitting, generator)
        search = Search(rules, params.simulations, params.select, params.c)
        results = []
        for held in match(search, params.games, rng_of(lab, 40 + number)):
            results.append(held)
            yield Progress(len(results), params.games, "game", f"{games:,} games watched")
        misled = search.misled / search.ended
        score = Score(accuracy(rules), sum(results) / len(results), misled)
        result.learned[games] = score
        yield learned_plot(result)
        if games == params.watched:
            kept = rules
    yield error_table(kept)
    return kept


if __name__ == "__main__":
    main(MCTS)
