"""What a network consists of: nodes, inputs and outputs, and what follows from those before there are weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from statewise.errors import ConfigurationError, StateError
from statewise.foundation.shapes import Shape
from statewise.layers import Layer
from statewise.layers.final_state import FinalState
from statewise.layers.nodes import (
    INPUT,
    NetworkInput,
    NetworkOutput,
    Node,
    nodes_of_chain,
    nodes_to_config,
    place_of_input,
)
from statewise.layers.recurrent import Recurrent
from statewise.layers.registry import own_layer
from statewise.layers.signals import (
    Axis,
    Signal,
    axis_read,
    ends_read,
    reads_ahead,
    signals_of,
    signals_of_inputs,
    symbols_of,
)


@dataclass(frozen=True)
class Graph:
    """Nodes, in an order in which each reads only what is before it, with inputs and outputs.

    Weights go by layer, states by node: a layer that is used twice has its weights once, and a state for each use.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[NetworkInput, ...]
    outputs: tuple[NetworkOutput, ...]

    @classmethod
    def of(cls, layers: Sequence[Layer], input_shape: Shape) -> Self:
        """Returns the chain of `layers` after checking that there are some and that each fits the one before it."""
        if not layers:
            raise ConfigurationError("a network needs at least one layer, such as LSTM(32)")
        return cls.of_nodes(nodes_of_chain(layers), input_shape)

    @classmethod
    def of_nodes(cls, nodes: tuple[Node, ...], input_shape: Shape) -> Self:
        """Returns the network of one input, whose last node makes the output; checks as `checked` does."""
        given = NetworkInput("input", tuple(input_shape), "input")
        return cls(nodes, (given,), (NetworkOutput(nodes[-1].name, len(nodes) - 1),)).checked()

    def checked(self) -> Self:
        """Returns the network after checking that each node fits what it reads."""
        self.signals  # noqa: B018 - raises if a layer does not fit
        return self

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        """The shape, and whose steps it has, of each node's output."""
        return signals_of(self.nodes, self.inputs)

    @cached_property
    def given(self) -> tuple[Signal, ...]:
        """The shape, and whose steps it has, of each input."""
        return signals_of_inputs(self.nodes, self.inputs)

    def signal(self, source: int) -> Signal:
        """Returns the shape and steps of a source, an input or a node, by its place."""
        return self.signals[source] if source >= 0 else self.given[INPUT - source]

    def name_of(self, source: int) -> str:
        """Returns the name of a source."""
        return self.nodes[source].name if source >= 0 else self.inputs[INPUT - source].name

    def place_of(self, name: str) -> int:
        """Returns the place of an input or a node by its name; the name must be there."""
        names = [entry.name for entry in self.inputs]
        return place_of_input(names.index(name)) if name in names else self.names.index(name)

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """The time axes of the inputs, those first that others depend on the end of."""
        found = list(dict.fromkeys(str(signal.axis) for signal in self.given if signal.axis is not None))
        waits = {axis: set[Any]() for axis in found}
        for node, signal in zip(self.nodes, self.signals, strict=True):
            axis = self.axis_read(node)
            if axis in waits:
                waits[str(axis)] |= signal.ends & set(found)
        return tuple(sorted(found, key=lambda axis: len(waits[axis] - {axis})))

    def only_axis(self, what: str) -> str:
        """Returns the time axis of a network that has one, for `what` counts its steps.

        Raises:
            ConfigurationError: there are several, or none.
        """
        if len(self.axes) != 1:
            listed = ", ".join(map(repr, self.axes)) or "none"
            raise ConfigurationError(f"{what}: expected a network with one time axis, got {listed}: leave it out")
        return self.axes[0]

    def axis_read(self, node: Node) -> Axis | None:
        """Returns the time axis that a node goes through; None if it reads rows."""
        return axis_read(node, self.signal)

    def ends_read(self, node: Node) -> frozenset[Axis]:
        """Returns the time axes that must have been read to their ends before a node's sources are known."""
        return ends_read(node, self.signal)

    def for_steps(self, steps: Mapping[str, int]) -> Self:
        """Returns the network for inputs of so many steps by time axis, if layers make an unknown number of steps."""
        if not any(isinstance(signal.axis, int) and signal.shape[0] is None for signal in self.signals):
            return self
        pairs = zip(self.inputs, self.given, strict=True)
        inputs = tuple(
            given._replace(shape=(steps[given.axis], *given.shape[1:]))
            if signal.axis is not None and given.axis in steps
            else given
            for given, signal in pairs
        )
        return replace(self, inputs=inputs)

    def output_shape_for(self, steps: Mapping[str, int], output: str | None = None) -> Shape:
        """Returns the shape of an output, by default the first, for inputs of so many steps by time axis.

        Raises:
            ShapeError: a layer cannot read so few steps.
        """
        own = self if output is None else self.toward(output)
        shape, axis = own.output_shape, own.signals[own.outputs[0].place].axis
        if isinstance(axis, str) and len(shape) == 2:
            return (steps[axis], shape[1])
        return own.for_steps(steps).output_shape if None in shape[:-1] else shape

    @property
    def single(self) -> bool:
        """Whether there is one input and one output, as in a chain."""
        return len(self.inputs) == len(self.outputs) == 1

    @property
    def input_shape(self) -> Shape:
        """The shape of the first input, without batch axis."""
        return self.inputs[0].shape

    @property
    def input_name(self) -> str:
        """The name of the first input."""
        return self.inputs[0].name

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layer of each node."""
        return tuple(node.layer for node in self.nodes)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each node."""
        return tuple(node.name for node in self.nodes)

    @property
    def owners(self) -> list[Node]:
        """The nodes whose weights go by their own name: each layer's first."""
        return [node for node in self.nodes if node.weights == node.name]

    @property
    def is_chain(self) -> bool:
        """Whether each node reads the one before it, and the last makes the only output."""
        last = self.single and self.outputs[0].place == len(self.nodes) - 1
        return last and all(node.sources == (place - 1,) and not node.start for place, node in enumerate(self.nodes))

    def read_shape(self, node: Node) -> Shape:
        """Returns the shape, without batch axis, of what a node reads, or of the first of several."""
        return self.signal(node.sources[0]).shape

    # -- of the output, or the first of several -------------------------------------------------------------------

    def toward(self, output: str) -> Self:
        """Returns the network with one of its outputs only."""
        return replace(self, outputs=tuple(given for given in self.outputs if given.name == output))

    @property
    def _made(self) -> Node:
        """The node that makes the output."""
        return self.nodes[self.outputs[0].place]

    @property
    def output_shape(self) -> Shape:
        """The shape of `y` without batch axis."""
        return self.signals[self.outputs[0].place].shape

    @property
    def width(self) -> int:
        """V, how many numbers an output has; 0 if that is unknown."""
        return self.output_shape[-1] or 0

    @property
    def from_output(self) -> tuple[Layer, ...]:
        """The layers that make the outputs, the last one first, back to where a layer reads several others."""
        place = self.outputs[0].place
        found = [self.nodes[place]]
        while len(sources := self.nodes[place].sources) == 1 and sources[0] > INPUT:
            place = sources[0]
            found.append(self.nodes[place])
        return tuple(node.layer for node in found)

    @property
    def answers_each_step(self) -> bool:
        """Whether `y` has the time axis of an input."""
        return len(self.output_shape) == 2 and isinstance(self.signals[self.outputs[0].place].axis, str)

    # -- of the input, or the first of several --------------------------------------------------------------------

    @property
    def symbols(self) -> int | None:
        """V if the network reads integers 0 .. V-1, None if it reads real numbers."""
        return symbols_of(self.nodes)

    @property
    def symbols_by_input(self) -> tuple[int | None, ...]:
        """V of each input that is integers 0 .. V-1, None of those that are real numbers."""
        return tuple(symbols_of(self.nodes, number) for number in range(len(self.inputs)))

    @property
    def reads_steps(self) -> bool:
        """Whether `x` has a time axis."""
        return bool(self.axes)

    # -- of all ----------------------------------------------------------------------------------------------------

    @property
    def weight_names(self) -> list[tuple[str, str]]:
        """Layer and weight of each array of weights, in Keras's order."""
        return [(node.name, weight) for node in self.owners for weight in node.layer.weight_names]

    @property
    def memory(self) -> tuple[str, ...]:
        """Names of the nodes that have a state."""
        return tuple(node.name for node in self.nodes if node.layer.has_memory)

    def _ahead(self, node: Node) -> bool:
        """Returns whether a node's layer looks ahead, where it has steps to look at."""
        return node.layer.looks_ahead and self.axis_read(node) is not None

    @property
    def looks_ahead(self) -> str | None:
        """The name of a layer whose outputs depend on later steps; None if there is none."""
        places = enumerate(self.nodes)
        ahead = (node.name for place, node in places if self._ahead(node) or reads_ahead(place, node, self.signal))
        return next(ahead, None)

    @cached_property
    def unkept(self) -> str | None:
        """The name of a layer that reads, besides its own steps, some of which nothing is kept; None if there is none.

        Of other steps a state is kept, and what is made of it alone; so they can be read before, in pieces.
        """
        kept: set[int] = {place_of_input(number) for number, signal in enumerate(self.given) if signal.axis is None}
        for place, node in enumerate(self.nodes):
            axis, sources = self.axis_read(node), (*node.sources, *node.start)
            if isinstance(axis, str) and any(
                source not in kept and self.signal(source).axis != axis for source in sources
            ):
                return node.name
            ended = isinstance(node.layer, Recurrent) and not node.layer.return_sequences
            if ended or isinstance(node.layer, FinalState) or kept.issuperset(sources):
                kept.add(place)
        return None

    @property
    def whole_only(self) -> str | None:
        """Why rows can only be read whole, not in pieces, as a clause; None if they can be read in pieces."""
        for place, node in enumerate(self.nodes):
            if self._ahead(node):
                return f"layer {node.name!r} reads its input from {node.layer.reads_from}"
            if reads_ahead(place, node, self.signal):
                return f"layer {node.name!r} reads, at each step, what is known at the end only"
            if node.layer.unbounded:
                return f"layer {node.name!r} reads at each step all those before it, as it has no window"
        if self.unkept is not None:
            return f"layer {self.unkept!r} reads all steps of another time axis at once, of which nothing is kept"
        pairs = zip(self.nodes, self.signals, strict=True)
        remade = (
            node.name
            for node, signal in pairs
            if not node.layer.keeps_steps and (self.axis_read(node) is not None or signal.axis is not None)
        )
        return next((f"layer {name!r} rearranges the steps that it reads" for name in remade), None)

    @cached_property
    def takes_padding(self) -> bool:
        """Whether rows with masked steps appended get the same outputs, and end in the same states, as without."""
        free = self.single and self.reads_steps and self.input_shape[0] is None
        distinguishable = self.answers_each_step or None not in self.output_shape  # which outputs belong to padding
        return (
            free and distinguishable and all(own_layer(layer) is None and layer.takes_padding for layer in self.layers)
        )

    def free_in_steps(self) -> Self:
        """Returns the network for inputs of any number of steps T, unless a layer must know it."""
        pairs = zip(self.inputs, self.given, strict=True)
        inputs = tuple(
            given if signal.axis is None else given._replace(shape=(None, *given.shape[1:])) for given, signal in pairs
        )
        free = replace(self, inputs=inputs)
        for place, node in enumerate(self.nodes):
            known = replace(free, nodes=self.nodes[:place], outputs=())  # what comes before this node
            if node.layer.needs_steps and None in known.read_shape(node):
                return self
        return free.checked()

    def check_carriable(self, what: str) -> None:
        """Raises StateError if no state can be carried into this network, since it does not read from the start."""
        if self.looks_ahead is not None:
            raise StateError(
                f"{what}: {self.whole_only}, so an output depends on later steps; pass whole sequences "
                "with a fresh state, or use an LSTM that reads from the start instead"
            )
        if self.unkept is not None or any(layer.unbounded for layer in self.layers):
            raise StateError(
                f"{what}: {self.whole_only}, so that rows cannot go on from a state; pass whole sequences with a fresh "
                "state"
            )

    def check_continuable(self, what: str) -> None:
        """Raises StateError if this network cannot stop within a row and continue from there."""
        self.check_carriable(what)
        if self.whole_only is not None:
            raise StateError(
                f"{what}: expected a network that can stop within a row and continue; {self.whole_only}, so this one "
                f"reads whole rows only: omit {what}"
            )

    def unnamed(self) -> Self:
        """Returns the network without names that users gave its layers, which change no result."""
        return replace(self, nodes=tuple(node._replace(layer=replace(node.layer, name=None)) for node in self.nodes))

    def config(self) -> dict[str, Any]:
        """Returns the network as JSON holds it, and as streams receive it.

        Raises:
            ConfigurationError: a layer is of a custom class.
        """
        layers = nodes_to_config(self.nodes, self.inputs)
        given = self.inputs[0]
        last = NetworkOutput(self.nodes[-1].name, len(self.nodes) - 1)
        if self.single and self.outputs[0] == last and given.axis == given.name:
            named = {} if self.is_chain else {"input_name": given.name}
            return {"input_shape": list(given.shape), **named, "layers": layers}
        return {
            "inputs": [{"name": x.name, "shape": list(x.shape), "axis": x.axis} for x in self.inputs],
            "outputs": [{"name": y.name, "layer": self.nodes[y.place].name} for y in self.outputs],
            "layers": layers,
        }
