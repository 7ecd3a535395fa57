"""Layers become a network in their order, under names of their own; what makes it a state machine is in properties."""

from __future__ import annotations

import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import oracle
import statewise as sw
from networks import CASES, LOOKING_AHEAD, Case, random_state, random_weights, random_x
from statewise.errors import ConfigurationError, ShapeError
from statewise.foundation.random import key_of
from statewise.layers.nodes import name_layers
from statewise.network import Network, network_from_config
from tolerances import assert_close, differ

# -------------------------------------------------------------------------------- against the oracle


def test_a_whole_network_equals_the_oracle() -> None:
    """Embedding, two LSTM layers and a softmax by plain loops: the layers are joined in the right order."""
    case = Case(
        "two-deep",
        lambda: [
            sw.Embedding(7, 3),
            sw.LSTM(4, return_sequences=True),
            sw.LSTM(5, return_sequences=True),
            sw.Dense(6, activation="softmax"),
        ],
        symbols=True,
    )
    model = case.model()
    random_weights(model)
    x, start = random_x(case, 2, 3), random_state(model, 2)
    embeddings, k1, u1, b1, k2, u2, b2, w, b = (weight.tolist() for weight in model.get_weights())
    states = {name: [np.asarray(part).tolist() for part in start[name]] for name in start}
    first = oracle.lstm([[embeddings[i] for i in row] for row in x.tolist()], k1, u1, b1, *states["lstm"])
    second = oracle.lstm(first.y, k2, u2, b2, *states["lstm_1"])
    expected = [[oracle.softmax(oracle.dense(h, w, b)) for h in row] for row in second.y]
    y, end = model(x, start)
    assert_close(np.asarray(y), np.array(expected), "y")
    for name, run in (("lstm", first), ("lstm_1", second)):
        assert_close(tuple(end[name]), (np.array(run.h), np.array(run.c)), name)


# --------------------------------------------------------------------------------- names and settings


def test_names_are_counted_by_kind_and_given_ones_are_kept() -> None:
    layers = [sw.LSTM(2), sw.LSTM(2, name="lstm_1"), sw.Dense(1), sw.LSTM(2), sw.LSTM(2, name="memory")]
    assert name_layers(layers) == ("lstm", "lstm_1", "dense", "lstm_2", "memory")


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="two layers are called 'a'; give them different names"):
        name_layers([sw.LSTM(2, name="a"), sw.Dense(1, name="a")])


def test_a_layer_that_does_not_fit_is_named() -> None:
    with pytest.raises(
        ShapeError, match=r"layer 'lstm_1': LSTM expects \[B, T, F\], got \[B, 2\]; .*return_sequences=True"
    ):
        Network.of([sw.LSTM(2), sw.LSTM(2)], (None, 3))


@pytest.mark.parametrize("case", [*CASES, *LOOKING_AHEAD], ids=lambda case: case.name)
def test_a_network_is_remade_from_its_configuration(case: Case) -> None:
    network = case.model().network
    again = network_from_config(json.loads(json.dumps(network.config())))
    assert again.config() == network.config()
    assert again.names == network.names
    assert again.signals == network.signals


@pytest.mark.parametrize(
    ("last", "head"),
    [(sw.Dense(3, activation="softmax"), "softmax"), (sw.Activation("sigmoid"), "sigmoid")],
    ids=["dense", "activation"],
)
def test_without_head_leaves_out_the_last_activation_only(last: Any, head: str) -> None:
    network = Network.of([sw.Dense(3, activation="tanh"), last], (2,))
    params, x = network.init(key_of(0)), jnp.asarray(np.random.default_rng(0).normal(size=(2, 2)), "float32")
    bare, name = network.without_head()
    assert name == head
    logits, _ = bare.apply(params, x, bare.zero_state(2))
    y, _ = network.apply(params, x, network.zero_state(2))
    assert_close({"softmax": jax.nn.softmax, "sigmoid": jax.nn.sigmoid}[head](logits), y, "y")
    assert differ(logits, y)


def test_without_head_leaves_a_network_without_one_alone() -> None:
    network = Network.of([sw.LSTM(2)], (None, 2))
    assert network.without_head() == (network, "linear")
