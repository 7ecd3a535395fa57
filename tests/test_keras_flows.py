"""Graphs of several inputs, outputs and time axes that Keras trained: the same logs, predictions and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from golden.keras_flow_cases import BATCH_SIZE, EPOCHS, FLOWS, REPEAT, Flow
from statewise.layers.tensors import Tensor
from tolerances import assert_close

RECORDED = np.load(Path(__file__).parent / "golden" / "keras_flows.npz")


def made(flow: Flow) -> sw.Model:
    inputs = {name: sw.Input((None, *shape[1:]) if len(shape) > 1 else shape) for name, shape in flow.inputs.items()}
    values: dict[str, Tensor] = dict(inputs)
    for use in flow.uses:
        read = [values[name] for name in use.reads if name != "|"]
        layer = (
            sw.RepeatLike(name=use.layer)
            if use.kind == REPEAT
            else getattr(sw, use.kind)(name=use.layer, **use.options)
        )
        if "|" in use.reads:
            found: Any = layer(read[0], initial_state=read[1:])
        else:
            found = layer(read if len(read) > 1 else read[0])
        if use.options.get("return_state"):
            found, *state = found
            values |= {f"{use.name}.{part}": value for part, value in zip("hc", state, strict=False)}
        values[use.name] = found
    outputs: Any = {name: values[name] for name in flow.targets}
    return sw.Model(inputs, outputs)


def recorded(name: str, what: str) -> dict[str, Any]:
    """Returns the arrays recorded under a name, by the rest of their keys."""
    start = f"{name}/{what}/"
    return {key.removeprefix(start): RECORDED[key] for key in RECORDED.files if key.startswith(start)}


def weights_of(name: str, when: str, model: sw.Model) -> list[Any]:
    numbers: dict[str, int] = {}
    arrays, found = [], recorded(name, when)
    for layer, weight in model.network.weight_names:
        place = numbers[layer] = numbers.get(layer, -1) + 1
        arrays.append(found[f"{layer}/{place}"].reshape(model.params[layer][weight].shape))
    assert len(arrays) == len(found)
    return arrays


@pytest.mark.parametrize("name", FLOWS)
def test_training_gives_the_numbers_of_keras(name: str) -> None:
    flow, x, y = FLOWS[name], recorded(name, "x"), recorded(name, "y")
    model = made(flow)
    model.set_weights(weights_of(name, "before", model))
    optimizer = {"adam": sw.Adam, "sgd": sw.SGD, "rmsprop": sw.RMSprop}[flow.optimizer](0.02)
    if len(flow.targets) > 1:
        model.compile(optimizer, dict(flow.loss), dict(flow.metrics), dict(flow.loss_weights))
    else:
        model.compile(optimizer, next(iter(flow.loss.values())))
    logs = model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, shuffle=False, verbose=0).history
    expected = recorded(name, "log")
    assert set(logs) == set(expected)
    assert abs(expected["loss"][-1] - expected["loss"][0]) > 0.05 * expected["loss"][0]  # it learned
    for log, numbers in expected.items():
        np.testing.assert_allclose(logs[log], numbers, rtol=3e-5, err_msg=log)
    for output, array in recorded(name, "prediction").items():
        assert_close(model.predict(x)[output], array, "prediction", tolerance=1e-4)
    for found, weight in zip(model.get_weights(), weights_of(name, "after", model), strict=True):
        np.testing.assert_allclose(found, weight, atol=1e-4)
