"""Checks of pushed steps: a fast path for nearly all input, then a slow one that explains what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np

from statewise.errors import DataError, ShapeError
from statewise.foundation.shapes import Array, as_array, check_finite
from statewise.streaming.runtime import Runtime

_PLAIN = 1e37
"""Numbers whose sum of squares is below this are in the range of float32; the sum is NaN if any is NaN."""


def read_step(runtime: Runtime, x: object, key: object = None) -> Array:
    """Returns one step as a batch of one: float32 `[1, F]`, or a symbol `[1]`.

    Raises:
        ShapeError: another number of features, or several steps; the message names the stream, if it has a key.
        DataError: NaN, text, masked or boolean values, or a symbol that the network does not know.
    """
    if runtime.symbols is not None:
        V = runtime.symbols
        return np.array([x if _is_symbol(V, x) else _read_symbol(V, x, _name(key))])
    plain = _plain(x, (), runtime.step_shape)
    return (_read_unusual(runtime, x, _name(key)) if plain is None else plain)[None]


def read_steps(runtime: Runtime, xs: Mapping[Any, object]) -> Array:
    """Returns one step of each key as a batch in their order: float32 `[n, F]`, or symbols `[n]`.

    Raises:
        ShapeError, DataError: as `read_step`; the message names the key.
    """
    if runtime.symbols is not None:
        V = runtime.symbols
        return np.array([x if _is_symbol(V, x) else _read_symbol(V, x, _name(key)) for key, x in xs.items()])
    block = _plain(list(xs.values()), (len(xs),), runtime.step_shape)
    if block is not None:
        return block
    if runtime.inputs and (block := _plain_by_input(runtime, xs)) is not None:
        return block
    return np.concatenate([read_step(runtime, x, key) for key, x in xs.items()])


def read_rows(runtime: Runtime, x: object, n: int) -> Array:
    """Returns steps given as one array as a batch: float32 `[n, F]`, or symbols `[n]`.

    Raises:
        ShapeError: another number of rows or features.
        DataError: NaN, text, or a symbol that the network does not know.
    """
    if runtime.symbols is not None:
        return np.array([_read_symbol(runtime.symbols, row, name) for name, row in _rows("x", x, n)])
    if _is_by_input(runtime, x):
        given = _by_input(runtime, x, "x")
        parts = [_read_block((part.size,), given[part.name], n, f"input {part.name!r}") for part in runtime.inputs]
        return np.concatenate(parts, axis=1)
    return _read_block(runtime.step_shape, x, n, "x")


def _read_block(step: tuple[int | None, ...], x: object, n: int, name: str) -> Array:
    """Returns a step `[n, F]` of each key."""
    if (block := _plain(x, (n,), step)) is not None:
        return block
    return np.stack([_read_features(step, row, label) for label, row in _rows(name, x, n)])


def _rows(name: str, x: object, n: int) -> list[tuple[str, Array]]:
    """Returns the rows of `x`, one for each key, and what errors call them."""
    array = _as_numbers(name, x)
    if array.ndim == 0 or len(array) != n:
        raise ShapeError(f"{name}: expected a row for each of {n} key(s), got shape {list(array.shape)}")
    return [(f"row {place} of {name}", row) for place, row in enumerate(array)]


# -- several inputs --------------------------------------------------------------------------------------------------


def _is_by_input(runtime: Runtime, x: object) -> bool:
    """Returns whether `x` has something for each of several inputs, rather than one vector of all their numbers."""
    count = len(runtime.inputs)
    return count > 0 and (isinstance(x, Mapping) or (isinstance(x, list | tuple) and len(x) == count))


def _by_input(runtime: Runtime, x: Any, name: str) -> dict[str, Any]:
    """Returns what is given for each input, by its name."""
    inputs = [part.name for part in runtime.inputs]
    if not isinstance(x, Mapping):
        return dict(zip(inputs, x, strict=True))
    if len(x) == len(inputs) and all(part in x for part in inputs):
        return dict(x)
    listed = ", ".join(map(repr, inputs))
    if unknown := [part for part in x if part not in inputs]:
        raise ShapeError(f"{name}: there is no input {unknown[0]!r}; expected {listed}")
    missing = next(part for part in inputs if part not in x)
    raise ShapeError(f"{name}: the input {missing!r} is missing; expected {listed}")


def _read_unusual(runtime: Runtime, x: object, name: str) -> Array:
    """Returns one step `[F]` that is not certainly a vector of real numbers."""
    if not _is_by_input(runtime, x):
        return _read_features(runtime.step_shape, x, name)
    given, of = _by_input(runtime, x, name), name.removeprefix("x")
    parts = []
    for part, _, size in runtime.inputs:
        plain = _plain(given[part], (), (size,))
        parts.append(_read_features((size,), given[part], f"input {part!r}{of}") if plain is None else plain)
    return np.concatenate(parts)


def _plain_by_input(runtime: Runtime, xs: Mapping[Any, object]) -> Array | None:
    """Returns one step of each key as a batch if all of it is certainly real numbers by name, otherwise None."""
    steps, names = list(xs.values()), [part.name for part in runtime.inputs]
    if not all(isinstance(x, Mapping) and len(x) == len(names) and all(name in x for name in names) for x in steps):
        return None
    columns: Any = steps
    parts = [_plain([x[name] for x in columns], (len(steps),), (size,)) for name, _, size in runtime.inputs]
    found = [part for part in parts if part is not None]
    return np.concatenate(found, axis=1) if len(found) == len(parts) else None


def _name(key: object) -> str:
    return "x" if key is None else f"x of stream {key!r}"


def _plain(value: object, leading: tuple[int, ...], step: tuple[int | None, ...]) -> Array | None:
    """Returns `value` as float32 `[*leading, *step]` if it certainly holds only real numbers, otherwise None."""
    certain = type(value) is np.ndarray
    try:
        if not certain and _odd_among(value, flags=False):
            return None
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if array.dtype.kind == "i":
        array = array.astype(np.float64)
    if array.dtype.char not in "fd" or not np.vdot(array, array) < _PLAIN:
        return None
    if not certain and ((array == 0) | (array == 1)).any() and _odd_among(value):
        return None
    if step == (1,) and array.shape == leading:
        array = array[..., None]
    return array.astype(np.float32, copy=False) if array.shape == (*leading, *step) else None


_CERTAIN = {float, int, np.float32, np.float64}
"""Types that are certainly plain numbers."""


def _odd_among(value: object, flags: bool = True, depth: int = 64) -> str | None:
    """Returns what NumPy would wrongly accept as numbers: masked values, or with `flags` booleans; otherwise None."""
    if isinstance(value, list | tuple):
        kinds = set(map(type, value))
        if kinds == {list}:  # one level at a time, since most lists are rows of plain numbers
            kinds = set(map(type, chain.from_iterable(value)))
        if kinds <= _CERTAIN or (kinds == {np.ndarray} and not flags) or not depth:  # NumPy has no more dimensions
            return None
        return next((odd for part in value if (odd := _odd_among(part, flags, depth - 1))), None)
    if isinstance(value, bool | np.bool_) or (isinstance(value, np.ndarray) and value.dtype == bool):
        return "True or False" if flags else None
    masked = sys.modules.get("numpy.ma")  # imported if there are masked values
    return "masked values" if masked is not None and masked.is_masked(value) else None


def _as_numbers(name: str, value: object) -> Array:
    if odd := _odd_among(value):
        remedy = "write 1.0 and 0.0" if "True" in odd else "fill them, or skip the step with a Masking layer"
        raise DataError(f"{name}: expected numbers, got {odd}; {remedy}")
    return as_array(name, value)


def _read_features(step: tuple[int | None, ...], x: object, name: str) -> Array:
    array = _as_numbers(name, x)
    if step == (1,) and array.ndim == 0:
        array = array[None]
    if len(array.shape) != len(step) or any(
        want not in (None, size) for want, size in zip(step, array.shape, strict=True)
    ):
        raise ShapeError(f"{name}: expected {_expected(step)}, got shape {list(array.shape)}; {_remedy(array, step)}")
    check_finite(name, array)
    return array.astype(np.float32, copy=False)


def _expected(step: tuple[int | None, ...]) -> str:
    if step == (1,):
        return "one step, a number or [1]"
    return f"one step of shape [{', '.join('?' if size is None else str(size) for size in step)}]"


def _remedy(array: Array, step: tuple[int | None, ...]) -> str:
    if array.ndim == len(step) + 1:
        return "push the steps one by one: for step in x: y = stream.push(step)"
    if array.ndim == 0:
        return "push all features of the step at once"
    return "push the features that the network was trained on, in the same order"


def _is_symbol(symbols: int, x: object) -> bool:
    return type(x) is int and 0 <= x < symbols


def _read_symbol(symbols: int, x: object, name: str) -> int:
    array = _as_numbers(name, x)
    if array.ndim != 0:
        raise ShapeError(
            f"{name}: expected the number of one symbol, got shape {list(array.shape)}; push the symbols one by one: "
            "for symbol in x: y = stream.push(int(symbol))"
        )
    check_finite(name, array)
    if array != int(array):
        raise DataError(f"{name}: expected the integer of a symbol, got {array:g}; number the symbols from 0")
    if not 0 <= array < symbols:
        raise DataError(f"{name}: symbols must be 0 .. {symbols - 1} for this network, got {int(array)}")
    return int(array)
