"""One pass over a network: what each node reads, which of its steps are skipped or start fresh, and what comes out.

Values go by place. A call may leave out the inputs of a time axis, which then takes no step: what is on it has no
value, and states of its layers pass through, so that their last state is still known.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from statewise.errors import ShapeError
from statewise.kernels.states import WiredState
from statewise.layers.attention import AttentionScores, WithScores
from statewise.layers.base import Flags
from statewise.layers.final_state import FinalState
from statewise.layers.nodes import Node, place_of_input
from statewise.layers.recurrent import Recurrent
from statewise.layers.signals import Axis, readers
from statewise.state import LayerStates, map_parts, parts_of

if TYPE_CHECKING:
    from statewise.network.network import Network, NetworkParams

NO_FLAGS: Flags = (None, None)


class Use(NamedTuple):
    """A node in one pass: what it reads, and what comes out."""

    node: Node
    x: Any  # an array, or a tuple of them if the layer joins several; None if its axis takes no step
    reset: jax.Array | None
    mask: jax.Array | None
    y: Any  # an array; None if it has no value
    state: Any


def statistics_of(name: str) -> str:
    """Returns the name by which a node's statistics go with the weights, where both are needed."""
    return f"{name}/statistics"


def flags_of_inputs(network: Network, x: Mapping[str, Any], reset: Any, mask: Any) -> dict[Axis, Flags]:
    """Returns `reset` and `mask` of each input's axis; a step that a reader of any input skips is skipped there."""
    resets, masks = by_axis(network, reset), by_axis(network, mask)
    for number, given in enumerate(network.inputs):
        for node in readers(network.nodes, place_of_input(number)):
            own = node.layer.mask_of(x[given.name]) if given.name in x else None
            if own is not None:
                before = masks.get(given.axis)
                masks[given.axis] = own if before is None else own & before
    return {axis: (resets.get(axis), masks.get(axis)) for axis in network.axes}


def by_axis(network: Network, flag: Any) -> dict[str, Any]:
    """Returns flags by axis; those of a network with one axis are given without its name."""
    if isinstance(flag, Mapping):
        return dict(flag)
    return {} if flag is None or not network.axes else {network.axes[0]: flag}


def flags_of_nodes(network: Network, given: Mapping[Axis, Flags]) -> list[Flags]:
    """Returns `reset` and `mask` for each node's output, given those of the axes of the inputs."""
    known: dict[Axis, Flags] = dict(given)
    found: list[Flags] = []
    for place, (node, signal) in enumerate(zip(network.nodes, network.signals, strict=True)):
        read = flags_read(network, node, known)
        passed = node.layer.pass_on(*read, signal.shape)
        if signal.axis == place:
            known[place] = passed
        found.append(passed if signal.axis == place else read)
    return found


def flags_read(network: Network, node: Node, known: Mapping[Axis, Flags]) -> Flags:
    """Returns the flags of the steps that a node goes through or, if it reads rows, `[B, 1]` of those behind them.

    A row was reset if it was on any axis that it depends on, and skipped if it was on all of them.
    """
    axis = network.axis_read(node)
    if axis is not None:
        return known.get(axis, NO_FLAGS)
    ends = sorted(network.ends_read(node), key=str)
    resets, masks = zip(*(known.get(end, NO_FLAGS) for end in ends), strict=True) if ends else ((), ())
    reset = [flag.any(axis=1, keepdims=True) for flag in resets if flag is not None]
    mask = [flag.any(axis=1, keepdims=True) for flag in masks if flag is not None]
    every = len(mask) == len(masks)
    return reduce(operator.or_, reset) if reset else None, reduce(operator.or_, mask) if mask and every else None


def axes_taken(network: Network, x: Mapping[str, Any]) -> set[str]:
    """Returns the axes of the inputs that are given, after checking that all inputs of an axis are.

    Raises:
        ShapeError: some inputs of an axis are missing, or one without steps is.
    """
    pairs = list(zip(network.inputs, network.given, strict=True))
    taken = {given.axis for given, signal in pairs if given.name in x and signal.axis is not None}
    for given, signal in pairs:
        if given.name not in x and (signal.axis is None or given.axis in taken or not taken):
            expected = ", ".join(repr(given.name) for given in network.inputs)
            raise ShapeError(
                f"x: the input {given.name!r} is missing; expected {expected}; only all inputs of a time axis together "
                "can be left out, which then takes no step"
            )
    return taken


