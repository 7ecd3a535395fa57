"""Layers around a layer: each step separately, or both directions at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from statewise.errors import ConfigurationError, StateError, unknown_name
from statewise.foundation.random import Key, split
from statewise.foundation.shapes import Array, Shape, describe
from statewise.kernels.states import BidirectionalState, LayerState
from statewise.layers.base import Flags, Layer, MemorylessLayer, MisfitError, Params, check_layer
from statewise.layers.embedding import Embedding
from statewise.layers.masking import Masking
from statewise.layers.normalization import BatchNormalization
from statewise.layers.recurrent import Recurrent
from statewise.layers.regularizers import L1L2
from statewise.operations import Step, Vector
from statewise.phrasebook.guard import guard_making
from statewise.state import map_parts

if TYPE_CHECKING:
    import jax


def _side_by_side(forward: jax.Array, backward: jax.Array) -> jax.Array:
    import jax.numpy as jnp

    return jnp.concatenate([forward, backward], axis=-1)


MERGES: dict[str, Callable[[jax.Array, jax.Array], jax.Array]] = {
    "concat": _side_by_side,
    "sum": lambda forward, backward: forward + backward,
    "mul": lambda forward, backward: forward * backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
}
"""How the outputs of both directions are merged, by Keras's names."""


@guard_making
@dataclass(frozen=True)
class TimeDistributed(MemorylessLayer):
    """Applies a layer to each step separately, as to a row: `Dense(5)` to each `[B, F]` of `[B, T, F]`.

    A layer that reads sequences, such as `LSTM` or `Conv1D`, reads one at each step of `[B, T, S, F]`, and each of them
    starts fresh. `Dense` and the like alone do the same for `[B, T, F]`.

    Args:
        layer: the layer to apply; its weights are those of this layer.

    >>> from statewise.layers import LSTM, Dense
    >>> TimeDistributed(Dense(5)).output_shape((10, 32)), TimeDistributed(LSTM(8)).output_shape((10, 7, 3))
    ((10, 5), (10, 8))
    """

    layer: Layer

    def __post_init__(self) -> None:
        check_layer(self)
        if not isinstance(self.layer, Layer):
            raise ConfigurationError(f"TimeDistributed: expected a layer such as Dense(1), got {self.layer!r}")
        kind = _kind(self.layer)
        if isinstance(self.layer, Masking | Embedding):
            raise ConfigurationError(
                f"TimeDistributed: expected a layer such as Dense(1), got {kind}, which reads an input of the network, "
                "all steps at once; make it the first layer"
            )
        if isinstance(self.layer, BatchNormalization):
            raise ConfigurationError(
                "TimeDistributed: expected a layer such as Dense(1), got BatchNormalization, which treats all steps "
                "alike without it; write BatchNormalization() alone"
            )
        if not self.layer.takes_one:
            raise ConfigurationError(
                f"TimeDistributed: expected a layer that reads one value, such as Dense(1), got {kind}, which joins "
                f"several at each step by itself; write {kind}()([a, b])"
            )

    @property
    def weight_names(self) -> tuple[str, ...]:
        return self.layer.weight_names

    @property
    def regularizers(self) -> dict[str, L1L2 | None]:
        return self.layer.regularizers

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) < 2:
            raise self._refuse("[B, T, F]", shape, "give the layer before it return_sequences=True")
        try:
            return (shape[0], *self.layer.output_shape(shape[1:]))
        except MisfitError:
            kind = _kind(self.layer)
            what = f"TimeDistributed({kind}) expects, at each step, what {kind} reads of a row, got {describe(shape)}"
            way_out = f"{kind} alone reads the steps of [B, T, F]; a sequence at each step is [B, T, S, F]"
            raise MisfitError(what, way_out, way_out) from None

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        return self.layer.weight_shapes(shape[1:] if len(shape) > 1 else shape)  # a stream tells the features only

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        return self.layer.init(key, shape[1:])

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        steps = x.reshape(-1, *x.shape[2:])
        y, _ = self.layer.apply(params, steps, self._fresh(params, steps), rng=rng)
        return y.reshape(*x.shape[:2], *y.shape[1:])

    def _fresh(self, params: Params, rows: jax.Array) -> LayerState:
        """Returns the state in which the layer reads the sequence of each row."""
        import jax.numpy as jnp

        learned = self.layer.learned_state(params)
        if learned:
            return map_parts(lambda part: jnp.broadcast_to(part, (len(rows), *part.shape)), learned)
        one = self.layer.zero_state(1, rows.shape[1:])
        return map_parts(lambda part: jnp.zeros((len(rows), *part.shape[1:]), part.dtype), one)

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        if self.layer.has_memory:
            raise self._unanswerable(
                f": {_kind(self.layer)} in it reads a whole sequence at each step; use model.predict(x)"
            )
        return replace(self.layer, name=self.name).step(x, weights)._replace(counts=None)


