"""Our Kneser-Ney against nltk.lm's on the same text in the same process: scoring a token.

Bar: 1,000 times nltk's tokens per CPU second. nltk learns from 20,000 words only and scores some
hundred, as more would take minutes; that is in its favour, since it slows down with the text.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import pytest

from demos.kit.corpus import wikipedia
from demos.kit.ngram_tables import END, Split, View, count, split
from demos.lexical.ngram_models import KneserNey
from studytool.demo.spec import Lab

T = TypeVar("T")
ORDER, TRAINED, SCORED = 3, 20_000, 100


def result(steps: Generator[Any, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def seconds(work: Callable[[], T]) -> tuple[float, T]:
    begun = time.process_time()
    found = work()
    return time.process_time() - begun, found


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Split:
    folder = tmp_path_factory.getbasetemp() / "demos" / "ngrams"
    folder.mkdir(parents=True, exist_ok=True)
    return split(result(wikipedia(Lab(cache=folder))), 10, 0, 2)


def sentences(stream: Any, parts: Split) -> list[list[str]]:
    """The text as words, without openings and ends, as nltk wants it."""
    found: list[list[str]] = [[]]
    for number in stream.tolist():
        if number == END:
            found.append([])
        elif number < parts.size:
            found[-1].append(parts.names[number])
    return found[:-1]


def theirs(parts: Split) -> tuple[float, float]:
    """nltk's training words and scored tokens per CPU second."""
    lm = pytest.importorskip("nltk.lm")
    preprocessing = pytest.importorskip("nltk.lm.preprocessing")
    text = sentences(parts.train[:TRAINED], parts)
    grams, words = preprocessing.padded_everygram_pipeline(ORDER, text)
    model = lm.KneserNeyInterpolated(ORDER)
    trained, _ = seconds(lambda: model.fit(grams, words))
    told = [
        tuple(window)
        for sentence in sentences(parts.test[:2000], parts)
        for padded in [["<s>"] * (ORDER - 1) + sentence + ["</s>"]]
        for window in (padded[i : i + ORDER] for i in range(len(padded) - ORDER + 1))
    ][:SCORED]
    scored, _ = seconds(lambda: [model.score(gram[-1], gram[:-1]) for gram in told])
    return TRAINED / trained, len(told) / scored


@pytest.mark.bench
def test_tokens_per_cpu_second(parts: Split, capsys: pytest.CaptureFixture[str]) -> None:
    def scored() -> int:
        view = View(model.tables, parts.test)
        return len(model.score(view))

    trained, tables = min(
        (seconds(lambda: count(parts.train, parts.size, ORDER)) for _ in range(3)),
        key=lambda pair: pair[0],
    )
    model = KneserNey(tables, ORDER)
    scored()  # discounts and sums by history are made at the first use
    used, tokens = min(seconds(scored) for _ in range(3))
    ours, words = tokens / used, len(parts.train) / trained
    peer_words, peer = theirs(parts)
    with capsys.disabled():
        print(f"\nKneser-Ney n = {ORDER}, tokens scored per CPU s: ours {ours:,.0f}, ", end="")
        print(f"nltk {peer:,.0f}; ratio {ours / peer:,.0f} (bar 1,000)")
        print(f"words trained per CPU s: ours {words:,.0f}, nltk {peer_words:,.0f}; ", end="")
        print(f"ratio {words / peer_words:.1f}")
