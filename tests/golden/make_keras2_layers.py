"""Write `keras2_layers.json`: what a few small networks learn and answer in Keras 2.

Run it with tf-keras 2.21, which the project itself does not need: `python tests/golden/make_keras2_layers.py`.
Each case holds its layers as `[kind, options]`, a layer within a layer likewise, and a regulariser as `{"l1", "l2"}`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras  # type: ignore[import-not-found]

ROWS, STEPS, FEATURES, SYMBOLS, BATCH, EPOCHS, RATE = 5, 4, 2, 6, 2, 3, 0.1
PENALTY = {"l1": 0.02, "l2": 0.03}

CASES: dict[str, list[list[Any]]] = {
    "backwards": [
        ["LSTM", {"units": 3, "go_backwards": True, "return_sequences": True}],
        ["SimpleRNN", {"units": 2}],
    ],
    "encoder-decoder": [
        ["Masking", {"mask_value": 0.0}],
        ["GRU", {"units": 3, "go_backwards": True}],
        ["RepeatVector", {"n": 3}],
        ["SimpleRNN", {"units": 2, "return_sequences": True, "activation": "relu"}],
        ["TimeDistributed", {"layer": ["Dense", {"units": 2}]}],
    ],
    "shapes": [
        ["Permute", {"dims": [2, 1]}],
        ["SimpleRNN", {"units": 3, "return_sequences": True, "use_bias": False}],
        ["Flatten", {}],
        ["Dense", {"units": 6}],
        ["Reshape", {"target_shape": [3, -1]}],
        ["LSTM", {"units": 2}],
    ],
    "penalties": [
        ["Embedding", {"input_dim": SYMBOLS, "output_dim": 2, "embeddings_regularizer": PENALTY}],
        [
            "Bidirectional",
            {
                "layer": [
                    "SimpleRNN",
                    {
                        "units": 2,
                        "kernel_regularizer": {"l1": 0.01, "l2": 0.0},
                        "recurrent_regularizer": {"l1": 0.0, "l2": 0.02},
                        "bias_regularizer": PENALTY,
                    },
                ]
            },
        ],
        ["Dense", {"units": 1, "kernel_regularizer": PENALTY, "bias_regularizer": PENALTY}],
    ],
}


def layer_of(kind: str, options: dict[str, Any]) -> Any:
    made = {name: made_of(value) for name, value in options.items()}
    return getattr(tf_keras.layers, kind)(**made)


def made_of(value: Any) -> Any:
    if isinstance(value, dict):
        return tf_keras.regularizers.L1L2(**value)
    return layer_of(*value) if isinstance(value, list) and isinstance(value[0], str) else value


def golden(layers: list[list[Any]], seed: int) -> dict[str, Any]:
    """Return the data, the weights before, and what comes of three epochs over batches of two, the last one short."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, STEPS, FEATURES))
    x[0, :2] = x[3, 3] = 0.0  # what Masking skips
    if layers[0][0] == "Embedding":
        x = rng.integers(0, SYMBOLS, (ROWS, STEPS))
    model = tf_keras.Sequential([layer_of(*layer) for layer in layers])
    model.build(x.shape)
    weights = [0.5 * rng.normal(size=weight.shape) for weight in model.get_weights()]
    model.set_weights(weights)
    y = rng.normal(size=model.output_shape if model.output_shape[0] else (ROWS, *model.output_shape[1:]))
    model.compile(tf_keras.optimizers.SGD(RATE), "mse", metrics=["mae"])
    history = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0).history
    lists: dict[str, Any] = {"layers": layers, "x": x.tolist(), "y": y.tolist()}
    lists["before"] = [weight.tolist() for weight in weights]
    lists["loss"], lists["mae"] = history["loss"], history["mae"]
    lists["evaluate"] = model.evaluate(x, y, batch_size=BATCH, verbose=0)
    lists["after"] = [weight.tolist() for weight in model.get_weights()]
    lists["predict"] = model.predict(x, verbose=0).tolist()
    return lists


if __name__ == "__main__":
    made = {"made_by": f"make_keras2_layers.py, tf-keras {tf_keras.__version__}"}
    made |= {"batch_size": BATCH, "epochs": EPOCHS, "learning_rate": RATE}  # type: ignore[dict-item]
    cases = {name: golden(layers, seed) for seed, (name, layers) in enumerate(CASES.items())}
    path = Path(__file__).with_name("keras2_layers.json")
    path.write_text(json.dumps({**made, "cases": cases}) + "\n", encoding="utf-8")
    print(f"wrote {path}")
