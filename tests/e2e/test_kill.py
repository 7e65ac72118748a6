"""kill -9 at any moment loses no acknowledged answer.

A real process answers cards, undoes and synchronises, and says so after each commit; it is
killed by its parent at random moments, and by itself at counted points between BEGIN and the
acknowledgement: before a statement, inside one, and after the commit but before the word of it.
After each kill the file must be whole, every acknowledged event in the log, every step whole
or absent, and the projection equal to the log.

    pytest tests/e2e/test_kill.py                 ten kills
    pytest tests/e2e/test_kill.py -m long -s      150 kills, 90 of them at counted points
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
import pytest

from studytool.clock import FixedClock
from studytool.paths import Paths
from studytool.schedule.model import PolicySet
from studytool.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.name == "nt", reason="fork and SIGKILL are POSIX's")

Point = Literal["statement", "instruction", "returned"]
SCRIPT = Path(__file__).with_name("answering.py")


class Round(NamedTuple):
    """One life of the process: the events it acknowledged, how it ended, and where."""

    acknowledged: list[list[str]]
    status: int
    died_at: str


class Host:
    """The process that forks the ones that are killed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def live(self, number: int, rng: random.Random, point: Point | None, count: int) -> Round:
        """Let a child live until it is killed; without a `point` it is killed from here."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        plan = {
            "root": str(self.root),
            "seed": rng.randrange(2**31),
            "round": number,
            "point": point,
            "count": count,
        }
        self.process.stdin.write(msgspec.json.encode(plan).decode() + "\n")
        self.process.stdin.flush()
        acknowledged: list[list[str]] = []
        pid, died_at = 0, "random"
        enough = rng.randrange(0, 12)
        for line in self.process.stdout:
            word, *rest = line.split()
            if word == "gone":
                return Round(acknowledged, int(rest[0]), died_at)
            if word == "child":
                pid = int(rest[0])
            elif word == "ack":
                acknowledged.append(rest)
            elif word == "dying":
                died_at = rest[0]
            if point is None and pid and len(acknowledged) >= enough:
                time.sleep(rng.random() * 0.004)  # not to wait for it, but to hit any moment
                os.kill(pid, signal.SIGKILL)
                pid = 0
        raise AssertionError("the host went away")

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    yield host
    host.close()


def test_ten_kills_lose_nothing(host: Host) -> None:
    kill(host, seed=1, randomly=4, at_points=6)


@pytest.mark.long
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_many_kills_lose_nothing(host: Host, seed: int) -> None:
    kill(host, seed=seed, randomly=20, at_points=30)


def kill(host: Host, *, seed: int, randomly: int, at_points: int) -> None:
    rng = random.Random(seed)
    points: list[Point | None] = [None] * randomly
    kinds: tuple[Point, ...] = ("statement", "instruction", "returned")
    points += [kinds[number % 3] for number in range(at_points)]
    rng.shuffle(points)
    kills: Counter[str] = Counter()
    acknowledged: list[list[str]] = []
    for number, point in enumerate(points):
        farthest = {"statement": 60, "instruction": 4000, "returned": 12}[point or "returned"]
        life = host.live(number, rng, point, rng.randrange(1, farthest))
        assert os.WIFSIGNALED(life.status), f"round {number} ended by itself: {life}"
        assert os.WTERMSIG(life.status) == signal.SIGKILL
        assert (life.died_at == "random") == (point is None)
        kills[point or "random"] += 1
        acknowledged += life.acknowledged
        check(host.root, number, acknowledged)
    total = sum(kills.values())
    injected = total - kills["random"]
    steps = len(acknowledged)
    print(
        f"\n{total} kills, {injected} of them at points between BEGIN and the acknowledgement "
        f"({dict(kills)}); {steps} acknowledged steps, none lost"
    )
    assert (kills["random"], injected) == (randomly, at_points)
    assert steps > total


def check(root: Path, number: int, acknowledged: list[list[str]]) -> None:
    """The database after a kill: whole, complete, and its state what the log says."""
    paths = Paths(root / "data", root / "config", root / "cache", root / "state")
    clock = FixedClock(datetime(2026, 11, 23, 8, tzinfo=UTC) + timedelta(hours=5 * number + 4))
    with open_store(paths, clock) as store:
        report = store.examine()
        assert report.sound, report
        log = list(store.events())
        known = {event.uuid for event in log}
        lost = [uuid for step in acknowledged for uuid in step if uuid not in known]
        assert lost == []
        # A life can have committed one step without living to say so, and no more than one;
        # a step is there whole or not at all.
        said = {step[0]: set(step) for step in acknowledged}
        steps: dict[str, set[str]] = {}
        for event in log:
            if not isinstance(event.body, PolicySet):
                steps.setdefault(event.group, set()).add(event.uuid)
        assert all(steps[group] >= events for group, events in said.items())
        assert len(steps.keys() - said.keys()) <= number + 1
