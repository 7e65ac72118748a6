"""One CLIP batch on several processes: why features are gathered with gradients.

For most losses a batch can be cut into pieces: each process computes the mean loss of its piece,
the gradients are averaged, and the result is that of the whole batch. A contrastive loss can't be
cut like that. The other pairs of the batch are the wrong answers, so the loss of my pairs depends
on features that other processes have computed, and theirs depends on mine.

Here the same batch goes through one process and through several, which are started as torchrun
starts them. Watch three things:

1. The loss is *the same* whether the gathered features carry gradients or not. No curve of the
   loss will show this fault; only a comparison of gradients does.
2. What the gradient loses depends on what each process computes. With its own rows of the table
   it loses what the others want of its features: another direction. With the whole table it
   loses nothing but the factor W: the right direction, too short.
3. AdamW divides each gradient by its own size, so it hides a missing factor. Plain SGD does not.

Radford et al. 2021, arXiv:2103.00020, §2.5 (similarities sharded over GPUs); the flags
`local_loss` and `gather_with_grad` of open_clip's ClipLoss name the ways compared here. The
mathematics is in `distributed_ways`, the processes' own program in `distributed_worker`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import torch

from demos.kit.data import DataFault, told
from demos.kit.plots import Curves
from demos.multimodal.clip import contrastive_loss
from demos.multimodal.distributed_crew import Crew
from demos.multimodal.distributed_task import (
    DIMENSIONS,
    Pairs,
    SmallTowers,
    flat,
    held_out_places,
    make_pairs,
    temperature_place,
)
from demos.multimodal.distributed_verdict import (
    Result,
    Trained,
    claims,
    compare,
    finding,
    outcomes,
    questions,
    slope_table,
    training_table,
)
from demos.multimodal.distributed_ways import (
    CUT_ROWS,
    CUT_WHOLE,
    LOCAL,
    RIGHT,
    WAYS,
    WHOLE,
    logits_bytes,
)
from demos.multimodal.distributed_worker import Job, job_batches, updater
from demos.multimodal.specs import CLIP_DISTRIBUTED, DistributedParams
from studytool.demo.events import Event, Finding, Note, Progress, Stage, Table
from studytool.demo.spec import Lab, main

TRAINED = (RIGHT, CUT_ROWS, CUT_WHOLE, LOCAL)
STARTS = ("first", "later")
LARGEST = 10**9  # pairs and processes that explore takes


# %% One process
# The reference has all N pairs and needs no other. Its loss is CLIP's own (`contrastive_loss`).


def whole_batch(model: SmallTowers, pairs: Pairs, chosen: np.ndarray) -> float:
    """The loss of the batch in this process; leaves its gradient on the parameters."""
    for parameter in model.parameters():
        parameter.grad = None
    images, texts = model.images(pairs.pictures[chosen]), model.texts(pairs.words[chosen])
    loss = contrastive_loss(images, texts, model.scale)
    loss.backward()
    return loss.item()


@dataclass
class Study:
    """The one process's side of the comparison; `gradients` are by start."""

    params: DistributedParams
    pairs: Pairs
    result: Result
    start: np.ndarray
    folder: Path
    gradients: dict[str, np.ndarray] = field(default_factory=dict)
    places: dict[str, np.ndarray] = field(default_factory=dict)

    def alone(self) -> Iterator[Progress]:
        """The gradient, untrained; a training with AdamW; and the gradient again."""
        params, model = self.params, SmallTowers(self.params.seed)
        self._note("first", model)
        update = updater(model, "adamw", params.lr)
        batches = job_batches(self.pairs, params.seed, params.batch)
        for step in range(1, params.steps + 1):
            loss = whole_batch(model, self.pairs, next(batches))
            update()
            if step % max(1, params.steps // 10) == 0 or step == params.steps:
                yield Progress(step, params.steps, note=f"loss {loss:.2f}")
        self.result.trained["alone", "adamw"] = self.judge(model)
        self._note("later", model)

    def _note(self, start: str, model: SmallTowers) -> None:
        np.save(self.folder / f"{start}.npy", model.weights())
        batch = next(job_batches(self.pairs, self.params.seed, self.params.batch))
        self.result.alone[start] = whole_batch(model, self.pairs, batch)
        self.gradients[start] = flat([parameter.grad for parameter in model.parameters()])

    @torch.no_grad()
    def judge(self, model: SmallTowers) -> Trained:
        """Held-out loss and R@1 of towers, and how they have moved."""
        test, places = self.pairs.test, held_out_places(model, self.pairs)
        images, texts = model.images(self.pairs.pictures[test]), model.texts(self.pairs.words[test])
        loss = contrastive_loss(images, texts, model.scale).item()
        return Trained(loss, float((places == 0).mean()), model.weights() - self.start)


# %% Several processes
# They draw the same pictures, take the same batches from the same seed, and each keeps its slice.


def together(study: Study) -> Iterator[Event]:
    """Run the workers; their gradients and weights become part of the result."""
    params, result = study.params, study.result
    trainings = [(way.id, optimiser) for optimiser in ("adamw", "sgd") for way in TRAINED]
    rates = {"adamw": params.lr, "sgd": params.sgd_lr}
    job = Job(params.seed, params.batch, params.steps, rates, list(STARTS), trainings)
    (study.folder / "job.json").write_bytes(msgspec.json.encode(job))
    place = temperature_place(SmallTowers(params.seed))
    curves = _curves()
    names, done = {way.id: way.name for way in WAYS}, 0
    with Crew(study.folder, params.workers) as crew:
        for said in crew:
            match said["kind"]:
                case "joined":
                    text = f"{said['workers']} processes, {said['backend']} on {said['device']}"
                    yield Stage("comparing one step", text)
                case "step":
                    start, way = said["start"], said["way"]
                    gradient = np.load(study.folder / f"{start}-{way}.npy")
                    slope = compare(said["loss"], gradient, study.gradients[start], place)
                    result.slopes[start, way] = slope
                    if way == WAYS[-1].id:
                        yield slope_table(result, start)
                case "train":
                    if done == 0 and said["step"] == 1:
                        yield Stage(
                            "training", f"{len(TRAINED)} ways, the same batches, AdamW then SGD"
                        )
                    curve = curves[said["optimiser"]]
                    curve.add(names[said["way"]], said["step"], said["loss"])
                    note = f"{names[said['way']]}, {said['optimiser']}: {said['loss']:.2f}"
                    yield Progress(done * params.steps + said["step"],
                                   len(trainings) * params.steps, note=note)  # fmt: skip
                case "trained":
                    done += 1
                    _judge(study, said["way"], said["optimiser"])
                    yield curves[said["optimiser"]].series()


def _curves() -> dict[str, Curves]:
    title = "Loss of the way itself, mean of the processes, {}"
    return {
        optimiser: Curves(f"loss-{optimiser}", title.format(name), "step", "nats")
        for optimiser, name in (("adamw", "AdamW"), ("sgd", "plain SGD"))
    }


def _judge(study: Study, way: str, optimiser: str) -> None:
    model = SmallTowers(study.params.seed)
    model.load(np.load(study.folder / f"{way}-{optimiser}.npy"))
    study.result.trained[way, optimiser] = study.judge(model)
    if optimiser == "adamw":
        study.places[way] = held_out_places(model, study.pairs)


# %% What it costs
# The table of logits is what grows with the square of the batch.


def memory_table(sizes: list[tuple[int, int]], id: str = "memory") -> Table:
    """Logits in float32 that one process holds, for (pairs, processes); features beside them."""
    ways = (WHOLE, RIGHT, LOCAL)
    return Table(
        id,
        "Memory of the logits on each process (float32)",
        ["pairs", "processes", "whole matrix", "own rows", "local only", "gathered features"],
        [
            [pairs, workers, *(in_bytes(logits_bytes(way, pairs, workers)) for way in ways),
             in_bytes(2 * 4 * DIMENSIONS * pairs)]
            for pairs, workers in sizes
        ],
        f"own rows: two tables of N/W x N; features: two of N x {DIMENSIONS} as here, CLIP's are "
        "wider. Backward needs about as much again.",
    )  # fmt: skip


def in_bytes(number: int) -> str:
    """`number` of bytes in the largest unit that leaves at least 1."""
    size = float(number)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{size:,.4g} {unit}"


class MemoryGuide:
    """Answers `pairs processes` with the memory of each way."""

    def explore(self, request: str) -> Iterator[Event]:
        """`32768 256`."""
        words = request.replace(",", "").split()
        if len(words) != 2 or not all(word.isdecimal() for word in words):
            yield Note("Type two whole numbers, pairs and processes, such as `32768 256`.")
            return
        pairs, workers = map(int, words)
        if not 0 < workers <= pairs <= LARGEST or pairs % workers:
            yield Note(f"{pairs} pairs can't be shared evenly by {workers} processes; "
                       f"at most {LARGEST:,} pairs.")  # fmt: skip
            return
        yield memory_table([(pairs, workers)], "explore")


# %% The run


def run(params: DistributedParams, lab: Lab) -> Generator[Event, None, MemoryGuide | None]:
    """Ask, compare one step, train, then say what was found."""
    return (yield from told(_run(params, lab)))


def _run(params: DistributedParams, lab: Lab) -> Generator[Event, None, MemoryGuide]:
    if params.batch % params.workers:
        raise DataFault(
            f"a batch of {params.batch} pairs can't be shared evenly by {params.workers} processes",
            f"Choose a batch that is a multiple of {params.workers}.",
        )
    torch.set_num_threads(lab.threads)
    yield from questions(params)
    with tempfile.TemporaryDirectory() as folder:
        pairs, result = make_pairs(params.seed), Result(params)
        start = SmallTowers(params.seed).weights()
        study = Study(params, pairs, result, start, Path(folder))
        yield Stage("one process", f"{params.batch} pairs at once: the gradient to be reached")
        yield from study.alone()
        yield Stage(
            "starting", f"{params.workers} processes; each loads torch, which takes seconds"
        )
        yield from together(study)
    yield training_table(result)
    yield cases(study)
    yield memory_table([(params.batch, params.workers), (1024, 8), (32768, 256)])
    yield from outcomes(result)
    yield from claims(result)
    yield Finding(finding(result))
    return MemoryGuide()


def cases(study: Study, count: int = 8) -> Table:
    """At which place some held-out captions find their picture, by way, with AdamW."""
    ways = [way for way in TRAINED if way.id in study.places]
    rows = [
        [study.pairs.captions[study.pairs.test[n]], *(int(study.places[w.id][n]) + 1 for w in ways)]
        for n in range(0, len(study.pairs.test), len(study.pairs.test) // count)
    ][:count]
    columns = ["held-out caption", *(way.name for way in ways)]
    return Table("cases", "Place of the right picture, 1 is found", columns, rows)


if __name__ == "__main__":
    main(CLIP_DISTRIBUTED)
