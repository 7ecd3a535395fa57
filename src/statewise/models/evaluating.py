"""evaluate: loss and metrics of a model on data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, overload

from statewise.data.batch_iterables import CheckedBatches, OneTime
from statewise.data.batches import Samples
from statewise.data.length_buckets import LengthBuckets
from statewise.errors import ConfigurationError
from statewise.foundation.shapes import is_number
from statewise.inference.forward import Told, say_nothing
from statewise.inference.start import Start, check_warmup, read_start, warn_unused
from statewise.models.feed import Feed, arrange, count_rows
from statewise.models.interface import AnyModel
from statewise.models.reader import Flags
from statewise.state import LayerStates, State
from statewise.training import evaluation
from statewise.training.programs import Layout
from statewise.training.progress import shown


@overload
def evaluate(
    model: AnyModel,
    x: object,
    y: object = None,
    *,
    batch_size: int | None = None,
    verbose: int | str = 0,
    sample_weight: object = None,
    state: str | State = "fresh",
    reset: object = None,
    mask: object = None,
    return_dict: Literal[True],
) -> dict[str, float]: ...


@overload
def evaluate(
    model: AnyModel,
    x: object,
    y: object = None,
    *,
    batch_size: int | None = None,
    verbose: int | str = 0,
    sample_weight: object = None,
    state: str | State = "fresh",
    reset: object = None,
    mask: object = None,
    return_dict: Literal[False] = False,
) -> float | list[float]: ...


def evaluate(
    model: AnyModel,
    x: object,
    y: object = None,
    *,
    batch_size: int | None = None,
    verbose: int | str = 0,
    sample_weight: object = None,
    state: str | State = "fresh",
    reset: object = None,
    mask: object = None,
    return_dict: bool = False,
) -> float | list[float] | dict[str, float]:
    """Returns the loss, or a list of the loss and each metric, or with `return_dict` a dict of them.

    Arguments as in `fit`: "carry" starts fresh and stores the final state in `model.state`, "continue" starts from it.
    No other option changes `model.state`, and none changes what the model has learned. `verbose=1` shows progress if
    the evaluation takes more than a second.
    """
    reader = model.reader
    x = OneTime(x) if isinstance(x, Iterator) else x
    rows, size = reader.source(x, y, batch_size, Flags(sample_weight, reset, mask))
    network = model.network
    count = count_rows(rows)
    start = read_start(state, network, count, size, model.state)
    warn_unused(start, model.state)
    check_warmup(start, rows.steps)
    reader.check_counts(network, rows, start.warmup)
    with shown(verbose, "evaluate", None if count is None else -(-count // size)) as told:
        logs, states = measure(model, arrange(rows, size, start), size, start, told=told)
    if start.keep:
        model.state = network.state_of(model.params, states)
    if return_dict:
        return logs
    return logs["loss"] if len(logs) == 1 else list(logs.values())


def measure(
    model: AnyModel,
    rows: Samples | LengthBuckets | CheckedBatches,
    size: int,
    start: Start,
    *,
    recurring: bool = False,
    told: Told = say_nothing,
) -> tuple[dict[str, float], LayerStates]:
    """Returns loss and metrics, and the states after the last batch; `recurring` rows are compiled without padding.

    `told` is called with the number of batches scored since its last call.
    """
    count = count_rows(rows)
    layout = Layout(size, padded=count is None or count % size != 0, carry=start.carry, warmup=start.warmup)
    states = model.network.initial_state(model.params, size) if start.batch is None else start.batch
    known = model.train_state.known
    return evaluation.evaluate(model.programs, known, states, rows, layout, recurring=recurring, told=told)


def validate(model: AnyModel, feed: Feed, start: Start) -> dict[str, float]:
    """Returns the logs of the validation data, with names that begin with `val_`."""
    held_out = feed.validation
    if held_out is None:
        return {}
    if callable(held_out):
        logs = held_out()
        if not isinstance(logs, dict) or not all(is_number(value) for value in logs.values()):
            raise ConfigurationError(
                f"validation_data: expected the function to return a dict of logs (names and numbers), got {logs!r:.80}"
            )
    else:
        size = feed.validation_size
        logs, _ = measure(model, arrange(held_out, size, start), size, start, recurring=True)
    return {f"val_{name}": value for name, value in logs.items()}
