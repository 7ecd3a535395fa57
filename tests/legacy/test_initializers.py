"""Initializers: all their names, and what they draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from statewise.errors import ConfigurationError, StatewiseError
from statewise.legacy import activations, initializers, regularizers
from statewise.legacy.initializers import BY_NAME, get

Array = np.ndarray[Any, Any]
IN, OUT = 300, 200


def uniform(variance: float) -> tuple[float, float]:
    """Deviation, and the largest size, of a uniform distribution."""
    return variance**0.5, (3 * variance) ** 0.5


def cut_normal(variance: float) -> tuple[float, float]:
    """Deviation, and the largest size, of a normal distribution that is cut at two of its own deviations."""
    return variance**0.5, 2 * variance**0.5 / 0.87962566


SPREADS: dict[str, tuple[float, float]] = {
    "uniform": uniform(0.05**2 / 3),
    "normal": (0.05, np.inf),
    "truncated_normal": (0.05 * 0.87962566, 0.1),
    "variance_scaling": cut_normal(1 / IN),
    "glorot_uniform": uniform(2 / (IN + OUT)),
    "glorot_normal": cut_normal(2 / (IN + OUT)),
    "he_uniform": uniform(2 / IN),
    "he_normal": cut_normal(2 / IN),
    "lecun_uniform": uniform(1 / IN),
    "lecun_normal": cut_normal(1 / IN),
}


@pytest.mark.parametrize("name", SPREADS)
def test_weights_are_spread_as_the_name_says(name: str) -> None:
    initializer = get(name)
    assert initializer is not None
    weights, (deviation, largest) = initializer((IN, OUT)), SPREADS[name]
    assert (weights.shape, weights.dtype.name) == ((IN, OUT), "float32")
    assert weights.std() == pytest.approx(deviation, rel=0.02)
    assert abs(weights.mean()) < 0.02 * deviation
    assert abs(weights).max() <= largest * 1.001
    assert not np.array_equal(initializer((IN, OUT)), weights)


EXACT: dict[str, Array] = {
    "zeros": np.zeros((2, 3)),
    "ones": np.ones((2, 3)),
    "constant": np.zeros((2, 3)),
    "identity": np.eye(2, 3),
}


@pytest.mark.parametrize("name", EXACT)
def test_weights_without_chance(name: str) -> None:
    np.testing.assert_array_equal(get(name)((2, 3)), EXACT[name])  # type: ignore[misc]


def test_orthogonal_columns() -> None:
    weights = initializers.Orthogonal(gain=2.0, seed=1)((8, 5))
    np.testing.assert_allclose(weights.T @ weights, 4 * np.eye(5), atol=1e-5)
    wide = initializers.Orthogonal(seed=1)((5, 8))
    np.testing.assert_allclose(wide @ wide.T, np.eye(5), atol=1e-5)


def test_a_bias_has_as_many_inputs_as_outputs() -> None:
    assert abs(get("he_uniform")((400,))).max() <= (3 * 2 / 400) ** 0.5  # type: ignore[misc]


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_name_is_one_of_the_modules_and_is_described(name: str) -> None:
    made = getattr(initializers, name)()
    assert get(name) == made == get(getattr(initializers, name))
    description = {"class_name": type(made).__name__, "config": made.get_config()}
    assert get(description) == made == type(made).from_config(made.get_config())


@pytest.mark.parametrize(
    "make",
    [
        initializers.RandomNormal,
        initializers.RandomUniform,
        initializers.TruncatedNormal,
        initializers.Orthogonal,
        initializers.VarianceScaling,
        initializers.glorot_uniform,
        initializers.he_normal,
    ],
)
def test_a_seed_repeats_the_weights(make: Callable[..., Any]) -> None:
    np.testing.assert_array_equal(make(seed=5)((4, 3)), make(seed=5)((4, 3)))
    assert not np.array_equal(make(seed=5)((4, 3)), make(seed=6)((4, 3)))


def test_weights_that_were_drawn_can_be_changed() -> None:
    weights = initializers.Ones()((2, 2))
    weights[0] = 3.0
    assert weights.sum() == 8


REGULARIZERS: list[tuple[Any, tuple[float, float]]] = [
    ("l1", (0.01, 0.0)),
    ("l2", (0.0, 0.01)),
    ("l1_l2", (0.01, 0.01)),
    (regularizers.l1(0.2), (0.2, 0.0)),
    (regularizers.l2(l=0.2), (0.0, 0.2)),
    (regularizers.l2(l2=0.2), (0.0, 0.2)),
    (regularizers.l1_l2(l1=0.3, l2=0.2), (0.3, 0.2)),
    (regularizers.l1l2(0.3), (0.3, 0.01)),
    (regularizers.WeightRegularizer(l2=0.2), (0.0, 0.2)),
    (regularizers.L1L2(l2=0.2), (0.0, 0.2)),
    ({"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.0}}, (0.1, 0.0)),
]


@pytest.mark.parametrize(("given", "sizes"), REGULARIZERS)
def test_regularizers(given: Any, sizes: tuple[float, float]) -> None:
    penalty = regularizers.get(given)
    assert penalty is not None
    assert (penalty.l1, penalty.l2) == sizes


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_activations(name: str) -> None:
    x = np.random.default_rng(1).normal(0, 2, (3, 4)).astype(np.float32)
    for function in (getattr(activations, name), activations.get(name)):
        np.testing.assert_allclose(function(x), FUNCTIONS[name](x), rtol=1e-5, atol=1e-6)


MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "initializer": (lambda: get("he_norm"), "unknown initializer 'he_norm': did you mean 'he_normal'"),
    "number": (lambda: get(3), "unknown initializer 3"),
    "vector": (lambda: initializers.Orthogonal()((3,)), r"expected a matrix, got shape \[3\]"),
    "regularizer": (lambda: regularizers.get("l3"), "unknown regularizer 'l3'"),
    "name": (
        lambda: initializers.glorot_unifrom,
        "keras.initializers has no glorot_unifrom; did you mean glorot_uniform",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str) -> None:
    call, message = MISTAKES[name]
    with pytest.raises(StatewiseError, match=message) as caught:
        call()
    assert isinstance(caught.value, ConfigurationError | AttributeError)
