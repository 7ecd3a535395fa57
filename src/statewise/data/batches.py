"""Arrays checked at the public door and brought into the form that compiled programs read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import islice
from typing import NamedTuple

import numpy as np

from statewise.errors import DataError, ShapeError
from statewise.shapes import Array, Shape, as_array, check_finite, check_flags, check_input, describe, is_number


class Samples(NamedTuple):
    """What is known of N rows; all arrays have N as their first axis, None where the user gave nothing."""

    x: Array  # [N, T, F], [N, F], or whole numbers [N, T]
    y: Array  # "classes": [N] or [N, T] whole numbers; otherwise one axis of outputs more
    weight: Array | None = None  # [N] or [N, T]
    mask: Array | None = None  # bool [N, T]
    reset: Array | None = None  # bool [N, T]
    start: tuple[Array, ...] | None = None  # [N, H] each: where each row starts, the parts in their order

    @property
    def rows(self) -> int:
        """N."""
        return len(self.x)

    @property
    def steps(self) -> int:
        """T; 1 where rows have no time axis."""
        return count_steps(self.x)

    def padded(self, count: int) -> Samples:
        """Returns the rows followed by zeros up to `count`, a shape that is compiled already."""
        missing = count - self.rows
        if missing == 0:
            return self
        return self._each(lambda array: np.pad(array, [(0, missing)] + [(0, 0)] * (array.ndim - 1)))

    def split(self, share: float) -> tuple[Samples, Samples]:
        """Returns the first rows and the last `share` of them, in their order, as Keras's `validation_split`."""
        cut = cut_of(self.rows, share)
        return self._each(lambda array: array[:cut]), self._each(lambda array: array[cut:])

    def starting_in(self, parts: tuple[Array, ...]) -> Samples:
        """Returns the rows with the states `[N, H]` in which they start."""
        return self._replace(start=parts)

    def named(self) -> list[tuple[str, Array]]:
        """Returns what tells these rows from others, by name."""
        return [(name, a) for name, a in zip(self._fields[:5], self[:5], strict=True) if a is not None]

    def longer(self, steps: int, each_step: bool) -> Samples:
        """Returns the rows with masked steps at their end, T `steps` in all.

        With `each_step` targets and weights have steps too.
        """
        room = steps - self.steps

        def longer(array: Array) -> Array:
            return np.pad(array, [(0, 0), (0, room)] + [(0, 0)] * (array.ndim - 2))

        return Samples(
            longer(self.x),
            longer(self.y) if each_step else self.y,
            longer(self.weight) if each_step and self.weight is not None and self.weight.ndim == 2 else self.weight,
            longer(np.ones((self.rows, self.steps), bool) if self.mask is None else self.mask),
            None if self.reset is None else longer(self.reset),
            self.start,
        )

    def _each(self, change: Callable[[Array], Array]) -> Samples:
        x, y, weight, mask, reset = (None if array is None else change(array) for array in self[:5])
        start = None if self.start is None else tuple(change(part) for part in self.start)
        return Samples(x, y, weight, mask, reset, start)  # type: ignore[arg-type]  # x and y are there


def cut_of(rows: int, share: float) -> int:
    """Returns how many of `rows` come before the last `share` of them.

    Raises:
        DataError: that leaves none on one side.
    """
    cut = int(rows * (1 - share)) if is_number(share) and 0 < share < 1 else 0
    if not 0 < cut < rows:
        raise DataError(
            f"validation_split={share!r} of {rows} row(s) leaves nothing on one side; "
            "expected a share between 0 and 1 that leaves rows on both"
        )
    return cut


def read_samples(
    x: Array, y: object, weight: object, reset: object, mask: object, output_shape: Shape, target: str
) -> Samples:
    """Returns rows for a network with an output of `output_shape` and a loss for `target`; `x` is read already.

    Raises:
        ShapeError, DataError: something does not fit `x` or the network.
    """
    check_given(y)
    if len(output_shape) == 2 and output_shape[0] is None:  # one answer at every step: this x says how many those are
        output_shape = (x.shape[1], output_shape[1])
    targets = read_y(y, output_shape, target, len(x))
    weights = None if weight is None else read_weight(weight, targets, target)
    return Samples(x, targets, weights, read_flags("mask", mask, x), read_flags("reset", reset, x))


def check_given(y: object) -> None:
    """Raises DataError if there are no targets."""
    if y is None:
        raise DataError("y is missing: expected the targets to learn, one row for each of x")


