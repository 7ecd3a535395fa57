"""What runs along the edges of a network: the shape of each value, and whose steps it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from statewise.errors import ShapeError
from statewise.foundation.shapes import Shape, describe
from statewise.layers.base import MisfitError
from statewise.layers.embedding import Embedding
from statewise.layers.final_state import FinalState
from statewise.layers.masking import Masking
from statewise.layers.nodes import INPUT, NetworkInput, Node, place_of_input

Axis = str | int
"""A time axis: that of an input, by name, or the place of the node that made its steps."""


class Signal(NamedTuple):
    """A value of a network, for any row."""

    shape: Shape  # without batch axis
    axis: Axis | None  # whose steps its time axis has; None if it has none
    ends: frozenset[Axis] = frozenset()  # the axes whose steps must all have been read before it is known


def signals_of_inputs(nodes: Sequence[Node], inputs: Sequence[NetworkInput]) -> tuple[Signal, ...]:
    """Returns the values of the inputs; those read as symbols have steps, without features."""
    return tuple(
        Signal(given.shape, given.axis if symbols_of(nodes, number) is not None or len(given.shape) > 1 else None)
        for number, given in enumerate(inputs)
    )


def signals_of(nodes: Sequence[Node], inputs: Sequence[NetworkInput]) -> tuple[Signal, ...]:
    """Returns the output of each node.

    Raises:
        ShapeError: a layer cannot read what it is given, or reads values with different steps.
    """
    given = signals_of_inputs(nodes, inputs)
    known = {place_of_input(number): signal for number, signal in enumerate(given)}
    for place, node in enumerate(nodes):
        _check_place(nodes, node)
        read = [known[source] for source in node.sources]
        begun = [known[source] for source in node.start]
        known[place] = _output(place, node, read, begun)
        if isinstance(node.layer, FinalState):  # whose layer's output may have another size
            sizes = nodes[node.sources[0]].layer.state_sizes
            known[place] = known[place]._replace(shape=(sizes[node.layer.part],))
    _check_weights(nodes, known)
    return tuple(known[place] for place in range(len(nodes)))


def _output(place: int, node: Node, read: Sequence[Signal], begun: Sequence[Signal]) -> Signal:
    layer = node.layer
    try:
        shape = layer.output_shape(*(signal.shape for signal in read))
    except MisfitError as error:
        raise ShapeError(f"layer {node.name!r}: {error.as_first if min(node.sources) < 0 else error}") from None
    except ShapeError as error:
        raise ShapeError(f"layer {node.name!r}: {error}") from None
    axis, whole = _axis_of(node, read)
    ends = frozenset().union(whole, *(signal.ends for signal in (*read, *begun)))
    if not layer.keeps_steps:
        ends |= {axis} if axis is not None else set()
        return Signal(shape, place if len(shape) > 1 else None, ends)
    if len(shape) > 1 or shape == read[0].shape:
        return Signal(shape, axis, ends)
    return Signal(shape, None, ends if axis is None else ends | {axis})


def _axis_of(node: Node, read: Sequence[Signal]) -> tuple[Axis | None, set[Axis]]:
    """Returns whose steps a node goes through, and which other steps it reads as a whole."""
    axes = [signal.axis for signal in read]
    leading = node.layer.steps_from
    if leading is not None:
        others = [axis for place, axis in enumerate(axes) if place != leading]
        ahead = not node.layer.reads_back
        if (node.layer.has_memory or node.layer.unbounded) and any(axis != axes[leading] for axis in others):
            raise ShapeError(
                f"layer {node.name!r}: causal and window compare steps of one time axis; leave them out for values on "
                "another one"
            )
        return axes[leading], {axis for axis in others if axis is not None and (ahead or axis != axes[leading])}
    known = {axis for axis in axes if axis is not None}
    if len(known) > 1:
        shapes = ", ".join(describe(signal.shape) for signal in read)
        names = [axis for axis in known if isinstance(axis, str)]
        way_out = (
            f"inputs that move together have one axis, as in sw.Input(shape, name=..., axis={min(names)!r}), others "
            "can be joined by their last outputs"
            if len(names) == len(known)
            else "join values that have one output per row"
        )
        raise ShapeError(
            f"layer {node.name!r}: {type(node.layer).__name__} expects values with the same steps, got {shapes} on "
            f"different time axes; {way_out}"
        )
    return next(iter(known), None), set()


def axis_read(node: Node, signal_at: Callable[[int], Signal]) -> Axis | None:
    """Returns the time axis that a node goes through, of the signals by place; None if it reads rows."""
    leading = node.layer.steps_from
    sources = node.sources if leading is None else (node.sources[leading],)
    axes = (signal_at(source).axis for source in sources)
    return next((axis for axis in axes if axis is not None), None)


def ends_read(node: Node, signal_at: Callable[[int], Signal]) -> frozenset[Axis]:
    """Returns the time axes that must have been read to their ends before a node's sources are known."""
    return frozenset().union(*(signal_at(source).ends for source in (*node.sources, *node.start)))


