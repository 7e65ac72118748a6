"""Our skip-gram against gensim's on the same text in the same process: speed and quality.

Bar: 1.5 times gensim's words per CPU second, at a WordSim score no more than 0.02 below its own.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import msgspec
import pytest

from demos.kit.compiled import load
from demos.kit.corpus import wikipedia
from demos.kit.peer import train_gensim
from demos.kit.similarity import wordsim
from demos.static.skipgram import Bench
from demos.static.specs import SkipgramParams
from studytool.demo.spec import Lab

T = TypeVar("T")
ROUNDS = 3


def result(steps: Generator[Any, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.getbasetemp() / "demos" / "skipgram"
    folder.mkdir(parents=True, exist_ok=True)
    lab = Lab(cache=folder)
    kernel = load("sgns", lab)
    kernel.warm_up()
    return Bench(SkipgramParams(), lab, result(wikipedia(lab)), kernel, wordsim())


def ours(bench: Bench, **changes: Any) -> tuple[float, float]:
    """CPU seconds of training alone, and the WordSim score."""
    trainer = bench.trainer(0, **changes)
    for _ in trainer.run():
        pass
    return trainer.seconds, trainer.model.space().score(bench.human).rho


def theirs(bench: Bench, **changes: Any) -> tuple[float, float]:
    params = msgspec.structs.replace(bench.params, **changes)
    peer = result(train_gensim(bench.corpus, params))
    return peer.seconds, peer.space.score(bench.human).rho


def wall(train: Callable[..., tuple[float, float]], bench: Bench, **changes: Any) -> float:
    begun = time.monotonic()
    train(bench, **changes)
    return time.monotonic() - begun


@pytest.mark.bench
def test_words_per_cpu_second(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    words = 3 * bench.corpus.tokens
    pairs = [(ours(bench, epochs=3)[0], theirs(bench, epochs=3)[0]) for _ in range(ROUNDS)]
    ratios = [their / our for our, their in pairs]
    with capsys.disabled():
        print(f"\nskip-gram, 1 thread, CPU words/s: ours {words / min(p[0] for p in pairs):,.0f}, ")
        print(f"gensim {words / min(p[1] for p in pairs):,.0f}; ratios ", end="")
        print(", ".join(f"{ratio:.2f}" for ratio in ratios), end="; ")
        print(f"median {statistics.median(ratios):.2f} (bar 1.5)")


@pytest.mark.bench
def test_wall_time_on_two_threads(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    ratios = []
    for _ in range(ROUNDS):
        our = wall(ours, bench, epochs=3, threads=2)
        ratios.append(wall(theirs, bench, epochs=3, threads=2) / our)
    with capsys.disabled():
        shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"\nskip-gram, 2 threads, wall, gensim over ours: {shown} (bar 1.5)")
        print("both with their preparation: gensim reads strings and counts the vocabulary")


@pytest.mark.bench
def test_quality_at_the_default_setting(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    our, their = ours(bench), theirs(bench)
    with capsys.disabled():
        print(
            f"\nskip-gram, {bench.params.epochs} epochs: ours {our[1]:.3f} in {our[0]:.1f} CPU s,"
        )
        print(f"gensim {their[1]:.3f} in {their[0]:.1f} CPU s (bar: gensim's - 0.02);", end=" ")
        print(f"speed {their[0] / our[0]:.2f} times (bar 1.5)")
