"""What is no plain array: masked arrays, tensors and objects are read as the numbers they are, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from mistakes import Action, Error, X, Y, case, fit, learn, model_of, refused, regression, sw, table
from statewise.errors import DataError, ShapeError
from statewise.foundation.shapes import as_array, check_flags

Array = np.ndarray[Any, Any]
HIDDEN = np.zeros(X.shape, bool)
HIDDEN[2, 1] = True
MASKED = np.ma.masked_array(np.where(HIDDEN, 777, X), HIDDEN)
ROWS = [np.ma.masked_array(row, hidden) for row, hidden in zip(MASKED.data, HIDDEN, strict=True)]
MASKED_Y = np.ma.masked_array(Y, np.arange(12).reshape(6, 2) == 5)


# -- masked arrays -----------------------------------------------------------------------------------------------------


@table(
    case("x", lambda: learn(MASKED, Y), DataError, "x: expected", "masked entries, got 2", "[2, 1, 0]", "getmaskarray"),
    case("x-rows", lambda: learn(ROWS, Y), DataError, "masked entries, got 2, the first at [1, 0]", ".filled(0)"),
    case("x-nested", lambda: learn([list(row) for row in ROWS], Y), DataError, "masked entries, got 2"),
    case("x-constant", lambda: learn([[[1.0, np.ma.masked]]], Y[:1]), DataError, "masked entries, got 1"),
    case("x-ragged", lambda: learn([ROWS[2], ROWS[1][:2]], Y[:2]), DataError, "x[0]: expected", "masked entries"),
    case("y", lambda: learn(X, MASKED_Y), DataError, "y: expected", "[2, 1]", "y.filled(0) with sample_weight="),
    case("weight", lambda: learn(X, Y, sample_weight=MASKED[:, 1, 0]), DataError, "sample_weight: expected", "masked"),
    case("mask", lambda: learn(X, Y, mask=MASKED[..., 0] > 0), DataError, "mask: expected", "masked entries, got 1"),
    case("windows", lambda: sw.windows(MASKED[2], 1), DataError, "series: expected", "got 2", ".filled(0)"),
    case("lanes", lambda: sw.lanes([ROWS[2]], batch_size=1, steps=1), DataError, "series[0]: expected", "got 2"),
)
def test_masked_entries_are_refused(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


def test_what_the_message_says_to_write_never_reads_what_is_masked() -> None:
    mask = ~np.ma.getmaskarray(MASKED).any(axis=-1)
    expected = learn(np.where(HIDDEN, 0, X), Y, mask=mask).history
    assert learn(MASKED.filled(0), Y, mask=mask).history == expected
    each = ~np.ma.getmaskarray(MASKED_Y).any(axis=-1)
    assert learn(X, MASKED_Y.filled(0), sample_weight=each).history == learn(X, Y, sample_weight=each * 1.0).history


def test_masked_arrays_of_which_nothing_is_masked_are_plain_ones() -> None:
    for x in (
        np.ma.masked_array(X),
        np.ma.masked_array(X, np.zeros(X.shape, bool)),
        [np.ma.masked_array(r) for r in X],
    ):
        read = as_array("x", x)
        assert type(read) is np.ndarray
        np.testing.assert_array_equal(read, X)


# -- objects -----------------------------------------------------------------------------------------------------------


class NAType:
    """Stands for pandas.NA, which is of a class of this name, and is no number."""

    def __repr__(self) -> str:
        return "<NA>"


NA = NAType()


class Frame:
    """Stands for a DataFrame of nullable columns: NumPy makes an array of objects of it."""

    def __init__(self, *rows: list[object]) -> None:
        self._rows = rows

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self._rows, dtype=object)


def objects(*values: object) -> Array:
    array = np.empty(len(values), object)
    array[:] = values
    return array


NUMBERS: dict[str, tuple[object, list[Any], type]] = {
    "floats": (objects(0.5, np.float32(1.5), np.float64(2.5)), [0.5, 1.5, 2.5], np.float32),
    "whole": (objects(1, np.int64(2), np.uint8(3)), [1, 2, 3], np.int32),
    "mixed": (objects(1, 2.5, True), [1.0, 2.5, 1.0], np.float32),
    "bool": (objects(True, np.bool_(False)), [True, False], np.bool_),
    "decimals": (objects(Decimal("0.25"), Decimal(2)), [0.25, 2.0], np.float32),
    "fractions": (objects(Fraction(1, 4), 2), [0.25, 2.0], np.float32),
    "nan": (objects(np.nan, 1), [np.nan, 1.0], np.float32),
    "columns": (Frame([1, 0.5], [2, 1.5]), [[1.0, 0.5], [2.0, 1.5]], np.float32),
    "whole-columns": (Frame([1, 2], [3, 4]), [[1, 2], [3, 4]], np.int32),
    "lists": ([[Decimal(1), 2.5]], [[1.0, 2.5]], np.float32),
    "bfloat16": (np.array([0.5, 2.0], ml_dtypes.bfloat16), [0.5, 2.0], np.float32),
}


@pytest.mark.parametrize(("value", "expected", "dtype"), NUMBERS.values(), ids=NUMBERS)
def test_objects_that_are_numbers_are_read_as_numbers(value: object, expected: list[Any], dtype: type) -> None:
    read = as_array("x", value)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, np.array(expected, dtype))


def test_a_fit_of_objects_is_that_of_the_numbers() -> None:
    plain = learn(X, Y).history
    assert learn(X.astype(object), Y.astype(object), mask=np.ones((6, 3), object) == 1).history == plain
    assert learn(X.tolist(), [[Decimal(float(v)) for v in row] for row in Y]).history == plain


def test_flags_may_be_objects_too() -> None:
    flags = objects(True, False)
    assert check_flags("mask", flags[None], (1, 2)).dtype == bool


@table(
    case("none", lambda: learn(X, objects(*[1.0] * 5, None)), DataError, "y: expected real", "None at [5]", "fill"),
    case("na", lambda: learn(Frame([1, 2.5], [NA, 1]), Y), DataError, "got <NA> at [1, 0]", "missing"),
    case("na-flags", lambda: learn(X, Y, mask=objects(True, NA)), DataError, "mask: expected", "<NA> at [1]"),
    case("text", lambda: learn(X, objects(*[1.0] * 4, "a", 2)), DataError, "text such as 'a' at [4]", "encode"),
    case("others", lambda: learn(X, objects(*[1.0] * 5, set())), DataError, "values of type set at [5]", "encode"),
    case("complex", lambda: learn(X, objects(*[1.0] * 5, 1j)), DataError, "values of type complex at [5]"),
    case("too-large", lambda: learn(X, objects(*[1] * 5, -(10**30))), DataError, "beyond 64 bits", "scale"),
    case("much-too-large", lambda: learn(X, objects(0.5, *[10**5000] * 5)), DataError, "64 bits", "scale"),
    case("arrays", lambda: learn(objects(X[0], X[1][:2]), Y[:2]), ShapeError, "an array of arrays", "list(x)"),
)
def test_other_objects_are_refused_by_their_place(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


def test_times_among_objects_are_told_apart_as_others_are() -> None:
    times = [Decimal(1_700_000_000 + 10 * step) for step in range(18)]
    with pytest.raises(DataError, match="series: expected numbers that differ in float32"):
        sw.windows(objects(*times), 3)


# -- tensors -----------------------------------------------------------------------------------------------------------


class Tensor:
    """Stands for one of PyTorch's that NumPy cannot read."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def detach(self) -> Array:
        return X

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        raise self._error


GRAD = Tensor(RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."))
SHORT = Tensor(TypeError("Got unsupported ScalarType BFloat16"))
DEVICE = Tensor(TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy it first."))


@pytest.mark.parametrize("tensor", [GRAD, SHORT, DEVICE], ids=["grad", "bfloat16", "device"])
@pytest.mark.parametrize("door", [lambda t: learn(t, Y), lambda t: learn(X, t), lambda t: learn([t, t], Y)])
def test_tensors_that_numpy_cannot_read(tensor: Tensor, door: Callable[[Any], object]) -> None:
    refused(lambda: door(tensor), DataError, ["expected data that NumPy can read", ".detach().float().cpu().numpy()"])


def test_one_input_only() -> None:
    words = ["expected one input", "a list of 2 arrays [6, 3, 2], [6, 3, 2]", "np.concatenate(x, axis=-1)"]
    refused(lambda: fit(regression(), [X, X], Y), ShapeError, words)
    model = model_of(sw.LSTM(3, input_shape=(None, 4)), sw.Dense(2))
    refused(lambda: fit(model, [X, X], Y), ShapeError, words)
    assert fit(model, np.concatenate([X, X], axis=-1), Y).history
