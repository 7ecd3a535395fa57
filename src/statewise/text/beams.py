"""Beam search: the most likely continuation that is found by keeping several at every symbol."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.foundation.engine import compiled
from statewise.foundation.forks import check_process
from statewise.foundation.shapes import Array
from statewise.network import Network, NetworkParams
from statewise.state import LayerStates
from statewise.text.generation import SYMBOLS_PER_DISPATCH, padded_prompt


class Found(NamedTuple):
    """The best continuation: its symbols, the log of its probability, and the states after it."""

    symbols: list[int]
    log_probability: float
    memory: Any  # states of one row, or the last window [W]


class _Beams(NamedTuple):
    """The continuations that are kept, the best first: K rows."""

    memory: Any  # states [K, H], or windows [K, W]
    scores: jax.Array  # [K, V], logits of the next symbol
    totals: jax.Array  # [K], log probability so far


class BeamSearch:
    """The compiled beam search of one network that reads symbols, and answers with scores of the next."""

    def __init__(self, network: Network, window: int | None, beams: int) -> None:
        self._network, _ = network.without_head()
        self._window, self._beams = window, beams
        self._prime, self._continue = compiled(self._start), compiled(self._several)

    def search(self, params: NetworkParams, prompt: Array, length: int, start: LayerStates | None = None) -> Found:
        """Returns the best of the kept continuations of `prompt [P]`, read from `start`, after `length` symbols.

        At each symbol, all continuations of those kept are compared by their probabilities, and the best are kept.
        """
        check_process()
        states = self._network.initial_state(params, 1) if start is None else start
        kept = self._prime(params, *self._read(prompt), states, np.int32(len(prompt)))
        parents: list[Array] = []
        symbols: list[Array] = []
        for first in range(0, length, SYMBOLS_PER_DISPATCH):
            count = min(SYMBOLS_PER_DISPATCH, length - first)
            kept, came_from, drawn = self._continue(params, kept, count)
            parents += list(np.asarray(came_from)[:count])
            symbols += list(np.asarray(drawn)[:count])
        path, beam = [], 0
        for came_from, drawn in zip(reversed(parents), reversed(symbols), strict=True):
            path.append(int(drawn[beam]))
            beam = int(came_from[beam])
        best = jax.tree.map(lambda a: a[:1] if self._window is None else a[0], kept.memory)
        return Found(path[::-1], float(kept.totals[0]), best)

    def _read(self, prompt: Array) -> tuple[Array, Array | None]:
        """Returns the row to begin with, and its mask: the last window, or the padded prompt."""
        return padded_prompt(prompt) if self._window is None else (prompt[None, -self._window :], None)

    def _start(
        self, params: NetworkParams, prompt: jax.Array, mask: jax.Array | None, states: LayerStates, length: jax.Array
    ) -> _Beams:
        """Returns the beams after the prompt, padded on the right: all the same, of which only the first counts."""
        if self._window is not None:
            memory = self._copies(prompt)
            scores = self._answer(params, memory)
        else:
            answers, states = self._network.apply(params, prompt, states, mask=mask)
            memory, scores = jax.tree.map(self._copies, (states, answers[:, length - 1]))
        return _Beams(memory, scores, jnp.where(jnp.arange(self._beams) == 0, 0.0, -jnp.inf))

    def _copies(self, row: jax.Array) -> jax.Array:
        return jnp.repeat(row, self._beams, axis=0)

    def _answer(self, params: NetworkParams, windows: jax.Array) -> jax.Array:
        scores, _ = self._network.apply(params, windows, self._network.initial_state(params, self._beams))
        return scores

    def _several(self, params: NetworkParams, kept: _Beams, count: jax.Array) -> tuple[_Beams, jax.Array, jax.Array]:
        """Returns the beams after `count` symbols, and for each of those where the beams came from, and it."""

        def step(index: jax.Array, before: Any) -> Any:
            kept, parents, symbols = before
            kept, came_from, drawn = self._advance(params, kept)
            return kept, parents.at[index].set(came_from), symbols.at[index].set(drawn)

        nothing = jnp.zeros((SYMBOLS_PER_DISPATCH, self._beams), jnp.int32)
        result: tuple[_Beams, jax.Array, jax.Array] = jax.lax.fori_loop(0, count, step, (kept, nothing, nothing))
        return result

    def _advance(self, params: NetworkParams, kept: _Beams) -> tuple[_Beams, jax.Array, jax.Array]:
        each = kept.totals[:, None] + jax.nn.log_softmax(kept.scores)
        totals, place = jax.lax.top_k(each.reshape(-1), self._beams)
        came_from, drawn = jnp.divmod(place.astype(jnp.int32), each.shape[1])
        memory = jax.tree.map(lambda part: part[came_from], kept.memory)
        if self._window is not None:
            memory = jnp.concatenate([memory[:, 1:], drawn[:, None].astype(memory.dtype)], axis=1)
            return _Beams(memory, self._answer(params, memory), totals), came_from, drawn
        scores, memory = self._network.apply(params, drawn[:, None], memory)
        return _Beams(memory, scores[:, 0], totals), came_from, drawn


@lru_cache(maxsize=16)
def search_of(network: Network, window: int | None, beams: int) -> BeamSearch:
    """Returns the beam search of a network, cached."""
    return BeamSearch(network, window, beams)
