"""Arrays checked at the public API and converted to the form that compiled programs read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from statewise.errors import DataError, ShapeError
from statewise.foundation.named_values import arrays_of, each
from statewise.foundation.shapes import (
    Array,
    Shape,
    as_float32,
    as_numbers,
    check_finite,
    check_flags,
    check_input,
    describe,
    filled,
    is_number,
    to_float32,
)

NOTHING_COUNTS = "there is nothing to score: every step is masked or has weight 0; give x some steps that count"
"""The message where nothing can be learned from, or scored."""

NEGATIVE_WEIGHTS = (
    "sample_weight: some weights are negative, so training maximizes the errors that they weight; "
    "write 0 for what should not count"
)


class Samples(NamedTuple):
    """What is known about N rows; all arrays have N as their first axis, and are None if the user passed none.

    Where a network has several inputs, outputs or time axes, dicts by their names take the place of arrays.
    """

    x: Any  # [N, T, F], [N, F], or integers [N, T]
    y: Any  # "classes": [N] or [N, T] integers; otherwise with one more axis, of outputs
    weight: Any = None  # [N] or [N, T]
    mask: Any = None  # bool [N, T]
    reset: Any = None  # bool [N, T]
    initial: tuple[Array, ...] | None = None  # [N, H] each: the initial state of each row, its parts in order

    @property
    def rows(self) -> int:
        """N."""
        return len(arrays_of(self.x)[0])

    @property
    def steps(self) -> int:
        """T, of the longest time axis; 1 if rows have none."""
        return max(map(count_steps, arrays_of(self.x)))

    @property
    def has_negative_weights(self) -> bool:
        """Whether a weight is below 0."""
        return any(bool((weight < 0).any()) for weight in arrays_of(self.weight))

    def padded(self, count: int) -> Samples:
        """Returns the rows followed by zeros up to `count`, a shape that is compiled already."""
        return self if count == self.rows else self._each(lambda array: filled(array, 0, count))

    def split(self, share: float) -> tuple[Samples, Samples]:
        """Returns the first rows and the last `share` of them, in order, as Keras's `validation_split` does."""
        cut = cut_of(self.rows, share)
        return self._each(lambda array: array[:cut]), self._each(lambda array: array[cut:])

    def starting_in(self, parts: tuple[Array, ...]) -> Samples:
        """Returns the rows with their initial states `[N, H]`."""
        return self._replace(initial=parts)

    def named(self) -> list[tuple[str, Array]]:
        """Returns the arrays that identify these rows, by name."""
        given = [(what, value) for what, value in zip(self._fields[:5], self[:5], strict=True) if value is not None]
        return [
            (f"{what}/{name}" if name else what, array)
            for what, value in given
            for name, array in (value.items() if isinstance(value, Mapping) else [("", value)])
        ]

    def longer(self, steps: int, each_step: bool) -> Samples:
        """Returns the rows of one input and one output with masked steps appended, T `steps` in all.

        With `each_step`, targets and weights have steps too.
        """

        def longer(array: Array) -> Array:
            return filled(array, axis=1, size=steps)

        return Samples(
            longer(self.x),
            longer(self.y) if each_step else self.y,
            longer(self.weight) if each_step and self.weight is not None and self.weight.ndim == 2 else self.weight,
            longer(np.ones((self.rows, self.steps), bool) if self.mask is None else self.mask),
            None if self.reset is None else longer(self.reset),
            self.initial,
        )

    def _each(self, change: Callable[[Array], Array]) -> Samples:
        initial = None if self.initial is None else tuple(change(part) for part in self.initial)
        x, y, weight, mask, reset = (each(change, value) for value in self[:5])
        return Samples(x, y, weight, mask, reset, initial)


class Excluded(NamedTuple):
    """Steps, or whole rows, that do not affect what is learned, so that they may hold anything."""

    masked: Array | None = None  # bool [N] or [N, T]: no loss and no metric counts them
    weightless: Array | None = None  # bool [N] or [N, T]: no loss counts them

    @property
    def any(self) -> bool:
        """Whether there may be such steps."""
        return self.masked is not None or self.weightless is not None

    def fill(self, array: Array, good: Array) -> Array:
        """Returns `array` with zeros where it is not `good`, as far as those places are excluded."""
        for flags in (self.masked, self.weightless):
            if flags is not None and array.shape[: flags.ndim] == flags.shape:
                there = flags.reshape(flags.shape + (1,) * (array.ndim - flags.ndim))
                array = np.where(there & ~good, array.dtype.type(0), array)
        return array


NOTHING = Excluded()
"""No step is excluded."""


