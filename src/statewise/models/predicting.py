"""predict, and the model as a function of its input and a state."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from statewise.data.iterable import is_batches
from statewise.data.lanes import Lanes
from statewise.data.ragged_rows import RaggedRows
from statewise.data.windows import Windows
from statewise.errors import DataError, LifecycleError
from statewise.inference.forward import forward_of, predict_rows
from statewise.inference.rows import read_input
from statewise.inference.start import Start, check_warmup, read_start, warn_unused
from statewise.models.model import Model
from statewise.models.reader import ROWS, unframe
from statewise.state import State, parts_of
from statewise.training.progress import shown


def predict(
    model: Model,
    x: object,
    *,
    batch_size: int | None = None,
    verbose: int | str = 0,
    state: str | State = "fresh",
    reset: object = None,
    mask: object = None,
    return_state: bool = False,
) -> Any:
    """Returns the outputs for all rows: `[N, V]`, or `[N, T, V]` where every step has one.

    Arguments as in `evaluate`. For a list of rows of different lengths it returns a list, where every step has
    an answer; "warmup:n" leaves out the answers of the first n steps. With `return_state` it returns
    `(y, State)`: the states in which the N rows ended (or, where rows go on in the next batch, the last ones).

    Raises:
        LifecycleError: the weights are still random; `y, state = model(x)` looks at those.
    """
    if is_batches(x) and not isinstance(x, list | Lanes | Windows) and not hasattr(x, "__array__"):
        raise DataError(
            f"predict: expected an array or a list of rows, got an iterable of type {type(x).__name__}; write "
            "np.concatenate([model.predict(batch) for batch in x])"
        )
    x, _, size, reset, mask = unframe(x, None, batch_size, reset, mask, symbols=model.reads_symbols)
    if not model.train_state.trained:
        raise LifecycleError(
            "the model was never trained: call model.fit(x, y) first, or set_weights; "
            "y, state = model(x) shows what its random weights answer"
        )
    network = model.built_for(x)
    rows = read_input(network, x, reset, mask)
    size = min(size, rows.rows)
    start = read_start(state, network, rows.rows, size, model.state)
    warn_unused(start, model.state)
    check_warmup(start, rows.steps)
    answers: Any
    with shown(verbose, "predict", -(-rows.rows // size)) as told:
        answers, states = predict_rows(network, model.params, rows, size, start, told)
    ended = network.state_of(model.params, states)
    if start.keep:
        model.state = ended
    if (name := network.returned_state) is not None:
        answers = [answers, *(np.asarray(part) for part in parts_of(states[name]).values())]
    return (answers, ended) if return_state else answers


def call(
    model: Model, x: object, state: State | None = None, *, reset: object = None, mask: object = None
) -> tuple[Any, State]:
    """Returns `(y, state)`: the outputs for `x [B, T, F]`, and the state after its last step.

    Changes nothing, `model.state` included.

    Args:
        x: input of any number of rows and steps, or a list of rows of different lengths.
        state: where the rows start; None starts them afresh.
        reset: bool `[B, T]`; True starts that row afresh before that step.
        mask: bool `[B, T]`; False skips that step.

    Raises:
        StateError: the state belongs to another network or has another number of rows, or the network reads
            from both ends, so that nothing goes on from it.
    """
    network = model.built_for(x)
    rows = read_input(network, x, reset, mask)
    batch = rows.rows
    fresh = network.initial_state(model.params, batch)
    states = fresh if state is None else network.check_state(state, batch)
    if network.looks_ahead and state is not None and state != network.state_of(model.params, fresh):
        network.check_continuable("model(x, state)")
    if isinstance(rows, RaggedRows):
        answers, after = predict_rows(network, model.params, rows, min(ROWS, batch), Start(rows=states))
        answers = answers if isinstance(answers, list) else jax.device_put(answers)
        return answers, network.state_of(model.params, after)
    y, after = forward_of(network)(model.params, rows.x, states, reset=rows.reset, mask=rows.mask)
    return (rows.restore(np.asarray(y)) if rows.ragged else y), network.state_of(model.params, after)
