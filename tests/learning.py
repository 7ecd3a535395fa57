"""Something small to train, the data for it, and the same training by hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import statewise as sw
from networks import copied
from statewise.network import Network
from statewise.training import dispatch, epochs

ROWS, STEPS, BATCH = 10, 4, 4  # two whole batches and a short one
CLASSES = 3
Array = np.ndarray[Any, np.dtype[Any]]

_RNG = np.random.default_rng(20)
X: Array = _RNG.normal(size=(ROWS, STEPS, 2)).astype(np.float32)
Y: Array = _RNG.integers(0, CLASSES, (ROWS, STEPS))
MASK: Array = _RNG.random((ROWS, STEPS)) < 0.7
WEIGHT: Array = _RNG.uniform(0.5, 2.0, (ROWS, STEPS)).astype(np.float32) * (_RNG.random((ROWS, STEPS)) < 0.7)

RATE = 0.5
"""The learning rate of `plain` models: large, so that a wrong gradient shows."""


def tagger(seed: int = 3, dropout: float = 0.3, optimizer: Any = None) -> sw.Sequential:
    """Returns a compiled model that answers a class at every step, by default with all that is random or has memory."""
    layers = [
        sw.LSTM(4, return_sequences=True, input_shape=(None, 2)),
        *([sw.Dropout(dropout)] if dropout else []),
        sw.Dense(CLASSES, activation="softmax"),
    ]
    model = sw.Sequential(layers, seed=seed)
    schedule = sw.ExponentialDecay(0.02, decay_steps=10, decay_rate=0.9)
    model.compile(optimizer or sw.Adam(learning_rate=schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def plain(seed: int = 3) -> sw.Sequential:
    """Returns a model without dropout, trained by gradient descent and nothing else."""
    return tagger(seed, dropout=0.0, optimizer=sw.SGD(learning_rate=RATE))


def fit(model: sw.Sequential, **options: Any) -> sw.History:
    """Trains on the data above, silently."""
    return model.fit(X, Y, **{"batch_size": BATCH, "epochs": 5, "verbose": 0} | options)


def parts_of(model: sw.Sequential) -> dict[str, Any]:
    """Returns all that training changes."""
    return {
        "weights": model.get_weights(),
        "optimizer": copied(model.train_state.optimizer),
        "state": None if model.state is None else copied(model.state),
        "epochs": np.array(model.epochs_done),
    }


def logs_of(history: sw.History) -> dict[str, Array]:
    """Returns the history as arrays, float32 as the numbers that it was summed from."""
    return {name: np.array(values, np.float32) for name, values in history.history.items()}


class Dispatches:
    """Watches how training is cut into dispatches, and makes them as short or as long as they can be."""

    def __init__(self, monkeypatch: Any) -> None:
        self.segments: list[tuple[int, int]] = []  # epochs and steps of each
        self._monkeypatch = monkeypatch
        dispatch = epochs.Training._dispatch

        def watched(this: epochs.Training, run: Any, first_epoch: int, epochs: int, start: int, stop: int) -> Any:
            if stop > start:
                self.segments.append((epochs, stop - start))
            return dispatch(this, run, first_epoch, epochs, start, stop)

        monkeypatch.setattr(epochs.Training, "_dispatch", watched)

    def shortest(self) -> None:
        """One step each from now on."""
        self._monkeypatch.setattr(dispatch, "DISPATCH_SECONDS", 1e-12)
        self.segments.clear()

    def longest(self) -> None:
        """As many epochs each as there are, from now on; the first few are needed to learn the pace."""
        self._monkeypatch.setattr(dispatch, "DISPATCH_SECONDS", 1e6)
        self.segments.clear()


# -------------------------------------------------------------------------------------------- by hand


@dataclass
class ByHand:
    """What training by hand leaves: weights, states, and loss and accuracy of each epoch."""

    params: Any
    states: Any
    logs: dict[str, Array]


def train_by_hand(
    model: sw.Sequential,
    learning_rate: float,
    epochs: int,
    *,
    carry: bool = False,
    fresh_each_epoch: bool = True,
    mask: Array | None = None,
    weight: Array | None = None,
    batch_size: int = BATCH,
) -> ByHand:
    """Returns plain gradient descent on the data above, batch after batch, nothing padded, no compiled epochs."""
    masks = np.ones((ROWS, STEPS), bool) if mask is None else mask
    weights = np.ones((ROWS, STEPS), np.float32) if weight is None else weight
    network, gradient_of = model.network, _gradient_of(model.network)
    params, states = model.params, network.zero_state(batch_size)
    epoch_sums = []
    for epoch in range(epochs):
        total = np.zeros(3)
        if fresh_each_epoch or epoch == 0:
            states = network.zero_state(batch_size)
        for first in range(0, ROWS, batch_size):
            rows = slice(first, min(first + batch_size, ROWS))
            size = rows.stop - first
            start = jax.tree.map(lambda part, size=size: part[:size], states) if carry else network.zero_state(size)
            gradient, (after, sums) = gradient_of(params, start, X[rows], Y[rows], masks[rows], weights[rows])
            params = jax.tree.map(lambda w, g: w - learning_rate * g, params, gradient)
            if carry:  # the rows of a short last batch go on, the others stay where they are
                states = jax.tree.map(lambda part, new, size=size: part.at[:size].set(new), states, after)
            total += np.asarray(sums)
        epoch_sums.append(total)
    loss, count, hits = np.array(epoch_sums).T
    means = {"loss": loss / count, "accuracy": hits / count}
    return ByHand(params, states, {name: values.astype(np.float32) for name, values in means.items()})


@lru_cache
def _gradient_of(network: Network) -> Any:
    def loss(params: Any, states: Any, x: jax.Array, y: jax.Array, mask: jax.Array, weight: jax.Array) -> Any:
        """Returns the mean loss of the steps that count; weights scale the loss but not the number of steps."""
        p, states = network.apply(params, x, states, mask=mask)
        values = -jnp.log(jnp.take_along_axis(p, y[..., None], axis=-1)[..., 0])
        total, count = jnp.sum(values * mask * weight), jnp.sum(mask)
        hits = jnp.sum((jnp.argmax(p, axis=-1) == y) * mask)
        return total / count, (states, jnp.stack([total, count, hits]))

    return jax.jit(jax.grad(loss, has_aux=True))
