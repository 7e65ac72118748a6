"""The learning rate over a run."""

from __future__ import annotations

from math import cos, pi


def warm_cosine(
    step: int, steps: int, peak: float, *, warmup: int = 40, floor: float = 0.02
) -> float:
    """The rate of a step counted from 0: a linear warm-up, then a cosine down to floor · peak.

    Loshchilov and Hutter 2017 (arXiv:1608.03983, equation 5) without restarts.

    >>> [round(warm_cosine(s, 100, 1.0, warmup=2), 2) for s in (0, 1, 50, 99)]
    [0.5, 1.0, 0.51, 0.02]
    """
    share = floor + (1 - floor) * (1 + cos(pi * step / steps)) / 2
    return peak * min(1.0, (step + 1) / warmup) * share
