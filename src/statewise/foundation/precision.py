"""What float32 cannot distinguish: a column whose differences would be lost is refused, not changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from statewise.errors import DataError

Array = npt.NDArray[Any]

BLOCKS, LENGTH, SIZE = 8, 256, 2**17
"""How many runs of a column are examined, how many values each has, and how many all columns have together."""

EXACT = 2**24
"""Integers up to here are exact in float32."""

FLAT, SMALL = 2.0**-17, 2.0**-12
"""Runs with a smaller share of the column's range are ignored, and so are changes with a smaller share of the run's."""

ROUNDING, EXACT_ROUNDING = 2.0**-33, 2.0**-46
"""A column whose range is a smaller share of its numbers is a constant computed in float64.

The second applies to numbers that are integers, or that rise or fall throughout, which rounding errors do not.
"""


def check_resolved(name: str, array: Array) -> None:
    """Raises DataError if a column of `array`, real numbers or integers, loses its differences in float32.

    A column is the last axis of `[N, F]` or `[N, T, F]`, or all of `[N]`. Up to eight runs of 256 consecutive values,
    spread from its beginning to its end, are examined, so that a large array costs no more than a small one. The column
    is refused

    - if, of all changes from one value to the next, more than a tenth vanish in float32; a change counts
      if it is more than 2**-12 of the range of its run, and that range more than 2**-17 of the column's, so that
      neither rounding errors in float64 nor the flat parts of a column matter;
    - or if it holds only integers, in any order, and more than a tenth of the distinct ones become equal.

    A column whose range is at most 2**-33 of its largest number (2**-46 if it is integer, or rises or falls throughout)
    is a constant with rounding errors, and is accepted. NaN and infinite values are ignored.

    >>> check_resolved("x", np.arange(20.0) / 7)
    >>> check_resolved("x", 1_700_000_000.0 + 10 * np.arange(20.0))
    Traceback (most recent call last):
    statewise.errors.DataError: x: expected numbers that differ in float32, got 1700000000.0 and 1700000010.0, which \
are equal there; subtract an offset first, such as x - x[0], or scale them
    """
    if array.dtype.itemsize > 2 and array.dtype != np.float32 and array.ndim > 0 and array.size > 1:
        check_runs(name, _runs(array), f"{name} - {name}[0{', 0' if array.ndim > 2 else ''}]")


def check_runs(name: str, runs: Sequence[Array], way_out: str) -> None:
    """Raises DataError as `check_resolved` does, for runs `[n, F]` of consecutive values, with `way_out`."""
    runs = [run.astype(np.float64, copy=False) for run in runs]
    columns = runs[0].shape[1]
    for column in np.flatnonzero(np.any([_suspicious(run) for run in runs], axis=0)):
        pair = _lost([_finite(run[:, column]) for run in runs])
        if pair is not None:
            _refuse(name if columns == 1 else f"{name}[..., {column}]", pair, way_out)


def first_runs(rows: Sequence[Array]) -> list[Array]:
    """Returns runs `[n, F]` from the beginnings of some of many arrays `[T]` or `[T, F]`."""
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), BLOCKS)).astype(int)
    return [rows[at][:LENGTH].reshape(len(rows[at][:LENGTH]), -1) for at in chosen]


def _runs(array: Array) -> list[Array]:
    """Returns the parts of `array` that are examined, without copying all of it."""
    rows = array[None, :, None] if array.ndim == 1 else array[None] if array.ndim == 2 else array
    if rows.ndim > 3:
        rows = rows.reshape(len(rows), -1, rows.shape[-1])
    count, steps, features = rows.shape
    length = max(2, min(LENGTH, SIZE // (BLOCKS * features)))
    if count * steps <= BLOCKS * length:
        return [rows.reshape(-1, features)]
    return [_run(rows, int(start), length) for start in np.linspace(0, count * steps - length, BLOCKS)]


def _run(rows: Array, start: int, length: int) -> Array:
    """Returns about `length` consecutive steps of rows `[N, T, F]` as `[n, F]`."""
    count, steps, features = rows.shape
    row, step = divmod(start, steps)
    if steps >= length:
        return rows[row, min(step, steps - length) :][:length]
    several = -(-length // steps)
    return rows[min(row, max(0, count - several)) :][:several].reshape(-1, features)


def _suspicious(run: Array) -> npt.NDArray[np.bool_]:
    """Returns bool `[F]`: the columns of a run that need a closer look, which are few."""
    single = _single(run)
    lost = (single[1:] == single[:-1]) & (run[1:] != run[:-1])
    found: npt.NDArray[np.bool_] = lost.any(axis=0) | (np.abs(single) >= EXACT).any(axis=0)
    return found


def _lost(runs: Sequence[Array]) -> tuple[float, float] | None:
    """Returns two numbers of a column that become equal, if too many of them do; None otherwise."""
    values = np.concatenate(runs)
    reach, whole = _reach(values), bool((values == np.rint(values)).all())
    rounding = EXACT_ROUNDING if whole or _steady(runs) else ROUNDING
    if reach <= rounding * np.abs(values).max(initial=0.0):
        return None
    changes, gone, pair = 0, 0, None
    for run in runs:
        if _reach(run) <= FLAT * reach:
            continue
        counts = np.abs(np.diff(run)) > SMALL * _reach(run)
        lost = counts & (np.diff(_single(run)) == 0)
        changes, gone = changes + int(counts.sum()), gone + int(lost.sum())
        if pair is None and lost.any():
            place = int(lost.argmax())
            pair = float(run[place]), float(run[place + 1])
    if gone * 10 > changes:
        return pair
    return _equal_wholes(values) if whole else None


def _steady(runs: Sequence[Array]) -> bool:
    changes = np.concatenate([np.diff(run) for run in runs])
    return bool((changes >= 0).all() or (changes <= 0).all())


def _equal_wholes(values: Array) -> tuple[float, float] | None:
    distinct = np.unique(values)
    equal = np.diff(_single(distinct)) == 0
    if equal.sum() * 10 <= len(distinct):
        return None
    place = int(equal.argmax())
    return float(distinct[place]), float(distinct[place + 1])


def _single(values: Array) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _finite(values: Array) -> Array:
    return values[np.isfinite(values)]


def _reach(values: Array) -> float:
    return float(np.ptp(values)) if len(values) else 0.0


def _refuse(column: str, pair: tuple[float, float], way_out: str) -> None:
    raise DataError(
        f"{column}: expected numbers that differ in float32, got {pair[0]!r} and {pair[1]!r}, which are equal "
        f"there; subtract an offset first, such as {way_out}, or scale them"
    )
