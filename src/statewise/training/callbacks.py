"""Callbacks: what is told of a training as it goes, and may end it. Those that exist are in the modules beside it."""

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
    """What a callback may ask of the model."""

    learned: Learned
    """Weights, optimizer and state of the last finished epoch; setting it goes back to what was kept of another."""

    @property
    def measured(self) -> dict[str, Any] | None:
        """What the logs of the training are measured by: its loss, and checksums of its data and validation data."""

    def get_weights(self) -> list[Array]:
        """Returns copies of all weights."""

    def set_weights(self, weights: list[Array]) -> None:
        """Replaces all weights."""

    def save(self, path: str | Path) -> None:
        """Writes the model file."""


class Callback:
    """Base of what `fit(callbacks=[...])` takes; override what you need. A plain function `f(epoch, logs)` does too.

    `epoch` counts from 0; `logs` holds the epoch's loss and metrics, `val_` before those of validation.
    """

    reads_model = True
    """Whether `on_epoch_end` looks at the model. False lets many short epochs run in one dispatch."""

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        """Called before the first epoch; `steps` are those of one epoch, None if they are not known."""

    def on_step(self, record: StepRecord) -> None:
        """Called now and then inside an epoch that lasts."""

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        """Called after each epoch; returning True ends training.

        Weights that it sets are kept if training ends here; otherwise training goes on from its own.
        """

    def on_train_end(self, model: TrainedModel) -> None:
        """Called after the last epoch, also when training was ended early."""

    def state(self) -> Mapping[str, Any] | None:
        """Returns what it has to remember if training is interrupted, for `fit(checkpoint=...)`; None: nothing.

        A dict of numbers, text, None, arrays, and lists and dicts of these.
        """
        return None

    def restore(self, state: Mapping[str, Any]) -> None:
        """Remembers what `state()` returned before the interruption; called after `on_train_begin`."""


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
    """A callback that is shown another model: the one that has the trained one inside it."""

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
        ConfigurationError: that is no list, or holds something else.
    """
    if not isinstance(callbacks, list | tuple):
        raise ConfigurationError(f"callbacks: expected a list, got {callbacks!r}")
    return [entry if isinstance(entry, Callback) else FunctionCallback(entry) for entry in callbacks]
