"""Layers around a layer: each step separately, or both directions at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from statewise.errors import ConfigurationError, StateError, unknown_name
from statewise.foundation.random import Key, split
from statewise.foundation.shapes import Array, Shape
from statewise.kernels.states import BidirectionalState, LayerState
from statewise.layers.base import Flags, Layer, MemorylessLayer, Params, check_layer
from statewise.layers.recurrent import Recurrent
from statewise.layers.regularizers import L1L2
from statewise.operations import Step, Vector
from statewise.phrasebook.guard import guard_making

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
    """Applies a layer without memory to each step of `[B, T, F]` separately; `Dense` alone does the same.

    Args:
        layer: the layer to apply; its weights are those of this layer.

    >>> from statewise.layers import Dense
    >>> TimeDistributed(Dense(5)).output_shape((10, 32))
    (10, 5)
    """

    layer: Layer

    def __post_init__(self) -> None:
        check_layer(self)
        if not isinstance(self.layer, MemorylessLayer):
            raise ConfigurationError(
                f"TimeDistributed: expected a layer without memory such as Dense(1), got {_kind(self.layer)}; a "
                "recurrent layer reads all steps by itself"
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
        return (shape[0], *self.layer.output_shape(shape[1:]))

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        return self.layer.weight_shapes(shape[1:])

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        return self.layer.init(key, shape[1:])

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        steps = x.reshape(-1, *x.shape[2:])
        y, _ = self.layer.apply(params, steps, (), rng=rng)
        return y.reshape(*x.shape[:2], *y.shape[1:])

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        return replace(self.layer, name=self.name).step(x, weights)._replace(counts=None)


@guard_making
@dataclass(frozen=True)
class Bidirectional(Layer):
    """Reads `[B, T, F]` from both ends with two copies of a recurrent layer (Schuster and Paliwal 1997).

    Its outputs depend on later steps, so its input cannot come in pieces: it is not streamed, and its state is not
    carried. A masked step is skipped in both directions, and its output is zeros, as in Keras; a reset separates
    sequences in both.

    Args:
        layer: an `LSTM`, `GRU` or `SimpleRNN`; the copy that reads from the end has its own weights.
        merge_mode: `concat`, `sum`, `mul` or `ave` of the two outputs.

    >>> from statewise.layers import LSTM
    >>> Bidirectional(LSTM(32)).output_shape((10, 3))
    (64,)
    """

    layer: Recurrent
    merge_mode: str = field(default="concat", kw_only=True)

    def __post_init__(self) -> None:
        check_layer(self)
        if not isinstance(self.layer, Recurrent):
            raise ConfigurationError(f"Bidirectional: expected a layer such as LSTM(32), got {_kind(self.layer)}")
        if not isinstance(self.merge_mode, str) or self.merge_mode not in MERGES:
            raise unknown_name("merge_mode", self.merge_mode, MERGES)

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
        inner = self.layer.regularizers.items()
        return {f"{side}.{name}": penalty for side in BidirectionalState._fields for name, penalty in inner}

    @property
    def weight_names(self) -> tuple[str, ...]:
        return tuple(f"{side}.{name}" for side in BidirectionalState._fields for name in self.layer.weight_names)

    def output_shape(self, shape: Shape) -> Shape:
        *steps, units = self.layer.output_shape(shape)
        return (*steps, 2 * (units or 0) if self.merge_mode == "concat" else units)

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        inner = self.layer.weight_shapes(shape).items()
        return {f"{side}.{name}": sizes for side in BidirectionalState._fields for name, sizes in inner}

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        sides = zip(BidirectionalState._fields, split(key), strict=True)
        return {f"{side}.{name}": a for side, part in sides for name, a in self.layer.init(part, shape).items()}

    def zero_state(self, batch: int, *shapes: Shape) -> LayerState:
        return BidirectionalState(*(self.layer.zero_state(batch, *shapes) for _ in BidirectionalState._fields))

    def learned_state(self, params: Mapping[str, Any]) -> LayerState:
        sides = [self.layer.learned_state(_of_side(params, side)) for side in BidirectionalState._fields]
        return BidirectionalState(*sides) if all(sides) else ()

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
        if not isinstance(state, BidirectionalState):
            raise StateError(f"Bidirectional needs two states, got {state!r}; start from model.initial_state(batch)")
        import jax
        import jax.numpy as jnp

        there, back = (None, None) if rng is None else jax.random.split(rng)
        reverse = replace(self.layer, go_backwards=not self.layer.go_backwards)
        forward, after = self.layer.apply(
            _of_side(params, "forward"), x, state.forward, reset=reset, mask=mask, rng=there
        )
        backward, before = reverse.apply(
            _of_side(params, "backward"), x, state.backward, reset=reset, mask=mask, rng=back
        )
        if backward.ndim == forward.ndim == x.ndim:
            backward = jnp.flip(backward, axis=1)
        y = MERGES[self.merge_mode](forward, backward)
        if mask is not None and y.ndim == x.ndim:
            y = jnp.where(mask[..., None], y, 0)
        return y, BidirectionalState(after, before)


def _kind(value: object) -> str:
    """Returns the class name of a layer, or the repr of anything else."""
    return type(value).__name__ if isinstance(value, Layer) else repr(value)


def _of_side(params: Mapping[str, Any], side: str) -> dict[str, Any]:
    return {name.removeprefix(f"{side}."): a for name, a in params.items() if name.startswith(f"{side}.")}
