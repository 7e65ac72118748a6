"""Runs of the skip-gram demo: its events, claims and figures, own text, saving, exploring."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import msgspec
import numpy as np
import pytest

from demos.kit.compiled import load
from demos.kit.corpus import own
from demos.kit.guide import Guide
from demos.kit.judge import RAW_OPTIONS
from demos.kit.similarity import (
    Space,
    wordsim,
)
from demos.static import skipgram as demo
from demos.static.specs import SKIPGRAM, SkipgramParams
from studytool.demo.events import (
    Claim,
    Event,
    Failed,
    Finding,
    Metric,
    Note,
    Outcome,
    Prediction,
    Progress,
    Series,
    Stage,
    Table,
    decode,
    encode,
)
from studytool.demo.spec import Lab

E = TypeVar("E", bound=Event)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the session: Wikipedia is cleaned, and the loop compiled, once."""
    folder = tmp_path_factory.getbasetemp() / "demos" / "skipgram"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def kernel(cache: Path) -> ModuleType:
    return load("sgns", Lab(cache=cache))


@pytest.fixture(scope="session")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text of 30,000 words with ten topics: words of one topic stand together."""
    rng = np.random.default_rng(5)
    path = tmp_path_factory.mktemp("text") / "topics.txt"
    rows = [
        " ".join(f"t{topic}w{n}" for n in rng.zipf(1.5, 10) % 15)
        for topic in rng.integers(0, 10, 3000)
    ]
    path.write_text(".\n".join(rows) + ".\n", "utf-8")
    return path


def small(topics: Path, **changes: Any) -> SkipgramParams:
    given = {"epochs": 2, "dim": 16, "corpus": str(topics), "words": "t1w1,t2w2", **changes}
    return SkipgramParams(**given)


def play(params: SkipgramParams, cache: Path, save: Path | None = None) -> tuple[list[Event], Any]:
    """All events of a run, each of which fits the protocol, and what serves requests."""
    lab = Lab(cache=cache, seed=params.seed, save=save)
    steps = demo.run(params, lab)
    events: list[Event] = []
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return events, end.value
        assert decode(encode(event)) is not None  # no NaN has become null on the way
        events.append(event)


def of(kind: type[E], events: list[Event]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


# ------------------------------------------------------------------------------ the run


def bench(cache: Path, params: SkipgramParams) -> demo.Bench:
    lab = Lab(cache=cache, seed=params.seed)
    steps = own(lab, params.corpus)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return demo.Bench(params, lab, end.value, load("sgns", lab), wordsim())


def test_padding_stays_zero(kernel: ModuleType, cache: Path, topics: Path) -> None:
    model = bench(cache, small(topics, dim=13)).trainer(0)
    for _ in model.run():
        pass

    assert model.model.inputs.shape[1] == 16
    assert np.all(model.model.inputs[:, 13:] == 0)
    assert np.all(model.model.outputs[:, 13:] == 0)
    assert np.abs(model.model.outputs[:, :13]).min() > 0


def without_times(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Metric)]


@pytest.mark.usefixtures("kernel")
def test_the_same_seed_gives_the_same_events(cache: Path, topics: Path) -> None:
    play(small(topics), cache)  # fills the cache, which is a stage of its own

    first, second = (without_times(play(small(topics), cache)[0]) for _ in range(2))
    other = without_times(play(small(topics, seed=1), cache)[0])

    assert first == second
    assert first != other


@pytest.mark.usefixtures("kernel")
def test_a_run_on_own_text_tells_all_of_it(cache: Path, topics: Path) -> None:
    events, guide = play(small(topics, epochs=12), cache)

    names = [stage.name for stage in of(Stage, events)]
    assert [name for name in names if name != "corpus"] == [
        "load", "compile", "check", "count", "train", "analogies",
    ]  # fmt: skip
    assert {claim.id for claim in of(Claim, events)} == {
        "gradient-check", "fast-equals-slow", "start-loss",
    }  # fmt: skip
    assert all(claim.as_expected for claim in of(Claim, events))
    training = [event for event in of(Progress, events) if event.unit == "epoch"]
    assert training[-1].done == training[-1].total == 12
    loss = [series for series in of(Series, events) if series.id == "loss"][-1]
    assert loss.lines[0].y[-1] < loss.lines[0].y[0]
    assert list(loss.levels.values()) == [pytest.approx(6 * math.log(2))]
    table = [table for table in of(Table, events) if table.id == "neighbours"][-1]
    neighbours = str(table.rows[0][1]).split(", ")
    assert sum(word.startswith("t1w") for word in neighbours) >= 5
    assert str(table.rows[0][2]) != str(table.rows[0][1])
    assert len(of(Finding, events)) == 1
    assert isinstance(guide, Guide)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("negatives", [2, 10])
def test_the_first_loss_follows_the_negatives(cache: Path, topics: Path, negatives: int) -> None:
    events, _ = play(small(topics, negatives=negatives, epochs=1), cache)

    start = next(claim for claim in of(Claim, events) if claim.id == "start-loss")
    assert start.holds
    assert start.value == pytest.approx((negatives + 1) * math.log(2), abs=1e-6)


@pytest.mark.usefixtures("kernel")
def test_threads_learn_the_same(cache: Path, topics: Path) -> None:
    losses = []
    for threads in (1, 2):
        trainer = bench(cache, small(topics, threads=threads, epochs=3)).trainer(0)
        steps = list(trainer.run())
        losses.append(steps[-1].loss)
        assert steps[-1].epoch == 3
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


@pytest.mark.usefixtures("kernel")
def test_a_learning_rate_that_is_too_high_is_told(cache: Path, topics: Path) -> None:
    events, guide = play(small(topics, lr=5.0, epochs=3, min_count=1), cache)

    assert any("blew up" in note.text for note in of(Note, events))
    assert "lower the learning rate" in of(Finding, events)[0].text
    assert guide is None
    assert not of(Failed, events)


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"corpus": "/no/such/file"}, "No such file"), ({"min_count": 1000}, "words that occur")],
)
@pytest.mark.usefixtures("kernel")
def test_what_cannot_be_trained_is_told(
    cache: Path, topics: Path, changes: dict[str, Any], what: str
) -> None:
    events, guide = play(small(topics, **changes), cache)

    last = events[-1]
    assert isinstance(last, Failed)
    assert what in last.error
    assert last.hint
    assert guide is None


@pytest.mark.usefixtures("kernel")
def test_saved_vectors_are_read_back_by_gensim(cache: Path, topics: Path, tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    _, guide = play(small(topics), cache, save=tmp_path)

    read = KeyedVectors.load_word2vec_format(str(tmp_path / "vectors.txt"))
    assert read.index_to_key == list(guide.space.words)
    np.testing.assert_allclose(read.vectors, guide.space.vectors, rtol=1e-5, atol=1e-8)
    assert [path.name for path in tmp_path.iterdir()] == ["vectors.txt"]


@pytest.mark.usefixtures("kernel")
def test_the_peer_runs_with_the_same_settings(cache: Path, topics: Path) -> None:
    events, _ = play(small(topics, peer=True), cache)

    assert "our speed over gensim's" in [metric.name for metric in of(Metric, events)]
    methods = next(table for table in of(Table, events) if table.id == "methods")
    assert methods.rows[-1][0] == "gensim, 2 epochs"


def planted() -> Space:
    """Two directions, royal and female, with the sum near its inputs, as in real vectors."""
    words = ["king", "man", "woman", "queen", "stone"]
    rows = [[1, 0, 0.2], [0, 0, 1], [0, 0.1, 1], [1, 0.1, 0.2], [-1, -1, -1]]
    return Space(words, np.array(rows, np.float32))


def test_requests_are_answered() -> None:
    guide = Guide(planted())

    (one,) = guide.explore("King")
    assert isinstance(one, Table)
    assert one.rows[0][0] == "queen"
    excluded, raw = guide.explore("king - man + woman")
    assert isinstance(excluded, Table)
    assert isinstance(raw, Table)
    assert "king" not in [row[0] for row in excluded.rows]
    assert "king" in [row[0] for row in raw.rows]


@pytest.mark.parametrize(
    ("request_", "said"),
    [("kingg", "did you mean king?"), ("", "type a word"), ("xyzzy - king", "vocabulary: xyzzy")],
)
def test_requests_that_cannot_be_answered_get_help(request_: str, said: str) -> None:
    (note,) = Guide(planted()).explore(request_)

    assert isinstance(note, Note)
    assert said in note.text


def test_the_spec_is_light() -> None:
    code = (
        "import sys, demos.static.specs as s; s.SKIPGRAM.params();"
        "print([m for m in ('numpy', 'numba', 'gensim', 'scipy') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
    assert SKIPGRAM.params() == SkipgramParams()


def test_bars_are_for_the_default_settings_alone(cache: Path) -> None:
    def plain(**changes: Any) -> bool:
        params = SkipgramParams(**changes)
        nothing: Any = None
        return demo.Bench(params, Lab(cache=cache), nothing, nothing, []).plain

    assert plain(epochs=40, seed=9, peer=True, identity=False, words="x")
    assert not plain(window=2)
    assert not plain(corpus="x.txt")
    assert not plain(threads=2)


COMPILED = """
import sys
from pathlib import Path
from demos.kit.compiled import load
from studytool.demo.spec import Lab
kernel = load("sgns", Lab(cache=Path(sys.argv[1])))
kernel.warm_up()
print(sum(f.stats.cache_misses.total() for f in (kernel.train, kernel.step_window)))
"""


@pytest.mark.usefixtures("kernel")
def test_the_loop_is_compiled_once_for_all_processes(cache: Path) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "NUMBA_CACHE_DIR"}

    def misses() -> int:
        run = subprocess.run(
            [sys.executable, "-c", COMPILED, str(cache)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return int(run.stdout)

    misses()
    assert misses() == 0


def test_the_command_prints_json_lines(cache: Path, topics: Path) -> None:
    given = ["--epochs", "1", "--dim", "8", "--corpus", str(topics), "--no-identity"]
    run = subprocess.run(
        [sys.executable, "-m", "demos.static.skipgram", "--json", *given, "--cache", cache.parent],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    events = [json.loads(line) for line in run.stdout.splitlines()]
    assert events[-1]["type"] == "done"
    assert events[-1]["explore"]


# ------------------------------------------------------------- the default run, for real

EXPECTED = {
    "gradient-check", "fast-equals-slow", "start-loss", "wordsim", "five-epochs", "shifted-pmi",
    "analogy-excluded-vs-raw", "analogies-raw", "raw-is-input", "predict-beats-count",
}  # fmt: skip


def check_default(events: list[Event], report: Callable[[str], None]) -> None:
    """All claims as they should be, the training within its budget, the guesses answered."""
    claims = {claim.id: claim for claim in of(Claim, events)}
    seconds = {metric.name: metric.value for metric in of(Metric, events)}
    report(f"{seconds} " + " ".join(f"{name} {claim.value:.4g}" for name, claim in claims.items()))
    assert set(claims) == EXPECTED
    assert [claim.id for claim in claims.values() if not claim.as_expected] == []
    assert {claim.id for claim in claims.values() if claim.expect == "refuted"} == {
        "five-epochs", "analogies-raw", "predict-beats-count",
    }  # fmt: skip
    assert seconds["training CPU"] <= 25
    asked = {event.id for event in of(Prediction, events)}
    outcomes = {event.prediction: event.value for event in of(Outcome, events)}
    assert asked == set(outcomes) == {"wordsim", "raw-nearest"}
    assert outcomes["raw-nearest"] in RAW_OPTIONS
    first_outcome = next(n for n, event in enumerate(events) if isinstance(event, Outcome))
    assert not of(Prediction, events[first_outcome:])


@pytest.mark.demo
@pytest.mark.usefixtures("kernel")
def test_the_default_run_keeps_its_claims(cache: Path) -> None:
    events, guide = play(SkipgramParams(), cache)

    check_default(events, print)
    curve = [series for series in of(Series, events) if series.id == "wordsim"][-1]
    scores = curve.lines[0].y
    assert len(scores) == 25
    assert scores[4] < 0.3 < scores[-1]  # five epochs into the run it still looks broken
    assert abs(scores[0]) < 0.2
    assert guide.space.words[0] == "the"


@pytest.mark.demo
@pytest.mark.usefixtures("kernel")
def test_outcomes_differ_when_parameters_differ(cache: Path) -> None:
    outcomes = []
    for epochs in (1, 8):
        events, _ = play(SkipgramParams(epochs=epochs, identity=False), cache)
        outcomes.append({event.prediction: event.value for event in of(Outcome, events)})
        assert all(claim.as_expected for claim in of(Claim, events))

    assert float(outcomes[0]["wordsim"]) + 0.1 < float(outcomes[1]["wordsim"])


@pytest.mark.seeds
@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_claims_hold_on_more_seeds(cache: Path, seed: int) -> None:
    events, _ = play(msgspec.structs.replace(SkipgramParams(), seed=seed), cache)

    check_default(events, print)
