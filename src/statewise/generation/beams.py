"""Beam search: the most likely continuations that are found by keeping several at every symbol."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.foundation.engine import compiled
from statewise.foundation.shapes import Array
from statewise.generation.steps import SYMBOLS_PER_DISPATCH, Steps
from statewise.network import NetworkParams


class Found(NamedTuple):
    """The best continuation of each of B rows."""

    symbols: list[list[int]]  # without the stop symbol
    log_probabilities: Array  # [B], of all symbols, that one included
    scores: Array  # [B], by which they were compared
    memory: Any  # what is kept of each row, before the stop symbol


class _Beams(NamedTuple):
    """The K continuations of each of B rows that are kept, the best first."""

    memory: Any  # B K rows
    logits: jax.Array  # [B K, V] of the next symbol
    totals: jax.Array  # [B, K], log probability so far
    lengths: jax.Array  # [B, K], symbols so far
    ended: jax.Array  # bool [B, K]


class BeamSearch:
    """The compiled beam search of one network.

    Args:
        steps: the network.
        beams: K, how many continuations of a row are kept.
        stop: the symbol that ends a continuation; None if all have the same length.
        length_penalty: continuations are compared by their log probability, divided by their length to this power: 0
            prefers short ones, since each symbol makes them less likely; 1 compares means.
    """

    def __init__(self, steps: Steps, beams: int, stop: int | None = None, length_penalty: float = 0.0) -> None:
        self._steps, self._count, self._stop, self._penalty = steps, beams, stop, length_penalty
        self._start, self._continue = compiled(self._beginning), compiled(self._several)

    def search(self, params: NetworkParams, context: Any, memory: Any, logits: Any, length: int) -> Found:
        """Returns the best of the kept continuations of each row, of at most `length` symbols.

        At each symbol, all continuations of those kept are compared, and the best are kept.

        Args:
            params: the network's weights.
            context: what stays the same for each of the B rows.
            memory: where each row is.
            logits: `[B, V]` of each row's next symbol.
            length: the largest number of symbols.
        """
        context, kept = self._start(context, memory, logits)
        parents, symbols, done = [], [], 0
        while done < length:
            count = min(SYMBOLS_PER_DISPATCH, length - done)
            kept, came_from, drawn, taken = self._continue(params, context, kept, count)
            parents += list(np.asarray(came_from)[: int(taken)])
            symbols += list(np.asarray(drawn)[: int(taken)])
            done = done + count if int(taken) == count else length
        rows = np.arange(len(logits)) * self._count
        best = jax.tree.map(lambda a: a[rows], kept.memory)
        totals, ranks = (np.asarray(a, np.float64)[:, 0] for a in (kept.totals, self._ranks(kept.totals, kept.lengths)))
        return Found([self._path(parents, symbols, row) for row in range(len(rows))], totals, ranks, best)

    def _path(self, parents: list[Array], symbols: list[Array], row: int) -> list[int]:
        """Returns the symbols of a row's best continuation."""
        path, beam = [], 0
        for came_from, drawn in zip(reversed(parents), reversed(symbols), strict=True):
            path.append(int(drawn[row, beam]))
            beam = int(came_from[row, beam])
        path.reverse()
        return path[: path.index(self._stop)] if self._stop in path else path

    def _beginning(self, context: Any, memory: Any, logits: jax.Array) -> tuple[Any, _Beams]:
        """Returns the beams, all the same, of which only the first counts; and what stays the same for them."""

        def copies(a: jax.Array) -> jax.Array:
            return jnp.repeat(a, self._count, axis=0)

        context, memory, several = jax.tree.map(copies, (context, memory, logits))
        shape = (logits.shape[0], self._count)
        totals = jnp.broadcast_to(jnp.where(jnp.arange(self._count) == 0, 0.0, -jnp.inf), shape)
        return context, _Beams(memory, several, totals, jnp.zeros(shape, jnp.int32), jnp.zeros(shape, bool))

    def _several(
        self, params: NetworkParams, context: Any, kept: _Beams, count: jax.Array
    ) -> tuple[_Beams, jax.Array, jax.Array, jax.Array]:
        """Returns the beams after `count` symbols, or fewer if all end; where they came from, the symbols, how many."""

        def going_on(before: Any) -> jax.Array:
            index, kept, *_ = before
            return (index < count) & ~jnp.all(kept.ended)

        def step(before: Any) -> Any:
            index, kept, parents, symbols = before
            kept, came_from, drawn = self._advance(params, context, kept)
            return index + 1, kept, parents.at[index].set(came_from), symbols.at[index].set(drawn)

        nothing = jnp.zeros((SYMBOLS_PER_DISPATCH, *kept.totals.shape), jnp.int32)
        taken, kept, parents, symbols = jax.lax.while_loop(going_on, step, (jnp.int32(0), kept, nothing, nothing))
        return kept, parents, symbols, taken

    def _advance(self, params: NetworkParams, context: Any, kept: _Beams) -> tuple[_Beams, jax.Array, jax.Array]:
        rows, count = kept.totals.shape
        each = jax.nn.log_softmax(kept.logits).reshape(rows, count, -1)
        if self._stop is not None:  # what ended stays as it is
            staying = jnp.where(jnp.arange(each.shape[-1]) == self._stop, 0.0, -jnp.inf)
            each = jnp.where(kept.ended[..., None], staying, each)
        each = kept.totals[..., None] + each
        lengths = kept.lengths + ~kept.ended
        _, place = jax.lax.top_k(self._ranks(each, lengths[..., None]).reshape(rows, -1), count)
        came_from, drawn = jnp.divmod(place.astype(jnp.int32), each.shape[-1])
        chosen = (jnp.arange(rows)[:, None] * count + came_from).reshape(-1)
        memory = jax.tree.map(lambda part: part[chosen], kept.memory)
        totals = jnp.take_along_axis(each.reshape(rows, -1), place, axis=1)
        lengths, ended = (jnp.take_along_axis(a, came_from, axis=1) for a in (lengths, kept.ended))
        live = None
        if self._stop is not None:
            ended = ended | (drawn == self._stop)
            live = ~ended.reshape(-1)
        memory, logits = self._steps.read(params, context, memory, drawn.reshape(-1), live)
        return _Beams(memory, logits, totals, lengths, ended), came_from, drawn

    def _ranks(self, totals: jax.Array, lengths: jax.Array) -> jax.Array:
        """Returns the scores by which continuations are compared."""
        return totals / jnp.maximum(lengths, 1) ** self._penalty if self._penalty else totals
