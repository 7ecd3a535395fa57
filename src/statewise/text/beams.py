"""Beam search for texts: the most likely continuation of a prompt."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import numpy as np

from statewise.foundation.engine import compiled
from statewise.foundation.forks import check_process
from statewise.foundation.shapes import Array
from statewise.generation.beams import BeamSearch
from statewise.generation.feedback import Feedback
from statewise.generation.steps import WindowSteps, padded_prompt
from statewise.network import Network, NetworkParams
from statewise.state import LayerStates


class FoundText(NamedTuple):
    """The best continuation: its symbols, the log of its probability, and the states after it."""

    symbols: list[int]
    log_probability: float
    memory: Any  # states of one row, or the last window [W]


class TextSearch:
    """The compiled beam search of one network that reads symbols, and answers with scores of the next."""

    def __init__(self, network: Network, window: int | None, beams: int) -> None:
        bare, _ = network.without_head()
        self._network, self._window = bare, window
        self._windows = WindowSteps(bare)
        self._feedback = Feedback(bare, bare.input_name) if window is None else None
        self._beams = BeamSearch(self._feedback or self._windows, beams)
        self._prime = compiled(self._windows.scores if self._feedback is None else self._feedback.prime)

    def search(self, params: NetworkParams, prompt: Array, length: int, start: LayerStates | None = None) -> FoundText:
        """Returns the best of the kept continuations of `prompt [P]`, read from `start`, after `length` symbols."""
        check_process()
        if self._feedback is None:
            window = prompt[None, -self._window :] if self._window is not None else prompt[None]
            context, memory, scores = {}, jax.device_put(window), self._prime(params, window)
        else:
            states = self._network.initial_state(params, 1) if start is None else start
            padded, mask = padded_prompt(prompt)
            last = np.array([len(prompt) - 1])
            context, memory, scores, _ = self._prime(params, {self._network.input_name: padded}, states, mask, last)
        found = self._beams.search(params, context, memory, scores, length)
        best = jax.tree.map(lambda a: a[0], found.memory) if self._feedback is None else found.memory
        return FoundText(found.symbols[0], float(found.log_probabilities[0]), best)


@lru_cache(maxsize=16)
def search_of(network: Network, window: int | None, beams: int) -> TextSearch:
    """Returns the beam search of a network, cached."""
    return TextSearch(network, window, beams)
