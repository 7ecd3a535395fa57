"""What all callbacks have in common, the History among them, and how they are called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from statewise.errors import ConfigurationError
from statewise.legacy.arrays import Rows
from statewise.legacy.logs import Logs

BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


class Callback:
    """What `fit(callbacks=[...])` takes; override what you need. `params` are the arguments of `fit`."""

    model: Any
    params: dict[str, Any]
    validation_data: Any = None

    def set_model(self, model: Any) -> None:
        """Called before training with the model."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called before training with `epochs`, `steps`, `samples`, `batch_size`, `verbose` and `metrics`."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called after the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before each epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after each epoch with its loss and metrics, those of validation behind `val_`."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each batch, counted from 0."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each batch with its loss and metrics."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before each batch, as TensorFlow 2 calls it."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after each batch, as TensorFlow 2 calls it."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before an evaluation, that of validation too."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after an evaluation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before a prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after a prediction."""

    @property
    def wants_batches(self) -> bool:
        """Whether it does something at each batch."""
        return any(getattr(type(self), hook) is not getattr(Callback, hook) for hook in BATCH_HOOKS)


class History(Callback):
    """Loss and metrics of each epoch, as `fit` returns them."""

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: Logs = Logs()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class CallbackList:
    """All callbacks of a fit, called as one."""

    def __init__(self, callbacks: Any, model: Any, params: dict[str, Any]) -> None:
        self.callbacks = list(callbacks or ()) if isinstance(callbacks, list | tuple | None) else [callbacks]
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise ConfigurationError(f"callbacks: expected callbacks such as EarlyStopping(), got {callback!r}")
            callback.set_model(model)
            callback.set_params(params)

    @property
    def want_batches(self) -> bool:
        """Whether one of them does something at each batch."""
        return any(callback.wants_batches for callback in self.callbacks)

    def show(self, validation: Rows) -> None:
        """Gives each the rows that are validated on: `[x, y, weights]`, as Keras did until TensorFlow 2."""
        weight = np.ones(len(validation), np.float32) if validation.weight is None else validation.weight
        for callback in self.callbacks:
            callback.validation_data = [validation.x, validation.y, weight]

    def call(self, hook: str, *arguments: Any) -> None:
        """Calls the method `hook` of each."""
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)


@contextmanager
def watched(model: Any, callbacks: Any, what: str) -> Iterator[None]:
    """Returns a context around a "test" or a "predict" that notifies the callbacks of its beginning and end."""
    watching = CallbackList(callbacks, model, {})
    watching.call(f"on_{what}_begin", Logs())
    yield
    watching.call(f"on_{what}_end", Logs())
