"""keras.callbacks, called during training as Keras calls them, which decides how finely it is divided."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable
from typing import Any, Protocol

import statewise as sw
from statewise.errors import ConfigurationError, DivergenceError, StatewiseWarning
from statewise.legacy.callback import BATCH_HOOKS, Callback, CallbackList, History
from statewise.legacy.errors import lacking, unsupported
from statewise.legacy.logs import Logs
from statewise.legacy.options import in_keras_2_words, refuse
from statewise.legacy.spellings import note


class LambdaCallback(Callback):
    """Calls functions where a callback's methods are called."""

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_batch_begin: Callable[..., Any] | None = None,
        on_batch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        on_test_begin: Callable[..., Any] | None = None,
        on_test_end: Callable[..., Any] | None = None,
        on_predict_begin: Callable[..., Any] | None = None,
        on_predict_end: Callable[..., Any] | None = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if callable(value)}
        self._batches = bool(set(given) & set(BATCH_HOOKS))
        for name, function in given.items():
            setattr(self, name, function)

    @property
    def wants_batches(self) -> bool:
        return self._batches


class _Wrapped(Protocol):
    """A callback of statewise's."""

    def on_train_begin(self, model: Any, epochs: range, steps: int | None) -> None:
        """Called before the first epoch."""

    def on_epoch_end(self, model: Any, epoch: int, logs: Any) -> bool | None:
        """Called after each epoch."""

    def on_train_end(self, model: Any) -> None:
        """Called after the last epoch."""


def _lacks(callback: Callback, monitor: str, logs: Logs) -> bool:
    """Returns whether there is no such log, and warns, like Keras, that the callback then does nothing."""
    if monitor in logs:
        return False
    warnings.warn(
        f"{type(callback).__name__}: {monitor!r} is not among {', '.join(logs)}, so it does nothing; fit with "
        "validation_data, or monitor='loss'",
        StatewiseWarning,
        stacklevel=2,
    )
    return True


class _Wrapping(Callback):
    """One of statewise's callbacks with Keras's words around it."""

    core: _Wrapped
    monitor: str | None = None
    """What it looks at, if that is a single log."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.core.on_train_begin(self._shown(), range(self.params["epochs"]), self.params["steps"])

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or Logs()
        if self.monitor is not None and _lacks(self, self.monitor, logs):
            return
        if self.core.on_epoch_end(self._shown(), epoch, logs):
            self.model.stop_training = True
            self.ended(epoch)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self.core.on_train_end(self._shown())

    def _shown(self) -> Any:
        return self.model

    def ended(self, epoch: int) -> None:
        """Called when it ends the training."""


def _direction(monitor: str, mode: str) -> str:
    """Returns whether "min" or "max" is better, which Keras 2 inferred from the log's name."""
    return mode if mode != "auto" else "max" if "acc" in monitor or monitor.startswith("fmeasure") else "min"


class _Weights:
    """What early stopping restored in Keras 2: the weights, but neither the optimizer nor the state."""

    def __init__(self, model: Any) -> None:
        self._model = model

    @property
    def learned(self) -> Any:
        return self._model.get_weights()

    @learned.setter
    def learned(self, weights: Any) -> None:
        self._model.set_weights(weights)


class EarlyStopping(_Wrapping):
    """Ends training when a log has not improved for `patience` epochs."""

    @in_keras_2_words("EarlyStopping")
    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
    ) -> None:
        refuse("EarlyStopping", "write a Callback that sets self.model.stop_training = True", baseline=baseline)
        self._verbose, self.monitor = verbose, monitor
        self.core = sw.EarlyStopping(
            monitor,
            min_delta=abs(min_delta),
            patience=patience,
            mode=_direction(monitor, mode),
            restore_best_weights=restore_best_weights,
        )
        self.stopped_epoch = 0

    def _shown(self) -> Any:
        return _Weights(self.model)

    def ended(self, epoch: int) -> None:
        self.stopped_epoch = epoch

    def on_train_end(self, logs: Logs | None = None) -> None:
        super().on_train_end(logs)
        if self._verbose and self.stopped_epoch:
            sys.stdout.write(f"Epoch {self.stopped_epoch + 1:05d}: early stopping\n")


class _BestOfFit(sw.ModelCheckpoint):
    """Keras's: whatever file is there already is replaced."""

    def value_in_file(self, model: Any) -> None:
        return None


