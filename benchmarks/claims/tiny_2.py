"""A small stateful network, as the echo of random integers has it: rows go on from batch to batch.

Keras's words for it are `stateful=True`; PyTorch's loop passes the state on, detached. The state is never reset.
"""

from __future__ import annotations

from benchmarks.harness.claim import Claim, Faster
from benchmarks.peers.contenders import trained_by
from benchmarks.peers.training import Training, one_hot_sequences

X, SYMBOLS = one_hot_sequences(N=100, T=5, F=100)

TASK = Training(
    x=X,
    y=SYMBOLS[:, -1],
    units=50,
    classes=100,
    batch_size=5,
    carry=True,
    keras_batches_a_call=20,
    epochs_a_call=20,
)

CLAIM = Claim(
    work="LSTM(50) + Dense(100), T=5, F=100, batch 5, Adam, state carried",
    unit="a training step",
    units=TASK.batches,
    contenders=trained_by(TASK, "statewise", "pytorch", "jax", "keras-jax", "keras-torch", "tf-keras"),
    goals=[
        Faster("pytorch", must=9, aim=12),
        Faster("jax", must=2, aim=3),
        Faster("keras-jax", must=4, aim=5),
        Faster("keras-torch"),
        Faster("tf-keras"),
    ],
    checked=5,
    tolerance=1e-3,
)
