"""The GRU's equations in readable form. Tests compare the faster kernel, `gru_fast`, with this one."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from statewise.kernels.lstm import Activation
from statewise.kernels.states import GRUState

GRU_GATES = ("z", "r", "h")
"""Order of the gates along the last axis of `kernel`, `recurrent_kernel` and `bias`: Keras's (PyTorch has r, z, n)."""


class GRUWeights(NamedTuple):
    """Weights of one GRU layer: `kernel [F, 3H]`, `recurrent_kernel [H, 3H]`, `bias [2, 3H]`.

    The rows of `bias` belong to the input and to the state. Without `reset_after` there is only one: `[3H]`.
    """

    kernel: jax.Array
    recurrent_kernel: jax.Array
    bias: jax.Array


def gru_step(
    weights: GRUWeights,
    x: jax.Array,
    state: GRUState,
    *,
    activation: Activation = jnp.tanh,
    recurrent_activation: Activation = jax.nn.sigmoid,
    reset_after: bool = True,
    noise: jax.Array | None = None,
) -> GRUState:
    """Returns the state after one step on `x [B, F]` (Cho et al. 2014, with z as Keras and PyTorch have it).

    With s the recurrent activation, a the activation, and b and d the two rows of the bias:

        z = s(x Wz + bz + h Uz + dz)    r = s(x Wr + br + h Ur + dr)
        g = a(x Wh + bh + r (h Uh + dh))    h' = z h + (1 - z) g

    Without `reset_after`, as in the paper, there is no d, and g = a(x Wh + bh + (r h) Uh). With `noise [B, H]`, every h
    that is multiplied by a U is first multiplied by it.
    """
    bias, recurrent_bias = weights.bias if reset_after else (weights.bias, jnp.zeros_like(weights.bias))
    x_z, x_r, x_h = jnp.split(x @ weights.kernel + bias, len(GRU_GATES), axis=-1)
    u_z, u_r, u_h = jnp.split(weights.recurrent_kernel, len(GRU_GATES), axis=-1)
    d_z, d_r, d_h = jnp.split(recurrent_bias, len(GRU_GATES))
    h = state.h if noise is None else state.h * noise
    z = recurrent_activation(x_z + h @ u_z + d_z)
    r = recurrent_activation(x_r + h @ u_r + d_r)
    g = activation(x_h + (r * (h @ u_h + d_h) if reset_after else (r * h) @ u_h))
    return GRUState(z * state.h + (1.0 - z) * g)


def gru(
    weights: GRUWeights,
    x: jax.Array,
    state: GRUState,
    *,
    reset: jax.Array | None = None,
    mask: jax.Array | None = None,
    initial: GRUState | None = None,
    activation: Activation = jnp.tanh,
    recurrent_activation: Activation = jax.nn.sigmoid,
    reset_after: bool = True,
    noise: jax.Array | None = None,
) -> tuple[jax.Array, GRUState]:
    """Returns `y [B, T, H]`, the output of every step, and the state after the last.

    Args:
        weights: the layer's weights; `bias` is `[2, 3H]` with `reset_after` and `[3H]` without.
        x: input `[B, T, F]`.
        state: where the sequence starts.
        reset: bool `[B, T]`; True starts that row from `initial` before that step.
        mask: bool `[B, T]`; False skips that step: the state passes unchanged, and `y` repeats the last output.
        initial: the state `[H]` of a fresh row; None is zeros. It is used only with `reset`.
        activation: applied to the candidate g.
        recurrent_activation: applied to the gates z and r.
        reset_after: whether r is applied to the product of h and Uh, rather than to h before it.
        noise: `[B, H]`, which multiplies h before the recurrent kernel, the same at every step.
    """
    fresh = 0.0 if initial is None else initial.h
    resets = jnp.zeros(x.shape[:2], bool) if reset is None else reset
    keeps = jnp.ones(x.shape[:2], bool) if mask is None else mask

    def advance(state: GRUState, step: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[GRUState, jax.Array]:
        x_t, reset_t, keep_t = step
        state = GRUState(jnp.where(reset_t[:, None], fresh, state.h))
        new = gru_step(
            weights,
            x_t,
            state,
            activation=activation,
            recurrent_activation=recurrent_activation,
            reset_after=reset_after,
            noise=noise,
        )
        state = GRUState(jnp.where(keep_t[:, None], new.h, state.h))
        return state, state.h

    steps = (jnp.swapaxes(x, 0, 1), resets.T, keeps.T)
    state, y = jax.lax.scan(advance, state, steps)
    return jnp.swapaxes(y, 0, 1), state
