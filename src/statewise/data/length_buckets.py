"""Batches of rows of like lengths, each padded to one of a few lengths, so that few programs are compiled.

What was measured, and why these limits: docs/decisions/0019-lengths.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from statewise.data.batches import Samples
from statewise.data.ragged_rows import RaggedRows
from statewise.foundation.random import Key, fold_in, split, uniform
from statewise.foundation.shapes import Array

MOST_LENGTHS = 6
"""Batches are padded to no more lengths than this: a program is compiled for each."""

NEAR = 1.05
"""Fewer lengths do if they need no more than this times the steps that `MOST_LENGTHS` need."""

LENGTHS_CONSIDERED = 512
"""Of more different lengths than this only so many are considered, evenly spread over the batches."""

MOST_TOGETHER, STEPS_TOGETHER = 4, 1024
"""Batches of one length are handed over together, so many and no more than so many steps.

What a program works in is taken from the system each time, page by page.
"""

LEAST_SHARE = 0.25
"""Batches by themselves must save this share of the steps of batches that are all as long as the longest row."""

LEAST_PER_BATCH = 32
"""They must save as many steps a batch: what it costs to hand over each batch by itself."""

LEAST_SAVED = 2048
"""They must save as many steps an epoch: compiling several programs in place of one costs seconds."""


@dataclass(frozen=True, eq=False)
class LikeLengths:
    """Batches of `rows`, an epoch of them after another; the order within an epoch is drawn from `key` if there is one.

    Every row is in one batch of each epoch.
    """

    source: RaggedRows
    batch_size: int
    order: Array  # [N] the rows as they lie in batches; shuffled only among batches of one length
    padded_to: Array  # [K] the steps of each batch
    sorted: bool  # whether rows of like lengths were brought together, the longest last
    key: Key | None = None

    @property
    def rows(self) -> int:
        """N."""
        return self.source.rows

    @property
    def steps(self) -> int:
        """T of the longest batch."""
        return int(self.padded_to.max())

    @property
    def batches(self) -> int:
        """K."""
        return len(self.padded_to)

    @property
    def _short(self) -> int:
        """How many rows the batch of the longest rows has if they are fewer than B; 0 where the last is filled up."""
        return self.rows % self.batch_size if self.sorted else 0

    @cached_property
    def runs(self) -> list[slice]:
        """Which batches are handed over together: some that follow one another and are as long, and full."""
        full, found, first = self.rows // self.batch_size if self._short else self.batches, [], 0
        for stop in range(1, self.batches + 1):
            steps = int(self.padded_to[first])
            if stop in (full, self.batches) or self.padded_to[stop] != steps or stop - first == _together(steps):
                found.append(slice(first, stop))
                first = stop
        return found

    def epoch(self, number: int, first: int = 0) -> Iterator[Samples]:
        """Yields the runs of an epoch from the batch `first` on; the same ones whenever that epoch is asked for."""
        order, turn = self._drawn(number)
        done = 0
        for run in (self.runs[place] for place in turn):
            if done >= first:
                chosen = order[run.start * self.batch_size : run.stop * self.batch_size]
                yield self.source.batch(chosen, int(self.padded_to[run.start]))
            done += run.stop - run.start

    def room(self, run: Samples) -> int:
        """Returns up to how many rows a run is filled up, so that all of its length have one shape.

        The few longest rows are not: they would cost the most.
        """
        return self._short if run.rows == self._short else _together(run.steps) * self.batch_size

    def _drawn(self, number: int) -> tuple[Array, Array]:
        """Returns the rows' order in an epoch, and that of the runs."""
        if self.key is None:
            return self.order, np.arange(len(self.runs))
        of_rows, of_runs = split(fold_in(self.key, number))
        length = np.repeat(self.padded_to, self.batch_size)[: self.rows]
        shuffled = np.lexsort((uniform(of_rows, (self.rows,), 0, 1), length))
        return self.order[shuffled], np.argsort(uniform(of_runs, (len(self.runs),), 0, 1), kind="stable")


def _together(steps: int) -> int:
    """Returns how many batches of so many steps make a run."""
    return max(1, min(MOST_TOGETHER, STEPS_TOGETHER // steps))


def like_lengths(
    rows: RaggedRows, batch_size: int, *, sort: bool, key: Key | None = None, least: int = 1
) -> LikeLengths | Samples:
    """Returns `rows` in batches of like lengths; as they are, padded to the longest, where that would not pay.

    Args:
        rows: what is known of them.
        batch_size: B.
        sort: whether rows of like lengths are brought together; otherwise they keep their order, and each batch is
            padded no further than its own longest needs.
        key: with `sort`, what rows of like lengths and the batches are shuffled with, each epoch in its own way.
        least: the fewest steps that a batch may have.
    """
    order = np.argsort(rows.lengths, kind="stable") if sort else np.arange(rows.rows)
    longest = np.maximum.reduceat(rows.lengths[order], np.arange(0, rows.rows, batch_size))
    longest = np.maximum(longest, least)
    lengths = few_lengths(longest)
    padded_to = lengths[np.searchsorted(lengths, longest)]
    whole = len(longest) * rows.steps
    enough = max(LEAST_SHARE * whole, LEAST_PER_BATCH * len(longest), LEAST_SAVED)
    if whole - int(padded_to.sum()) < enough:
        return rows.padded()
    return LikeLengths(rows, batch_size, order, padded_to, sort, key)


def few_lengths(longest: Array) -> Array:
    """Returns the lengths, in order, to which batches with rows up to `longest` are padded, for the fewest steps.

    >>> few_lengths(np.array([3, 100, 2, 99, 3, 100])).tolist()
    [3, 100]
    """
    lengths, counts = _considered(longest)
    among = np.cumsum(counts)  # how many batches need no more than each length
    after = np.where(np.tri(len(lengths), k=-1, dtype=bool).T, 0.0, np.inf)  # [i, j]: whether j is longer than i
    padded, shorter = [lengths * among.astype(float)], []  # by the longest so far: the steps, and which one is below it
    for _ in range(1, min(MOST_LENGTHS, len(lengths))):
        steps = padded[-1][:, None] + lengths * (among - among[:, None]) + after
        shorter.append(steps.argmin(axis=0))
        padded.append(steps.min(axis=0))
    count = next(number for number, steps in enumerate(padded) if steps[-1] <= NEAR * padded[-1][-1])
    chosen = [len(lengths) - 1]
    for below in reversed(shorter[:count]):
        chosen.append(int(below[chosen[-1]]))
    return lengths[chosen[::-1]]


def _considered(longest: Array) -> tuple[Array, Array]:
    """Returns different lengths, the longest among them, and how many batches need each but not the one before."""
    lengths = np.unique(longest)
    if len(lengths) > LENGTHS_CONSIDERED:
        ordered = np.sort(longest)
        places = np.linspace(0, len(ordered) - 1, LENGTHS_CONSIDERED).astype(int)
        lengths = np.unique(ordered[places])
    return lengths, np.bincount(np.searchsorted(lengths, longest))
