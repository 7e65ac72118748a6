"""A process that answers cards and may die at any point; run by test_kill.py, not by pytest.

It loads everything once and then forks a child for each line on stdin, so that a kill costs
milliseconds. A line is a Plan as JSON. On stdout come, one a line:

    child <pid>             the child is there and the parent may kill it
    ack <uuid> [<uuid> …]   a step was committed: these events must be in the log for ever
    dying <point>           the child is about to kill itself; whatever follows is lost
    gone <status>           the child ended
"""

from __future__ import annotations

import os
import random
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, NoReturn

import msgspec

from studytool.clock import FixedClock
from studytool.deck.model import Card, CardId, Kind, Level, Located, Place
from studytool.paths import Paths
from studytool.schedule.fsrs import DEFAULT_WEIGHTS
from studytool.schedule.model import Body, Bury, Policy, Rating, Review
from studytool.store import Store, open_store

DECK = "kills"
CARDS = 40
STEPS = 400


class Plan(msgspec.Struct, frozen=True):
    """Where the child's database is, what it does (by seed), and where it kills itself.

    `point` "statement": before the `count`-th SQL statement; "instruction": inside one, at the
    `count`-th instruction of SQLite's virtual machine; "returned": after the commit of the
    `count`-th step and before its acknowledgement. None: the parent kills.
    """

    root: str
    seed: int
    round: int
    point: Literal["statement", "instruction", "returned"] | None = None
    count: int = 0


class Death:
    """Counts points between BEGIN and the acknowledgement, and kills this process at the given one."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.left = plan.count
        self.inside = False

    def arm(self, store: Store) -> None:
        """Listen to SQLite itself: nothing in the program knows of this."""
        raw = store.database.raw
        raw.set_trace_callback(self.statement)
        if self.plan.point == "instruction":
            raw.set_progress_handler(self.instruction, 1)

    def statement(self, text: str) -> None:
        if text.startswith("BEGIN"):
            self.inside = True
        if self.inside and self.plan.point == "statement":
            self.count_down(text.split(maxsplit=1)[0])

    def instruction(self) -> int:
        if self.inside:
            self.count_down("instruction")
        return 0

    def returned(self) -> None:
        if self.plan.point == "returned":
            self.count_down("returned")

    def acknowledged(self) -> None:
        self.inside = False

    def count_down(self, where: str) -> None:
        self.left -= 1
        if self.left <= 0:
            say(f"dying {where}")
            os.kill(os.getpid(), signal.SIGKILL)


def say(line: str) -> None:
    """One write, so that a line is on the pipe whole or not at all."""
    os.write(1, f"{line}\n".encode())


def located(number: int, text: str) -> Located:
    card = Card(
        id=CardId(f"card-{number}"),
        question=f"Question {number}?",
        chapter=f"chapter-{number % 3}",
        area="A",
        topic="topic",
        level=Level.EASY,
        kind=Kind.EXPLAIN,
        answer=text,
        no_demo="a test",
    )
    return Located(card, Place("cards.md", number + 1), f"{number}-{text}")


def synchronise(store: Store, text: str) -> None:
    cards = [located(number, text) for number in range(CARDS)]
    store.sync_files(DECK, "folder", [("cards.md", text, cards)], [])


def child(plan: Plan) -> NoReturn:
    """Answer, undo and synchronise until killed, or until the steps run out."""
    root = Path(plan.root)
    paths = Paths(root / "data", root / "config", root / "cache", root / "state")
    start = datetime(2026, 11, 23, 8, tzinfo=UTC) + timedelta(hours=5 * plan.round)
    clock = FixedClock(start)
    death = Death(plan)
    rng = random.Random(plan.seed)
    store = open_store(paths, clock)
    synchronise(store, "first")
    policy = store.ensure_policy(Policy(weights=DEFAULT_WEIGHTS))
    death.arm(store)
    say(f"child {os.getpid()}")
    for number in range(STEPS):
        clock.advance(timedelta(seconds=rng.randrange(0, 600)))
        uuids = step(store, rng, policy, f"text {plan.round} {number}")
        death.returned()
        if uuids:
            say("ack " + " ".join(uuids))
        death.acknowledged()
    store.close()
    os._exit(0)


def step(store: Store, rng: random.Random, policy: str, text: str) -> list[str]:
    """One thing a user does; returns the events it wrote."""
    choice = rng.random()
    if choice < 0.1:
        undone = store.undo()
        return [] if undone is None else [undone[0].uuid]
    if choice < 0.15:
        synchronise(store, text)
        return []
    card = f"card-{rng.randrange(CARDS)}"
    rating = rng.choice(list(Rating))
    bodies: list[Body] = [
        Review(card=card, rating=rating, duration_ms=rng.randrange(9000), policy=policy)
    ]
    if choice < 0.3:
        bodies.append(Bury(card=f"card-{rng.randrange(CARDS)}", day=store.moment().day))
    return [event.uuid for event in store.record_many(bodies)]


def main() -> None:
    for line in sys.stdin:
        plan = msgspec.json.decode(line, type=Plan)
        pid = os.fork()
        if pid == 0:
            child(plan)
        _, status = os.waitpid(pid, 0)
        say(f"gone {status}")


if __name__ == "__main__":
    main()
