"""Framings of one long sequence: contiguous lanes whose state is carried, and windows that each start afresh."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from statewise.shapes import Array


class Lanes(NamedTuple):
    """A sequence cut into B contiguous rows of T-step batches, for `fit(..., state="carry")`.

    Row r of batch k+1 goes on where row r of batch k ended. `y` is `x` one step later.
    """

    x: Array  # [K B, T]
    y: Array  # [K B, T]
    mask: Array | None  # bool [K B, T]; False where the last rows and batches are filled up; None if they are full
    batch_size: int


def lanes(ids: Array, batch_size: int, steps: int) -> Lanes:
    """Returns all `len(ids) - 1` steps of a sequence as lanes.

    >>> framed = lanes(np.arange(9), batch_size=2, steps=2)
    >>> framed.x.tolist()
    [[0, 1], [4, 5], [2, 3], [6, 7]]
    >>> framed.y[:2].tolist()
    [[1, 2], [5, 6]]
    """
    transitions = len(ids) - 1
    length = math.ceil(transitions / batch_size)
    batches = math.ceil(length / steps)
    real = np.arange(batch_size * length) < transitions
    padded = np.pad(ids, (0, batch_size * length + 1 - len(ids)))
    cut = [_cut(row.reshape(batch_size, length), batches, steps) for row in (padded[:-1], padded[1:], real)]
    x, y, mask = cut
    return Lanes(x, y, None if mask.all() else mask, batch_size)


def _cut(rows: Array, batches: int, steps: int) -> Array:
    """Returns `[B, L]` as `[K B, T]`, filled up with zeros."""
    batch_size, length = rows.shape
    filled = np.pad(rows, [(0, 0), (0, batches * steps - length)])
    return filled.reshape(batch_size, batches, steps).swapaxes(0, 1).reshape(batches * batch_size, steps)


def windows(ids: Array, length: int) -> tuple[Array, Array]:
    """Returns each run of `length` symbols, `[N, length]`, and the symbol after it, `[N]`.

    >>> x, y = windows(np.arange(5), 3)
    >>> x.tolist(), y.tolist()
    ([[0, 1, 2], [1, 2, 3]], [3, 4])
    """
    return np.lib.stride_tricks.sliding_window_view(ids, length)[:-1].copy(), ids[length:]
