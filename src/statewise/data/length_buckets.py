"""Batches of rows of similar lengths (buckets), each padded to one of few lengths, so that few programs are compiled.

For the measurements, and the reasons for these limits, see docs/decisions/0019-lengths.md.
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
"""Batches are padded to at most this many lengths: a program is compiled for each."""

NEAR = 1.05
"""Fewer lengths are used if they need no more than this times the steps that `MOST_LENGTHS` need."""

LENGTHS_CONSIDERED = 512
"""If there are more distinct lengths, only this many are considered, evenly spread over the batches."""

MOST_TOGETHER, STEPS_TOGETHER = 4, 1024
"""Batches of one length are dispatched together, at most this many and with at most this many steps.

A program's working memory is taken from the system each time, page by page.
"""

LEAST_SHARE = 0.25
"""Separate batches must save this share of the steps of batches that are all as long as the longest row."""

LEAST_PER_BATCH = 32
"""They must save this many steps per batch: the cost of dispatching each batch separately."""

LEAST_SAVED = 2048
"""They must save this many steps per epoch: compiling several programs instead of one takes seconds."""


@dataclass(frozen=True, eq=False)
class LengthBuckets:
    """Batches of `rows`, one epoch after another; the order within an epoch is drawn from `key`, if there is one.

    Every row is in exactly one batch of each epoch.
    """

    source: RaggedRows
    batch_size: int
    order: Array  # [N] the rows in batch order; shuffled only among batches of one length
    padded_to: Array  # [K] the padded length of each batch
    sorted: bool  # whether rows of similar lengths were grouped, the longest last
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
        """How many rows the batch of the longest rows has if fewer than B; 0 where the last batch is padded."""
        return self.rows % self.batch_size if self.sorted else 0

    @cached_property
    def runs(self) -> list[slice]:
        """Which batches are dispatched together: consecutive full ones of the same length."""
        full, found, first = self.rows // self.batch_size if self._short else self.batches, [], 0
        for stop in range(1, self.batches + 1):
            steps = int(self.padded_to[first])
            if stop in (full, self.batches) or self.padded_to[stop] != steps or stop - first == _together(steps):
                found.append(slice(first, stop))
                first = stop
        return found

    def epoch(self, number: int, first: int = 0) -> Iterator[Samples]:
        """Yields the runs of an epoch from the batch `first` on; the same ones whenever that epoch is requested."""
        order, turn = self._drawn(number)
        done = 0
        for run in (self.runs[place] for place in turn):
            if done >= first:
                chosen = order[run.start * self.batch_size : run.stop * self.batch_size]
                yield self.source.batch(chosen, int(self.padded_to[run.start]))
            done += run.stop - run.start

    def room(self, run: Samples) -> int:
        """Returns the number of rows that a run is padded to, so that all runs of its length have one shape.

        The few longest rows are not padded: they would cost the most.
        """
        return self._short if run.rows == self._short else _together(run.steps) * self.batch_size

    def _drawn(self, number: int) -> tuple[Array, Array]:
        """Returns the order of the rows in an epoch, and that of the runs."""
        if self.key is None:
            return self.order, np.arange(len(self.runs))
        of_rows, of_runs = split(fold_in(self.key, number))
        length = np.repeat(self.padded_to, self.batch_size)[: self.rows]
        shuffled = np.lexsort((uniform(of_rows, (self.rows,), 0, 1), length))
        return self.order[shuffled], np.argsort(uniform(of_runs, (len(self.runs),), 0, 1), kind="stable")


def _together(steps: int) -> int:
    """Returns how many batches of `steps` steps make a run."""
    return max(1, min(MOST_TOGETHER, STEPS_TOGETHER // steps))


def bucket_by_length(
    rows: RaggedRows, batch_size: int, *, sort: bool, key: Key | None = None, least: int = 1
) -> LengthBuckets | Samples:
    """Returns `rows` in batches of similar lengths; as they are, padded to the longest, where that would not pay.

    Args:
        rows: the rows and what is known about them.
        batch_size: B.
        sort: whether rows of similar lengths are grouped; otherwise they keep their order, and each batch is padded
            only as far as its own longest row needs.
        key: with `sort`, shuffles rows of similar lengths and the batches, differently in each epoch.
        least: the minimum number of steps in a batch.
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
    return LengthBuckets(rows, batch_size, order, padded_to, sort, key)


def few_lengths(longest: Array) -> Array:
    """Returns the lengths, in order, to which batches with longest rows `longest` are padded, for the fewest steps.

    >>> few_lengths(np.array([3, 100, 2, 99, 3, 100])).tolist()
    [3, 100]
    """
    lengths, counts = _considered(longest)
    among = np.cumsum(counts)  # how many batches need at most each length
    after = np.where(np.tri(len(lengths), k=-1, dtype=bool).T, 0.0, np.inf)  # [i, j]: whether j is longer than i
    padded, shorter = [lengths * among.astype(float)], []  # by the longest so far: the steps, and the one below it
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
    """Returns distinct lengths, the longest included, and how many batches need each but not the one before."""
    lengths = np.unique(longest)
    if len(lengths) > LENGTHS_CONSIDERED:
        ordered = np.sort(longest)
        places = np.linspace(0, len(ordered) - 1, LENGTHS_CONSIDERED).astype(int)
        lengths = np.unique(ordered[places])
    return lengths, np.bincount(np.searchsorted(lengths, longest))
