"""The loop around compiled epochs: callbacks, validation, Ctrl-C, divergence."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence

from statewise.errors import DivergenceError
from statewise.history import History
from statewise.interrupt import graceful_interrupt
from statewise.training.callbacks import Callback, TrainedModel
from statewise.training.checkpoint import Checkpoint
from statewise.training.epochs import EpochRecord, StepRecord, StreamedTraining, Training

Take = Callable[[], None]
"""Makes the model what the training's last finished epoch left."""

Measure = Callable[[], dict[str, float]]
"""Returns the logs of validation, of the model as it is."""


def run_epochs(
    model: TrainedModel,
    training: Training | StreamedTraining,
    epochs: int,
    callbacks: Sequence[Callback],
    take: Take,
    measure: Measure,
    history: History,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Returns the history of a training, run to its end or to the first reason to stop.

    `history` is that of the epochs before, if the training goes on from a checkpoint.

    Raises:
        DivergenceError: the loss became NaN or infinite.
    """
    begun, first = time.perf_counter(), training.position.epoch
    ended = False
    with graceful_interrupt() as interrupt:
        for callback in callbacks:
            callback.on_train_begin(model, range(first, epochs), training.steps)
        try:
            for record in training:
                if isinstance(record, EpochRecord):
                    take()
                    ended = _finish_epoch(model, record, callbacks, measure, history)
                else:
                    ended = _show_step(record, callbacks)
                if checkpoint is not None and (record.epoch + 1, 0) >= training.position[1:]:
                    checkpoint.keep(training.position, history)
                history.interrupted = interrupt.requested
                if ended or interrupt.requested:
                    break
        finally:
            if training.rewind(history.epoch[-1] if history.epoch else first - 1):
                take()
            if checkpoint is not None:
                checkpoint.keep(training.position, history, now=True)
            for callback in callbacks:
                callback.on_train_end(model)
            if checkpoint is not None and ended:
                checkpoint.keep(training.position, history, now=True, ended=True)
    history.seconds = time.perf_counter() - begun
    if history.interrupted:
        done = history.epoch[-1] + 1 if history.epoch else first
        sys.stderr.write(f"training stopped by Ctrl-C; the weights are those after epoch {done}\n")
    return history


def _show_step(record: StepRecord, callbacks: Sequence[Callback]) -> bool:
    for callback in callbacks:
        callback.on_step(record)
    return False


def _finish_epoch(
    model: TrainedModel, record: EpochRecord, callbacks: Sequence[Callback], measure: Measure, history: History
) -> bool:
    """Returns whether a callback ends training after this epoch."""
    if not math.isfinite(record.logs["loss"]):
        raise DivergenceError(
            f"the loss became {record.logs['loss']} in epoch {record.epoch + 1}; the model keeps the weights before "
            "it. Try a smaller learning_rate, clipnorm=1.0 in the optimizer, or inputs scaled to about -1 .. 1"
        )
    logs = record.logs | {f"val_{name}": value for name, value in measure().items()}
    history.add(record.epoch, logs)
    return True in [callback.on_epoch_end(model, record.epoch, logs) for callback in callbacks]
