"""Networks that read their own symbols, one for each row at a time."""

from __future__ import annotations

from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from statewise.foundation.shapes import Array
from statewise.network import Network, NetworkParams

SYMBOLS_PER_DISPATCH = 64
"""The largest number of symbols per dispatch of a compiled program."""


class Steps(Protocol):
    """A network that reads a symbol of each row, and scores the next."""

    def read(
        self, params: NetworkParams, context: Any, memory: Any, symbols: jax.Array, live: jax.Array | None
    ) -> tuple[Any, jax.Array]:
        """Returns the memory after the `symbols [R]`, and the scores `[R, V]` of the next.

        Args:
            params: the network's weights.
            context: what stays the same for each row.
            memory: what is kept of the symbols before, arrays with R rows.
            symbols: the symbols.
            live: bool `[R]`, False where nothing is read; None if all rows are.
        """


class WindowSteps:
    """A network that reads windows of symbols: the last window `[R, W]` is its memory."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def scores(self, params: NetworkParams, windows: jax.Array) -> jax.Array:
        """Returns the scores `[R, V]` of the symbol after each window."""
        y, _ = self._network.apply(params, windows, self._network.initial_state(params, windows.shape[0]))
        scores: jax.Array = y
        return scores

    def read(
        self, params: NetworkParams, context: Any, memory: Any, symbols: jax.Array, live: jax.Array | None
    ) -> tuple[Any, jax.Array]:
        """Returns the windows moved by a symbol, as `Steps.read` does."""
        moved = jnp.concatenate([memory[:, 1:], symbols[:, None].astype(memory.dtype)], axis=1)
        windows = moved if live is None else jnp.where(live[:, None], moved, memory)
        return windows, self.scores(params, windows)


def padded_prompt(prompt: Array) -> tuple[Array, Array]:
    """Returns a prompt `[P]` as a row `[1, T]`, and its mask: T is a power of 2, so that prompts share few programs."""
    padded = 1 << (len(prompt) - 1).bit_length()
    return np.pad(prompt, (0, padded - len(prompt)))[None], np.arange(padded)[None] < len(prompt)
