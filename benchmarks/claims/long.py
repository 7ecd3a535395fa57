"""One series of 20,000 steps: an update every 100, which reaches 100 back, the state carried on; and all at once.

Every step predicts the next value. Besides the time, how far each process's memory rose for it from when it was ready
to work; ours has in it what compiling took.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.harness.claim import MB_GROWN, Claim, Faster, Timed
from benchmarks.peers.training import ADAM_EPSILON, LEARNING_RATE, lstm_weights

T, H, REACH = 20_000, 64, 100

_noise = np.random.default_rng(1).normal(size=T + 1)
SERIES = (np.sin(np.arange(T + 1) / 7) + 0.1 * _noise).astype("float32")[None, :, None]  # [1, T + 1, 1]
X, Y = SERIES[:, :-1], SERIES[:, 1:]

WEIGHTS = lstm_weights(F=1, H=H, V=1)


def statewise(reach: int) -> Timed:
    """`fit` with tbptt."""
    import statewise as sw

    model = sw.Sequential([sw.LSTM(H, return_sequences=True), sw.Dense(1)])
    model.build((None, None, 1))
    model.set_weights(WEIGHTS)
    model.compile(sw.Adam(LEARNING_RATE, epsilon=ADAM_EPSILON), "mse")

    def work(epochs: int) -> list[float]:
        tbptt = None if reach == T else reach
        return model.fit(X, Y, batch_size=1, epochs=epochs, shuffle=False, tbptt=tbptt, verbose=0).history["loss"]

    return Timed(work)


def pytorch(reach: int) -> Timed:
    """A loop over the pieces, the state detached between them."""
    import torch

    from benchmarks.peers import in_pytorch

    net = in_pytorch.Net(WEIGHTS)
    optimizer = net.optimizer("adam")
    pieces = list(zip(*(torch.from_numpy(a).split(reach, dim=1) for a in (X, Y)), strict=True))

    def epoch() -> Iterator[Any]:
        state = None
        for x, y in pieces:
            h, after = net.lstm(x, state)
            state = tuple(part.detach() for part in after)
            yield torch.nn.functional.mse_loss(net.dense(h), y)

    return in_pytorch.threaded(lambda epochs: in_pytorch.descend(optimizer, epochs, epoch))


CLAIM = Claim(
    work="LSTM(64) + Dense(1), F=1, batch 1, T=20,000, Adam",
    unit="an epoch",
    contenders={"statewise": statewise, "pytorch": pytorch},
    cases={"tbptt=100": REACH, "all steps at once": T},
    goals=[
        Faster("pytorch", must=4, aim=5, case="tbptt=100"),
        Faster("pytorch", case="tbptt=100", figure=MB_GROWN),
        Faster("pytorch", case="all steps at once"),
        Faster("pytorch", case="all steps at once", figure=MB_GROWN),
    ],
    tolerance=1e-3,
    seconds=0.5,
    rounds=5,
)
