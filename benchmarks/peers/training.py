"""What is trained: data, initial weights and settings, which each framework's file turns into its own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

LEARNING_RATE = 0.001

ADAM_EPSILON = 1e-9
"""Keras and statewise add it to the root before Adam's correction, PyTorch after it: so small it counts for nothing."""

RMSPROP_EPSILON = 1e-7
"""PyTorch adds it to the root; Keras and statewise add its square to what is under the root."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """LSTM layers of `units` and a dense layer on them, trained on cross-entropy, in the order of the rows.

    Attributes:
        x: float32 `[N, T, F]`.
        y: classes, `[N]` of the last step or `[N, T]` of every step.
        units: H of each LSTM layer.
        classes: V.
        layers: how many LSTM layers.
        batch_size: B, which divides N: an update each.
        optimizer: "adam" or "rmsprop".
        carry: whether the state goes on from batch to batch and from epoch to epoch.
        keras_batches_a_call: Keras's steps_per_execution; above 1 where that is quicker.
        epochs_a_call: how many epochs the program written by hand in JAX runs in one call.
    """

    x: Array
    y: Array
    units: int
    classes: int
    layers: int = 1
    batch_size: int = 32
    optimizer: str = "adam"
    carry: bool = False
    keras_batches_a_call: int = 1
    epochs_a_call: int = 1

    @property
    def each_step(self) -> bool:
        """Whether every step's output is scored."""
        return self.y.ndim == 2

    @property
    def batches(self) -> int:
        """How many updates an epoch makes."""
        return len(self.x) // self.batch_size

    def weights(self) -> list[Array]:
        """Returns initial weights: those of `lstm_weights` for these sizes."""
        return lstm_weights(self.x.shape[-1], self.units, self.classes, self.layers)


def lstm_weights(F: int, H: int, V: int, layers: int = 1) -> list[Array]:
    """Returns `[F, 4H], [H, 4H], [4H]` for each LSTM layer, gates in the order i, f, g, o, then `[H, V], [V]`."""
    rng = np.random.default_rng(0)
    shapes: list[tuple[int, ...]] = []
    for layer in range(layers):
        shapes += [(H if layer else F, 4 * H), (H, 4 * H), (4 * H,)]
    shapes += [(H, V), (V,)]
    return [rng.uniform(-1, 1, shape).astype("float32") / np.float32(np.sqrt(H)) for shape in shapes]


def one_hot_sequences(N: int, T: int, F: int) -> tuple[Array, Array]:
    """Returns `x [N, T, F]` one-hot and `y [N, T]`: random symbols, and each one's predecessor as its class."""
    symbols = np.random.default_rng(1).integers(F, size=(N, T))
    return np.eye(F, dtype="float32")[symbols], np.roll(symbols, 1, axis=1)
