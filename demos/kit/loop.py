"""When a training loop stops to look at itself."""

from __future__ import annotations


def looks(epochs: int) -> frozenset[int]:
    """Epochs after which to show what was learned: densely at first, then every fifth, and last.

    >>> sorted(looks(12))
    [1, 2, 3, 5, 10, 12]
    """
    return frozenset(n for n in range(1, epochs + 1) if n <= 3 or n % 5 == 0 or n == epochs)
