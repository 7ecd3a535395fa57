"""The fast LSTM kernel: a small body inside the scan, one product per weight after it.

None of what makes it fast changes the result (measured in docs/decisions/0003-lstm-kernel.md):

- `sigmoid(z) = tanh(z / 2) / 2 + 1 / 2`: one `tanh` serves all gates.
- Left to itself, autodiff adds up the gradient of `U` at every step. The hand-written backward pass scans back to
  the gradients of the gates' inputs, then forms dU, dW and db as one product each.
- The forward pass saves the derivatives themselves, while their inputs are at hand, so that a step back is four
  multiplications and a product.
- x and h go through one product, with W above U. For a few rows that copy of the weights would cost more than it
  saves: there x W comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from statewise.kernels.flags import Flags, back_over_reset, pick, time_major
from statewise.kernels.lstm import GATES, LSTMWeights
from statewise.kernels.products import FEW, on_cpu, times, times_transposed, unrolled, weight_gradient
from statewise.kernels.states import LSTMState


class Tape(NamedTuple):
    """What the backward pass needs from each step, time-major."""

    h: jax.Array  # [T, B, H] before the step, after its reset
    slopes: jax.Array  # [T, B, 4H] of the new cell by z of i, f, g; of the new h by z of o
    h_by_c: jax.Array  # [T, B, H] slope of the new h by the new cell
    f: jax.Array  # [T, B, H] slope of the new cell by the one before


@jax.custom_vjp
def _lstm(
    weights: LSTMWeights, x: jax.Array, state: LSTMState, initial: LSTMState | None, flags: Flags
) -> tuple[jax.Array, LSTMState]:
    result, _ = _forward(weights, x, state, initial, flags)
    return result


def fast_lstm(
    weights: LSTMWeights,
    x: jax.Array,
    state: LSTMState,
    *,
    reset: jax.Array | None = None,
    mask: jax.Array | None = None,
    initial: LSTMState | None = None,
) -> tuple[jax.Array, LSTMState]:
    """Returns the same as `lstm.lstm` for tanh and sigmoid; arguments as there."""
    flags = time_major(reset, mask)
    y, state = _lstm(weights, jnp.swapaxes(x, 0, 1), state, initial if flags.reset is not None else None, flags)
    return jnp.swapaxes(y, 0, 1), state


def _unroll(weights: LSTMWeights, x: jax.Array) -> int:
    return unrolled(*x.shape[:2], *weights.recurrent_kernel.shape)


def _together(x: jax.Array) -> bool:
    """Returns whether x `[T, B, F]` and h are multiplied by the kernels in one product."""
    return x.shape[0] * x.shape[1] > FEW and on_cpu()


def _inputs(weights: LSTMWeights, x: jax.Array) -> tuple[jax.Array, Callable[[jax.Array, jax.Array], jax.Array]]:
    """Returns what a step receives of x `[T, B, F]`, and the function from it and h `[B, H]` to z `[B, 4H]`."""
    if not _together(x):
        return x @ weights.kernel + weights.bias, lambda z, h: z + times(h, weights.recurrent_kernel)
    stacked = jnp.concatenate([weights.kernel, weights.recurrent_kernel])
    return x, lambda x, h: times(jnp.concatenate([x, h], axis=-1), stacked) + weights.bias


def _step(tanh_z: jax.Array, state: LSTMState) -> tuple[LSTMState, Tape]:
    i, f, g, o = jnp.split(tanh_z, len(GATES), axis=-1)
    i, f, o = 0.5 * i + 0.5, 0.5 * f + 0.5, 0.5 * o + 0.5
    c = f * state.c + i * g
    tanh_c = jnp.tanh(c)
    slopes = [g * i * (1.0 - i), state.c * f * (1.0 - f), i * (1.0 - g**2), tanh_c * o * (1.0 - o)]
    return LSTMState(o * tanh_c, c), Tape(state.h, jnp.concatenate(slopes, axis=-1), o * (1.0 - tanh_c**2), f)


def _forward(
    weights: LSTMWeights, x: jax.Array, state: LSTMState, initial: LSTMState | None, flags: Flags
) -> tuple[tuple[jax.Array, LSTMState], Tape]:
    fresh = LSTMState(0.0, 0.0) if initial is None else initial
    given, z_of = _inputs(weights, x)
    half = jnp.repeat(jnp.array([0.5, 0.5, 1.0, 0.5], x.dtype), state.h.shape[-1])  # made here: slow in the loop

    def advance(state: LSTMState, step: tuple[jax.Array, Flags]) -> tuple[LSTMState, tuple[jax.Array, Tape]]:
        given, (reset, mask) = step
        if reset is not None:
            state = pick(reset, fresh, state)
        new, tape = _step(jnp.tanh(half * z_of(given, state.h)), state)
        if mask is not None:
            new = pick(mask, new, state)
        return new, (new.h, tape)

    state, (y, tape) = jax.lax.scan(advance, state, (given, flags), unroll=_unroll(weights, x))
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
    back = times_transposed(weights.recurrent_kernel, x.shape[1])

    def retreat(
        d_state: LSTMState, step: tuple[jax.Array, Tape, Flags]
    ) -> tuple[LSTMState, tuple[jax.Array, LSTMState | None]]:
        d_y, tape, (reset, mask) = step
        d_initial = None
        d_h, d_c = d_state.h + d_y, d_state.c
        d_cell = d_c + d_h * tape.h_by_c
        d_z = jnp.concatenate([d_cell, d_cell, d_cell, d_h], axis=-1) * tape.slopes
        if mask is not None:
            d_z = jnp.where(mask, d_z, 0.0)
        d_before = LSTMState(back(d_z), d_cell * tape.f)
        if mask is not None:
            d_before = pick(mask, d_before, LSTMState(d_h, d_c))
        if reset is not None:
            d_before, d_initial = back_over_reset(d_before, reset, initial)
        return d_before, (d_z, d_initial)

    d_state, (d_z, d_initial) = jax.lax.scan(
        retreat, d_state, (d_y, tape, flags), reverse=True, unroll=_unroll(weights, x)
    )
    d_initial = jax.tree.map(lambda d: d.sum(0), d_initial)
    return _weight_gradients(x, tape.h, d_z), d_z @ weights.kernel.T, d_state, d_initial, None


def _weight_gradients(x: jax.Array, h: jax.Array, d_z: jax.Array) -> LSTMWeights:
    if _together(x):
        both = weight_gradient(jnp.concatenate([x, h], axis=-1), d_z)
        kernel, recurrent_kernel = jnp.split(both, [x.shape[-1]])
    else:
        kernel, recurrent_kernel = weight_gradient(x, d_z), weight_gradient(h, d_z)
    return LSTMWeights(kernel, recurrent_kernel, d_z.sum((0, 1)))


_lstm.defvjp(_forward_saving, _backward)
