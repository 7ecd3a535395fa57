"""Layers that join values: what they compute, in every way that a network runs, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from networks import random_weights
from statewise.errors import ShapeError
from streamed import ENGINES

Array = np.ndarray[Any, np.dtype[Any]]

EXPECTED: dict[str, Any] = {
    "Concatenate": lambda *parts: np.concatenate(parts, axis=-1),
    "Add": lambda *parts: np.sum(parts, axis=0),
    "Multiply": lambda *parts: np.prod(parts, axis=0),
    "Average": lambda *parts: np.mean(parts, axis=0),
    "Maximum": lambda *parts: np.max(parts, axis=0),
    "Minimum": lambda *parts: np.min(parts, axis=0),
    "Subtract": lambda left, right: left - right,
}
COUNTS = [(kind, count) for kind in EXPECTED for count in ((2,) if kind == "Subtract" else (2, 3))]


def model_of(kind: str, count: int) -> sw.Model:
    """A merge of as many recurrent layers, whose outputs have the name of the layer."""
    x = sw.Input((None, 2))
    parts = [sw.SimpleRNN(3, return_sequences=True, name=f"part{number}")(x) for number in range(count)]
    model = sw.Model(x, getattr(sw, kind)()(parts), seed=3)
    random_weights(model)
    return model


def part(model: sw.Model, number: int, x: Array) -> Array:
    """What one of the layers outputs by itself."""
    alone = sw.Sequential([sw.SimpleRNN(3, return_sequences=True)])
    alone.build((None, None, 2))
    alone.set_weights([np.asarray(weight) for weight in model.params[f"part{number}"].values()])
    return np.asarray(alone.predict(x))


@pytest.mark.parametrize(("kind", "count"), COUNTS)
def test_what_comes_out(kind: str, count: int) -> None:
    model, x = model_of(kind, count), np.random.default_rng(1).normal(size=(2, 4, 2)).astype("float32")
    expected = EXPECTED[kind](*(part(model, number, x) for number in range(count)))
    np.testing.assert_allclose(model.predict(x), expected, atol=1e-6)
    for engine in ENGINES:
        stream = model.stream(engine=engine)
        pushed = [stream.push(step) for step in x[0]]
        np.testing.assert_allclose(pushed, expected[0], atol=1e-5)


def test_rows_without_steps_are_joined() -> None:
    x = sw.Input((3,))
    model = sw.Model(x, sw.Add()([x, sw.Dense(3)(x)]), seed=1)
    rows = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(model(rows)[0], rows + rows @ np.asarray(model.params["dense"]["kernel"]), atol=1e-5)


# ------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize("kind", ["Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract"])
def test_other_shapes(kind: str) -> None:
    x = sw.Input((None, 3))
    refused(
        lambda: getattr(sw, kind)()([x, sw.LSTM(4, return_sequences=True)(x)]),
        ShapeError,
        [kind, "of the same shape", "[B, T, 3]", "[B, T, 4]"],
    )
    refused(lambda: getattr(sw, kind)()([x, sw.LSTM(3)(x)]), ShapeError, [kind, "[B, T, 3]", "[B, 3]"])


def test_too_few_or_too_many() -> None:
    x = sw.Input((None, 3))
    refused(lambda: sw.Add()([x]), ShapeError, ["Add", "two or more", "Add()([a, b])"])
    refused(lambda: sw.Subtract()([x, x, x]), ShapeError, ["Subtract", "two values"])
    refused(lambda: sw.Concatenate()([x, sw.LSTM(3)(x)]), ShapeError, ["Concatenate", "[B, T, 3]", "[B, 3]"])
    refused(lambda: sw.Sequential([sw.Add()]).build((None, None, 3)), ShapeError, ["'add'", "two or more"])
