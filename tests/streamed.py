"""The networks that streams are tested on, and what their tests have in common."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

import statewise as sw
from networks import CASES, SYMBOLS, Case, random_weights, random_x
from statewise.foundation.shapes import Array
from statewise.layers import GRU, Activation, Dense, Dropout, Embedding, Layer, Masking, TimeDistributed
from statewise.native.library import library
from statewise.streaming import Runtime

BATCH, STEPS = 3, 5
ENGINES = ("native", "numpy") if library() is not None else ("numpy",)

needs_native = pytest.mark.skipif(library() is None, reason="the native library is not built")


def lstm(units: int = 4, **options: Any) -> Layer:
    return sw.LSTM(units, **{"return_sequences": True, **options})


def gru(units: int = 4, **options: Any) -> Layer:
    return GRU(units, **{"return_sequences": True, **options})


STREAMED = [
    *(case for case in CASES if not case.looks_ahead),
    Case("gru-last", lambda: [gru(), GRU(3), Dense(2)], every_step=False),
    Case("gru-no-bias", lambda: [gru(use_bias=False), gru(3, use_bias=False, reset_after=False)]),
    Case("gru-other-functions", lambda: [gru(activation="softsign", recurrent_activation="hard_sigmoid")]),
    Case("gru-softmax-gates", lambda: [gru(recurrent_activation="softmax", reset_after=False)]),
    Case("lstm-relu-sigmoid", lambda: [lstm(activation="relu")]),
    Case("lstm-linear", lambda: [lstm(activation="linear", recurrent_activation="sigmoid")]),
    Case("lstm-softmax-gates", lambda: [lstm(activation="softmax", recurrent_activation="softmax")]),
    Case("masking", lambda: [Masking(-1.0), lstm(), gru(3), Dense(2, activation="softmax")]),
    Case("masking-last", lambda: [Masking(-1.0), GRU(4, learn_initial_state=True), Dense(2)], every_step=False),
    Case("mask-zero", lambda: [Embedding(SYMBOLS, 3, mask_zero=True), lstm(), gru(), Dense(2)], symbols=True),
    Case(
        "mask-zero-last",
        lambda: [Embedding(SYMBOLS, 3, mask_zero=True), sw.LSTM(4, learn_initial_state=True)],
        every_step=False,
        symbols=True,
    ),
    Case(
        "time-distributed",
        lambda: [
            TimeDistributed(Dense(4, activation="tanh")),
            lstm(),
            TimeDistributed(Dropout(0.5)),
            TimeDistributed(Dense(3, use_bias=False)),
            TimeDistributed(Activation("softmax")),
        ],
    ),
    Case("no-memory", lambda: [Dropout(0.5), Activation("linear")]),
    Case("masking-no-memory", lambda: [Masking(-1.0), Dense(2, activation="elu")]),
]


IN_SHORT = ("lstm", "embedding", "gru-last", "gru-other-functions", "masking-last", "mask-zero-last", "no-memory")
"""Networks between them with every kind of step; the others wait for `make test-all`."""


def marked(cases: Sequence[Case]) -> list[Any]:
    """Returns the networks as parameters, those that are not `IN_SHORT` marked slow."""
    return [pytest.param(c, id=c.name, marks=[] if c.name in IN_SHORT else [pytest.mark.slow]) for c in cases]


def built(layers: Sequence[Layer], input_shape: tuple[int | None, ...], seed: int = 1) -> sw.Sequential:
    """A model with random weights, those of learnt initial states included."""
    model = sw.Sequential(layers, seed=5)
    model.build((None, *input_shape))
    random_weights(model, seed)
    return model


def runtime_of(model: sw.Model, engine: str = "auto") -> Runtime:
    return Runtime.of(model.network.config(), model.params, engine)


@cache
def model_of(case: Case) -> sw.Model:
    """One model for each network, so that JAX compiles it once."""
    model = case.model(seed=5)
    random_weights(model)
    return model


def masked_x(case: Case, batch: int = BATCH, steps: int = STEPS, seed: int = 3) -> Array:
    """Random input with steps to skip, where the network skips some: a first one, a last one, one between."""
    x = random_x(case, batch, steps, seed)
    for row, step in ((0, 0), (1, 2 % steps), (2 % batch, steps - 1)):
        x[row, step] = 0 if case.symbols else -1.0
    return x


def parts(state: sw.State) -> dict[str, Array]:
    """Returns a state's arrays in NumPy, by layer and place."""
    return {
        f"{name}.{field}": np.asarray(getattr(state[name], field)) for name in state for field in state[name]._fields
    }
