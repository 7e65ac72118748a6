"""`studytool demo run` in a terminal: questions come first, and results wait for the answer."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

import subprocess
import tty

PLUGIN = Path(__file__).parents[1] / "fixtures" / "plugin"


class Terminal:
    """A process at a pseudo-terminal."""

    def __init__(self, args: list[str], environment: dict[str, str]) -> None:
        self._ours, theirs = os.openpty()
        tty.setraw(theirs)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "studytool.cli.main", "demo", "run", *args],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""
        self._waited_for = 0

    def wait_for(self, text: str, seconds: float = 60) -> str:
        """Read until `text` has come; returns what came from the last wait to the end of `text`."""
        start = self._waited_for
        while text not in self.seen[start:]:
            assert select.select([self._ours], [], [], seconds)[0], f"no {text!r} in {self.seen!r}"
            try:
                piece = os.read(self._ours, 4096)
            except OSError:  # Linux says so when the other end is closed
                piece = b""
            assert piece, f"the process ended; it had said {self.seen!r}"
            self.seen += piece.decode()
        self._waited_for = self.seen.index(text, start) + len(text)
        return self.seen[start : self._waited_for]

    def type(self, line: str) -> None:
        os.write(self._ours, line.encode() + b"\n")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal(home: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []
    environment = {**os.environ, "PYTHONPATH": str(PLUGIN), "STUDYTOOL_HOME": str(home)}

    def build(*args: str) -> Terminal:
        opened.append(Terminal(list(args), environment))
        return opened[-1]

    yield build
    for each in opened:
        each.close()


def test_questions_are_asked_and_results_wait(terminal: Callable[..., Terminal]) -> None:
    screen = terminal("quick", "--explore")

    assert "It was" not in screen.wait_for("your guess")
    screen.type("z")
    screen.wait_for("Please type one of the letters.")
    screen.type("a")
    screen.wait_for("How many steps?")
    screen.wait_for("your guess")
    screen.type("5")
    told = screen.wait_for("off by 25%")
    assert "You said plain: right." in told
    screen.wait_for("> ")
    screen.type("hello")
    screen.wait_for("olleh")
    screen.type("")
    assert screen.process.wait(timeout=20) == 0


def test_an_empty_line_skips_a_question(terminal: Callable[..., Terminal]) -> None:
    screen = terminal("quick", "--no-store")
    for _ in range(2):
        screen.wait_for("your guess")
        screen.type("")
    told = screen.wait_for("done in")

    assert "It was: plain" in told
    assert "You said" not in told


def test_ctrl_c_at_a_question_ends_the_run(terminal: Callable[..., Terminal]) -> None:
    import signal

    screen = terminal("quick", "--no-store")
    screen.wait_for("your guess")
    screen.process.send_signal(signal.SIGINT)

    assert screen.process.wait(timeout=10) == 130
