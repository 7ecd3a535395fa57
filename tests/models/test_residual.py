"""Skip connections in a stack: the same network as the graph, in files, copies and further layers."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from networks import random_weights
from statewise.errors import ConfigurationError, LifecycleError, ShapeError

X = np.random.default_rng(2).normal(size=(4, 6, 3)).astype("float32")


def stack() -> sw.Sequential:
    inner: list[Any] = [sw.LSTM(5, return_sequences=True), sw.Residual([sw.LayerNormalization(), sw.Dense(5)])]
    model = sw.Sequential([sw.Dense(5), sw.Residual(inner), sw.GRU(3), sw.Dense(2)], seed=4)
    model.build((None, None, 3))
    return model


def test_it_is_the_graph() -> None:
    x = sw.Input((None, 3))
    wide = sw.Dense(5)(x)
    h = sw.LSTM(5, return_sequences=True)(wide)
    h = sw.Add()([h, sw.Dense(5)(sw.LayerNormalization()(h))])
    graph = sw.Model(x, sw.Dense(2)(sw.GRU(3)(sw.Add()([wide, h]))), seed=4)
    assert graph.network == stack().network
    assert (graph(X)[0] == stack()(X)[0]).all()
    called = sw.Model(x, sw.Residual([sw.LSTM(3, return_sequences=True)])(x), seed=1)
    assert called.network.names == ("lstm", "add")


def test_the_first_layers_may_be_inside() -> None:
    model = sw.Sequential([sw.Residual([sw.LSTM(3, return_sequences=True)]), sw.Dense(1)], seed=1)
    model.compile("adam", "mse")
    model.fit(X, X[..., :1], epochs=1, verbose=0)
    weights = model.get_weights()
    lstm = sw.Sequential([sw.LSTM(3, return_sequences=True)])
    lstm.build((None, None, 3))
    lstm.set_weights(weights[:3])
    expected = (X + np.asarray(lstm(X)[0])) @ weights[3] + weights[4]
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-5)


def saved(model: sw.Sequential, folder: Path) -> Any:
    model.save(folder / "model")
    return sw.load(folder / "model")


WAYS: dict[str, Callable[[sw.Sequential, Path], Any]] = {
    "file": saved,
    "pickle": lambda model, _: pickle.loads(pickle.dumps(model)),
    "copy": lambda model, _: copy.deepcopy(model),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_goes_on_elsewhere(way: str, tmp_path: Path) -> None:
    model = stack()
    other = WAYS[way](model, tmp_path)
    assert type(other) is sw.Sequential
    assert (other(X)[0] == model(X)[0]).all()
    other.add(sw.Dense(7))
    assert other.network.output_shape == (7,)
    assert other.network.names == (*model.network.names, "dense_3")
    other.freeze("lstm")
    assert other(X)[0].shape == (4, 7)


def test_before_the_input_is_known_it_can_be_pickled() -> None:
    model = sw.Sequential([sw.Dense(5), sw.Residual([sw.Dense(5)])], seed=1)
    other = pickle.loads(pickle.dumps(model))
    for each in (model, other):
        each.build((None, None, 3))
    assert other.network == model.network


def test_everything_holds() -> None:
    model = stack()
    random_weights(model)
    found = model.verify(X)
    assert found.passed, found


def test_mistakes() -> None:
    refused(lambda: sw.Residual([]), ConfigurationError, ["Residual", "a list of layers"])
    refused(lambda: sw.Residual(sw.LSTM(3)), ConfigurationError, ["Residual", "[LSTM(32)]"])  # type: ignore[arg-type]
    wrong = sw.Sequential([sw.Dense(4), sw.Residual([sw.LSTM(5, return_sequences=True)])])
    refused(lambda: wrong.build((None, None, 3)), ShapeError, ["'add'", "[B, T, 4]", "[B, T, 5]"])
    last = sw.Sequential([sw.Dense(4), sw.Residual([sw.LSTM(4)])])
    refused(lambda: last.build((None, None, 3)), ShapeError, ["'add'", "[B, T, 4]", "[B, 4]"])
    trained = stack()
    trained.set_weights(trained.get_weights())
    refused(lambda: trained.add(sw.Residual([sw.Dense(2)])), LifecycleError, ["before training"])
