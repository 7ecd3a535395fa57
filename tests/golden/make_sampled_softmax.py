"""Write `sampled_softmax.json`: `tf.nn.sampled_softmax_loss` for given classes, with its gradients.

Run it with TensorFlow 2.21, which the project itself does not need: `python tests/golden/make_sampled_softmax.py`.
TensorFlow's weights are [V, H], so they are transposed on the way out. Some of the classes drawn are right ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf  # type: ignore[import-not-found]

ROWS, UNITS, CLASSES, SAMPLES = 5, 3, 11, 4
RNG = np.random.default_rng(23)


def random(*shape: int) -> Any:
    """Return random float32 numbers."""
    return RNG.normal(size=shape).astype(np.float32)


def golden() -> dict[str, Any]:
    """Return inputs, losses and gradients of their weighted sum as nested lists by name."""
    h, kernel, bias, weight = random(ROWS, UNITS), random(UNITS, CLASSES), random(CLASSES), random(ROWS)
    y = np.array([3, 0, 10, 3, 7])
    drawn = np.array([3, 8, 10, 1])
    expected = RNG.uniform(0.05, 1.0, CLASSES).astype(np.float32)
    inputs = {"h": h, "kernel": kernel, "bias": bias}
    variables = {name: tf.Variable(value) for name, value in inputs.items()}
    with tf.GradientTape() as tape:
        losses = tf.nn.sampled_softmax_loss(
            weights=tf.transpose(variables["kernel"]),
            biases=variables["bias"],
            labels=y[:, None],
            inputs=variables["h"],
            num_sampled=SAMPLES,
            num_classes=CLASSES,
            sampled_values=(tf.constant(drawn), tf.constant(expected[y][:, None]), tf.constant(expected[drawn])),
        )
        total = tf.reduce_sum(losses * weight)
    gradients = dict(zip(variables, tape.gradient(total, list(variables.values())), strict=True))
    arrays = {
        "inputs": inputs | {"y": y, "drawn": drawn, "expected": expected},
        "weight": weight,
        "losses": losses.numpy(),
        "gradients": {name: tf.convert_to_tensor(gradient).numpy() for name, gradient in gradients.items()},
    }
    lists = tf.nest.map_structure(lambda a: a.tolist(), arrays)
    return {"made_by": f"make_sampled_softmax.py, tensorflow {tf.__version__}", **lists}


if __name__ == "__main__":
    path = Path(__file__).with_name("sampled_softmax.json")
    path.write_text(json.dumps(golden(), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}")
