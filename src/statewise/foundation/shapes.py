"""The letters that stand for dimensions, and checks of public arguments.

    B  rows of a batch
    T  time steps
    F  input features
    H  units of a recurrent layer
    V  classes, or symbols of a vocabulary

Public arrays are batch-major: `[B, T, F]`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from statewise.errors import ConfigurationError, DataError, ShapeError
from statewise.foundation.plain_arrays import plain_array
from statewise.foundation.precision import check_resolved

Shape = tuple[int | None, ...]
"""A shape without its batch axis; None where any size fits, as in `(None, F)` for any number of steps."""

Array = npt.NDArray[Any]


def as_numbers(name: str, value: object) -> Array:
    """Returns `value` as a NumPy array of numbers: real ones in the precision they have, int32, or bool.

    Integers beyond int32 become float64.

    Raises:
        ShapeError: rows of different lengths.
        DataError: values other than numbers, or masked or missing ones.
    """
    array = plain_array(name, value)
    if array.dtype == bool or np.issubdtype(array.dtype, np.floating):
        return array
    if array.dtype.kind not in "iu":  # NumPy counts timedelta64 of any unit as an integer
        raise DataError(f"{name}: expected real numbers, got {_sample(array)}; encode them as numbers first")
    if array.size and (array.max() > np.iinfo(np.int32).max or array.min() < np.iinfo(np.int32).min):
        return array.astype(np.float64)
    return array.astype(np.int32, copy=False)


def as_array(name: str, value: object) -> Array:
    """Returns `value` as a NumPy array of numbers: float32 for real values, int32 for integers, bool as it is.

    >>> as_array("x", [[1.0, 2.0]]).dtype
    dtype('float32')

    Raises:
        ShapeError: rows of different lengths.
        DataError: values other than numbers, masked or missing ones, or numbers beyond float32.
    """
    array = as_numbers(name, value)
    return to_float32(name, array) if np.issubdtype(array.dtype, np.floating) else array


def as_float32(name: str, array: Array) -> Array:
    """Returns data that `as_numbers` read as float32.

    Raises:
        DataError: numbers beyond float32, or a column whose differences float32 cannot hold (see `check_resolved`).
    """
    check_resolved(name, array)
    return to_float32(name, array)


def to_float32(name: str, array: Array) -> Array:
    """Returns an array of numbers as float32, or raises DataError if they are too large for it."""
    with np.errstate(over="ignore"):
        single = array.astype(np.float32, copy=False)
    if single is not array and (beyond := np.isinf(single) & np.isfinite(array)).any():
        raise DataError(
            f"{name}: expected absolute values up to {np.finfo(np.float32).max:.1e}, got {array[beyond][0]:g}; "
            "scale them first"
        )
    return single


def _sample(array: Array) -> str:
    """Returns a description of the contents of an array that should hold numbers."""
    if array.dtype.kind in "US":
        return f"text such as {array.flat[0][:20]!r}" if array.size else "text"
    return f"{array.dtype} values"


def check_finite(name: str, array: Array, way_out: str = "drop them or fill them first") -> None:
    """Raises DataError naming the first NaN or infinite value, if there is one, and what to do."""
    if not np.issubdtype(array.dtype, np.floating) or np.isfinite(array).all():
        return
    bad = ~np.isfinite(array)
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    raise DataError(f"{name} has {int(bad.sum())} NaN or infinite value(s), the first at {list(where)}; {way_out}")


def check_flags(name: str, value: object, shape: tuple[int, ...]) -> Array:
    """Returns `value` as a bool array `[B, T]` of the given shape."""
    flags = plain_array(name, value)
    if flags.dtype != bool:
        found = f"{flags.dtype} values" if np.issubdtype(flags.dtype, np.number) else _sample(flags)
        raise DataError(f"{name}: expected bool values, got {found}; write {name} = {name} != 0")
    if flags.shape != shape:
        raise ShapeError(f"{name}: expected shape {list(shape)} ([B, T], as x), got {list(flags.shape)}")
    return flags


def check_whole(name: str, value: object, least: int = 1) -> int:
    """Returns `value` if it is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ConfigurationError(f"{name}: expected an integer >= {least}, got {value!r}")
    return int(value)


def check_seed(value: object) -> int:
    """Returns `value` if it is an integer that can seed JAX's random keys: 0 .. 2**63 - 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < 2**63:
        raise ConfigurationError(f"seed: expected an integer from 0 to 2**63 - 1, got {value!r}")
    return int(value)


def is_number(value: object) -> bool:
    """Returns whether `value` is a real number; True and False are not."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def check_rate(name: str, value: float) -> float:
    """Returns `value` if it lies in [0, 1)."""
    if not is_number(value) or not 0 <= value < 1:
        raise ConfigurationError(f"expected 0 <= {name} < 1, got {value!r}")
    return value


def check_more_than_zero(name: str, value: float) -> float:
    """Returns `value` if it is a finite number above 0."""
    if not is_number(value) or not 0 < value < math.inf:
        raise ConfigurationError(f"{name}: expected a finite number > 0, got {value!r}")
    return value


def check_not_negative(name: str, value: float) -> float:
    """Returns `value` if it is a finite number of at least 0."""
    if not is_number(value) or not 0 <= value < math.inf:
        raise ConfigurationError(f"{name}: expected a finite number >= 0, got {value!r}")
    return value


def check_sizes(name: str, value: object) -> Shape:
    """Returns `value` as a shape if each of its sizes is None or an integer of at least 1.

    >>> check_sizes("input_shape", [None, 26])
    (None, 26)
    """
    if not isinstance(value, tuple | list) or not all(
        size is None or (isinstance(size, int | np.integer) and not isinstance(size, bool) and size >= 1)
        for size in value
    ):
        raise ConfigurationError(
            f"{name}: expected sizes of at least 1, or None where any size fits, such as (None, 26); got {value!r}"
        )
    return tuple(value)


def filled(array: Array, axis: int, size: int) -> Array:
    """Returns a copy of `array` padded with zeros at the end of an axis, to `size` entries.

    >>> filled(np.array([[1, 2], [3, 4]]), 1, 3)
    array([[1, 2, 0],
           [3, 4, 0]])
    """
    return np.pad(array, [(0, size - had if at == axis else 0) for at, had in enumerate(array.shape)])


def describe(shape: Shape, batch: str = "B") -> str:
    """Returns a shape as users read it; `?` where a size other than the number of steps is open.

    >>> describe((None, 26)), describe((None, None))
    ('[B, T, 26]', '[B, T, ?]')
    """
    names = [("?" if axis else "T") if size is None else str(size) for axis, size in enumerate(shape)]
    return f"[{', '.join([batch, *names])}]"


def check_input(x: Array, expected: Shape) -> None:
    """Raises ShapeError unless `x` is a batch of shape `expected`."""
    actual = x.shape[1:]
    if len(actual) == len(expected) and all(want in (None, size) for want, size in zip(expected, actual, strict=True)):
        return
    message = f"x: expected {describe(expected)}, got {list(x.shape)}"
    if len(expected) == 2 and x.ndim == 2:
        features = expected[1]
        message += "; for one feature write x[..., None]" if features == 1 else "; add the missing axis with x.reshape"
    elif x.ndim == len(expected) + 1:
        message += "; different data needs a new model"
    elif x.ndim == len(expected) + 2 and x.shape[-1] == 1:
        message += "; write x[..., 0]"
    else:
        message += "; use x.reshape to give x those axes"
    raise ShapeError(message)
