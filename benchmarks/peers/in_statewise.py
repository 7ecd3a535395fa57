"""The training in statewise."""

from __future__ import annotations

from typing import Any

from benchmarks.harness.claim import Timed
from benchmarks.peers.training import ADAM_EPSILON, LEARNING_RATE, RMSPROP_EPSILON, Training


def train(task: Training, **options: Any) -> Timed:
    """Returns `fit` with so many epochs, silent; `options` are further ones of `fit`. Its result: each epoch's loss."""
    import statewise as sw

    lstms = [
        sw.LSTM(task.units, return_sequences=task.each_step or layer + 1 < task.layers) for layer in range(task.layers)
    ]
    model = sw.Sequential([*lstms, sw.Dense(task.classes, activation="softmax")])
    model.build((None, *task.x.shape[1:]))
    model.set_weights(task.weights())
    optimizers = {
        "adam": sw.Adam(LEARNING_RATE, epsilon=ADAM_EPSILON),
        "rmsprop": sw.RMSprop(LEARNING_RATE, rho=0.9, epsilon=RMSPROP_EPSILON**2),
    }
    model.compile(optimizers[task.optimizer], "sparse_categorical_crossentropy")
    order: dict[str, Any] = {"state": "continue"} if task.carry else {"shuffle": False}

    def work(epochs: int) -> list[float]:
        history = model.fit(task.x, task.y, batch_size=task.batch_size, epochs=epochs, verbose=0, **order, **options)
        return history.history["loss"]

    return Timed(work)
