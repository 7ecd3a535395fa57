"""The initial weights of a Keras model whose layers ask for others than statewise's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import statewise as sw
from statewise.foundation.shapes import Array
from statewise.legacy.initializers import Initializer, Orthogonal, RandomUniform, VarianceScaling, Zeros
from statewise.legacy.layer import Layer

USUAL: dict[str, Initializer] = {
    "kernel": VarianceScaling(1.0, "fan_avg", "uniform"),
    "recurrent_kernel": Orthogonal(),
    "bias": Zeros(),
    "embeddings": RandomUniform(),
}
"""What statewise starts weights from."""


def start(core: sw.Sequential, layers: Sequence[Layer]) -> None:
    """Changes the fresh weights of `core` to those that its layers ask for."""
    fresh, found = core.get_weights(), list[Array]()
    for layer in layers:
        places = enumerate(layer.core.weight_names, len(found))
        own = [_drawn(layer, name, fresh[place], _seed(core, place)) for place, name in places]
        found.extend(own if layer.start_weights is None else [np.asarray(weight) for weight in layer.start_weights])
    core.set_weights(found)


def _seed(core: sw.Sequential, place: int) -> int:
    return int(np.random.default_rng([core.seed, place]).integers(2**31 - 1))


def _drawn(layer: Layer, name: str, fresh: Array, seed: int) -> Array:
    """Returns one weight as the layer asks for it; `fresh` is statewise's."""
    initializer, part = layer.initial.get(name), name.rpartition(".")[2]
    forgets = getattr(layer, "unit_forget_bias", False)
    usual = initializer is None or initializer == USUAL.get(part)
    if usual and (part != "bias" or forgets == bool(fresh.any())):
        return fresh
    drawn = (initializer or Zeros()).weights(fresh.shape, seed)
    if part == "bias" and forgets:
        units = len(drawn) // 4
        drawn[units : 2 * units] = 1.0  # the forget gate's
    return drawn
