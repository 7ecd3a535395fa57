"""A thousand streams by key, one step of each: all in one push, or one by one in ONNX Runtime.

Ours take the steps as they come: as an array and its keys, or as a dictionary with an array for each key.

ONNX Runtime keeps no states: a dictionary does, by key. Beside it stands what one can write for it with some care: the
states of all keys in one array, one run for all of them, for as long as always the same keys come in the same order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.harness.claim import Claim, Faster, Timed
from benchmarks.peers.training import Array, lstm_weights

F, H, V, KEYS = 8, 32, 4, 1000

X = np.random.default_rng(1).normal(size=(KEYS, F)).astype("float32")
NAMES = [f"sensor {number}" for number in range(KEYS)]
WEIGHTS = lstm_weights(F, H, V)


def statewise(as_rows: bool) -> Timed:
    """`streams.push_rows(keys, x)`, or `streams.push({key: x, ...})`."""
    import statewise as sw

    model = sw.Sequential([sw.LSTM(H), sw.Dense(V)])
    model.build((None, None, F))
    model.set_weights(WEIGHTS)
    streams = model.streams()
    steps = dict(zip(NAMES, X, strict=True))

    def push() -> Any:
        return streams.push_rows(NAMES, X) if as_rows else list(streams.push(steps).values())

    def work(passes: int) -> list[Any]:
        return [push() for _ in range(passes)]

    return Timed(work, note=f"{streams.engine} engine")


def one_by_one(_: bool) -> Timed:
    """A dictionary of states and a run for each key."""
    from benchmarks.peers import in_onnx

    session = in_onnx.session(WEIGHTS)
    zeros = np.zeros((1, 1, H), "float32")
    states = dict.fromkeys(NAMES, (zeros, zeros))
    steps = dict(zip(NAMES, X[:, None, None], strict=True))

    def work(passes: int) -> list[Array]:
        answers = []
        for _ in range(passes):
            for key, step in steps.items():
                h, c = states[key]
                y, h, c = session.run(in_onnx.NAMES, {"x": step, "h0": h, "c0": c})
                states[key] = h, c
                answers.append(y)
        return answers

    return Timed(work)


def by_hand(_: bool) -> Timed:
    """One run for all keys, which always come together and in one order."""
    from benchmarks.peers import in_onnx

    session = in_onnx.session(WEIGHTS)
    state = {"h0": np.zeros((1, KEYS, H), "float32"), "c0": np.zeros((1, KEYS, H), "float32")}

    def work(passes: int) -> list[Array]:
        answers = []
        for _ in range(passes):
            y, state["h0"], state["c0"] = session.run(in_onnx.NAMES, {"x": X[None], **state})
            answers.append(y)
        return answers

    return Timed(work)


def faster(case: str) -> list[Faster]:
    """Returns what is asked of one way to push."""
    return [Faster("onnxruntime", must=50, case=case), Faster("onnxruntime, by hand", case=case)]


CASES = {"push_rows": True, "push": False}

CLAIM = Claim(
    work="LSTM(32) + Dense(4), F=8: one step of each of 1,000 streams by key",
    unit="one stream's step",
    units=KEYS,
    contenders={"statewise": statewise, "onnxruntime": one_by_one, "onnxruntime, by hand": by_hand},
    cases=CASES,
    goals=[goal for case in CASES for goal in faster(case)],
    tolerance=1e-4,
    seconds=0.2,
)
