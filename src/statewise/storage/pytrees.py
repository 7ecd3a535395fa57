"""Nested values of arrays (pytrees), such as an optimizer's state, by name, as a model file holds them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statewise.errors import COPY_AGAIN, FileError
from statewise.foundation.engine import on_device
from statewise.foundation.shapes import Array


def name_leaves(prefix: str, tree: Any) -> dict[str, Array]:
    """Returns the arrays of any nested value by their path in it: `prefix[0].mean['lstm']['kernel']`."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    named = {prefix + jax.tree_util.keystr(path): _numbers(leaf) for path, leaf in leaves}
    return {name: np.asarray(leaf, jnp.result_type(leaf)) for name, leaf in named.items()}


def fill_leaves(prefix: str, tree: Any, arrays: dict[str, Array]) -> Any:
    """Returns `tree`, of arrays or only their shapes (`jax.ShapeDtypeStruct`), with the arrays of `name_leaves`.

    Raises:
        FileError: an array is missing or has another shape or type.
    """

    def fill(path: Any, leaf: Any) -> Any:
        name = prefix + jax.tree_util.keystr(path)
        if name not in arrays:
            raise FileError(f"the model file lacks {name!r}; {COPY_AGAIN}")
        keys = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        like = jax.eval_shape(jax.random.key_data, leaf) if keys else leaf
        expected, got = (f"{array.dtype} {list(array.shape)}" for array in (like, arrays[name]))
        if expected != got:
            raise FileError(f"{name!r} in the model file: expected {expected}, got {got}; {COPY_AGAIN}")
        array = on_device(arrays[name])
        return jax.random.wrap_key_data(array) if keys else array

    return jax.tree_util.tree_map_with_path(fill, tree)


def _numbers(leaf: Any) -> Any:
    """Returns an array as it is, and random keys as the numbers they consist of."""
    return jax.random.key_data(leaf) if jnp.issubdtype(jnp.result_type(leaf), jax.dtypes.prng_key) else leaf
