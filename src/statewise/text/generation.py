"""Continuing a sequence: compiled sampling that carries the state from symbol to symbol."""

from __future__ import annotations

from collections.abc import Generator
from functools import lru_cache
from typing import Any
from weakref import ref

import jax
import jax.numpy as jnp
import numpy as np

from statewise.foundation.engine import compiled, jax_key
from statewise.foundation.forks import check_process
from statewise.foundation.random import key_of
from statewise.foundation.shapes import Array
from statewise.generation.sampling import Sampling, draw
from statewise.generation.steps import SYMBOLS_PER_DISPATCH, padded_prompt
from statewise.network import Network, NetworkParams
from statewise.state import LayerStates
from statewise.streaming import Runtime
from statewise.streaming.symbol_loop import Draws, SymbolLoop, loop_of


class SymbolGenerator:
    """The compiled programs that continue sequences of one network.

    A network with an output at every step carries its state. A network that reads windows has no memory beyond the
    window, so the window is its state.
    """

    def __init__(self, network: Network, window: int | None) -> None:
        self._network, _ = network.without_head()
        self._window = window
        self._prime = compiled(self._prime_state)
        self._continue = compiled(self._continue_sequence)
        self._last: tuple[list[ref[Any]], Runtime | None] = [], None  # the weights that a runtime was made of, and it

    def symbols(
        self,
        params: NetworkParams,
        prompt: Array,
        length: int,
        sampling: Sampling,
        seed: int,
        start: LayerStates | None = None,
    ) -> Generator[int, None, Any]:
        """Yields `length` symbols that continue `prompt [P]`, read from `start`, and returns the states after them.

        For a network that reads windows, it returns the last window.
        """
        check_process()
        runtime = self._native(params)
        if runtime is not None:
            states = yield from _native_symbols(runtime, prompt, length, sampling, seed, start)
            return {name: states.get(name, ()) for name in self._network.names}
        options = {name: value for name, value in vars(sampling).items() if value is not None}
        options["temperature"] = float(sampling.temperature)
        memory, logits = self._start(params, prompt, start)
        key, done = jax_key(key_of(seed)), 0
        while done < length:
            count = min(SYMBOLS_PER_DISPATCH, length - done)
            memory, logits, drawn = self._continue(params, memory, logits, key, done, count, options)
            yield from np.asarray(drawn)[:count].tolist()
            done += count
        return memory

    def _native(self, params: NetworkParams) -> Runtime | None:
        """Returns the network for the native loop, the same while the weights are; None where XLA generates."""
        leaves = jax.tree.leaves(params)
        if self._window is not None or self._network.whole_only or any(leaf.dtype != np.float32 for leaf in leaves):
            return None
        known, runtime = self._last
        if [id(reference()) for reference in known] != [id(leaf) for leaf in leaves]:
            runtime = loop_of(self._network.config(), params)
            self._last = [ref(leaf) for leaf in leaves], runtime
        return runtime

    def _start(self, params: NetworkParams, prompt: Array, start: LayerStates | None) -> tuple[Any, jax.Array]:
        if self._window is not None:
            memory = jnp.asarray(prompt[-self._window :])
            return memory, self._answer(params, memory)
        states = self._network.initial_state(params, 1) if start is None else start
        return self._prime(params, states, *padded_prompt(prompt), len(prompt))

    def _prime_state(
        self, params: NetworkParams, states: LayerStates, ids: jax.Array, mask: jax.Array, length: jax.Array
    ) -> tuple[LayerStates, jax.Array]:
        logits, states = self._network.apply(params, ids, states, mask=mask)
        return states, logits[0, length - 1]

    def _answer(self, params: NetworkParams, window: jax.Array) -> jax.Array:
        logits, _ = self._network.apply(params, window[None], self._network.initial_state(params, 1))
        return logits[0]

    def _advance(self, params: NetworkParams, memory: Any, symbol: jax.Array) -> tuple[Any, jax.Array]:
        if self._window is not None:
            memory = jnp.append(memory[1:], symbol)
            return memory, self._answer(params, memory)
        logits, states = self._network.apply(params, symbol[None, None], memory)
        return states, logits[0, 0]

    def _continue_sequence(
        self,
        params: NetworkParams,
        memory: Any,
        logits: jax.Array,
        key: jax.Array,
        done: jax.Array,
        count: jax.Array,
        sampling: dict[str, jax.Array],
    ) -> tuple[Any, jax.Array, jax.Array]:
        def noise_at(index: jax.Array) -> jax.Array:
            return jax.random.gumbel(jax.random.fold_in(key, done + index), logits.shape, logits.dtype)

        noise = jax.vmap(noise_at)(jnp.arange(SYMBOLS_PER_DISPATCH))  # all at once, which is faster than one by one

        def step(index: jax.Array, before: tuple[Any, jax.Array, jax.Array]) -> tuple[Any, jax.Array, jax.Array]:
            memory, logits, drawn = before
            symbol = draw(logits, noise[index], sampling).astype(jnp.int32)
            memory, logits = self._advance(params, memory, symbol)
            return memory, logits, drawn.at[index].set(symbol)

        drawn = jnp.zeros(SYMBOLS_PER_DISPATCH, jnp.int32)
        return jax.lax.fori_loop(0, count, step, (memory, logits, drawn))


def _native_symbols(
    runtime: Runtime, prompt: Array, length: int, sampling: Sampling, seed: int, start: LayerStates | None
) -> Generator[int, None, LayerStates]:
    """Yields what `SymbolGenerator.symbols` does, and draws the same symbols, without compiling a program."""
    loop = SymbolLoop(runtime, start)
    loop.read(prompt)
    draws = Draws(float(sampling.temperature), sampling.top_k, sampling.top_p, key_of(seed))
    for done in range(0, length, SYMBOLS_PER_DISPATCH):
        yield from loop.draw(draws, done, min(SYMBOLS_PER_DISPATCH, length - done))
    return jax.device_put(loop.states)


@lru_cache(maxsize=16)
def generator_of(network: Network, window: int | None) -> SymbolGenerator:
    """Returns the generator of a network, cached."""
    return SymbolGenerator(network, window)
