"""Weights of classes are the weights of the rows and steps whose targets they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import statewise as sw
from statewise.errors import ConfigurationError, StatewiseError

SPARSE, DENSE, BINARY = "sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"
X = np.random.default_rng(3).normal(size=(6, 4, 2)).astype(np.float32)
ROWS = np.array([0, 2, 1, 1, 0, 2])
STEPS = np.random.default_rng(4).integers(0, 3, size=(6, 4))
WEIGHTS = {0: 1.0, 1: 5.0, 2: 0.25}
TABLE = np.array([1.0, 5.0, 0.25], np.float32)
GIVEN = np.array([1.0, 2.0, 0.5, 3.0, 1.0, 4.0], np.float32)


def model_of(loss: str, steps: bool = False, outputs: int = 3) -> Any:
    head: Any = sw.Dense(outputs, activation="sigmoid" if outputs == 1 else "softmax")
    model = sw.Sequential([sw.LSTM(3, return_sequences=steps), head], seed=5)
    model.compile("adam", loss)
    return model


def trained(model: Any, x: object, y: object, **options: Any) -> list[Any]:
    model.fit(x, y, **{"epochs": 2, "batch_size": 4, "verbose": 0} | options)
    return [*model.get_weights(), *model.history.history.values()]


def assert_same(one: list[Any], other: list[Any]) -> None:
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("loss", "y", "weight", "steps", "outputs"),
    [
        (SPARSE, ROWS, TABLE[ROWS], False, 3),
        (SPARSE, STEPS, TABLE[STEPS], True, 3),
        (DENSE, np.eye(3)[ROWS], TABLE[ROWS], False, 3),
        (DENSE, np.eye(3)[STEPS], TABLE[STEPS], True, 3),
        (BINARY, ROWS % 2, TABLE[ROWS % 2], False, 1),
        (BINARY, STEPS[..., None] % 2, TABLE[STEPS % 2], True, 1),
    ],
    ids=["rows", "steps", "one-hot rows", "one-hot steps", "binary rows", "binary steps"],
)
def test_they_are_sample_weights(loss: str, y: Any, weight: Any, steps: bool, outputs: int) -> None:
    classes = {0: 1.0, 1: 5.0} if outputs == 1 else WEIGHTS
    weighed = trained(model_of(loss, steps, outputs), X, y, class_weight=classes)
    assert_same(weighed, trained(model_of(loss, steps, outputs), X, y, sample_weight=weight))


def test_they_are_multiplied_into_those_of_rows() -> None:
    weighed = trained(model_of(SPARSE, True), X, STEPS, class_weight=WEIGHTS, sample_weight=GIVEN)
    assert_same(weighed, trained(model_of(SPARSE, True), X, STEPS, sample_weight=TABLE[STEPS] * GIVEN[:, None]))


@pytest.mark.parametrize("steps", [False, True])
def test_rows_of_different_lengths(steps: bool) -> None:
    lengths = [4, 2, 3, 4, 1, 2]
    x = [row[:length] for row, length in zip(X, lengths, strict=True)]
    y = [row[:length] for row, length in zip(STEPS, lengths, strict=True)] if steps else ROWS
    weight = TABLE[STEPS] if steps else TABLE[ROWS]
    weighed = trained(model_of(SPARSE, steps), x, y, class_weight=WEIGHTS)
    assert_same(weighed, trained(model_of(SPARSE, steps), x, y, sample_weight=weight))
    given = trained(model_of(SPARSE, steps), x, y, class_weight=WEIGHTS, sample_weight=GIVEN)
    spread = GIVEN[:, None] if steps else GIVEN
    assert_same(given, trained(model_of(SPARSE, steps), x, y, sample_weight=weight * spread))


def test_batches_are_weighed_as_they_come() -> None:
    batches = [(X[:4], ROWS[:4]), (X[4:], ROWS[4:])]
    weighed = trained(model_of(SPARSE), batches, None, batch_size=None, class_weight=WEIGHTS)
    same = [(x, y, TABLE[y]) for x, y in batches]
    assert_same(weighed, trained(model_of(SPARSE), same, None, batch_size=None))


def test_what_is_validated_on_is_not_weighed() -> None:
    one, other = model_of(SPARSE), model_of(SPARSE)
    trained(one, X, ROWS, class_weight=WEIGHTS, validation_split=0.5, epochs=1)
    trained(other, X[:3], ROWS[:3], sample_weight=TABLE[ROWS[:3]], epochs=1)
    assert one.history.history["loss"] == other.history.history["loss"]
    assert one.history.history["val_loss"] == [pytest.approx(other.evaluate(X[3:], ROWS[3:]), rel=1e-6)]


def test_a_class_that_only_masked_steps_have_needs_no_weight() -> None:
    y, mask = STEPS.copy(), np.ones(STEPS.shape, bool)
    mask[y == 0] = False
    mask[:, 0], y[:, 0] = True, 1
    weighed = trained(model_of(SPARSE, True), X, y, mask=mask, class_weight={1: 5.0, 2: 0.25})
    assert_same(weighed, trained(model_of(SPARSE, True), X, y, mask=mask, sample_weight=np.where(mask, TABLE[y], 1)))


@pytest.mark.parametrize(
    ("model", "y", "weights", "words"),
    [
        (lambda: model_of(SPARSE), ROWS, {0: 1.0, 1: 5.0}, "none for class 2; write 2: 1.0 to leave it as it is"),
        (lambda: model_of(SPARSE), ROWS, {**WEIGHTS, 3: 1.0}, "class_weight: expected classes 0 .. 2, got 3"),
        (lambda: model_of(SPARSE), ROWS, {"0": 1.0}, "class_weight: expected classes 0 .. 2, got '0'"),
        (lambda: model_of(SPARSE), ROWS, {0: -1.0}, "class_weight of 0: expected a number >= 0, got -1.0"),
        (lambda: model_of(SPARSE), ROWS, {}, "class_weight: expected a dict such as {0: 1.0, 1: 5.0}, got {}"),
        (
            lambda: model_of(SPARSE),
            ROWS,
            "balanced",
            "class_weight: expected a dict such as {0: 1.0, 1: 5.0}, got",
        ),
        (lambda: model_of(BINARY, outputs=1), ROWS % 2 / 2, {0: 1.0, 1: 2.0}, "got shares of several; write sample_w"),
        (
            lambda: model_of("mse"),
            np.eye(3)[ROWS],
            WEIGHTS,
            "expected a loss of classes, such as 'sparse_categ",
        ),
        (
            lambda: model_of(BINARY),
            np.eye(3)[ROWS],
            WEIGHTS,
            "got one of several yes or no answers; write",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::statewise.StatewiseWarning")
def test_what_does_not_fit_is_refused(model: Any, y: Any, weights: Any, words: str) -> None:
    made = model()
    with pytest.raises(StatewiseError) as caught:
        made.fit(X, y, class_weight=weights, verbose=0)
    assert words in str(caught.value)
    assert "class_weight" in str(caught.value)
    assert made.epochs_done == 0
    assert isinstance(caught.value, ConfigurationError) or "shares" in words
