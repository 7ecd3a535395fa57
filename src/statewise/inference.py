"""The compiled forward pass, shared by all models with the same network."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statewise.network import Network, NetworkParams
from statewise.reading import Rows
from statewise.shapes import Array
from statewise.start import Start
from statewise.state import LayerStates

Forward = Callable[..., tuple[jax.Array, LayerStates]]
"""`(params, x, states, *, reset=None, mask=None) -> (y, states)`, compiled once per shape."""


@lru_cache(maxsize=32)
def forward_of(network: Network) -> Forward:
    """Returns the network's compiled forward pass, the same one each time."""
    return jax.jit(network.apply)


def predict_rows(
    network: Network, params: NetworkParams, rows: Rows, batch_size: int, start: Start
) -> tuple[Array, LayerStates]:
    """Returns the outputs of all rows, and the states in which they ended.

    Where rows go on from one another, those are the states after the last batch, `[B]`; otherwise those of all rows,
    `[N]`. A short last batch is filled up, so that its shape is no new one; where states are carried, what fills it is
    masked.
    """
    forward, outputs, ended = forward_of(network), [], []
    count = len(rows.x)
    states = network.initial_state(params, batch_size) if start.lanes is None else start.lanes
    for first in range(0, count, batch_size):
        missing = max(0, first + batch_size - count)
        mask = rows.mask
        if missing and start.carry:
            mask = np.ones(rows.x.shape[:2], bool) if mask is None else mask
        part = slice(first, first + batch_size)
        x, reset, mask = (None if a is None else _fill(a[part], missing) for a in (rows.x, rows.reset, mask))
        if start.rows is not None:
            states = jax.tree.map(lambda a: _fill(np.asarray(a[part]), missing), start.rows)  # noqa: B023 - used at once
        y, after = forward(params, jnp.asarray(x), states, reset=reset, mask=mask)
        outputs.append(np.asarray(y)[: batch_size - missing])
        if start.carry:
            states, ended = after, [after]
        else:
            ended.append(jax.tree.map(lambda a: a[: batch_size - missing], after))  # noqa: B023 - used at once
    answers = np.concatenate(outputs)
    return answers[:, start.warmup :] if network.answers_each_step else answers, _joined(ended)


def _joined(states: list[LayerStates]) -> LayerStates:
    return states[0] if len(states) == 1 else jax.tree.map(lambda *parts: jnp.concatenate(parts), *states)


def _fill(array: Any, missing: int) -> Any:
    return np.pad(array, [(0, missing)] + [(0, 0)] * (array.ndim - 1)) if missing else array
