"""Windows of five numbers that slide over a sequence, and how a network learns from them, sequence by sequence."""

from __future__ import annotations

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.recipes.echo.numbers import likeliest, one_hot, starts

STEPS = 5
"""How many numbers a sample has."""

SAMPLES = 20
"""How many samples a sequence of 25 gives."""

BATCH = 5
"""How many are read side by side."""


def windows(numbers: Array, lag: int = 1) -> tuple[Array, Array]:
    """Returns the five numbers `[N, 5]` up to each time, and `[N]` those `lag` steps before the last of them.

    As published, the first window of a sequence ends with its sixth number: 20 of them from 25 numbers.

    >>> inputs, answers = windows(np.arange(7)[None])
    >>> inputs.tolist(), answers.tolist()
    ([[1, 2, 3, 4, 5], [2, 3, 4, 5, 6]], [4, 5])
    """
    found = np.lib.stride_tricks.sliding_window_view(numbers, STEPS, axis=1)[:, 1:]
    return found.reshape(-1, STEPS), found[..., -1 - lag].reshape(-1)


def samples(numbers: Array, lag: int = 1) -> tuple[Array, Array]:
    """Returns the windows of sequences `[N, 25]` as the network reads them, `[20 N, 5, 100]`, and the answers."""
    inputs, answers = windows(numbers, lag)
    return one_hot(inputs), answers


def learn(model: sw.Sequential, numbers: Array, lag: int = 1, *, state: str = "carry", batch: int = BATCH) -> None:
    """Trains on the sequences in order, batch by batch, with the state carried within each sequence, or "fresh"."""
    x, y = samples(numbers, lag)
    reset = starts(len(x), STEPS, len(x) // len(numbers), batch)
    model.fit(x, y, batch_size=batch, state=state, reset=reset, shuffle=False, verbose=0)


def told(model: sw.Sequential, numbers: Array, *, state: str = "carry", batch: int = BATCH) -> Array:
    """Returns the model's answers `[20 N]` to the windows of sequences `[N, 25]`, read as in training."""
    x, _ = samples(numbers)
    if state == "fresh":
        return likeliest(model.predict(x))
    reset = starts(len(x), STEPS, len(x) // len(numbers), batch)
    return likeliest(model.predict(x, batch_size=batch, state=model.initial_state(batch), reset=reset))
