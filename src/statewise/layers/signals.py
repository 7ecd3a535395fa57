"""What runs along the edges of a network: the shape of each value, and whose steps it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from statewise.errors import ConfigurationError, ShapeError
from statewise.foundation.shapes import Shape, describe
from statewise.layers.base import MisfitError
from statewise.layers.embedding import Embedding
from statewise.layers.masking import Masking
from statewise.layers.nodes import INPUT, Node
from statewise.layers.recurrent import Recurrent


class Signal(NamedTuple):
    """A value of a network, for any row."""

    shape: Shape  # without batch axis
    steps: int | None  # whose steps its time axis has: the INPUT's, or those that a node made; None if it has none


def signals_of(nodes: Sequence[Node], input_shape: Shape) -> tuple[Signal, ...]:
    """Returns the output of each node.

    Raises:
        ShapeError: a layer cannot read what it is given, or reads values with different steps.
        ConfigurationError: a layer returns its state but is not the last.
    """
    signals: list[Signal] = []
    has_steps = len(input_shape) > 1 or symbols_of(nodes) is not None
    given = Signal(input_shape, INPUT if has_steps else None)
    for place, node in enumerate(nodes):
        _check_place(nodes, node, last=place == len(nodes) - 1)
        read = [given if source == INPUT else signals[source] for source in node.sources]
        signals.append(_output(place, node, read))
    _check_weights(nodes, signals, input_shape)
    return tuple(signals)


def _output(place: int, node: Node, read: Sequence[Signal]) -> Signal:
    layer, steps = node.layer, {signal.steps for signal in read} - {None}
    if len(steps) > 1:
        shapes = ", ".join(describe(signal.shape) for signal in read)
        raise ShapeError(
            f"layer {node.name!r}: {type(layer).__name__} expects values with the same steps, got {shapes}, not all "
            "of which have the steps of the input; join values that have one output per row"
        )
    try:
        shape = layer.output_shape(*(signal.shape for signal in read))
    except MisfitError as error:
        raise ShapeError(f"layer {node.name!r}: {error.as_first if INPUT in node.sources else error}") from None
    except ShapeError as error:
        raise ShapeError(f"layer {node.name!r}: {error}") from None
    if not layer.keeps_steps:
        return Signal(shape, place if len(shape) > 1 else None)
    keeps = len(shape) > 1 or shape == read[0].shape
    return Signal(shape, next(iter(steps), None) if keeps else None)


def _check_place(nodes: Sequence[Node], node: Node, *, last: bool) -> None:
    """Raises an error if a layer that reads the network's input reads something else, or returns its state within."""
    layer = node.layer
    if isinstance(layer, Embedding) and node.sources != (INPUT,):
        raise ShapeError(
            f"layer {node.name!r}: Embedding expects integers [B, T], got the real numbers that "
            f"{nodes[node.sources[0]].name!r} outputs; make it the first layer"
        )
    if isinstance(layer, Masking) and node.sources != (INPUT,):
        raise ShapeError(f"layer {node.name!r}: Masking reads the network's input; make it the first layer")
    if isinstance(layer, Recurrent) and layer.return_state and not last:
        raise ConfigurationError(
            f"{type(layer).__name__}(return_state=True): expected on the last layer only; every layer's state "
            "comes out of y, state = model(x)"
        )


def _check_weights(nodes: Sequence[Node], signals: Sequence[Signal], input_shape: Shape) -> None:
    """Raises ShapeError if a layer that is used again would need weights of other shapes there."""
    shapes: dict[str, dict[str, tuple[int, ...]]] = {}
    for node in nodes:
        read = input_shape if node.sources[0] == INPUT else signals[node.sources[0]].shape
        needed = node.layer.weight_shapes(read)
        first = shapes.setdefault(node.weights, needed)
        if first != needed:
            raise ShapeError(
                f"layer {node.name!r} has the weights of {node.weights!r}, but reads other features, {describe(read)}; "
                f"write {type(node.layer).__name__}(...) again for weights of its own"
            )


def symbols_of(nodes: Sequence[Node]) -> int | None:
    """Returns V if the input is integers 0 .. V-1, None if it is real numbers.

    Raises:
        ShapeError: some layers read it as integers and others as real numbers.
    """
    counts = {node.name: node.layer.symbols for node in readers(nodes)}
    known = {name: count for name, count in counts.items() if count is not None}
    if known and len(known) < len(counts):
        other = next(name for name in counts if name not in known)
        raise ShapeError(
            f"layer {next(iter(known))!r} reads the input as integers, layer {other!r} as real numbers; give the "
            "second the output of the first"
        )
    return min(known.values(), default=None)


def readers(nodes: Sequence[Node]) -> list[Node]:
    """Returns the nodes that read the input."""
    return [node for node in nodes if INPUT in node.sources]
