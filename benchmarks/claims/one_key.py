"""Events that come one by one: a step of one stream among 5,000, by key."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.harness.claim import Claim, Faster, Timed, Under
from benchmarks.peers.training import lstm_weights

F, H, V, KEYS = 8, 32, 4, 5000

X = np.random.default_rng(1).normal(size=(KEYS, F)).astype("float32")
NAMES = [f"sensor {number}" for number in range(KEYS)]
EVENTS = np.random.default_rng(2).permutation(KEYS).tolist()


def statewise(_: None) -> Timed:
    """`streams.push_one(key, x)`."""
    import statewise as sw

    model = sw.Sequential([sw.LSTM(H), sw.Dense(V)])
    model.build((None, None, F))
    model.set_weights(lstm_weights(F, H, V))
    streams = model.streams()
    streams.push_rows(NAMES, X)

    def work(passes: int) -> list[Any]:
        return [streams.push_one(NAMES[event], X[event]) for _ in range(passes) for event in EVENTS]

    return Timed(work, note=f"{streams.engine} engine")


def onnxruntime(_: None) -> Timed:
    """A dictionary of states and a run for each event."""
    from benchmarks.peers import in_onnx

    session = in_onnx.session(lstm_weights(F, H, V))
    zeros = np.zeros((1, 1, H), "float32")
    states = {}
    for name, x in zip(NAMES, X[:, None, None], strict=True):
        _y, h, c = session.run(in_onnx.NAMES, {"x": x, "h0": zeros, "c0": zeros})
        states[name] = h, c

    def work(passes: int) -> list[Any]:
        answers = []
        for _ in range(passes):
            for event in EVENTS:
                h, c = states[NAMES[event]]
                y, h, c = session.run(in_onnx.NAMES, {"x": X[event][None, None], "h0": h, "c0": c})
                states[NAMES[event]] = h, c
                answers.append(y)
        return answers

    return Timed(work)


CLAIM = Claim(
    work="LSTM(32) + Dense(4), F=8: one step of one of 5,000 streams by key, in random order",
    unit="a step",
    units=KEYS,
    contenders={"statewise": statewise, "onnxruntime": onnxruntime},
    goals=[Under(must=2e-6, aim=1.5e-6), Faster("onnxruntime")],
    tolerance=1e-4,
    seconds=0.2,
)
