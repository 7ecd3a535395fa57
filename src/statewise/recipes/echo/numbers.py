"""What the echo recipes share: random numbers as one-hot rows, the network, and counting its answers."""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array

NUMBERS = 100
"""0 to 99."""

LENGTH = 25
"""How many numbers a sequence has."""

MISSING = -1
"""Stands for a missing number."""

SOURCE = (
    "https://machinelearningmastery.com/learn-echo-random-integers-long-short-term-memory-recurrent-neural-networks/"
)

NOTE = "7 is read as a row of 100 with 1 at place 7 and 0 elsewhere; the answer is one of 100 classes"


def sequences(random: np.random.Generator, count: int, length: int = LENGTH) -> Array:
    """Returns random numbers `[count, length]`."""
    return random.integers(0, NUMBERS, (count, length))


def one_hot(numbers: Array) -> Array:
    """Returns `[..., 100]` for numbers `[...]`: 1 at the number's place, 0 elsewhere; all -1 where it is missing."""
    rows = np.eye(NUMBERS, dtype=np.float32)[numbers]
    rows[numbers == MISSING] = MISSING
    return rows


def starts(samples: int, steps: int, each: int, batch_size: int) -> Array:
    """Returns `reset` `[samples, steps]` for sequences of `each` samples, one after another.

    True at the first step of each sequence's first batch, so that one call does the work of a call per sequence.
    """
    reset = np.zeros((samples, steps), bool)
    reset[np.arange(samples) % each < batch_size, 0] = True
    return reset


def network(seed: int, units: int = 50, *, each_step: bool = False, masked: bool = False) -> sw.Sequential:
    """Returns LSTM and Dense, compiled with Adam.

    Args:
        seed: of its weights.
        units: of the LSTM.
        each_step: whether it answers at each step or only at the last.
        masked: whether it skips missing steps.
    """
    skip = [sw.Masking(MISSING)] if masked else []
    layers = [*skip, sw.LSTM(units, return_sequences=each_step), sw.Dense(NUMBERS, activation="softmax")]
    model = sw.Sequential(layers, seed=seed)
    model.build((None, None, NUMBERS))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def percent(told: Array, answers: Array) -> float:
    """Returns how many are equal, in percent."""
    return 100.0 * float(np.mean(told == answers))


def likeliest(probabilities: Array) -> Array:
    """Returns the most likely numbers `[...]` of probabilities `[..., 100]`."""
    return np.asarray(probabilities).argmax(axis=-1)


def percent_of_stream(model: sw.Sequential, numbers: Array, lag: int = 1) -> float:
    """Returns how many of numbers `[L]`, pushed one at a time and never reset, come back `lag` steps later."""
    stream = model.stream()
    told = np.array([likeliest(stream.push(step)) for step in one_hot(numbers)])
    return percent(told[lag:], numbers[:-lag])


def in_words(numbers: Array) -> str:
    """Returns numbers with spaces between them, in columns.

    >>> in_words(np.array([7, 81]))
    ' 7 81'
    """
    return " ".join(f"{number:2}" for number in numbers)


def name_of(step: Array) -> str:
    """Returns the number of a one-hot row, or a question mark where it is missing."""
    return "?" if step[0] == MISSING else str(likeliest(step))
