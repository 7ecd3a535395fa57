"""Write `keras2_formulas.json`: losses, metrics, updates and schedules by the formulae of Keras 2.

They are small enough to compute one by one, without a network. Keras 2 is `tf-keras` 2.21 on TensorFlow 2.21, in an
environment of its own:

    keras2-env/bin/python tests/golden/make_keras2_formulas.py

`losses` and `metrics`: values of rows `y`, `p` by name; `updates`: weights after each update of a quadratic bowl with
float32 weights, by optimiser and settings; `schedules`: learning rates after `counts` updates.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tf_keras

FORMULAS = Path(__file__).with_name("keras2_formulas.json")
ROWS, COLUMNS, CLASSES, UPDATES = 4, 3, 7, 15
COUNTS = [0, 1, 3, 4, 10, 1000]

LOSSES = {
    "real": ["mean_absolute_percentage_error", "mean_squared_logarithmic_error", "logcosh", "cosine_similarity"],
    "counts": ["poisson"],
    "signs": ["hinge", "squared_hinge"],
    "binary": ["hinge", "squared_hinge"],
    "onehot": ["categorical_hinge", "kullback_leibler_divergence"],
    "probabilities": ["kullback_leibler_divergence", "categorical_hinge"],
}
METRICS = {
    "real": ["cosine_similarity", "root_mean_squared_error"],
    "onehot": ["top_k_categorical_accuracy"],
    "classes": ["sparse_top_k_categorical_accuracy"],
}
OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("Adagrad", {}),
    ("Adagrad", {"learning_rate": 0.3, "initial_accumulator_value": 0.0, "epsilon": 0.01}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 0.01}),
    ("Adamax", {}),
    ("Adamax", {"learning_rate": 0.1, "beta_1": 0.7, "beta_2": 0.8, "epsilon": 0.3}),
    ("Nadam", {}),
    ("Nadam", {"learning_rate": 0.1, "beta_1": 0.7, "beta_2": 0.8, "epsilon": 0.3}),
    ("Nadam", {"learning_rate": 0.1, "clipnorm": 0.5}),
]
SCHEDULES: list[dict[str, Any]] = [
    {"initial_learning_rate": 0.1, "decay_steps": 1, "decay_rate": 0.01},
    {"initial_learning_rate": 0.2, "decay_steps": 4, "decay_rate": 0.5, "staircase": True},
]


def softmax(z: np.ndarray) -> np.ndarray:
    """Rows that sum to one."""
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def draw(rng: np.random.Generator) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Targets and predictions of each kind; some of both are 0, which is where the formulae differ."""
    real, other = rng.normal(size=(2, ROWS, COLUMNS))
    real[0, 0], other[1, 1], real[2], other[3] = 0, 0, 0, 0
    classes = rng.integers(CLASSES, size=12)
    sure = softmax(3 * rng.normal(size=(12, CLASSES)))
    sure[0, 1:3] = sure[0].max()  # a tie
    sure[1, classes[1]] = 0
    rates = rng.uniform(0, 3, size=(ROWS, COLUMNS))
    rates[0, 0] = 0
    return {
        "real": (real, other),
        "counts": (rng.poisson(2, size=(ROWS, COLUMNS)), rates),
        "signs": (rng.choice([-1, 1], size=(ROWS, COLUMNS)), other),
        "binary": (rng.choice([0, 1], size=(ROWS, COLUMNS)), other),
        "onehot": (np.eye(CLASSES)[classes], sure),
        "probabilities": (softmax(rng.normal(size=(12, CLASSES))), sure),
        "classes": (classes, sure),
    }


def measure(name: str, y: np.ndarray, p: np.ndarray) -> Any:
    """A metric's value for each row, or the one of all where it is no mean of them."""
    if name == "root_mean_squared_error":
        return float(tf_keras.metrics.RootMeanSquaredError()(y, p))
    return np.asarray(tf_keras.metrics.get(name)(y, p)).tolist()


def update(name: str, settings: dict[str, Any], start: dict[str, Any]) -> dict[str, Any]:
    """The weights of the bowl `sum(curvature * (w - bottom) ** 2) / 2` after each update."""
    optimizer = getattr(tf_keras.optimizers, name)(**settings)
    weights = [tf.Variable(w, dtype=tf.float32) for w in start["weights"]]
    path = []
    for _ in range(UPDATES):
        slopes = [a * (w - b) for a, w, b in zip(start["curvature"], weights, start["bottom"], strict=True)]
        optimizer.apply_gradients(zip(slopes, weights, strict=True))
        path.append([w.numpy().tolist() for w in weights])
    return {"optimizer": name, "settings": settings, "path": path}


def bowl(rng: np.random.Generator) -> dict[str, Any]:
    """Two weights, [2, 3] and [4], above a bowl that is steep in some directions and nearly flat in others."""
    shapes = [(2, 3), (4,)]
    return {
        "weights": [rng.normal(size=shape).astype(np.float32) for shape in shapes],
        "bottom": [rng.normal(size=shape).astype(np.float32) for shape in shapes],
        "curvature": [(10 ** rng.uniform(-3, 1, size=shape)).astype(np.float32) for shape in shapes],
    }


def golden() -> dict[str, Any]:
    """All numbers, as JSON holds them."""
    rng = np.random.default_rng(23)
    single = {kind: [np.float32(a) for a in pair] for kind, pair in draw(rng).items()}
    single["classes"][0] = single["classes"][0].astype(np.int32)
    start = bowl(rng)
    losses = [
        {"loss": name, "kind": kind, "values": np.asarray(tf_keras.losses.get(name)(*single[kind])).tolist()}
        for kind, names in LOSSES.items()
        for name in names
    ]
    metrics = [
        {"metric": name, "kind": kind, "values": measure(name, *single[kind])}
        for kind, names in METRICS.items()
        for name in names
    ]
    decay = tf_keras.optimizers.schedules.InverseTimeDecay
    return {
        "tf_keras_version": tf_keras.__version__,
        "data": {kind: [a.tolist() for a in pair] for kind, pair in single.items()},
        "losses": losses,
        "metrics": metrics,
        "start": {name: [a.tolist() for a in arrays] for name, arrays in start.items()},
        "updates": [update(name, settings, start) for name, settings in OPTIMIZERS],
        "counts": COUNTS,
        "schedules": [
            {"settings": settings, "rates": [float(decay(**settings)(count)) for count in COUNTS]}
            for settings in SCHEDULES
        ],
    }


if __name__ == "__main__":
    FORMULAS.write_text(json.dumps(golden()) + "\n")
    print(f"{FORMULAS}: {FORMULAS.stat().st_size / 1024:.0f} KiB")
