"""The matrix products of the fast kernels, each in the form in which XLA does it soonest (docs/decisions/0003)."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

UNROLL_BELOW = 65536
"""Recurrent products smaller than this many multiplications (B H 4H) are unrolled: there the loop costs more."""

UNROLL_ALL = 8
"""Up to so many steps are unrolled together, so that no loop is left; of more, `UNROLL` at a time."""

UNROLL = 4

HALVED_FROM = 16
"""From so many rows on, a product in a loop is done in two halves, side by side on two cores of a CPU."""

FEW = 4
"""Up to so many rows repay no preparation of the weights, such as a transpose."""

TRANSPOSED_FROM = 2**20
"""From so many multiplications on it pays to transpose the inputs of a weight's gradient before the product."""


def on_cpu() -> bool:
    """Returns whether programs are made for a CPU, which likes other forms of a product than an accelerator."""
    return jax.default_backend() == "cpu"


def unrolled(steps: int, rows: int, units: int, outputs: int) -> int:
    """Returns how many steps to unroll where each multiplies `[rows, units]` by `[units, outputs]`."""
    if rows * outputs * units >= UNROLL_BELOW:
        return 1
    return steps if steps <= UNROLL_ALL else UNROLL


def times(a: jax.Array, matrix: jax.Array) -> jax.Array:
    """Returns `a [B, N]` times `matrix [N, M]`, once a step of a loop."""
    rows = len(a)
    if rows < HALVED_FROM or rows % 2 or not on_cpu():
        return a @ matrix
    return jnp.concatenate([a[: rows // 2] @ matrix, a[rows // 2 :] @ matrix])


def times_transposed(matrix: jax.Array, rows: int) -> Callable[[jax.Array], jax.Array]:
    """Returns the function that multiplies `[rows, M]` by the transpose of `matrix [N, M]`, once a step of a loop.

    The transpose is made once, as a matrix of its own: products with a view of it take half as long again. Few rows do
    not repay it.
    """
    if not on_cpu():
        return lambda a: a @ matrix.T
    if rows <= FEW:
        return lambda a: (matrix @ a.T).T
    transpose = jax.lax.optimization_barrier(matrix.T)
    return lambda a: times(a, transpose)


def weight_gradient(a: jax.Array, d_z: jax.Array) -> jax.Array:
    """Returns the gradient `[N, M]` by the weights that took `a [..., N]` to z, from that by z, `d_z [..., M]`."""
    a, d_z = as_matrix(a), as_matrix(d_z)
    if len(a) <= FEW:  # as a sum, which XLA computes inside the optimiser's update
        return sum((a[row, :, None] * d_z[row] for row in range(1, len(a))), a[0, :, None] * d_z[0])
    large = on_cpu() and a.size * d_z.shape[-1] >= TRANSPOSED_FROM
    return (jax.lax.optimization_barrier(a.T) if large else a.T) @ d_z


def as_matrix(a: jax.Array) -> jax.Array:
    """Returns `[rows, N]` of `[..., N]`: a plain matrix, which XLA multiplies without transposing first."""
    return a.reshape(-1, a.shape[-1])