class ModelCheckpoint(_Wrapping):
    """Saves the model after each epoch, or after each best epoch so far."""

    @in_keras_2_words("ModelCheckpoint")
    def __init__(
        self,
        filepath: str,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        period: int = 1,
        save_freq: str = "epoch",
    ) -> None:
        if save_freq != "epoch":
            raise unsupported("ModelCheckpoint(save_freq=n)", "models are saved after epochs; leave it out")
        self._weights_only, self._period, self._verbose, self._epoch = save_weights_only, period, verbose, 0
        self.monitor, self._begun = monitor if save_best_only else None, False
        self._saved, self._best, self._logs = 0, math.inf, Logs()
        mode = _direction(monitor, mode)
        self.core = _BestOfFit(filepath, monitor=monitor, save_best_only=save_best_only, mode=mode)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if not self._begun:  # what is best is so over all fits
            super().on_train_begin(logs)
        self._begun = True

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch, self._logs = epoch + 1, logs or Logs()
        if self._epoch % self._period:
            return
        saved = self._saved
        super().on_epoch_end(epoch, self._logs.in_both_spellings())
        if self._verbose and self.monitor in self._logs and self._saved == saved:
            sys.stdout.write(f"\nEpoch {self._epoch:05d}: {self.monitor} did not improve from {self._best:.5f}\n")

    def _shown(self) -> Any:
        return self

    def save(self, path: str) -> None:
        """Writes the model, or its weights alone; what statewise's callback calls when it is time."""
        (self.model.save_weights if self._weights_only else self.model.save)(path)
        self._saved += 1
        improved = ""
        if self.monitor is not None:
            now = self._logs[self.monitor]
            improved = f"{self.monitor} improved from {self._best:.5f} to {now:.5f}, "
            self._best = now
        if self._verbose:
            sys.stdout.write(f"\nEpoch {self._epoch:05d}: {improved}saving model to {path}\n")


class CSVLogger(_Wrapping):
    """Writes one row per epoch to a CSV file."""

    @in_keras_2_words("CSVLogger")
    def __init__(self, filename: str, separator: str = ",", append: bool = False) -> None:
        refuse("CSVLogger", "columns are separated by commas; leave it out", separator=separator != ",")
        self.core = sw.CSVLogger(filename, append=append)


class TensorBoard(_Wrapping):
    """Writes the logs as scalars for TensorBoard."""

    @in_keras_2_words("TensorBoard")
    def __init__(self, log_dir: str = "logs", histogram_freq: int = 0, **others: Any) -> None:
        refuse("TensorBoard", "loss and metrics are written; leave it out", histogram_freq=histogram_freq or None)
        for name in others:
            note(f"TensorBoard({name}=)", "leave it out: loss and metrics are written, after each epoch")
        self.core = sw.TensorBoard(log_dir)


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch to `schedule(epoch)`, or to `schedule(epoch, rate)`."""

    @in_keras_2_words("LearningRateScheduler")
    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule, self._verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        now = float(self.model.optimizer.lr)
        try:
            rate = self.schedule(epoch, now)
        except TypeError:  # as Keras tells the one from the other
            rate = self.schedule(epoch)
        self.model.optimizer.lr = rate
        if self._verbose:
            sys.stdout.write(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(rate)}.\n")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["lr"] = float(self.model.optimizer.lr)


class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by `factor` when a log has not improved for `patience` epochs."""

    @in_keras_2_words("ReduceLROnPlateau", {"epsilon": "min_delta"})
    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        if factor >= 1.0:
            raise ConfigurationError(f"ReduceLROnPlateau factor: expected less than 1, got {factor!r}")
        self._monitor, self._factor, self._patience, self._verbose = monitor, factor, patience, verbose
        self._sign = -1 if _direction(monitor, mode) == "max" else 1
        self._min_delta, self._cooldown, self._min_lr = min_delta, cooldown, min_lr
        self._restart()

    def _restart(self) -> None:
        self._best, self._waited, self._cooling = math.inf, 0, 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._restart()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or Logs()
        rate = float(self.model.optimizer.lr)
        logs["lr"] = rate
        if _lacks(self, self._monitor, logs):
            return
        value = self._sign * logs[self._monitor]
        if self._cooling > 0:
            self._cooling, self._waited = self._cooling - 1, 0
        if value < self._best - self._min_delta:
            self._best, self._waited = value, 0
        elif self._cooling <= 0:
            self._waited += 1
            if self._waited >= self._patience and rate > self._min_lr:
                self._reduce(epoch, max(rate * self._factor, self._min_lr))

    def _reduce(self, epoch: int, rate: float) -> None:
        self.model.optimizer.lr = rate
        self._cooling, self._waited = self._cooldown, 0
        if self._verbose:
            sys.stdout.write(f"\nEpoch {epoch + 1:05d}: ReduceLROnPlateau reducing learning rate to {rate}.\n")


class TerminateOnNaN(Callback):
    """Ends the training when its loss becomes NaN, which every training does here."""

    def __init__(self) -> None:
        note(
            "TerminateOnNaN()", f"leave it out: fit raises {DivergenceError.__name__}, and keeps the last good weights"
        )


ProgbarLogger = BaseLogger = Callback
__all__ = [
    "BaseLogger",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TensorBoard",
    "TerminateOnNaN",
]

__getattr__ = lacking("keras.callbacks", __all__)
