"""Graphs of layers as plain data: Keras trains them, statewise must repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

EPOCHS, ROWS, BATCH_SIZE = 12, 12, 4


class Use(NamedTuple):
    """A use of a layer: its name, what it reads, and, at its first use, what it is."""

    layer: str
    reads: tuple[str, ...]
    kind: str = ""
    options: Mapping[str, Any] = MappingProxyType({})
    called: str = ""  # what this use is called where that is not the layer's name

    @property
    def name(self) -> str:
        return self.called or self.layer


class Graph(NamedTuple):
    """A network from the input "x" to its last use, and how it is trained."""

    input_shape: tuple[int, ...]
    uses: list[Use]
    target_shape: tuple[int, ...]
    loss: str
    optimizer: str
    symbols: int = 0  # how many the input has, no batch one twice, whose update Keras gets wrong; 0 for real numbers
    classes: int = 0  # how many the target has


EVERY = {"return_sequences": True}

GRAPHS: dict[str, Graph] = {
    "skip": Graph(
        (6, 3),
        [
            Use("one", ("x",), "LSTM", {"units": 5, **EVERY}),
            Use("two", ("one",), "LSTM", {"units": 5, **EVERY}),
            Use("sum", ("one", "two"), "Add"),
            Use("beside", ("x", "sum"), "Concatenate"),
            Use("last", ("beside",), "GRU", {"units": 4}),
            Use("answer", ("last",), "Dense", {"units": 2}),
        ],
        (2,),
        "mse",
        "adam",
    ),
    "shared": Graph(
        (5, 4),
        [
            Use("cell", ("x",), "LSTM", {"units": 4, **EVERY}),
            Use("between", ("cell",), "Dense", {"units": 4, "activation": "tanh"}),
            Use("cell", ("between",), called="again"),
            Use("answer", ("again",), "Dense", {"units": 3}),
        ],
        (5, 3),
        "mse",
        "sgd",
    ),
    "merges": Graph(
        (4, 3),
        [
            Use("a", ("x",), "SimpleRNN", {"units": 4}),
            Use("b", ("x",), "GRU", {"units": 4}),
            Use("c", ("x",), "LSTM", {"units": 4}),
            Use("most", ("a", "b", "c"), "Maximum"),
            Use("least", ("a", "b"), "Minimum"),
            Use("mean", ("a", "b", "c"), "Average"),
            Use("gate", ("mean",), "Dense", {"units": 4, "activation": "sigmoid"}),
            Use("product", ("gate", "most"), "Multiply"),
            Use("less", ("product", "least"), "Subtract"),
            Use("answer", ("less",), "Dense", {"units": 5, "activation": "softmax"}),
        ],
        (),
        "sparse_categorical_crossentropy",
        "rmsprop",
        classes=5,
    ),
    "both ways": Graph(
        (6,),
        [
            Use("table", ("x",), "Embedding", {"input_dim": 30, "output_dim": 3}),
            Use("ahead", ("table",), "Bidirectional", {"layer": ("LSTM", {"units": 3, **EVERY})}),
            Use("on", ("table",), "GRU", {"units": 2, **EVERY}),
            Use("beside", ("ahead", "on", "table"), "Concatenate"),
            Use("answer", ("beside",), "Dense", {"units": 4, "activation": "softmax"}),
        ],
        (6,),
        "sparse_categorical_crossentropy",
        "adam",
        symbols=30,
        classes=4,
    ),
    "causal convolution": Graph(
        (12, 3),
        [
            Use("wide", ("x",), "Conv1D", {"filters": 5, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}),
            Use(
                "fine", ("wide",), "Conv1D", {"filters": 4, "kernel_size": 2, "padding": "causal", "activation": "tanh"}
            ),
            Use("pool", ("fine",), "MaxPooling1D", {"pool_size": 2}),
            Use("last", ("pool",), "LSTM", {"units": 4}),
            Use("answer", ("last",), "Dense", {"units": 2}),
        ],
        (2,),
        "mse",
        "adam",
    ),
    "convolutions": Graph(
        (13, 2),
        [
            Use("same", ("x",), "Conv1D", {"filters": 4, "kernel_size": 4, "padding": "same", "strides": 2}),
            Use("mean", ("same",), "AveragePooling1D", {"pool_size": 3, "strides": 1, "padding": "same"}),
            Use("valid", ("mean",), "Conv1D", {"filters": 6, "kernel_size": 2, "activation": "relu"}),
            Use("strided", ("x",), "Conv1D", {"filters": 6, "kernel_size": 3, "padding": "causal", "strides": 3}),
            Use("peak", ("strided",), "MaxPooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}),
            Use("top", ("valid",), "GlobalMaxPooling1D"),
            Use("middle", ("peak",), "GlobalAveragePooling1D"),
            Use("beside", ("top", "middle"), "Concatenate"),
            Use("answer", ("beside",), "Dense", {"units": 2}),
        ],
        (2,),
        "mse",
        "rmsprop",
    ),
    "resizing": Graph(
        (12, 3),
        [
            Use("around", ("x",), "ZeroPadding1D", {"padding": (3, 1)}),
            Use("strided", ("around",), "Conv1D", {"filters": 4, "kernel_size": 3, "strides": 3}),
            Use("more", ("strided",), "UpSampling1D", {"size": 3}),
            Use("ends", ("more",), "ZeroPadding1D", {"padding": 1}),
            Use("valid", ("ends",), "Conv1D", {"filters": 5, "kernel_size": 6, "activation": "tanh"}),
            Use("steps", ("valid",), "LSTM", {"units": 4, **EVERY}),
            Use("answer", ("steps",), "Dense", {"units": 2}),
        ],
        (12, 2),
        "mse",
        "adam",
    ),
    "per step": Graph(
        (5, 3),
        [
            Use("one", ("x",), "LSTM", {"units": 6, **EVERY}),
            Use("normal", ("one",), "LayerNormalization", {}),
            Use("leaky", ("normal",), "LeakyReLU", {"negative_slope": 0.2}),
            Use("learned", ("leaky",), "PReLU", {}),
            Use("elu", ("learned",), "ELU", {"alpha": 0.5}),
            Use("last", ("elu",), "GRU", {"units": 4}),
            Use("close", ("last",), "LayerNormalization", {"epsilon": 1e-2, "center": False}),
            Use("answer", ("close",), "Dense", {"units": 2}),
        ],
        (2,),
        "mse",
        "adam",
    ),
    "masked both ways": Graph(
        (6, 2),
        [
            Use("mask", ("x",), "Masking", {"mask_value": -1.0}),
            Use("ahead", ("mask",), "Bidirectional", {"layer": ("GRU", {"units": 3, **EVERY}), "merge_mode": "sum"}),
            Use("answer", ("ahead",), "Dense", {"units": 2}),
        ],
        (6, 2),
        "mse",
        "adam",
    ),
    "masked": Graph(
        (6, 2),
        [
            Use("mask", ("x",), "Masking", {"mask_value": -1.0}),
            Use("one", ("mask",), "LSTM", {"units": 3, **EVERY}),
            Use("two", ("mask",), "GRU", {"units": 3, **EVERY}),
            Use("sum", ("one", "two"), "Add"),
            Use("last", ("sum",), "LSTM", {"units": 4}),
            Use("answer", ("last",), "Dense", {"units": 1, "activation": "sigmoid"}),
        ],
        (1,),
        "binary_crossentropy",
        "adam",
        classes=2,
    ),
}
