"""The published training: networks as TensorFlow started them then, and one window a step."""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array

CLASSES = 112
RECORD = 1000
"""How many steps loss and accuracy are averaged over."""


def network_of_codes(seed: int, *, units: int = 512, layers: int = 1, length: int = 3) -> sw.Sequential:
    """Returns LSTM layers that read numbers, one a step, and a probability for each word, started as then.

    Kernel and recurrent kernel were one matrix, drawn within Glorot's limits.
    """
    stack = [sw.LSTM(units, return_sequences=layers > 1, input_shape=(length, 1))]
    stack += [sw.LSTM(units, return_sequences=layer < layers) for layer in range(2, layers + 1)]
    network = sw.Sequential([*stack, sw.Dense(CLASSES, activation="softmax")], seed=seed)
    rng, weights = np.random.default_rng(seed), network.get_weights()
    for place in range(0, 3 * layers, 3):
        kernel, recurrent = weights[place : place + 2]
        limit = np.sqrt(6 / (len(kernel) + len(recurrent) + kernel.shape[1]))
        weights[place : place + 2] = [rng.uniform(-limit, limit, part.shape) for part in (kernel, recurrent)]
    network.set_weights(_with_drawn_output(weights, rng))
    return network


def network_of_symbols(seed: int, *, units: int = 128, classes: int = CLASSES) -> sw.Sequential:
    """Returns one LSTM layer that reads a learned vector for each symbol; its output is started as that of codes."""
    layers = [sw.Embedding(classes, 32), sw.LSTM(units), sw.Dense(classes, activation="softmax")]
    network = sw.Sequential(layers, seed=seed)
    network.build((None, 3))
    network.set_weights(_with_drawn_output(network.get_weights(), np.random.default_rng(seed)))
    return network


def _with_drawn_output(weights: list[Array], rng: np.random.Generator) -> list[Array]:
    """Returns the weights with those of the output standard normal: the first losses are far above those of a guess."""
    return [*weights[:-2], *(rng.standard_normal(part.shape) for part in weights[-2:])]


def published_order(rng: np.random.Generator, steps: int, windows: int, length: int) -> Array:
    """Returns which window each training step takes: every fourth (of three words), from another start each time.

    >>> published_order(np.random.default_rng(3), 8, 12, 3)
    array([4, 8, 0, 4, 8, 0, 4, 8])
    """
    passes: list[Array] = []
    while sum(map(len, passes)) < steps:
        passes.append(np.arange(rng.integers(length + 2), windows, length + 1))
    return np.concatenate(passes)[:steps]


def compile_as_published(network: sw.Sequential) -> None:
    """Compiles the network with the published loss and optimizer, whose running mean squares start over."""
    network.compile(sw.RMSprop(0.001, epsilon=1e-10), "sparse_categorical_crossentropy", metrics=["accuracy"])


def fit_single_steps(network: sw.Sequential, x: Array, y: Array, order: Array) -> tuple[list[float], list[float]]:
    """Trains on one window after another; returns losses, and accuracies in percent, averaged over 1,000 steps each.

    The averaged values were measured at each step before its update, as published. A second call continues where the
    first ended, unless the network is compiled again.
    """
    losses, accuracies = [], []
    for rows in np.split(order, range(RECORD, len(order), RECORD)):
        history = network.fit(x[rows], y[rows], batch_size=1, shuffle=False, verbose=0).history
        losses += history["loss"]
        accuracies += [100.0 * accuracy for accuracy in history["accuracy"]]
    return losses, accuracies


def train_as_published(
    network: sw.Sequential, x: Array, y: Array, seed: int, steps: int
) -> tuple[list[float], list[float]]:
    """Compiles, trains in the published order, and returns what `fit_single_steps` does."""
    compile_as_published(network)
    order = published_order(np.random.default_rng(seed), steps, len(x), x.shape[1])
    return fit_single_steps(network, x, y, order)
