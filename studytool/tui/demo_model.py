"""What a demo has shown so far: the fold of its events into panels, as the screen draws them.

Pure and synchronous: the screen feeds events as they come, any number of them, and at most
twenty times a second takes the keys of the panels that have changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from studytool.demo import events as ev
from studytool.services.demo_history import score

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Points kept of a live curve; beyond twice this many, every second one is dropped.
MAX_POINTS = 1_000
LOG_LINES = 5_000

Panel: TypeAlias = "Curve | ev.Series | ev.Matrix | ev.Table | ev.Text | ev.Image | ev.Graph"


class Phase(StrEnum):
    """Where a run stands."""

    STARTING = "starting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Curve:
    """A live curve from metrics with a step, thinned as it grows; the newest point is always kept."""

    name: str
    unit: str = ""
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    every: int = 1
    seen: int = 0
    last: tuple[float, float] = (0.0, 0.0)

    def add(self, step: float, value: float) -> None:
        self.last = (step, value)
        if self.seen % self.every == 0:
            self.x.append(step)
            self.y.append(value)
            if len(self.x) > 2 * MAX_POINTS:
                self.x, self.y = self.x[::2], self.y[::2]
                self.every *= 2
        self.seen += 1

    def points(self) -> tuple[list[float], list[float]]:
        """The points to draw, the newest last."""
        if self.x and self.x[-1] != self.last[0]:
            return [*self.x, self.last[0]], [*self.y, self.last[1]]
        return list(self.x), list(self.y)


@dataclass(slots=True)
class Guess:
    """A prediction and what became of it. `answer` None and not `skipped`: it is still being asked."""

    prediction: ev.Prediction
    answer: str | float | None = None
    skipped: bool = False
    outcome: ev.Outcome | None = None

    @property
    def open(self) -> bool:
        return self.answer is None and not self.skipped

    @property
    def right(self) -> bool | None:
        """Whether the guess was right, as it is stored."""
        if self.answer is None or self.outcome is None:
            return None
        return score(self.answer, self.outcome.value).right


class DemoModel:
    """The state of one run."""

    def __init__(self) -> None:
        self.phase = Phase.STARTING
        self.stage: ev.Stage | None = None
        self.progress: ev.Progress | None = None
        self.panels: dict[str, Panel] = {}
        self.metrics: dict[str, ev.Metric] = {}
        self.notes: list[str] = []
        self.guesses: dict[str, Guess] = {}
        self.claims: dict[str, ev.Claim] = {}
        self.findings: list[str] = []
        self.done: ev.Done | None = None
        self.failed: ev.Failed | None = None
        self.history: list[ev.Event] = []
        self.log: list[str] = []
        self.request = ""
        self._dirty: dict[str, None] = {}

    def feed(self, event: ev.Event) -> None:
        """Take in one event."""
        self.history.append(event)
        if self.phase is Phase.STARTING:
            self.phase = Phase.RUNNING
        match event:
            case ev.Metric():
                self._metric(event)
            case ev.Series() | ev.Matrix() | ev.Table() | ev.Text() | ev.Image() | ev.Graph():
                self._put(f"{type(event).__name__.lower()}:{event.id}", event)
            case ev.Stage():
                self.stage, self.progress = event, None
                self.note_log(f"— {event.name}{': ' + event.text if event.text else ''}")
                self._mark("head")
            case ev.Progress():
                self.progress = event
                self._mark("head")
            case ev.Note():
                self.notes.append(event.text)
                self._mark("notes")
            case _:
                self._verdict(event)

    def _metric(self, event: ev.Metric) -> None:
        self.metrics[event.name] = event
        if event.step is None:
            self._mark("metrics")
            return
        key = f"curve:{event.name}"
        curve = self.panels.get(key)
        if not isinstance(curve, Curve):
            curve = Curve(event.name, event.unit)
            self.panels[key] = curve
        curve.add(event.step, event.value)
        self._mark(key)

    def _put(self, key: str, panel: Panel) -> None:
        self.panels[key] = panel
        self._mark(key)

    def _verdict(self, event: ev.Event) -> None:
        match event:
            case ev.Prediction():
                self.guesses.setdefault(event.id, Guess(event))
                self._mark("ask")
            case ev.Outcome():
                guess = self.guesses.get(event.prediction)
                if guess is not None:
                    guess.outcome = event
                self._mark("verdicts")
            case ev.Claim():
                self.claims[event.id] = event
                self._mark("verdicts")
            case ev.Finding():
                self.findings.append(event.text)
                self._mark("verdicts")
            case ev.Done():
                self.done = event
                self.phase = Phase.DONE
                self._mark("head", "verdicts", "end")
            case ev.Failed():
                self.failed = event
                if self.phase is not Phase.DONE:
                    self.phase = Phase.FAILED
                self._mark("head", "ask", "end")

    def answer(self, prediction: str, value: str | float | None) -> None:
        """Note the user's guess; None skips the question."""
        guess = self.guesses[prediction]
        guess.answer, guess.skipped = value, value is None
        self._mark("ask", "verdicts")

    def cancel(self) -> None:
        """The run was stopped by the user."""
        if self.phase in (Phase.STARTING, Phase.RUNNING):
            self.phase = Phase.CANCELLED
            self._mark("head", "ask", "end")

    def note_log(self, line: str) -> None:
        """Add a line to the log, which keeps the newest LOG_LINES."""
        self.log.append(line)
        if len(self.log) > 2 * LOG_LINES:
            del self.log[:LOG_LINES]
        self._mark("log")

    @property
    def asking(self) -> Guess | None:
        """The prediction that waits for an answer: the oldest open one; none when a run broke off."""
        if self.phase in (Phase.FAILED, Phase.CANCELLED):
            return None
        return next((guess for guess in self.guesses.values() if guess.open), None)

    @property
    def held_back(self) -> bool:
        """Whether results stay hidden because a prediction is still open."""
        return self.asking is not None

    def ask(self, request: str) -> None:
        """A request to explore; its answer follows. A fault of an answer ends only that answer."""
        self.failed = None
        self.request = request
        self._mark("explore", "end")

    @property
    def cancelled(self) -> bool:
        return self.phase is Phase.CANCELLED

    @property
    def outcomes(self) -> int:
        """How many predictions have come to an outcome."""
        return sum(guess.outcome is not None for guess in self.guesses.values())

    @property
    def running(self) -> bool:
        return self.phase in (Phase.STARTING, Phase.RUNNING)

    def curves(self) -> Sequence[Curve]:
        return [panel for panel in self.panels.values() if isinstance(panel, Curve)]

    def take_dirty(self) -> list[str]:
        """The keys of what has changed since the last call."""
        keys = list(self._dirty)
        self._dirty.clear()
        return keys

    def _mark(self, *keys: str) -> None:
        for key in keys:
            self._dirty[key] = None
