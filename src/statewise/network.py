"""Layers composed into one pure state machine: `y, states = network.apply(params, x, states)`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.errors import ConfigurationError, ShapeError, StateError
from statewise.foundation.engine import on_device
from statewise.foundation.forks import check_process
from statewise.foundation.random import Key, split
from statewise.foundation.shapes import Shape, describe
from statewise.layers import Activation, Dense, Embedding, Layer, Masking, Params
from statewise.layers.base import Flags, MemorylessLayer, MisfitError
from statewise.layers.recurrent import Recurrent, check_return_state
from statewise.layers.registry import layer_from_config, layer_to_config, own_layer
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


@dataclass(frozen=True)
class Network:
    """A stack of layers with their names and the input shape."""

    layers: tuple[Layer, ...]
    names: tuple[str, ...]
    input_shape: Shape

    @classmethod
    def of(cls, layers: Sequence[Layer], input_shape: Shape) -> Network:
        """Returns the network of `layers` after checking that there are some and that each fits the one before it."""
        if not layers:
            raise ConfigurationError("a network needs at least one layer, such as LSTM(32)")
        check_return_state(tuple(layers))
        network = cls(tuple(layers), name_layers(layers), tuple(input_shape))
        network.shapes()
        return network

    def shapes(self) -> list[Shape]:
        """Returns the shape, without batch axis, before the first layer and after each."""
        shapes = [self.input_shape]
        for index, (name, layer) in enumerate(zip(self.names, self.layers, strict=True)):
            if index > 0 and isinstance(layer, Embedding):
                raise ShapeError(
                    f"layer {name!r}: Embedding expects integers [B, T], got the real numbers that "
                    f"{self.names[index - 1]!r} outputs; make it the first layer"
                )
            if index > 0 and isinstance(layer, Masking):
                raise ShapeError(f"layer {name!r}: Masking reads the network's input; make it the first layer")
            try:
                shapes.append(layer.output_shape(shapes[-1]))
            except MisfitError as error:
                raise ShapeError(f"layer {name!r}: {error if index else error.as_first}") from None
        return shapes

    @property
    def output_shape(self) -> Shape:
        """The shape of `y` without batch axis."""
        return self.shapes()[-1]

    @property
    def outputs(self) -> int:
        """V, how many numbers an output has; 0 if that is unknown."""
        return self.output_shape[-1] or 0

    @property
    def weight_names(self) -> list[tuple[str, str]]:
        """Layer and weight of each array of weights, in Keras's order."""
        parts = zip(self.names, self.layers, strict=True)
        return [(name, weight) for name, layer in parts for weight in layer.weight_names]

    @property
    def from_output(self) -> tuple[Layer, ...]:
        """The layers that make the outputs, the last one first, back to where a layer reads several others."""
        return self.layers[::-1]

    @property
    def returned_state(self) -> str | None:
        """The name of the layer whose state `predict` returns; None if there is none."""
        last = self.layers[-1]
        return self.names[-1] if isinstance(last, Recurrent) and last.return_state else None

    @property
    def symbols(self) -> int | None:
        """V if the network reads integers 0 .. V-1, None if it reads real numbers."""
        first = next((layer for layer in self.layers if not isinstance(layer, Activation)), None)
        return None if first is None else first.symbols

    def init(self, key: Key) -> NetworkParams:
        """Returns initial weights."""
        keys = split(key, len(self.layers))
        parts = zip(self.names, self.layers, keys, self.shapes()[:-1], strict=True)
        params: NetworkParams = on_device({name: layer.init(k, shape) for name, layer, k, shape in parts})
        return params

    def weight_shapes(self) -> dict[str, dict[str, jax.ShapeDtypeStruct]]:
        """Returns the shapes of all weights, as a file that holds them must have them; allocates nothing."""
        parts = zip(self.names, self.layers, self.shapes()[:-1], strict=True)
        return {
            name: {weight: jax.ShapeDtypeStruct(sizes, np.float32) for weight, sizes in layer.weight_shapes(s).items()}
            for name, layer, s in parts
        }

    def state_shapes(self, batch: int) -> dict[str, Any]:
        """Returns the shapes of the states of `batch` rows, for the layers that have one; creates one row."""
        return {
            name: map_parts(lambda part: jax.ShapeDtypeStruct((batch, *part.shape[1:]), part.dtype), state)
            for name, state in State(self.zero_state(1)).layers.items()
        }

    @property
    def memory(self) -> tuple[str, ...]:
        """Names of the layers that have a state."""
        parts = zip(self.names, self.layers, strict=True)
        return tuple(name for name, layer in parts if not isinstance(layer, MemorylessLayer))

    @property
    def reads_steps(self) -> bool:
        """Whether `x` has a time axis."""
        return self.symbols is not None or len(self.input_shape) > 1

    @property
    def answers_each_step(self) -> bool:
        """Whether `y` has the time axis of `x`."""
        return len(self.output_shape) == 2 and all(layer.keeps_steps for layer in self.layers)

    @property
    def looks_ahead(self) -> str | None:
        """The name of a layer whose outputs depend on later steps; None if there is none."""
        return next((name for name, layer in zip(self.names, self.layers, strict=True) if layer.looks_ahead), None)

    @property
    def whole_only(self) -> str | None:
        """Why rows can only be read whole, not in pieces, as a clause; None if they can be read in pieces."""
        layers = dict(zip(self.names, self.layers, strict=True))
        if self.looks_ahead is not None:
            return f"layer {self.looks_ahead!r} reads its input from {layers[self.looks_ahead].reads_from}"
        remade = (name for name, layer in layers.items() if not layer.keeps_steps)
        return next((f"layer {name!r} rearranges the steps that it reads" for name in remade), None)

    @cached_property
    def takes_padding(self) -> bool:
        """Whether rows with masked steps appended get the same outputs, and end in the same states, as without."""
        free = self.reads_steps and self.input_shape[0] is None
        distinguishable = self.answers_each_step or None not in self.output_shape  # which outputs belong to padding
        return free and distinguishable and all(own_layer(layer) is None for layer in self.layers)

    def free_in_steps(self) -> Network:
        """Returns the network for input of any number of steps T, unless a layer must know it."""
        shape = free = (None, *self.input_shape[1:])
        for layer in self.layers:
            if layer.needs_steps and None in shape:
                return self
            shape = layer.output_shape(shape)
        return replace(self, input_shape=free)

    def zero_state(self, batch: int) -> LayerStates:
        """Returns zeros in the shape of the states of `batch` rows."""
        return {name: layer.zero_state(batch) for name, layer in zip(self.names, self.layers, strict=True)}

    def learned_states(self, params: NetworkParams) -> LayerStates:
        """Returns the rows `[H]` in which sequences start, for the layers where they are learned."""
        learned = {name: layer.learned_state(params[name]) for name, layer in zip(self.names, self.layers, strict=True)}
        return {name: state for name, state in learned.items() if state}

    def initial_state(self, params: NetworkParams, batch: int) -> LayerStates:
        """Returns the states in which `batch` fresh sequences start: zeros, or learned ones."""
        states = self.zero_state(batch)
        for name, learned in self.learned_states(params).items():
            check_process()
            states[name] = map_parts(lambda row: jnp.broadcast_to(row, (batch, *row.shape)), learned)
        return states

    def mask_of(self, x: jax.Array, mask: jax.Array | None) -> jax.Array | None:
        """Returns `mask` without the steps that the first layer skips."""
        first = next((layer for layer in self.layers if not isinstance(layer, Activation)), None)
        own = None if first is None else first.mask_of(x)
        return own if mask is None else mask if own is None else own & mask

    def mask_of_answers(self, x: jax.Array, mask: jax.Array | None) -> jax.Array | None:
        """Returns which steps of the output for `x` count, if it has steps; `mask` is that of `x`."""
        flags: Flags = None, self.mask_of(x, mask)
        for layer, shape in zip(self.layers, self.shapes()[1:], strict=True):
            flags = layer.pass_on(*flags, shape)
        return flags[1]

    def penalty(self, params: NetworkParams) -> jax.Array | None:
        """Returns what the regularizers of all layers add to the loss; None if there are none."""
        penalties = [
            regularizer.penalty(params[name][weight])
            for name, layer in zip(self.names, self.layers, strict=True)
            for weight, regularizer in layer.regularizers.items()
            if regularizer is not None
        ]
        return sum(penalties[1:], penalties[0]) if penalties else None

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
        mask = self.mask_of(x, mask)
        for index, (name, layer, shape) in enumerate(zip(self.names, self.layers, self.shapes()[1:], strict=True)):
            key = None if rng is None else jax.random.fold_in(rng, index)
            x, after[name] = layer.apply(params[name], x, states[name], reset=reset, mask=mask, rng=key)
            reset, mask = layer.pass_on(reset, mask, shape)
        return x, after

    def without_head(self) -> tuple[Network, str]:
        """Returns the network up to its last activation, and that activation's name.

        A cross-entropy is computed from the logits before the softmax or sigmoid: exact even where the probability
        would round to 0 or 1.
        """
        last = self.layers[-1]
        if isinstance(last, Dense | Activation):
            bare = replace(last, activation="linear")
            return replace(self, layers=(*self.layers[:-1], bare)), last.activation
        return self, "linear"

    def before_last(self) -> Head:
        """Returns the last layer, separated from the network that makes its input."""
        bare = replace(self, layers=(*self.layers[:-1], Activation("linear")))
        return Head(bare, self.names[-1], self.layers[-1], len(self.layers) - 1)

    def unnamed(self) -> Network:
        """Returns the network without names that users gave its layers, which change no result."""
        return replace(self, layers=tuple(replace(layer, name=None) for layer in self.layers))

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
        layers = [
            {**layer_to_config(name, layer), "name": name, "input_shape": None}
            for name, layer in zip(self.names, self.layers, strict=True)
        ]
        return {"input_shape": list(self.input_shape), "layers": layers}


