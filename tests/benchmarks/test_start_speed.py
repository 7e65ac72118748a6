"""Start-up and keys against a minimal Textual app, in one run, by CPU time.

    pytest -m bench tests/benchmarks/test_start_speed.py -s

Each program runs in a process of its own, alternating; what counts is the CPU of the whole process up to
the frame: the first one, and the first that shows a due card of a deck of STUDYTOOL_BENCH_START_CARDS
(10,000 unless said). Bars: first paint 1.15, first card 2.0, a key 8 ms.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.bench

CARDS = int(os.environ.get("STUDYTOOL_BENCH_START_CARDS", "10000"))
ROUNDS = int(os.environ.get("STUDYTOOL_BENCH_ROUNDS", "7"))

MINIMAL = """
import time
from textual.app import App, ComposeResult
from textual.widgets import Static

class Minimal(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("a question")

    def on_ready(self) -> None:
        print("CPU", time.process_time(), flush=True)
        self.exit()

Minimal().run(headless=True, size=(80, 24))
"""

OURS = """
import sys, time
from pathlib import Path
from studytool.tui.app import StudyApp
from studytool.tui.desk import StoreDesk

class Probe(StudyApp):
    CSS_PATH = str(Path(sys.modules["studytool.tui.app"].__file__).with_name("studytool.tcss"))

    def on_ready(self) -> None:
        if self.start_screen == "home":
            self.told()
            return
        super().on_ready()
        self.set_interval(0.005, self.look)

    def look(self) -> None:
        frame = "".join(strip.text for strip in self.screen._compositor.render_strips())
        if "Question number" in frame:
            self.told()

    def told(self) -> None:
        print("CPU", time.process_time(), flush=True)
        self.exit()

Probe(StoreDesk(deck_dir=Path(sys.argv[2])), start=sys.argv[1]).run(headless=True, size=(80, 24))
"""


def cpu_to_frame(code: str, *args: str) -> float:
    """CPU seconds of a process until it says that its frame is painted."""
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return float(done.stdout.rpartition("CPU ")[2].split()[0])


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deck of short cards, a hundred to a file."""
    folder = tmp_path_factory.mktemp("deck")
    head = '+++\nschema = 1\nchapter = "bench"\narea = "A"\ntopic = "Bench"\n+++\n'
    for start in range(0, CARDS, 100):
        cards = "".join(
            f"\n## Question number {number}? {{#card-{number:06}}}\n"
            '```toml\nlevel = "easy"\nkind = "explain"\nno_demo = "a benchmark"\n```\n'
            "### Answer\nA sentence of an answer, long enough to be one that somebody would say.\n"
            for number in range(start, min(start + 100, CARDS))
        )
        (folder / f"file-{start:06}.md").write_text(head + cards, encoding="utf-8")
    return folder


def test_first_paint_and_first_card(deck: Path) -> None:
    cpu_to_frame(
        OURS, "review", str(deck)
    )  # the first start reads the deck and compiles the modules
    cpu_to_frame(MINIMAL)
    minimal, home, card = [], [], []
    for _ in range(ROUNDS):
        minimal.append(cpu_to_frame(MINIMAL))
        home.append(cpu_to_frame(OURS, "home", str(deck)))
        card.append(cpu_to_frame(OURS, "review", str(deck)))
    base = statistics.median(minimal)
    print(
        f"\n{CARDS} cards, CPU ms, median of {ROUNDS}: minimal Textual {base * 1000:.0f}; "
        f"Home {statistics.median(home) * 1000:.0f}, ratio {statistics.median(home) / base:.2f} "
        f"(bar 1.15); first due card {statistics.median(card) * 1000:.0f}, ratio "
        f"{statistics.median(card) / base:.2f} (bar 2.0)"
    )
    assert min(minimal + home + card) > 0
