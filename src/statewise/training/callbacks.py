"""Callbacks, which follow a training and may end it. Those that exist are in the modules next to this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from statewise.foundation.shapes import Array
from statewise.phrasebook.guard import guard_attributes
from statewise.training.epochs import StepRecord
from statewise.training.learned import Learned


class TrainedModel(Protocol):
    """What a callback may use of the model."""

    stop_training: bool
    """False; a callback that sets it to True ends the training after that epoch."""

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


@guard_attributes
class Callback:
    """Base of what `fit(callbacks=[...])` takes; override what you need. A plain function `f(epoch, logs)` also works.

    `epoch` counts from 0; `logs` holds the epoch's loss and metrics, with the prefix `val_` for those of validation.
    Methods may be written as for Keras instead, such as `on_epoch_end(self, epoch, logs=None)`: then `self.model` and
    `self.params` exist, and return values are ignored. Either way `model.stop_training = True` ends the training.
    """

    reads_model = True
    """Whether `on_epoch_end` reads the model. False lets many short epochs run in one dispatch."""

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        """Called before the first epoch; `steps` is the number in one epoch, None if it is unknown."""

    def on_epoch_begin(self, model: TrainedModel, epoch: int) -> None:
        """Called before each epoch."""

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
        self._function = function

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        ended = self._function(epoch, logs)
        return isinstance(ended, bool | np.bool_) and bool(ended)


class Around(Callback):
    """A callback that passes what it receives on to another one, in another form."""

    def __init__(self, callback: Callback) -> None:
        self.callback, self.reads_model = callback, callback.reads_model

    @property
    def innermost(self) -> Callback:
        """The user's own."""
        return self.callback.innermost if isinstance(self.callback, Around) else self.callback

    def on_step(self, record: StepRecord) -> None:
        self.callback.on_step(record)

    def state(self) -> Mapping[str, Any] | None:
        return self.callback.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self.callback.restore(state)


class OnBehalf(Around):
    """A callback that is shown another model: the one that has the trained one inside it."""

    def __init__(self, model: TrainedModel, callback: Callback) -> None:
        super().__init__(callback)
        self._model = model

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        self.callback.on_train_begin(self._model, epochs, steps)

    def on_epoch_begin(self, model: TrainedModel, epoch: int) -> None:
        self.callback.on_epoch_begin(self._model, epoch)

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        ended = self.callback.on_epoch_end(self._model, epoch, logs)
        return True if asked_to_stop(self._model) else ended

    def on_train_end(self, model: TrainedModel) -> None:
        self.callback.on_train_end(self._model)


def asked_to_stop(model: TrainedModel) -> bool:
    """Returns whether `model.stop_training` was set to True since it was last asked."""
    return bool(vars(model).pop("stop_training", False))
