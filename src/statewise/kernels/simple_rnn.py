"""The simple recurrent layer of Elman (1990): one product a step, so that one kernel is both plain and fast."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from statewise.kernels.flags import Flags, pick, time_major
from statewise.kernels.lstm import Activation
from statewise.kernels.products import unrolled
from statewise.kernels.states import SimpleState


class SimpleWeights(NamedTuple):
    """Weights of one SimpleRNN layer: `kernel [F, H]`, `recurrent_kernel [H, H]`, `bias [H]`."""

    kernel: jax.Array
    recurrent_kernel: jax.Array
    bias: jax.Array


def simple(
    weights: SimpleWeights,
    x: jax.Array,
    state: SimpleState,
    *,
    reset: jax.Array | None = None,
    mask: jax.Array | None = None,
    initial: SimpleState | None = None,
    activation: Activation = jnp.tanh,
    noise: jax.Array | None = None,
) -> tuple[jax.Array, SimpleState]:
    """Returns `y [B, T, H]`, the output of every step, and the state after the last.

    With a the activation: h' = a(x W + h U + b), y = h'.

    Args:
        weights: the layer's weights.
        x: input `[B, T, F]`.
        state: where the sequence starts.
        reset: bool `[B, T]`; True starts that row from `initial` before that step.
        mask: bool `[B, T]`; False skips that step: the state passes unchanged, and `y` repeats the last output.
        initial: the state `[H]` of a fresh row; None is zeros. It is used only with `reset`.
        activation: applied to the sum.
        noise: `[B, H]`, which multiplies h before the recurrent kernel, the same at every step.
    """
    fresh = SimpleState(0.0) if initial is None else initial
    inputs = jnp.swapaxes(x, 0, 1) @ weights.kernel + weights.bias  # [T, B, H]

    def advance(state: SimpleState, step: tuple[jax.Array, Flags]) -> tuple[SimpleState, jax.Array]:
        z, (reset, mask) = step
        if reset is not None:
            state = pick(reset, fresh, state)
        h = state.h if noise is None else state.h * noise
        new = SimpleState(activation(z + h @ weights.recurrent_kernel))
        if mask is not None:
            new = pick(mask, new, state)
        return new, new.h

    unroll = unrolled(*inputs.shape[:2], *weights.recurrent_kernel.shape)
    state, y = jax.lax.scan(advance, state, (inputs, time_major(reset, mask)), unroll=unroll)
    return jnp.swapaxes(y, 0, 1), state
