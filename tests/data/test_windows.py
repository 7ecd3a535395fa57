"""Every window comes once with the values that follow it, and none leaks over a cut in time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from mistakes import Action, Error, case, each, refused, table
from statewise.data.windows import Windows, windows
from statewise.errors import ConfigurationError, DataError, ShapeError
from statewise.foundation.shapes import Array


class Case(NamedTuple):
    """How many steps each series has, how many features (0: no such axis), and the options."""

    lengths: list[int]
    features: int
    length: int
    stride: int = 1
    horizon: int = 1
    gap: int = 0

    @property
    def series(self) -> list[Array]:
        """Series of which no two values are equal."""
        shape = (sum(self.lengths), self.features) if self.features else (sum(self.lengths),)
        values = np.random.default_rng(5).permutation(int(np.prod(shape))).reshape(shape).astype(np.int32)
        return np.split(values, np.cumsum(self.lengths)[:-1])

    @property
    def windows(self) -> Windows:
        """One series is passed as it is, several as a list."""
        series = self.series if len(self.lengths) > 1 else self.series[0]
        return windows(series, self.length, stride=self.stride, horizon=self.horizon, gap=self.gap)


CASES = [
    Case([2], 0, 1),  # the shortest
    Case([20], 0, 19),  # a single window
    Case([7], 0, 3),
    Case([30], 2, 4),
    Case([30], 1, 4, horizon=3),
    Case([31], 0, 4, stride=3, horizon=2, gap=1),
    Case([31], 3, 5, stride=7, gap=4),  # steps between windows that no window covers
    Case([12, 25, 9], 0, 3),
    Case([40, 13], 2, 3, stride=2, horizon=3, gap=2),
    Case([8, 8, 8, 30], 0, 4, stride=4, horizon=4),
]
cases = pytest.mark.parametrize("case_", CASES, ids=str)


def by_hand(case_: Case) -> list[tuple[Any, Any, int, int]]:
    """Returns x, y, start and series of each window, by loops over single values."""
    found = []
    for number, values in enumerate(value.tolist() for value in case_.series):
        start = 0
        while start + case_.length + case_.gap + case_.horizon <= len(values):
            x = [values[start + step] for step in range(case_.length)]
            y = [values[start + case_.length + case_.gap + step] for step in range(case_.horizon)]
            found.append((x, y[0] if case_.horizon == 1 else y, start, number))
            start += case_.stride
    return found


@cases
def test_each_window_comes_once_with_what_follows(case_: Case) -> None:
    found = case_.windows
    columns = (found.x.tolist(), found.y.tolist(), found.start.tolist(), found.series.tolist())
    assert list(zip(*columns, strict=True)) == by_hand(case_)
    assert found.x.dtype == found.y.dtype == np.int32


@cases
def test_windows_are_no_views(case_: Case) -> None:
    series = case_.series[0]
    before = series.copy()
    found = windows(series, case_.length)
    found.x[:] = found.y[:] = -1
    np.testing.assert_array_equal(series, before)


def test_a_list_of_one_series_is_that_series() -> None:
    alone, listed = windows(np.arange(9), 3), windows([np.arange(9)], 3)
    for left, right in zip(alone, listed, strict=True):
        np.testing.assert_array_equal(left, right)


# ------------------------------------------------------------------------------------------ split

SPLITS = [case_ for case_ in CASES if len(by_hand(case_)) > 4]


def values_of(part: Windows) -> set[int]:
    return set(part.x.ravel().tolist()) | set(part.y.ravel().tolist())


@pytest.mark.parametrize("share", [0.3, 0.5, 0.6])
@pytest.mark.parametrize("case_", SPLITS, ids=str)
def test_no_value_is_on_both_sides_of_a_split(case_: Case, share: float) -> None:
    before, after = case_.windows.split(share)
    assert not values_of(before) & values_of(after)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.6])
@pytest.mark.parametrize("case_", SPLITS, ids=str)
def test_only_windows_that_straddle_the_cut_are_dropped(case_: Case, share: float) -> None:
    found = case_.windows
    sides = found.split(share)
    span = case_.length + case_.gap + case_.horizon
    kept: list[list[int]] = [[], []]
    for number in range(len(case_.lengths)):
        mine = [index for index, of in enumerate(found.series) if of == number]
        begin, end = found.start[mine[0]], found.start[mine[-1]] + span
        cut = begin + round(float(end - begin) * (1 - share))
        kept[0] += [index for index in mine if found.start[index] + span <= cut]
        kept[1] += [index for index in mine if found.start[index] >= cut]
    for side, indices in zip(sides, kept, strict=True):
        for got, whole in zip(side[:4], found[:4], strict=True):
            np.testing.assert_array_equal(got, whole[indices])


def test_each_series_is_cut_at_the_same_share_of_its_own_time() -> None:
    before, after = windows([np.arange(100), np.arange(1000, 1040)], 3).split(0.25)
    assert before.y[before.series == 0].max() == 74
    assert after.x[after.series == 0].min() == 75
    assert before.y[before.series == 1].max() == 1029
    assert after.x[after.series == 1].min() == 1030


def test_three_parts_are_two_splits() -> None:
    training, rest = windows(np.arange(100), 4).split(0.4)
    validation, test = rest.split(0.5)
    assert training.y.max() == 59
    assert (validation.x.min(), validation.y.max()) == (60, 79)
    assert (test.x.min(), test.y.max()) == (80, 99)


# --------------------------------------------------------------------------------------- refusals

SERIES = np.arange(9)
UNEVEN = [np.zeros((9, 2)), np.zeros((9, 3))]
HOLED = np.where(SERIES == 4, np.nan, SERIES)


@table(
    *each("length", lambda value: windows(SERIES, value), ConfigurationError, ">= 1", of=(0, 2.5, True, None)),
    *each("stride", lambda value: windows(SERIES, 2, stride=value), ConfigurationError, ">= 1", of=(0, 1.5)),
    *each("horizon", lambda value: windows(SERIES, 2, horizon=value), ConfigurationError, ">= 1", of=(0, "1")),
    *each("gap", lambda value: windows(SERIES, 2, gap=value), ConfigurationError, ">= 0", of=(-1, 0.5)),
    case("too-short", lambda: windows(SERIES, 9), DataError, "series:", "at least 10 steps", "got 9", "a longer one"),
    case(
        "one-too-short",
        lambda: windows([SERIES, SERIES[:4]], 2, horizon=2, gap=1),
        DataError,
        "series[1]",
        "at least 5 steps (length + gap + horizon)",
        "got 4",
        "leave this series out",
    ),
    case("empty", lambda: windows([], 2), DataError, "series:", "at least one step", "[0]"),
    case("nan", lambda: windows(HOLED, 2), DataError, "series", "NaN", "[4]", "fill them"),
    case("nan-in-one", lambda: windows([SERIES, HOLED], 2), DataError, "series[1]", "NaN", "[4]"),
    case("features", lambda: windows(UNEVEN, 2), ShapeError, "series[1]", "[9, 2]", "[9, 3]", "same features"),
    case("axes", lambda: windows(np.zeros((2, 9, 1)), 2), ShapeError, "[L] or [L, F]", "[2, 9, 1]", "as a list"),
    case("text", lambda: windows("abc", 2), DataError, "series", "'abc'", "encode"),
    *each(
        "share", lambda value: windows(SERIES, 2).split(value), ConfigurationError, "between 0 and 1", of=(0, 1, "a")
    ),
    case(
        "nothing-before", lambda: windows(SERIES, 4).split(0.6), DataError, "share=0.6", "0 window(s) before", "than 5"
    ),
    case("nothing-after", lambda: windows(SERIES, 4).split(0.2), DataError, "share=0.2", "0 after it", "more data"),
)
def test_refusals(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)
