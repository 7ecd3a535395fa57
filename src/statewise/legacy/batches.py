"""Batches one after another: cut from rows, or as a generator or a Sequence of the script yields them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from statewise.errors import ConfigurationError, DataError
from statewise.legacy import states
from statewise.legacy.arrays import Rows, read_x
from statewise.legacy.spellings import note
from statewise.legacy.stack import Stack

THREADS = "workers use_multiprocessing max_queue_size max_q_size nb_worker pickle_safe"
"""Arguments that said how generators are read ahead; they are without effect."""


@dataclass(frozen=True)
class Batches:
    """One epoch's batches; each pass over it starts again."""

    draw: Callable[[], Iterator[Rows]]
    batch_size: int
    steps: int
    samples: int
    rows: Rows | None = None  # all of them, where they are cut from rows in memory

    def __iter__(self) -> Iterator[Rows]:
        return self.draw()

    @classmethod
    def of(cls, rows: Rows, size: int) -> Batches:
        """Returns the batches of `size` rows, the last one perhaps shorter."""
        starts = range(0, len(rows), size)
        return cls(lambda: (rows.pick(slice(at, at + size)) for at in starts), size, len(starts), len(rows), rows)


class Samples(int):
    """How many samples an epoch has, by which Keras 1 counted."""


def counted_steps(call: str, steps: float | None, samples: int | None) -> float | Samples | None:
    """Returns how many batches to take, or, as Keras 1 said it, how many samples."""
    if samples is None:
        return steps
    note(call, "model.fit(batches) goes through an iterable once an epoch")
    return Samples(samples)


def as_batches(
    model: Stack,
    source: Any,
    steps: float | Samples | None,
    class_weight: Mapping[int, float] | None = None,
    *,
    shuffle: bool = False,
    targets: bool = True,
    called: str = "steps_per_epoch",
) -> Batches:
    """Returns what a generator, a Sequence or a tuple of arrays gives in one epoch.

    Args:
        model: for which they are read.
        source: yields `(x, y)` or `(x, y, sample_weight)`, or x alone without `targets`.
        steps: batches of an epoch, a part of one counting as one, or Samples.
        class_weight: weights by class.
        shuffle: whether a Sequence's batches change places.
        targets: whether there are any.
        called: what the user calls `steps`.

    Raises:
        ConfigurationError: the number of batches of an epoch is unknown.
        DataError: something else is yielded.
    """

    def read(item: Any) -> Rows:
        parts = item if isinstance(item, tuple | list) else (item,)
        if not targets:
            return Rows(read_x(parts[0], model.row_shape))
        if len(parts) not in (2, 3):
            raise DataError(f"a generator must yield (x, y) or (x, y, sample_weight), got {type(item).__name__}")
        x, y, *weight = parts
        return model.read(x, y, weight[0] if weight else None, class_weight)

    if isinstance(source, tuple | list):
        rows = read(source)
        return Batches.of(rows, states.check_rows(model, len(rows), None))

    def read_batch(item: Any) -> Rows:
        rows = read(item)
        states.check_batch(model, len(rows))
        return rows

    if hasattr(source, "__getitem__") and hasattr(source, "__len__"):
        return _drawn(_passes(source, shuffle), read_batch, len(source) if steps is None else steps)
    if steps is None:
        raise ConfigurationError(
            f"{called}: expected how many batches to take, since a generator does not say how many it has, got None"
        )
    return _drawn(iter(source), read_batch, steps)


def _passes(source: Any, shuffle: bool) -> Iterator[Any]:
    """Returns the batches of a Sequence, pass after pass without end."""
    while True:
        order = list(range(len(source)))
        if shuffle:
            random.shuffle(order)
        for place in order:
            item = source[place]
            if place == order[-1]:  # before it is yielded: there may be no next call
                getattr(source, "on_epoch_end", lambda: None)()
            yield item


def _drawn(source: Iterator[Any], read: Callable[[Any], Rows], steps: float | Samples) -> Batches:
    """Returns epochs of a number of batches, or of samples; each epoch continues where the last one ended."""
    limit = math.ceil(steps)

    def draw() -> Iterator[Rows]:
        done = 0
        while done < limit:
            item = next(source, None)
            if item is None:
                raise DataError(f"the generator ended after {done} of {limit}: make it endless, with `while True`")
            rows = read(item)
            yield rows
            done += len(rows) if isinstance(steps, Samples) else 1

    return Batches(draw, 1, limit, limit)
