"""What one dispatch of a compiled program is given: how many steps, and rows on the device."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import replace

import jax
import numpy as np

from statewise.data.batches import Samples
from statewise.foundation.engine import Program
from statewise.training.objective import Batch
from statewise.training.programs import Layout

DISPATCH_SECONDS = 0.5
"""The target duration of a dispatch: long enough to hide its cost, short enough for a moving bar and for Ctrl-C.

The cost is that of memory: each dispatch of a large network takes its temporaries from the system again, page by page.
"""

HANDED_OVER_BYTES = 65536
"""Rows smaller than this are passed with each dispatch, which is faster than putting them on the device first."""


def is_due(since: float) -> bool:
    """Returns whether a dispatch's time has passed since then, by `time.perf_counter`."""
    return time.perf_counter() - since > DISPATCH_SECONDS


class Pace:
    """Chooses how many steps a dispatch takes from how long the last ones took."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._allowed = 1.0 if program.seconds is None else DISPATCH_SECONDS / program.seconds

    @property
    def known(self) -> bool:
        """Whether such steps were taken before, so that their program is compiled."""
        return self._program.seconds is not None

    def steps(self) -> int:
        """Returns how many steps the next dispatch may take."""
        return max(1, int(self._allowed))

    def took(self, steps: int, seconds: float) -> None:
        """Learns from a dispatch; grows at most eightfold at a time, since the first ones are mostly overhead."""
        self._program.seconds = seconds / steps
        self._allowed = min(DISPATCH_SECONDS * steps / max(seconds, 1e-9), 8.0 * max(steps, 1))


def on_device(samples: Samples, rows: int) -> Batch:
    """Returns rows, filled up to so many, where a program reads them fastest."""
    padded = samples.padded(rows)
    size = sum(array.nbytes for array in jax.tree.leaves(padded))
    if size >= HANDED_OVER_BYTES:
        return Batch(*jax.device_put(padded))
    return Batch(*jax.tree.map(np.copy, padded))  # copies: the given arrays may change between dispatches


def layout_for(rows: Batch, layout: Layout) -> Layout:
    """Returns the layout for rows that may be fewer than a batch of `layout`."""
    return replace(layout, batch_size=min(layout.batch_size, rows.rows))


def shapes_of(rows: Batch) -> Hashable:
    """Returns what the program for the rows is compiled for."""
    arrays, structure = jax.tree.flatten(rows[:5])
    return (*((array.shape, array.dtype.str) for array in arrays), structure, rows.initial is None)
