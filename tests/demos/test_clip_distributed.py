"""One batch on several processes: the loss in pieces, open_clip as a peer, the workers' life, runs."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from demos.kit.data import DataFault
from demos.multimodal import clip_distributed as demo
from demos.multimodal import distributed_crew as crew
from demos.multimodal.clip import contrastive_loss
from demos.multimodal.distributed_task import SmallTowers, flat, make_pairs, temperature_place
from demos.multimodal.distributed_verdict import compare
from demos.multimodal.distributed_ways import (
    CUT_ROWS,
    CUT_WHOLE,
    LOCAL,
    RIGHT,
    WAYS,
    WHOLE,
    logits_bytes,
    rows_loss,
)
from demos.multimodal.distributed_worker import Job, job_batches
from demos.multimodal.specs import CLIP_DISTRIBUTED, DistributedParams
from studytool.demo.events import Claim, Event, Failed, Note, Outcome, Prediction, Table
from tests.demos.static_kit import check_default, of, one, play

REPOSITORY = Path(__file__).parents[2]
REFUTED = {"cut-points-elsewhere", "cut-cannot-learn"}
SMALL = DistributedParams(steps=2, batch=8)


def units(rng: np.random.Generator, count: int) -> torch.Tensor:
    rows = torch.from_numpy(rng.normal(size=(count, 5)))
    return rows / rows.norm(dim=1, keepdim=True)


# ------------------------------------------------------------------- the loss in pieces


@given(seed=st.integers(0, 10**6), workers=st.integers(1, 5), each=st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_the_mean_of_the_pieces_is_the_whole_loss(seed: int, workers: int, each: int) -> None:
    rng = np.random.default_rng(seed)
    images, texts = units(rng, workers * each), units(rng, workers * each)
    scale = torch.tensor(float(rng.uniform(1, 20)))
    pieces = [
        rows_loss(i, t, images, texts, scale, rank)
        for rank, (i, t) in enumerate(zip(images.chunk(workers), texts.chunk(workers), strict=True))
    ]

    whole = contrastive_loss(images, texts, scale)
    torch.testing.assert_close(torch.stack(pieces).mean(), whole, atol=1e-10, rtol=0)


def test_a_forgotten_offset_is_another_loss() -> None:
    rng = np.random.default_rng(0)
    images, texts, scale = units(rng, 8), units(rng, 8), torch.tensor(10.0)
    right = rows_loss(images[4:], texts[4:], images, texts, scale, 1)
    wrong = rows_loss(images[4:], texts[4:], images, texts, scale, 0)

    assert abs(right - wrong) > 0.1


@pytest.mark.parametrize(("pairs", "workers"), [(8, 2), (12, 4), (32, 1)])
def test_memory_is_that_of_real_tables(pairs: int, workers: int) -> None:
    each = pairs // workers
    own, other = torch.zeros(each, 3), torch.zeros(pairs, 3)

    assert logits_bytes(RIGHT, pairs, workers) == 2 * (own @ other.T).nbytes
    assert logits_bytes(WHOLE, pairs, workers) == (other @ other.T).nbytes
    assert logits_bytes(LOCAL, pairs, workers) == (own @ own.T).nbytes


# --------------------------------------------------------------------- the measuring rod


def test_a_planted_angle_and_length_are_found() -> None:
    wanted = np.array([3.0, 0.0, 2.0, 0.0])
    turned = np.array([math.cos(0.5), math.sin(0.5), 6.0, 0.0])
    slope = compare(1.0, turned, wanted, place=2)

    assert slope.angle == pytest.approx(math.degrees(0.5))
    assert slope.length == pytest.approx(1 / 3)
    assert slope.temperature == pytest.approx(3)
    assert slope.error == pytest.approx(np.linalg.norm(turned - wanted) / math.sqrt(13))


def test_weights_come_back_and_the_temperature_is_where_it_is_said_to_be() -> None:
    model, other = SmallTowers(0), SmallTowers(1)
    other.load(model.weights())

    np.testing.assert_array_equal(other.weights(), model.weights())
    assert model.weights()[temperature_place(model)] == pytest.approx(-math.log(0.07))


def test_captions_differ_and_are_split_without_overlap() -> None:
    pairs = make_pairs(3)

    assert len(set(pairs.captions)) == len(pairs.captions) == len(pairs.pictures) == 900
    assert not set(pairs.train) & set(pairs.test)
    assert len(pairs.train) + len(pairs.test) == 900
    batch = next(pairs.batches(64, np.random.default_rng(0)))
    assert len(set(batch)) == 64
    assert set(batch) <= set(pairs.train)


# ------------------------------------------------------------ open_clip and torch's own DDP


def test_open_clip_under_ddp_gives_the_same_losses_and_gradients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY))
    model, pairs = SmallTowers(5), make_pairs(5)
    (tmp_path / "job.json").write_bytes(msgspec.json.encode(Job(5, 12, 1, {}, [], [])))
    with crew.Crew(tmp_path, 2, "tests.demos.distributed_peer") as workers:
        losses = {said["name"]: said["loss"] for said in workers if "name" in said}
    loss = demo.whole_batch(model, pairs, next(job_batches(pairs, 5, 12)))
    wanted = flat([parameter.grad for parameter in model.parameters()])

    for way, flags in (
        (RIGHT, "True-True"),
        (CUT_ROWS, "True-False"),
        (WHOLE, "False-True"),
        (CUT_WHOLE, "False-False"),
    ):
        ours_gradient = np.load(tmp_path / f"own-{way.id}.npy")
        assert losses[way.id] == pytest.approx(losses[f"peer-{flags}"], abs=1e-5)
        np.testing.assert_allclose(
            ours_gradient, np.load(tmp_path / f"peer-{flags}.npy"), atol=1e-6, rtol=1e-4
        )
        assert losses[way.id] == pytest.approx(loss, abs=1e-5)
    np.testing.assert_allclose(np.load(tmp_path / "own-right.npy"), wanted, atol=1e-6, rtol=1e-4)
    assert np.abs(np.load(tmp_path / "own-cut-rows.npy") - wanted).max() > 1e-3


# ----------------------------------------------------------------------- the workers' life


def write_worker(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> str:
    """A worker without torch; it has what real ones get."""
    (folder / "tiny_worker.py").write_text(f"import os, sys, threading\n{body}\n", "utf-8")
    monkeypatch.syspath_prepend(str(folder))
    return "tiny_worker"


LIFELINE = "import json\nprint(json.dumps({'pid': os.getpid()}), flush=True)\nos.read(0, 1)"


def test_workers_get_what_torchrun_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        "import json\nnames = 'RANK LOCAL_RANK WORLD_SIZE OMP_NUM_THREADS'.split()\n"
        "print(json.dumps({n: os.environ[n] for n in names}))"
    )
    with crew.Crew(tmp_path, 3, write_worker(tmp_path, monkeypatch, body)) as workers:
        said = sorted(workers, key=lambda each: str(each["RANK"]))

    assert [each["RANK"] for each in said] == [each["LOCAL_RANK"] for each in said]
    assert [each["RANK"] for each in said] == ["0", "1", "2"]
    assert {each["WORLD_SIZE"] for each in said} == {"3"}
    assert {each["OMP_NUM_THREADS"] for each in said} == {"1"}


def test_one_that_fails_ends_the_others_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "if os.environ['RANK'] == '1':\n    sys.exit('no such interface')\nos.read(0, 1)"
    workers = crew.Crew(tmp_path, 2, write_worker(tmp_path, monkeypatch, body))
    with pytest.raises(DataFault, match=r"process 1 .* code 1: no such interface"):
        list(workers)

    assert all(process.poll() is not None for process in workers._processes)


def test_closing_ends_workers_that_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workers = crew.Crew(tmp_path, 2, write_worker(tmp_path, monkeypatch, LIFELINE))
    with workers:
        assert next(iter(workers))["pid"] > 0

    assert all(process.poll() is not None for process in workers._processes)


@pytest.mark.skipif(sys.platform == "win32", reason="process ids are asked for as POSIX does")
def test_workers_die_with_a_demo_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = write_worker(tmp_path, monkeypatch, LIFELINE)
    program = (
        "import sys\nfrom pathlib import Path\nfrom demos.multimodal.distributed_crew import Crew\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        f"for said in Crew(Path({str(tmp_path)!r}), 2, {module!r}):\n"
        "    print(said['pid'], flush=True)\n"
    )
    environment = dict(os.environ, PYTHONPATH=str(REPOSITORY))
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
        parent.wait()
    # Each worker sees the end of its input; wait until the system has none of them any more.
    gone = threading.Event()
    for _ in range(200):
        if not any(alive(pid) for pid in pids):
            break
        gone.wait(0.05)

    assert not any(alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


# -------------------------------------------------------------------------------- runs


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Event], demo.MemoryGuide]:
    return play(demo.run, SMALL, tmp_path_factory.mktemp("lab"))


def test_a_small_run_asks_compares_and_answers(
    small: tuple[list[Event], demo.MemoryGuide],
) -> None:
    events, _ = small
    kinds = [type(event) for event in events]

    assert kinds.index(Outcome) > max(n for n, kind in enumerate(kinds) if kind is Prediction)
    assert {e.prediction for e in of(Outcome, events)} == {e.id for e in of(Prediction, events)}
    for start in ("first", "later"):
        assert len(one(Table, events, f"slopes-{start}").rows) == len(WAYS) + 1
    found = {claim.id: claim for claim in of(Claim, events)}
    assert {"gathered-loss", "gathered-gradient", "cut-loss"} <= set(found)
    assert "adam-hides" not in found
    assert all(claim.as_expected for claim in found.values())


def test_same_seed_same_events_and_the_answer_differs_with_what_is_computed(
    tmp_path: Path, small: tuple[list[Event], demo.MemoryGuide]
) -> None:
    again, _ = play(demo.run, DistributedParams(steps=2, batch=8, compute="whole_matrix"), tmp_path)
    first, second = (
        {event.prediction: event.value for event in of(Outcome, events)}
        for events in (small[0], again)
    )

    assert of(Claim, again) == of(Claim, small[0])
    assert one(Table, again, "training") == one(Table, small[0], "training")
    assert first["loss-value"] == second["loss-value"] == "the same"
    assert first["gradient"] == "another direction"
    assert second["gradient"] == "the right direction, 1/W as long"


def test_a_batch_that_does_not_divide_is_refused(tmp_path: Path) -> None:
    events, _ = play(demo.run, DistributedParams(batch=33), tmp_path)

    (failed,) = of(Failed, events)
    assert "33 pairs" in failed.error
    assert "multiple of 2" in failed.hint


def test_torch_without_gloo_is_one_clear_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.distributed, "is_gloo_available", lambda: False)
    events, _ = play(demo.run, SMALL, tmp_path)

    assert isinstance(events[-1], Failed)
    assert "Gloo" in events[-1].error


def test_explore_tells_memory_and_helps(small: tuple[list[Event], demo.MemoryGuide]) -> None:
    _, guide = small
    table = one(Table, list(guide.explore("32,768 256")), "explore")

    assert table.rows[0][2:5] == ["4 GiB", "32 MiB", "64 KiB"]
    for wrong in ("", "many", "10 3", "4 8", "1 0", "-8 2", "8 2 2"):
        (note,) = guide.explore(wrong)
        assert isinstance(note, Note)


def test_the_default_run(tmp_path: Path) -> None:
    events, _ = play(demo.run, DistributedParams(), tmp_path)

    check_default(events, CLIP_DISTRIBUTED.info.claims, REFUTED)


@pytest.mark.seeds
def test_three_more_seeds(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        events, _ = play(demo.run, DistributedParams(seed=seed), tmp_path)
        check_default(events, CLIP_DISTRIBUTED.info.claims, REFUTED)
        values = {claim.id: claim.value for claim in of(Claim, events)}
        assert values["gathered-loss"] <= 1e-5
        assert values["gathered-gradient"] <= 1e-5
