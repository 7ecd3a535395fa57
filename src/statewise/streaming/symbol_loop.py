"""Generation as one native loop: a symbol is drawn, the network reads it, and so on, without Python in between."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from statewise.foundation.random import Key
from statewise.foundation.shapes import Array
from statewise.native.library import library
from statewise.state import LayerStates
from statewise.streaming.native_states import SingleCall
from statewise.streaming.runtime import Runtime


class _Sampling(ctypes.Structure):
    """As in native/sampling.h."""

    _fields_ = [
        ("temperature", ctypes.c_double),
        ("top_k", ctypes.c_int64),
        ("top_p", ctypes.c_double),
        ("seed_high", ctypes.c_int64),
        ("seed_low", ctypes.c_int64),
    ]


class Draws(NamedTuple):
    """How symbols are drawn: `temperature`, 0 for the most likely one; `top_k` and `top_p`, None for all; and a key."""

    temperature: float
    top_k: int | None
    top_p: float | None
    key: Key


class SymbolLoop:
    """A network that reads symbols and answers with a score `[V]` for each, continuing one sequence.

    Args:
        runtime: the network, on the native engine.
        states: where the sequence starts, one row; None starts it fresh.
    """

    def __init__(self, runtime: Runtime, states: LayerStates | None = None) -> None:
        assert runtime.program is not None  # noqa: S101 - for the type checker: the engine is the native one
        self._program, self._fresh = runtime.program, runtime.fresh(1)
        self._store = self._program.row[None].copy()
        if states is not None:
            self._program.write(self._store, states)
        self._call = SingleCall(runtime, self._store)
        self._scores = np.zeros(self._program.answer.units, np.float32)
        self._order = np.zeros(self._program.answer.units, np.int64)

    def read(self, symbols: Array) -> None:
        """Reads symbols `[P]`, at least one; the next one is drawn from the scores after them."""
        for symbol in symbols.tolist():
            self._scores[...] = self._call.push(symbol)

    def draw(self, draws: Draws, first: int, count: int) -> list[int]:
        """Returns `count` symbols, the first of them number `first` of the sequence; each is read when it is drawn."""
        drawn = np.zeros(count, np.int64)
        high, low = (int(number) for number in draws.key)
        sampling = _Sampling(draws.temperature, draws.top_k or 0, draws.top_p or 0.0, high, low)
        arrays = (self._scores.ctypes.data, self._order.ctypes.data, first, count, drawn.ctypes.data)
        self._call.generate(ctypes.addressof(sampling), *arrays)
        return drawn.tolist()

    @property
    def states(self) -> LayerStates:
        """A copy of the states after the last symbol, one row."""
        return self._program.read(self._store, self._fresh)


def loop_of(config: Mapping[str, object], params: Mapping[str, Mapping[str, Any]]) -> Runtime | None:
    """Returns the runtime of a network for `SymbolLoop`, with copies of its weights; None where there is none.

    Args:
        config: the network as `Network.config()` returns it; it answers each step with scores.
        params: float32 arrays, by layer and name.
    """
    if library() is None:
        return None
    runtime = Runtime.of(config, params)
    return runtime if runtime.engine.name == "native" and runtime.symbols is not None else None
