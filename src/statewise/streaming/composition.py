"""A network's step, composed of its layers' steps, from the network's config and weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from statewise.errors import ConfigurationError, ShapeError, StateError
from statewise.foundation.shapes import Array, Shape
from statewise.layers.nodes import INPUT, Node, nodes_from_config
from statewise.layers.signals import readers, symbols_of
from statewise.operations import Differs, Input, NetworkStep, Step, Symbol, Vector
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
    if "inputs" in config:
        raise StateError("streams of networks with several inputs or outputs are not there yet; use model(x, state)")
    nodes = nodes_from_config(config["layers"], [config.get("input_name", "input")])
    symbols, shape = symbols_of(nodes), tuple(config["input_shape"])
    step_shape = shape[1:] if symbols is not None or len(shape) > 1 else shape
    x = Input(step_shape[-1] if step_shape else None) if symbols is None else Symbol(symbols)
    steps: dict[str, Step] = {}
    learned: LayerStates = {}
    for node in nodes:
        read = [x if source == INPUT else steps[names[source]].answer for source in node.sources]
        weights = _weights_of(node, read[0], params.get(node.weights, {}))
        whole: Any = read if node.layer.joins else read[0]
        steps[node.name] = node.layer.step(whole, weights | _statistics_of(node, read[0], params))
        learned[node.name] = node.layer.learned_state(weights)
    return Composed(
        NetworkStep(
            x,
            steps[names[-1]].answer,
            {name: step.before for name, step in steps.items() if step.before},
            {name: step.after for name, step in steps.items() if step.after},
            _counts([(node, steps[node.name].counts) for node in readers(nodes)]),
        ),
        step_shape,
        symbols,
        {name: rows for name, rows in learned.items() if rows},
    )


def _counts(conditions: list[tuple[Node, Differs | None]]) -> Differs | None:
    """Returns the condition under which a step counts, which layers that read the input set."""
    known = [(node, counts) for node, counts in conditions if counts is not None]
    if len({counts.value for _, counts in known}) > 1:
        (one, _), (other, _) = known[:2]
        raise StateError(
            f"layers {one.name!r} and {other.name!r} skip different steps, which streams do not support; use one "
            "Masking layer, or model.predict(x)"
        )
    return known[0][1] if known else None


def _statistics_of(node: Node, x: Vector, params: Mapping[str, Mapping[str, Any]]) -> dict[str, Array]:
    """Returns float32 copies of a layer's statistics, if it has any."""
    expected, found = node.layer.initial_statistics((None, x.size)), params.get(f"{node.name}/statistics", {})
    for name, initial in expected.items():
        if name not in found or np.shape(found[name]) != initial.shape:
            raise ShapeError(f"statistics of {node.name!r}: expected {name} {list(initial.shape)}")
    return {name: np.array(found[name], np.float32) for name in expected}


def _weights_of(node: Node, x: Vector, arrays: Mapping[str, Any]) -> dict[str, Array]:
    """Returns float32 copies of a layer's weights, so that changes of the model do not affect its streams."""
    weights, name = {}, node.weights
    for weight, shape in node.layer.weight_shapes((None, x.size)).items():
        if weight not in arrays:
            known = ", ".join(arrays) or "none"
            raise ShapeError(f"weights of {name!r}: expected {weight} {list(shape)}, got {known}")
        weights[weight] = np.array(arrays[weight], np.float32)
        if (found := weights[weight].shape) != shape:
            raise ShapeError(f"weights of {name!r}: expected {weight} {list(shape)}, got {list(found)}")
    return weights
