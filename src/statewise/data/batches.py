"""Arrays checked at the public door and brought into the form that compiled programs read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from statewise.errors import DataError, ShapeError
from statewise.shapes import Array, Shape, as_array, check_finite, check_flags, check_input, describe


class Samples(NamedTuple):
    """What is known of N rows; all arrays have N as their first axis, None where the user gave nothing."""

    x: Array  # [N, T, F], [N, F], or whole numbers [N, T]
    y: Array  # "classes": [N] or [N, T] whole numbers; otherwise one axis of outputs more
    weight: Array | None = None  # [N] or [N, T]
    mask: Array | None = None  # bool [N, T]
    reset: Array | None = None  # bool [N, T]

    @property
    def rows(self) -> int:
        """N."""
        return len(self.x)

    def padded(self, count: int) -> Samples:
        """Returns the rows followed by zeros up to `count`, a shape that is compiled already."""
        missing = count - self.rows
        if missing == 0:
            return self
        return self._each(lambda array: np.pad(array, [(0, missing)] + [(0, 0)] * (array.ndim - 1)))

    def split(self, share: float) -> tuple[Samples, Samples]:
        """Returns the first rows and the last `share` of them, in their order, as Keras's `validation_split`."""
        cut = int(self.rows * (1 - share))
        if not 0 < cut < self.rows:
            raise DataError(
                f"validation_split={share} of {self.rows} row(s) leaves nothing on one side; "
                "expected a share between 0 and 1 that leaves rows on both"
            )
        return self._each(lambda array: array[:cut]), self._each(lambda array: array[cut:])

    def _each(self, change: Callable[[Array], Array]) -> Samples:
        x, y, *others = self
        return Samples(change(x), change(y), *(None if array is None else change(array) for array in others))


def read_x(x: object, input_shape: Shape, symbols: int | None) -> Array:
    """Returns `x` as the network reads it: float32 `[N, T, F]`, or int32 symbols `[N, T]`.

    Raises:
        ShapeError: another shape than the network's input.
        DataError: no rows, NaN, or symbols that are no whole numbers in 0 .. symbols-1.
    """
    array = as_array("x", x)
    check_input(array, input_shape)
    if array.size == 0:
        raise DataError(f"x: expected at least one row and one step, got shape {list(array.shape)}")
    check_finite("x", array)
    return array.astype(np.float32, copy=False) if symbols is None else _whole("x", array, symbols, "symbols")


def read_y(y: object, output_shape: Shape, target: str, rows: int) -> Array:
    """Returns `y` in the form that a loss for `target` compares with an output of `output_shape`.

    Raises:
        ShapeError: another shape than the network's output.
        DataError: NaN, labels out of range, or targets that are not 0 and 1 where a loss needs them.
    """
    array = as_array("y", y)
    if array.shape[:1] != (rows,):
        raise ShapeError(f"y: expected {rows} row(s), as x has, got shape {list(array.shape)}")
    outputs = output_shape[-1]
    expected = output_shape[:-1] if target == "classes" else output_shape
    array = _align(array, len(expected) + 1)
    if len(array.shape) != len(expected) + 1 or any(
        want not in (None, size) for want, size in zip(expected, array.shape[1:], strict=True)
    ):
        raise ShapeError(_explain(array, expected, target, outputs))
    check_finite("y", array)
    if target == "classes":
        return _whole("y", array, outputs, "classes")
    array = array.astype(np.float32, copy=False)
    if target == "binary" and ((array < 0) | (array > 1)).any():
        raise DataError(f"y: binary_crossentropy expects values from 0 to 1, got {array.min():g} to {array.max():g}")
    if target == "onehot" and (array < 0).any():
        raise DataError(f"y: categorical_crossentropy expects probabilities, got {array.min():g}")
    return array


def read_weight(weight: object, y: Array, target: str) -> Array:
    """Returns sample weights `[N]` or `[N, T]` that fit targets `y`."""
    array = as_array("sample_weight", weight).astype(np.float32, copy=False)
    steps = y.shape if target == "classes" else y.shape[:-1]
    if array.shape not in (steps[:1], steps):
        allowed = " or ".join(str(list(shape)) for shape in dict.fromkeys([steps[:1], steps]))
        raise ShapeError(f"sample_weight: expected shape {allowed}, got {list(array.shape)}")
    check_finite("sample_weight", array)
    return array


def read_flags(name: str, flags: object | None, x: Array) -> Array | None:
    """Returns `reset` or `mask` as bool `[N, T]`, or None."""
    if flags is None:
        return None
    if x.ndim < 2:
        raise ShapeError(f"{name}: the input has no time axis")
    return check_flags(name, flags, x.shape[:2])


def _align(array: Array, rank: int) -> Array:
    """Returns `[N, 1]` for `[N]` and the reverse, the one liberty that Keras's users rely on."""
    if array.ndim == rank + 1 and array.shape[-1] == 1:
        return array[..., 0]
    return array[..., None] if array.ndim == rank - 1 else array


def _whole(name: str, array: Array, limit: int | None, what: str) -> Array:
    whole = array.astype(np.int32)
    if not np.array_equal(whole, array):
        raise DataError(f"{name}: expected whole numbers ({what}), got {array.dtype} values such as {array.flat[0]:g}")
    if limit is not None and (whole.min() < 0 or whole.max() >= limit):
        bad = whole[(whole < 0) | (whole >= limit)][0]
        raise DataError(f"{name}: {what} must be 0 .. {limit - 1} for this network, got {bad}")
    return whole


def _explain(array: Array, expected: Shape, target: str, outputs: int | None) -> str:
    message = f"y: expected {describe(expected)} for this network and loss, got {list(array.shape)}"
    if target == "classes" and array.shape[-1:] == (outputs,):
        return message + "; one-hot targets go with loss='categorical_crossentropy'"
    if target == "onehot":
        return message + "; targets that are class numbers go with loss='sparse_categorical_crossentropy'"
    return message


ReadSamples = Callable[..., Samples]
"""Checks `x, y[, sample_weight]` and returns them as Samples."""


class CheckedBatches:
    """Batches of someone's iterable, checked as they come; goes through it once per epoch."""

    def __init__(self, batches: Iterable[Sequence[object]], read: ReadSamples) -> None:
        if isinstance(batches, Iterator):
            raise DataError(
                "an iterator can be gone through only once; pass something that starts anew each epoch, such as a "
                "list, a DataLoader, or an object whose __iter__ is a generator"
            )
        self._batches, self._read = batches, read
        first = next(iter(batches), None)
        if first is None:
            raise DataError("the iterable of batches is empty; expected (x, y) or (x, y, sample_weight) in it")
        self.batch_size = self._samples(first).rows

    def __iter__(self) -> Iterator[Samples]:
        for number, batch in enumerate(self._batches):
            samples = self._samples(batch)
            if samples.rows > self.batch_size:
                raise ShapeError(
                    f"batch {number} has {samples.rows} rows, the first {self.batch_size}; expected no more than that"
                )
            yield samples

    def _samples(self, batch: object) -> Samples:
        if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
            raise DataError("each batch must be (x, y) or (x, y, sample_weight)")
        return self._read(*batch)