def reads_ahead(place: int, node: Node, signal_at: Callable[[int], Signal]) -> bool:
    """Returns whether a node, at its place, reads at each step what depends on later steps of the same axis."""
    axis, signal = axis_read(node, signal_at), signal_at(place)
    return axis is not None and (axis in ends_read(node, signal_at) or (signal.axis == axis and axis in signal.ends))


def _check_place(nodes: Sequence[Node], node: Node) -> None:
    """Raises an error if a layer that reads an input, or a state, reads something else."""
    layer, source = node.layer, node.sources[0]
    if isinstance(layer, Embedding) and source > INPUT:
        raise ShapeError(
            f"layer {node.name!r}: Embedding expects integers [B, T], got the real numbers that "
            f"{nodes[source].name!r} outputs; make it the first layer"
        )
    if isinstance(layer, Masking) and source > INPUT:
        raise ShapeError(f"layer {node.name!r}: Masking reads an input of the network; make it the first layer")
    if isinstance(layer, FinalState) and (source <= INPUT or layer.part not in nodes[source].layer.state_sizes):
        raise ShapeError(f"layer {node.name!r}: FinalState reads a layer whose state has a part {layer.part!r}")
    if node.start and len(node.start) != len(layer.state_sizes):
        raise ShapeError(f"layer {node.name!r}: expected {len(layer.state_sizes)} value(s) to start in")


def _check_weights(nodes: Sequence[Node], known: Mapping[int, Signal]) -> None:
    """Raises ShapeError if a layer that is used again would need weights of other shapes there."""
    shapes: dict[str, dict[str, tuple[int, ...]]] = {}
    for node in nodes:
        read = known[node.sources[0]].shape
        needed = node.layer.weight_shapes(read)
        first = shapes.setdefault(node.weights, needed)
        if first != needed:
            raise ShapeError(
                f"layer {node.name!r} has the weights of {node.weights!r}, but reads other features, {describe(read)}; "
                f"write {type(node.layer).__name__}(...) again for weights of its own"
            )


def symbols_of(nodes: Sequence[Node], number: int = 0) -> int | None:
    """Returns V if an input, by its number, is integers 0 .. V-1, None if it is real numbers.

    Raises:
        ShapeError: some layers read it as integers and others as real numbers.
    """
    counts = {node.name: node.layer.symbols for node in readers(nodes, place_of_input(number))}
    known = {name: count for name, count in counts.items() if count is not None}
    if known and len(known) < len(counts):
        other = next(name for name in counts if name not in known)
        raise ShapeError(
            f"layer {next(iter(known))!r} reads the input as integers, layer {other!r} as real numbers; give the "
            "second the output of the first"
        )
    return min(known.values(), default=None)


def readers(nodes: Sequence[Node], place: int = INPUT) -> list[Node]:
    """Returns the nodes that read an input, or a node, by its place."""
    return [node for node in nodes if place in node.sources]
