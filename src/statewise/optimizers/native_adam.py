"""Adam's update of a small network as one call of the native library, in place of several loops for each weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statewise.native import ffi

MOST = 200_000
"""Larger networks are left to XLA, which updates them on all cores."""


def serves(gradients: Any) -> bool:
    """Returns whether the native library is there and suits such gradients: float32, of a small network."""
    leaves = jax.tree.leaves(gradients)
    return (
        0 < sum(leaf.size for leaf in leaves) <= MOST
        and all(leaf.dtype == jnp.float32 for leaf in leaves)
        and ffi.is_registered()
    )


def native_adam(
    gradients: Any, mean: Any, square: Any, correction: jax.Array, *, beta_1: float, beta_2: float, epsilon: float
) -> tuple[Any, Any, Any]:
    """Returns the updates without the learning rate, and the new running means of gradients and their squares.

    Args:
        gradients: arrays in any structure.
        mean: running mean of the gradients, of the same structure.
        square: that of their squares.
        correction: `[]`, which multiplies each mean / (root + `epsilon`).
        beta_1: how much of the mean is kept at each update.
        beta_2: how much of the mean square is kept.
        epsilon: added to the root of the mean square.
    """
    structure: Any = jax.tree.structure(gradients)
    leaves = [jax.tree.leaves(part) for part in (gradients, mean, square)]
    arrays, weights = [array for part in leaves for array in part], len(leaves[0])
    shapes = [jax.ShapeDtypeStruct(array.shape, jnp.float32) for array in arrays]
    in_place = {1 + weights + place: weights + place for place in range(2 * weights)}
    call = jax.ffi.ffi_call(ffi.target("adam"), shapes, vmap_method="sequential", input_output_aliases=in_place)
    numbers = {"beta_1": np.float32(beta_1), "beta_2": np.float32(beta_2), "epsilon": np.float32(epsilon)}
    updates, means, squares = _thirds(call(jnp.float32(correction), *arrays, **numbers))
    return structure.unflatten(updates), structure.unflatten(means), structure.unflatten(squares)


def _thirds(results: Sequence[jax.Array]) -> tuple[Sequence[jax.Array], Sequence[jax.Array], Sequence[jax.Array]]:
    third = len(results) // 3
    return results[:third], results[third : 2 * third], results[2 * third :]
