"""Train every graph of `keras_flow_cases.py` with Keras and write `keras_flows.npz`.

Keras lives in an environment of its own, on TensorFlow, as in `make_keras_graphs.py`:

    PYTHONPATH=tests keras-env/bin/python tests/golden/make_keras_flows.py

Keys, for each graph: `{graph}/x/{input}`, `/y/{output}`, `/before/{layer}/{i}` and `/after/{layer}/{i}` (weights in the
order of the layer's `get_weights`), `/log/{name}` ([EPOCHS]; the names of Keras's history), `/prediction/{output}`.
`keras_version` stands alone.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

from golden.keras_flow_cases import BATCH_SIZE, EPOCHS, FLOWS, REPEAT, ROWS, SYMBOLS, Flow

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


def data(name: str, flow: Flow) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    x = {given: rng.normal(size=(ROWS, *shape)).astype("float32") for given, shape in flow.inputs.items()}
    y: dict[str, Any] = {}
    for output, shape in flow.targets.items():
        if output in flow.classes:
            y[output] = rng.integers(0, SYMBOLS, (ROWS, *shape)).astype("int32")
        elif flow.loss[output] == "binary_crossentropy":
            y[output] = rng.integers(0, 2, (ROWS, *shape)).astype("float32")
        else:
            y[output] = rng.normal(size=(ROWS, *shape)).astype("float32")
    return x, y


def made(flow: Flow) -> tuple[Any, dict[str, Any]]:
    inputs = {name: keras.Input(shape, name=name) for name, shape in flow.inputs.items()}
    values: dict[str, Any] = dict(inputs)
    layers: dict[str, Any] = {}
    for use in flow.uses:
        read = [values[name] for name in use.reads if name != "|"]
        if use.kind == REPEAT:
            values[use.name] = keras.layers.RepeatVector(read[1].shape[1])(read[0])
            continue
        layer = layers[use.layer] = getattr(keras.layers, use.kind)(name=use.layer, **use.options)
        if "|" in use.reads:
            first, *start = read
            found = layer(first, initial_state=start if len(start) > 1 else start[0])
        else:
            found = layer(read if len(read) > 1 else read[0])
        if use.options.get("return_state"):
            found, *state = found
            values |= {f"{use.name}.{part}": value for part, value in zip("hc", state, strict=False)}
        values[use.name] = found
    return keras.Model(inputs, {name: values[name] for name in flow.targets}), layers


def main() -> None:
    arrays: dict[str, Any] = {"keras_version": np.array(keras.__version__)}
    for name, flow in FLOWS.items():
        model, layers = made(flow)
        rng = np.random.default_rng(1 + zlib.crc32(name.encode()))
        for layer in layers.values():
            layer.set_weights([0.5 * rng.normal(size=weight.shape) for weight in layer.get_weights()])
        x, y = data(name, flow)
        optimizers = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD, "rmsprop": keras.optimizers.RMSprop}
        weights = dict(flow.loss_weights) or None
        model.compile(
            optimizers[flow.optimizer](0.02), dict(flow.loss), loss_weights=weights, metrics=dict(flow.metrics) or None
        )
        arrays |= {f"{name}/x/{given}": array for given, array in x.items()}
        arrays |= {f"{name}/y/{output}": array for output, array in y.items()}
        arrays |= {f"{name}/before/{n}/{i}": w for n, la in layers.items() for i, w in enumerate(la.get_weights())}
        history = model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, shuffle=False, verbose=0).history
        arrays |= {f"{name}/after/{n}/{i}": w for n, la in layers.items() for i, w in enumerate(la.get_weights())}
        arrays |= {f"{name}/log/{log}": np.array(numbers) for log, numbers in history.items()}
        prediction = model.predict(x, verbose=0)
        arrays |= {f"{name}/prediction/{output}": array for output, array in prediction.items()}
        print(name, sorted(history), history["loss"][0], history["loss"][-1])
    np.savez_compressed(Path(__file__).with_name("keras_flows.npz"), **arrays)


if __name__ == "__main__":
    main()
