"""Sequences of different lengths: read and checked, padded to one array, and split again."""

from __future__ import annotations

from typing import Any

import numpy as np

from statewise.data.index_order import warn_if_unsorted
from statewise.errors import DataError, ShapeError
from statewise.foundation.precision import check_runs, first_runs
from statewise.foundation.shapes import Array, as_float32, as_numbers, check_finite, check_flags, to_float32


def is_ragged(value: object) -> bool:
    """Returns whether `value` is a list or tuple of arrays or lists that differ in length, and of nothing else.

    >>> is_ragged([[1, 2], [3]]), is_ragged([[1, 2], [3, 4]]), is_ragged([[1, 2], 3])
    (True, False, False)
    """
    if not isinstance(value, list | tuple) or not all(_has_length(row) for row in value):
        return False
    return len({len(row) for row in value}) > 1


def pad(name: str, rows: Any) -> tuple[Array, Array]:
    """Returns rows `[T, ...]` of different lengths as `[N, T, ...]`, zero-padded on the right, and the real steps.

    Args:
        name: what errors call the rows.
        rows: a list of arrays that differ only in their first axis.

    Returns:
        The array, and a mask: bool `[N, T]`, False at padding.

    Raises:
        DataError: no rows, a row without steps, or values other than numbers.
        ShapeError: rows that differ in more than their length.

    >>> array, mask = pad("x", [[1, 2, 3], [4]])
    >>> array.tolist()
    [[1, 2, 3], [4, 0, 0]]
    >>> mask.tolist()
    [[True, True, True], [True, False, False]]
    """
    steps, lengths = lay_end_to_end(name, rows)
    mask = real_steps(lengths)
    padded = np.zeros(mask.shape + steps.shape[1:], steps.dtype)
    padded[mask] = steps
    return padded, mask


def pad_like(name: str, value: Any, real: Array | None, of: str = "x") -> Any:
    """Returns rows of different lengths as `[N, T, ...]` with zeros where steps are not `real [N, T]`; others as given.

    Raises:
        ShapeError: they are not as long as those `of` something, of which `real` tells.

    >>> pad_like("y", [[1, 2], [3]], np.array([[False, True, True], [True, False, False]])).tolist()
    [[0, 1, 2], [3, 0, 0]]
    """
    if not is_ragged(value):
        return value
    steps, lengths = lay_end_to_end(name, value)
    if real is None or not np.array_equal(lengths, real.sum(axis=1)):
        raise ShapeError(f"{name}: expected rows as long as those of {of}, got other lengths")
    padded = np.zeros(real.shape + steps.shape[1:], steps.dtype)
    padded[real] = steps
    return padded


def lay_end_to_end(name: str, rows: Any) -> tuple[Array, Array]:
    """Returns the steps `[S, ...]` of rows `[T, ...]` end to end, and how many each row has; otherwise like `pad`.

    >>> lay_end_to_end("x", [[1, 2, 3], [4]])
    (array([1, 2, 3, 4], dtype=int32), array([3, 1]))
    """
    if len(rows) == 0:
        raise DataError(f"{name}: expected at least one row, got none")
    arrays = list(_checked(_named(name, rows)).values())
    return np.concatenate(arrays), np.array([len(array) for array in arrays])


def real_steps(lengths: Array, steps: int | None = None) -> Array:
    """Returns bool `[N, T]`: the real steps of rows of `lengths [N]`, padded to `steps` or the longest."""
    own: Array = np.arange(lengths.max() if steps is None else steps) < lengths[:, None]
    return own


def firsts_of(lengths: Array) -> Array:
    """Returns `[N]`: where each row begins when rows are laid end to end."""
    firsts: Array = np.cumsum(lengths) - lengths
    return firsts


