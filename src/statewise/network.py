"""Layers composed into one pure state machine: `y, states = network.apply(params, x, states)`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from statewise.errors import ConfigurationError, ShapeError, StateError, unknown_name
from statewise.layers import LAYERS, Activation, Dense, Embedding, Layer, Params
from statewise.layers.base import MisfitError
from statewise.shapes import Shape, describe
from statewise.state import LayerStates, State

NetworkParams = dict[str, Params]
"""Every layer's weights by the layer's name."""


@dataclass(frozen=True)
class Network:
    """A stack of layers with their names and the shape of the input."""

    layers: tuple[Layer, ...]
    names: tuple[str, ...]
    input_shape: Shape

    @classmethod
    def of(cls, layers: Sequence[Layer], input_shape: Shape) -> Network:
        """Returns the network of `layers` after checking that there are some and that each fits the one before it."""
        if not layers:
            raise ConfigurationError("a network needs at least one layer, such as LSTM(32)")
        network = cls(tuple(layers), name_layers(layers), tuple(input_shape))
        network.shapes()
        return network

    def shapes(self) -> list[Shape]:
        """Returns the shape, without batch axis, before the first layer and after each."""
        shapes = [self.input_shape]
        for index, (name, layer) in enumerate(zip(self.names, self.layers, strict=True)):
            if index > 0 and isinstance(layer, Embedding):
                raise ShapeError(
                    f"layer {name!r}: Embedding expects whole numbers [B, T], got the real numbers that "
                    f"{self.names[index - 1]!r} answers; make it the first layer"
                )
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
    def symbols(self) -> int | None:
        """V if the network reads whole numbers 0 .. V-1, None if it reads real numbers."""
        first = next((layer for layer in self.layers if not isinstance(layer, Activation)), None)
        return first.input_dim if isinstance(first, Embedding) else None

    def init(self, key: jax.Array) -> NetworkParams:
        """Returns fresh weights."""
        keys = jax.random.split(key, len(self.layers))
        parts = zip(self.names, self.layers, keys, self.shapes()[:-1], strict=True)
        return {name: layer.init(k, shape) for name, layer, k, shape in parts}

    def zero_state(self, batch: int) -> LayerStates:
        """Returns the states in which fresh sequences start."""
        return {name: layer.zero_state(batch) for name, layer in zip(self.names, self.layers, strict=True)}

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
        for index, (name, layer) in enumerate(zip(self.names, self.layers, strict=True)):
            key = None if rng is None else jax.random.fold_in(rng, index)
            x, after[name] = layer.apply(params[name], x, states[name], reset=reset, mask=mask, rng=key)
        return x, after

    def without_head(self) -> tuple[Network, str]:
        """Returns the network up to its last activation, and that activation's name.

        A cross-entropy is computed from what comes before the softmax or sigmoid: exact where the probability
        itself would round to 0 or 1.
        """
        last = self.layers[-1]
        if isinstance(last, Dense | Activation):
            bare = replace(last, activation="linear")
            return replace(self, layers=(*self.layers[:-1], bare)), last.activation
        return self, "linear"

    def state_of(self, states: LayerStates) -> State:
        """Returns the states of all layers as a State, in the layers' order."""
        return State({name: states[name] for name in self.names})

    def check_state(self, state: State, batch: int) -> LayerStates:
        """Returns the layers' states after checking that `state` is this network's, for `batch` rows."""
        if not isinstance(state, State):
            raise StateError(f"state: expected a State, got {type(state).__name__}; use model.zero_state({batch})")
        expected = self.state_of(self.zero_state(1))
        found = {name: tuple(part.shape[1:] for part in parts) for name, parts in state.layers.items()}
        wanted = {name: tuple(part.shape[1:] for part in parts) for name, parts in expected.layers.items()}
        if found != wanted:
            raise StateError(
                f"this state belongs to another network: expected {_sizes(wanted)}, got {_sizes(found)}; "
                f"start from model.zero_state({batch})"
            )
        if wanted and state.batch != batch:
            raise StateError(
                f"the state has {state.batch} row(s), the input {batch}; start from model.zero_state({batch})"
            )
        return {name: state.layers.get(name, ()) for name in self.names}

    def config(self) -> dict[str, Any]:
        """Returns the network as JSON holds it."""
        layers = [
            {"kind": type(layer).__name__, **layer.config(), "name": name, "input_shape": None}
            for name, layer in zip(self.names, self.layers, strict=True)
        ]
        return {"input_shape": list(self.input_shape), "layers": layers}


def network_from_config(config: dict[str, Any]) -> Network:
    """Returns the network that `Network.config` described."""
    layers = []
    for entry in config["layers"]:
        options = dict(entry)
        kind = options.pop("kind")
        if kind not in LAYERS:
            raise unknown_name("layer", kind, LAYERS)
        layers.append(LAYERS[kind](**options))
    return Network.of(layers, tuple(config["input_shape"]))


def name_layers(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Returns a name for each layer: its own, or its kind's with a number from the second on, as Keras does."""
    given = [layer.name for layer in layers if layer.name is not None]
    if twice := [name for name, count in Counter(given).items() if count > 1]:
        raise ConfigurationError(f"two layers are called {twice[0]!r}; give each a name of its own")
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
    """Returns how many numbers a layer's weights are."""
    return sum(int(jnp.size(weight)) for weight in params.values())


def summarize(network: Network, params: NetworkParams) -> str:
    """Returns a table of layers, output shapes and weights, as `model.summary` prints it."""
    rows = [("layer", "kind", "output", "weights")]
    for name, layer, shape in zip(network.names, network.layers, network.shapes()[1:], strict=True):
        rows.append((name, type(layer).__name__, describe(shape), f"{count_weights(params[name]):,}"))
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


def _sizes(layers: dict[str, tuple[tuple[int, ...], ...]]) -> str:
    listed = [f"{name} {[size for size, *_ in sizes]}" for name, sizes in layers.items()]
    return ", ".join(listed) or "no memory"
