"""Graphs that Keras trained: the same losses, predictions and weights over 12 epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from golden.keras_graph_cases import BATCH_SIZE, EPOCHS, GRAPHS, Graph
from statewise.layers.tensors import Tensor
from tolerances import assert_close

RECORDED = np.load(Path(__file__).parent / "golden" / "keras_graphs.npz")


def made(graph: Graph) -> sw.Model:
    x = sw.Input(graph.input_shape)
    values: dict[str, Tensor] = {"x": x}
    layers: dict[str, Any] = {}
    for use in graph.uses:
        if use.layer not in layers:
            options = dict(use.options)
            if "layer" in options:
                kind, inner = options["layer"]
                options["layer"] = getattr(sw, kind)(**inner)
            layers[use.layer] = getattr(sw, use.kind)(name=use.layer, **options)
        read = [values[name] for name in use.reads]
        values[use.name] = layers[use.layer](read if len(read) > 1 else read[0])
    return sw.Model(x, values[graph.uses[-1].name])


def weights_of(name: str, when: str, model: sw.Model) -> list[Any]:
    numbers: dict[str, int] = {}
    arrays = []
    for layer, weight in model.network.weight_names:
        place = numbers[layer] = numbers.get(layer, -1) + 1
        found = RECORDED[f"{name}/{when}/{layer}/{place}"]
        arrays.append(found.reshape(model.params[layer][weight].shape))
    return arrays


@pytest.mark.parametrize("name", GRAPHS)
def test_training_gives_the_numbers_of_keras(name: str) -> None:
    graph, x, y = GRAPHS[name], RECORDED[f"{name}/x"], RECORDED[f"{name}/y"]
    model = made(graph)
    model.set_weights(weights_of(name, "before", model))
    optimizer = {"adam": sw.Adam, "sgd": sw.SGD, "rmsprop": sw.RMSprop}[graph.optimizer](0.02)
    model.compile(optimizer, graph.loss)
    history = model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, shuffle=False, verbose=0)
    expected = RECORDED[f"{name}/loss"]
    assert abs(expected[-1] - expected[0]) > 0.05 * expected[0]  # it learned
    np.testing.assert_allclose(history.history["loss"], expected, rtol=2e-5)
    assert_close(model.predict(x), RECORDED[f"{name}/prediction"], "prediction", tolerance=1e-4)
    for found, weight in zip(model.get_weights(), weights_of(name, "after", model), strict=True):
        np.testing.assert_allclose(found, weight, atol=1e-4)
