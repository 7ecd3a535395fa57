"""The smallest network of the tutorials, at batch size 1: the alphabet, three letters in, the next one out.

Every contender goes through the 23 rows in their order, an update a row, from the same weights. PyTorch's loop and
Keras's `fit` do what they do best at this size: nothing shuffled or printed, Adam fused, 23 updates a call.
"""

from __future__ import annotations

import numpy as np

from benchmarks.harness.claim import Claim, Faster
from benchmarks.peers.contenders import trained_by
from benchmarks.peers.training import Training

LETTERS = np.arange(26)

TASK = Training(
    x=np.stack([LETTERS[i : i + 3] for i in range(23)])[..., None].astype("float32") / 26,
    y=LETTERS[3:],
    units=32,
    classes=26,
    batch_size=1,
    keras_batches_a_call=23,
    epochs_a_call=100,
)

CLAIM = Claim(
    work="LSTM(32) + Dense(26), T=3, F=1, batch 1, Adam",
    unit="a training step",
    units=TASK.batches,
    contenders=trained_by(TASK, "statewise", "pytorch", "jax", "keras-jax", "keras-torch", "tf-keras"),
    goals=[
        Faster("pytorch", must=75, aim=90),
        Faster("jax", must=2, aim=2.5),
        Faster("keras-jax", must=8, aim=20),
        Faster("keras-torch"),
        Faster("tf-keras"),
    ],
    checked=5,
    tolerance=1e-3,
)
