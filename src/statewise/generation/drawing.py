"""Symbols drawn one after the other, for many rows at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.foundation.engine import compiled, jax_key
from statewise.foundation.random import key_of
from statewise.foundation.shapes import Array
from statewise.generation.sampling import Sampling, draw
from statewise.generation.steps import SYMBOLS_PER_DISPATCH, Steps
from statewise.network import NetworkParams


class Drawn(NamedTuple):
    """A continuation of each of B rows."""

    symbols: list[list[int]]  # without the stop symbol
    log_probabilities: Array  # [B], of all symbols, that one included
    memory: Any  # what is kept of each row, before the stop symbol


class _Rows(NamedTuple):
    """Where each of B rows is."""

    memory: Any
    logits: jax.Array  # [B, V] of the next symbol
    totals: Any  # [B], log probability so far
    ended: Any  # bool [B]


class Drawing:
    """The compiled drawing of symbols from one network; `stop` is the symbol that ends a row."""

    def __init__(self, steps: Steps, stop: int | None = None) -> None:
        self._steps, self._stop = steps, stop
        self._continue = compiled(self._several)

    def draw(
        self,
        params: NetworkParams,
        context: Any,
        memory: Any,
        logits: Any,
        length: int,
        sampling: Sampling,
        seed: int,
    ) -> Drawn:
        """Returns at most `length` symbols of each row; the other arguments as for `BeamSearch.search`.

        The symbols of a row depend on `seed` and on its number, and on no other row.
        """
        options = {name: value for name, value in vars(sampling).items() if value is not None}
        options["temperature"] = float(sampling.temperature)
        rows = _Rows(memory, logits, np.zeros(len(logits), np.float32), np.zeros(len(logits), bool))
        key, symbols = jax_key(key_of(seed)), np.zeros((0, len(logits)), np.int32)
        while len(symbols) < length and not np.asarray(rows.ended).all():
            count = min(SYMBOLS_PER_DISPATCH, length - len(symbols))
            rows, drawn = self._continue(params, context, rows, key, len(symbols), count, options)
            symbols = np.concatenate([symbols, np.asarray(drawn)[:count]])
        ends = [self._end(row) for row in symbols.T]
        totals = np.asarray(rows.totals, np.float64)
        found = [row[:end].tolist() for row, end in zip(symbols.T, ends, strict=True)]
        return Drawn(found, totals, rows.memory)

    def _end(self, symbols: Array) -> int:
        """Returns how many symbols come before the stop symbol."""
        places = np.flatnonzero(symbols == self._stop)
        return int(places[0]) if len(places) else len(symbols)

    def _several(
        self,
        params: NetworkParams,
        context: Any,
        rows: _Rows,
        key: jax.Array,
        done: jax.Array,
        count: jax.Array,
        sampling: dict[str, jax.Array],
    ) -> tuple[_Rows, jax.Array]:
        number, classes = rows.logits.shape
        keys = jax.vmap(lambda row: jax.random.fold_in(key, row))(jnp.arange(number))

        def step(index: jax.Array, before: tuple[_Rows, jax.Array]) -> tuple[_Rows, jax.Array]:
            rows, drawn = before
            at = jax.vmap(lambda own: jax.random.gumbel(jax.random.fold_in(own, done + index), (classes,)))(keys)
            symbols = jax.vmap(lambda scores, noise: draw(scores, noise, sampling))(rows.logits, at).astype(jnp.int32)
            return self._advance(params, context, rows, symbols), drawn.at[index].set(symbols)

        drawn = jnp.zeros((SYMBOLS_PER_DISPATCH, number), jnp.int32)
        after: tuple[_Rows, jax.Array] = jax.lax.fori_loop(0, count, step, (rows, drawn))
        return after

    def _advance(self, params: NetworkParams, context: Any, rows: _Rows, symbols: jax.Array) -> _Rows:
        log_probabilities = jax.nn.log_softmax(rows.logits)
        chosen = jnp.take_along_axis(log_probabilities, symbols[:, None], axis=1)[:, 0]
        totals = rows.totals + jnp.where(rows.ended, 0.0, chosen)
        ended = rows.ended if self._stop is None else rows.ended | (symbols == self._stop)
        live = None if self._stop is None else ~ended
        memory, logits = self._steps.read(params, context, rows.memory, symbols, live)
        return _Rows(memory, logits, totals, ended)
