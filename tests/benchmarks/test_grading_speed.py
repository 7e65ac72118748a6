"""How long a verdict takes: p50 and p95 of CPU and wall time over the answers of the development set.

    pytest -m bench tests/benchmarks/test_grading_speed.py -s
    STUDYTOOL_BENCH_ANSWERS=20 pytest -m bench …     # a quick look

The card's vectors are there already, as they are when a screen has opened; every answer is new to
the grader. The bar is a p95 of 150 ms of wall time on a quiet machine with two cores.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from studytool.grading.encoder import OnnxEncoder, load_encoder
from studytool.grading.grader import Grader
from tests.grading import devset

if TYPE_CHECKING:
    from studytool.deck.model import Card

pytestmark = pytest.mark.bench

ANSWERS = int(os.environ.get("STUDYTOOL_BENCH_ANSWERS", "300"))


def answers() -> list[tuple[Card, str]]:
    cards = devset.cards()
    found = [
        (cards[question.card], answer.text)
        for question in devset.questions(devset.split().tune)
        for answer in question.answers
    ]
    return found[:ANSWERS]


def measure(grader: Grader, title: str) -> None:
    pairs = answers()
    started = time.perf_counter()
    grader.warm({card.id: card for card, _ in pairs}.values())
    print(f"\n{title}: cards ready in {time.perf_counter() - started:.1f} s")
    grader.grade(*pairs[0])
    table = np.array([one(grader, card, text) for card, text in pairs]) * 1000
    for name, column in zip(("cpu", "wall"), table.T, strict=True):
        p50, p95 = np.percentile(column, [50, 95])
        print(f"  {name:<5} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   most {column.max():6.1f} ms")
    words = [len(text.split()) for _, text in pairs]
    print(
        f"  {len(pairs)} answers of {np.median(words):.0f} words (median), load {os.getloadavg()[0]:.1f}"
    )


def one(grader: Grader, card: Card, text: str) -> tuple[float, float]:
    """CPU and wall seconds of one verdict."""
    cpu, wall = time.process_time(), time.perf_counter()
    grader.grade(card, text)
    return time.process_time() - cpu, time.perf_counter() - wall


def test_words_alone() -> None:
    measure(Grader(), "lexical")


def test_with_the_encoder() -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    encoder = load_encoder()
    if not isinstance(encoder, OnnxEncoder):
        pytest.skip(encoder.reason)
    took = f"{time.perf_counter() - wall:.2f} s wall, {time.process_time() - cpu:.2f} s CPU"
    print(f"\nencoder loaded in {took}")
    measure(Grader(encoder), encoder.name)
    long = " ".join(text for _, text in answers())[:50_000]
    print(
        "  50 kB of text: {:.0f} ms CPU, {:.0f} ms wall".format(
            *(1000 * s for s in one(Grader(encoder), answers()[0][0], long))
        )
    )
