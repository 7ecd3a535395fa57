"""A graph of layers as one pure state machine: `y, states = network.apply(params, x, states)`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.errors import ConfigurationError, StateError
from statewise.foundation.engine import on_device
from statewise.foundation.forks import check_process
from statewise.foundation.random import Key, split
from statewise.foundation.shapes import Shape
from statewise.layers import Activation, Dense, Layer, Params
from statewise.layers.base import Flags
from statewise.layers.nodes import INPUT, Node, nodes_from_config, nodes_of_chain, nodes_to_config
from statewise.layers.recurrent import Recurrent
from statewise.layers.registry import own_layer
from statewise.layers.signals import Signal, readers, signals_of, symbols_of
from statewise.state import LayerStates, State, describe_sizes, map_parts

NetworkParams = dict[str, Params]
"""Every layer's weights by the layer's name."""

jax.tree_util.register_pytree_node(
    State,
    lambda state: (
        (tuple(state.layers.values()), tuple(state.learned.values())),
        (tuple(state.layers), tuple(state.learned)),
    ),
    lambda names, parts: State(*(dict(zip(n, p, strict=True)) for n, p in zip(names, parts, strict=True))),
)


class Use(NamedTuple):
    """A node in one pass: what it reads, and what comes out."""

    node: Node
    x: Any  # an array, or a tuple of them if the layer joins several
    reset: jax.Array | None
    mask: jax.Array | None
    y: jax.Array
    state: Any


@dataclass(frozen=True)
class Network:
    """Nodes, in an order in which each reads only what is before it, and the input shape; the last makes the output.

    Weights go by layer, states by node: a layer that is used twice has its weights once, and a state for each use.
    """

    nodes: tuple[Node, ...]
    input_shape: Shape
    input_name: str = "input"

    @classmethod
    def of(cls, layers: Sequence[Layer], input_shape: Shape) -> Network:
        """Returns the chain of `layers` after checking that there are some and that each fits the one before it."""
        if not layers:
            raise ConfigurationError("a network needs at least one layer, such as LSTM(32)")
        return cls.of_nodes(nodes_of_chain(layers), input_shape)

    @classmethod
    def of_nodes(cls, nodes: tuple[Node, ...], input_shape: Shape, input_name: str = "input") -> Network:
        """Returns the network of `nodes` after checking that each fits what it reads."""
        network = cls(nodes, tuple(input_shape), input_name)
        network.signals  # noqa: B018 - raises if a layer does not fit
        return network

    @cached_property
    def signals(self) -> tuple[Signal, ...]:
        """The shape, and whose steps it has, of each node's output."""
        return signals_of(self.nodes, self.input_shape)

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
        """Whether each node reads the one before it."""
        return all(node.sources == (place - 1,) for place, node in enumerate(self.nodes))

    def read_shape(self, node: Node) -> Shape:
        """Returns the shape, without batch axis, of what a node reads, or of the first of several."""
        source = node.sources[0]
        return self.input_shape if source == INPUT else self.signals[source].shape

    @property
    def output_shape(self) -> Shape:
        """The shape of `y` without batch axis."""
        return self.signals[-1].shape

    @property
    def outputs(self) -> int:
        """V, how many numbers an output has; 0 if that is unknown."""
        return self.output_shape[-1] or 0

    @property
    def weight_names(self) -> list[tuple[str, str]]:
        """Layer and weight of each array of weights, in Keras's order."""
        return [(node.name, weight) for node in self.owners for weight in node.layer.weight_names]

    @property
    def from_output(self) -> tuple[Layer, ...]:
        """The layers that make the outputs, the last one first, back to where a layer reads several others."""
        found, place = [self.nodes[-1]], len(self.nodes) - 1
        while len(sources := self.nodes[place].sources) == 1 and sources[0] != INPUT:
            place = sources[0]
            found.append(self.nodes[place])
        return tuple(node.layer for node in found)

    @property
    def returned_state(self) -> str | None:
        """The name of the layer whose state `predict` returns; None if there is none."""
        last = self.layers[-1]
        return self.names[-1] if isinstance(last, Recurrent) and last.return_state else None

    @property
    def symbols(self) -> int | None:
        """V if the network reads integers 0 .. V-1, None if it reads real numbers."""
        return symbols_of(self.nodes)

    def init(self, key: Key) -> NetworkParams:
        """Returns initial weights."""
        owners = self.owners
        keys = zip(owners, split(key, len(owners)), strict=True)
        params: NetworkParams = on_device({n.name: n.layer.init(k, self.read_shape(n)) for n, k in keys})
        return params

    def weight_shapes(self) -> dict[str, dict[str, jax.ShapeDtypeStruct]]:
        """Returns the shapes of all weights, as a file that holds them must have them; allocates nothing."""
        shapes = {node.name: node.layer.weight_shapes(self.read_shape(node)) for node in self.owners}
        return {
            name: {weight: jax.ShapeDtypeStruct(sizes, np.float32) for weight, sizes in weights.items()}
            for name, weights in shapes.items()
        }

    def state_shapes(self, batch: int) -> dict[str, Any]:
        """Returns the shapes of the states of `batch` rows, for the layers that have one; creates one row."""
        return {
            name: map_parts(lambda part: jax.ShapeDtypeStruct((batch, *part.shape[1:]), part.dtype), state)
            for name, state in State(self.zero_state(1)).layers.items()
        }

    @property
    def memory(self) -> tuple[str, ...]:
        """Names of the nodes that have a state."""
        return tuple(node.name for node in self.nodes if node.layer.has_memory)

    @property
    def reads_steps(self) -> bool:
        """Whether `x` has a time axis."""
        return self.symbols is not None or len(self.input_shape) > 1

    @property
    def answers_each_step(self) -> bool:
        """Whether `y` has the time axis of `x`."""
        return len(self.output_shape) == 2 and self.signals[-1].steps == INPUT

    @property
    def looks_ahead(self) -> str | None:
        """The name of a layer whose outputs depend on later steps; None if there is none."""
        return next((node.name for node in self.nodes if node.layer.looks_ahead), None)

    @property
    def whole_only(self) -> str | None:
        """Why rows can only be read whole, not in pieces, as a clause; None if they can be read in pieces."""
        for node in self.nodes:
            if node.layer.looks_ahead:
                return f"layer {node.name!r} reads its input from {node.layer.reads_from}"
        remade = (node.name for node in self.nodes if not node.layer.keeps_steps)
        return next((f"layer {name!r} rearranges the steps that it reads" for name in remade), None)

    @cached_property
    def takes_padding(self) -> bool:
        """Whether rows with masked steps appended get the same outputs, and end in the same states, as without."""
        free = self.reads_steps and self.input_shape[0] is None
        distinguishable = self.answers_each_step or None not in self.output_shape  # which outputs belong to padding
        return (
            free and distinguishable and all(own_layer(layer) is None and layer.takes_padding for layer in self.layers)
        )

    def free_in_steps(self) -> Network:
        """Returns the network for input of any number of steps T, unless a layer must know it."""
        free = replace(self, input_shape=(None, *self.input_shape[1:]))
        for place, node in enumerate(self.nodes):
            known = replace(free, nodes=self.nodes[:place])  # what comes before this node
            if node.layer.needs_steps and None in known.read_shape(node):
                return self
        return free

    def zero_state(self, batch: int) -> LayerStates:
        """Returns zeros in the shape of the states of `batch` rows."""
        return {node.name: node.layer.zero_state(batch, self.read_shape(node)) for node in self.nodes}

    def learned_states(self, params: NetworkParams) -> LayerStates:
        """Returns the rows `[H]` in which sequences start, for the nodes whose layers learned them."""
        learned = {node.name: node.layer.learned_state(params[node.weights]) for node in self.nodes}
        return {name: state for name, state in learned.items() if state}

    def initial_state(self, params: NetworkParams, batch: int) -> LayerStates:
        """Returns the states in which `batch` fresh sequences start: zeros, or learned ones."""
        states = self.zero_state(batch)
        for name, learned in self.learned_states(params).items():
            check_process()
            states[name] = map_parts(lambda row: jnp.broadcast_to(row, (batch, *row.shape)), learned)
        return states

    def mask_of(self, x: jax.Array, mask: jax.Array | None) -> jax.Array | None:
        """Returns `mask` without the steps that a layer which reads the input skips: they are skipped everywhere."""
        for node in readers(self.nodes):
            own = node.layer.mask_of(x)
            mask = own if mask is None else mask if own is None else own & mask
        return mask

    def mask_of_answers(self, x: jax.Array, mask: jax.Array | None) -> jax.Array | None:
        """Returns which steps of the output for `x` count, if it has steps; `mask` is that of `x`."""
        return self._flags((None, self.mask_of(x, mask)))[-1][1]

    def _flags(self, given: Flags) -> list[Flags]:
        """Returns `reset` and `mask` for each node's output, given those of the input."""
        flags: list[Flags] = []
        for node, signal in zip(self.nodes, self.signals, strict=True):
            flags.append(node.layer.pass_on(*self._flags_read(node, flags, given), signal.shape))
        return flags

    def _flags_read(self, node: Node, flags: Sequence[Flags], given: Flags) -> Flags:
        """Returns the flags of what a node reads: of a source that has steps, if any."""
        steps = [given if source == INPUT else flags[source] for source in node.sources]
        with_steps = (source == INPUT or self.signals[source].steps is not None for source in node.sources)
        return next((read for read, has in zip(steps, with_steps, strict=True) if has), steps[0])

    def penalty(self, params: NetworkParams) -> jax.Array | None:
        """Returns what the regularizers of all layers that are trained add to the loss; None if there are none."""
        penalties = [
            regularizer.penalty(params[node.name][weight])
            for node in self.owners
            if not node.layer.frozen
            for weight, regularizer in node.layer.regularizers.items()
            if regularizer is not None
        ]
        return sum(penalties[1:], penalties[0]) if penalties else None

    def keep_frozen(self, before: NetworkParams, after: NetworkParams) -> NetworkParams:
        """Returns the weights `after` an update, those of frozen layers as they were `before`."""
        frozen = {node.name for node in self.owners if node.layer.frozen}
        return {name: before[name] if name in frozen else weights for name, weights in after.items()}

    def apply(
        self,
        params: NetworkParams,
        x: jax.Array,
        states: LayerStates,
        *,
        reset: jax.Array | None = None,
        mask: jax.Array | None = None,
        rng: jax.Array | None = None,
    ) -> tuple[jax.Array, LayerStates]:
        """Returns `(y, states)`; `rng` in training only. Arguments as in `Layer.apply`."""
        after: LayerStates = {}
        for use in self.uses(params, x, states, reset=reset, mask=mask, rng=rng):
            x, after[use.node.name] = use.y, use.state
        return x, after

    def uses(
        self,
        params: NetworkParams,
        x: jax.Array,
        states: LayerStates,
        *,
        reset: jax.Array | None = None,
        mask: jax.Array | None = None,
        rng: jax.Array | None = None,
    ) -> Iterator[Use]:
        """Yields each node with what it reads and outputs; arguments as for `apply`."""
        given, values = (reset, self.mask_of(x, mask)), list[jax.Array]()
        flags = self._flags(given)
        for place, node in enumerate(self.nodes):
            read = tuple(x if source == INPUT else values[source] for source in node.sources)
            again, real = self._flags_read(node, flags, given)
            key = None if rng is None else jax.random.fold_in(rng, place)
            whole: Any = read if node.layer.joins else read[0]
            weights = jax.lax.stop_gradient(params[node.weights]) if node.layer.frozen else params[node.weights]
            y, state = node.layer.apply(weights, whole, states[node.name], reset=again, mask=real, rng=key)
            values.append(y)
            yield Use(node, whole, again, real, y, state)

    def without_head(self) -> tuple[Network, str]:
        """Returns the network up to its last activation, and that activation's name.

        A cross-entropy is computed from the logits before the softmax or sigmoid: exact even where the probability
        would round to 0 or 1.
        """
        last = self.layers[-1]
        if isinstance(last, Dense | Activation):
            bare = replace(last, activation="linear")
            return self._with_last(bare), last.activation
        return self, "linear"

    def before_last(self) -> Head:
        """Returns the last layer, separated from the network that makes its input."""
        last = self.nodes[-1]
        return Head(self._with_last(Activation("linear")), last.weights, last.layer, len(self.nodes) - 1)

    def _with_last(self, layer: Layer) -> Network:
        """Returns the network with another layer in its last node, with that node's weights."""
        return replace(self, nodes=(*self.nodes[:-1], self.nodes[-1]._replace(layer=layer)))

    def unnamed(self) -> Network:
        """Returns the network without names that users gave its layers, which change no result."""
        nodes = tuple(node._replace(layer=replace(node.layer, name=None)) for node in self.nodes)
        return Network(nodes, self.input_shape)

    def state_of(self, params: NetworkParams, states: LayerStates) -> State:
        """Returns the states of all layers as a State, in the layers' order."""
        return State({name: states[name] for name in self.names}, self.learned_states(params))

    def check_state(self, state: object, batch: int | None = None) -> LayerStates:
        """Returns the layers' states after checking that `state` is this network's, for `batch` rows if given."""
        rows = "batch" if batch is None else batch
        if not isinstance(state, State):
            raise StateError(f"state: expected a State, got {type(state).__name__}; use model.initial_state({rows})")
        wanted, found = self._state_sizes, state.sizes()
        if found != wanted:
            raise StateError(
                f"this state belongs to another network: expected {describe_sizes(wanted)}, got "
                f"{describe_sizes(found)}; start from model.initial_state({rows})"
            )
        if wanted and batch is not None and state.batch != batch:
            raise StateError(
                f"the state has {state.batch} row(s), the input {batch}; choose rows with state.rows(...), copy them "
                f"with state.fork(n), or start from model.initial_state({batch})"
            )
        return {name: state.layers.get(name, ()) for name in self.names}

    @cached_property
    def _state_sizes(self) -> dict[str, dict[str, tuple[int, ...]]]:
        return State(self.zero_state(1)).sizes()

    def check_carriable(self, what: str) -> None:
        """Raises StateError if no state can be carried into this network, since it does not read from the start."""
        if self.looks_ahead is not None:
            raise StateError(
                f"{what}: {self.whole_only}, so an output depends on later steps; pass whole sequences "
                "with a fresh state, or use an LSTM that reads from the start instead"
            )

    def check_continuable(self, what: str) -> None:
        """Raises StateError if this network cannot stop within a row and continue from there."""
        self.check_carriable(what)
        if self.whole_only is not None:
            raise StateError(
                f"{what}: expected a network that can stop within a row and continue; {self.whole_only}, so this one "
                f"reads whole rows only: omit {what}"
            )

    def config(self) -> dict[str, Any]:
        """Returns the network as JSON holds it, and as streams receive it.

        Raises:
            ConfigurationError: a layer is of a custom class.
        """
        named = {} if self.is_chain else {"input_name": self.input_name}
        return {"input_shape": list(self.input_shape), **named, "layers": nodes_to_config(self.nodes, self.input_name)}


class Head(NamedTuple):
    """The layer that makes a network's outputs, separated from the rest."""

    before: Network  # outputs what the layer reads
    name: str
    layer: Layer
    place: int  # from which the layer's random key is derived


def network_from_config(config: dict[str, Any]) -> Network:
    """Returns the network that `Network.config` described."""
    name = config.get("input_name", "input")
    return Network.of_nodes(nodes_from_config(config["layers"], name), tuple(config["input_shape"]), name)
