"""Callbacks that monitor one log for its best value: early stopping, and saving the best model to a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from statewise.errors import ConfigurationError, FileError, nearest, unknown_name
from statewise.foundation.files import as_path, check_writable
from statewise.foundation.shapes import check_whole, is_number
from statewise.objectives.metrics import LOGS, better
from statewise.phrasebook.guard import guard_making
from statewise.storage.artifact import read_artifact
from statewise.training.callbacks import Callback, TrainedModel
from statewise.training.learned import Learned


class _Best:
    """Keeps the best value of one log."""

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        if mode not in ("auto", "min", "max"):
            raise ConfigurationError(f"mode: expected 'auto', 'min' or 'max', got {mode!r}")
        if not isinstance(monitor, str):
            raise ConfigurationError(f"monitor: expected the name of a log, such as 'val_loss', got {monitor!r}")
        if not is_number(min_delta) or not 0 <= min_delta < math.inf:
            raise ConfigurationError(f"min_delta: expected a number >= 0, got {min_delta!r}")
        self._monitor, self._mode, self._min_delta = monitor, mode, min_delta
        self.value: float | None = None

    def require_direction(self) -> str:
        """Returns whether "min" or "max" is better: what `mode` says, or what is known about the metric.

        Raises:
            ConfigurationError: nothing is known about a log of that name.
        """
        direction = better(self._monitor) if self._mode == "auto" else self._mode
        if direction is None:
            prefix = "val_" if self._monitor.startswith("val_") else ""
            close = nearest(self._monitor.removeprefix("val_"), LOGS, count=1)
            hint = f"did you mean {prefix + close[0]!r}? For a custom log" if close else "for a custom log"
            raise ConfigurationError(
                f"unknown monitor {self._monitor!r}: {hint} write mode='min' or mode='max', whichever is better"
            )
        return direction

    def improvement(self, logs: dict[str, float]) -> float | None:
        """Returns this epoch's value if it is better than the best so far, which the caller updates."""
        if self._monitor not in logs:
            unvalidated = self._monitor.startswith("val_") and not any(name.startswith("val_") for name in logs)
            raise ConfigurationError(
                f"{unknown_name('monitor', self._monitor, logs)}, the logs of this training"
                + ("; pass validation_data to fit" if unvalidated else "")
            )
        sign = 1 if self.require_direction() == "min" else -1
        value, best = sign * logs[self._monitor], math.inf if self.value is None else sign * self.value
        return logs[self._monitor] if value < best - self._min_delta else None  # NaN is never better

    def state(self) -> dict[str, Any]:
        """Returns what it must save."""
        return {"best": self.value, "monitor": self._monitor, "direction": self.require_direction()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restores what `state` returned.

        Raises:
            ConfigurationError: it belongs to another log.
        """
        was, now = [state[name] for name in ("monitor", "direction")], [self._monitor, self.require_direction()]
        if was != now:
            raise ConfigurationError(
                f"monitor: the interrupted training watched {was[0]!r} for its {was[1]}; expected the same, got "
                f"{now[0]!r} for its {now[1]}"
            )
        self.value = state["best"]


@guard_making
class EarlyStopping(Callback):
    """Ends training when `monitor` has not improved for `patience` epochs, and restores the best epoch.

    Args:
        monitor: which log to watch.
        min_delta: improvements smaller than this do not count.
        patience: how many epochs to wait for an improvement.
        mode: `min` or `max` is better; `auto` knows which for every loss and metric of statewise.
        restore_best_weights: whether the model ends with weights, optimizer and state of the best epoch, not of the
            last. Its epoch count includes all epochs either way.
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
        self._best, self._waited = _Best(*self._options), 0
        self._best.require_direction()
        self._learned: Learned | None = None
        self.best_epoch = None

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        if (better := self._best.improvement(logs)) is not None:
            learned = model.learned if self._restore else None
            self._best.value, self.best_epoch, self._waited, self._learned = better, epoch, 0, learned
            return False
        self._waited += 1
        return self._waited >= self._patience

    def on_train_end(self, model: TrainedModel) -> None:
        if self._learned is not None:
            model.learned = self._learned

    def state(self) -> Mapping[str, Any]:
        learned = None if self._learned is None else self._learned._asdict()
        return {**self._best.state(), "epoch": self.best_epoch, "waited": self._waited, "learned": learned}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._best.restore(state)
        self.best_epoch, self._waited = state["epoch"], state["waited"]
        self._learned = None if state["learned"] is None else Learned(**state["learned"])


@guard_making
class ModelCheckpoint(Callback):
    """Saves the model after each epoch, or after each that is the best so far.

    With `save_best_only`, an existing file from an earlier training is only replaced by a better model.

    Args:
        path: the file; `{epoch}` stands for the epoch's number, from 1, and `{loss}` etc. for its logs.
        monitor: which log decides what is best.
        save_best_only: whether to save only improvements.
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
        if self._best_only:
            self._best.require_direction()
        if "{" not in str(Path(self._path).parent):  # otherwise the folder is unknown until an epoch ends
            check_writable(self._path)
        if self._best_only and "{" not in self._path and Path(self._path).exists():
            self._best.value = self.value_in_file(model)

    def value_in_file(self, model: TrainedModel) -> float | None:
        """Returns the log's value in the epoch whose model the file holds.

        Raises:
            FileError: it is not a model file, has no such value, or was measured differently than `model` will be.
        """
        monitor, header = self._options[0], read_artifact(self._path).header
        logs, was, now = header.get("logs") or {}, header.get("measured") or {}, model.measured or {}
        by = "validation" if monitor.startswith("val_") else "data"
        if monitor in logs and any(was.get(name) != now.get(name) for name in ("loss", by)):
            raise FileError(
                f"{self._path} exists, and its {monitor} was measured with another loss or on other data, so it "
                "cannot be compared with a new model; move the file away, or name another file"
            )
        if monitor not in logs:
            raise FileError(
                f"{self._path} exists, and does not say what its {monitor} was, so it cannot be compared with a new "
                "model; move the file away, or name another file"
            )
        return float(logs[monitor])

    def state(self) -> Mapping[str, Any]:
        return self._best.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self._best.restore(state)

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        better = self._best.improvement(logs) if self._best_only else None
        if not self._best_only or better is not None:
            try:
                path = self._path.format(epoch=epoch + 1, **logs)
            except (KeyError, IndexError, ValueError, AttributeError) as error:
                raise ConfigurationError(
                    f"ModelCheckpoint path {self._path!r}: expected {{epoch}} or {{name}} of {', '.join(logs)} in it, "
                    f"got {error}"
                ) from None
            model.save(path)
            self._best.value = better
        return False
