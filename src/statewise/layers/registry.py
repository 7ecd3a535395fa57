"""Every layer by its name in a model file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statewise.errors import ConfigurationError, unknown_kind
from statewise.layers.base import Layer
from statewise.layers.dense import Activation, Dense
from statewise.layers.dropout import Dropout
from statewise.layers.embedding import Embedding
from statewise.layers.gru import GRU
from statewise.layers.lstm import LSTM
from statewise.layers.masking import Masking
from statewise.layers.regularizers import L1L2
from statewise.layers.shaping import Flatten, Permute, RepeatVector, Reshape
from statewise.layers.simple_rnn import SimpleRNN
from statewise.layers.wrappers import Bidirectional, TimeDistributed

LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        *(Activation, Bidirectional, Dense, Dropout, Embedding, Flatten, GRU, LSTM, Masking, Permute),
        *(RepeatVector, Reshape, SimpleRNN, TimeDistributed),
    )
}


def layer_to_config(name: str, layer: Layer) -> dict[str, Any]:
    """Returns the layer, called `name`, as JSON holds it.

    Raises:
        ConfigurationError: it, or a layer inside it, is of a custom class; the message says what to do.
    """
    if (own := own_layer(layer)) is not None:
        raise ConfigurationError(f"layer {name!r} is {describe_own(own)}")
    return {"kind": type(layer).__name__, **layer.config()}


def own_layer(layer: Layer) -> Layer | None:
    """Returns the layer, or one inside it, if it is of a custom class: one derived from LSTM, say."""
    return next((part for part in layer.parts if LAYERS.get(type(part).__name__) is not type(part)), None)


def describe_own(layer: Layer) -> str:
    """Returns what a custom layer is, what it cannot do, and what to do instead."""
    return (
        f"a {type(layer).__name__}, a custom class, which files and streams do not support: keep its weights with "
        "numpy.savez(path, *model.get_weights()), and pass them to set_weights(...) of a model that your code builds"
    )


def layer_from_config(config: Mapping[str, Any]) -> Layer:
    """Returns the layer that `{"kind": ..., **layer.config()}` described, with the layers and penalties inside it.

    Raises:
        FileError: there is no such kind.
        ConfigurationError: an option is out of its range.
    """
    options = dict(config)
    kind = options.pop("kind")
    if kind not in LAYERS:
        raise unknown_kind("layer", kind)
    inner = {name: _inner(value) for name, value in options.items() if isinstance(value, dict)}
    return LAYERS[kind](**options | inner)


def _inner(config: Mapping[str, Any]) -> Layer | L1L2:
    if config["kind"] != L1L2.__name__:
        return layer_from_config(config)
    return L1L2(**{name: value for name, value in config.items() if name != "kind"})
