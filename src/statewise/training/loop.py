"""The loop around compiled epochs: callbacks, validation, Ctrl-C, divergence."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

from statewise.errors import DivergenceError
from statewise.foundation.interrupt import graceful_interrupt
from statewise.training.callback_list import CallbackList, CallbackStates
from statewise.training.callbacks import TrainedModel
from statewise.training.checkpoint import Checkpoint
from statewise.training.epochs import CompileRecord, EpochRecord, Position, Record, StreamedTraining, Training
from statewise.training.history import History

Adopt = Callable[[], None]
"""Sets the model to the result of the training's last finished epoch; or the training to what callbacks made of it."""

Measure = Callable[[dict[str, float]], dict[str, float]]
"""Returns an epoch's logs with those of validation, measured on the model as it is."""


def run_epochs(
    model: TrainedModel,
    training: Training | StreamedTraining,
    epochs: int,
    callback_list: CallbackList,
    adopt: Adopt,
    measure: Measure,
    history: History,
    checkpoint: Checkpoint | None = None,
    saved: CallbackStates | None = None,
    *,
    follow: Adopt,
) -> None:
    """Runs a training to its end or to the first reason to stop, and fills its `history`.

    A training that continues from a checkpoint has the history of the earlier epochs, and its callbacks' states.

    Raises:
        DivergenceError: the loss became NaN or infinite.
    """

    def begin(epoch: int) -> None:
        if epoch < epochs and not ended and not interrupt.requested:
            callback_list.begin_epoch(model, epoch)
        follow()

    begun, first = time.perf_counter(), training.position.epoch
    ended = False
    with graceful_interrupt() as interrupt:
        callback_list.begin(model, range(first, max(first, epochs)), training.steps, saved)
        if checkpoint is not None:
            checkpoint.check(callback_list.states())
        try:
            if callback_list.waiting:  # it was interrupted between one callback and the next
                ended = callback_list.catch_up(model, *history.last)
            begin(first)
            for record in () if ended else training:
                if isinstance(record, EpochRecord):
                    adopt()
                    clock = time.perf_counter()
                    logs = _checked(record, measure)
                    history.add(record.epoch, logs)
                    seconds = record.seconds + time.perf_counter() - clock
                    ended = callback_list.finish_epoch(model, record.epoch, logs, seconds)
                    begin(record.epoch + 1)
                else:
                    callback_list.show(record)
                if checkpoint is not None and _is_last(record, training.position):
                    checkpoint.keep(training.position, history, callback_list.states())
                history.interrupted = interrupt.requested
                if ended or interrupt.requested:
                    break
        finally:
            history.seconds = time.perf_counter() - begun
            if training.rewind(history.epoch[-1] if history.epoch else first - 1):
                adopt()
            with ExitStack() as last:  # in reverse order; whatever fails, the callbacks are notified
                last.callback(callback_list.end, model)
                if checkpoint is not None:
                    last.callback(checkpoint.keep, training.position, history, callback_list.states(), now=True)
        if checkpoint is not None and not history.interrupted:
            checkpoint.keep(training.position, history, callback_list.states(), now=True, final=True, ended=ended)
    if history.interrupted:
        done = history.epoch[-1] + 1 if history.epoch else first
        sys.stderr.write(f"training stopped by Ctrl-C; the weights are those after epoch {done}\n")


def _is_last(record: Record, position: Position) -> bool:
    """Returns whether a record is the last one that a dispatch made, so that a checkpoint has nothing to wait for."""
    return not isinstance(record, CompileRecord) and (record.epoch + 1, 0) >= position[1:]


def _checked(record: EpochRecord, measure: Measure) -> dict[str, float]:
    """Returns the logs of a finished epoch, validation included.

    Raises:
        DivergenceError: its loss is NaN or infinite.
    """
    if not math.isfinite(record.logs["loss"]):
        raise DivergenceError(
            f"the loss became {record.logs['loss']} in epoch {record.epoch + 1}; the model keeps the weights from "
            "before. Try a smaller learning_rate, clipnorm=1.0 in the optimizer, or inputs scaled to about -1 .. 1"
        )
    return measure(record.logs)
