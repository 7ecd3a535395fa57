"""States of random numbers, for comparisons: zeros would hide errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from statewise.kernels.states import AttentionState, WiredState
from statewise.state import State, map_parts


def draw_state(like: State, rng: np.random.Generator, size: float = 0.9) -> State:
    """Returns a state of the shapes of `like` with numbers in -size .. size, except for parts that count or mark.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2))])
    >>> draw_state(model.initial_state(3), np.random.default_rng(0))
    State(batch=3, lstm: h [3, 4], c [3, 4])
    """
    return State({name: _drawn(state, rng, size) for name, state in like.layers.items()}, like.learned)


def _drawn(state: Any, rng: np.random.Generator, size: float) -> Any:
    if isinstance(state, WiredState):
        started = rng.integers(0, 2, state.started.shape).astype(state.started.dtype)
        reached = map_parts(lambda part: part * started, _drawn(state.reached, rng, size))
        return WiredState(started, reached)
    numbers: Any = map_parts(lambda part: rng.uniform(-size, size, part.shape).astype(part.dtype), state)
    if isinstance(state, AttentionState):
        rows, steps = state.real.shape
        real = (np.arange(steps) >= rng.integers(0, steps + 1, (rows, 1))).astype(state.real.dtype)
        return AttentionState(numbers.past * np.repeat(real, state.past.shape[1] // steps, axis=1), real)
    return numbers
