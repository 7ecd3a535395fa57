"""Batches that come one at a time from a user's iterable, for data larger than memory; checked as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import islice

from statewise.data.batches import NEGATIVE_WEIGHTS, NOTHING_COUNTS, Samples
from statewise.errors import DataError, ShapeError, warn
from statewise.foundation.named_values import arrays_of


def unpack(what: str, value: object, way_out: str = "") -> Sequence[object]:
    """Returns `value` if it is `(x, y)` or `(x, y, sample_weight)`."""
    if isinstance(value, tuple | list) and len(value) in (2, 3):
        return value
    size = f" of {len(value)}" if isinstance(value, Sized) else ""
    raise DataError(f"{what}: expected (x, y) or (x, y, sample_weight), got {type(value).__name__}{size}{way_out}")


def is_batches(value: object) -> bool:
    """Returns whether `value` is an iterable of batches, and not `(x, y)` or `(x, y, sample_weight)` itself.

    >>> is_batches((1, 2)), is_batches([1, 2]), is_batches([(1, 2), (3, 4)])
    (False, False, True)
    """
    if isinstance(value, list):
        return all(isinstance(entry, tuple | Mapping) for entry in value)
    whole = isinstance(value, tuple | str | bytes | Mapping) or hasattr(value, "ndim")
    return isinstance(value, Iterable) and not whole


class OneTime:
    """An iterator that is gone through once, though its first batch is looked at before."""

    def __init__(self, batches: Iterator[object]) -> None:
        self._rest = batches
        self._first = list(islice(batches, 1))

    def __iter__(self) -> Iterator[object]:
        yield from self._first
        yield from self._rest


def larger_batch(number: int, rows: int, size: int) -> str:
    """Returns the message for a batch with more rows than the first, for whose size programs were compiled."""
    return f"batch {number} has {rows} rows, the first {size}; expected no more than that: put the largest batch first"


ReadSamples = Callable[..., Samples]
"""Checks `x, y[, sample_weight]` and returns them as Samples."""


class CheckedBatches:
    """Batches from a user's iterable, checked as they come; iterated over once per epoch."""

    def __init__(self, batches: object, read: ReadSamples, counts: Callable[[Samples], bool]) -> None:
        if isinstance(batches, Iterator):
            raise DataError(f"an iterator can be used only once; {_AGAIN}")
        if not isinstance(batches, Iterable) or isinstance(batches, str | bytes | Mapping):
            raise DataError(
                f"expected x and y, or an iterable of batches (x, y), got y=None and x of type "
                f"{type(batches).__name__}; pass y, or {_AGAIN}"
            )
        if isinstance(batches, tuple) and len(batches) in (2, 3) and all(hasattr(part, "ndim") for part in batches):
            raise DataError(f"expected x and y, got one tuple of {len(batches)} arrays; unpack it, as in fit(*data)")
        self._batches, self._read, self._counts, self._warned = batches, read, counts, False
        first = next(iter(batches), None)
        if first is None:
            raise DataError("the iterable of batches is empty; expected (x, y) or (x, y, sample_weight) in it")
        samples = self._samples(1, first)
        self.batch_size, self.steps = max(samples.rows, _most_rows(batches)), samples.steps
        self.batches: int | None = None  # per epoch: unknown
        self.least_steps = 1

    def epoch(self, number: int, first: int = 0) -> Iterator[Samples]:
        """Yields the batches of an epoch from the `first` on; those before it are still read."""
        return islice(iter(self), first, None)

    def room(self, batch: Samples) -> int:
        """Returns the number of rows that a batch is padded to."""
        return self.batch_size

    def __iter__(self) -> Iterator[Samples]:
        number, counted = 0, False
        for number, batch in enumerate(self._batches, 1):
            samples = self._samples(number, batch)
            if samples.rows > self.batch_size:
                raise ShapeError(larger_batch(number, samples.rows, self.batch_size))
            if samples.steps < self.least_steps:
                raise ShapeError(
                    f"batch {number} has {samples.steps} step(s); expected at least {self.least_steps}, so that some "
                    "are left to score"
                )
            counted = counted or self._counts(samples)
            yield samples
        if number > 0 and not counted:
            raise DataError(NOTHING_COUNTS)
        if number == 0:
            raise DataError(f"the iterable of batches was empty when an epoch began; {_AGAIN}")

    def _samples(self, number: int, batch: object) -> Samples:
        parts = unpack(f"batch {number}", batch, way_out="; if x is all the data, pass y with it")
        try:
            samples = self._read(*parts)
        except (DataError, ShapeError) as error:
            raise type(error)(f"batch {number}: {error}") from None
        if not self._warned and samples.has_negative_weights:
            self._warned = True
            warn(f"batch {number}: {NEGATIVE_WEIGHTS}")
        return samples


def _most_rows(batches: object) -> int:
    """Returns how many rows the largest batch of a list has; 0 where batches are only known as they come."""
    parts = [batch[0] for batch in batches if isinstance(batch, tuple) and batch] if isinstance(batches, list) else []
    arrays = (x for part in parts for x in (arrays_of(part) if isinstance(part, Mapping) else [part]))
    return max((len(x) for x in arrays if isinstance(x, Sized)), default=0)


_AGAIN = (
    "pass something that restarts each epoch, such as a list of (x, y), a DataLoader, or an object whose __iter__ "
    "is a generator"
)
