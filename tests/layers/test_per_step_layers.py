"""Layers that treat each step by itself: what they compute, in JAX and in streams, and their noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from networks import random_weights
from statewise.errors import ConfigurationError, ShapeError
from statewise.layers import Layer
from streamed import ENGINES

Array = np.ndarray[Any, np.dtype[Any]]
X = np.random.default_rng(3).normal(size=(3, 5, 4)).astype("float32") * 2


def normalized(x: Array, gamma: Any = 1.0, beta: Any = 0.0, epsilon: float = 1e-3) -> Array:
    found: Array = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon) * gamma + beta
    return found


CASES: dict[str, tuple[Callable[[], Layer], Callable[..., Array]]] = {
    "normalization": (sw.LayerNormalization, normalized),
    "normalization-bare": (
        lambda: sw.LayerNormalization(epsilon=0.1, center=False, scale=False),
        lambda x: normalized(x, epsilon=0.1),
    ),
    "normalization-centered": (lambda: sw.LayerNormalization(scale=False), lambda x, beta: normalized(x, 1.0, beta)),
    "leaky": (sw.LeakyReLU, lambda x: np.where(x > 0, x, 0.3 * x)),
    "leaky-steep": (lambda: sw.LeakyReLU(1.5), lambda x: np.where(x > 0, x, 1.5 * x)),
    "elu": (lambda: sw.ELU(0.7), lambda x: np.where(x > 0, x, 0.7 * (np.exp(x) - 1))),
    "prelu": (sw.PReLU, lambda x, alpha: np.where(x > 0, x, alpha * x)),
    "spatial-dropout": (lambda: sw.SpatialDropout1D(0.5), lambda x: x),
    "noise": (lambda: sw.GaussianNoise(0.5), lambda x: x),
}


@pytest.mark.parametrize("name", CASES)
def test_what_comes_out(name: str) -> None:
    layer, expected = CASES[name]
    model = sw.Sequential([layer()])
    model.build((None, None, 4))
    random_weights(model)
    answer = expected(X.astype("float64"), *(weight.astype("float64") for weight in model.get_weights()))
    np.testing.assert_allclose(model(X)[0], answer, atol=2e-6)
    for engine in ENGINES:
        stream = model.stream(engine=engine)
        np.testing.assert_allclose([stream.push(step) for step in X[0]], answer[0], atol=5e-6)
        pushed = model.streams(engine=engine).push_rows(range(3), X[:, 1])
        np.testing.assert_allclose(pushed, answer[:, 1], atol=5e-6)


@pytest.mark.parametrize("name", CASES)
def test_everything_holds_for_a_network_with_it(name: str) -> None:
    model = sw.Sequential([sw.LSTM(4, return_sequences=True), CASES[name][0](), sw.GRU(3), sw.Dense(1)])
    model.build((None, None, 4))
    random_weights(model)
    found = model.verify(X)
    assert found.passed, found


@pytest.mark.parametrize("name", ["normalization", "prelu", "elu", "leaky"])
def test_gradients(name: str) -> None:
    model = sw.Sequential([CASES[name][0]()])
    model.build((None, None, 4))
    random_weights(model)

    def loss(params: Any) -> Any:
        return (model.apply(params, X)[0] ** 3).sum()

    gradient = jax.grad(loss)(model.params)
    for layer, weights in model.params.items():
        for weight, array in weights.items():
            step = np.zeros(array.shape, "float32")
            step[1] = 1e-2
            after, before = (loss({layer: weights | {weight: array + sign * step}}) for sign in (1, -1))
            np.testing.assert_allclose(gradient[layer][weight][1], (after - before) / 2e-2, rtol=2e-2)


def drawn(layer: Layer, seed: int) -> Array:
    model = sw.Sequential([layer])
    model.build((None, None, 50))
    y, _ = model.apply(model.params, np.ones((40, 6, 50), "float32"), rng=jax.random.key(seed))
    return np.asarray(y)


def test_spatial_dropout_drops_a_feature_at_all_steps_of_a_row() -> None:
    y = drawn(sw.SpatialDropout1D(0.25), 1)
    assert (y == y[:, :1]).all()
    assert set(np.unique(y.round(4))) == {0.0, np.float32(1.3333)}
    assert abs((y[:, 0] == 0).mean() - 0.25) < 0.05
    assert (drawn(sw.SpatialDropout1D(0.25), 2) != y).any()


def test_noise_has_its_standard_deviation() -> None:
    y = drawn(sw.GaussianNoise(0.5), 1) - 1
    assert abs(y.std() - 0.5) < 0.01
    assert abs(y.mean()) < 0.01


def test_mistakes() -> None:
    refused(lambda: sw.LayerNormalization(epsilon=0), ConfigurationError, ["epsilon", "> 0"])
    refused(lambda: sw.LeakyReLU(-1), ConfigurationError, ["negative_slope", ">= 0"])
    refused(lambda: sw.ELU(float("nan")), ConfigurationError, ["alpha", ">= 0"])
    refused(lambda: sw.GaussianNoise(-0.1), ConfigurationError, ["stddev", ">= 0"])
    refused(lambda: sw.SpatialDropout1D(1.0), ConfigurationError, ["rate"])
    refused(lambda: sw.SpatialDropout1D(0.1)(sw.Input((3,))), ShapeError, ["[B, T, F]", "[B, 3]"])
