"""Nested values of arrays, such as an optimiser's state, by name, as a model file holds them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statewise.artifact import ANEW
from statewise.errors import FileError
from statewise.shapes import Array


def name_leaves(prefix: str, tree: Any) -> dict[str, Array]:
    """Returns the arrays of any nested value by their place in it: `prefix[0].mean['lstm']['kernel']`."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {prefix + jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def fill_leaves(prefix: str, tree: Any, arrays: dict[str, Array]) -> Any:
    """Returns `tree` with the arrays that `name_leaves` named.

    Raises:
        FileError: an array is missing or has another shape or type.
    """

    def fill(path: Any, leaf: Any) -> Any:
        name = prefix + jax.tree_util.keystr(path)
        if name not in arrays:
            raise FileError(f"the model file lacks {name!r}; {ANEW}")
        expected, got = (f"{array.dtype} {list(array.shape)}" for array in (leaf, arrays[name]))
        if expected != got:
            raise FileError(f"{name!r} in the model file: expected {expected}, got {got}; {ANEW}")
        return jnp.asarray(arrays[name])

    return jax.tree_util.tree_map_with_path(fill, tree)