def read_x(x: object, input_shape: Shape, symbols: int | None) -> Array:
    """Returns `x` as the network reads it: float32 `[N, T, F]`, or int32 symbols `[N, T]`.

    Raises:
        ShapeError: another shape than the network's input.
        DataError: no rows, NaN, or symbols that are no whole numbers in 0 .. symbols-1.
    """
    array = as_array("x", x)
    check_input(array, input_shape)
    check_filled(array)
    check_finite("x", array)
    return array.astype(np.float32, copy=False) if symbols is None else _whole("x", array, symbols, "symbols")


def count_steps(x: Array) -> int:
    """Returns T of features `[N, T, F]` or symbols `[N, T]`; 1 for features `[N, F]`."""
    return x.shape[1] if x.ndim > 2 or (x.ndim == 2 and np.issubdtype(x.dtype, np.integer)) else 1


def check_filled(x: Array) -> None:
    """Raises DataError if there is nothing in `x`."""
    if x.size == 0:
        raise DataError(f"x: expected at least one row, one step and one feature, got shape {list(x.shape)}")


def read_y(y: object, output_shape: Shape, target: str, rows: int) -> Array:
    """Returns `y` in the form that a loss for `target` compares with an output of `output_shape`.

    Raises:
        ShapeError: another shape than the network's output.
        DataError: NaN, labels out of range, or targets that are not 0 and 1 where a loss needs them.
    """
    return check_y(align_y(as_array("y", y), output_shape, target, rows), output_shape[-1], target)


def align_y(array: Array, output_shape: Shape, target: str, rows: int) -> Array:
    """Returns `array` with the axes that a loss for `target` compares with an output of `output_shape`.

    Raises:
        ShapeError: another shape than the network's output.
    """
    if array.shape[:1] != (rows,):
        raise ShapeError(f"y: expected {rows} row(s), as x has, got shape {list(array.shape)}")
    given = array.shape
    expected = output_shape[:-1] if target == "classes" else output_shape
    array = _align(array, len(expected) + 1)
    if len(array.shape) != len(expected) + 1 or any(
        want not in (None, size) for want, size in zip(expected, array.shape[1:], strict=True)
    ):
        message = f"y: expected {describe(expected)} for this network and loss, got {list(given)}"
        raise ShapeError(message + _way_out(given, output_shape, target))
    return array


def check_y(array: Array, outputs: int | None, target: str) -> Array:
    """Returns targets of the right shape as a loss for `target` reads them, for a network of so many `outputs`.

    Raises:
        DataError: NaN, labels out of range, or targets that are not 0 and 1 where a loss needs them.
    """
    check_finite("y", array)
    if target == "classes":
        return _whole("y", array, outputs, "classes")
    array = array.astype(np.float32, copy=False)
    if target == "binary" and ((array < 0) | (array > 1)).any():
        raise DataError(
            f"y: binary_crossentropy expects values from 0 to 1, got {array.min():g} to {array.max():g}; "
            "class numbers go with loss='sparse_categorical_crossentropy'"
        )
    if target == "onehot" and (array < 0).any():
        raise DataError(
            f"y: categorical_crossentropy expects probabilities, got {array.min():g}; real targets go with loss='mse'"
        )
    return array


def read_weight(weight: object, y: Array, target: str) -> Array:
    """Returns sample weights `[N]` or `[N, T]` that fit targets `y`."""
    array = as_array("sample_weight", weight).astype(np.float32, copy=False)
    steps = y.shape if target == "classes" else y.shape[:-1]
    if array.shape not in (steps[:1], steps):
        allowed = " or ".join(str(list(shape)) for shape in dict.fromkeys([steps[:1], steps]))
        raise ShapeError(f"sample_weight: expected shape {allowed}, one for each target; got {list(array.shape)}")
    check_finite("sample_weight", array)
    return array


def read_flags(name: str, flags: object | None, x: Array) -> Array | None:
    """Returns `reset` or `mask` as bool `[N, T]`, or None."""
    if flags is None:
        return None
    if x.ndim < 2:
        raise ShapeError(f"{name}: expected an x with a time axis, [B, T] or [B, T, F]; got {list(x.shape)}")
    return check_flags(name, flags, x.shape[:2])


def _align(array: Array, rank: int) -> Array:
    """Returns `[N, 1]` for `[N]` and the reverse, the one liberty that Keras's users rely on."""
    if array.ndim == rank + 1 and array.shape[-1] == 1:
        return array[..., 0]
    return array[..., None] if array.ndim == rank - 1 else array


