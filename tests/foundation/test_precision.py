"""Numbers that float32 cannot tell apart are refused, by their column, wherever data come in; all others are taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mistakes import Y, fit, model_of, regression, sw
from statewise.data.batches import read_x
from statewise.errors import DataError
from statewise.foundation.precision import check_resolved

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(5)
LENGTHS = (2, 20, 300, 5_000, 100_000)
NOW = 1_700_000_000.0


def count(n: int) -> Array:
    return np.arange(float(n))


def mostly(n: int, value: Array | float) -> Array:
    return np.where(RNG.random(n) < 0.01, RNG.normal(size=n), value)


LOST: dict[str, Callable[[int], Array]] = {
    "seconds": lambda n: NOW + 10 * count(n),
    "seconds-backwards": lambda n: (NOW + 10 * count(n))[::-1],
    "seconds-shuffled": lambda n: RNG.permutation(NOW + count(n)),
    "seconds-with-a-gap": lambda n: NOW + 10 * count(n) + 3e7 * (count(n) > n // 2),
    "seconds-held": lambda n: NOW + 10 * (count(n) // 2),
    "quarters-of-a-second": lambda n: NOW + 0.25 * count(n),
    "milliseconds": lambda n: 1000 * NOW + 10 * count(n),
    "nanoseconds": lambda n: 1e9 * NOW + 1e9 * count(n),
    "with-nan": lambda n: np.where(np.arange(n) % 5 == 3, np.nan, NOW + 10 * count(n)),
    "whole-numbers": lambda n: (NOW + 10 * count(n)).astype(np.int32),
    "beyond-2**24": lambda n: 2**24 + np.arange(n, dtype=np.int32),
    "negative": lambda n: -NOW - 10 * count(n),
    "offset-noise": lambda n: 1e9 + RNG.normal(size=n),
    "offset-sine": lambda n: 1e8 + np.sin(0.1 * count(n)),
}

KEPT: dict[str, Callable[[int], Array]] = {
    "uniform": RNG.random,
    "normal": lambda n: RNG.normal(size=n),
    "offset-noise": lambda n: 1e5 + RNG.normal(size=n),
    "sine": lambda n: np.sin(0.1 * count(n)),
    "sine-repeating-but-for-rounding": lambda n: 5 + np.sin(2 * np.pi * count(n) / 10),
    "slow-sine": lambda n: np.sin(1e-4 * count(n)),
    "saturating": lambda n: np.tanh(20 * np.sin(2 * np.pi * count(n) / 5000)),
    "probabilities": lambda n: 1 / (1 + np.exp(-30 * RNG.normal(size=n))),
    "prices": lambda n: 60_000 + np.cumsum(RNG.normal(0, 0.5, n)),
    "cents": lambda n: np.round(30_000 + np.cumsum(RNG.normal(size=n)), 2),
    "pascals": lambda n: np.round(101_325 + RNG.normal(0, 300, n), 2),
    "kelvins": lambda n: 293.15 + 0.01 * RNG.integers(-99, 99, n),
    "constant": lambda n: np.full(n, 0.1),
    "large-constant": lambda n: np.full(n, NOW + 0.3),
    "constant-but-for-rounding": lambda n: 0.3 + 2.0**-54 * RNG.integers(-3, 4, n),
    "means-of-a-constant": lambda n: np.diff(np.cumsum(np.full(n + 1, 0.1))),
    "mostly-equal": lambda n: mostly(n, 5.0),
    "mostly-equal-but-for-rounding": lambda n: mostly(n, 5 + 1e-13 * RNG.normal(size=n)),
    "small-whole-numbers": lambda n: np.minimum(count(n), 2.0**24),
    "amounts": lambda n: np.floor(1e9 * RNG.random(n)),
    "counter": lambda n: np.cumsum(RNG.integers(500, 5000, n)).astype(np.int32),
    "flags": lambda n: (RNG.random(n) < 0.1).astype(float),
    "nan": lambda n: np.full(n, np.nan),
    "infinite": lambda n: np.where(RNG.random(n) < 0.5, np.inf, NOW),
    "many-scales": lambda n: np.exp(10 * RNG.normal(size=n)),
    "float32": lambda n: (NOW + 10 * count(n)).astype(np.float32),
    "float16": lambda n: (count(n) / n).astype(np.float16),
}


@pytest.mark.parametrize("n", LENGTHS[1:])
@pytest.mark.parametrize("column", LOST.values(), ids=LOST)
def test_columns_that_would_lose_their_differences_are_refused(column: Callable[[int], Array], n: int) -> None:
    with pytest.raises(
        DataError, match=r"^x: expected numbers that differ in float32, got .* subtract an offset first"
    ):
        check_resolved("x", column(n))


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("column", KEPT.values(), ids=KEPT)
def test_columns_whose_differences_stay_are_taken(column: Callable[[int], Array], n: int) -> None:
    check_resolved("x", column(n))


def test_the_numbers_it_names_are_two_of_the_column_that_become_one() -> None:
    column = NOW + 10 * count(50)
    with pytest.raises(DataError) as caught:
        check_resolved("x", column)
    first, second = (float(word.rstrip(",")) for word in str(caught.value).split("got ")[1].split(" ")[0:3:2])
    assert first != second
    assert {first, second} <= set(column)
    assert np.float32(first) == np.float32(second)


@pytest.mark.parametrize("shape", [(40,), (40, 3), (8, 5, 3), (3000, 3, 3), (2, 5000, 3)], ids=str)
def test_the_column_is_named_where_there_are_several(shape: tuple[int, ...]) -> None:
    array = RNG.normal(size=shape)
    times = NOW + 10 * count(array[..., :1].size if array.ndim > 1 else len(array))
    if array.ndim == 1:
        array[:] = times
    else:
        array[..., 2] = times.reshape(shape[:-1])
    name = "x: " if array.ndim == 1 else r"x\[\.\.\., 2\]: "
    offset = r"x - x\[0, 0\]" if array.ndim == 3 else r"x - x\[0\]"
    with pytest.raises(DataError, match=f"^{name}.*{offset}"):
        check_resolved("x", array)


TIMES = NOW + 10 * count(18)
FRAMED = TIMES.reshape(6, 3, 1)
PAIR = np.stack([np.sin(TIMES), TIMES], axis=1)
IN_STEPS = [sw.LSTM(2, return_sequences=True), sw.Dense(1)]

DOORS: dict[str, tuple[Callable[[], object], str]] = {
    "x": (lambda: fit(regression(), FRAMED, Y), "x: "),
    "x-whole": (lambda: fit(regression(), FRAMED.astype(int), Y), "x: "),
    "x-objects": (lambda: fit(regression(), FRAMED.astype(object), Y), "x: "),
    "x-lists": (lambda: fit(regression(), FRAMED.tolist(), Y), "x: "),
    "x-of-different-lengths": (lambda: fit(regression(), [FRAMED[0], *FRAMED[1:, :2]], Y), "x: "),
    "y": (lambda: fit(model_of(sw.LSTM(2), sw.Dense(1)), np.sin(FRAMED), TIMES[:6]), "y: "),
    "y-whole": (lambda: fit(model_of(sw.LSTM(2), sw.Dense(1)), np.sin(FRAMED), TIMES[:6].astype(int)), "y: "),
    "y-in-steps": (lambda: fit(model_of(*IN_STEPS), np.sin(FRAMED), FRAMED), "y: "),
    "batches": (lambda: fit(regression(), [(FRAMED, Y)]), "batch 1: x: "),
    "validation": (lambda: fit(regression(), np.sin(FRAMED), Y, validation_data=(FRAMED, Y)), "x: "),
    "evaluate": (lambda: regression().evaluate(FRAMED, Y), "x: "),
    "call": (lambda: regression()(FRAMED), "x: "),
    "windows": (lambda: sw.windows(TIMES, 3), "series: "),
    "windows-of-columns": (lambda: sw.windows(PAIR, 3), "series[..., 1]: "),
    "windows-of-many": (lambda: sw.windows([TIMES, TIMES[:5]], 3), "series: "),
    "windows-of-whole-numbers": (lambda: fit(model_of(*IN_STEPS[1:]), sw.windows(TIMES.astype(int), 3)), "x: "),
    "lanes": (lambda: sw.lanes(TIMES, batch_size=2, steps=3), "series: "),
    "targets-of-lanes": (lambda: sw.lanes(np.sin(TIMES), TIMES, batch_size=2, steps=3), "y: "),
}


@pytest.mark.parametrize(("action", "name"), DOORS.values(), ids=DOORS)
def test_they_are_refused_wherever_data_come_in(action: Callable[[], object], name: str) -> None:
    with pytest.raises(DataError) as caught:
        action()
    assert str(caught.value).startswith(f"{name}expected numbers that differ in float32"), str(caught.value)


def test_what_the_message_says_to_write_is_taken() -> None:
    assert len(sw.windows(TIMES - TIMES[0], 3).x) == 15
    assert np.isfinite(fit(regression(), FRAMED - FRAMED[0, 0], Y).history["loss"]).all()


def test_symbols_are_whole_numbers_and_stay_so() -> None:
    ids = np.arange(2**24, 2**24 + 18).reshape(6, 3)
    np.testing.assert_array_equal(read_x(ids, (None,), symbols=2**24 + 18), ids)


@pytest.mark.slow
def test_a_large_array_costs_no_more_than_a_small_one() -> None:
    small, large = RNG.random((2000, 8)), RNG.random((1_000_000, 8))
    assert _seconds(small) * 20 > _seconds(large)


def _seconds(array: Array) -> float:
    def once() -> float:
        begun = time.perf_counter()
        check_resolved("x", array)
        return time.perf_counter() - begun

    return min(once() for _ in range(9))
