"""The fast GRU kernel: one product before the scan, a small body, one product per weight after it, as in `lstm_fast`.

Two things differ from the LSTM. The candidate's recurrent part is scaled by r before it is added to the input's,
so it is kept separately, with its bias. For the same reason the gradients of what the input and what the state give to
the gates differ in their last third, by that r.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from statewise.kernels.flags import Flags, back_over_reset, pick, time_major
from statewise.kernels.gru import GRUWeights
from statewise.kernels.products import times, times_transposed, unrolled, weight_gradient
from statewise.kernels.states import GRUState


class GRUTape(NamedTuple):
    """What the backward pass needs from each step, time-major."""

    gates: jax.Array  # [T, B, 2H] z and r
    g: jax.Array  # [T, B, H] the candidate
    recurrent: jax.Array  # [T, B, H] h Uh + dh, which r scales
    h: jax.Array  # [T, B, H] before the step, after its reset


Saved = tuple[GRUWeights, jax.Array, GRUState | None, Flags, GRUTape]


@jax.custom_vjp
def _gru(
    weights: GRUWeights, x: jax.Array, state: GRUState, initial: GRUState | None, flags: Flags
) -> tuple[jax.Array, GRUState]:
    result, _ = _forward(weights, x, state, initial, flags)
    return result


def fast_gru(
    weights: GRUWeights,
    x: jax.Array,
    state: GRUState,
    *,
    reset: jax.Array | None = None,
    mask: jax.Array | None = None,
    initial: GRUState | None = None,
) -> tuple[jax.Array, GRUState]:
    """Returns the same as `gru.gru` for tanh, sigmoid and `reset_after`; arguments as there."""
    flags = time_major(reset, mask)
    y, state = _gru(weights, jnp.swapaxes(x, 0, 1), state, initial if flags.reset is not None else None, flags)
    return jnp.swapaxes(y, 0, 1), state


def _unroll(weights: GRUWeights, x: jax.Array) -> int:
    return unrolled(*x.shape[:2], *weights.recurrent_kernel.shape)


def _forward(
    weights: GRUWeights, x: jax.Array, state: GRUState, initial: GRUState | None, flags: Flags
) -> tuple[tuple[jax.Array, GRUState], GRUTape]:
    fresh = GRUState(0.0) if initial is None else initial
    units = state.h.shape[-1]
    # The halves of sigmoid(z) = tanh(z / 2) / 2 + 1 / 2, as in `lstm_fast`.
    half = jnp.repeat(jnp.array([0.5, 0.5, 1.0], x.dtype), units)
    recurrent_kernel, recurrent_bias = weights.recurrent_kernel * half, weights.bias[1, 2 * units :]
    bias = weights.bias[0] + weights.bias[1].at[2 * units :].set(0.0)
    inputs = x @ (weights.kernel * half) + bias * half  # [T, B, 3H]

    def advance(state: GRUState, step: tuple[jax.Array, Flags]) -> tuple[GRUState, tuple[jax.Array, GRUTape]]:
        a, (reset, mask) = step
        if reset is not None:
            state = pick(reset, fresh, state)
        products = times(state.h, recurrent_kernel)
        gates = 0.5 * jnp.tanh(a[:, : 2 * units] + products[:, : 2 * units]) + 0.5
        z, r = jnp.split(gates, 2, axis=-1)
        recurrent = products[:, 2 * units :] + recurrent_bias
        g = jnp.tanh(a[:, 2 * units :] + r * recurrent)
        new = GRUState(g + z * (state.h - g))
        tape = GRUTape(gates, g, recurrent, state.h)
        if mask is not None:
            new = pick(mask, new, state)
        return new, (new.h, tape)

    state, (y, tape) = jax.lax.scan(advance, state, (inputs, flags), unroll=_unroll(weights, x))
    return (y, state), tape


def _forward_saving(
    weights: GRUWeights, x: jax.Array, state: GRUState, initial: GRUState | None, flags: Flags
) -> tuple[tuple[jax.Array, GRUState], Saved]:
    result, tape = _forward(weights, x, state, initial, flags)
    return result, (weights, x, initial, flags, tape)


def _backward(
    saved: Saved, gradients: tuple[jax.Array, GRUState]
) -> tuple[GRUWeights, jax.Array, GRUState, GRUState | None, None]:
    weights, x, initial, flags, tape = saved
    d_y, d_state = gradients
    units = tape.h.shape[-1]
    back = times_transposed(weights.recurrent_kernel, x.shape[1])

    def retreat(
        d_state: GRUState, step: tuple[jax.Array, GRUTape, Flags]
    ) -> tuple[GRUState, tuple[jax.Array, GRUState | None]]:
        d_y, tape, (reset, mask) = step
        d_initial = None
        d_h = d_state.h + d_y
        d_new = d_h if mask is None else jnp.where(mask, d_h, 0.0)
        z, r = jnp.split(tape.gates, 2, axis=-1)
        d_g = d_new * (1.0 - z) * (1.0 - tape.g**2)
        d_gates = [d_new * (tape.h - tape.g) * z * (1.0 - z), d_g * tape.recurrent * r * (1.0 - r)]
        d_products = jnp.concatenate([*d_gates, d_g * r], axis=-1)
        d_before = GRUState(d_new * z + back(d_products))
        if mask is not None:
            d_before = pick(mask, d_before, GRUState(d_h))
        if reset is not None:
            d_before, d_initial = back_over_reset(d_before, reset, initial)
        return d_before, (jnp.concatenate([*d_gates, d_g], axis=-1), d_initial)

    d_state, (d_inputs, d_initial) = jax.lax.scan(
        retreat, d_state, (d_y, tape, flags), reverse=True, unroll=_unroll(weights, x)
    )
    # Computed again: saving it at each step was slower, and took more memory.
    d_gates, d_g, r = d_inputs[..., : 2 * units], d_inputs[..., 2 * units :], tape.gates[..., units:]
    d_products = jnp.concatenate([d_gates, d_g * r], axis=-1)
    d_weights = GRUWeights(
        kernel=weight_gradient(x, d_inputs),
        recurrent_kernel=weight_gradient(tape.h, d_products),
        bias=jnp.stack([d_inputs.sum((0, 1)), d_products.sum((0, 1))]),
    )
    d_initial = jax.tree.map(lambda d: d.sum(0), d_initial)
    return d_weights, d_inputs @ weights.kernel.T, d_state, d_initial, None


_gru.defvjp(_forward_saving, _backward)