def _whole(name: str, array: Array, limit: int | None, what: str) -> Array:
    with np.errstate(invalid="ignore"):  # numbers too large for a cast are not equal afterwards
        whole = array.astype(np.int32)
    if (other := whole != array).any():
        raise DataError(f"{name}: expected whole numbers ({what}), got {array[other][0]:g}; number the {what} from 0")
    if limit is not None and (whole.min() < 0 or whole.max() >= limit):
        bad = whole[(whole < 0) | (whole >= limit)][0]
        place = "Embedding's input_dim" if name == "x" else "last layer's units"
        enough = "" if bad < 0 else f", or raise the {place} to {int(whole.max()) + 1}"
        raise DataError(
            f"{name}: {what} must be 0 .. {limit - 1} for this network, got {bad}; number them from 0{enough}"
        )
    return whole


def _way_out(given: tuple[int, ...], output_shape: Shape, target: str) -> str:
    """Returns what to write instead of targets of shape `given`."""
    classes, every_step, outputs = target == "classes", len(output_shape) == 2, output_shape[-1]
    axes = len(output_shape) + (not classes)
    columns = given[-1] if len(given) == axes else 1
    cases = [
        (
            classes and len(given) == axes + 1 and given[-1] == outputs,
            "one-hot targets go with loss='categorical_crossentropy'",
        ),
        (
            target == "onehot" and (len(given) == axes - 1 or given[-1] == 1),
            "targets that are class numbers go with loss='sparse_categorical_crossentropy'",
        ),
        (len(given) > axes, "for a target at every step give the last LSTM return_sequences=True"),
        (every_step and len(given) < axes, "for one target a row leave return_sequences=True out of the last LSTM"),
        (every_step and given[1:2] != output_shape[:1], f"x has {output_shape[0]} steps, give y as many"),
        (classes, "give y one class number for each answer"),
        (True, f"give the last layer {columns} unit(s), or y {outputs} column(s)"),
    ]
    return "; " + next(text for fits, text in cases if fits)


def unpack(what: str, value: object, way_out: str = "") -> Sequence[object]:
    """Returns `value` if it is `(x, y)` or `(x, y, sample_weight)`."""
    if isinstance(value, tuple | list) and len(value) in (2, 3):
        return value
    size = f" of {len(value)}" if isinstance(value, Sized) else ""
    raise DataError(f"{what}: expected (x, y) or (x, y, sample_weight), got {type(value).__name__}{size}{way_out}")


ReadSamples = Callable[..., Samples]
"""Checks `x, y[, sample_weight]` and returns them as Samples."""


class CheckedBatches:
    """Batches of someone's iterable, checked as they come; goes through it once per epoch."""

    def __init__(self, batches: object, read: ReadSamples) -> None:
        if isinstance(batches, Iterator):
            raise DataError(f"an iterator can be gone through only once; {_ANEW}")
        if not isinstance(batches, Iterable) or isinstance(batches, str | bytes | Mapping):
            raise DataError(
                f"expected x and y, or an iterable of batches (x, y), got y=None and x of type "
                f"{type(batches).__name__}; pass y, or {_ANEW}"
            )
        self._batches, self._read = batches, read
        first = next(iter(batches), None)
        if first is None:
            raise DataError("the iterable of batches is empty; expected (x, y) or (x, y, sample_weight) in it")
        samples = self._samples(1, first)
        self.batch_size, self.steps = samples.rows, samples.steps
        self.batches: int | None = None  # of an epoch: nobody knows
        self.least_steps = 1

    def epoch(self, number: int, first: int = 0) -> Iterator[Samples]:
        """Yields the batches of an epoch from the `first` on, those before it being gone through all the same."""
        return islice(iter(self), first, None)

    def room(self, batch: Samples) -> int:
        """Returns up to how many rows a batch is filled up."""
        return self.batch_size

    def __iter__(self) -> Iterator[Samples]:
        number = 0
        for number, batch in enumerate(self._batches, 1):
            samples = self._samples(number, batch)
            if samples.rows > self.batch_size:
                raise ShapeError(
                    f"batch {number} has {samples.rows} rows, the first {self.batch_size}; expected no more than "
                    "that: let the largest come first"
                )
            if samples.steps < self.least_steps:
                raise ShapeError(
                    f"batch {number} has {samples.steps} step(s); expected at least {self.least_steps}, so that some "
                    "are left to score"
                )
            yield samples
        if number == 0:
            raise DataError(f"the iterable of batches was empty when an epoch began; {_ANEW}")

    def _samples(self, number: int, batch: object) -> Samples:
        parts = unpack(f"batch {number}", batch, way_out="; if x is all the data, pass y with it")
        try:
            return self._read(*parts)
        except (DataError, ShapeError) as error:
            raise type(error)(f"batch {number}: {error}") from None


_ANEW = (
    "pass something that starts anew each epoch, such as a list of (x, y), a DataLoader, or an object whose __iter__ "
    "is a generator"
)
