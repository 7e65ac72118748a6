"""AdamW written out: the same numbers as torch.optim.AdamW, without importing its compiler.

Making a torch.optim optimiser imports torch's compiler, which takes longer than many a demo's
first thousand steps on small tensors.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class AdamW:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2).

    Weights with two dimensions and more decay; scales, biases and single numbers do not.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        decay: float,
        betas: tuple[float, float] = (0.9, 0.98),
        epsilon: float = 1e-8,
    ) -> None:
        self._parameters = [each for each in parameters if each.requires_grad]
        self._means = [torch.zeros_like(each) for each in self._parameters]
        self._squares = [torch.zeros_like(each) for each in self._parameters]
        self._decay, self._betas, self._epsilon = decay, betas, epsilon
        self._steps = 0

    def clear(self) -> None:
        """Forget the gradients of the last step."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every parameter that has a gradient, at this learning rate."""
        self._steps += 1
        first, second = self._betas
        bias = 1 - first**self._steps
        square_bias = 1 - second**self._steps
        moments = zip(self._parameters, self._means, self._squares, strict=True)
        for parameter, mean, square in moments:
            if parameter.grad is None:
                continue
            if parameter.ndim > 1:
                parameter.mul_(1 - rate * self._decay)
            mean.lerp_(parameter.grad, 1 - first)
            square.mul_(second).addcmul_(parameter.grad, parameter.grad, value=1 - second)
            size = (square / square_bias).sqrt_().add_(self._epsilon)
            parameter.addcdiv_(mean, size, value=-rate / bias)
