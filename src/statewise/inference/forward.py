"""The compiled forward pass, shared by all models with the same network, and predictions batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

import jax
import numpy as np

from statewise.data.batches import count_steps
from statewise.data.ragged_rows import RaggedRows
from statewise.foundation.engine import ProgramsByShape, compiled
from statewise.foundation.named_values import each
from statewise.foundation.program_lengths import PIECE, Lengths
from statewise.foundation.shapes import Array, filled
from statewise.inference.description import describe_network
from statewise.inference.named_rows import NamedRows
from statewise.inference.rows import Rows
from statewise.inference.start import Start
from statewise.network import Network, NetworkParams
from statewise.state import LayerStates

Told = Callable[[int], None]
"""What is told of how many batches more are done."""

AnyRows = Rows | RaggedRows | NamedRows
"""Input as it was read: arrays, rows of different lengths, or arrays by name."""

KEPT = 32
"""How many programs of a network are kept, each for one input shape."""

OWN = 2
"""How many lengths, the first ones requested of a network, get a program of exactly that length."""


class Forward:
    """The forward pass of one network, compiled for few lengths: others are padded, or read in pieces."""

    def __init__(self, network: Network) -> None:
        self._network = network
        described = describe_network(network)
        description = None if described is None else f"forward {described}"
        self._programs = ProgramsByShape(lambda: compiled(partial(network.apply), description), KEPT)
        in_pieces = network.whole_only is None
        self._lengths = Lengths(OWN, PIECE) if in_pieces else Lengths(OWN - 1)

    def __call__(
        self,
        params: NetworkParams,
        x: Any,
        states: LayerStates,
        *,
        reset: Any = None,
        mask: Any = None,
        times: int = 1,
        ragged: bool = False,
    ) -> tuple[Any, LayerStates]:
        """Returns `(y, states)`; `x` has the length of `times` calls or, if `ragged`, one that is unlikely to recur."""
        if not self._network.takes_padding:
            return self._run(params, x, states, reset, mask)
        steps = count_steps(x)
        pieces = self._lengths.rounded(steps) if ragged else self._lengths.pieces(steps, times)
        if pieces == [steps]:
            return self._run(params, x, states, reset, mask)
        mask = np.ones(x.shape[:2], bool) if mask is None else mask
        answers, first = [], 0
        for piece in pieces:
            cut = (None if a is None else np.asarray(a[:, first : first + piece]) for a in (x, reset, mask))
            part, again, real = (None if a is None else _fill(a, 1, piece) for a in cut)
            y, states = self._run(params, part, states, again, real)
            answers.append(y)
            first += piece
        if self._network.answers_each_step:  # cut by NumPy, since JAX would compile that for each length
            y = jax.device_put(np.concatenate([np.asarray(y) for y in answers], axis=1)[:, :steps])
        return y, states

    def _run(
        self, params: NetworkParams, x: Any, states: LayerStates, reset: Any, mask: Any
    ) -> tuple[Any, LayerStates]:
        arrays, structure = jax.tree.flatten((x, reset, mask))
        program = self._programs.of((*((array.shape, array.dtype.str) for array in arrays), structure))
        answer: tuple[Any, LayerStates] = program.run(params, x, states, reset=reset, mask=mask)
        return answer


@lru_cache(maxsize=64)
def forward_of(network: Network) -> Forward:
    """Returns the network's compiled forward pass, always the same one, also for the same network loaded from a file.

    In a file all layers have explicit names.
    """
    unnamed = network.unnamed()
    return Forward(network) if unnamed == network else forward_of(unnamed)


def say_nothing(_: int) -> None:
    """Is told how many batches more are done, and shows nothing."""


def predict_rows(
    network: Network,
    params: NetworkParams,
    rows: AnyRows,
    batch_size: int,
    start: Start,
    told: Told = say_nothing,
) -> tuple[Any, LayerStates]:
    """Returns the outputs of all rows, in the form of the input, and the final states.

    If rows continue from one another, those are the states after the last batch, `[B]`; otherwise those of all rows,
    `[N]`, and rows of different lengths are read in batches of similar lengths. A short last batch is padded, so that
    its shape is not a new one; where states are carried, the padding is masked.
    """
    forward, answers, ended = forward_of(network), _Answers(network, rows, start.warmup), _Ended(rows)
    states = network.initial_state(params, batch_size) if start.batch is None else start.batch
    times, ragged = -(-rows.rows // batch_size), isinstance(rows, RaggedRows)
    for chosen, batch in _batches(rows, batch_size, start):
        missing, mask = batch_size - len(chosen), batch.mask
        if missing and start.carry:
            mask = network.whole_mask(batch.x, mask)
        x, reset, mask = (each(lambda a: _fill(a, 0, batch_size), part) for part in (batch.x, batch.reset, mask))
        if start.rows is not None:
            states = jax.tree.map(lambda a: _fill(np.asarray(a)[chosen], 0, batch_size), start.rows)  # noqa: B023 - used at once
        y, after = forward(params, x, states, reset=reset, mask=mask, times=times, ragged=ragged)
        answers.add(chosen, each(np.asarray, y))
        told(1)
        if start.carry:
            states = after
        else:
            ended.add(chosen, after)
    return answers.all(), states if start.carry else ended.all()


def _batches(rows: AnyRows, batch_size: int, start: Start) -> Iterator[tuple[Array, Rows | NamedRows]]:
    """Yields the numbers of the rows in each batch, and the rows."""
    order = np.arange(rows.rows)
    if isinstance(rows, RaggedRows) and not start.carry:
        order = np.argsort(rows.lengths, kind="stable")
    for first in range(0, rows.rows, batch_size):
        chosen = order[first : first + batch_size]
        if isinstance(rows, RaggedRows):
            taken = rows.take(chosen, max(int(rows.lengths[chosen].max()), start.warmup + 1))
            yield chosen, Rows(taken["x"], taken.get("reset"), taken["mask"], True)
        else:
            part = slice(first, first + batch_size)
            x, reset, mask = (each(itemgetter(part), value) for value in (rows.x, rows.reset, rows.mask))
            yield chosen, rows._replace(x=x, reset=reset, mask=mask)


class _Answers:
    """The outputs of all rows, in order."""

    def __init__(self, network: Network, rows: AnyRows, warmup: int) -> None:
        by_name = {output.name: network.toward(output.name).answers_each_step for output in network.outputs}
        self._each_step: Any = by_name if len(by_name) > 1 else next(iter(by_name.values()))
        self._rows, self._warmup = rows, warmup
        self._listed: list[Array] = [np.empty(0)] * rows.rows
        self._arrays: Any = None

    def add(self, chosen: Array, y: Any) -> None:
        if isinstance(self._rows, RaggedRows) and self._each_step:
            for number, answer in zip(chosen, y, strict=False):
                self._listed[number] = answer[self._warmup : self._rows.lengths[number]].copy()  # not the whole batch
            return
        if self._arrays is None:
            self._arrays = each(lambda part: np.empty((self._rows.rows, *part.shape[1:]), part.dtype), y)

        def put(array: Array, part: Array) -> None:
            array[chosen] = part[: len(chosen)]

        each(put, self._arrays, y)

    def all(self) -> Any:
        if self._arrays is None:
            return self._listed
        warmup = self._warmup
        y = each(lambda array, each_step: array[:, warmup:] if each_step else array, self._arrays, self._each_step)
        return y if isinstance(self._rows, RaggedRows) else self._rows.restore(y, warmup)


class _Ended:
    """The final states of all rows, in order; joined by NumPy, which compiles nothing."""

    def __init__(self, rows: AnyRows) -> None:
        self._rows = rows
        self._parts: list[tuple[Array, LayerStates]] = []

    def add(self, chosen: Array, after: LayerStates) -> None:
        self._parts.append((chosen, after))

    def all(self) -> LayerStates:
        order = np.concatenate([chosen for chosen, _ in self._parts])
        states = [after for _, after in self._parts]
        if len(states) == 1 and not isinstance(self._rows, RaggedRows):
            return states[0]  # no row was reordered or padded
        placed = np.argsort(order)
        joined: LayerStates = jax.tree.map(lambda *parts: np.concatenate(parts)[: len(order)][placed], *states)
        return jax.device_put(joined)


def _fill(array: Any, axis: int, size: int) -> Any:
    return array if array.shape[axis] == size else filled(array, axis, size)
