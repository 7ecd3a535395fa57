"""Rows that are overlapping windows of a series are recognized by their values, and others are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from statewise.data.overlap import shared_steps

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(31)


def framed(series: Array, steps: int, stride: int) -> Array:
    return np.stack([series[at : at + steps] for at in range(0, len(series) - steps + 1, stride)])


SERIES: dict[str, Array] = {
    "walk": np.cumsum(RNG.normal(size=(200, 1)), axis=0),
    "columns": RNG.normal(size=(200, 3)),
    "sine": np.sin(np.arange(200.0) / 3)[:, None],
    "rare-events": (RNG.random((400, 1)) < 0.3).astype(float),
    "symbols": RNG.integers(0, 26, size=200),
    "whole": RNG.integers(0, 100, size=(200, 1)),
}


@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("series", SERIES.values(), ids=SERIES)
def test_overlapping_windows(series: Array, stride: int) -> None:
    x = framed(series, 12, stride)
    for cut in (1, len(x) // 2, len(x) - 1):
        assert shared_steps(x, cut) == stride


def test_a_few_rows_of_a_few_steps_are_enough() -> None:
    assert shared_steps(framed(SERIES["walk"], 3, 1)[:5], 3) == 1


@pytest.mark.parametrize("steps", [2, 5])
@pytest.mark.parametrize("series", SERIES.values(), ids=SERIES)
def test_windows_side_by_side_share_nothing(series: Array, steps: int) -> None:
    assert shared_steps(framed(series, steps, steps), 8) is None


def shuffled(x: Array) -> Array:
    return x[RNG.permutation(len(x))]


OTHERS: dict[str, Array] = {
    "zeros": np.zeros((40, 6, 2)),
    "a-constant-each": np.repeat(np.arange(40.0), 6).reshape(40, 6, 1),
    "equal-rows": np.tile(RNG.normal(size=(1, 6, 2)), (40, 1, 1)),
    "alternating": framed(np.arange(60)[:, None] % 2, 6, 1),
    "mostly-zeros": np.where(np.arange(40)[:, None, None] == 17, 1.0, np.zeros((40, 6, 1))),
    "padded": np.pad(RNG.integers(1, 9, size=(40, 2, 1)), [(0, 0), (10, 0), (0, 0)]),
    "one-step": RNG.normal(size=(40, 1, 2)),
    "features": framed(SERIES["walk"][:, 0], 6, 1),  # [N, F] of a network without steps
    "shuffled": shuffled(framed(SERIES["walk"], 6, 1)),
    "overlapping-at-the-cut-only": np.concatenate([RNG.normal(size=(19, 6, 1)), framed(SERIES["walk"], 6, 1)[:2]]),
    "coin-tosses": RNG.integers(0, 2, size=(40, 3)),
}


@pytest.mark.parametrize("x", OTHERS.values(), ids=OTHERS)
def test_other_rows(x: Array) -> None:
    assert shared_steps(x, 20) is None


@pytest.mark.slow
def test_rows_drawn_at_random_are_hardly_ever_taken_for_windows() -> None:
    found = 0
    for seed in range(3000):
        rng = np.random.default_rng(seed)
        shape = rng.integers(4, 12), rng.integers(2, 6), 1
        x = rng.integers(0, rng.integers(2, 6), size=shape)
        found += shared_steps(x, len(x) // 2) is not None
    assert found <= 3
