"""A network of middling size; the last step's output is scored."""

from __future__ import annotations

from benchmarks.harness.claim import Claim, Faster
from benchmarks.peers.contenders import trained_by
from benchmarks.peers.training import Training, one_hot_sequences

X, SYMBOLS = one_hot_sequences(N=256, T=32, F=64)

TASK = Training(x=X, y=SYMBOLS[:, -1], units=128, classes=64)

CLAIM = Claim(
    work="LSTM(128) + Dense(64) on the last step, F=64, batch 32, T=32, Adam",
    unit="a training step",
    units=TASK.batches,
    contenders=trained_by(TASK, "statewise", "pytorch", "jax", "keras-jax"),
    goals=[Faster("pytorch", must=1.4, aim=1.6), Faster("jax", must=2.2, aim=3), Faster("keras-jax")],
    tolerance=1e-3,
)
