"""What stands at steps that are masked or weigh nothing: NaN, or anything else, without influence on any number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mistakes import fit, model_of, refused, sw
from statewise.data.ragged_rows import padded
from statewise.errors import DataError
from statewise.models.reader import Flags

Array = np.ndarray[Any, Any]
NAN, INFINITE = float("nan"), float("inf")
RNG = np.random.default_rng(23)
N, T = 6, 4
X = RNG.normal(size=(N, T, 2)).astype(np.float32)
STEPS = RNG.normal(size=(N, T, 1)).astype(np.float32)
ROWS = RNG.normal(size=(N, 1)).astype(np.float32)
CLASSES = RNG.integers(0, 3, size=(N, T))
SYMBOLS = RNG.integers(1, 5, size=(N, T))
MASK = RNG.random((N, T)) < 0.6
MASK[2] = False  # a row of which nothing counts
MASK[3] = True
SOME = np.array([1.0, 0.0, 0.5, 0.0, 2.0, 1.0])  # weights of rows
EACH = np.where(RNG.random((N, T)) < 0.4, 0.0, RNG.random((N, T)))  # weights of steps


def put(array: Array, where: Array, value: float) -> Array:
    """A copy with `value` where `where`, of the first axes, is True."""
    copy = np.array(array, np.float64)
    copy[where] = value
    return copy


def steps(**options: Any) -> Any:
    return model_of(sw.LSTM(3, return_sequences=True, input_shape=(None, 2)), sw.Dense(1), **options)


def rows() -> Any:
    return model_of(sw.LSTM(3, input_shape=(None, 2)), sw.Dense(1))


def classes() -> Any:
    layers = [sw.Embedding(5, 2, input_shape=(None,)), sw.LSTM(3, return_sequences=True)]
    return model_of(*layers, sw.Dense(3, activation="softmax"), loss="sparse_categorical_crossentropy")


def flags() -> Any:
    layers = [sw.LSTM(3, return_sequences=True, input_shape=(None, 2)), sw.Dense(1, activation="sigmoid")]
    return model_of(*layers, loss="binary_crossentropy")


Given = dict[str, Any]
Case = tuple[Callable[[], Any], Given, Given]

# A model; data with something at steps that do not count; and the same data with 0 there.
CASES: dict[str, Case] = {
    "x-masked": (
        steps,
        {"x": put(X, ~MASK, NAN), "y": STEPS, "mask": MASK},
        {"x": put(X, ~MASK, 0), "y": STEPS, "mask": MASK},
    ),
    "x-infinite-one-answer": (
        rows,
        {"x": put(X, ~MASK, -INFINITE), "y": ROWS, "mask": MASK},
        {"x": put(X, ~MASK, 0), "y": ROWS, "mask": MASK},
    ),
    "all-masked": (
        steps,
        {"x": put(X, ~MASK, NAN), "y": put(STEPS, ~MASK, NAN), "sample_weight": put(EACH, ~MASK, NAN), "mask": MASK},
        {"x": put(X, ~MASK, 0), "y": put(STEPS, ~MASK, 0), "sample_weight": put(EACH, ~MASK, 0), "mask": MASK},
    ),
    "y-huge": (
        steps,
        {"x": X, "y": put(STEPS, ~MASK, 3e38), "mask": MASK},
        {"x": X, "y": put(STEPS, ~MASK, 0), "mask": MASK},
    ),
    "y-weightless-steps": (
        steps,
        {"x": X, "y": put(STEPS, EACH == 0, NAN), "sample_weight": EACH},
        {"x": X, "y": put(STEPS, EACH == 0, 0), "sample_weight": EACH},
    ),
    "weightless-rows": (
        rows,
        {"x": put(X, SOME == 0, NAN), "y": put(ROWS, SOME == 0, NAN), "sample_weight": SOME},
        {"x": put(X, SOME == 0, 0), "y": put(ROWS, SOME == 0, 0), "sample_weight": SOME},
    ),
    "classes": (
        classes,
        {"x": put(SYMBOLS, ~MASK, NAN), "y": put(CLASSES, ~MASK, NAN), "mask": MASK},
        {"x": put(SYMBOLS, ~MASK, 0), "y": put(CLASSES, ~MASK, 0), "mask": MASK},
    ),
    "classes-of-minus-one": (
        classes,
        {"x": put(SYMBOLS, ~MASK, -1).astype(int), "y": put(CLASSES, ~MASK, -1).astype(int), "mask": MASK},
        {"x": put(SYMBOLS, ~MASK, 0), "y": put(CLASSES, ~MASK, 0), "mask": MASK},
    ),
    "flags-of-minus-one": (
        flags,
        {"x": X, "y": put(STEPS > 0, ~MASK, -1), "mask": MASK},
        {"x": X, "y": put(STEPS > 0, ~MASK, 0), "mask": MASK},
    ),
    "classes-of-no-weight": (
        classes,
        {"x": SYMBOLS, "y": put(CLASSES, EACH == 0, 99).astype(int), "sample_weight": EACH},
        {"x": SYMBOLS, "y": put(CLASSES, EACH == 0, 0), "sample_weight": EACH},
    ),
}


@pytest.mark.parametrize(("make", "given", "plain"), CASES.values(), ids=CASES)
def test_it_is_read_as_0(make: Callable[[], Any], given: Given, plain: Given) -> None:
    ours, expected = (_read(make(), data) for data in (given, plain))
    for one, other in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one is None or np.isfinite(one).all()


def test_rows_of_different_lengths_are_read_the_same_way() -> None:
    lengths = (4, 2, 3, 1, 4, 2)
    cut = [row[:n] for row, n in zip(put(X, SOME == 0, NAN), lengths, strict=True)]
    y = [row[:n] for row, n in zip(put(STEPS, SOME == 0, NAN), lengths, strict=True)]
    each = [np.full(n, weight) for n, weight in zip(lengths, SOME, strict=True)]
    samples = _read(steps(), {"x": cut, "y": y, "sample_weight": SOME})
    assert all(np.isfinite(array).all() for array in samples if array is not None)
    real = [np.nan_to_num(row) for row in cut]
    by_step = _read(steps(), {"x": real, "y": y, "sample_weight": each})
    for index in (0, 1, 3):
        np.testing.assert_array_equal(by_step[index], samples[index])


def _read(model: Any, given: Given) -> tuple[Array | None, ...]:
    data = dict(given)
    samples = model.reader.rows(data.pop("x"), data.pop("y"), None, Flags(**data))[0]
    return tuple(padded(samples)[:4])


QUICK = ("all-masked", "classes-of-minus-one")


@pytest.mark.parametrize(
    ("make", "given", "plain"),
    [pytest.param(*one, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, one in CASES.items()],
)
def test_it_has_no_influence_on_any_number(make: Callable[[], Any], given: Given, plain: Given) -> None:
    """Losses, weights, answers and states are equal bit for bit, with several batches of which the last is short."""
    (ours, answers), (expected, answered) = (_learn(make(), data) for data in (given, plain))
    for one, other in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.isfinite(one).all()
    np.testing.assert_array_equal(answers, answered)


def _learn(model: Any, given: Given) -> tuple[list[Array], Array]:
    data = dict(given)
    x, y = data.pop("x"), data.pop("y")
    losses = fit(model, x, y, epochs=2, batch_size=4, **data).history["loss"]
    score = model.evaluate(x, y, batch_size=4, **data)
    mask = data.get("mask")
    if "sample_weight" in data:
        return [np.array([*losses, score]), *model.get_weights()], np.zeros(0)
    answers, after = model(x, mask=mask)
    np.testing.assert_array_equal(answers, model.predict(x, mask=mask))
    return [np.array([*losses, score]), *model.get_weights(), after["lstm"].h], np.asarray(answers)


@pytest.mark.slow
def test_steps_that_a_masking_layer_skips_have_no_targets() -> None:
    x = np.where(MASK[..., None], X, 0.0)
    layers = [sw.Masking(0.0, input_shape=(None, 2)), sw.LSTM(3, return_sequences=True), sw.Dense(1)]
    ours, expected = (fit(model_of(*layers), x, put(STEPS, ~MASK, value)).history for value in (NAN, 0))
    assert ours == expected


@pytest.mark.slow
def test_batches_and_validation_data_are_read_the_same_way() -> None:
    given = put(X, SOME == 0, NAN), put(ROWS, SOME == 0, NAN), SOME
    plain = put(X, SOME == 0, 0), put(ROWS, SOME == 0, 0), SOME
    ours, expected = (fit(rows(), [data, data], validation_data=data).history for data in (given, plain))
    assert ours == expected


REFUSED: dict[str, tuple[Callable[[], object], list[str]]] = {
    "x": (lambda: fit(steps(), put(X, ~MASK, NAN), STEPS), ["x has", "mask=np.isfinite(x).all(axis=-1)"]),
    "x-beside-the-mask": (lambda: fit(steps(), put(X, MASK, NAN), STEPS, mask=MASK), ["x has", "NaN"]),
    "x-at-a-step-of-no-weight": (
        lambda: fit(steps(), put(X, EACH == 0, NAN), STEPS, sample_weight=EACH),  # it moves the state all the same
        ["x has", "mask="],
    ),
    "y": (lambda: fit(steps(), X, put(STEPS, ~MASK, NAN)), ["y has", "mask=False", "sample_weight=0"]),
    "y-of-a-row-of-masked-steps": (lambda: fit(rows(), X, put(ROWS, SOME == 0, NAN), mask=MASK), ["y has 2"]),
    "y-that-a-metric-counts": (
        lambda: fit(steps(metrics=["mae"]), X, put(STEPS, EACH == 0, NAN), sample_weight=EACH),
        ["y has", "sample_weight=0 where there are no metrics"],
    ),
    "weight": (lambda: fit(steps(), X, STEPS, sample_weight=put(EACH, MASK, NAN), mask=MASK), ["sample_weight has"]),
    "symbol": (lambda: fit(classes(), put(SYMBOLS, MASK, -1).astype(int), CLASSES, mask=MASK), ["symbols", "got -1"]),
    "class": (lambda: fit(classes(), SYMBOLS, put(CLASSES, MASK, 3).astype(int), mask=MASK), ["classes", "got 3"]),
}


@pytest.mark.parametrize(("action", "words"), REFUSED.values(), ids=REFUSED)
def test_elsewhere_it_is_refused(action: Callable[[], object], words: list[str]) -> None:
    refused(action, DataError, words)


@pytest.mark.slow
def test_masked_targets_count_in_no_metric() -> None:
    ours, expected = (fit(steps(metrics=["mae"]), X, put(STEPS, ~MASK, value), mask=MASK).history for value in (NAN, 0))
    assert ours == expected
