"""The LSTM's equations in readable form. Tests compare every faster kernel with this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from statewise.kernels.states import LSTMState

GATES = ("i", "f", "g", "o")
"""Order of the four gates along the last axis of `kernel`, `recurrent_kernel` and `bias`: Keras's and PyTorch's."""

Activation = Callable[[jax.Array], jax.Array]


class LSTMWeights(NamedTuple):
    """Weights of one LSTM layer: `kernel [F, 4H]`, `recurrent_kernel [H, 4H]`, `bias [4H]`."""

    kernel: jax.Array
    recurrent_kernel: jax.Array
    bias: jax.Array


def lstm_step(
    weights: LSTMWeights,
    x: jax.Array,
    state: LSTMState,
    *,
    activation: Activation = jnp.tanh,
    recurrent_activation: Activation = jax.nn.sigmoid,
    noise: jax.Array | None = None,
) -> LSTMState:
    """Returns the state after one step on `x [B, F]` (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

    With s the recurrent activation and a the activation:

        i = s(x Wi + h Ui + bi)    f = s(x Wf + h Uf + bf)    o = s(x Wo + h Uo + bo)
        g = a(x Wg + h Ug + bg)    c' = f c + i g             h' = o a(c')

    With `noise [B, H]`, every h on the right is multiplied by it.
    """
    h = state.h if noise is None else state.h * noise
    z = x @ weights.kernel + h @ weights.recurrent_kernel + weights.bias
    i, f, g, o = jnp.split(z, len(GATES), axis=-1)
    c = recurrent_activation(f) * state.c + recurrent_activation(i) * activation(g)
    h = recurrent_activation(o) * activation(c)
    return LSTMState(h, c)


def lstm(
    weights: LSTMWeights,
    x: jax.Array,
    state: LSTMState,
    *,
    reset: jax.Array | None = None,
    mask: jax.Array | None = None,
    initial: LSTMState | None = None,
    activation: Activation = jnp.tanh,
    recurrent_activation: Activation = jax.nn.sigmoid,
    noise: jax.Array | None = None,
) -> tuple[jax.Array, LSTMState]:
    """Returns `y [B, T, H]`, the output of every step, and the state after the last.

    Args:
        weights: the layer's weights.
        x: input `[B, T, F]`.
        state: where the sequence starts.
        reset: bool `[B, T]`; True starts that row from `initial` before that step.
        mask: bool `[B, T]`; False skips that step: the state passes unchanged, and `y` repeats the last output.
        initial: the state `[H]` of a fresh row; None is zeros. It is used only with `reset`.
        activation: applied to the cell's input and to the cell.
        recurrent_activation: applied to the gates i, f and o.
        noise: `[B, H]`, which multiplies h before the recurrent kernel, the same at every step.
    """
    fresh = LSTMState(0.0, 0.0) if initial is None else initial
    resets = jnp.zeros(x.shape[:2], bool) if reset is None else reset
    keeps = jnp.ones(x.shape[:2], bool) if mask is None else mask

    def advance(state: LSTMState, step: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[LSTMState, jax.Array]:
        x_t, reset_t, keep_t = step
        state = LSTMState(*(jnp.where(reset_t[:, None], f, s) for f, s in zip(fresh, state, strict=True)))
        new = lstm_step(
            weights, x_t, state, activation=activation, recurrent_activation=recurrent_activation, noise=noise
        )
        state = LSTMState(*(jnp.where(keep_t[:, None], n, s) for n, s in zip(new, state, strict=True)))
        return state, state.h

    steps = (jnp.swapaxes(x, 0, 1), resets.T, keeps.T)
    state, y = jax.lax.scan(advance, state, steps)
    return jnp.swapaxes(y, 0, 1), state
