"""What users pass where numbers are expected, as a plain NumPy array; lossy conversions are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from statewise.errors import DataError, ShapeError, StatewiseError

Array = npt.NDArray[Any]

_MISSING = ("NoneType", "NAType", "NaTType")
"""What Python and pandas, which may not be installed, use for a missing value."""


def plain_array(name: str, value: object) -> Array:
    """Returns `value` as a NumPy array; an array of objects that are all numbers becomes an array of numbers.

    Numbers are Python's and NumPy's, `Decimal` and `Fraction`: integers become int64, others float64, and only True and
    False become bool.

    >>> plain_array("x", np.array([1, 2.5], dtype=object))
    array([1. , 2.5])

    Raises:
        ShapeError: rows of different lengths.
        DataError: masked entries, a missing value or another object among numbers, or a tensor that NumPy cannot read.
    """
    check_unmasked(name, value)
    try:
        array = np.asarray(value)
    except ValueError:  # NumPy's own message is about inhomogeneous shapes
        raise ShapeError(_ragged_words(name, value)) from None
    except (TypeError, RuntimeError) as error:  # raised by PyTorch's tensors
        raise DataError(_tensor_words(name, value, error)) from None
    if array.dtype.kind == "V" and "float" in array.dtype.name:  # bfloat16, float8: exact in float32
        return array.astype(np.float32)
    return _numbers(name, array) if array.dtype == object else array


def _ragged_words(name: str, value: object) -> str:
    rows = value if isinstance(value, list | tuple) else []
    lengths = sorted({len(row) for row in rows if isinstance(row, Sized)})
    found = f"lengths from {lengths[0]} to {lengths[-1]}" if len(lengths) > 1 else "different shapes"
    return f"{name}: expected rows of one shape, got {found}; pad them to one length and mask the padding"


def _tensor_words(name: str, value: object, error: Exception) -> str:
    if getattr(value, "is_nested", False):
        return f"{name}: expected an array or a list of rows, got a nested tensor; write list({name}.unbind())"
    if "Tracer" in type(value).__name__:
        return (
            f"{name}: expected an array of numbers, got one that JAX traces; what it may trace is "
            "model.apply(model.params, x)"
        )
    reason = str(error).partition("\n")[0].partition(". ")[0].rstrip(".")
    tensors = [value] if hasattr(value, "detach") else value if isinstance(value, list | tuple) else []
    if any(hasattr(part, "detach") for part in tensors):
        each = name if tensors and tensors[0] is value else f"each tensor in {name}: tensor"
        return (
            f"{name}: expected data that NumPy can read, got a tensor that it cannot ({reason}); write "
            f"{each}.detach().float().cpu().numpy()"
        )
    return f"{name}: expected an array of numbers, got {type(value).__name__} ({reason}); convert it to NumPy first"


# -- masked arrays -----------------------------------------------------------------------------------------------------


def check_unmasked(name: str, value: object) -> None:
    """Raises DataError if `value` is or contains a masked array with masked entries, which NumPy would read."""
    masked = _masked(value)
    if masked is not None:
        raise DataError(_masked_words(name, masked, whole=masked is value))


def _masked(value: object) -> np.ma.MaskedArray[Any, Any] | None:
    """Returns the first masked array in `value` with masked entries, at any depth of lists."""
    if isinstance(value, np.ma.MaskedArray):
        return value if np.ma.is_masked(value) else None
    if not isinstance(value, list | tuple):
        return None
    kinds = set(map(type, value))  # most lists hold plain numbers and end here
    if not any(issubclass(kind, list | tuple | np.ma.MaskedArray) for kind in kinds):
        return None
    return next((found for part in value if (found := _masked(part)) is not None), None)


def _masked_words(name: str, array: np.ma.MaskedArray[Any, Any], whole: bool) -> str:
    flags = np.ma.getmaskarray(array)
    where = [int(axis) for axis in np.argwhere(flags)[0]]
    steps = "" if flags.ndim < 3 and name != "y" else ".any(axis=-1)"
    ways = {
        "x": f"pass x.filled(0) with mask=~np.ma.getmaskarray(x){steps}",
        "y": f"pass y.filled(0) with sample_weight=~np.ma.getmaskarray(y){steps if flags.ndim > 1 else ''}",
    }
    way_out = ways.get(
        name if whole else "", "fill them first, with .filled(0), and skip those steps, or leave them out"
    )
    return f"{name}: expected an array without masked entries, got {int(flags.sum())}, the first at {where}; {way_out}"


# -- objects -----------------------------------------------------------------------------------------------------------


def _numbers(name: str, objects: Array) -> Array:
    """Returns an array of objects as an array of numbers."""
    values = objects.ravel().tolist()
    kinds = set(map(type, values))
    if not all(issubclass(kind, Real | Decimal | np.bool_) for kind in kinds):
        place = next(at for at, value in enumerate(values) if not isinstance(value, Real | Decimal | np.bool_))
        raise _not_numbers(name, values[place], [int(axis) for axis in np.unravel_index(place, objects.shape)])
    if all(issubclass(kind, bool | np.bool_) for kind in kinds):
        return objects.astype(bool)
    whole = all(issubclass(kind, Integral | np.bool_) for kind in kinds)
    try:
        return objects.astype(np.int64 if whole else np.float64)
    except (OverflowError, ValueError):
        raise DataError(f"{name}: expected real numbers, got one beyond 64 bits; scale them first") from None


def _not_numbers(name: str, value: object, where: list[int]) -> StatewiseError:
    kind = type(value).__name__
    place = f" at {where}" if where else ""
    if value is None and not where:
        return DataError(f"{name}: expected an array of numbers, got None")
    if isinstance(value, Mapping) and not where:
        names = ", ".join(map(repr, list(value)[:3])) or "nothing"
        return DataError(
            f"{name}: expected one array of numbers, got a dict of {names}; choose one, or join their features with "
            f"np.concatenate(list({name}.values()), axis=-1)"
        )
    if isinstance(value, np.ndarray | list | tuple):
        return ShapeError(
            f"{name}: expected one array of numbers, got an array of arrays; np.stack(list({name})) joins them, "
            f"and rows of different lengths are passed as a list, list({name})"
        )
    if kind in _MISSING:
        return DataError(
            f"{name}: expected real numbers, got {value}{place}, where a value is missing; fill it or leave its row "
            "out (NaN is allowed at steps that mask or a sample_weight of 0 leaves out)"
        )
    if isinstance(value, str):
        return DataError(
            f"{name}: expected real numbers, got text such as {value[:20]!r}{place}; encode it as numbers first"
        )
    return DataError(f"{name}: expected real numbers, got values of type {kind}{place}; encode them as numbers first")
