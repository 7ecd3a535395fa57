"""Rows that are windows of one series, overlapping: recognized by their values."""

from __future__ import annotations

import numpy as np

from statewise.foundation.shapes import Array

PLACES = 8
"""How many neighboring rows are compared besides those at the cut."""

BITS = 12
"""What the shared values have to tell together: numbers drawn at random agree so once in 2**12 times."""


def shared_steps(x: Array, cut: int) -> int | None:
    """Returns by how many steps each row of `x [N, T]` or `[N, T, F]` is the one before it moved on; None if it is not.

    Row `cut` is compared with the row before it, and so are some others, evenly spread. They have to agree on the
    number of steps, and what they share must not be one value throughout, which is moved on by any number of steps.

    >>> series = np.arange(20.0) ** 2
    >>> shared_steps(np.stack([series[at : at + 5, None] for at in range(0, 14, 2)]), cut=4)
    2
    >>> shared_steps(np.zeros((7, 5, 1)), cut=4) is None
    True
    """
    if x.ndim not in (2, 3) or x.shape[1] < 2 or (x.ndim == 2 and np.issubdtype(x.dtype, np.floating)):
        return None
    places = sorted({cut, *np.linspace(1, len(x) - 1, PLACES).astype(int).tolist()})
    firsts = (x[cut - 1] == x[cut, :1]).reshape(x.shape[1], -1).all(axis=1)
    for stride in np.flatnonzero(firsts[1:]) + 1:
        shared = [x[at, :-stride] for at in places]
        if all(np.array_equal(x[at - 1, stride:], kept) for at, kept in zip(places, shared, strict=True)):
            return int(stride) if _no_accident(shared) else None
    return None


def _no_accident(shared: list[Array]) -> bool:
    """Returns whether what places share tells enough, and differs from place to place, to agree by no accident."""
    values = np.concatenate([part.ravel() for part in shared])
    bits = len(values) * np.log2(len(np.unique(values)))
    return bool(bits >= BITS) and len({part.tobytes() for part in shared}) * 2 > len(shared)
