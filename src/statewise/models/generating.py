"""generate: sequences from any model that predicts the symbols it reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from statewise.data.ragged import is_ragged
from statewise.errors import ConfigurationError, DataError, LifecycleError, ShapeError
from statewise.foundation.engine import compiled
from statewise.foundation.forks import check_process
from statewise.foundation.shapes import Array, as_numbers, check_seed, check_whole, is_number
from statewise.generation.beams import BeamSearch
from statewise.generation.drawing import Drawing
from statewise.generation.feedback import Feedback, Primed
from statewise.generation.sampling import Sampling
from statewise.inference.named_rows import read_named
from statewise.models.interface import AnyModel
from statewise.network import Network
from statewise.network.passing import by_axis
from statewise.state import State


class Generated(NamedTuple):
    """What `generate` made for each of B rows.

    Attributes:
        sequences: B arrays of symbols, without what the rows started with and without the stop symbol.
        scores: `[B]`, the log probability of each sequence, its stop symbol included, divided by its length to the
            power of `length_penalty`.
        state: of B rows, after the last symbol that is not the stop symbol.
    """

    sequences: list[Array]
    scores: Array
    state: State


def generate(  # noqa: PLR0913 - all by keyword
    model: AnyModel,
    start: object,
    steps: int,
    *,
    inputs: Mapping[str, object] | None = None,
    mask: object = None,
    state: State | None = None,
    beams: int = 1,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float | None = None,
    stop: int | None = None,
    length_penalty: float = 0.0,
    seed: int = 0,
    feed: str | None = None,
    output: str | None = None,
) -> Generated:
    """Returns symbols that continue what each row starts with: the most likely ones, drawn ones, or a beam search's.

    The model answers each step with the probabilities of the next symbol, and reads the symbol chosen as its next step.
    Its other inputs stay as they are: so a decoder goes on from its encoder, which is read once.

    Args:
        model: its output is a softmax over V symbols at each step of an input that reads them, as symbols (an
            `Embedding`) or as one-hot vectors of V features.
        start: what each row starts with: symbols `[B, T]`, or rows of different lengths; or one symbol for all rows.
        steps: the largest number of symbols.
        inputs: what the model's other inputs are given, by name, B rows each.
        mask: of the other inputs' time axes, as in `predict`.
        state: of B rows, to continue from; None is fresh.
        beams: above 1, how many continuations of each row a beam search keeps at every symbol.
        temperature: 0 takes the most likely symbol; 1 draws from the model's probabilities; < 1 sharpens, > 1 flattens
            them. Not with beams.
        top_k: draw from the k most likely symbols only.
        top_p: draw from the most likely symbols whose probabilities add up to this.
        stop: the symbol that ends a sequence.
        length_penalty: what a beam search compares is the log probability, divided by the length to this power: with 0
            short sequences win, with 1 those whose symbols are likely on average.
        seed: random seed; the same seed gives the same symbols.
        feed: the input that reads the symbols; it has to be named only where several could.
        output: the output that predicts them; likewise.

    >>> import numpy as np
    >>> import statewise as sw
    >>> letters = np.arange(60).reshape(1, -1) % 4
    >>> model = sw.Sequential([
    ...     sw.Embedding(4, 4), sw.LSTM(12, return_sequences=True), sw.Dense(4, activation="softmax")
    ... ], seed=7)
    >>> model.compile(sw.Adam(0.05), "sparse_categorical_crossentropy")
    >>> history = model.fit(letters[:, :-1], letters[:, 1:], epochs=40, verbose=0)
    >>> sw.generate(model, [[0, 1], [2, 3]], steps=5).sequences
    [array([2, 3, 0, 1, 2], dtype=int32), array([0, 1, 2, 3, 0], dtype=int32)]

    Raises:
        LifecycleError: the model's weights are still random.
        ConfigurationError: an option is out of range, or the model cannot go on from symbol to symbol.
        ShapeError, DataError: something does not fit.
    """
    check_process()
    _check_options(steps, beams, stop, length_penalty, seed)
    sampling = Sampling(temperature, top_k, top_p)
    if beams > 1 and sampling != Sampling(0.0):
        raise ConfigurationError("beams: a beam search excludes temperature, top_k and top_p; remove them")
    if length_penalty and beams == 1:
        raise ConfigurationError("length_penalty compares what a beam search finds; write beams=4, or remove it")
    if not model.train_state.trained:
        raise LifecycleError("the model was never trained: call model.fit(x, y) first, or set_weights")
    ends = _ends(model.network, feed, output)
    if stop is not None and stop >= ends.network.width:
        raise ConfigurationError(f"stop: expected a symbol 0 .. {ends.network.width - 1}, got {stop}")
    primed, states = _primed(model, ends, start, dict(inputs or {}), mask, state)
    params, context, memory, logits = model.train_state.known, primed.context, primed.memory, primed.scores
    if beams > 1:
        found = _search_of(ends, beams, stop, float(length_penalty)).search(params, context, memory, logits, steps)
        symbols, scores, memory = found.symbols, found.scores, found.memory
    else:
        drawn = _drawing_of(ends, stop).draw(params, context, memory, logits, steps, sampling, seed)
        symbols, scores, memory = drawn.symbols, drawn.log_probabilities, drawn.memory
    state = model.network.state_of(params, {**states, **memory})
    return Generated([np.array(row, np.int32) for row in symbols], scores, state)


def _check_options(steps: int, beams: int, stop: object, length_penalty: Any, seed: int) -> None:
    check_whole("steps", steps)
    check_whole("beams", beams)
    check_seed(seed)
    if stop is not None and (isinstance(stop, bool) or not isinstance(stop, int | np.integer) or stop < 0):
        raise ConfigurationError(f"stop: expected the number of a symbol, got {stop!r}")
    if not is_number(length_penalty) or not 0 <= length_penalty < math.inf:
        raise ConfigurationError(f"length_penalty: expected a number >= 0, got {length_penalty!r}")


class _Ends(NamedTuple):
    """A network with the output that predicts symbols, without its softmax, and the input that reads them."""

    network: Network
    feed: str


@lru_cache(maxsize=32)
def _ends(network: Network, feed: str | None, output: str | None) -> _Ends:
    """Returns what goes on from symbol to symbol.

    Raises:
        ConfigurationError: there is none of that name, nothing fits, or several do.
    """
    outputs = [given.name for given in network.outputs]
    if output is not None and output not in outputs:
        raise ConfigurationError(f"output: expected one of {', '.join(map(repr, outputs))}, got {output!r}")
    inputs = [entry.name for entry in network.inputs]
    if feed is not None and feed not in inputs:
        raise ConfigurationError(f"feed: expected one of {', '.join(map(repr, inputs))}, got {feed!r}")
    found = []
    for name in outputs if output is None else [output]:
        bare, (head,) = network.toward(name).without_heads()
        if head in ("softmax", "linear") and bare.answers_each_step:
            found += [_Ends(bare, entry) for entry in _reading(bare) if feed in (None, entry)]
    if len(found) > 1:
        listed = ", ".join(f"feed={ends.feed!r} with output={ends.network.outputs[0].name!r}" for ends in found)
        raise ConfigurationError(f"generate: several inputs and outputs would fit: {listed}; name them")
    if not found:
        raise ConfigurationError(
            "generate: expected a model that answers each step of an input with the probabilities of its next symbol: "
            "end it in Dense(V, activation='softmax') after an LSTM with return_sequences=True, and begin it with an "
            "Embedding of V symbols, or with one-hot vectors of V features"
        )
    return found[0]


def _reading(bare: Network) -> list[str]:
    """Returns the inputs on the output's time axis that read as many symbols as it predicts."""
    axis = bare.signals[bare.outputs[0].place].axis
    return [
        entry.name
        for entry, signal, symbols in zip(bare.inputs, bare.given, bare.symbols_by_input, strict=True)
        if signal.axis == axis and (entry.shape[-1] if symbols is None else symbols) == bare.width
    ]


