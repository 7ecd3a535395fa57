"""Rows that are overlapping windows of one series, recognized by their values."""

from __future__ import annotations

import numpy as np

from statewise.foundation.shapes import Array

PLACES = 8
"""How many neighboring rows are compared in addition to those at the cut."""

BITS = 12
"""How many bits the shared values must have: random numbers would agree like that once in 2**12 times."""


def shared_steps(x: Array, cut: int) -> int | None:
    """Returns the steps by which each row of `x [N, T]` or `[N, T, F]` is the previous one shifted; None if it is not.

    Row `cut` and some others, evenly spread, are compared with the rows before them. They must agree on the number of
    steps, and the values they share must not all be equal, since those match at any shift.

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
            return int(stride) if _is_no_coincidence(shared) else None
    return None


def _is_no_coincidence(shared: list[Array]) -> bool:
    """Returns whether the shared values have enough bits, and differ enough between rows, to rule out chance."""
    values = np.concatenate([part.ravel() for part in shared])
    bits = len(values) * np.log2(len(np.unique(values)))
    return bool(bits >= BITS) and len({part.tobytes() for part in shared}) * 2 > len(shared)
