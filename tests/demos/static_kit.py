"""What the tests of the word vector demos share: a cache, a small text with topics, playing a run."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from studytool.demo.events import (
    Claim,
    Event,
    Finding,
    Metric,
    Outcome,
    Prediction,
    Series,
    decode,
    encode,
)
from studytool.demo.spec import Lab, Params

E = TypeVar("E", bound=Event)
T = TypeVar("T")
P = TypeVar("P", bound=Params)
Run = Callable[[Any, Lab], Generator[Event, None, Any]]


def cache_folder(base: Path) -> Path:
    """One cache for the session: Wikipedia is cleaned, and the loops compiled, once."""
    folder = base / "demos" / "static"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_topics(folder: Path, sentences: int = 3000) -> Path:
    """A text with ten topics: words of one topic stand together, "t3w0" is frequent in its own."""
    rng = np.random.default_rng(5)
    path = folder / "topics.txt"
    rows = [
        " ".join(f"topic{chr(97 + topic)}{chr(97 + n)}" for n in rng.zipf(1.5, 10) % 15)
        for topic in rng.integers(0, 10, sentences)
    ]
    path.write_text(".\n".join(rows) + ".\n", "utf-8")
    return path


def play(
    run: Run, params: Params, cache: Path, save: Path | None = None
) -> tuple[list[Event], Any]:
    """All events of a run, each of which fits the protocol, and what serves requests."""
    steps = run(params, Lab(cache=cache, seed=params.seed, save=save))
    events: list[Event] = []
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return events, end.value
        assert decode(encode(event)) is not None  # no NaN has become null on the way
        events.append(event)


def result(steps: Generator[Any, None, T]) -> T:
    """What a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: T = end.value
            return value


def of(kind: type[E], events: list[Event]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def one(kind: type[E], events: list[Event], id: str) -> E:
    """The last event of the kind with this id."""
    return [event for event in of(kind, events) if getattr(event, "id", None) == id][-1]


def without_times(events: list[Event]) -> list[Event]:
    """Events that have to be the same on each run: CPU seconds are left out."""
    timed = ("CPU s", "CPU seconds")
    return [
        event
        for event in events
        if not isinstance(event, Metric)
        and not (isinstance(event, Series) and event.x_label in timed)
        and not (getattr(event, "columns", None) and timed[0] in getattr(event, "columns", ()))
        and not (isinstance(event, Claim) and "CPU" in event.text)
    ]


def check_default(events: list[Event], claims: tuple[str, ...], refuted: set[str]) -> None:
    """All claims there and as they should be, each guess answered after it was asked."""
    found = {claim.id: claim for claim in of(Claim, events)}
    print(" ".join(f"{name} {claim.value:.4g}" for name, claim in found.items()))
    assert set(found) == set(claims)
    assert [claim.id for claim in found.values() if not claim.as_expected] == []
    assert {claim.id for claim in found.values() if claim.expect == "refuted"} == refuted
    asked = {event.id: event for event in of(Prediction, events)}
    outcomes = {event.prediction: event.value for event in of(Outcome, events)}
    assert set(asked) == set(outcomes)
    for name, question in asked.items():
        assert not question.options or outcomes[name] in question.options
    first = next(n for n, event in enumerate(events) if isinstance(event, Outcome))
    assert not of(Prediction, events[first:])
    assert len(of(Finding, events)) == 1
