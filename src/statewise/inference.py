"""The compiled forward pass, shared by all models with the same network."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from statewise.network import Network, NetworkParams
from statewise.shapes import Array
from statewise.state import LayerStates

Forward = Callable[..., tuple[jax.Array, LayerStates]]
"""`(params, x, states, *, reset=None, mask=None) -> (y, states)`, compiled once per shape."""


@lru_cache(maxsize=64)
def forward_of(network: Network) -> Forward:
    """Returns the network's compiled forward pass, the same one each time."""
    return jax.jit(network.apply)


def predict_rows(
    network: Network,
    params: NetworkParams,
    x: Array,
    batch_size: int,
    start: LayerStates | None,
    reset: Array | None,
    mask: Array | None,
) -> tuple[Array, LayerStates]:
    """Returns the outputs of all rows, and the states after the last batch.

    With `start`, row r of batch k+1 goes on from row r of batch k; without, every row starts afresh. A short last
    batch is filled up with rows that are masked, so that it neither compiles anew nor moves a state.
    """
    forward, outputs = forward_of(network), []
    states = network.zero_state(batch_size) if start is None else start
    for first in range(0, len(x), batch_size):
        window = slice(first, first + batch_size)
        missing = first + batch_size - len(x)
        if missing > 0 and start is not None:
            mask = np.ones(x.shape[:2], bool) if mask is None else mask
        batch, batch_reset, batch_mask = (None if a is None else _fill(a[window], missing) for a in (x, reset, mask))
        y, after = forward(params, jnp.asarray(batch), states, reset=batch_reset, mask=batch_mask)
        states = states if start is None else after
        outputs.append(np.asarray(y)[: len(x) - first])
    return np.concatenate(outputs), states


def _fill(array: Array, missing: int) -> Array:
    return np.pad(array, [(0, max(missing, 0))] + [(0, 0)] * (array.ndim - 1))
