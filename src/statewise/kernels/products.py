"""The matrix products of the fast kernels, each in the form that XLA runs fastest (docs/decisions/0003)."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

UNROLL_BELOW = 65536
"""Recurrent products with fewer multiplications (B H 4H) than this are unrolled: the loop would cost more."""

UNROLL_ALL = 8
"""Up to this many steps are unrolled together, which leaves no loop; beyond that, `UNROLL` at a time."""

UNROLL = 4

HALVED_FROM = 16
"""From this many rows on, a product in a loop is done in two halves, in parallel on two cores of a CPU."""

FEW = 4
"""Up to this many rows do not repay preparing the weights, such as a transpose."""

TRANSPOSED_FROM = 2**20
"""From this many multiplications on, it pays to transpose the inputs of a weight's gradient before the product."""


def on_cpu() -> bool:
    """Returns whether programs run on a CPU, which prefers other forms of a product than an accelerator."""
    return jax.default_backend() == "cpu"


def unrolled(steps: int, rows: int, units: int, outputs: int) -> int:
    """Returns how many steps to unroll where each multiplies `[rows, units]` by `[units, outputs]`."""
    if rows * outputs * units >= UNROLL_BELOW:
        return 1
    return steps if steps <= UNROLL_ALL else UNROLL


def times(a: jax.Array, matrix: jax.Array) -> jax.Array:
    """Returns `a [B, N]` times `matrix [N, M]`, computed once per step of a loop."""
    rows = len(a)
    if rows < HALVED_FROM or rows % 2 or not on_cpu():
        return a @ matrix
    return jnp.concatenate([a[: rows // 2] @ matrix, a[rows // 2 :] @ matrix])


def times_transposed(matrix: jax.Array, rows: int) -> Callable[[jax.Array], jax.Array]:
    """Returns the function that multiplies `[rows, M]` by the transpose of `matrix [N, M]`, once per step of a loop.

    The transpose is made once, as a separate matrix: products with a view of it take 50 % longer. A few rows do not
    repay it.
    """
    if not on_cpu():
        return lambda a: a @ matrix.T
    if rows <= FEW:
        return lambda a: (matrix @ a.T).T
    transpose = jax.lax.optimization_barrier(matrix.T)
    return lambda a: times(a, transpose)


def weight_gradient(a: jax.Array, d_z: jax.Array) -> jax.Array:
    """Returns the gradient `[N, M]` of the weights that map `a [..., N]` to z, from that of z, `d_z [..., M]`."""
    a, d_z = as_matrix(a), as_matrix(d_z)
    if len(a) <= FEW:  # as a sum, which XLA fuses into the optimizer's update
        return sum((a[row, :, None] * d_z[row] for row in range(1, len(a))), a[0, :, None] * d_z[0])
    large = on_cpu() and a.size * d_z.shape[-1] >= TRANSPOSED_FROM
    return (jax.lax.optimization_barrier(a.T) if large else a.T) @ d_z


def as_matrix(a: jax.Array) -> jax.Array:
    """Returns `[..., N]` as `[rows, N]`: a plain matrix, which XLA multiplies without transposing first."""
    return a.reshape(-1, a.shape[-1])
