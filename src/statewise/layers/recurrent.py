"""What layers with memory have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from statewise.errors import StateError
from statewise.foundation.random import Key, glorot_uniform, orthogonal, split
from statewise.foundation.shapes import Array, Shape, check_rate, check_whole
from statewise.kernels.states import LayerState, RecurrentState
from statewise.layers.base import Flags, Layer, Params, check_layer
from statewise.layers.dropout import draw_noise
from statewise.layers.regularizers import L1L2, check_regularizer
from statewise.operations import Affine, Input, Kept, Step, Vector, affine_blocks, settle_function

if TYPE_CHECKING:
    import jax


@dataclass(frozen=True)
class Recurrent(Layer):
    """A layer with memory: its options, described in `LSTM`, its weights' shapes, and where a sequence starts."""

    units: int
    activation: str = field(default="tanh", kw_only=True)
    use_bias: bool = field(default=True, kw_only=True)
    return_sequences: bool = field(default=False, kw_only=True)
    return_state: bool = field(default=False, kw_only=True)
    learn_initial_state: bool = field(default=False, kw_only=True)
    go_backwards: bool = field(default=False, kw_only=True)
    dropout: float = field(default=0.0, kw_only=True)
    recurrent_dropout: float = field(default=0.0, kw_only=True)
    kernel_regularizer: L1L2 | None = field(default=None, kw_only=True)
    recurrent_regularizer: L1L2 | None = field(default=None, kw_only=True)
    bias_regularizer: L1L2 | None = field(default=None, kw_only=True)

    state_kind: ClassVar[type[RecurrentState]]
    blocks: ClassVar[int] = 1
    """How many blocks of H columns the weights have."""

    def __post_init__(self) -> None:
        check_layer(self)
        kind = type(self).__name__
        check_whole(f"{kind} units", self.units)
        settle_function(self)
        for rate in ("dropout", "recurrent_dropout"):
            check_rate(f"{kind} {rate}", getattr(self, rate))
        for regularizer in ("kernel_regularizer", "recurrent_regularizer", "bias_regularizer"):
            check_regularizer(f"{kind} {regularizer}", getattr(self, regularizer))

    @property
    def weight_names(self) -> tuple[str, ...]:
        bias = ("bias",) if self.use_bias else ()
        learned = tuple(f"initial_{part}" for part in self.state_kind._fields) if self.learn_initial_state else ()
        return ("kernel", "recurrent_kernel", *bias, *learned)

    @property
    def regularizers(self) -> dict[str, L1L2 | None]:
        weights = {"kernel": self.kernel_regularizer, "recurrent_kernel": self.recurrent_regularizer}
        return weights | ({"bias": self.bias_regularizer} if self.use_bias else {})

    @property
    def reads_from(self) -> str:
        return "the end" if self.go_backwards else "the start"

    @property
    def keeps_steps(self) -> bool:
        return not (self.go_backwards and self.return_sequences)

    def pass_on(self, reset: jax.Array | None, mask: jax.Array | None, shape: Shape) -> Flags:
        return (reset, mask) if self.keeps_steps else _from_the_end(reset, mask)

    def output_shape(self, shape: Shape) -> Shape:
        self._check_steps(shape)
        return (shape[0], self.units) if self.return_sequences else (self.units,)

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        width = self.blocks * self.units
        shapes = {"kernel": (shape[-1] or 0, width), "recurrent_kernel": (self.units, width), "bias": self.bias_shape}
        return {name: shapes.get(name, (self.units,)) for name in self.weight_names}

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        kernel_key, recurrent_key = split(key)
        features, width = shape[-1] or 0, self.blocks * self.units
        params = {
            "kernel": glorot_uniform(kernel_key, (features, width)),
            "recurrent_kernel": orthogonal(recurrent_key, (self.units, width)),
        }
        if self.use_bias:
            params["bias"] = self.fresh_bias()
        if self.learn_initial_state:
            params |= {f"initial_{part}": np.zeros(self.units, np.float32) for part in self.state_kind._fields}
        return params

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """The shape of `bias`, if there is one."""
        return (self.blocks * self.units,)

    def fresh_bias(self) -> Array:
        """Returns the initial bias."""
        return np.zeros(self.bias_shape, np.float32)

    @abstractmethod
    def run(
        self,
        params: Params,
        x: jax.Array,
        state: Any,
        reset: jax.Array | None,
        mask: jax.Array | None,
        initial: Any,
        noise: jax.Array | None = None,
    ) -> tuple[jax.Array, RecurrentState]:
        """Returns the outputs of all steps `[B, T, H]`, and the state after the last; arguments as for the kernels."""

    @abstractmethod
    def advance(self, x: Vector, state: Any, weights: Mapping[str, Array]) -> tuple[Any, dict[str, Vector]]:
        """Describes the state after one step, of which the first part is the answer, and the gates by name."""

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        if self.go_backwards:
            return super().step(x, weights)
        before = self.state_kind(*(Input(self.units) for _ in self.state_kind._fields))
        new, gates = self.advance(x, before, weights)
        after = self.state_kind(*map(Kept, new, before))
        return Step(after.h, before, after, gates)

    def _sums(self, x: Vector, h: Vector, weights: Mapping[str, Array]) -> tuple[Affine, ...]:
        """Describes `x kernel + h recurrent_kernel + bias`, each block of H columns by itself."""
        stacked = np.concatenate([weights["kernel"], weights["recurrent_kernel"]])
        return affine_blocks((x, h), stacked, self._bias(weights), self.blocks)

    def _bias(self, weights: Mapping[str, Array]) -> Array:
        return weights["bias"] if self.use_bias else np.zeros(self.bias_shape, np.float32)

    def zero_state(self, batch: int, *shapes: Shape) -> RecurrentState:
        from statewise.foundation.engine import zeros

        # One array per part: a buffer that is donated to a compiled program may be passed only once.
        return self.state_kind(*(zeros(batch, self.units) for _ in self.state_kind._fields))

    @property
    def returns_state(self) -> bool:
        return self.return_state

    def state_of(self, parts: Sequence[Any]) -> RecurrentState:
        """Returns the state of these parts, in the order of `state_sizes`."""
        return self.state_kind(*parts)

    @property
    def state_sizes(self) -> dict[str, int]:
        return dict.fromkeys(self.state_kind._fields, self.units)

    @property
    def learned_start(self) -> bool:
        return self.learn_initial_state

    def learned_state(self, params: Mapping[str, Any]) -> LayerState:
        if not self.learn_initial_state:
            return ()
        return self.state_kind(*(params[f"initial_{part}"] for part in self.state_kind._fields))

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
        start = self.learned_state(params) or None
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
        """Returns the same as `apply`, with `start` as the state that a reset returns to: `[H]`, or `[B, H]`."""
        if not isinstance(state, self.state_kind):
            parts = ", ".join(self.state_kind._fields)
            raise StateError(
                f"{type(self).__name__} needs a state ({parts}), got {state!r}; start from model.initial_state(batch)"
            )
        if self.go_backwards:
            import jax.numpy as jnp

            x, (reset, mask) = jnp.flip(x, axis=1), _from_the_end(reset, mask)
        x, noise = self._thinned(x, rng)
        y, after = self.run(params, x, state, reset, mask, start, noise)
        return (y if self.return_sequences else after.h), after

    def _thinned(self, x: jax.Array, rng: jax.Array | None) -> tuple[jax.Array, jax.Array | None]:
        """Returns `x` after dropout, and the noise `[B, H]` of h if there is any."""
        import jax

        B, _, F = x.shape
        noise = None
        if rng is not None and self.dropout:
            x = x * draw_noise(jax.random.fold_in(rng, 0), self.dropout, (B, 1, F), x.dtype)
        if rng is not None and self.recurrent_dropout:
            noise = draw_noise(jax.random.fold_in(rng, 1), self.recurrent_dropout, (B, self.units), x.dtype)
        return x, noise


def _from_the_end(reset: jax.Array | None, mask: jax.Array | None) -> Flags:
    """Returns the flags in the order of a layer that reads from the end.

    A boundary before step t lies, for that layer, before t - 1. One before the first step starts the row fresh, for
    that layer at its end.
    """
    import jax.numpy as jnp

    return (
        None if reset is None else jnp.roll(jnp.flip(reset, axis=1), 1, axis=1),
        None if mask is None else jnp.flip(mask, axis=1),
    )