def unpad(array: Array, mask: Array) -> list[Array]:
    """Returns the rows `[T, ...]` of `[N, T, ...]` without the steps where `mask`, bool `[N, T]`, is False.

    Raises:
        ShapeError, DataError: the mask does not fit, or is not bool.

    >>> [row.tolist() for row in unpad(*pad("x", [[1, 2, 3], [4]]))]
    [[1, 2, 3], [4]]
    """
    flags = check_flags("mask", mask, array.shape[:2])
    return [row[real] for row, real in zip(array, flags, strict=True)]


def is_many(value: object) -> bool:
    """Returns whether `value` is a list or tuple of series; one that holds plain numbers is a series itself.

    >>> is_many([[1, 2], [3]]), is_many([1, 2, 3]), is_many(np.zeros((2, 3)))
    (True, False, False)
    """
    return isinstance(value, list | tuple) and any(_has_length(row) for row in value)


def read_series(name: str, value: Any, many: bool | None = None) -> dict[str, Array]:
    """Returns one or many series, each an array `[L]` or `[L, F]`, by the name that errors use for it.

    Whether there are many is inferred from `value`, unless `many` says so.

    Raises:
        DataError: a series without steps, NaN, or values other than numbers.
        ShapeError: other axes, or series that differ in more than their length.

    >>> read_series("series", [1, 2, 3])
    {'series': array([1, 2, 3], dtype=int32)}
    >>> list(read_series("series", [[1, 2, 3], [4, 5]]))
    ['series[0]', 'series[1]']
    """
    many = is_many(value) if many is None else many
    for label, one in (_named(name, value) if many else {name: value}).items():
        warn_if_unsorted(label, one)
    series = _checked(_named(name, value) if many else {name: value})
    for label, array in series.items():
        if array.ndim > 2:
            raise ShapeError(
                f"{label}: expected [L] or [L, F], got shape {list(array.shape)}; pass many series as a list of these"
            )
        check_finite(label, array)
    return series


def check_long_enough(series: dict[str, Array], least: int, sum_of: str) -> None:
    """Raises DataError naming the first series with fewer than `least` steps; `sum_of` says how that number arises.

    >>> check_long_enough({"series[0]": np.arange(9), "series[1]": np.arange(1)}, 2, "horizon + 1")
    Traceback (most recent call last):
    statewise.errors.DataError: series[1]: expected at least 2 steps (horizon + 1), got 1; leave this series out
    """
    for label, values in series.items():
        if len(values) < least:
            way_out = "leave this series out" if len(series) > 1 else "give a longer one, or reduce these"
            raise DataError(f"{label}: expected at least {least} steps ({sum_of}), got {len(values)}; {way_out}")


def _has_length(row: Any) -> bool:
    return isinstance(row, list | tuple) or getattr(row, "ndim", 0) > 0


def _named(name: str, rows: Any) -> dict[str, Any]:
    return {f"{name}[{number}]": row for number, row in enumerate(rows)}


def _checked(rows: dict[str, Any]) -> dict[str, Array]:
    """Returns `rows` as arrays of one dtype that have steps and differ only in how many."""
    arrays = {label: as_numbers(label, row) for label, row in rows.items()}
    first, like = next(iter(arrays.items()))
    for label, array in arrays.items():
        if array.ndim == 0:
            raise ShapeError(f"{label}: expected an array with a time axis, got the single number {array}")
        if array.size == 0:
            raise DataError(
                f"{label}: expected at least one step, got shape {list(array.shape)}; fill it, or leave it out"
            )
        if array.shape[1:] != like.shape[1:]:
            raise ShapeError(
                f"{label}: expected the shape of {first}, {list(like.shape)}, in all but the first axis, got "
                f"{list(array.shape)}; give each the same features"
            )
    dtypes = {array.dtype for array in arrays.values()}
    if not any(np.issubdtype(dtype, np.floating) for dtype in dtypes):
        whole = np.result_type(*dtypes)
        return {label: array.astype(whole, copy=False) for label, array in arrays.items()}
    if len(arrays) == 1:
        return {first: as_float32(first, like)}
    check_runs(first.partition("[")[0], first_runs(list(arrays.values())), f"{first} - {first}[0]")
    return {label: to_float32(label, array) for label, array in arrays.items()}