class Pass:
    """One pass over a network, as an iterator of the uses of its layers; arguments as for `Network.apply`.

    In training, `rows`, bool `[B]`, says which rows are not padding.
    """

    def __init__(
        self,
        network: Network,
        params: NetworkParams,
        x: Mapping[str, Any],
        states: LayerStates,
        *,
        reset: Any = None,
        mask: Any = None,
        rng: jax.Array | None = None,
        rows: jax.Array | None = None,
    ) -> None:
        self._network, self._params, self._states, self._rng, self._rows = network, params, states, rng, rows
        self.statistics: dict[str, Any] = {}  # those that this pass changed, by node
        self._taken = axes_taken(network, x)
        self._flags: dict[Axis, Flags] = dict(flags_of_inputs(network, x, reset, mask))
        named = enumerate(network.inputs)
        self.values: dict[int, Any] = {place_of_input(number): x.get(given.name) for number, given in named}
        self._ended: dict[int, Any] = {}  # the last state of each node's layer
        self._scores: dict[int, Any] = {}  # what each node that attends attends to

    def __iter__(self) -> Iterator[Use]:
        network = self._network
        for place, (node, signal) in enumerate(zip(network.nodes, network.signals, strict=True)):
            read = tuple(self._value(node, source) for source in node.sources)
            flags = flags_read(network, node, self._flags)
            if any(value is None for value in read):
                use = self._passed_over(place, node)
            else:
                use = self._used(place, node, read if node.layer.joins else read[0], flags)
            if signal.axis == place and use.y is not None:
                self._flags[place] = node.layer.pass_on(*flags, use.y.shape[1:])
            self.values[place] = use.y
            yield use

    def _value(self, node: Node, source: int) -> Any:
        """Returns what a node reads from a source: its output, or what else it gives."""
        if isinstance(node.layer, FinalState):
            return parts_of(self._ended[source])[node.layer.part]
        if isinstance(node.layer, AttentionScores):
            return self._scores.get(source)
        return self.values[source]

    def _used(self, place: int, node: Node, x: Any, flags: Flags) -> Use:
        weights = self._params[node.weights]
        if node.layer.frozen:
            weights = jax.lax.stop_gradient(weights)
        key = None if self._rng is None else jax.random.fold_in(self._rng, place)
        options: dict[str, Any] = {"reset": flags[0], "mask": flags[1], "rng": key}
        before = self._states.get(node.name, ())
        if statistics := self._params.get(statistics_of(node.name)):
            return self._used_counting(node, x, flags, weights, statistics)
        if not isinstance(before, WiredState):
            if node.layer.steps_from is None:
                y, after = node.layer.apply(weights, x, before, **options)
            else:
                others = [self._flags_beside(node, source) for source in node.sources[1:]]
                y, after = node.layer.apply_across(weights, x, before, own=flags, others=others, rng=key)
            if isinstance(y, WithScores):
                y, self._scores[place] = y
            self._ended[place] = after
            return Use(node, x, *flags, y, after)
        layer: Any = node.layer
        wire, moved = self._wire(node), self._moved(node)
        y, reached = layer.apply_from(wire, weights, x, _begun(before, wire, moved), **options)
        rows, steps = x.shape[:2]
        after = _settled(
            before, reached, moved, _marks(flags[0], False, rows, steps), _marks(flags[1], True, rows, steps)
        )
        self._ended[place] = _begun(after, wire, None)
        return Use(node, x, *flags, y, after)

    def _used_counting(self, node: Node, x: Any, flags: Flags, weights: Any, statistics: Any) -> Use:
        """Returns the use of a node that has statistics, which it changes in training."""
        if self._rng is None or node.layer.frozen:
            y, state = node.layer.apply({**weights, **statistics}, x, (), reset=flags[0], mask=flags[1])
            return Use(node, x, *flags, y, state)
        rows = None if self._rows is None else self._rows.reshape(-1, *(1,) * (x.ndim - 2))
        mask = flags[1] if flags[1] is None or x.ndim > 2 else flags[1][:, 0]
        real = mask if rows is None else rows if mask is None else rows & mask
        y, self.statistics[node.name] = node.layer.apply_counting(weights, statistics, x, real)
        return Use(node, x, *flags, y, ())

    def _flags_beside(self, node: Node, source: int) -> Flags | None:
        """Returns the flags of a further value that a node reads; None if its steps are those of the node."""
        axis = self._network.signal(source).axis
        if axis == self._network.axis_read(node):
            return None
        return NO_FLAGS if axis is None else self._flags.get(axis, NO_FLAGS)

    def _wire(self, node: Node) -> Any:
        """Returns the state that a node starts in."""
        layer: Any = node.layer
        return layer.state_of([self.values[source] for source in node.start])

    def _moved(self, node: Node) -> Any:
        """Returns bool `[B, 1]`, or True for all: whether steps were read that what a node starts in depends on."""
        ends: frozenset[Axis] = frozenset().union(*(self._network.signal(source).ends for source in node.start))
        moved: Any = None
        for axis in ends:
            if isinstance(axis, str) and axis not in self._taken:
                continue
            mask = self._flags.get(axis, NO_FLAGS)[1]
            if mask is None:
                return True
            read = mask.any(axis=1)[:, None]
            moved = read if moved is None else moved | read
        return moved

    def _passed_over(self, place: int, node: Node) -> Use:
        """Returns the use of a node whose axis takes no step, or which reads what is not known.

        Raises:
            ShapeError: its axis takes steps all the same.
        """
        state, axis = self._states.get(node.name, ()), self._network.axis_read(node)
        if axis is not None and axis in self._taken:
            absent = next(source for source in node.sources if self._value(node, source) is None)
            raise ShapeError(
                f"layer {node.name!r} reads {self._network.name_of(absent)!r}, of which nothing is kept between calls; "
                "give the inputs that it is made of, too"
            )
        self._ended[place] = state
        if isinstance(state, WiredState):
            if (moved := self._moved(node)) is not None:
                state = _cleared(state, moved)
            known = all(self.values[source] is not None for source in node.start)
            self._ended[place] = _begun(state, self._wire(node), None) if known else state.reached
        last = isinstance(node.layer, Recurrent) and not node.layer.return_sequences
        return Use(node, None, None, None, self._ended[place].h if last else None, state)


