"""Shared by the recipes that read a text from beginning to end: one row of contiguous steps, with a carried state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.framing import Framing

STEPS = 17
"""Steps of a row, and so how far back gradients reach; the state reaches as far back as the text."""

DRAWN = 4
"""Steps of a row that fit into its picture."""


def picture_of_rows(numbers: Array, read: Callable[[Any], str], note: str) -> Framing:
    """Returns the picture of the first rows of a text, each up to its first few steps."""
    rows = sw.lanes(numbers, batch_size=1, steps=STEPS)
    x, y = rows.x[:, :DRAWN], rows.y[:, :DRAWN]
    cut = f"the first {DRAWN} steps of each row are shown; {note}"
    shown = Framing.of(x, y, read, read, note=cut, rows=3, each_step=True, carried=1)
    return replace(shown, x_shape=rows.x.shape, y_shape=rows.y.shape)


def reader(seed: int, symbols: int, units: int = 128) -> sw.Sequential:
    """Returns a network that gives each symbol a vector, carries its state, and predicts at every step."""
    layers = [
        sw.Embedding(symbols, 32),
        sw.LSTM(units, return_sequences=True),
        sw.Dense(symbols, activation="softmax"),
    ]
    network = sw.Sequential(layers, seed=seed)
    network.build((1, None))
    return network


def read_through(network: sw.Sequential, numbers: Array, epochs: int) -> sw.History:
    """Trains the network to predict each number of a text from all before it, and returns the history."""
    network.compile(sw.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    rows = sw.lanes(numbers, batch_size=1, steps=STEPS)
    return network.fit(rows, epochs=epochs, state="carry", verbose=0)


def predicted(network: sw.Sequential, numbers: Array) -> Array:
    """Returns bool `[N - 1]`: which numbers after the first are the most likely ones after all before them."""
    stream = network.stream()
    return np.array([stream.push(number).argmax() for number in numbers[:-1]]) == numbers[1:]


def told_on(network: sw.Sequential, prompt: Array, count: int) -> list[int]:
    """Returns the numbers that follow the prompt, each the most likely one after all before it, answers included."""
    stream = network.stream()
    for number in prompt:
        answer = stream.push(number)
    told = [int(answer.argmax())]
    while len(told) < count:
        told.append(int(stream.push(told[-1]).argmax()))
    return told
