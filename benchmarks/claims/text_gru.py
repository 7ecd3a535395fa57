"""`text` with a GRU in place of the LSTM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.claims.text import TASK
from benchmarks.harness.claim import Claim, Faster, Timed
from benchmarks.peers.training import ADAM_EPSILON, LEARNING_RATE, Array

H, F, V = TASK.units, TASK.x.shape[-1], TASK.classes


def weights() -> list[Array]:
    """Returns `[F, 3H], [H, 3H], [2, 3H]`, gates in the order z, r, h, then `[H, V], [V]`."""
    rng = np.random.default_rng(0)
    shapes: list[tuple[int, ...]] = [(F, 3 * H), (H, 3 * H), (2, 3 * H), (H, V), (V,)]
    return [rng.uniform(-1, 1, shape).astype("float32") / np.float32(np.sqrt(H)) for shape in shapes]


def statewise(_: None) -> Timed:
    """`fit`, silent, in the order of the rows."""
    import statewise as sw

    model = sw.Sequential([sw.GRU(H, return_sequences=True), sw.Dense(V, activation="softmax")])
    model.build((None, *TASK.x.shape[1:]))
    model.set_weights(weights())
    model.compile(sw.Adam(LEARNING_RATE, epsilon=ADAM_EPSILON), "sparse_categorical_crossentropy")

    def work(epochs: int) -> list[float]:
        options: dict[str, Any] = {"batch_size": TASK.batch_size, "epochs": epochs, "shuffle": False, "verbose": 0}
        return model.fit(TASK.x, TASK.y, **options).history["loss"]

    return Timed(work)


def pytorch(_: None) -> Timed:
    """A plain loop of nn.GRU and nn.Linear; its gates have the order r, z, h."""
    import torch

    from benchmarks.peers import in_pytorch

    def reordered(array: Array) -> Any:
        z, r, h = np.split(array, 3, axis=-1)
        return torch.from_numpy(np.concatenate([r, z, h], axis=-1))

    kernel, recurrent, biases, *dense_weights = weights()
    gru, dense = torch.nn.GRU(F, H, batch_first=True), torch.nn.Linear(H, V)
    with torch.no_grad():
        gru.weight_ih_l0.copy_(reordered(kernel).T)
        gru.weight_hh_l0.copy_(reordered(recurrent).T)
        gru.bias_ih_l0.copy_(reordered(biases[0]))
        gru.bias_hh_l0.copy_(reordered(biases[1]))
        dense.weight.copy_(torch.from_numpy(dense_weights[0]).T)
        dense.bias.copy_(torch.from_numpy(dense_weights[1]))
    learned = [*gru.parameters(), *dense.parameters()]
    optimizer = torch.optim.Adam(learned, LEARNING_RATE, eps=ADAM_EPSILON, fused=True)
    batches = list(zip(*(torch.from_numpy(a).split(TASK.batch_size) for a in (TASK.x, TASK.y)), strict=True))

    def epoch() -> Iterator[Any]:
        for x, y in batches:
            h, _state = gru(x)
            yield in_pytorch.score(dense(h), y)

    return in_pytorch.threaded(lambda epochs: in_pytorch.descend(optimizer, epochs, epoch))


CLAIM = Claim(
    work="GRU(256) + Dense(65) on every step, F=65, batch 32, T=64, Adam",
    unit="a training step",
    units=TASK.batches,
    contenders={"statewise": statewise, "pytorch": pytorch},
    goals=[Faster("pytorch", must=1.1, aim=1.3)],
    tolerance=1e-3,
)
