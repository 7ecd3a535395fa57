"""predict, and calling the model as a function of its input and a state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from statewise.data.batch_iterables import is_batches, larger_batch
from statewise.data.ragged_rows import RaggedRows
from statewise.errors import ConfigurationError, DataError, LifecycleError, ShapeError
from statewise.foundation.named_values import each
from statewise.inference.forward import Told, forward_of, predict_rows
from statewise.inference.rows import read_input
from statewise.inference.start import Start, check_warmup, read_start, warn_unused
from statewise.models.answers import in_form
from statewise.models.interface import AnyModel
from statewise.models.reader import ROWS, unframe
from statewise.network import Network
from statewise.state import LayerStates, State, parts_of
from statewise.training.progress import shown


def predict(
    model: AnyModel,
    x: object,
    *,
    batch_size: int | None = None,
    verbose: int | str = 0,
    state: str | State = "fresh",
    reset: object = None,
    mask: object = None,
    return_state: bool = False,
) -> Any:
    """Returns the outputs for all rows: `[N, V]`, or `[N, T, V]` if every step has one.

    Arguments as in `evaluate`; a loader or generator may yield x alone, or `(x, y)`, whose y is ignored. For a list of
    rows of different lengths it returns a list if every step has an output; "warmup:n" omits the outputs of the first
    n steps. With `return_state` it returns `(y, State)`: the final states of the N rows (or, if rows continue in the
    next batch, of the last batch).

    Raises:
        LifecycleError: the weights are still random; use `y, state = model(x)` to see what they output.
    """
    if not model.train_state.trained:
        raise LifecycleError(
            "the model was never trained: call model.fit(x, y) first, or set_weights; "
            "y, state = model(x) shows the output of its random weights"
        )
    if is_batches(x):
        if batch_size is not None or reset is not None or mask is not None:
            raise ConfigurationError(
                "batch_size, reset, mask: an iterable defines its own batches; remove these arguments"
            )
        with shown(verbose, "predict", None) as told:
            answers, ended = _of_batches(model, x, state, told)
    else:
        answers, ended = _of_rows(model, x, state, batch_size, reset, mask, verbose)
    answers = in_form(model, answers)
    if (name := model.returned_state) is not None:
        answers = [answers, *(np.asarray(part) for part in parts_of(ended[name]).values())]
    return (answers, ended) if return_state else answers


def _of_rows(
    model: AnyModel,
    x: object,
    state: str | State,
    batch_size: int | None,
    reset: object,
    mask: object,
    verbose: object,
) -> tuple[Any, State]:
    x, _, size, reset, mask = unframe(x, None, batch_size, reset, mask, symbols=model.reads_symbols)
    network = model.built_for(x)
    rows = read_input(network, x, reset, mask)
    size = min(size, rows.rows)
    start = read_start(state, network, rows.rows, size, model.state)
    warn_unused(start, model.state)
    check_warmup(start, rows.steps)
    with shown(verbose, "predict", -(-rows.rows // size)) as told:
        answers, states = predict_rows(network, model.train_state.known, rows, size, start, told)
    ended = network.state_of(model.params, states)
    if start.keep:
        model.state = ended
    return answers, ended


def _of_batches(model: AnyModel, batches: Any, state: str | State, told: Told) -> tuple[Any, State]:
    """Returns the outputs for an iterable of batches, none of them larger than the first."""
    network, size, start = model.network, 0, Start()
    answers: list[Any] = []
    ended: list[LayerStates] = []
    for number, batch in enumerate(batches, 1):
        rows = read_input(network, _x_of(network, batch))
        if number == 1:
            size = rows.rows
            start = read_start(state, network, None, size, model.state)
            warn_unused(start, model.state)
        elif rows.rows > size:
            raise ShapeError(larger_batch(number, rows.rows, size))
        check_warmup(start, rows.steps)
        y, after = predict_rows(network, model.train_state.known, rows, size if start.carry else rows.rows, start)
        start = replace(start, batch=after) if start.carry else start
        answers.append(y)
        told(1)
        ended[:] = [after] if start.carry else [*ended, after]
    if not answers:
        raise DataError("the iterable of batches is empty; expected x or (x, y) in it")
    states = jax.tree.map(lambda *parts: jax.numpy.concatenate(parts), *ended) if len(ended) > 1 else ended[0]
    if start.keep:
        model.state = network.state_of(model.params, states)
    return _joined(answers), network.state_of(model.params, states)


def _joined(answers: list[Any]) -> Any:
    """Returns the answers of all batches together: an array, or a list of rows where they differ in their steps."""
    if isinstance(answers[0], Mapping):
        return {name: _joined([y[name] for y in answers]) for name in answers[0]}
    if any(isinstance(y, list) for y in answers) or len({y.shape[1:] for y in answers}) > 1:
        return [row for y in answers for row in y]
    return np.concatenate(answers)


def _x_of(network: Network, batch: Any) -> object:
    """Returns x of a batch: the first entry of a tuple, or of a list unless its entries are rows or inputs."""
    if isinstance(batch, tuple):
        return batch[0]
    if not isinstance(batch, list) or not batch or len(network.inputs) > 1:
        return batch
    return batch[0] if getattr(batch[0], "ndim", 0) == 1 + len(network.input_shape) else batch


def call(
    model: AnyModel, x: object, state: State | None = None, *, reset: object = None, mask: object = None
) -> tuple[Any, State]:
    """Returns `(y, state)`: the outputs for `x [B, T, F]`, and the state after its last step.

    Changes nothing, not even `model.state`.

    Args:
        x: input with any number of rows and steps, or a list of rows of different lengths; for several inputs a dict.
            All inputs of a time axis together may be left out of it: that axis takes no step. So an encoder is read in
            pieces, and then the decoder.
        state: the state to start from; None is the initial state.
        reset: bool `[B, T]`; True resets that row to the initial state before that step.
        mask: bool `[B, T]`; False skips that step.

    Raises:
        StateError: the state belongs to another network or has another number of rows, or the network is
            bidirectional, so that a state cannot be continued.
    """
    network = model.built_for(x)
    rows = read_input(network, x, reset, mask, partly=True)
    batch = rows.rows
    fresh = network.initial_state(model.params, batch)
    states = fresh if state is None else network.check_state(state, batch)
    if network.looks_ahead and state is not None and state != network.state_of(model.params, fresh):
        network.check_continuable("model(x, state)")
    if isinstance(rows, RaggedRows):
        answers, after = predict_rows(network, model.train_state.known, rows, min(ROWS, batch), Start(rows=states))
        answers = answers if isinstance(answers, list) else jax.device_put(answers)
        return in_form(model, answers), network.state_of(model.params, after)
    y, after = forward_of(network)(model.train_state.known, rows.x, states, reset=rows.reset, mask=rows.mask)
    y = rows.restore(each(np.asarray, y)) if rows.ragged else y
    return in_form(model, y), network.state_of(model.params, after)
