"""Callbacks, which follow a training and may end it. Those that exist are in the modules next to this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import Array
from statewise.training.epochs import StepRecord
from statewise.training.learned import Learned


class TrainedModel(Protocol):
    """What a callback may use of the model."""

    learned: Learned
    """Weights, optimizer and state of the last finished epoch; set it to go back to a value kept from another epoch."""

    @property
    def measured(self) -> dict[str, Any] | None:
        """What the logs of the training are measured with: its loss, and checksums of its data and validation data."""

    def get_weights(self) -> list[Array]:
        """Returns copies of all weights."""

    def set_weights(self, weights: list[Array]) -> None:
        """Replaces all weights."""

    def save(self, path: str | Path) -> None:
        """Writes the model file."""


class Callback:
    """Base of what `fit(callbacks=[...])` takes; override what you need. A plain function `f(epoch, logs)` also works.

    `epoch` counts from 0; `logs` holds the epoch's loss and metrics, with the prefix `val_` for those of validation.
    """

    reads_model = True
    """Whether `on_epoch_end` reads the model. False lets many short epochs run in one dispatch."""

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        """Called before the first epoch; `steps` is the number in one epoch, None if it is unknown."""

    def on_step(self, record: StepRecord) -> None:
        """Called now and then during a long epoch."""

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        """Called after each epoch; returning True ends training.

        Weights that it sets are kept if training ends here; otherwise training continues with its own.
        """

    def on_train_end(self, model: TrainedModel) -> None:
        """Called after the last epoch, also if training ended early."""

    def state(self) -> Mapping[str, Any] | None:
        """Returns the state to save if training is interrupted, for `fit(checkpoint=...)`; None if there is none.

        A dict of numbers, text, None, arrays, and lists and dicts of these.
        """
        return None

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restores what `state()` returned before the interruption; called after `on_train_begin`."""


class FunctionCallback(Callback):
    """Your own function `f(epoch, logs)`, called after each epoch; if it returns True, training ends."""

    def __init__(self, function: Callable[[int, dict[str, float]], bool | None]) -> None:
        if isinstance(function, type):
            raise ConfigurationError(f"callbacks: expected a callback, got the class; write {function.__name__}()")
        if not callable(function):
            raise ConfigurationError(f"callbacks: expected callbacks or functions f(epoch, logs), got {function!r}")
        self._function = function

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        ended = self._function(epoch, logs)
        return isinstance(ended, bool | np.bool_) and bool(ended)


class OnBehalf(Callback):
    """A callback that is given another model: the one that contains the trained one."""

    def __init__(self, model: TrainedModel, callback: Callback) -> None:
        self._model, self.callback, self.reads_model = model, callback, callback.reads_model

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        self.callback.on_train_begin(self._model, epochs, steps)

    def on_step(self, record: StepRecord) -> None:
        self.callback.on_step(record)

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        return self.callback.on_epoch_end(self._model, epoch, logs)

    def on_train_end(self, model: TrainedModel) -> None:
        self.callback.on_train_end(self._model)

    def state(self) -> Mapping[str, Any] | None:
        return self.callback.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self.callback.restore(state)


def read_callbacks(callbacks: object) -> list[Callback]:
    """Returns `fit`'s callbacks, functions among them wrapped.

    Raises:
        ConfigurationError: it is not a list, or holds something else.
    """
    if not isinstance(callbacks, list | tuple):
        raise ConfigurationError(f"callbacks: expected a list, got {callbacks!r}")
    return [entry if isinstance(entry, Callback) else FunctionCallback(entry) for entry in callbacks]
