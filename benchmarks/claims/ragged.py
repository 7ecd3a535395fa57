"""Rows of very different lengths, shuffled each epoch, beside the same rows as lanes, which fill no row up.

694 rows as long as folk tunes are: half of them shorter than 232 steps, the longest 1,800. Padded to the longest they
would be seven times the steps. Lanes carry the state, and stop gradients every 250 steps, about the length of a row:
another training, which takes the same steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.harness.claim import Claim, Faster, Timed
from benchmarks.peers.training import ADAM_EPSILON, LEARNING_RATE, lstm_weights

N, F, H, B = 694, 88, 64, 32
LONGEST = 1800

_rng = np.random.default_rng(1)
LENGTHS = np.clip(np.exp(5.45 + 0.5 * _rng.normal(size=N)), 40, 800).astype(int)
LENGTHS[0] = LONGEST
ROWS = [(_rng.random((length + 1, F)) < 0.05).astype("float32") for length in LENGTHS]
WEIGHTS = lstm_weights(F, H, F)


def _model() -> Any:
    import statewise as sw

    model = sw.Sequential([sw.LSTM(H, return_sequences=True), sw.Dense(F, activation="sigmoid")])
    model.build((None, None, F))
    model.set_weights(WEIGHTS)
    model.compile(sw.Adam(LEARNING_RATE, epsilon=ADAM_EPSILON), "binary_crossentropy")
    return model


def statewise(_: object) -> Timed:
    """A list of rows."""
    model = _model()
    x, y = [row[:-1] for row in ROWS], [row[1:] for row in ROWS]

    def work(epochs: int) -> list[float]:
        return model.fit(x, y, batch_size=B, epochs=epochs, verbose=0).history["loss"]

    return Timed(work)


def lanes(_: object) -> Timed:
    """The same rows end to end."""
    import statewise as sw

    model, framed = _model(), sw.lanes(ROWS, batch_size=B, steps=250)

    def work(epochs: int) -> list[float]:
        return model.fit(framed, state="carry", epochs=epochs, verbose=0).history["loss"]

    return Timed(work, note="stops gradients every 250 steps", compared=False)


CLAIM = Claim(
    work=f"LSTM({H}) + Dense({F}) on {N} rows of 40 to {LONGEST:,} steps, F={F}, batch {B}, Adam",
    unit="a step of a row",
    units=int(LENGTHS.sum()),
    contenders={"statewise": statewise, "lanes": lanes},
    goals=[Faster("lanes", must=0.67, aim=0.8)],
    seconds=3.0,  # several epochs: a list is read once a `fit`
    rounds=7,
)
