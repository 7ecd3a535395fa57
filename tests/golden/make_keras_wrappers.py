"""Train every graph of `keras_wrapper_cases.py` with Keras and write `keras_wrappers.npz`.

Keras lives in an environment of its own, on TensorFlow, as in `make_keras_trajectories.py`:

    keras-env/bin/python tests/golden/make_keras_wrappers.py

Keys are those of `keras_graphs.npz`.
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
from keras_wrapper_cases import BATCH_SIZE, CASES, EPOCHS, ROWS, Case

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


def data(name: str, case: Case) -> tuple[Any, Any]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    x = rng.normal(size=(ROWS, *case.input_shape)).astype("float32")
    if case.masked:
        for row in range(ROWS):
            x[row, [row % x.shape[1], (row + 2) % x.shape[1]]] = -1.0
    return x, rng.normal(size=(ROWS, *case.target_shape)).astype("float32")


def weights_of(name: str, when: str, model: Any) -> dict[str, Any]:
    found = [(layer.name, layer.get_weights()) for layer in model.layers]
    return {f"{name}/{when}/{layer}/{i}": a for layer, weights in found for i, a in enumerate(weights)}


def main() -> None:
    arrays: dict[str, Any] = {"keras_version": np.array(keras.__version__)}
    for name, case in CASES.items():
        given = keras.Input(case.input_shape)
        model = keras.Model(given, case.write(keras.layers, given))
        rng = np.random.default_rng(1 + zlib.crc32(name.encode()))
        for layer in model.layers:
            layer.set_weights([0.5 * rng.normal(size=weight.shape) for weight in layer.get_weights()])
        x, y = data(name, case)
        model.compile(keras.optimizers.Adam(0.02), "mse")
        arrays |= {f"{name}/x": x, f"{name}/y": y, **weights_of(name, "before", model)}
        history = model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, shuffle=False, verbose=0)
        arrays |= weights_of(name, "after", model)
        arrays |= {f"{name}/loss": np.array(history.history["loss"]), f"{name}/prediction": model.predict(x, verbose=0)}
        print(name, history.history["loss"][0], history.history["loss"][-1])
    np.savez_compressed(Path(__file__).with_name("keras_wrappers.npz"), **arrays)


if __name__ == "__main__":
    main()
