"""The arrays that a Keras script passes, brought to the form that statewise reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from statewise.errors import ConfigurationError, DataError, ShapeError
from statewise.foundation.plain_arrays import check_unmasked
from statewise.foundation.shapes import Array, Shape, describe


@dataclass(frozen=True)
class Rows:
    """Input, targets and weights of N rows; None where there are none."""

    x: Array
    y: Array | None = None
    weight: Array | None = None

    def __len__(self) -> int:
        return len(self.x)

    def pick(self, rows: Any) -> Rows:
        """Returns some of the rows: a slice of them, or those of an order."""
        y, weight = (None if array is None else array[rows] for array in (self.y, self.weight))
        return Rows(self.x[rows], y, weight)

    def first(self, steps: int | None, size: int) -> Rows:
        """Returns the rows of the first `steps` batches of `size` rows; all if nothing is said."""
        return self if steps is None else self.pick(slice(steps * size))

    def split(self, share: float) -> tuple[Rows, Rows]:
        """Returns the rows without the last `share` of them, and those.

        Raises:
            DataError: one of the two would be empty.
        """
        cut = int(len(self) * (1.0 - share))
        if not 0 < cut < len(self):
            raise DataError(
                f"validation_split={share!r} of {len(self)} row(s) leaves nothing on one side; expected a fraction "
                "between 0 and 1 that leaves rows on both sides"
            )
        return self.pick(slice(cut)), self.pick(slice(cut, None))


class Tensor(np.ndarray):
    """An array that is asked for its `numpy()`, as answers were since TensorFlow 2."""

    def numpy(self) -> Array:
        """Returns the array."""
        return np.asarray(self)


def only(what: str, value: Any) -> Any:
    """Returns `value`, or the one array of a list of arrays, as Keras takes them for models with one input."""
    if isinstance(value, list | tuple) and len(value) == 1 and hasattr(value[0], "shape") and value[0].ndim > 0:
        return value[0]
    if isinstance(value, dict):
        raise ConfigurationError(f"{what}: expected an array, got a dict; a Sequential has one input and one output")
    return value


def as_array(what: str, value: Any) -> Array:
    """Returns the array that the user passed as `what`.

    Raises:
        ShapeError: its rows are of different lengths.
        DataError: it is none.
    """
    check_unmasked(what, value)
    try:
        array = np.asarray(only(what, value))
        ragged = array.dtype == object and array.size > 0 and isinstance(array.flat[0], list | tuple | np.ndarray)
    except ValueError:  # as NumPy says it of nested lists
        ragged = True
    if ragged:
        raise ShapeError(f"{what}: expected rows of one length, got different ones; write pad_sequences({what}) first")
    if array.ndim == 0:
        raise DataError(f"{what}: expected an array, got {value!r}")
    return _numbers(what, array) if array.dtype == object else array


def _numbers(what: str, objects: Array) -> Array:
    """Returns numbers that a table with other columns made objects of."""
    try:
        return objects.astype(np.float64)  # whether float32 holds them is for statewise to see
    except (TypeError, ValueError):
        raise DataError(
            f"{what}: expected numbers, got an array of objects, {objects.flat[0]!r} the first; encode text as "
            f"numbers, and write {what}.astype('float32')"
        ) from None


def read_x(x: Any, expected: Shape | None) -> Array:
    """Returns the input `[N, ...]`; `[N]` becomes `[N, 1]` where the network reads one feature.

    Raises:
        ShapeError: another number of steps than the first layer's `input_shape` says.
    """
    array = as_array("x", x)
    if array.ndim == 1 and expected is not None and len(expected) == 1:
        array = array[:, None]
    if expected is not None and array.ndim == len(expected) + 1 and expected[0] not in (None, array.shape[1]):
        raise ShapeError(
            f"x: expected {describe(expected)}, as the first layer's input_shape says, got {list(array.shape)}; "
            "write None if the number of steps varies"
        )
    return array


def read_rows(x: Any, y: Any, weight: Any, class_weight: Mapping[int, float] | None, expected: Shape | None) -> Rows:
    """Returns input, targets and weights; `class_weight` is multiplied into the weights."""
    rows = Rows(read_x(x, expected), as_array("y", y), None if weight is None else as_array("sample_weight", weight))
    if class_weight is None or rows.y is None:
        return rows
    weights = _weights_of_classes(rows.y, class_weight)
    return Rows(rows.x, rows.y, weights if rows.weight is None else rows.weight * weights)


def _weights_of_classes(y: Array, class_weight: Mapping[int, float]) -> Array:
    """Returns `[N]`: each row's weight by its class, a number or the place of the largest in `[N, V]`."""
    if not isinstance(class_weight, Mapping):
        raise ConfigurationError(
            f"class_weight: expected a dict such as {{0: 1.0, 1: 5.0}}, got {type(class_weight).__name__}; for an "
            "array, write dict(enumerate(weights))"
        )
    if y.ndim > 2:
        raise ConfigurationError("class_weight: expected one target per row; write sample_weight=, one for each step")
    classes = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(len(y)).astype(int)
    if unknown := sorted(set(classes.tolist()) - set(class_weight)):
        raise ConfigurationError(f"class_weight: expected a weight for each class, got none for class {unknown[0]}")
    return np.array([class_weight[number] for number in classes.tolist()], np.float32)
