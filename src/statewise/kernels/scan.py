"""The fast LSTM kernel: one product before the scan, a small body inside, one product per weight after it.

Three things make it fast, none of which changes the result (measured in docs/decisions/0003-lstm-kernel.md):

- `x W + b` for all steps is one matrix product before the scan; only `h U` stays inside.
- `sigmoid(z) = tanh(z / 2) / 2 + 1 / 2`: with the halves folded into the weights, one `tanh` serves all gates.
- Left to itself, autodiff adds up the gradient of `U` at every step. The hand-written backward pass scans back to
  the gradients of the gates' inputs, then forms dU, dW and db as one product each.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from statewise.kernels.reference import GATES, LSTMWeights
from statewise.kernels.states import GRUState, LSTMState, SimpleState

UNROLL_BELOW = 4096
"""Recurrent products smaller than this many multiplications (B H 4H) are unrolled: there the loop costs more."""

UNROLL = 8

State = TypeVar("State", LSTMState, GRUState, SimpleState)


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
def _lstm(
    weights: LSTMWeights, x: jax.Array, state: LSTMState, initial: LSTMState | None, flags: Flags
) -> tuple[jax.Array, LSTMState]:
    result, _ = _forward(weights, x, state, initial, flags)
    return result


def lstm(
    weights: LSTMWeights,
    x: jax.Array,
    state: LSTMState,
    *,
    reset: jax.Array | None = None,
    mask: jax.Array | None = None,
    initial: LSTMState | None = None,
) -> tuple[jax.Array, LSTMState]:
    """Returns what `reference.lstm` returns for tanh and sigmoid; arguments as there."""
    flags = time_major(reset, mask)
    y, state = _lstm(weights, jnp.swapaxes(x, 0, 1), state, initial if flags.reset is not None else None, flags)
    return jnp.swapaxes(y, 0, 1), state


def time_major(reset: jax.Array | None, mask: jax.Array | None) -> Flags:
    """Returns the marks `[T, B, 1]` of flags `[B, T]`."""
    return Flags(*(None if flag is None else flag.T[:, :, None] for flag in (reset, mask)))


def pick(marks: jax.Array, chosen: State, other: State) -> State:
    """Returns the state `chosen` in the rows that are marked in `[B, 1]`, `other` in the rest."""
    return jax.tree.map(lambda a, b: jnp.where(marks, a, b), chosen, other)


def back_over_reset(d_state: State, reset: jax.Array, initial: State | None) -> tuple[State, State | None]:
    """Returns the gradients by the state before a reset `[B, H]` and by the initial state `[H]`, None without one."""
    d_initial = None
    if initial is not None:
        d_initial = jax.tree.map(lambda d: jnp.where(reset, d, 0.0).sum(0), d_state)
    return jax.tree.map(lambda d: jnp.where(reset, 0.0, d), d_state), d_initial


def unrolled(steps: int, rows: int, units: int, outputs: int) -> int:
    """Returns how many steps to unroll where each multiplies `[rows, units]` by `[units, outputs]`."""
    return min(steps, UNROLL) if rows * outputs * units < UNROLL_BELOW * UNROLL else 1


def as_matrix(a: jax.Array) -> jax.Array:
    """Returns `[T B, N]` of `[T, B, N]`: a plain matrix, which XLA multiplies without transposing first."""
    return a.reshape(-1, a.shape[-1])


def _half_for_sigmoids(units: int, dtype: jnp.dtype) -> jax.Array:
    """Returns `[4H]`: 1/2 for the gates i, f, o and 1 for g."""
    return jnp.repeat(jnp.array([0.5, 0.5, 1.0, 0.5], dtype), units)


def _gates(tanh_z: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    i, f, g, o = jnp.split(tanh_z, len(GATES), axis=-1)
    return 0.5 * i + 0.5, 0.5 * f + 0.5, g, 0.5 * o + 0.5


def _unroll(weights: LSTMWeights, x: jax.Array) -> int:
    return unrolled(*x.shape[:2], *weights.recurrent_kernel.shape)


def _forward(
    weights: LSTMWeights, x: jax.Array, state: LSTMState, initial: LSTMState | None, flags: Flags
) -> tuple[tuple[jax.Array, LSTMState], Tape]:
    fresh = LSTMState(0.0, 0.0) if initial is None else initial
    half = _half_for_sigmoids(state.h.shape[-1], x.dtype)
    recurrent_kernel = weights.recurrent_kernel * half
    inputs = x @ (weights.kernel * half) + weights.bias * half  # [T, B, 4H]

    def advance(state: LSTMState, step: tuple[jax.Array, Flags]) -> tuple[LSTMState, tuple[jax.Array, Tape]]:
        z, (reset, mask) = step
        if reset is not None:
            state = pick(reset, fresh, state)
        tanh_z = jnp.tanh(z + state.h @ recurrent_kernel)
        i, f, g, o = _gates(tanh_z)
        c = f * state.c + i * g
        tanh_c = jnp.tanh(c)
        new = LSTMState(o * tanh_c, c)
        tape = Tape(tanh_z, state.h, state.c, tanh_c)
        if mask is not None:
            new = pick(mask, new, state)
        return new, (new.h, tape)

    state, (y, tape) = jax.lax.scan(advance, state, (inputs, flags), unroll=_unroll(weights, x))
    return (y, state), tape


Saved = tuple[LSTMWeights, jax.Array, LSTMState | None, Flags, Tape]


def _forward_saving(
    weights: LSTMWeights, x: jax.Array, state: LSTMState, initial: LSTMState | None, flags: Flags
) -> tuple[tuple[jax.Array, LSTMState], Saved]:
    result, tape = _forward(weights, x, state, initial, flags)
    return result, (weights, x, initial, flags, tape)


def _backward(
    saved: Saved, gradients: tuple[jax.Array, LSTMState]
) -> tuple[LSTMWeights, jax.Array, LSTMState, LSTMState | None, None]:
    weights, x, initial, flags, tape = saved
    d_y, d_state = gradients
    recurrent_kernel_t = weights.recurrent_kernel.T

    def retreat(
        d_state: LSTMState, step: tuple[jax.Array, Tape, Flags]
    ) -> tuple[LSTMState, tuple[jax.Array, LSTMState | None]]:
        d_y, tape, (reset, mask) = step
        d_initial = None
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
            d_before = pick(mask, d_before, LSTMState(d_h, d_c))
        if reset is not None:
            d_before, d_initial = back_over_reset(d_before, reset, initial)
        return d_before, (d_z, d_initial)

    d_state, (d_z, d_initial) = jax.lax.scan(
        retreat, d_state, (d_y, tape, flags), reverse=True, unroll=_unroll(weights, x)
    )
    d_weights = LSTMWeights(
        kernel=as_matrix(x).T @ as_matrix(d_z),
        recurrent_kernel=as_matrix(tape.h).T @ as_matrix(d_z),
        bias=d_z.sum((0, 1)),
    )
    d_initial = jax.tree.map(lambda d: d.sum(0), d_initial)
    return d_weights, d_z @ weights.kernel.T, d_state, d_initial, None


_lstm.defvjp(_forward_saving, _backward)
