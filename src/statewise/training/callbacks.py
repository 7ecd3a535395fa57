"""Readers of the training's records: early stopping, checkpoints, logs. Progress displays are in progress.py."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from statewise.errors import ConfigurationError, MissingExtraError, unknown_name
from statewise.files import as_path, cannot_write, check_writable
from statewise.shapes import Array, check_whole, is_number
from statewise.training.epochs import StepRecord


class TrainedModel(Protocol):
    """What a callback may ask of the model."""

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
        self._model, self._callback, self.reads_model = model, callback, callback.reads_model

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        self._callback.on_train_begin(self._model, epochs, steps)

    def on_step(self, record: StepRecord) -> None:
        self._callback.on_step(record)

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        return self._callback.on_epoch_end(self._model, epoch, logs)

    def on_train_end(self, model: TrainedModel) -> None:
        self._callback.on_train_end(self._model)


def read_callbacks(callbacks: object) -> list[Callback]:
    """Returns `fit`'s callbacks, functions among them wrapped.

    Raises:
        ConfigurationError: that is no list, or holds something else.
    """
    if not isinstance(callbacks, list | tuple):
        raise ConfigurationError(f"callbacks: expected a list, got {callbacks!r}")
    return [entry if isinstance(entry, Callback) else FunctionCallback(entry) for entry in callbacks]


class _Best:
    """Remembers the best value of one log."""

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        if mode not in ("auto", "min", "max"):
            raise ConfigurationError(f"mode: expected 'auto', 'min' or 'max', got {mode!r}")
        if not isinstance(monitor, str):
            raise ConfigurationError(f"monitor: expected the name of a log, such as 'val_loss', got {monitor!r}")
        if not is_number(min_delta) or not 0 <= min_delta < math.inf:
            raise ConfigurationError(f"min_delta: expected a number from 0 up, got {min_delta!r}")
        if mode == "auto":
            mode = "max" if "acc" in monitor else "min"
        self._monitor, self._sign, self._min_delta = monitor, 1 if mode == "min" else -1, min_delta
        self._best = math.inf

    def improved(self, logs: dict[str, float]) -> bool:
        """Returns whether this epoch's value is the best so far, and remembers it if so."""
        if self._monitor not in logs:
            unvalidated = self._monitor.startswith("val_") and not any(name.startswith("val_") for name in logs)
            raise ConfigurationError(
                f"{unknown_name('monitor', self._monitor, logs)}, the logs of this training"
                + ("; give fit validation_data" if unvalidated else "")
            )
        value = self._sign * logs[self._monitor]
        if not value < self._best - self._min_delta:  # NaN is never better
            return False
        self._best = value
        return True


class EarlyStopping(Callback):
    """Ends training when `monitor` has not improved for `patience` epochs, with the best epoch's weights restored.

    Args:
        monitor: which log to watch.
        min_delta: improvements smaller than this do not count.
        patience: how many epochs to wait for one.
        mode: `min` or `max` is better; `auto` takes `max` for accuracies.
        restore_best_weights: whether the model ends with the weights of the best epoch, or of the last.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        min_delta: float = 0.0,
        patience: int = 0,
        mode: str = "auto",
        restore_best_weights: bool = True,
    ) -> None:
        self._options = (monitor, mode, min_delta)
        self._best = _Best(*self._options)
        self._patience, self._restore = check_whole("patience", patience, 0), restore_best_weights
        self.best_epoch: int | None = None

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        self._best, self._waited, self._weights = _Best(*self._options), 0, model.get_weights()
        self.best_epoch = None

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        if self._best.improved(logs):
            self.best_epoch, self._waited, self._weights = epoch, 0, model.get_weights()
            return False
        self._waited += 1
        return self._waited >= self._patience

    def on_train_end(self, model: TrainedModel) -> None:
        if self._restore and self.best_epoch is not None:
            model.set_weights(self._weights)


class ModelCheckpoint(Callback):
    """Saves the model after each epoch, or after each that is the best so far.

    Args:
        path: where to; `{epoch}` stands for the epoch's number, from 1, and `{loss}` etc. for its logs.
        monitor: which log decides what is best.
        save_best_only: whether to save improvements only.
        mode: as in `EarlyStopping`.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        monitor: str = "val_loss",
        save_best_only: bool = False,
        mode: str = "auto",
    ) -> None:
        self._path, self._best_only, self._options = str(as_path(path)), save_best_only, (monitor, mode)
        self._best = _Best(*self._options)

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        self._best = _Best(*self._options)
        if "{" not in str(Path(self._path).parent):  # else the folder is not known before an epoch's end
            check_writable(self._path)

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        if not self._best_only or self._best.improved(logs):
            try:
                path = self._path.format(epoch=epoch + 1, **logs)
            except (KeyError, IndexError, ValueError, AttributeError) as error:
                raise ConfigurationError(
                    f"ModelCheckpoint path {self._path!r}: expected {{epoch}} or {{name}} of {', '.join(logs)} in it, "
                    f"got {error}"
                ) from None
            model.save(path)
        return False


class CSVLogger(Callback):
    """Writes a row an epoch to a CSV file: epoch, then the logs in the order of the first row.

    Args:
        path: the file; replaced unless `append`.
        append: whether to go on in a file that exists, as for a resumed training.
    """

    reads_model = False

    def __init__(self, path: str | Path, *, append: bool = False) -> None:
        self._path, self._append = as_path(path), append
        self._file: IO[str] | None = None

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        has_header = self._append and self._path.exists() and self._path.stat().st_size > 0
        try:
            self._file = self._path.open("a" if self._append else "w", newline="", encoding="utf-8")
        except OSError as error:
            raise cannot_write(self._path, error) from None
        self._writer, self._header = csv.writer(self._file), has_header

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        if self._file is not None:
            if not self._header:
                self._writer.writerow(["epoch", *logs])
                self._header = True
            self._writer.writerow([epoch, *logs.values()])
            self._finish(self._file.flush)
        return False

    def on_train_end(self, model: TrainedModel) -> None:
        if self._file is not None:
            self._finish(self._file.close)

    def _finish(self, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError as error:  # rows are few and short: the disk refuses them when the buffer is written out
            raise cannot_write(self._path, error) from None


class TensorBoard(Callback):
    """Writes the logs as scalars for TensorBoard: `tensorboard --logdir LOG_DIR` shows them.

    Args:
        log_dir: folder of the event files.

    Raises:
        MissingExtraError: the tensorboard package is not installed.
    """

    reads_model = False

    def __init__(self, log_dir: str | Path = "logs") -> None:
        try:
            from tensorboard.summary import Writer
        except ImportError:
            raise MissingExtraError("the TensorBoard callback", "tensorboard") from None
        self._log_dir = str(as_path(log_dir))
        self._open: Callable[[], Any] = lambda: Writer(self._log_dir)

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        try:
            self._writer = self._open()
        except OSError as error:
            raise cannot_write(self._log_dir, error) from None

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        for name, value in logs.items():
            self._writer.add_scalar(name, value, epoch)
        return False

    def on_train_end(self, model: TrainedModel) -> None:
        self._writer.close()
