"""A network's step, composed of its layers' steps, from the network's config and weights.

Several inputs are one vector, side by side, and so are several outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from statewise.errors import ConfigurationError, ShapeError, StateError
from statewise.foundation.shapes import Array, Shape
from statewise.layers.final_state import FinalState
from statewise.layers.nodes import (
    INPUT,
    NetworkInput,
    Node,
    inputs_from_config,
    nodes_from_config,
    outputs_from_config,
    place_of_input,
)
from statewise.layers.signals import reads_ahead, signals_of, signals_of_inputs, symbols_of
from statewise.operations import Constant, Differs, Input, Joined, NetworkStep, Slice, Step, Symbol, Vector, Where
from statewise.state import LayerStates, parts_of


class Part(NamedTuple):
    """An input or output, and where its numbers are in the vector of all inputs or outputs."""

    name: str
    start: int
    size: int | None  # None where any size fits: of a single one only


class Composed(NamedTuple):
    """A network as streams run it."""

    step: NetworkStep
    step_shape: Shape  # of one step's x: [F], or [] for a symbol; None where any size fits
    symbols: int | None  # V if the network reads whole numbers 0 .. V-1
    learned: LayerStates  # rows [H] in which sequences start, of the layers that learned them
    inputs: tuple[Part, ...]  # of x, if there are several; otherwise empty
    outputs: tuple[Part, ...]


class _Given(NamedTuple):
    """What a step reads."""

    x: Input | Symbol
    values: dict[int, Vector]  # of each input, by place
    step_shape: Shape
    symbols: int | None
    parts: tuple[Part, ...]


def compose(config: Mapping[str, Any], params: Mapping[str, Mapping[str, Any]]) -> Composed:
    """Returns the network that `Network.config()` describes, with copies of its weights.

    Raises:
        FileError: there is no such layer.
        StateError: a layer cannot answer step by step, or not with what it reads.
        ConfigurationError: an option is out of range, or a layer cannot follow the one before it.
        ShapeError: a weight is missing or has another shape.
    """
    names = [options["name"] for options in config["layers"]]
    if len(set(names)) < len(names):
        raise ConfigurationError(f"layers: expected unique names, got {names!r:.200}")
    inputs = inputs_from_config(config)
    nodes = nodes_from_config(config["layers"], [given.name for given in inputs])
    _check_start(nodes, inputs)
    given = _read(nodes, inputs)
    steps, learned = _steps(nodes, given.values, params)
    _check_order(nodes, inputs)
    answers = {output.name: steps[output.place].answer for output in outputs_from_config(config, nodes)}
    outputs = _side_by_side("output", {name: answer.size for name, answer in answers.items()})
    first = [steps[place].counts for place, node in enumerate(nodes) if min(node.sources) <= INPUT]
    states = {node.name: step for node, step in zip(nodes, steps, strict=True) if step.before}
    return Composed(
        NetworkStep(
            given.x,
            next(iter(answers.values())) if len(answers) == 1 else Joined(list(answers.values())),
            {name: step.before for name, step in states.items()},
            {name: step.after for name, step in states.items()},
            _counts(counts for counts in first if counts is not None),
        ),
        given.step_shape,
        given.symbols,
        learned,
        given.parts,
        outputs,
    )


def _read(nodes: Sequence[Node], inputs: Sequence[NetworkInput]) -> _Given:
    """Returns what a step reads: one input, or several in one vector."""
    if len(inputs) == 1:
        symbols, shape = symbols_of(nodes), inputs[0].shape
        step_shape = shape[1:] if symbols is not None or len(shape) > 1 else shape
        x = Input(step_shape[-1] if step_shape else None) if symbols is None else Symbol(symbols)
        return _Given(x, {INPUT: x}, step_shape, symbols, ())
    parts = _side_by_side("input", {given.name: _features(nodes, place, given) for place, given in enumerate(inputs)})
    both = Input(sum(part.size or 0 for part in parts))
    values: dict[int, Vector] = {
        place_of_input(number): Slice(both, part.start, part.size or 0) for number, part in enumerate(parts)
    }
    return _Given(both, values, (both.size,), None, parts)


def _features(nodes: Sequence[Node], number: int, given: NetworkInput) -> int | None:
    """Returns how many numbers one step of an input has, or the input itself if it has no steps."""
    if symbols_of(nodes, number) is not None:
        raise StateError(
            f"input {given.name!r} is read as symbols, which streams support only if it is the only input; use "
            "model(x, state)"
        )
    return given.shape[-1] if len(given.shape) <= 2 else None


def _side_by_side(what: str, sizes: Mapping[str, int | None]) -> tuple[Part, ...]:
    """Returns where inputs or outputs of these sizes are if they follow each other."""
    parts, start = [], 0
    for name, size in sizes.items():
        if size is None and len(sizes) > 1:
            raise StateError(
                f"{what} {name!r}: streams with several {what}s need a known number of features of each; use "
                "model(x, state)"
            )
        parts.append(Part(name, start, size))
        start += size or 0
    return tuple(parts)


def _steps(
    nodes: Sequence[Node], values: Mapping[int, Vector], params: Mapping[str, Mapping[str, Any]]
) -> tuple[list[Step], LayerStates]:
    """Returns the step of each node, and the rows in which sequences start, of those that learned them."""
    steps: list[Step] = []
    learned: LayerStates = {}
    for node in nodes:
        if isinstance(node.layer, FinalState):
            steps.append(Step(parts_of(steps[node.sources[0]].after)[node.layer.part]))
            continue
        read = [values[source] if source <= INPUT else steps[source].answer for source in node.sources]
        weights = _weights_of(node, read[0], params.get(node.weights, {}))
        whole: Any = read if node.layer.joins else read[0]
        steps.append(node.layer.step(whole, weights | _statistics_of(node, read[0], params)))
        if rows := node.layer.learned_state(weights):
            learned[node.name] = rows
    return steps, learned


def _check_start(nodes: Sequence[Node], inputs: Sequence[NetworkInput]) -> None:
    """Raises StateError if there are two time axes, or if a layer starts in values of the graph."""
    axes = dict.fromkeys(str(signal.axis) for signal in signals_of_inputs(nodes, inputs) if signal.axis is not None)
    if len(axes) > 1:
        listed = " and ".join(map(repr, axes))
        raise StateError(f"a stream has one time axis, the inputs of this network have {listed}; use model(x, state)")
    if begun := [node.name for node in nodes if node.start]:
        raise StateError(
            f"layer {begun[0]!r} starts in values of the graph, which streams do not support; use model(x, state)"
        )


def _check_order(nodes: Sequence[Node], inputs: Sequence[NetworkInput]) -> None:
    """Raises StateError if a node reads, at each step, what depends on later steps."""
    known = dict(enumerate(signals_of(nodes, inputs)))
    known |= {place_of_input(number): signal for number, signal in enumerate(signals_of_inputs(nodes, inputs))}
    for place, node in enumerate(nodes):
        if reads_ahead(place, node, known.__getitem__):
            raise StateError(
                f"layer {node.name!r} reads, at each step, what is known at the end only; give whole sequences to "
                "model.predict(x)"
            )


def _counts(conditions: Iterable[Differs]) -> Differs | None:
    """Returns the condition under which a step counts: that of all layers which skip steps."""
    different = {(condition.source, condition.value): condition for condition in conditions}
    return reduce(_both, different.values()) if different else None


def _both(one: Differs, other: Differs) -> Differs:
    number = Constant(np.ones(1, np.float32))
    return Differs(Where(one, number) * Where(other, number), 0.0)


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
