"""Bidirectional, TimeDistributed and Lambda as Keras trained them: losses, predictions and weights over 10 epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from golden.keras_wrapper_cases import BATCH_SIZE, CASES, EPOCHS
from tolerances import assert_close

RECORDED = np.load(Path(__file__).parent / "golden" / "keras_wrappers.npz")


def weights_of(name: str, when: str, model: sw.Model) -> list[Any]:
    numbers: dict[str, int] = {}
    arrays = []
    for layer, weight in model.network.weight_names:
        place = numbers[layer] = numbers.get(layer, -1) + 1
        arrays.append(RECORDED[f"{name}/{when}/{layer}/{place}"].reshape(model.params[layer][weight].shape))
    return arrays


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:model.save will refuse")
def test_training_gives_the_numbers_of_keras(name: str) -> None:
    case, x, y = CASES[name], RECORDED[f"{name}/x"], RECORDED[f"{name}/y"]
    given = sw.Input(case.input_shape)
    model = sw.Model(given, case.write(sw, given))
    model.set_weights(weights_of(name, "before", model))
    model.compile(sw.Adam(0.02), "mse")
    history = model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, shuffle=False, verbose=0)
    expected = RECORDED[f"{name}/loss"]
    assert abs(expected[-1] - expected[0]) > 0.05 * expected[0]  # it learned
    np.testing.assert_allclose(history.history["loss"], expected, rtol=2e-5)
    assert_close(model.predict(x), RECORDED[f"{name}/prediction"], "prediction", tolerance=1e-4)
    for found, weight in zip(model.get_weights(), weights_of(name, "after", model), strict=True):
        np.testing.assert_allclose(found, weight, atol=1e-4)
