"""The training in Keras 3, on JAX or on PyTorch, and in Keras 2 on TensorFlow (tf-keras): `fit`."""

from __future__ import annotations

import importlib
import os
from typing import Any

from benchmarks.harness.claim import Timed, Unable
from benchmarks.peers.training import ADAM_EPSILON, LEARNING_RATE, RMSPROP_EPSILON, Training

DROPS_STATE = "drops the state that stateful=True should carry, so that it computes something else"


def import_keras(backend: str) -> Any:
    """Returns Keras 3 on "jax" or "torch", or for "tensorflow" Keras 2, which is tf-keras."""
    os.environ |= {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2"}
    return importlib.import_module("tf_keras" if backend == "tensorflow" else "keras")


def build(keras: Any, task: Training) -> Any:
    """Returns the compiled model with the task's weights."""
    _, T, F = task.x.shape
    model = keras.Sequential()
    model.add(
        keras.layers.InputLayer(batch_input_shape=(task.batch_size, T, F))
        if _is_keras_2(keras)
        else keras.layers.Input(batch_shape=(task.batch_size, T, F))
    )
    for layer in range(task.layers):
        each = task.each_step or layer + 1 < task.layers
        model.add(keras.layers.LSTM(task.units, return_sequences=each, stateful=task.carry))
    model.add(keras.layers.Dense(task.classes))
    model.set_weights(task.weights())
    optimizers = {
        "adam": keras.optimizers.Adam(LEARNING_RATE, epsilon=ADAM_EPSILON),
        "rmsprop": keras.optimizers.RMSprop(LEARNING_RATE, rho=0.9, epsilon=RMSPROP_EPSILON**2),
    }
    model.compile(
        optimizers[task.optimizer],
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=task.keras_batches_a_call if keras.backend.backend() != "torch" else 1,
    )
    return model


def train(task: Training, backend: str) -> Timed:
    """Returns `fit` with so many epochs, silent. Its result: each epoch's loss."""
    keras = import_keras(backend)
    model = build(keras, task)

    def work(epochs: int) -> list[float]:
        history = model.fit(task.x, task.y, batch_size=task.batch_size, epochs=epochs, shuffle=False, verbose=0)
        losses: list[float] = history.history["loss"]
        return losses

    if task.carry and backend == "torch":
        try:
            work(1)
        except Exception as crash:
            raise Unable(f"crashes with stateful=True: {type(crash).__name__}") from crash
    drops = task.carry and backend == "jax"
    called = f"steps_per_execution={task.keras_batches_a_call}" if task.keras_batches_a_call > 1 else ""
    return Timed(work, note="; ".join(filter(None, (called, DROPS_STATE if drops else ""))), compared=not drops)


def _is_keras_2(keras: Any) -> bool:
    return bool(keras.__name__ == "tf_keras")
