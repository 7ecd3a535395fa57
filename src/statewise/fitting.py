"""The loop around compiled epochs: callbacks, validation, Ctrl-C, divergence."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence

from statewise.callbacks import Callback, TrainedModel
from statewise.errors import DivergenceError
from statewise.history import History
from statewise.interrupt import Interrupt, graceful_interrupt
from statewise.training import EpochRecord, StepRecord, StreamedTraining, Training

AfterEpoch = Callable[[EpochRecord], dict[str, float]]
"""Takes over an epoch's weights and returns its logs, those of validation included."""


def run_epochs(
    model: TrainedModel,
    training: Training | StreamedTraining,
    epochs: range,
    callbacks: Sequence[Callback],
    after_epoch: AfterEpoch,
) -> History:
    """Returns the history of a training, run to its end or to the first reason to stop.

    Raises:
        DivergenceError: the loss became NaN or infinite.
    """
    history, begun = History(), time.perf_counter()
    steps = training.steps if isinstance(training, Training) else None
    with graceful_interrupt() as interrupt:
        for callback in callbacks:
            callback.on_train_begin(model, epochs, steps)
        try:
            for record in training:
                if _stops(model, record, callbacks, after_epoch, history) or _interrupted(interrupt, history):
                    break
        finally:
            for callback in callbacks:
                callback.on_train_end(model)
    history.seconds = time.perf_counter() - begun
    if history.interrupted:
        done = history.epoch[-1] + 1 if history.epoch else epochs.start
        sys.stderr.write(f"training stopped by Ctrl-C; the weights are those after epoch {done}\n")
    return history


def _interrupted(interrupt: Interrupt, history: History) -> bool:
    history.interrupted = interrupt.requested
    return interrupt.requested


def _stops(
    model: TrainedModel,
    record: StepRecord | EpochRecord,
    callbacks: Sequence[Callback],
    after_epoch: AfterEpoch,
    history: History,
) -> bool:
    if isinstance(record, StepRecord):
        for callback in callbacks:
            callback.on_step(record)
        return False
    if not math.isfinite(record.logs["loss"]):
        raise DivergenceError(
            f"the loss became {record.logs['loss']} in epoch {record.epoch + 1}; the model keeps the weights before "
            "it. Try a smaller learning_rate, clipnorm=1.0 in the optimizer, or inputs scaled to about -1 .. 1"
        )
    logs = after_epoch(record)
    history.add(record.epoch, logs)
    ends = [callback.on_epoch_end(model, record.epoch, logs) for callback in callbacks]
    return True in ends