class Head(NamedTuple):
    """The layer that makes a network's outputs, separated from the rest."""

    before: Network  # outputs what the layer reads
    name: str
    layer: Layer
    place: int  # from which the layer's random key is derived


def network_from_config(config: dict[str, Any]) -> Network:
    """Returns the network that `Network.config` described."""
    layers = [layer_from_config(entry) for entry in config["layers"]]
    return Network.of(layers, tuple(config["input_shape"]))


def name_layers(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Returns a name for each layer: its own, or its kind's with a number from the second on, as Keras does."""
    given = [layer.name for layer in layers if layer.name is not None]
    if twice := [name for name, count in Counter(given).items() if count > 1]:
        raise ConfigurationError(f"two layers are called {twice[0]!r}; give them different names")
    seen: Counter[str] = Counter()
    names = []
    for layer in layers:
        kind = type(layer).__name__.lower()
        name = layer.name
        while name is None:
            candidate = f"{kind}_{seen[kind]}" if seen[kind] else kind
            seen[kind] += 1
            name = None if candidate in given else candidate
        names.append(name)
    return tuple(names)


def count_weights(params: Params) -> int:
    """Returns how many numbers a layer's weights have."""
    return sum(int(jnp.size(weight)) for weight in params.values())


def layer_rows(network: Network, params: NetworkParams) -> list[tuple[str, str, str, str]]:
    """Returns the name, kind, output shape and number of weights of each layer, as text."""
    return [
        (name, type(layer).__name__, describe(shape), f"{count_weights(params[name]):,}")
        for name, layer, shape in zip(network.names, network.layers, network.shapes()[1:], strict=True)
    ]


def summarize(network: Network, params: NetworkParams) -> str:
    """Returns a table of layers, output shapes and weights, as `model.summary` prints it."""
    rows = [("layer", "kind", "output", "weights"), *layer_rows(network, params)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join(
            [
                *(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)),
                row[3].rjust(widths[3]),
            ]
        )
        for row in rows
    ]
    total = sum(count_weights(weights) for weights in params.values())
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join([f"input {describe(network.input_shape)}", *lines, f"{total:,} weights in all"])
