"""One of W processes that share a batch: `python -m demos.multimodal.distributed_worker JOB`.

JOB is a folder with `job.json`. Rank and number of processes come from RANK and WORLD_SIZE, as
torchrun sets them, so `torchrun --nproc-per-node=2 -m demos.multimodal.distributed_worker JOB`
does the same work. The first process prints one JSON object a line. With `--lifeline` a worker
ends at once when its standard input is closed, which is how it dies with the demo.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from demos.kit.adamw import AdamW
from demos.multimodal.distributed_task import Pairs, SmallTowers, flat, make_pairs
from demos.multimodal.distributed_ways import WAYS, Way, loss_on_this_process

#: How long a process waits for the others before it gives up, in seconds.
PATIENCE = 120
DECAY = 0.01


class Job(msgspec.Struct, frozen=True):
    """What the workers do: one step in every way from each of `starts`, then all `trainings`.

    A start names a file of weights in the folder; a training is a way's id and an optimiser, each
    with its learning rate in `lr`. Gradients and final weights are left in the folder.
    """

    seed: int
    batch: int
    steps: int
    lr: dict[str, float]
    starts: list[str]
    trainings: list[tuple[str, str]]


def main(argv: list[str]) -> None:
    """Join the others, do the job, leave."""
    if "--lifeline" in argv:
        threading.Thread(target=_end_with_input, daemon=True).start()
    folder = Path(argv[0])
    job = msgspec.json.decode((folder / "job.json").read_bytes(), type=Job)
    device = join(folder)
    say("joined", workers=dist.get_world_size(), backend=dist.get_backend(), device=str(device))
    pairs = make_pairs(job.seed)
    for start in job.starts:
        weights = np.load(folder / f"{start}.npy")
        for way in WAYS:
            loss, gradient = one_step(job, pairs, way, weights, device)
            if dist.get_rank() == 0:
                np.save(folder / f"{start}-{way.id}.npy", gradient)
            say("step", start=start, way=way.id, loss=loss)
    ways = {way.id: way for way in WAYS}
    for id, optimiser in job.trainings:
        model = fresh(job, np.load(folder / f"{job.starts[0]}.npy"), device)
        for step, loss in train(job, pairs, ways[id], model, optimiser):
            say("train", way=id, optimiser=optimiser, step=step, loss=loss)
        if dist.get_rank() == 0:
            np.save(folder / f"{id}-{optimiser}.npy", model.weights())
            say("trained", way=id, optimiser=optimiser)
    dist.barrier()
    dist.destroy_process_group()


def join(folder: Path) -> torch.device:
    """Meet the other processes at a file of the folder, so that no port has to be agreed on.

    Each process takes a GPU of its own (NCCL) when there are enough; else all compute on the CPU
    (Gloo).
    """
    torch.set_num_threads(1)
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    on_gpu = torch.cuda.device_count() >= world
    device = torch.device("cuda", rank) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    dist.init_process_group(
        "nccl" if on_gpu else "gloo",
        init_method=(folder / "meeting").absolute().as_uri(),
        rank=rank,
        world_size=world,
        timeout=timedelta(seconds=PATIENCE),
    )
    return device


def fresh(job: Job, weights: np.ndarray, device: torch.device) -> SmallTowers:
    """Towers with these weights."""
    model = SmallTowers(job.seed)
    model.load(weights)
    return model.to(device)


def job_batches(pairs: Pairs, seed: int, size: int) -> Iterator[np.ndarray]:
    """The batches that every process and every way sees, in the same order."""
    return pairs.batches(size, np.random.default_rng([seed, 2]))


def one_step(
    job: Job, pairs: Pairs, way: Way, weights: np.ndarray, device: torch.device
) -> tuple[float, np.ndarray]:
    """The mean loss of all processes and the averaged gradient, on the first batch."""
    model = fresh(job, weights, device)
    loss = backward(model, pairs, my_share(next(job_batches(pairs, job.seed, job.batch))), way)
    return loss, flat([parameter.grad for parameter in model.parameters()])


def train(
    job: Job, pairs: Pairs, way: Way, model: SmallTowers, optimiser: str
) -> Iterator[tuple[int, float]]:
    """Train in place; about twenty times the step's number and the mean loss of all processes."""
    update = updater(model, optimiser, job.lr[optimiser])
    batches = job_batches(pairs, job.seed, job.batch)
    for step in range(1, job.steps + 1):
        loss = backward(model, pairs, my_share(next(batches)), way)
        update()
        if step % max(1, job.steps // 20) == 0 or step in (1, job.steps):
            yield step, loss


def backward(model: SmallTowers, pairs: Pairs, mine: np.ndarray, way: Way) -> float:
    """Leaves the gradient, averaged over the processes, on the parameters; returns the mean loss.

    `mine` are the rows of this process. The loss is given as it is before a way multiplies it.
    """
    device = model.log_scale.device
    for parameter in model.parameters():
        parameter.grad = None
    images = model.images(pairs.pictures[mine].to(device))
    texts = model.texts(pairs.words[mine].to(device))
    loss = loss_on_this_process(way, images, texts, model.scale)
    loss.backward()
    shown = loss.detach() / (dist.get_world_size() if way.by_world else 1)
    gradients = [parameter.grad for parameter in model.parameters()]
    return average([shown, *gradients])[0].item()


def average(tensors: list[Tensor]) -> list[Tensor]:
    """The means over the processes, in place too: what DistributedDataParallel does to gradients.

    All go in one message, as its buckets do: each message costs a meeting of the processes.
    """
    message = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(message)
    message /= dist.get_world_size()
    means = message.split([tensor.numel() for tensor in tensors])
    for tensor, mean in zip(tensors, means, strict=True):
        tensor.copy_(mean.view_as(tensor))
    return list(means)


def my_share(chosen: np.ndarray) -> np.ndarray:
    """The slice of a batch that lies on this process."""
    return np.array_split(chosen, dist.get_world_size())[dist.get_rank()]


def updater(model: SmallTowers, optimiser: str, lr: float) -> Any:
    """A function that makes one update from the gradients."""
    if optimiser == "adamw":
        adam = AdamW(model.parameters(), decay=DECAY)
        return lambda: adam.step(lr)

    @torch.no_grad()
    def plain() -> None:
        for parameter in model.parameters():
            parameter -= lr * parameter.grad

    return plain


def say(kind: str, **told: Any) -> None:
    """One line for the demo, from the first process only."""
    if dist.get_rank() == 0:
        sys.stdout.write(json.dumps({"kind": kind, **told}) + "\n")
        sys.stdout.flush()


def _end_with_input() -> None:
    """Wait for the end of standard input, then end."""
    while os.read(0, 1024):
        pass
    os._exit(130)


if __name__ == "__main__":
    main(sys.argv[1:])
