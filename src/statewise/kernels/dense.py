"""The product of a dense layer, with gradients in the form that XLA computes fastest."""

from __future__ import annotations

import jax

from statewise.kernels.products import on_cpu, weight_gradient

TRANSPOSED_BELOW = 65536
"""Kernels of fewer numbers are transposed for the gradient of x; for larger ones the copy would cost too much."""


@jax.custom_vjp
def dense(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Returns `[..., N]`: `x [..., F]` times `kernel [F, N]`."""
    return x @ kernel


Saved = tuple[jax.Array, jax.Array]


def _forward(x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, Saved]:
    return x @ kernel, (x, kernel)


def _backward(saved: Saved, d_z: jax.Array) -> tuple[jax.Array, jax.Array]:
    x, kernel = saved
    small = on_cpu() and kernel.size < TRANSPOSED_BELOW
    transpose = jax.lax.optimization_barrier(kernel.T) if small else kernel.T
    return d_z @ transpose, weight_gradient(x, d_z)


dense.defvjp(_forward, _backward)
