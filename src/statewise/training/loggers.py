"""Callbacks that record the logs: in a CSV file, and in TensorBoard's event files."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from statewise.errors import MissingExtraError
from statewise.foundation.files import as_path, cannot_write
from statewise.phrasebook.guard import guard_making
from statewise.training.callbacks import Callback, TrainedModel


@guard_making
class CSVLogger(Callback):
    """Writes one row per epoch to a CSV file: epoch, then the logs in the order of the first row.

    Args:
        path: the file; replaced unless `append`.
        append: whether to continue an existing file, as for a resumed training.
    """

    reads_model = False

    def __init__(self, path: str | Path, *, append: bool = False) -> None:
        self._path, self._append = as_path(path), append
        self._file: IO[str] | None = None

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        try:
            self._file = self._path.open("a", newline="", encoding="utf-8")
        except OSError as error:
            raise cannot_write(self._path, error) from None
        self._size = self._found() if self._append else 0

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        if self._file is not None:
            if self._found() > self._size:  # rows of another training, or of epochs that were trained again
                self._file.truncate(self._size)
            rows = [["epoch", *logs]] if self._size == 0 else []
            csv.writer(self._file).writerows([*rows, [epoch, *logs.values()]])
            self._finish(self._file.flush)
            self._size = max(self._found(), 1)  # a device has no size
        return False

    def _found(self) -> int:
        return 0 if self._file is None else os.fstat(self._file.fileno()).st_size

    def state(self) -> Mapping[str, Any]:
        return {"size": self._size}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._size = state["size"]

    def on_train_end(self, model: TrainedModel) -> None:
        if self._file is not None:
            self._finish(self._file.close)

    def _finish(self, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError as error:  # rows are few and short: a full disk refuses them only when the buffer is flushed
            raise cannot_write(self._path, error) from None


@guard_making
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
