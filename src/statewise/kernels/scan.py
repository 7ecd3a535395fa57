"""The fast LSTM kernel: one product before the scan, a small body inside, one product per weight after it.

Three things make it fast, none of which changes the result (measured in docs/decisions/0003-lstm-kernel.md):

- `x W + b` for all steps is one matrix product before the scan; only `h U` stays inside.
- `sigmoid(z) = tanh(z / 2) / 2 + 1 / 2`: with the halves folded into the weights, one `tanh` serves all gates.
- Left to itself, autodiff adds up the gradient of `U` at every step. The hand-written backward pass scans back to
  the gradients of the gates' inputs, then forms dU, dW and db as one product each.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from statewise.kernels.reference import GATES, LSTMState, LSTMWeights

UNROLL_BELOW = 4096
"""Recurrent products smaller than this many multiplications (B H 4H) are unrolled: there the loop costs more."""

UNROLL = 8


class Tape(NamedTuple):
    """What the backward pass needs of each step, time-major."""

    tanh_z: jax.Array  # [T, B, 4H] i, f, o still to be halved and shifted
    h: jax.Array  # [T, B, H] before the step, after its reset
    c: jax.Array  # [T, B, H] before the step, after its reset
    tanh_c: jax.Array  # [T, B, H] of the new cell


class Flags(NamedTuple):
    """Time-major `[T, B, 1]` marks; None where the caller has none, so that the plain pass pays nothing."""

    reset: jax.Array | None
    mask: jax.Array | None


@jax.custom_vjp
def _lstm(weights: LSTMWeights, x: jax.Array, state: LSTMState, flags: Flags) -> tuple[jax.Array, LSTMState]:
    (y, state), _ = _forward(weights, x, state, flags)
    return y, state


def lstm(
    weights: LSTMWeights,
    x: jax.Array,
    state: LSTMState,
    *,
    reset: jax.Array | None = None,
    mask: jax.Array | None = None,
) -> tuple[jax.Array, LSTMState]:
    """Returns what `reference.lstm` returns for tanh and sigmoid; arguments as there."""
    flags = Flags(*(None if flag is None else flag.T[:, :, None] for flag in (reset, mask)))
    y, state = _lstm(weights, jnp.swapaxes(x, 0, 1), state, flags)
    return jnp.swapaxes(y, 0, 1), state


def _half_for_sigmoids(units: int, dtype: jnp.dtype) -> jax.Array:
    """Returns `[4H]`: 1/2 for the gates i, f, o and 1 for g."""
    return jnp.repeat(jnp.array([0.5, 0.5, 1.0, 0.5], dtype), units)


def _gates(tanh_z: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    i, f, g, o = jnp.split(tanh_z, len(GATES), axis=-1)
    return 0.5 * i + 0.5, 0.5 * f + 0.5, g, 0.5 * o + 0.5


def _unroll(x: jax.Array, state: LSTMState) -> int:
    steps, (rows, units) = x.shape[0], state.h.shape
    return min(steps, UNROLL) if rows * units * 4 * units < UNROLL_BELOW * UNROLL else 1


def _forward(
    weights: LSTMWeights, x: jax.Array, state: LSTMState, flags: Flags
) -> tuple[tuple[jax.Array, LSTMState], Tape]:
    half = _half_for_sigmoids(state.h.shape[-1], x.dtype)
    recurrent_kernel = weights.recurrent_kernel * half
    inputs = x @ (weights.kernel * half) + weights.bias * half  # [T, B, 4H]

    def advance(state: LSTMState, step: tuple[jax.Array, Flags]) -> tuple[LSTMState, tuple[jax.Array, Tape]]:
        z, (reset, mask) = step
        if reset is not None:
            state = LSTMState(*(jnp.where(reset, 0.0, s) for s in state))
        tanh_z = jnp.tanh(z + state.h @ recurrent_kernel)
        i, f, g, o = _gates(tanh_z)
        c = f * state.c + i * g
        tanh_c = jnp.tanh(c)
        new = LSTMState(o * tanh_c, c)
        tape = Tape(tanh_z, state.h, state.c, tanh_c)
        if mask is not None:
            new = LSTMState(*(jnp.where(mask, n, s) for n, s in zip(new, state, strict=True)))
        return new, (new.h, tape)

    state, (y, tape) = jax.lax.scan(advance, state, (inputs, flags), unroll=_unroll(x, state))
    return (y, state), tape


def _rows(a: jax.Array) -> jax.Array:
    """Returns `[T B, N]` of `[T, B, N]`: a plain matrix, which XLA multiplies without transposing first."""
    return a.reshape(-1, a.shape[-1])


def _forward_saving(
    weights: LSTMWeights, x: jax.Array, state: LSTMState, flags: Flags
) -> tuple[tuple[jax.Array, LSTMState], tuple[LSTMWeights, jax.Array, Flags, Tape]]:
    result, tape = _forward(weights, x, state, flags)
    return result, (weights, x, flags, tape)


def _backward(
    saved: tuple[LSTMWeights, jax.Array, Flags, Tape], gradients: tuple[jax.Array, LSTMState]
) -> tuple[LSTMWeights, jax.Array, LSTMState, None]:
    weights, x, flags, tape = saved
    d_y, d_state = gradients
    recurrent_kernel_t = weights.recurrent_kernel.T

    def retreat(d_state: LSTMState, step: tuple[jax.Array, Tape, Flags]) -> tuple[LSTMState, jax.Array]:
        d_y, tape, (reset, mask) = step
        d_h, d_c = d_state.h + d_y, d_state.c
        i, f, g, o = _gates(tape.tanh_z)
        d_cell = d_c + d_h * o * (1.0 - tape.tanh_c**2)
        d_z = jnp.concatenate(
            [
                d_cell * g * i * (1.0 - i),
                d_cell * tape.c * f * (1.0 - f),
                d_cell * i * (1.0 - g**2),
                d_h * tape.tanh_c * o * (1.0 - o),
            ],
            axis=-1,
        )
        if mask is not None:
            d_z = jnp.where(mask, d_z, 0.0)
        d_before = LSTMState(d_z @ recurrent_kernel_t, d_cell * f)
        if mask is not None:
            d_before = LSTMState(jnp.where(mask, d_before.h, d_h), jnp.where(mask, d_before.c, d_c))
        if reset is not None:
            d_before = LSTMState(*(jnp.where(reset, 0.0, d) for d in d_before))
        return d_before, d_z

    d_state, d_z = jax.lax.scan(retreat, d_state, (d_y, tape, flags), reverse=True, unroll=_unroll(x, d_state))
    d_weights = LSTMWeights(
        kernel=_rows(x).T @ _rows(d_z),
        recurrent_kernel=_rows(tape.h).T @ _rows(d_z),
        bias=d_z.sum((0, 1)),
    )
    return d_weights, d_z @ weights.kernel.T, d_state, None


_lstm.defvjp(_forward_saving, _backward)
