"""Rows of different lengths survive being filled up, and what is no row is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mistakes import Action, Error, case, refused, table
from statewise.data.ragged import is_many, is_ragged, pad, read_series, unpad
from statewise.errors import DataError, ShapeError
from statewise.foundation.shapes import Array

RNG = np.random.default_rng(3)

# lengths of the rows, their other axes
CASES: list[tuple[list[int], tuple[int, ...]]] = [
    ([3, 1], ()),
    ([1, 5, 2], ()),
    ([4, 2, 4, 1], (3,)),
    ([2, 7], (2, 3)),
    ([2, 2], (1,)),  # of one length after all
    ([6], ()),
]
cases = pytest.mark.parametrize(("lengths", "tail"), CASES, ids=str)


def rows_of(lengths: list[int], tail: tuple[int, ...]) -> list[Array]:
    return [RNG.normal(size=(length, *tail)).astype(np.float32) for length in lengths]


@cases
def test_rows_survive_the_round_trip(lengths: list[int], tail: tuple[int, ...]) -> None:
    rows = rows_of(lengths, tail)
    array, mask = pad("x", rows)
    assert array.shape == (len(lengths), max(lengths), *tail)
    assert mask.dtype == bool
    back = unpad(array, mask)
    assert len(back) == len(rows)
    for row, restored in zip(rows, back, strict=True):
        np.testing.assert_array_equal(restored, row)
        assert restored.dtype == row.dtype


@cases
def test_filling_is_zero_and_on_the_right(lengths: list[int], tail: tuple[int, ...]) -> None:
    rows = rows_of(lengths, tail)
    array, mask = pad("x", rows)
    for at, length in enumerate(lengths):
        for step in range(max(lengths)):
            assert mask[at, step] == (step < length)
            np.testing.assert_array_equal(array[at, step], rows[at][step] if step < length else np.zeros(tail))


@pytest.mark.parametrize(
    ("rows", "dtype"),
    [
        ([[1, 2], [3]], np.int32),
        ([[True], [True, False]], bool),
        ([[1.0, 2.0], [3]], np.float32),  # NumPy alone makes float64 of float32 and int32
        ([[True, False], [3]], np.int32),
        ([np.arange(3, dtype=np.int64), np.ones(2)], np.float32),
    ],
)
def test_dtypes_are_those_of_one_array(rows: Any, dtype: Any) -> None:
    array, mask = pad("x", rows)
    assert array.dtype == dtype
    assert [row.tolist() for row in unpad(array, mask)] == [list(row) for row in rows]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([[1, 2], [3]], True),
        (([1, 2], [3]), True),
        ([np.zeros((2, 3)), np.zeros((4, 3))], True),
        ([np.zeros((2, 3)), np.zeros((4, 5))], True),  # refused by pad
        ([[], [1]], True),  # refused by pad
        ([[1, 2], [3, 4]], False),
        ([[1, 2]], False),
        ([[[1.0], [1.0, 2.0]]], False),  # one row; what is uneven is inside
        ([1, 2], False),
        ([[1, 2], 3], False),
        ([[1, 2], np.float32(3)], False),
        ([[1, 2], np.array(3)], False),
        ([], False),
        (["ab", "c"], False),
        ([[1, 2], "c"], False),
        ([[1, 2], None], False),
        (np.zeros((2, 3)), False),
        ({"a": [1], "b": [1, 2]}, False),
        (None, False),
        ("text", False),
    ],
    ids=repr,
)
def test_what_is_ragged(value: object, expected: bool) -> None:
    assert is_ragged(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 2, 3], False),
        ([np.float32(1), np.float32(2)], False),
        (np.zeros((2, 3)), False),
        ([], False),
        ([np.zeros(3)], True),
        ([[1], [2, 3]], True),
        ((np.zeros((2, 3)), np.zeros((4, 3))), True),
    ],
    ids=repr,
)
def test_what_is_many_series(value: object, expected: bool) -> None:
    assert is_many(value) is expected


def test_series_keep_their_values_and_get_one_dtype() -> None:
    read = read_series("series", [np.arange(3), [0.5, 1.5]])
    assert {label: values.tolist() for label, values in read.items()} == {
        "series[0]": [0, 1, 2],
        "series[1]": [0.5, 1.5],
    }
    assert {values.dtype for values in read.values()} == {np.dtype(np.float32)}


@table(
    case("no-rows", lambda: pad("x", []), DataError, "x", "at least one row"),
    case("empty-row", lambda: pad("x", [[1], []]), DataError, "x[1]", "at least one step", "[0]", "leave it out"),
    case("number", lambda: pad("x", [[1], 2]), ShapeError, "x[1]", "time axis", "single number 2"),
    case("text", lambda: pad("x", [[1], ["a", "b"]]), DataError, "x[1]", "numbers", "'a'", "encode"),
    case(
        "features",
        lambda: pad("x", [np.zeros((2, 3)), np.zeros((4, 5))]),
        ShapeError,
        "x[1]",
        "the shape of x[0], [2, 3]",
        "got [4, 5]",
        "the same features",
    ),
    case("axes", lambda: pad("x", [np.zeros((2, 3)), np.zeros(4)]), ShapeError, "x[1]", "[2, 3]", "got [4]"),
    case("uneven-inside", lambda: pad("x", [[[1], [2, 3]], [[1]]]), ShapeError, "x[0]", "from 1 to 2", "pad them"),
    case("mask-shape", lambda: unpad(np.zeros((2, 3)), np.ones((2, 2), bool)), ShapeError, "mask", "[2, 3]", "[2, 2]"),
    case("mask-dtype", lambda: unpad(np.zeros((2, 3)), np.ones((2, 3))), DataError, "mask", "bool", "float64"),
)
def test_refusals(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)
