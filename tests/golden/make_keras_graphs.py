"""Train every graph of `keras_graph_cases.py` with Keras and write `keras_graphs.npz`.

Keras lives in an environment of its own, on TensorFlow, as in `make_keras_trajectories.py`:

    keras-env/bin/python tests/golden/make_keras_graphs.py

Keys, for each graph: `{graph}/x`, `/y`, `/before/{layer}/{i}` and `/after/{layer}/{i}` (weights in the order of the
layer's `get_weights`), `/loss` ([EPOCHS]) and `/prediction`. `keras_version` stands alone.
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
from keras_graph_cases import BATCH_SIZE, EPOCHS, GRAPHS, ROWS, Graph

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


def data(name: str, graph: Graph) -> tuple[Any, Any]:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    shape = (ROWS, *graph.input_shape)
    x = rng.normal(size=shape).astype("float32")
    if graph.symbols:
        batches = (rng.permutation(graph.symbols)[: BATCH_SIZE * shape[1]] for _ in range(ROWS // BATCH_SIZE))
        x = np.concatenate(list(batches)).reshape(shape)
    if any(use.kind == "Masking" for use in graph.uses):
        for row in range(ROWS):  # as many in each batch, since Keras averages the losses of batches, not of steps
            x[row, [row % shape[1], (row + 2) % shape[1]]] = -1.0
    target = (ROWS, *graph.target_shape)
    return x, rng.integers(0, graph.classes, target) if graph.classes else rng.normal(size=target).astype("float32")


def made(graph: Graph) -> tuple[Any, dict[str, Any]]:
    x = keras.Input(graph.input_shape, dtype="int32" if graph.symbols else "float32")
    values, layers = {"x": x}, {}
    for use in graph.uses:
        if use.layer not in layers:
            options = dict(use.options)
            if "layer" in options:
                kind, inner = options["layer"]
                options["layer"] = getattr(keras.layers, kind)(**inner)
            if use.kind == "PReLU":
                options["shared_axes"] = [1]  # all steps share it here
            layers[use.layer] = getattr(keras.layers, use.kind)(name=use.layer, **options)
        read = [values[name] for name in use.reads]
        values[use.name] = layers[use.layer](read if len(read) > 1 else read[0])
    return keras.Model(x, values[graph.uses[-1].name]), layers


def main() -> None:
    arrays: dict[str, Any] = {"keras_version": np.array(keras.__version__)}
    for name, graph in GRAPHS.items():
        model, layers = made(graph)
        rng = np.random.default_rng(1 + zlib.crc32(name.encode()))
        for layer in layers.values():
            layer.set_weights([0.5 * rng.normal(size=weight.shape) for weight in layer.get_weights()])
        x, y = data(name, graph)
        optimizers = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD, "rmsprop": keras.optimizers.RMSprop}
        model.compile(optimizers[graph.optimizer](0.02), graph.loss)
        arrays |= {f"{name}/x": x, f"{name}/y": y}
        arrays |= {f"{name}/before/{n}/{i}": w for n, la in layers.items() for i, w in enumerate(la.get_weights())}
        history = model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, shuffle=False, verbose=0)
        arrays |= {f"{name}/after/{n}/{i}": w for n, la in layers.items() for i, w in enumerate(la.get_weights())}
        arrays |= {f"{name}/loss": np.array(history.history["loss"]), f"{name}/prediction": model.predict(x, verbose=0)}
        print(name, history.history["loss"][0], history.history["loss"][-1])
    np.savez_compressed(Path(__file__).with_name("keras_graphs.npz"), **arrays)


if __name__ == "__main__":
    main()
