"""What the recipes of the alphabet share: letters as numbers, runs of them, training, and right answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

SOURCE = "https://machinelearningmastery.com/understanding-stateful-lstm-recurrent-neural-networks-python-keras/"

LEFT_OUT = 5
"""How many pairs or windows are left out of a second training and tested afterwards."""


def numbers(letters: str) -> Array:
    """Returns the letters' numbers divided by 26, as the network reads them: A is 0, Z is 25/26."""
    return np.array([ALPHABET.index(letter) for letter in letters], np.float32) / len(ALPHABET)


def one_hot(letters: str) -> Array:
    """Returns a row of 26 for each letter: 1 at its place, 0 elsewhere."""
    return np.eye(len(ALPHABET), dtype=np.float32)[[ALPHABET.index(letter) for letter in letters]]


def letter_of(number: float) -> str:
    """Returns the letter of a number divided by 26."""
    return ALPHABET[round(float(number) * len(ALPHABET))]


def likeliest(probabilities: Array) -> str:
    """Returns the most likely letters of `[N, 26]` probabilities or one-hot rows."""
    return "".join(ALPHABET[index] for index in np.atleast_2d(probabilities).argmax(axis=-1))


def runs(length: int) -> tuple[list[str], str]:
    """Returns all runs of `length` letters, and the letter that follows each."""
    found = [ALPHABET[start : start + length] for start in range(len(ALPHABET) - length)]
    return found, following(found)


def following(asked: Sequence[str]) -> str:
    """Returns for each run of letters the one that follows its last.

    >>> following(["A", "KLM"])
    'BN'
    """
    return "".join(ALPHABET[ALPHABET.index(run[-1]) + 1] for run in asked)


def padded(asked: Sequence[str], steps: int) -> Array:
    """Returns runs of letters as numbers `[N, steps, 1]`, zeros on the left of the shorter ones.

    >>> (padded(["AB", "KLM"], 3) * 26).round().squeeze(-1).tolist()
    [[0.0, 0.0, 1.0], [10.0, 11.0, 12.0]]
    """
    return np.stack([np.pad(numbers(run), (steps - len(run), 0)) for run in asked])[..., None]


def lettered(asked: Sequence[str], steps: int) -> Array:
    """Returns bool `[N, steps]`: where `padded` holds a letter.

    >>> lettered(["AB", "KLM"], 3).tolist()
    [[False, True, True], [True, True, True]]
    """
    return np.stack([np.arange(steps) >= steps - len(run) for run in asked])


def percent(told: str, expected: str) -> float:
    """Returns how many of the answered letters are as expected, in percent.

    >>> percent("BCDD", "BCDE")
    75.0
    """
    return 100.0 * float(np.mean([a == b for a, b in zip(told, expected, strict=True)]))


def percent_right(model: sw.Sequential, x: Array, answers: str, *, mask: Array | None = None) -> float:
    """Returns how many of the rows of `x`, in percent, the model answers correctly, each from a fresh state."""
    return percent(likeliest(model.predict(x, mask=mask)), answers)


def train_one_by_one(
    network: sw.Sequential, x: Array, y: Array, epochs: int, *, mask: Array | None = None
) -> sw.History:
    """Trains the network on shuffled rows, one by one, each from a fresh state; returns the history."""
    network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return network.fit(x, y, mask=mask, epochs=epochs, batch_size=1, verbose=0)


def listen(network: sw.Sequential, letters: str) -> str:
    """Returns the answer to each of the letters, with the state carried from one to the next."""
    told, state = "", None
    for letter in letters:
        y, state = network(numbers(letter).reshape(1, 1, 1), state)
        told += likeliest(y)
    return told


def without(left_out: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Returns `x` and `y` without the rows that are kept for testing."""
    return np.delete(x, left_out, axis=0), np.delete(y, left_out, axis=0)
