"""A network whose output is fed back into one of its inputs, the other inputs staying as they are.

The nodes that depend on that input run once for each symbol. What they read of the others, such as an encoder's steps
or its last state, is computed once: their context.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from statewise.errors import ConfigurationError
from statewise.network import Network, NetworkParams
from statewise.network.parts import between
from statewise.network.passing import Pass, by_axis
from statewise.state import LayerStates


class Context(NamedTuple):
    """What stays the same for each row, all of it with R rows."""

    values: dict[str, jax.Array]  # what is read of the other inputs, by name
    masks: dict[str, jax.Array]  # of their time axes


class Primed(NamedTuple):
    """A network that has read what comes first."""

    context: Context
    memory: LayerStates  # of the nodes that run for each symbol
    scores: jax.Array  # [B, V] of the next symbol
    states: LayerStates  # of all nodes


class Feedback:
    """A network of one output, without its last activation, that reads its own symbols by the input `feed`."""

    def __init__(self, network: Network, feed: str) -> None:
        """Takes the network.

        Raises:
            ConfigurationError: it cannot go on from symbol to symbol.
        """
        self._network, self._feed = network, feed
        number = [entry.name for entry in network.inputs].index(feed)
        self._entry, self._symbols = network.inputs[number], network.symbols_by_input[number]
        place = network.outputs[0].place
        running = _dependent(network, network.place_of(feed))
        read = (source for at in sorted(running) for source in (*network.nodes[at].sources, *network.nodes[at].start))
        beside = [s for s in dict.fromkeys(read) if s not in running and s != network.place_of(feed)]
        for source in beside:
            if network.signal(source).axis == self._entry.axis:
                raise ConfigurationError(
                    f"generate: {network.name_of(source)!r} moves with the symbols, on the time axis "
                    f"{self._entry.axis!r}, and is not made of them, so that its next steps are not known"
                )
        self._beside = {network.name_of(source): source for source in beside}
        self._part = between(network, {feed: network.place_of(feed), **self._beside}, {network.outputs[0].name: place})
        _check_steps(self._part, self._entry.axis)

    def prime(
        self, params: NetworkParams, x: Mapping[str, Any], states: LayerStates, mask: Any, last: jax.Array
    ) -> Primed:
        """Returns the network after all its inputs, of which each row's last symbol is at step `last [B]`."""
        passed = Pass(self._network, params, x, states, mask=mask)
        after = {use.node.name: use.state for use in passed}
        y = passed.values[self._network.outputs[0].place]
        scores = jnp.take_along_axis(y, last[:, None, None], axis=1)[:, 0]
        values = {name: passed.values[place] for name, place in self._beside.items()}
        flags = by_axis(self._network, self._network.mask_of(self._network.as_given(x), mask))
        masks = {axis: flag for axis, flag in flags.items() if axis in self._part.axes and axis != self._entry.axis}
        memory = {name: after[name] for name in self._part.names}
        return Primed(Context(values, {a: f for a, f in masks.items() if f is not None}), memory, scores, after)

    def read(
        self, params: NetworkParams, context: Context, memory: Any, symbols: jax.Array, live: jax.Array | None
    ) -> tuple[Any, jax.Array]:
        """Returns the states after a symbol of each row, as `Steps.read` does."""
        x: Any = {self._feed: self._as_input(symbols), **context.values}
        masks = context.masks if live is None else {**context.masks, self._entry.axis: live[:, None]}
        mask = masks if len(self._part.axes) > 1 else next(iter(masks.values()), None)
        x = x if len(x) > 1 else x[self._feed]
        y, after = self._part.apply(params, x, memory, mask=mask)
        return after, y[:, 0]

    def _as_input(self, symbols: jax.Array) -> jax.Array:
        """Returns symbols `[R]` as a step of the input: numbers, or one-hot vectors."""
        if self._symbols is not None:
            return symbols[:, None]
        return jax.nn.one_hot(symbols, self._entry.shape[-1] or 0)[:, None]


def _dependent(network: Network, place: int) -> set[int]:
    """Returns the places of the nodes that depend on a value."""
    found: set[int] = set()
    for at, node in enumerate(network.nodes):
        sources = {*node.sources, *node.start}
        if place in sources or sources & found:
            found.add(at)
    return found


def _check_steps(part: Network, axis: str) -> None:
    """Raises ConfigurationError if a network cannot go on from step to step of a time axis."""
    for node in part.nodes:
        steps = part.axis_read(node) == axis
        ahead = node.layer.looks_ahead or node.layer.unbounded or not node.layer.keeps_steps
        if steps and (ahead or axis in part.ends_read(node)):
            raise ConfigurationError(
                f"generate: expected a network that goes on from step to step, but layer {node.name!r} needs all steps "
                "at once; an LSTM, or attention with a window, goes on from its state"
            )
