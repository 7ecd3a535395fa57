"""The alphabet of dimensions and the checks used at public doors.

    B  rows of a batch, also called lanes
    T  time steps
    F  input features
    H  units of a recurrent layer
    V  classes, or symbols of a vocabulary

Public arrays are batch-major: `[B, T, F]`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from statewise.errors import ConfigurationError, DataError, ShapeError

Shape = tuple[int | None, ...]
"""A shape without its batch axis; None where any size fits, as in `(None, F)` for any number of steps."""

Array = npt.NDArray[Any]


def as_array(name: str, value: object) -> Array:
    """Returns `value` as a NumPy array of numbers: float32 for real values, int32 for whole ones, bool as it is.

    >>> as_array("x", [[1.0, 2.0]]).dtype
    dtype('float32')

    Raises:
        ShapeError: rows of different lengths.
        DataError: something other than numbers, or numbers beyond int32.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"{name}: rows differ in shape ({error}); pad them to one length") from None
    if array.dtype == bool:
        return array
    if np.issubdtype(array.dtype, np.floating):
        return array.astype(np.float32, copy=False)
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{name}: expected numbers, got {array.dtype} values; encode them as numbers first")
    if array.size and (array.max() > np.iinfo(np.int32).max or array.min() < np.iinfo(np.int32).min):
        raise DataError(f"{name}: whole numbers beyond 32 bits; scale them or pass them as float")
    return array.astype(np.int32, copy=False)


def check_finite(name: str, array: Array) -> None:
    """Raises DataError naming the first NaN or infinite value, if there is one."""
    if not np.issubdtype(array.dtype, np.floating) or np.isfinite(array).all():
        return
    bad = ~np.isfinite(array)
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    raise DataError(
        f"{name} has {int(bad.sum())} NaN or infinite value(s), the first at {list(where)}; "
        "drop, fill or mask them before training"
    )


def check_flags(name: str, value: object, shape: tuple[int, ...]) -> Array:
    """Returns `value` as the bool array `[B, T]` that `shape` asks for."""
    flags = np.asarray(value)
    if flags.dtype != bool:
        raise DataError(f"{name}: expected bool values, got {flags.dtype}; write {name} = {name} != 0")
    if flags.shape != shape:
        raise ShapeError(f"{name}: expected shape {list(shape)} ([B, T], as x), got {list(flags.shape)}")
    return flags


def check_positive(name: str, value: object) -> int:
    """Returns `value` if it is a whole number of at least one."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ConfigurationError(f"{name}: expected a whole number of at least 1, got {value!r}")
    return int(value)


def check_seed(value: object) -> int:
    """Returns `value` if it is a whole number that seeds JAX's random keys: 0 .. 2**63 - 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < 2**63:
        raise ConfigurationError(f"seed: expected a whole number from 0 up to 2**63 - 1, got {value!r}")
    return int(value)


def check_rate(name: str, value: float) -> float:
    """Returns `value` if it lies in [0, 1)."""
    if not 0 <= value < 1:
        raise ConfigurationError(f"{name}: expected a number from 0 up to, but not, 1; got {value!r}")
    return value


def describe(shape: Shape, batch: str = "B") -> str:
    """Returns a shape as users read it.

    >>> describe((None, 26))
    '[B, T, 26]'
    """
    names = [batch, *("T" if size is None else str(size) for size in shape)]
    return f"[{', '.join(names)}]"


def check_input(x: Array, expected: Shape) -> None:
    """Raises ShapeError unless `x` is a batch of `expected`."""
    actual = x.shape[1:]
    if len(actual) == len(expected) and all(want in (None, size) for want, size in zip(expected, actual, strict=True)):
        return
    message = f"x: expected {describe(expected)}, got {list(x.shape)}"
    if len(expected) == 2 and x.ndim == 2:
        features = expected[1]
        message += "; for one feature write x[..., None]" if features == 1 else "; add the missing axis with x.reshape"
    raise ShapeError(message)