def cut_of(rows: int, share: float) -> int:
    """Returns how many of `rows` come before the last `share` of them.

    Raises:
        DataError: one side would be empty.
    """
    cut = int(rows * (1 - share)) if is_number(share) and 0 < share < 1 else 0
    if not 0 < cut < rows:
        raise DataError(
            f"validation_split={share!r} of {rows} row(s) leaves one side empty; "
            "expected a share between 0 and 1 that leaves rows on both sides"
        )
    return cut


def read_samples(
    x: Array,
    y: object,
    weight: object,
    reset: object,
    mask: object,
    output_shape: Shape,
    target: str,
    excluded: Excluded = NOTHING,
) -> Samples:
    """Returns rows for a network whose output for `x`, which is already read, has `output_shape`; a loss for `target`.

    Raises:
        ShapeError, DataError: something does not fit `x` or the network.
    """
    check_given(y)
    targets = read_y(y, output_shape, target, len(x), excluded)
    weights = None if weight is None else read_weight(weight, targets, target, excluded)
    return Samples(x, targets, weights, read_flags("mask", mask, x), read_flags("reset", reset, x))


def check_given(y: object) -> None:
    """Raises DataError if there are no targets."""
    if y is None:
        raise DataError("y is missing: expected the targets to learn, one for each row of x")


def read_x(
    x: object, input_shape: Shape, symbols: int | None, mask: object = None, weightless: Array | None = None
) -> Array:
    """Returns `x` as the network reads it: float32 `[N, T, F]`, or int32 symbols `[N, T]`.

    What is not a number, or not a symbol, becomes 0 at steps that are False in `mask` and in `weightless` rows.

    Raises:
        ShapeError: the shape differs from the network's input.
        DataError: no rows, NaN, numbers that float32 cannot distinguish, or symbols that are not integers in
            0 .. symbols-1.
    """
    array = as_numbers("x", x)
    check_input(array, input_shape)
    check_filled(array)
    flags = read_flags("mask", mask, array)
    excluded = Excluded(None if flags is None else ~flags, weightless)
    if excluded.any:
        array = excluded.fill(array, _single(array) if symbols is None else _in_range(array, symbols))
    if symbols is None:
        array = as_float32("x", array)
    check_finite("x", array, _X_OUT)
    return array if symbols is None else _whole("x", array, symbols, "symbols")


_X_OUT = "drop them, fill them, or skip their steps: mask=np.isfinite(x).all(axis=-1)"
_Y_OUT = "drop them, fill them, or leave out their steps: mask=False, or sample_weight=0 where there are no metrics"


def count_steps(x: Array) -> int:
    """Returns T of features `[N, T, F]` or symbols `[N, T]`; 1 for features `[N, F]`."""
    return x.shape[1] if x.ndim > 2 or (x.ndim == 2 and np.issubdtype(x.dtype, np.integer)) else 1


def check_filled(x: Array) -> None:
    """Raises DataError if `x` is empty."""
    if x.size == 0:
        raise DataError(f"x: expected at least one row, one step and one feature, got shape {list(x.shape)}")


def read_y(y: object, output_shape: Shape, target: str, rows: int, excluded: Excluded = NOTHING) -> Array:
    """Returns `y` in the form that a loss for `target` compares with an output of `output_shape`.

    Where it is `excluded`, values that the loss could not take become 0; where it is masked, all values do.

    Raises:
        ShapeError: the shape differs from the network's output.
        DataError: NaN, labels out of range, or targets that are not 0 and 1 where a loss needs them.
    """
    aligned = align_y(as_numbers("y", y), output_shape, target, rows)
    return check_y(aligned, output_shape[-1], target, excluded)


