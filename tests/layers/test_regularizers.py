"""Regularisers: what they add to the loss, in what is minimised and in what is reported."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from mistakes import case, refused, table
from networks import random_weights
from statewise.errors import ConfigurationError, StatewiseError
from statewise.foundation.shapes import Array
from statewise.layers import Layer
from statewise.layers.registry import layer_from_config
from statewise.network import Network, network_from_config
from tolerances import assert_close

FIRST, SECOND, THIRD = sw.L1L2(l1=0.1), sw.L1L2(l2=0.2), sw.L1L2(0.3, 0.4)
X: Array = np.random.default_rng(5).normal(size=(5, 3, 2)).astype(np.float32)
Y: Array = np.random.default_rng(6).normal(size=(5, 1)).astype(np.float32)


def cost(penalty: sw.L1L2, weight: Any) -> float:
    return sum(penalty.l1 * abs(w) + penalty.l2 * w * w for w in np.ravel(weight).astype(float).tolist())


def recurrent(kind: Any, **options: Any) -> Any:
    return kind(2, kernel_regularizer=FIRST, recurrent_regularizer=SECOND, bias_regularizer=THIRD, **options)


BOTH = (FIRST, SECOND, THIRD)
LAYERS: dict[str, tuple[Layer, tuple[int, ...], tuple[sw.L1L2, ...]]] = {
    "lstm": (recurrent(sw.LSTM), (3, 2), BOTH),
    "gru": (recurrent(sw.GRU), (3, 2), BOTH),
    "no-bias": (recurrent(sw.SimpleRNN, use_bias=False), (3, 2), BOTH[:2]),
    "dense": (sw.Dense(2, kernel_regularizer=FIRST, bias_regularizer=SECOND), (2,), (FIRST, SECOND)),
    "embedding": (sw.Embedding(4, 2, embeddings_regularizer=THIRD), (3,), (THIRD,)),
    "time-distributed": (sw.TimeDistributed(sw.Dense(2, kernel_regularizer=THIRD)), (3, 2), (THIRD, sw.L1L2())),
    "bidirectional": (sw.Bidirectional(recurrent(sw.LSTM)), (3, 2), BOTH * 2),
}


@pytest.mark.parametrize("name", LAYERS)
def test_each_weight_costs_what_its_own_regulariser_says(name: str) -> None:
    layer, shape, penalties = LAYERS[name]
    network = Network.of([layer], shape)
    model = sw.Sequential([layer])
    model.build((None, *shape))
    random_weights(model)
    expected = sum(cost(penalty, w) for penalty, w in zip(penalties, model.get_weights(), strict=True))
    found = network.penalty(model.params)
    assert found is not None
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert layer_from_config({"kind": type(layer).__name__, **layer.config()}) == layer
    assert network_from_config(network.config()).penalty(model.params) == found


def test_a_network_without_regularisers_pays_nothing() -> None:
    assert Network.of([sw.LSTM(2), sw.Dense(1)], (None, 2)).penalty({}) is None


def learner(**options: Any) -> Any:
    model = sw.Sequential([sw.SimpleRNN(2), sw.Dense(1, **options)], seed=1)
    model.build((None, None, 2))
    random_weights(model)
    model.compile(sw.SGD(learning_rate=0.1), "mse", ["mae"])
    return model


def test_the_loss_reported_is_the_mean_with_the_penalty_and_metrics_are_without() -> None:
    """Over batches of 2, 2 and 1 rows: the short one weighs as much as its rows."""
    plain, priced = learner(), learner(kernel_regularizer=THIRD)
    loss, mae = plain.evaluate(X, Y, batch_size=2)
    price = cost(THIRD, priced.get_weights()[3])
    assert priced.evaluate(X, Y, batch_size=2) == pytest.approx([loss + price, mae], rel=1e-5)


def test_one_update_goes_down_the_loss_with_the_penalty() -> None:
    model = learner(kernel_regularizer=THIRD)
    network, before = model.network, model.params

    def loss(params: Any) -> Any:
        kernel = params["dense"]["kernel"]
        y, _ = network.apply(params, jnp.asarray(X), network.zero_state(5))
        return jnp.mean((y - Y) ** 2) + 0.3 * jnp.abs(kernel).sum() + 0.4 * (kernel**2).sum()

    value, gradient = jax.value_and_grad(loss)(before)
    history = model.fit(X, Y, batch_size=5, verbose=0).history
    assert history["loss"] == pytest.approx([float(value)], rel=1e-5)
    assert_close(model.params, jax.tree.map(lambda w, g: w - 0.1 * g, before, gradient), "weights")


WRONG: Any = 0.01


@table(
    case("number", lambda: sw.Dense(1, kernel_regularizer=WRONG), ConfigurationError, "Dense kernel_", "L1L2", "0.01"),
    case(
        "bias", lambda: sw.GRU(1, bias_regularizer=WRONG), ConfigurationError, "GRU bias_regularizer", "L1L2(l2=0.01)"
    ),
    case("lstm", lambda: sw.LSTM(1, recurrent_regularizer=WRONG), ConfigurationError, "LSTM recurrent_", "None"),
    case(
        "embedding",
        lambda: sw.Embedding(3, 1, embeddings_regularizer=WRONG),
        ConfigurationError,
        "Embedding embeddings_regularizer",
        "got 0.01",
    ),
    case("negative", lambda: sw.L1L2(l2=-0.1), ConfigurationError, "L1L2 l2", ">= 0", "got -0.1"),
    case("infinite", lambda: sw.L1L2(l1=float("inf")), ConfigurationError, "L1L2 l1", "finite", "got inf"),
)
def test_what_is_refused(action: Any, error: type[StatewiseError], words: tuple[str, ...]) -> None:
    refused(action, error, words)
