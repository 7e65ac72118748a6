"""Plays the demos of the chapter lexical in tests: all events, and what serves requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from studytool.demo.events import Claim, Event, Metric, Outcome, Prediction, decode, encode
from studytool.demo.spec import Lab, Params

E = TypeVar("E", bound=Event)
ROOT = Path(__file__).parents[2]


def play(
    demo: ModuleType, params: Params, cache: Path, save: Path | None = None
) -> tuple[list[Event], Any]:
    """All events of a run, each of which fits the protocol, and what the run returned."""
    steps = demo.run(params, Lab(cache=cache, seed=params.seed, save=save))
    events: list[Event] = []
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return events, end.value
        decode(encode(event))
        events.append(event)


def of(kind: type[E], events: Sequence[Event]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def without_times(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Metric)]


def check_claims(events: Sequence[Event], expected: set[str], refuted: set[str]) -> None:
    """All claims as they should be, and every guess asked before it is answered."""
    claims = {claim.id: claim for claim in of(Claim, events)}
    print(" ".join(f"{name} {claim.value:.4g}" for name, claim in claims.items()))
    assert set(claims) == expected
    assert [claim.id for claim in claims.values() if not claim.as_expected] == []
    assert {claim.id for claim in claims.values() if claim.expect == "refuted"} == refuted
    asked = [event.id for event in of(Prediction, events)]
    answered = [event.prediction for event in of(Outcome, events)]
    assert sorted(asked) == sorted(answered)
    first = next(n for n, event in enumerate(events) if isinstance(event, Outcome))
    assert not of(Prediction, events[first:])


def write_text(path: Path, sentences: int = 3000, seed: int = 5) -> Path:
    """A text of ten words a sentence and ten topics: words of one topic stand together."""
    path.write_text("".join(_sentences(sentences, np.random.default_rng(seed))), "utf-8")
    return path


def _sentences(number: int, rng: np.random.Generator) -> Iterator[str]:
    for topic in rng.integers(0, 10, number):
        yield " ".join(f"t{topic}w{n}" for n in rng.zipf(1.5, 10) % 15) + ".\n"
