"""The story generator of the tutorials: three words, as numbers, predict the fourth; two wide layers, a row a step."""

from __future__ import annotations

import numpy as np

from benchmarks.harness.claim import Claim, Faster
from benchmarks.peers.contenders import trained_by
from benchmarks.peers.training import Training

WORDS = np.random.default_rng(1).integers(112, size=23)

TASK = Training(
    x=np.stack([WORDS[i : i + 3] for i in range(20)])[..., None].astype("float32") / 112,
    y=WORDS[3:],
    units=512,
    classes=112,
    layers=2,
    batch_size=1,
    optimizer="rmsprop",
)

CLAIM = Claim(
    work="2 x LSTM(512) + Dense(112), T=3, F=1, batch 1, RMSprop",
    unit="a training step",
    units=TASK.batches,
    contenders=trained_by(TASK, "statewise", "pytorch", "keras-jax"),
    goals=[Faster("pytorch", must=2.5, aim=5), Faster("keras-jax")],
    tolerance=1e-3,
)
