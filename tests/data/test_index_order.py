"""A series with an index, as pandas has it, is to come in its order; here stands for pandas what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import statewise as sw
from statewise.errors import StatewiseWarning

VALUES = np.random.default_rng(37).normal(size=(8, 2))


class Index:
    """What is asked of a pandas Index."""

    def __init__(self, labels: Sequence[Any], kind: str) -> None:
        self.is_monotonic_increasing = all(a <= b for a, b in pairwise(labels))
        self.is_monotonic_decreasing = all(a >= b for a, b in pairwise(labels))
        self.is_unique = len(set(labels)) == len(labels)
        self.dtype: Any = np.dtype(kind) if kind != "period" else Period()


class Period:
    """Stands for the dtype of a PeriodIndex, which NumPy has no kind for."""

    kind = "O"

    def __repr__(self) -> str:
        return "period[D]"


class Frame:
    """Stands for a Series or DataFrame."""

    def __init__(self, labels: Sequence[Any], kind: str = "i8", values: Any = VALUES) -> None:
        self.index, self._values, self.ndim = Index(labels, kind), values, np.ndim(values)

    def __len__(self) -> int:
        return len(self._values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self._values


DOORS: dict[str, Callable[[Any], object]] = {
    "windows": lambda series: sw.windows(series, 2),
    "windows-of-many": lambda series: sw.windows([VALUES, series], 2),
    "lanes": lambda series: sw.lanes(series, batch_size=2, steps=2),
    "targets": lambda series: sw.lanes(VALUES, series, batch_size=2, steps=2),
}

TOLD: dict[str, tuple[Frame, str]] = {
    "dates-backwards": (Frame(range(8, 0, -1), "M8[s]"), r"runs backwards: write \S+\.sort_index\(\)"),
    "numbers-in-no-order": (Frame([3, 1, 2, 4, 5, 6, 7, 8]), r"is not sorted: write \S+\.sort_index\(\)"),
    "a-date-twice": (
        Frame([1, 2, 3, 3, 4, 5, 6, 7], "M8[s]"),
        r"has duplicate labels: .*\.index\.duplicated\(\)\]",
    ),
    "names-backwards": (Frame("hgfedcba", "O"), "runs backwards"),
    "days-in-no-order": (Frame([3, 1, 2, 4, 5, 6, 7, 8], "period"), "is not sorted"),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize(("series", "words"), TOLD.values(), ids=TOLD)
def test_an_index_that_is_not_in_order_is_told(series: Frame, words: str, door: Callable[[Any], object]) -> None:
    with pytest.warns(StatewiseWarning, match=words) as told:
        door(series)
    assert len(told) == 1
    assert told[0].filename == __file__


QUIET: dict[str, Any] = {
    "in-order": Frame(range(8)),
    "dates": Frame(range(0, 80, 10), "M8[s]"),
    "names-of-months": Frame(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug"], "O"),
    "names-twice": Frame("aabbccdd", "O"),
    "array": VALUES,
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize("series", QUIET.values(), ids=QUIET)
def test_others_are_not(series: Any, door: Callable[[Any], object]) -> None:
    door(series)
