"""Targets of outputs whose steps are not those of the input: UpSampling1D, pooling, convolutions with strides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import Action, Error, case, refused, table
from networks import random_weights
from statewise.errors import ShapeError

RNG = np.random.default_rng(8)
ROWS, T, CLASSES = 7, 6, 3
X = RNG.normal(size=(ROWS, T, 2)).astype("float32")
MADE: dict[str, tuple[Any, Any]] = {
    "upsampling": (lambda: sw.UpSampling1D(2), lambda steps: 2 * steps),
    "pooling": (lambda: sw.MaxPooling1D(2), lambda steps: steps // 2),
    "padding": (lambda: sw.ZeroPadding1D((1, 2)), lambda steps: steps + 3),
    "strides": (lambda: sw.Conv1D(4, 2, strides=3, padding="causal"), lambda steps: -(-steps // 3)),
    "valid": (lambda: sw.Conv1D(4, 3), lambda steps: steps - 2),
    "backwards": (lambda: sw.GRU(3, return_sequences=True, go_backwards=True), lambda steps: steps),
}
each_kind = pytest.mark.parametrize("name", MADE)


def made(name: str, loss: str = "mse", **options: Any) -> Any:
    classes = loss != "mse"
    last = sw.Dense(CLASSES, activation="softmax") if classes else sw.Dense(1)
    model = sw.Sequential([MADE[name][0](), sw.LSTM(4, return_sequences=True), last], seed=1)
    model.build((None, None, 2))
    random_weights(model)
    model.compile("adam", loss, **options)
    return model


def targets(name: str, steps: int = T, rows: int = ROWS, width: int = 1) -> Any:
    return np.random.default_rng(steps).normal(size=(rows, MADE[name][1](steps), width)).astype("float32")


def squares(model: Any, x: Any, y: Any) -> Any:
    """The squared error of each step, `[N, T']`."""
    return ((np.asarray(model(x)[0]) - y) ** 2)[..., 0]


@each_kind
def test_as_many_targets_as_the_output_has_steps(name: str) -> None:
    model, y = made(name), targets(name)
    assert model.evaluate(X, y) == pytest.approx(squares(model, X, y).mean(), rel=1e-5)
    assert model.evaluate(X, y[..., 0]) == model.evaluate(X, y)
    history = model.fit(X, y, batch_size=3, epochs=20, validation_split=0.3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    longer = RNG.normal(size=(2, T + 3, 2)).astype("float32")  # any number of steps
    y = targets(name, T + 3, 2)
    assert model.evaluate(longer, y) == pytest.approx(squares(model, longer, y).mean(), rel=1e-5)


@each_kind
def test_weights_of_rows_and_of_new_steps(name: str) -> None:
    model, y = made(name), targets(name)
    errors = squares(model, X, y)
    by_step = RNG.random(errors.shape).astype("float32")
    by_row = RNG.random(ROWS).astype("float32")
    for weight, wide in ((by_step, by_step), (by_row, by_row[:, None])):
        found = model.evaluate(X, y, sample_weight=weight)
        assert found == pytest.approx((errors * wide).mean(), rel=1e-4)


@each_kind
def test_weights_of_classes(name: str) -> None:
    model = made(name, "sparse_categorical_crossentropy")
    y = RNG.integers(0, CLASSES, targets(name).shape[:2])
    weight = {0: 1.0, 1: 0.0, 2: 3.0}
    twin = made(name, "sparse_categorical_crossentropy")
    one = model.fit(X, y, class_weight=weight, epochs=2, shuffle=False, verbose=0)
    other = twin.fit(X, y, sample_weight=np.array([1.0, 0, 3.0])[y], epochs=2, shuffle=False, verbose=0)
    assert one.history == other.history


@each_kind
@pytest.mark.parametrize("masked", [False, True])
def test_rows_of_different_lengths_have_targets_of_different_lengths(name: str, masked: bool) -> None:
    model, lengths = made(name), [6, 3, 5, 3]
    rows = [X[row, :steps] for row, steps in enumerate(lengths)]
    y = [targets(name, steps, 1)[0] for steps in lengths]
    alone = [squares(model, row[None], own[None])[0] for row, own in zip(rows, y, strict=True)]
    x: Any = rows
    flags: dict[str, Any] = {}
    if masked:
        x, flags["mask"] = np.full((4, T, 2), np.nan, "float32"), np.arange(T) < np.array(lengths)[:, None]
        x[flags["mask"]] = np.concatenate(rows)
    assert model.evaluate(x, y, **flags) == pytest.approx(np.concatenate(alone).mean(), rel=1e-4)


@each_kind
def test_something_must_count(name: str) -> None:
    model, y = made(name), targets(name)
    mask = np.ones((ROWS, T), bool)
    mask[0] = False
    weight = np.eye(ROWS)[0]
    with pytest.raises(sw.StatewiseError, match="nothing to score"):
        model.evaluate(X, y, mask=mask, sample_weight=weight)
    weight[1] = 1
    assert model.evaluate(X, y, mask=mask, sample_weight=weight) > 0


def test_several_outputs_each_with_its_own_number_of_steps() -> None:
    x = sw.Input((None, 2))
    h = sw.GRU(4, return_sequences=True)(x)
    outputs = {
        "long": sw.Dense(1)(sw.GRU(3, return_sequences=True)(sw.UpSampling1D(3)(h))),
        "short": sw.Dense(1)(sw.GRU(3, return_sequences=True)(sw.MaxPooling1D(2)(h))),
        "same": sw.Dense(1)(h),
    }
    model = sw.Model(x, outputs, seed=3)
    model.compile("adam", "mse")
    y = {
        name: RNG.normal(size=(ROWS, steps, 1)).astype("float32")
        for name, steps in (("long", 18), ("short", 3), ("same", 6))
    }
    answers, _ = model(X)
    expected = sum(((np.asarray(answers[name]) - y[name]) ** 2).mean() for name in y)
    assert model.fit(X, y, batch_size=ROWS, verbose=0).history["loss"][0] == pytest.approx(expected, rel=1e-5)
    refused(lambda: model.fit(X, y | {"long": y["same"]}, verbose=0), ShapeError, ["'long'", "[B, 18, 1]"])


@table(
    case("of the input", lambda: made("upsampling").fit(X, targets("upsampling")[:, :T]), ShapeError, "has 12 steps"),
    case("too few", lambda: made("valid").fit(X[:, :2], X[:, :2, :1]), ShapeError, "at least 3 steps"),
    case(
        "other lengths",
        lambda: made("pooling").evaluate([X[0], X[1, :4]], [np.zeros((3, 1)), np.zeros((1, 1))]),
        ShapeError,
        "as long as those of the output",
    ),
)
def test_mistakes(action: Action, error: Error, words: list[str]) -> None:
    refused(action, error, words)
