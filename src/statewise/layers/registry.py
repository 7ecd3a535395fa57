"""Every layer by the name that a model file calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statewise.errors import unknown_name
from statewise.layers.base import Layer
from statewise.layers.dense import Activation, Dense
from statewise.layers.embedding import Embedding
from statewise.layers.gated import GRU, LSTM
from statewise.layers.masking import Masking
from statewise.layers.penalties import L1L2
from statewise.layers.regularisation import Dropout
from statewise.layers.shaping import Flatten, Permute, RepeatVector, Reshape
from statewise.layers.simple import SimpleRNN
from statewise.layers.wrappers import Bidirectional, TimeDistributed

LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        *(Activation, Bidirectional, Dense, Dropout, Embedding, Flatten, GRU, LSTM, Masking, Permute),
        *(RepeatVector, Reshape, SimpleRNN, TimeDistributed),
    )
}


def heeds_masks(layer: Layer) -> bool:
    """Returns whether a masked step is known to change nothing in `layer`: so it is for all layers here."""
    inner = [value for value in vars(layer).values() if isinstance(value, Layer)]
    return type(layer) in LAYERS.values() and all(heeds_masks(part) for part in inner)


def layer_from_config(config: Mapping[str, Any]) -> Layer:
    """Returns the layer that `{"kind": ..., **layer.config()}` described, with the layers and penalties inside it.

    Raises:
        ConfigurationError: there is no such kind, or an option is out of its range.
    """
    options = dict(config)
    kind = options.pop("kind")
    if kind not in LAYERS:
        raise unknown_name("layer", kind, LAYERS)
    inner = {name: _inner(value) for name, value in options.items() if isinstance(value, dict)}
    return LAYERS[kind](**options | inner)


def _inner(config: Mapping[str, Any]) -> Layer | L1L2:
    if config["kind"] != L1L2.__name__:
        return layer_from_config(config)
    return L1L2(**{name: value for name, value in config.items() if name != "kind"})
