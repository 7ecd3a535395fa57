"""A text by characters, one-hot: every step's output is scored."""

from __future__ import annotations

from benchmarks.harness.claim import Claim, Faster
from benchmarks.peers.contenders import trained_by
from benchmarks.peers.training import Training, one_hot_sequences

X, SYMBOLS = one_hot_sequences(N=128, T=64, F=65)

TASK = Training(x=X, y=SYMBOLS, units=256, classes=65)

CLAIM = Claim(
    work="LSTM(256) + Dense(65) on every step, F=65, batch 32, T=64, Adam",
    unit="a training step",
    units=TASK.batches,
    contenders=trained_by(TASK, "statewise", "pytorch", "jax", "keras-jax"),
    goals=[Faster("pytorch", must=1.15, aim=1.25), Faster("jax", must=2.2, aim=2.6), Faster("keras-jax")],
    tolerance=1e-3,
)
