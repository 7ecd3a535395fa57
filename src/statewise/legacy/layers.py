"""keras.layers: Keras's layers without memory, and the names of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import statewise as sw
from statewise.errors import ConfigurationError
from statewise.foundation.shapes import Shape
from statewise.legacy import initializers, regularizers
from statewise.legacy.activations import name_of
from statewise.legacy.errors import CONSTRAINT, lacking, unsupported
from statewise.legacy.input_layer import Input, InputLayer
from statewise.legacy.layer import Layer as Base
from statewise.legacy.options import COMMON, in_keras_2_words, refuse
from statewise.legacy.recurrent import GRU, LSTM, Bidirectional, CuDNNGRU, CuDNNLSTM, SimpleRNN
from statewise.legacy.spellings import note
from statewise.phrasebook import reasons
from statewise.phrasebook.arguments import KERAS_NAMES

KERAS_1 = KERAS_NAMES["Dense"] | {
    "init": "kernel_initializer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
}
ACTIVITY = f"{reasons.ACTIVITY.reason}; write kernel_regularizer="


class Dense(Base):
    """`activation(x kernel + bias)` on the last axis."""

    @in_keras_2_words("Dense", KERAS_1, remember=True)
    def __init__(
        self,
        units: int,
        activation: object = None,
        use_bias: bool = True,
        kernel_initializer: object = "glorot_uniform",
        bias_initializer: object = "zeros",
        kernel_regularizer: object = None,
        bias_regularizer: object = None,
        activity_regularizer: object = None,
        kernel_constraint: object = None,
        bias_constraint: object = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        refuse("Dense", CONSTRAINT, kernel_constraint=kernel_constraint, bias_constraint=bias_constraint)
        refuse("Dense", ACTIVITY, activity_regularizer=activity_regularizer)
        self.initial = {
            "kernel": initializers.get(kernel_initializer),
            "bias": initializers.get(bias_initializer),
        }
        self.core = sw.Dense(
            units,
            activation=name_of(activation),
            use_bias=use_bias,
            kernel_regularizer=regularizers.get(kernel_regularizer),
            bias_regularizer=regularizers.get(bias_regularizer),
            name=self.given_name,
        )


class Activation(Base):
    """An activation function as a layer of its own."""

    @in_keras_2_words("Activation", remember=True)
    def __init__(self, activation: object, **common: Any) -> None:
        super().__init__(**common)
        self.core = sw.Activation(name_of(activation), name=self.given_name)


class Dropout(Base):
    """Zeroes a share of its input in training."""

    @in_keras_2_words("Dropout", KERAS_NAMES["Dropout"], remember=True)
    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **common: Any
    ) -> None:
        super().__init__(**common)
        refuse("Dropout", reasons.RANDOMNESS.said(), seed=seed)
        shape = None if noise_shape is None else (None, *noise_shape[1:])
        self.core = sw.Dropout(rate, noise_shape=shape, name=self.given_name)


class SpatialDropout1D(Base):
    """Zeroes a share of the features in training, the same at every step of a row."""

    @in_keras_2_words("SpatialDropout1D", KERAS_NAMES["Dropout"], remember=True)
    def __init__(self, rate: float, **common: Any) -> None:
        super().__init__(**common)
        note("SpatialDropout1D(rate)", "sw.Dropout(rate, noise_shape=(None, 1, None))")
        self.core = sw.Dropout(rate, noise_shape=(None, 1, None), name=self.given_name)


class Embedding(Base):
    """A learned vector for each symbol."""

    @in_keras_2_words(
        "Embedding",
        KERAS_NAMES["Embedding"] | {"init": "embeddings_initializer", "W_constraint": "embeddings_constraint"},
        remember=True,
    )
    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: object = "uniform",
        embeddings_regularizer: object = None,
        activity_regularizer: object = None,
        embeddings_constraint: object = None,
        mask_zero: bool = False,
        input_length: int | None = None,
        dropout: float = 0.0,
        **common: Any,
    ) -> None:
        super().__init__(input_length=input_length, **common)
        refuse("Embedding", CONSTRAINT, embeddings_constraint=embeddings_constraint)
        refuse("Embedding", ACTIVITY, activity_regularizer=activity_regularizer)
        refuse("Embedding", "write a Dropout layer after it", dropout=dropout or None)
        self.initial = {"embeddings": initializers.get(embeddings_initializer)}
        self.row_shape = self.row_shape or (None,)
        self.core = sw.Embedding(
            input_dim,
            output_dim,
            mask_zero=mask_zero,
            embeddings_regularizer=regularizers.get(embeddings_regularizer),
            name=self.given_name,
        )


class Masking(Base):
    """Skips the steps all of whose features are `mask_value`."""

    @in_keras_2_words("Masking", remember=True)
    def __init__(self, mask_value: float = 0.0, **common: Any) -> None:
        super().__init__(**common)
        self.core = sw.Masking(mask_value, name=self.given_name)


class Flatten(Base):
    """Lays all numbers of a row side by side."""

    @in_keras_2_words("Flatten", remember=True)
    def __init__(self, data_format: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        refuse("Flatten", "rows are laid out as they are; leave it out", data_format=data_format)
        self.core = sw.Flatten(name=self.given_name)


class RepeatVector(Base):
    """Makes `n` equal steps of one row."""

    @in_keras_2_words("RepeatVector", remember=True)
    def __init__(self, n: int, **common: Any) -> None:
        super().__init__(**common)
        self.core = sw.RepeatVector(n, name=self.given_name)


class Reshape(Base):
    """Gives a row's numbers another shape."""

    @in_keras_2_words("Reshape", KERAS_NAMES["Reshape"], remember=True)
    def __init__(self, target_shape: Sequence[int], **common: Any) -> None:
        super().__init__(**common)
        self.core = sw.Reshape(tuple(target_shape), name=self.given_name)


