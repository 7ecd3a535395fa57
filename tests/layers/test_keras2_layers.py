"""Small networks learn and answer as they do in Keras 2: losses, penalties, weights, and what they predict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from tolerances import assert_close

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "keras2_layers.json").read_text(encoding="utf-8"))


def layer_of(kind: str, options: dict[str, Any]) -> Any:
    return getattr(sw, kind)(**{name: made_of(value) for name, value in options.items()})


def made_of(value: Any) -> Any:
    if isinstance(value, dict):
        return sw.L1L2(**value)
    return layer_of(*value) if isinstance(value, list) and isinstance(value[0], str) else value


@pytest.mark.parametrize("name", GOLDEN["cases"])
def test_training_repeats_keras_2(name: str) -> None:
    keras = GOLDEN["cases"][name]
    model: Any = sw.Sequential([layer_of(*layer) for layer in keras["layers"]])
    x, y, batch_size = np.array(keras["x"]), np.array(keras["y"]), GOLDEN["batch_size"]
    model.build(x.shape)
    model.set_weights([np.array(weight) for weight in keras["before"]])
    model.compile(sw.SGD(learning_rate=GOLDEN["learning_rate"]), "mse", ["mae"])
    history = model.fit(x, y, batch_size=batch_size, epochs=GOLDEN["epochs"], shuffle=False, verbose=0).history
    assert_close(np.array(history["loss"]), np.array(keras["loss"]), "loss", tolerance=1e-5)
    assert_close(np.array(history["mae"]), np.array(keras["mae"]), "mae", tolerance=1e-5)
    assert_close(model.get_weights(), [np.array(weight) for weight in keras["after"]], "weights", tolerance=1e-5)
    assert_close(model.predict(x, batch_size=batch_size), np.array(keras["predict"]), "y", tolerance=1e-5)
    if name == "penalties":
        evaluated = np.array(model.evaluate(x, y, batch_size=batch_size))
        assert_close(evaluated, np.array(keras["evaluate"]), "evaluate", tolerance=1e-5)
