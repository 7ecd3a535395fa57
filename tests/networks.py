"""The table of networks that the properties are tested on, and random weights, states and inputs for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

import statewise as sw
from statewise.layers import Layer

SYMBOLS, FEATURES = 7, 3
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Case:
    """A network: how to make its layers, whether it answers at every step, whether it reads symbols."""

    name: str
    layers: Callable[[], Sequence[Layer]]
    every_step: bool = True
    symbols: bool = False

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        return (None,) if self.symbols else (None, FEATURES)


CASES = [
    Case("lstm", lambda: [sw.LSTM(5, return_sequences=True)]),
    Case("lstm-last", lambda: [sw.LSTM(4), sw.Dense(2)], every_step=False),
    Case("stacked", lambda: [sw.LSTM(4, return_sequences=True), sw.LSTM(3, return_sequences=True)]),
    Case(
        "embedding",
        lambda: [
            sw.Embedding(SYMBOLS, 3),
            sw.LSTM(4, return_sequences=True),
            sw.Dense(SYMBOLS, activation="softmax"),
        ],
        symbols=True,
    ),
    Case("no-bias", lambda: [sw.LSTM(4, return_sequences=True, use_bias=False), sw.Dense(2, use_bias=False)]),
    Case(
        "relu",
        lambda: [sw.LSTM(4, return_sequences=True, activation="relu", recurrent_activation="hard_sigmoid")],
    ),
    Case(
        "dropout",
        lambda: [
            sw.Dropout(0.5),
            sw.LSTM(4, return_sequences=True),
            sw.Dropout(0.5, noise_shape=(None, 1, None)),
            sw.Dense(2),
        ],
    ),
    Case(
        "dense-in-front",
        lambda: [sw.Dense(4, activation="tanh"), sw.LSTM(4, return_sequences=True), sw.Activation("sigmoid")],
    ),
]


@contextmanager
def quick_compilation() -> Iterator[None]:
    """Compiles without most optimisations: half the time, for tests of what does not depend on them."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)


def random_weights(model: sw.Sequential, seed: int = 1, scale: float = 0.7, bias_scale: float = 0.7) -> None:
    """Gives a model random weights, biases included: fresh ones have zeros and ones, which hide swapped gates."""
    rng = np.random.default_rng(seed)
    scales = [bias_scale if weight.ndim == 1 else scale for weight in model.get_weights()]
    shapes = [weight.shape for weight in model.get_weights()]
    model.set_weights([factor * rng.normal(size=shape) for factor, shape in zip(scales, shapes, strict=True)])


def random_state(model: sw.Sequential, batch: int, seed: int = 2) -> sw.State:
    """Returns a state of different, non-zero h and c."""
    rng = np.random.default_rng(seed)
    state: sw.State = jax.tree.map(
        lambda part: jax.numpy.asarray(0.8 * rng.normal(size=part.shape), "float32"), model.zero_state(batch)
    )
    return state


def random_x(case: Case, batch: int, steps: int, seed: int = 3) -> Array:
    """Returns random input `[B, T, F]`, or symbols `[B, T]`."""
    rng = np.random.default_rng(seed)
    if case.symbols:
        return rng.integers(0, SYMBOLS, (batch, steps)).astype(np.int32)
    return rng.normal(size=(batch, steps, FEATURES)).astype(np.float32)


def rows(state: sw.State, index: Any) -> sw.State:
    """Returns the state of some rows."""
    chosen: sw.State = jax.tree.map(lambda part: part[index], state)
    return chosen


def copied(tree: Any) -> Any:
    """Returns a copy in NumPy, to be compared with later."""
    return jax.tree.map(np.array, tree)
