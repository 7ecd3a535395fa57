"""A network's step, composed of its layers' steps, from the network's config and weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from statewise.errors import ConfigurationError, ShapeError
from statewise.foundation.shapes import Array, Shape
from statewise.layers.base import Layer
from statewise.layers.registry import layer_from_config
from statewise.operations import Input, NetworkStep, Step, Symbol, Vector
from statewise.state import LayerStates


class Composed(NamedTuple):
    """A network as streams run it."""

    step: NetworkStep
    step_shape: Shape  # of one step's x: [F], or [] for a symbol; None where any size fits
    symbols: int | None  # V if the network reads whole numbers 0 .. V-1
    learned: LayerStates  # rows [H] in which sequences start, of the layers that learned them


def compose(config: Mapping[str, Any], params: Mapping[str, Mapping[str, Any]]) -> Composed:
    """Returns the network that `Network.config()` describes, with copies of its weights.

    Raises:
        FileError: there is no such layer.
        StateError: a layer cannot answer step by step.
        ConfigurationError: an option is out of range, or a layer cannot follow the one before it.
        ShapeError: a weight is missing or has another shape.
    """
    names = [options["name"] for options in config["layers"]]
    if len(set(names)) < len(names):
        raise ConfigurationError(f"layers: expected unique names, got {names!r:.200}")
    layers, shape = [layer_from_config(options) for options in config["layers"]], tuple(config["input_shape"])
    symbols = layers[0].symbols
    step_shape = shape[1:] if symbols is not None or len(shape) > 1 else shape
    x = Input(step_shape[-1] if step_shape else None) if symbols is None else Symbol(symbols)
    answer: Vector = x
    steps: dict[str, Step] = {}
    learned: LayerStates = {}
    for name, layer in zip(names, layers, strict=True):
        weights = _weights_of(layer, name, answer, params.get(name, {}))
        steps[name], learned[name] = layer.step(answer, weights), layer.learned_state(weights)
        answer = steps[name].answer
    return Composed(
        NetworkStep(
            x,
            answer,
            {name: step.before for name, step in steps.items() if step.before},
            {name: step.after for name, step in steps.items() if step.after},
            steps[names[0]].counts,
        ),
        step_shape,
        symbols,
        {name: rows for name, rows in learned.items() if rows},
    )


def _weights_of(layer: Layer, name: str, x: Vector, arrays: Mapping[str, Any]) -> dict[str, Array]:
    """Returns float32 copies of a layer's weights, so that changes of the model do not affect its streams."""
    weights = {}
    for weight, shape in layer.weight_shapes((None, x.size)).items():
        if weight not in arrays:
            known = ", ".join(arrays) or "none"
            raise ShapeError(f"weights of {name!r}: expected {weight} {list(shape)}, got {known}")
        weights[weight] = np.array(arrays[weight], np.float32)
        if (found := weights[weight].shape) != shape:
            raise ShapeError(f"weights of {name!r}: expected {weight} {list(shape)}, got {list(found)}")
    return weights
