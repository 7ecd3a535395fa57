"""A graph of layers as one pure state machine: `y, states = network.apply(params, x, states)`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.errors import StateError
from statewise.foundation.engine import on_device, zeros
from statewise.foundation.forks import check_process
from statewise.foundation.random import Key, split
from statewise.kernels.states import WiredState
from statewise.layers import Activation, Dense, Layer, Params
from statewise.layers.nodes import Node, inputs_from_config, nodes_from_config, outputs_from_config
from statewise.layers.signals import readers
from statewise.network.graph import Graph
from statewise.network.passing import Pass, Use, by_axis, flags_of_inputs, flags_of_nodes, statistics_of
from statewise.state import LayerStates, State, describe_sizes, map_parts

NetworkParams = dict[str, Params]
"""Every layer's weights by the layer's name; what runs a network takes its statistics with them (`with_statistics`)."""


def with_statistics(params: NetworkParams, statistics: NetworkParams) -> NetworkParams:
    """Returns weights with statistics, as what runs a network takes them."""
    return params | {statistics_of(name): values for name, values in statistics.items()} if statistics else params


jax.tree_util.register_pytree_node(
    State,
    lambda state: (
        (tuple(state.layers.values()), tuple(state.learned.values())),
        (tuple(state.layers), tuple(state.learned)),
    ),
    lambda names, parts: State(*(dict(zip(n, p, strict=True)) for n, p in zip(names, parts, strict=True))),
)


@dataclass(frozen=True)
class Network(Graph):
    """A graph that computes, given weights and states.

    `x` is an array for a network of one input, and otherwise a dict of arrays by name; `y` likewise. Flags are arrays
    if there is one time axis, and otherwise dicts by axis. Inputs of a time axis may be left out of a dict: it then
    takes no step, and outputs on it are left out of `y`.
    """

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

    def initial_statistics(self) -> NetworkParams:
        """Returns what layers know of their input before training, by node, for those that have such statistics."""
        known = {node.name: node.layer.initial_statistics(self.read_shape(node)) for node in self.nodes}
        statistics: NetworkParams = on_device({name: values for name, values in known.items() if values})
        return statistics

    def state_shapes(self, batch: int) -> dict[str, Any]:
        """Returns the shapes of the states of `batch` rows, for the layers that have one; creates one row."""
        return {
            name: map_parts(lambda part: jax.ShapeDtypeStruct((batch, *part.shape[1:]), part.dtype), state)
            for name, state in State(self.zero_state(1)).layers.items()
        }

    def zero_state(self, batch: int) -> LayerStates:
        """Returns zeros in the shape of the states of `batch` rows."""
        return {node.name: self._zero_state(node, batch) for node in self.nodes}

    def _zero_state(self, node: Node, batch: int) -> Any:
        shapes = [self.signal(source).shape for source in node.sources]
        zero = node.layer.zero_state(batch, *(shapes if node.layer.joins else shapes[:1]))
        return WiredState(zeros(batch, 1), zero) if node.start else zero

    def learned_states(self, params: NetworkParams) -> LayerStates:
        """Returns the rows `[H]` in which sequences start, for the nodes whose layers learned them."""
        own = (node for node in self.nodes if not node.start)
        learned = {node.name: node.layer.learned_state(params[node.weights]) for node in own}
        return {name: state for name, state in learned.items() if state}

    def initial_state(self, params: NetworkParams, batch: int) -> LayerStates:
        """Returns the states in which `batch` fresh sequences start: zeros, or learned ones."""
        states = self.zero_state(batch)
        for name, learned in self.learned_states(params).items():
            check_process()
            states[name] = map_parts(lambda row: jnp.broadcast_to(row, (batch, *row.shape)), learned)
        return states

    def mask_of(self, x: Any, mask: Any) -> Any:
        """Returns `mask` without the steps that a layer which reads an input skips: they are skipped everywhere."""
        flags = {axis: flag for axis, (_, flag) in flags_of_inputs(self, self.by_name(x), None, mask).items()}
        if len(self.axes) < 2:
            return flags[self.axes[0]] if self.axes else mask
        return {axis: flag for axis, flag in flags.items() if flag is not None} or None

    def whole_mask(self, x: Any, mask: Any) -> Any:
        """Returns `mask` with ones for the time axes that have none; None if there is no time axis."""
        masks, given = by_axis(self, mask), self.by_name(x)
        for entry, signal in zip(self.inputs, self.given, strict=True):
            if signal.axis is not None and entry.name in given:
                masks.setdefault(entry.axis, np.ones(given[entry.name].shape[:2], bool))
        return masks if len(self.axes) > 1 else next(iter(masks.values()), None)

    def mask_of_answers(self, x: Any, mask: Any) -> Any:
        """Returns which steps of the output for `x` count, if it has steps; `mask` is that of `x`.

        For several outputs, that is a dict of those that have such a mask.
        """
        given = flags_of_inputs(self, self.by_name(x), None, mask)
        flags = flags_of_nodes(self.for_steps(self.steps_of(x)), given)
        masks = {output.name: flags[output.place][1] for output in self.outputs}
        if len(masks) == 1:
            return next(iter(masks.values()))
        return {name: flag for name, flag in masks.items() if flag is not None}

    def steps_of(self, x: Any) -> dict[str, int]:
        """Returns how many steps `x` has, by time axis."""
        given = self.by_name(x)
        pairs = zip(self.inputs, self.given, strict=True)
        return {
            entry.axis: given[entry.name].shape[1]
            for entry, signal in pairs
            if signal.axis is not None and entry.name in given
        }

    def outputs_by_name(self, y: Any) -> dict[str, Any]:
        """Returns what `apply` returns as outputs, by name."""
        return {self.outputs[0].name: y} if len(self.outputs) == 1 else dict(y)

    def as_given(self, x: Mapping[str, Any]) -> Any:
        """Returns what `by_name` would take apart."""
        return next(iter(x.values())) if len(self.inputs) == 1 else dict(x)

    def by_name(self, x: Any) -> dict[str, Any]:
        """Returns what the inputs are given, by name."""
        return {self.inputs[0].name: x} if len(self.inputs) == 1 else x

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

    def train(
        self, params: NetworkParams, x: Any, states: LayerStates, rows: jax.Array | None = None, **options: Any
    ) -> tuple[Any, LayerStates, NetworkParams]:
        """Returns `(y, states, statistics)`, those that the pass changed; `rows [B]` are not padding.

        Other arguments as for `apply`.
        """
        passed = Pass(self, params, self.by_name(x), states, **options, rows=rows)
        after = {use.node.name: use.state for use in passed}
        y = {output.name: passed.values[output.place] for output in self.outputs}
        known = {name: value for name, value in y.items() if value is not None}
        return (next(iter(y.values())) if len(y) == 1 else known), after, passed.statistics

    def apply(
        self,
        params: NetworkParams,
        x: Any,
        states: LayerStates,
        *,
        reset: Any = None,
        mask: Any = None,
        rng: jax.Array | None = None,
    ) -> tuple[Any, LayerStates]:
        """Returns `(y, states)`; `rng` in training only. Arguments as in `Layer.apply`."""
        y, after, _ = self.train(params, x, states, reset=reset, mask=mask, rng=rng)
        return y, after

    def uses(
        self, params: NetworkParams, x: Any, states: LayerStates, *, reset: Any = None, mask: Any = None
    ) -> Iterable[Use]:
        """Returns each node with what it reads and outputs; arguments as for `apply`."""
        return Pass(self, params, self.by_name(x), states, reset=reset, mask=mask)

    def without_heads(self) -> tuple[Network, tuple[str, ...]]:
        """Returns the network up to the last activation of each output, and those activations' names.

        A cross-entropy is computed from the logits before the softmax or sigmoid: exact even where the probability
        would round to 0 or 1.
        """
        bare, heads = self, []
        for number, output in enumerate(self.outputs):
            layer = self.nodes[output.place].layer
            if isinstance(layer, Dense | Activation):
                bare = bare._with_output(number, replace(layer, activation="linear"))
            heads.append(layer.activation if isinstance(layer, Dense | Activation) else "linear")
        return bare, tuple(heads)

    def without_head(self) -> tuple[Network, str]:
        """Returns the same as `without_heads` for a network of one output."""
        bare, (head,) = self.without_heads()
        return bare, head

    def before_last(self) -> Head:
        """Returns the layer that makes the output, separated from the network that makes its input."""
        place = self.outputs[0].place
        last = self.nodes[place]
        return Head(self._with_output(0, Activation("linear")), last.weights, last.layer, place)

    def _with_output(self, number: int, layer: Layer) -> Network:
        """Returns the network with another layer for an output, with the weights of the one that made it.

        If another layer reads that one's output, the new layer has a node of its own.
        """
        output = self.outputs[number]
        node = self.nodes[output.place]._replace(layer=layer)
        if not readers(self.nodes, output.place):
            nodes = (*self.nodes[: output.place], node, *self.nodes[output.place + 1 :])
            return replace(self, nodes=nodes)
        outputs = list(self.outputs)
        outputs[number] = output._replace(place=len(self.nodes))
        return replace(self, nodes=(*self.nodes, node._replace(name=f"{node.name}/bare")), outputs=tuple(outputs))

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


class Head(NamedTuple):
    """The layer that makes a network's outputs, separated from the rest."""

    before: Network  # outputs what the layer reads
    name: str
    layer: Layer
    place: int  # from which the layer's random key is derived


def network_from_config(config: dict[str, Any]) -> Network:
    """Returns the network that `Graph.config` described.

    Raises:
        FileError: it has no such layer, or an input or output that does not fit.
    """
    inputs = inputs_from_config(config)
    nodes = nodes_from_config(config["layers"], [x.name for x in inputs])
    return Network(nodes, inputs, outputs_from_config(config, nodes)).checked()
