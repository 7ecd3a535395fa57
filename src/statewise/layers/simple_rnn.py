"""The simple recurrent layer, without gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from statewise.foundation.shapes import Array
from statewise.kernels.states import RecurrentState, SimpleState
from statewise.layers.base import Params
from statewise.layers.recurrent import Recurrent
from statewise.operations import Vector, apply
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
@dataclass(frozen=True)
class SimpleRNN(Recurrent):
    """The simple recurrent layer (Elman 1990): `h = activation(x kernel + h recurrent_kernel + bias)`.

    Input `[B, T, F]`; output `[B, H]`, the last step's, or `[B, T, H]` with `return_sequences`. Its state is
    `h [B, H]`. Weights as in Keras: `kernel [F, H]` glorot-uniform, `recurrent_kernel [H, H]` orthogonal, `bias [H]`
    zero. Its options are those of `LSTM`, except for gates, which it does not have.

    Args:
        units: H, the size of the state.
        activation: of the sum.
        return_state: as in `LSTM`; `predict` returns `[y, h]`.
        learn_initial_state: as in `LSTM`; the weight is `initial_h`.

    >>> SimpleRNN(32).output_shape((10, 3))
    (32,)
    """

    state_kind = SimpleState

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
        import jax.numpy as jnp

        from statewise.kernels.activations import ACTIVATIONS
        from statewise.kernels.simple_rnn import SimpleWeights, simple

        bias = params["bias"] if self.use_bias else jnp.zeros(self.units, x.dtype)
        weights = SimpleWeights(params["kernel"], params["recurrent_kernel"], bias)
        flags: dict[str, Any] = {"reset": reset, "mask": mask, "initial": initial}
        return simple(weights, x, state, **flags, activation=ACTIVATIONS[self.activation], noise=noise)

    def advance(self, x: Vector, state: Any, weights: Mapping[str, Array]) -> tuple[SimpleState, dict[str, Vector]]:
        (z,) = self._sums(x, state.h, weights)
        return SimpleState(apply(self.activation, z)), {}
