"""Drawing from a fixed distribution with one look-up and one coin (Walker 1977, Vose 1991)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def alias_table(
    probabilities: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """(accept, other): draw a place uniformly, stay with chance accept[place], else go to other.

    Each place holds 1/n of the mass: what a rare word leaves free is filled by a frequent one.
    """
    n = len(probabilities)
    share = probabilities * n / probabilities.sum()
    other = np.arange(n, dtype=np.int32)
    poor = [int(place) for place in np.flatnonzero(share < 1)]
    rich = [int(place) for place in np.flatnonzero(share >= 1)]
    while poor and rich:
        place, giver = poor.pop(), rich[-1]
        other[place] = giver
        share[giver] -= 1 - share[place]
        if share[giver] < 1:
            poor.append(rich.pop())
    share[poor + rich] = 1.0  # what is left differs from 1 by rounding only
    return share.astype(np.float32), other
