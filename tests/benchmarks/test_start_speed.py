"""Start-up against a minimal Textual app, in one run, by CPU time.

    pytest -m bench tests/benchmarks/test_start_speed.py -s

Each program runs in a process of its own, alternating; what counts is the CPU of the whole process up to
the frame: the first one, and the first that shows a due card of a deck of STUDYTOOL_BENCH_START_CARDS
(10,000 unless said). What the probe itself costs, looking at each frame, is left out. Modules are
compiled, as in an installed program, in a folder of their own. Bars: first paint 1.15, first card 2.0.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

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
import gc
gc.disable()  # as studytool.cli.open does, until the first frame
import sys, time
from pathlib import Path
from studytool.tui.app import StudyApp
from studytool.tui.desk import StoreDesk

class Probe(StudyApp):
    CSS_PATH = str(Path(sys.modules["studytool.tui.app"].__file__).with_name("studytool.tcss"))
    looking = 0.0

    def on_ready(self) -> None:
        if self.start_screen == "home":
            self.told()
        else:
            super().on_ready()

    def _display(self, screen, renderable) -> None:
        super()._display(screen, renderable)
        begun = time.process_time()
        frame = "".join(strip.text for strip in self.screen._compositor.render_strips())
        self.looking += time.process_time() - begun
        if "Question number" in frame:
            self.told()

    def told(self) -> None:
        print("CPU", time.process_time() - self.looking, flush=True)
        self.exit()

Probe(StoreDesk(deck_dir=Path(sys.argv[2])), start=sys.argv[1]).run(headless=True, size=(80, 24))
"""


class Start(NamedTuple):
    """Seconds until the frame: of the processor, and on the wall from the start of the process."""

    cpu: float
    wall: float


def to_frame(compiled: Path, code: str, *args: str) -> Start:
    """What a process needs until it says that its frame is painted; modules are compiled once."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(compiled)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code, *args], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        said = next((line for line in process.stdout if line.startswith("CPU ")), "")
        wall = time.perf_counter() - begun
        process.stdout.read()
    assert process.returncode == 0
    return Start(float(said.split()[1]), wall)


def told(name: str, starts: list[Start], base: list[Start]) -> str:
    cpu, wall = (statistics.median(values) for values in zip(*starts, strict=True))
    usual, _ = (statistics.median(values) for values in zip(*base, strict=True))
    return f"{name} {cpu * 1000:.0f} ms CPU ({cpu / usual:.2f}x), {wall * 1000:.0f} ms wall"


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


def test_first_paint_and_first_card(deck: Path, tmp_path: Path) -> None:
    to_frame(tmp_path, OURS, "review", str(deck))  # reads the deck, compiles the modules
    to_frame(tmp_path, OURS, "review", str(deck))  # compiles what the start with a database needs
    to_frame(tmp_path, MINIMAL)
    minimal, home, card = [], [], []
    for _ in range(ROUNDS):
        minimal.append(to_frame(tmp_path, MINIMAL))
        home.append(to_frame(tmp_path, OURS, "home", str(deck)))
        card.append(to_frame(tmp_path, OURS, "review", str(deck)))
    print(
        f"\n{CARDS} cards, median of {ROUNDS}: {told('minimal Textual', minimal, minimal)}; "
        f"{told('Home', home, minimal)} (bar 1.15); "
        f"{told('first due card', card, minimal)} (bar 2.0)"
    )
    assert min(start.cpu for start in minimal + home + card) > 0
