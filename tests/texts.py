"""Networks that read symbols, with random weights, and what they predict step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import statewise as sw
from networks import random_weights

SYMBOLS = 11
WINDOW = 5
Array = np.ndarray[Any, np.dtype[Any]]


def reader(window: bool = False) -> sw.Sequential:
    """Returns a network whose random weights make its likeliest continuation wander among many symbols."""
    model = sw.Sequential(
        [
            sw.Embedding(SYMBOLS, 4, input_shape=(None,)),
            sw.LSTM(8, return_sequences=not window),
            sw.Dense(SYMBOLS, activation="softmax"),
        ],
        seed=1,
    )
    random_weights(model, seed=2, scale=1.0, bias_scale=0.2)
    return model


def symbols(count: int, seed: int = 0) -> Array:
    """Returns random symbols, int32 `[count]`."""
    return np.random.default_rng(seed).integers(0, SYMBOLS, count).astype(np.int32)


def probabilities(model: sw.Sequential, ids: Array, mask: Array) -> Array:
    """Returns what the network predicts after each of `ids [N]`, `[N, V]`, in one long pass."""
    room = 2048 - len(ids)  # one length for all, compiled once
    y, _ = model(np.pad(ids, (0, room))[None], mask=np.pad(mask, (0, room))[None])
    return np.asarray(y[0, : len(ids)], np.float64)


def windowed_probabilities(model: sw.Sequential, ids: Array) -> Array:
    """Returns what the network predicts after each window of `ids`, `[N - WINDOW + 1, V]`."""
    parts = [ids[first : first + WINDOW] for first in range(len(ids) - WINDOW + 1)]
    return np.asarray(model(np.stack(parts))[0], np.float64)


def step_by_step(
    model: sw.Sequential, prompt: Array, length: int, choose: Callable[[jax.Array, int], Any]
) -> list[int]:
    """Returns a continuation, one call of the model a symbol, the state passed by hand.

    `choose` takes the log-probabilities `[V]` and how many symbols there are already.
    """
    y, state = model(prompt[None])
    answer, found = y[0, -1], []
    for index in range(length):
        found.append(int(choose(jax.numpy.log(answer), index)))
        y, state = model(np.array([[found[-1]]]), state)
        answer = y[0, -1]
    return found


def greedy_by_window(model: sw.Sequential, prompt: Array, length: int) -> list[int]:
    """Returns the likeliest continuation of a network that reads windows."""
    seen = prompt.tolist()
    for _ in range(length):
        y, _ = model(np.array([seen[-WINDOW:]]))
        seen.append(int(np.argmax(y[0])))
    return seen[len(prompt) :]


def keys(count: int, seed: int = 0) -> jax.Array:
    """Returns `count` random keys."""
    return jax.random.split(jax.random.key(seed), count)
