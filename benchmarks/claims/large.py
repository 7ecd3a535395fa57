"""A wide network, whose time goes into matrix products: every step's output is scored."""

from __future__ import annotations

from benchmarks.harness.claim import Claim, Faster
from benchmarks.peers.contenders import trained_by
from benchmarks.peers.training import Training, one_hot_sequences

X, SYMBOLS = one_hot_sequences(N=128, T=64, F=112)

TASK = Training(x=X, y=SYMBOLS, units=512, classes=112)

CLAIM = Claim(
    work="LSTM(512) + Dense(112) on every step, F=112, batch 32, T=64, Adam",
    unit="a training step",
    units=TASK.batches,
    contenders=trained_by(TASK, "statewise", "pytorch", "keras-jax"),
    goals=[Faster("pytorch", must=1.15, aim=1.25), Faster("keras-jax")],
    tolerance=1e-3,
    rounds=9,
)
