"""Long short-term memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from statewise.foundation.shapes import Array
from statewise.kernels.states import LSTMState, RecurrentState
from statewise.layers.base import Params
from statewise.layers.gated import Gated
from statewise.operations import Vector, apply
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
@dataclass(frozen=True)
class LSTM(Gated):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    Input `[B, T, F]`; output `[B, H]`, the last step's, or `[B, T, H]` with `return_sequences`. Its state is
    `h` and `c`, both `[B, H]`. Weights as in Keras: `kernel [F, 4H]` glorot-uniform, `recurrent_kernel [H, 4H]`
    orthogonal, `bias [4H]` zero with ones for the forget gate; gates in the order i, f, g, o.

    Args:
        units: H, the size of the state.
        activation: of the cell's input and output.
        recurrent_activation: of the gates i, f and o.
        use_bias: whether there is a `bias`.
        return_sequences: whether every step's output is returned, as a following recurrent layer needs.
        return_state: whether `predict` returns `[y, h, c]`, as in Keras; on the last layer only.
        learn_initial_state: whether sequences start from weights `initial_h` and `initial_c` `[H]`, learned with the
            others and initially zero, instead of from zeros. Steps that only settle a state (a warm-up, or those that
            `tbptt` leaves out) do not train them.
        go_backwards: whether steps are read from the end; with `return_sequences` they are returned in the order read.
            Such a layer looks ahead: its input can come neither in pieces nor as a stream.
        dropout: fraction of the input's features zeroed in training, the same at all steps of a row, with the
            rest scaled by 1 / (1 - dropout) (Gal and Ghahramani 2016).
        recurrent_dropout: like `dropout`, for h before the recurrent kernel, the same for all gates. Training is
            slower with it.
        kernel_regularizer: an `L1L2` for `kernel`.
        recurrent_regularizer: an `L1L2` for `recurrent_kernel`.
        bias_regularizer: an `L1L2` for `bias`.

    >>> LSTM(32).output_shape((10, 3))
    (32,)
    >>> LSTM(32, return_sequences=True).output_shape((10, 3))
    (10, 32)
    """

    state_kind = LSTMState
    blocks = 4  # i, f, g, o

    def fresh_bias(self) -> Array:
        return np.repeat(np.array([0, 1, 0, 0], np.float32), self.units)

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

        from statewise.kernels.lstm import LSTMWeights, lstm
        from statewise.kernels.lstm_fast import fast_lstm
        from statewise.kernels.native import native_lstm, serves

        bias = params["bias"] if self.use_bias else jnp.zeros(self.blocks * self.units, x.dtype)
        weights = LSTMWeights(params["kernel"], params["recurrent_kernel"], bias)
        flags: dict[str, Any] = {"reset": reset, "mask": mask, "initial": initial}
        if self._has_usual_functions:
            if serves(weights, x, state, flags):
                return native_lstm(weights, x, state, **flags, noise=noise)
            if noise is None:
                return fast_lstm(weights, x, state, **flags)
        return lstm(weights, x, state, **flags, **self._reference_options, noise=noise)

    def advance(self, x: Vector, state: Any, weights: Mapping[str, Array]) -> tuple[LSTMState, dict[str, Vector]]:
        i, f, g, o = self._sums(x, state.h, weights)
        gates = {"i": self._gate(i), "f": self._gate(f), "o": self._gate(o)}
        c = gates["f"] * state.c + gates["i"] * apply(self.activation, g)
        return LSTMState(gates["o"] * apply(self.activation, c), c), gates
