"""One step by the demo, and by open_clip's ClipLoss under torch's DistributedDataParallel.

Started by `tests/demos/test_clip_distributed.py` through the demo's own Crew. The loss is loaded
from its file, as importing the whole of open_clip takes seconds.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import msgspec
import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from demos.kit.data import packaged
from demos.multimodal.distributed_task import SmallTowers, flat, make_pairs
from demos.multimodal.distributed_ways import WAYS
from demos.multimodal.distributed_worker import Job, job_batches, join, my_share, one_step, say


class Both(torch.nn.Module):
    """Both towers and the scale in one forward, as DistributedDataParallel wants them."""

    def __init__(self, towers: SmallTowers) -> None:
        super().__init__()
        self.towers = towers

    def forward(self, pictures: Tensor, words: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.towers.images(pictures), self.towers.texts(words), self.towers.scale


def main(folder: Path) -> None:
    """One step in every way, and with all settings of the two flags; gradients go to the folder."""
    job = msgspec.json.decode((folder / "job.json").read_bytes(), type=Job)
    device = join(folder)
    spec = importlib.util.spec_from_file_location("peer_loss", packaged("open_clip", "loss.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pairs = make_pairs(job.seed)
    mine = my_share(next(job_batches(pairs, job.seed, job.batch)))
    for way in WAYS:
        ours, gradient = one_step(job, pairs, way, SmallTowers(job.seed).weights(), device)
        if dist.get_rank() == 0:
            np.save(folder / f"own-{way.id}.npy", gradient)
        say("own", name=way.id, loss=ours)
    rank, world = dist.get_rank(), dist.get_world_size()
    for local in (True, False):
        for gradients in (True, False):
            model = DistributedDataParallel(Both(SmallTowers(job.seed)))
            loss_of = module.ClipLoss(local, gradients, rank=rank, world_size=world)
            loss = loss_of(*model(pairs.pictures[mine], pairs.words[mine]))
            loss.backward()
            mean = loss.detach().clone()
            dist.all_reduce(mean)
            name = f"peer-{local}-{gradients}"
            if rank == 0:
                grads = [p.grad for p in model.module.towers.parameters()]
                np.save(folder / f"{name}.npy", flat(grads))
            say("peer", name=name, loss=mean.item() / world)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
