"""Graphs of several inputs, outputs and time axes as plain data: Keras trains them, statewise must repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from golden.keras_graph_cases import EVERY, Use

EPOCHS, ROWS, BATCH_SIZE, SYMBOLS = 12, 12, 4, 5

STATE = {"return_state": True}
REPEAT = "RepeatLike"  # a layer of statewise; in Keras, RepeatVector


class Flow(NamedTuple):
    """A network, and how it is trained.

    Uses read values by name. A layer with `return_state` gives further ones, such as "encoder.h"; one use may start in
    values, which follow `|` in what it reads.
    """

    inputs: Mapping[str, tuple[int, ...]]
    uses: list[Use]
    targets: Mapping[str, tuple[int, ...]]  # by output
    loss: Mapping[str, str]
    loss_weights: Mapping[str, float] = MappingProxyType({})
    metrics: Mapping[str, list[str]] = MappingProxyType({})
    classes: tuple[str, ...] = ()  # outputs of SYMBOLS classes; others are of real numbers
    optimizer: str = "adam"


def attends(kind: str, **options: Any) -> Flow:
    """A decoder that starts in its encoder's state attends to its steps."""
    return Flow(
        {"source": (6, 3), "target": (5, 2)},
        [
            Use("encoder", ("source",), "LSTM", {"units": 4, **EVERY, **STATE}),
            Use("decoder", ("target", "|", "encoder.h", "encoder.c"), "LSTM", {"units": 4, **EVERY}),
            Use("context", ("decoder", "encoder"), kind, options),
            Use("beside", ("decoder", "context"), "Concatenate"),
            Use("answer", ("beside",), "Dense", {"units": 2}),
        ],
        {"answer": (5, 2)},
        {"answer": "mse"},
    )


FLOWS: dict[str, Flow] = {
    "two inputs, two outputs": Flow(
        {"readings": (6, 3), "plant": (4,)},
        [
            Use("known", ("plant",), "Dense", {"units": 3, "activation": "tanh"}),
            Use("spread", ("known", "readings"), REPEAT),
            Use("joined", ("readings", "spread"), "Concatenate"),
            Use("steps", ("joined",), "LSTM", {"units": 4, **EVERY}),
            Use("last", ("steps",), "GRU", {"units": 3}),
            Use("both", ("last", "known"), "Concatenate"),
            Use("load", ("steps",), "Dense", {"units": 2}),
            Use("alarm", ("both",), "Dense", {"units": 1, "activation": "sigmoid"}),
        ],
        {"load": (6, 2), "alarm": (1,)},
        {"load": "mse", "alarm": "binary_crossentropy"},
        {"load": 0.7, "alarm": 0.2},
        {"load": ["mae"], "alarm": ["binary_accuracy"]},
    ),
    "encoder and decoder": Flow(
        {"source": (6, 3), "target": (4, 2)},
        [
            Use("encoder", ("source",), "LSTM", {"units": 4, **STATE}),
            Use("decoder", ("target", "|", "encoder.h", "encoder.c"), "LSTM", {"units": 4, **EVERY}),
            Use("answer", ("decoder",), "Dense", {"units": SYMBOLS, "activation": "softmax"}),
        ],
        {"answer": (4,)},
        {"answer": "sparse_categorical_crossentropy"},
        classes=("answer",),
    ),
    "encoder and decoder, gru": Flow(
        {"source": (5, 3), "target": (4, 2)},
        [
            Use("encoder", ("source",), "GRU", {"units": 3, **STATE}),
            Use("bridge", ("encoder.h",), "Dense", {"units": 4, "activation": "tanh"}),
            Use("decoder", ("target", "|", "bridge"), "GRU", {"units": 4, **EVERY}),
            Use("spread", ("encoder", "target"), REPEAT),
            Use("beside", ("decoder", "spread"), "Concatenate"),
            Use("answer", ("beside",), "Dense", {"units": SYMBOLS, "activation": "softmax"}),
        ],
        {"answer": (4,)},
        {"answer": "sparse_categorical_crossentropy"},
        classes=("answer",),
        optimizer="rmsprop",
    ),
    "attention": attends("Attention", use_scale=True),
    "attention, concat": attends("Attention", use_scale=True, score_mode="concat"),
    "additive attention": attends("AdditiveAttention"),
    "older attention": Flow(
        {"source": (6, 3), "target": (5, 2)},
        [
            Use("encoder", ("source",), "LSTM", {"units": 4, **EVERY}),
            Use("decoder", ("target",), "LSTM", {"units": 4, **EVERY}),
            Use("fits", ("decoder", "encoder"), "Dot", {"axes": 2}),
            Use("shares", ("fits",), "Activation", {"activation": "softmax"}),
            Use("context", ("shares", "encoder"), "Dot", {"axes": (2, 1)}),
            Use("beside", ("context", "decoder"), "Concatenate"),
            Use("hidden", ("beside",), "Dense", {"units": 4, "activation": "tanh"}),
            Use("answer", ("hidden",), "Dense", {"units": 2}),
        ],
        {"answer": (5, 2)},
        {"answer": "mse"},
    ),
    "cosines": Flow(
        {"left": (5, 3), "right": (4, 3)},
        [
            Use("one", ("left",), "GRU", {"units": 4}),
            Use("two", ("right",), "SimpleRNN", {"units": 4}),
            Use("answer", ("one", "two"), "Dot", {"axes": 1, "normalize": True}),
        ],
        {"answer": (1,)},
        {"answer": "mse"},
        optimizer="sgd",
    ),
}
