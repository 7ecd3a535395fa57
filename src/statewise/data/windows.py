"""Windows: short runs of a series that each start from a fresh state, and the values that follow them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from statewise.data.ragged import check_long_enough
from statewise.data.series import check_targets_given, read_inputs, read_static, read_targets
from statewise.errors import ConfigurationError, DataError
from statewise.foundation.named_values import each
from statewise.foundation.shapes import Array, check_whole, is_number
from statewise.phrasebook.guard import guarded


class Windows(NamedTuple):
    """Runs of values and what follows each, in the order of the series and of time."""

    x: Any  # [N, length] or [N, length, F]; of several inputs a dict of these, and of [N, F] for static ones
    y: Any  # [N] or [N, F]; [N, horizon] or [N, horizon, F] if more than one value follows; of several outputs a dict
    start: Array  # [N] where in its series each window begins, from 0
    series: Array  # [N] which series it is from, from 0
    span: int  # values from the first of a window to the last that follows it

    def __repr__(self) -> str:
        return f"Windows(x {_shapes(self.x)}, y {_shapes(self.y)}, {len(np.unique(self.series))} series)"

    def split(self, share: float) -> tuple[Windows, Windows]:
        """Returns the windows before a cut in time and those after it: the last `share` of each series' time.

        No value, of x or of y, is in windows on both sides: those that straddle the cut are dropped.

        Raises:
            ConfigurationError: `share` is not between 0 and 1.
            DataError: one side has no windows.

        >>> training, held_out = windows(np.arange(10), 2).split(0.4)
        >>> training.x.tolist(), training.y.tolist()
        ([[0, 1], [1, 2], [2, 3], [3, 4]], [2, 3, 4, 5])
        >>> held_out.x.tolist(), held_out.y.tolist()
        ([[6, 7], [7, 8]], [8, 9])
        """
        if not is_number(share) or not 0 < share < 1:
            raise ConfigurationError(f"share: expected a number between 0 and 1, got {share!r}")
        cut = self._cut(share)
        before, after = self.start + self.span <= cut, self.start >= cut
        if not before.any() or not after.any():
            raise DataError(
                f"share={share!r} leaves {before.sum()} window(s) before the cut and {after.sum()} after it: expected "
                f"some on both sides; use another share, more data, or windows that span fewer than {self.span} values"
            )
        return self._take(before), self._take(after)

    def _cut(self, share: float) -> Array:
        """Returns `[N]` where each window's series is cut, by the time that its windows cover."""
        _, first, count = np.unique(self.series, return_index=True, return_counts=True)
        begin, end = self.start[first], self.start[first + count - 1] + self.span
        return np.repeat(begin + np.rint((end - begin) * (1 - share)).astype(int), count)

    def _take(self, chosen: Array) -> Windows:
        x, y = (each(lambda array: array[chosen], value) for value in (self.x, self.y))
        return Windows(x, y, self.start[chosen], self.series[chosen], self.span)


def _shapes(value: Any) -> str:
    """Returns the shape of an array, or of each by name."""
    if not isinstance(value, Mapping):
        return str(list(value.shape))
    return " and ".join(f"{name!r} {list(array.shape)}" for name, array in value.items())


@guarded
def windows(
    series: Any, length: int, *, y: Any = None, stride: int = 1, horizon: int = 1, gap: int = 0, static: Any = None
) -> Windows:
    """Returns each run of `length` values of one or many series with the values that follow; none spans two series.

    Args:
        series: one array `[L]` (symbols, or one value a step) or `[L, F]`; or many, a list of such arrays or lists. For
            a model with several inputs, a dict of these by name, all of the same lengths.
        length: values in a window.
        y: series as long as these, of which the values that follow a window are taken: an array `[L]` or `[L, V]` for
            each series, or a dict of these by output. By default, the series themselves.
        stride: steps from the start of one window to the start of the next.
        horizon: how many values that follow a window to predict.
        gap: values skipped between a window and what follows it.
        static: inputs without steps, a dict by name of arrays `[S, F]` with a row for each series; each window gets the
            row of its series.

    Raises:
        ConfigurationError: an option is out of range.
        DataError: a series too short for a single window, NaN, or values other than numbers.
        ShapeError: a series with other axes, series that differ in more than their length, or a `y` or an input of
            other lengths.

    >>> found = windows([10, 11, 12, 13, 14], 3)
    >>> found.x.tolist(), found.y.tolist()
    ([[10, 11, 12], [11, 12, 13]], [13, 14])
    >>> found = windows([[10, 11, 12, 13, 14], [20, 21, 22, 23]], 2, horizon=2)
    >>> found.x.tolist(), found.y.tolist()
    ([[10, 11], [11, 12], [20, 21]], [[12, 13], [13, 14], [22, 23]])
    >>> found.series.tolist(), found.start.tolist()
    ([0, 0, 1], [0, 1, 0])
    >>> found
    Windows(x [3, 2], y [3, 2], 2 series)
    >>> pumps = {"readings": [np.zeros((5, 8)), np.zeros((4, 8))], "weather": [np.zeros((5, 2)), np.zeros((4, 2))]}
    >>> windows(pumps, 3, y=[np.arange(5.0), np.arange(4.0)], static={"pump": np.eye(2)})
    Windows(x 'readings' [3, 3, 8] and 'weather' [3, 3, 2] and 'pump' [3, 2], y [3], 2 series)
    """
    for name, value in (("length", length), ("stride", stride), ("horizon", horizon)):
        check_whole(name, value)
    span = length + check_whole("gap", gap, least=0) + horizon
    read = read_inputs(series, "inputs without steps are given as static={name: rows}")
    if y is None:
        check_targets_given(read)
    check_long_enough(read.first, span, "length + gap + horizon")
    targets = read.values if y is None else read_targets(y, read)
    rows = {} if static is None else read_static(static, read)
    start = [np.arange(0, steps - span + 1, stride) for steps in read.lengths]
    number = np.repeat(np.arange(len(start)), [len(starts) for starts in start])

    def inputs(values: list[Array]) -> Array:
        return np.concatenate([_runs(array[: len(array) - span + length], length, stride) for array in values])

    def followers(values: list[Array]) -> Array:
        joined = np.concatenate([_runs(array[length + gap :], horizon, stride) for array in values])
        return joined[:, 0] if horizon == 1 else joined

    x = each(inputs, read.values)
    x = {**x, **{name: array[number] for name, array in rows.items()}} if rows else x
    return Windows(x, each(followers, targets), np.concatenate(start), number, span)


def _runs(values: Array, length: int, stride: int) -> Array:
    """Returns a view of every `stride`-th run of `length` values: `[N, length]` or `[N, length, F]`."""
    return np.moveaxis(np.lib.stride_tricks.sliding_window_view(values, length, axis=0), -1, 1)[::stride]