def _begun(state: WiredState, wire: Any, moved: Any) -> Any:
    """Returns where rows are: at the values that they start in, unless they have started and those have not `moved`."""
    fresh = state.started == 0 if moved is None else (state.started == 0) | moved
    return map_parts(lambda start, reached: jnp.where(fresh, start, reached), wire, state.reached)


def _settled(before: WiredState, reached: Any, moved: Any, reset: jax.Array, mask: jax.Array) -> WiredState:
    """Returns the state after a pass: where rows are that took a step, zeros for fresh ones, and others as before.

    A row is fresh if no step was taken since its last reset, or since what it starts in moved.
    """
    since = jnp.cumsum(reset, axis=1) == reset.sum(axis=1, keepdims=True)  # the steps from the last reset on
    stepped = (since & mask).any(axis=1)[:, None]
    fresh = reset.any(axis=1)[:, None] | (False if moved is None else moved)
    after = WiredState(jnp.ones_like(before.started), reached)
    chosen: WiredState = jax.tree.map(lambda new, old: jnp.where(stepped, new, old), after, _cleared(before, fresh))
    return chosen


def _cleared(state: WiredState, fresh: Any) -> WiredState:
    """Returns the state with zeros in fresh rows, which have not started."""
    cleared: WiredState = jax.tree.map(lambda part: jnp.where(fresh, 0, part), state)
    return cleared


def _marks(flag: jax.Array | None, default: bool, rows: int, steps: int) -> jax.Array:
    return jnp.full((rows, steps), default) if flag is None else flag