class Permute(Base):
    """Puts the axes of a row in another order."""

    @in_keras_2_words("Permute", remember=True)
    def __init__(self, dims: Sequence[int], **common: Any) -> None:
        super().__init__(**common)
        self.core = sw.Permute(tuple(dims), name=self.given_name)


class TimeDistributed(Base):
    """Applies a layer to every step by itself; a layer that reads sequences reads one at each step."""

    @in_keras_2_words("TimeDistributed", remember=True)
    def __init__(self, layer: Base, **common: Any) -> None:
        super().__init__(**common)
        if not isinstance(layer, Base):
            raise ConfigurationError(f"TimeDistributed: expected a layer such as Dense(1), got {layer!r}")
        stateful = getattr(layer, "stateful", False)
        refuse("TimeDistributed", "each step is a sequence of its own; leave it out", stateful=stateful)
        self.initial, self.unit_forget_bias = layer.initial, getattr(layer, "unit_forget_bias", False)
        self.row_shape = self.row_shape or (None if layer.row_shape is None else (None, *layer.row_shape))
        self.core = sw.TimeDistributed(layer.core, name=self.given_name)

    def _shape_of_features(self, features: int, steps: int | None) -> Shape:
        return (steps, features)


def TimeDistributedDense(*args: Any, **options: Any) -> TimeDistributed:  # noqa: N802 - Keras 1's name
    """Returns what Keras 1 called a Dense layer on every step."""
    note("TimeDistributedDense(n)", "sw.Dense(n)  # works on each step separately")
    outside = {name: options.pop(name) for name in COMMON if name in options}
    return TimeDistributed(Dense(*args, **options), **outside)


def deserialize(description: dict[str, Any]) -> Base:
    """Returns the layer that `{"class_name": ..., "config": ...}` described.

    Raises:
        UnsupportedError: a kind of layer that is not supported.
    """
    kind, config = description["class_name"], dict(description["config"])
    if kind not in LAYERS:
        raise unsupported(f"keras.layers.{kind}", "docs/legacy.md lists the layers")
    if "layer" in config:
        config["layer"] = deserialize(config["layer"])
    return LAYERS[kind].from_config(config)


LAYERS: dict[str, type[Base]] = {
    kind.__name__: kind
    for kind in (
        Activation,
        Bidirectional,
        CuDNNGRU,
        CuDNNLSTM,
        Dense,
        Dropout,
        Embedding,
        Flatten,
        GRU,
        InputLayer,
        LSTM,
        Masking,
        Permute,
        RepeatVector,
        Reshape,
        SimpleRNN,
        SpatialDropout1D,
        TimeDistributed,
    )
}
"""Layers by the names of their classes."""

__all__ = [
    "GRU",
    "LSTM",
    "Activation",
    "Bidirectional",
    "CuDNNGRU",
    "CuDNNLSTM",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Input",
    "InputLayer",
    "Masking",
    "Permute",
    "RepeatVector",
    "Reshape",
    "SimpleRNN",
    "SpatialDropout1D",
    "TimeDistributed",
    "TimeDistributedDense",
    "deserialize",
]

__getattr__ = lacking("keras.layers", __all__)
