"""`fit` on four batches, again and again with new data: echoing random integers as the tutorials do it.

Each `fit` reads 20 rows of 5 steps as arrays, in 4 batches of 5, the state carried from batch to batch and afresh at
the next `fit`. The data of 200 fits serve again after them. Keras's `fit` is told `steps_per_execution=4` where that is
quicker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, islice
from typing import Any

import numpy as np

from benchmarks.harness.claim import Claim, Faster, Timed, Under
from benchmarks.peers.training import ADAM_EPSILON, LEARNING_RATE, Training

FITS, B, T, H, V = 200, 5, 5, 20, 10

_rng = np.random.default_rng(1)


def _data() -> tuple[np.ndarray, np.ndarray]:
    """Returns `x [20, 5, 1]` and `y [20]`: five random integers, and the first of them."""
    numbers = _rng.integers(V, size=24)
    return np.stack([numbers[i : i + T] for i in range(20)])[..., None].astype("float32") / V, numbers[:20]


DATA = [_data() for _ in range(FITS)]
"""The data of as many fits; after the last comes the first again."""

TASK = Training(x=DATA[0][0], y=DATA[0][1], units=H, classes=V, batch_size=B, carry=True, keras_batches_a_call=4)


def statewise(_: None) -> Timed:
    """`fit` with a carried state, which starts afresh at each epoch."""
    import statewise as sw

    model = sw.Sequential([sw.LSTM(H), sw.Dense(V, activation="softmax")])
    model.build((None, T, 1))
    model.set_weights(TASK.weights())
    model.compile(sw.Adam(LEARNING_RATE, epsilon=ADAM_EPSILON), "sparse_categorical_crossentropy")

    data = cycle(DATA)

    def work(fits: int) -> list[float]:
        return [
            model.fit(x, y, batch_size=B, state="carry", verbose=0).history["loss"][0] for x, y in islice(data, fits)
        ]

    return Timed(work)


def pytorch(_: None) -> Timed:
    """Four steps of a plain loop."""
    import torch

    from benchmarks.peers import in_pytorch

    net = in_pytorch.Net(TASK.weights())
    optimizer = net.optimizer("adam")
    data = cycle(DATA)

    def fit() -> Iterator[Any]:
        state, (x, y) = None, next(data)
        for rows, classes in zip(torch.from_numpy(x).split(B), torch.from_numpy(y).split(B), strict=True):
            h, after = net.lstm(rows, state)
            state = tuple(part.detach() for part in after)
            yield in_pytorch.score(net.dense(h[:, -1]), classes)

    return in_pytorch.threaded(lambda fits: in_pytorch.descend(optimizer, fits, fit))


def keras_jax(_: None) -> Timed:
    """`fit`, of which this backend drops the state whatever one asks."""
    return _in_keras("jax", stateful=False)


def tf_keras(_: None) -> Timed:
    """`fit`, stateful, and `reset_states` after it."""
    return _in_keras("tensorflow", stateful=True)


def _in_keras(backend: str, stateful: bool) -> Timed:
    from benchmarks.peers import in_keras

    model = in_keras.build(in_keras.import_keras(backend), replace(TASK, carry=stateful))
    data = cycle(DATA)

    def work(fits: int) -> list[float]:
        losses = []
        for x, y in islice(data, fits):
            losses.append(model.fit(x, y, batch_size=B, shuffle=False, verbose=0).history["loss"][0])
            if stateful:
                model.reset_states()
        return losses

    return Timed(work, note="" if stateful else in_keras.DROPS_STATE, compared=stateful)


CLAIM = Claim(
    work="LSTM(20) + Dense(10), T=5, F=1, batch 5, Adam: `fit` on 4 batches of new data, state carried",
    unit="a `fit`",
    contenders={"statewise": statewise, "pytorch": pytorch, "keras-jax": keras_jax, "tf-keras": tf_keras},
    goals=[Under(must=1.5e-3, aim=0.7e-3), Faster("tf-keras", aim=15), Faster("keras-jax"), Faster("pytorch")],
    checked=20,
    tolerance=1e-3,
)
