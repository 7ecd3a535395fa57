"""The loop around compiled epochs: callbacks, validation, Ctrl-C, divergence."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

from statewise.errors import DivergenceError
from statewise.foundation.interrupt import graceful_interrupt
from statewise.training.audience import Audience, Memory
from statewise.training.callbacks import TrainedModel
from statewise.training.checkpoint import Checkpoint
from statewise.training.epochs import CompileRecord, EpochRecord, Position, Record, StreamedTraining, Training
from statewise.training.history import History

Adopt = Callable[[], None]
"""Makes the model what the training's last finished epoch left; or the training what callbacks made of the model."""

Measure = Callable[[dict[str, float]], dict[str, float]]
"""Returns an epoch's logs with those of validation, of the model as it is."""


def run_epochs(
    model: TrainedModel,
    training: Training | StreamedTraining,
    epochs: int,
    audience: Audience,
    adopt: Adopt,
    measure: Measure,
    history: History,
    checkpoint: Checkpoint | None = None,
    memory: Memory | None = None,
    *,
    follow: Adopt,
) -> None:
    """Runs a training to its end or to the first reason to stop, and fills in its `history`.

    A training that continues from a checkpoint has the history of the epochs before, and what its callbacks remember.

    Raises:
        DivergenceError: the loss became NaN or infinite.
    """

    def begin(epoch: int) -> None:
        if epoch < epochs and not ended and not interrupt.requested:
            audience.begin_epoch(model, epoch)
        follow()

    begun, first = time.perf_counter(), training.position.epoch
    ended = False
    with graceful_interrupt() as interrupt:
        audience.begin(model, range(first, max(first, epochs)), training.steps, memory)
        if checkpoint is not None:
            checkpoint.check(audience.memory())
        try:
            if audience.waiting:  # it was interrupted between one callback and the next
                ended = audience.catch_up(model, *history.last)
            begin(first)
            for record in () if ended else training:
                if isinstance(record, EpochRecord):
                    adopt()
                    clock = time.perf_counter()
                    logs = _checked(record, measure)
                    history.add(record.epoch, logs)
                    seconds = record.seconds + time.perf_counter() - clock
                    ended = audience.finish_epoch(model, record.epoch, logs, seconds)
                    begin(record.epoch + 1)
                else:
                    audience.show(record)
                if checkpoint is not None and _is_last(record, training.position):
                    checkpoint.keep(training.position, history, audience.memory())
                history.interrupted = interrupt.requested
                if ended or interrupt.requested:
                    break
        finally:
            history.seconds = time.perf_counter() - begun
            if training.rewind(history.epoch[-1] if history.epoch else first - 1):
                adopt()
            with ExitStack() as last:  # in reverse order; whatever fails, the callbacks are told
                last.callback(audience.end, model)
                if checkpoint is not None:
                    last.callback(checkpoint.keep, training.position, history, audience.memory(), now=True)
        if checkpoint is not None and not history.interrupted:
            checkpoint.keep(training.position, history, audience.memory(), now=True, final=True, ended=ended)
    if history.interrupted:
        done = history.epoch[-1] + 1 if history.epoch else first
        sys.stderr.write(f"training stopped by Ctrl-C; the weights are those after epoch {done}\n")


def _is_last(record: Record, position: Position) -> bool:
    """Returns whether a record is the last one that a dispatch made, so that a checkpoint has nothing to wait for."""
    return not isinstance(record, CompileRecord) and (record.epoch + 1, 0) >= position[1:]


def _checked(record: EpochRecord, measure: Measure) -> dict[str, float]:
    """Returns the logs of a finished epoch, validation included.

    Raises:
        DivergenceError: its loss is no number.
    """
    if not math.isfinite(record.logs["loss"]):
        raise DivergenceError(
            f"the loss became {record.logs['loss']} in epoch {record.epoch + 1}; the model keeps the weights before "
            "it. Try a smaller learning_rate, clipnorm=1.0 in the optimizer, or inputs scaled to about -1 .. 1"
        )
    return measure(record.logs)