def _primed(
    model: AnyModel, ends: _Ends, start: object, inputs: dict[str, object], mask: object, state: State | None
) -> tuple[Primed, dict[str, Any]]:
    """Returns the network after its start and the other inputs, and the states of all its layers."""
    network = model.network
    if ends.feed in inputs:
        raise ConfigurationError(f"inputs: {ends.feed!r} reads the symbols: give start instead")
    symbols = _start(start, inputs, ends.network.width)
    number = [entry.name for entry in network.inputs].index(ends.feed)
    one_hot = network.symbols_by_input[number] is None
    own = [np.eye(ends.network.width, dtype=np.float32)[row] for row in symbols] if one_hot else symbols
    given = inputs | {ends.feed: own if len({len(row) for row in symbols}) > 1 else np.stack(own)}
    rows = read_named(network, given, None, mask)
    states = network.initial_state(model.params, rows.rows)
    if state is not None:
        states = network.check_state(state, rows.rows)
    axis = network.inputs[number].axis
    real = by_axis(network, rows.mask).get(axis)
    steps = network.by_name(rows.x)[ends.feed].shape[1]
    last = np.full(rows.rows, steps - 1) if real is None else steps - 1 - np.argmax(real[:, ::-1], axis=1)
    primed: Primed = _priming_of(ends)(model.train_state.known, network.by_name(rows.x), states, rows.mask, last)
    return primed, {name: primed.states[name] for name in network.names}


def _start(start: Any, inputs: Mapping[str, object], count: int) -> list[Array]:
    """Returns the symbols that each row starts with."""
    if isinstance(start, int | np.integer) and not isinstance(start, bool):
        rows = len(next(iter(inputs.values()))) if inputs else 1  # type: ignore[arg-type]  # checked when read
        start = np.full((rows, 1), start)
    listed = [as_numbers("start", row) for row in start] if is_ragged(start) else as_numbers("start", start)
    if not isinstance(listed, list):
        if listed.ndim != 2:
            raise ShapeError(
                f"start: expected symbols [B, T], rows of them, or one symbol for all rows, got {list(listed.shape)}"
            )
        listed = list(listed)
    for row in listed:
        if row.ndim != 1 or not len(row):
            raise DataError("start: expected at least one symbol in each row")
        if (row != np.rint(row)).any() or (row < 0).any() or (row >= count).any():
            raise DataError(f"start: expected symbols 0 .. {count - 1}, got {row.min():g} to {row.max():g}")
    return [row.astype(np.int32) for row in listed]


@lru_cache(maxsize=16)
def _feedback_of(ends: _Ends) -> Feedback:
    return Feedback(*ends)


@lru_cache(maxsize=16)
def _priming_of(ends: _Ends) -> Any:
    return compiled(_feedback_of(ends).prime)


@lru_cache(maxsize=16)
def _search_of(ends: _Ends, beams: int, stop: int | None, length_penalty: float) -> BeamSearch:
    return BeamSearch(_feedback_of(ends), beams, stop, length_penalty)


@lru_cache(maxsize=16)
def _drawing_of(ends: _Ends, stop: int | None) -> Drawing:
    return Drawing(_feedback_of(ends), stop)
