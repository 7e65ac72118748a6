"""The contrastive loss of a batch that lies on several processes: one right way and how it goes wrong.

Each of W processes has M pairs, N = W·M in all. What a process computes below is *its* loss;
after `backward` the gradients of all processes are averaged, as DistributedDataParallel does.
Write ℓ for the loss of the whole batch, f_r for the features of process r, θ for the weights:

    wanted    dℓ/dθ = Σ_r  dℓ/df_r · df_r/dθ                                             (1)
    had       (1/W) Σ_r  g_r · df_r/dθ,    g_r: what `backward` left on f_r in process r    (2)

So (2) is (1) exactly when g_r = W · dℓ/df_r. A gather whose backward *sums* over the processes
gives that; one whose backward drops the others' share does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn.functional import cross_entropy

from demos.multimodal.clip import contrastive_loss

Gather = Literal["gradients", "values", "nothing"]
Compute = Literal["own_rows", "whole_matrix"]


@dataclass(frozen=True)
class Way:
    """How a process gets its loss: what it gathers, what it computes, what it multiplies by."""

    id: str
    name: str
    gather: Gather
    compute: Compute = "own_rows"
    by_world: bool = False


RIGHT = Way("right", "with gradients, own rows", "gradients")
WHOLE = Way("whole", "with gradients, whole matrix", "gradients", "whole_matrix")
CUT_ROWS = Way("cut-rows", "without, own rows", "values")
CUT_WHOLE = Way("cut-whole", "without, whole matrix", "values", "whole_matrix")
CUT_SCALED = Way("cut-scaled", "without, whole, loss × W", "values", "whole_matrix", by_world=True)
LOCAL = Way("local", "local negatives only", "nothing")
WAYS = (RIGHT, WHOLE, CUT_ROWS, CUT_WHOLE, CUT_SCALED, LOCAL)


class GatherWithGradients(torch.autograd.Function):
    """All processes' rows, (W·M, d), in order of rank; backward sums what each wants of mine.

    Every process uses a copy of my rows in its own loss, so the derivative of the sum of all
    losses with respect to them is the sum of what comes back from all copies.
    """

    @staticmethod
    def forward(rows: Tensor) -> Tensor:
        return gather_values(rows)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Tensor], output: Tensor) -> None:
        """Nothing is kept: backward needs only the rank and the number of rows."""

    @staticmethod
    def backward(ctx: FunctionCtx, wanted: Tensor) -> Tensor:
        total = wanted.contiguous().clone()
        dist.all_reduce(total)
        return total.chunk(dist.get_world_size())[dist.get_rank()]


def gather_values(rows: Tensor) -> Tensor:
    """All processes' rows, (W·M, d), as plain numbers: `backward` ends here."""
    parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, rows.detach().contiguous())
    return torch.cat(parts)


def loss_on_this_process(way: Way, images: Tensor, texts: Tensor, scale: Tensor) -> Tensor:
    """What this process calls `backward` on; `images` and `texts` are its own (M, d) unit vectors.

    The flags of open_clip's ClipLoss: own rows is `local_loss`, with gradients is
    `gather_with_grad`. The loss of the cut whole matrix puts the process's own rows, which still
    have a gradient, back into the gathered table, as open_clip does.
    """
    if way.gather == "nothing":
        return contrastive_loss(images, texts, scale)
    gather = GatherWithGradients.apply if way.gather == "gradients" else gather_values
    all_images, all_texts = gather(torch.cat([images, texts], dim=1)).chunk(2, dim=1)
    if way.compute == "own_rows":
        return rows_loss(images, texts, all_images, all_texts, scale, dist.get_rank())
    if way.gather == "values":
        all_images = _put_back(all_images, images)
        all_texts = _put_back(all_texts, texts)
    loss = contrastive_loss(all_images, all_texts, scale)
    return loss * dist.get_world_size() if way.by_world else loss


def rows_loss(
    images: Tensor, texts: Tensor, all_images: Tensor, all_texts: Tensor, scale: Tensor, rank: int
) -> Tensor:
    """The mean loss of this process's M questions of each kind, against all N candidates.

    The mean of this over the processes is the loss of the whole batch. The right answer of row i
    stands at column rank·M + i: forget the offset, and every process but the first learns to
    name a stranger.
    """
    which_text = scale * images @ all_texts.T
    which_image = scale * texts @ all_images.T
    right = torch.arange(len(images), device=images.device) + rank * len(images)
    return (cross_entropy(which_text, right) + cross_entropy(which_image, right)) / 2


def _put_back(everything: Tensor, own: Tensor) -> Tensor:
    parts = list(everything.chunk(dist.get_world_size()))
    parts[dist.get_rank()] = own
    return torch.cat(parts)


def logits_bytes(way: Way, pairs: int, workers: int, size: int = 4) -> int:
    """Bytes of logits that one process holds for one batch, `size` bytes a number.

    The whole matrix serves both directions; own rows are one M x N table for each direction.
    """
    each = pairs // workers
    if way.gather == "nothing":
        return size * each * each
    return size * (pairs * pairs if way.compute == "whole_matrix" else 2 * each * pairs)