@guard_making
@dataclass(frozen=True)
class Bidirectional(Layer):
    """Reads `[B, T, F]` from both ends with two copies of a recurrent layer (Schuster and Paliwal 1997).

    Its outputs depend on later steps, so its input cannot come in pieces: it is not streamed, and its state is not
    carried. A masked step is skipped in both directions, and its output is zeros, as in Keras; a reset separates
    sequences in both. With `return_state=True` in the layer, calling it on a tensor returns a list: the output, and
    then the last states, those of the layer that reads from the start first; `initial_state=` takes as many.

    Args:
        layer: an `LSTM`, `GRU` or `SimpleRNN`; the copy that reads from the end has its own weights.
        merge_mode: `concat`, `sum`, `mul` or `ave` of the two outputs; None for a list of both, in a graph.
        backward_layer: the layer that reads from the end, with `go_backwards=True`; by default a copy of `layer`.

    >>> import statewise as sw
    >>> sw.Bidirectional(sw.LSTM(32)).output_shape((10, 3))
    (64,)
    >>> y, forward_h, backward_h = sw.Bidirectional(sw.GRU(8, return_state=True))(sw.Input((None, 3)))
    >>> y, forward_h
    (<output of Bidirectional: [B, 16]>, <output of FinalState: [B, 8]>)
    """

    layer: Recurrent
    merge_mode: str | None = field(default="concat", kw_only=True)
    backward_layer: Recurrent | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        check_layer(self)
        for layer in (self.layer, *(() if self.backward_layer is None else (self.backward_layer,))):
            if not isinstance(layer, Recurrent):
                raise ConfigurationError(f"Bidirectional: expected a layer such as LSTM(32), got {_kind(layer)}")
        merge = self.merge_mode
        if merge is not None and (not isinstance(merge, str) or merge not in MERGES):
            raise unknown_name("merge_mode", merge, MERGES)
        if self.backward_layer is not None:
            self._check_both(self.layer, self.backward_layer)

    def _check_both(self, forward: Recurrent, backward: Recurrent) -> None:
        """Raises ConfigurationError unless two layers can be used together."""
        if forward.go_backwards == backward.go_backwards:
            raise ConfigurationError(
                "Bidirectional: expected layers that read from different ends, got two that read from "
                f"{forward.reads_from}; write backward_layer={_kind(backward)}(..., "
                f"go_backwards={not forward.go_backwards})"
            )
        for option in ("return_sequences", "return_state", "learn_initial_state"):
            if getattr(forward, option) != getattr(backward, option):
                raise ConfigurationError(
                    f"Bidirectional: expected the same {option} in layer and backward_layer, got "
                    f"{getattr(forward, option)} and {getattr(backward, option)}"
                )
        if self.merge_mode not in ("concat", None) and forward.units != backward.units:
            raise ConfigurationError(
                f"Bidirectional: merge_mode={self.merge_mode!r} needs as many units in both layers, got "
                f"{forward.units} and {backward.units}; merge_mode='concat' takes any"
            )

    @property
    def _sides(self) -> dict[str, Recurrent]:
        """The layers of both directions, by the names of their states."""
        back = self.backward_layer
        if back is None:
            back = replace(self.layer, go_backwards=not self.layer.go_backwards)
        return dict(zip(BidirectionalState._fields, (self.layer, back), strict=True))

    @property
    def reads_from(self) -> str:
        return "both ends"

    @property
    def keeps_steps(self) -> bool:
        return self.layer.keeps_steps

    def pass_on(self, reset: jax.Array | None, mask: jax.Array | None, shape: Shape) -> Flags:
        return self.layer.pass_on(reset, mask, shape)

    @property
    def regularizers(self) -> dict[str, L1L2 | None]:
        return self._of_sides(lambda layer: layer.regularizers)

    @property
    def weight_names(self) -> tuple[str, ...]:
        return tuple(self._of_sides(lambda layer: dict.fromkeys(layer.weight_names)))

    def output_shape(self, shape: Shape) -> Shape:
        steps = self.layer.output_shape(shape)[:-1]
        units = [layer.units for layer in self._sides.values()]
        return (*steps, sum(units) if self.merge_mode in ("concat", None) else units[0])

    @property
    def parts_of_output(self) -> tuple[int, ...]:
        return tuple(layer.units for layer in self._sides.values()) if self.merge_mode is None else ()

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        return self._of_sides(lambda layer: layer.weight_shapes(shape))

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        sides = zip(self._sides.items(), split(key), strict=True)
        return {f"{side}.{name}": a for (side, la), part in sides for name, a in la.init(part, shape).items()}

    def _of_sides(self, read: Callable[[Recurrent], Mapping[str, Any]]) -> dict[str, Any]:
        """Returns what `read` finds in the layers of both directions, by name."""
        return {f"{side}.{name}": value for side, la in self._sides.items() for name, value in read(la).items()}

    @property
    def returns_state(self) -> bool:
        return self.layer.return_state

    @property
    def state_sizes(self) -> dict[str, int]:
        return self._of_sides(lambda layer: layer.state_sizes)

    @property
    def learned_start(self) -> bool:
        return self.layer.learned_start

    def zero_state(self, batch: int, *shapes: Shape) -> LayerState:
        return BidirectionalState(*(layer.zero_state(batch, *shapes) for layer in self._sides.values()))

    def learned_state(self, params: Mapping[str, Any]) -> LayerState:
        sides = [layer.learned_state(_of_side(params, side)) for side, layer in self._sides.items()]
        return BidirectionalState(*sides) if all(sides) else ()

    def state_of(self, parts: Sequence[Any]) -> BidirectionalState:
        """Returns the state of these parts, in the order of `state_sizes`."""
        first = len(self.layer.state_sizes)
        pairs = zip(self._sides.values(), (parts[:first], parts[first:]), strict=True)
        return BidirectionalState(*(layer.state_of(own) for layer, own in pairs))

    def apply(
        self,
        params: Params,
        x: jax.Array,
        state: LayerState,
        *,
        reset: jax.Array | None = None,
        mask: jax.Array | None = None,
        rng: jax.Array | None = None,
    ) -> tuple[jax.Array, LayerState]:
        start = self.learned_state(params) or BidirectionalState(None, None)
        return self.apply_from(start, params, x, state, reset=reset, mask=mask, rng=rng)

    def apply_from(
        self,
        start: Any,
        params: Params,
        x: jax.Array,
        state: LayerState,
        *,
        reset: jax.Array | None = None,
        mask: jax.Array | None = None,
        rng: jax.Array | None = None,
    ) -> tuple[jax.Array, LayerState]:
        """Returns the same as `apply`, with `start` as the two states that a reset returns to, or two of None."""
        if not isinstance(state, BidirectionalState):
            raise StateError(f"Bidirectional needs two states, got {state!r}; start from model.initial_state(batch)")
        import jax
        import jax.numpy as jnp

        keys = (None, None) if rng is None else tuple(jax.random.split(rng))
        (forward, after), (backward, before) = (
            layer.apply_from(
                getattr(start, side), _of_side(params, side), x, getattr(state, side), reset=reset, mask=mask, rng=key
            )
            for (side, layer), key in zip(self._sides.items(), keys, strict=True)
        )
        if backward.ndim == forward.ndim == x.ndim:
            backward = jnp.flip(backward, axis=1)
        y = MERGES[self.merge_mode or "concat"](forward, backward)
        if mask is not None and y.ndim == x.ndim:
            y = jnp.where(mask[..., None], y, 0)
        return y, BidirectionalState(after, before)


def _kind(value: object) -> str:
    """Returns the class name of a layer, or the repr of anything else."""
    return type(value).__name__ if isinstance(value, Layer) else repr(value)


def _of_side(params: Mapping[str, Any], side: str) -> dict[str, Any]:
    return {name.removeprefix(f"{side}."): a for name, a in params.items() if name.startswith(f"{side}.")}