def align_y(array: Array, output_shape: Shape, target: str, rows: int) -> Array:
    """Returns `array` with the axes that a loss for `target` compares with an output of `output_shape`.

    Raises:
        ShapeError: the shape differs from the network's output.
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


def check_y(array: Array, outputs: int | None, target: str, excluded: Excluded = NOTHING) -> Array:
    """Returns targets of the right shape as a loss for `target` reads them, for a network with that many `outputs`.

    Raises:
        DataError: NaN, labels out of range, or targets that are not 0 and 1 where a loss needs them.
    """
    if excluded.any:
        nowhere = np.zeros(array.shape, bool)  # 0 times a huge error would be NaN
        array = excluded._replace(weightless=None).fill(array, nowhere)
        array = excluded.fill(array, _valid(array, outputs, target))
    if target != "classes":
        array = as_float32("y", array)
    check_finite("y", array, _Y_OUT)
    if target == "classes":
        return _whole("y", array, outputs, "classes")
    if target == "binary" and ((array < 0) | (array > 1)).any():
        raise DataError(
            f"y: binary_crossentropy expects values from 0 to 1, got {array.min():g} to {array.max():g}; "
            "for class numbers use loss='sparse_categorical_crossentropy'"
        )
    if target == "onehot" and (array < 0).any():
        raise DataError(
            f"y: categorical_crossentropy expects probabilities, got {array.min():g}; for real targets use loss='mse'"
        )
    return array


def read_weight(weight: object, y: Array, target: str, excluded: Excluded = NOTHING) -> Array:
    """Returns sample weights `[N]` or `[N, T]` that match targets `y`; 0 where they are NaN and masked."""
    array = to_float32("sample_weight", as_numbers("sample_weight", weight))
    steps = y.shape if target == "classes" else y.shape[:-1]
    if array.shape not in (steps[:1], steps):
        allowed = " or ".join(str(list(shape)) for shape in dict.fromkeys([steps[:1], steps]))
        raise ShapeError(f"sample_weight: expected shape {allowed}, one for each target; got {list(array.shape)}")
    array = Excluded(excluded.masked).fill(array, np.isfinite(array))
    check_finite("sample_weight", array, "write 0 for what should not count")
    return array


def read_flags(name: str, flags: object | None, x: Array) -> Array | None:
    """Returns `reset` or `mask` as bool `[N, T]`, or None."""
    if flags is None:
        return None
    if x.ndim < 2:
        raise ShapeError(f"{name}: expected an x with a time axis, [B, T] or [B, T, F]; got {list(x.shape)}")
    return check_flags(name, flags, x.shape[:2])


def _align(array: Array, rank: int) -> Array:
    """Returns `[N, 1]` for `[N]` and vice versa, the one liberty that Keras users rely on."""
    if array.ndim == rank + 1 and array.shape[-1] == 1:
        return array[..., 0]
    return array[..., None] if array.ndim == rank - 1 else array


def _single(array: Array) -> Array:
    """Returns where `array` holds numbers that fit float32."""
    with np.errstate(invalid="ignore"):
        return np.abs(array) <= np.finfo(np.float32).max


def _in_range(array: Array, limit: int | None) -> Array:
    """Returns where `array` holds integers in 0 .. limit-1."""
    with np.errstate(invalid="ignore"):
        return (array >= 0) & (array == np.rint(array)) & (array < (np.inf if limit is None else limit))


def _valid(array: Array, outputs: int | None, target: str) -> Array:
    """Returns where `array` holds what a loss for `target` can take."""
    if target == "classes":
        return _in_range(array, outputs)
    least = 0.0 if target in ("binary", "onehot") else -np.inf
    return _single(array) & (array >= least) & (array <= (1.0 if target == "binary" else np.inf))


def _whole(name: str, array: Array, limit: int | None, what: str) -> Array:
    with np.errstate(invalid="ignore"):  # numbers too large for a cast are not equal afterwards
        whole = array.astype(np.int32)
    if (other := whole != array).any():
        raise DataError(f"{name}: expected integers ({what}), got {array[other][0]:g}; number the {what} from 0")
    if limit is not None and (whole.min() < 0 or whole.max() >= limit):
        bad = whole[(whole < 0) | (whole >= limit)][0]
        place = "Embedding's input_dim" if name == "x" else "last layer's units"
        enough = "" if bad < 0 else f", or raise the {place} to {int(whole.max()) + 1}"
        raise DataError(
            f"{name}: {what} must be 0 .. {limit - 1} for this network, got {bad}; number them from 0{enough}"
        )
    return whole


def _way_out(given: tuple[int, ...], output_shape: Shape, target: str) -> str:
    """Returns what to write instead of targets with the shape `given`."""
    classes, every_step, outputs = target == "classes", len(output_shape) == 2, output_shape[-1]
    axes = len(output_shape) + (not classes)
    columns = given[-1] if len(given) == axes else 1
    cases = [
        (
            classes and len(given) == axes + 1 and given[-1] == outputs,
            "for one-hot targets use loss='categorical_crossentropy'",
        ),
        (
            target == "onehot" and (len(given) == axes - 1 or given[-1] == 1),
            "for class numbers use loss='sparse_categorical_crossentropy'",
        ),
        (len(given) > axes, "for a target per step, give the last LSTM return_sequences=True"),
        (every_step and len(given) < axes, "for one target per row, remove return_sequences=True from the last LSTM"),
        (every_step and given[1:2] != output_shape[:1], f"the output has {output_shape[0]} steps; give y as many"),
        (classes, "give y one class number per output"),
        (True, f"give the last layer {columns} unit(s), or y {outputs} column(s)"),
    ]
    return "; " + next(text for fits, text in cases if fits)
