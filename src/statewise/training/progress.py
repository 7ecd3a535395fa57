"""What `verbose` shows: of a training a live bar or a line an epoch, of a long evaluation or prediction a bar."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm.auto import tqdm

from statewise.errors import ConfigurationError
from statewise.inference.forward import Told, say_nothing
from statewise.training.callbacks import Callback, TrainedModel
from statewise.training.epochs import StepRecord

LONG_SECONDS = 1.0
"""A run that takes no longer shows nothing, unless it is a training."""

QUIET_SECONDS = 5.0
"""Where nobody watches (a file, a pipe), the bar becomes lines, at most one in this time."""


def _readable(logs: dict[str, float]) -> dict[str, str]:
    return {
        name: f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3e}"
        for name, value in logs.items()
    }


class EpochLines(Callback):
    """A line an epoch: number, seconds, logs."""

    reads_model = False

    def __init__(self, stream: TextIO | None = None, every_seconds: float = 0.0) -> None:
        self._stream, self._every = stream, every_seconds

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        self._epochs = epochs
        self._epoch_began = self._printed = time.perf_counter()
        self._pending = ""

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        now = time.perf_counter()
        values = "  ".join(f"{name} {value}" for name, value in _readable(logs).items())
        self._pending = f"epoch {epoch + 1}/{self._epochs.stop}  {now - self._epoch_began:.2f} s  {values}"
        self._epoch_began = now
        if now - self._printed >= self._every:
            self._print(now)
        return False

    def on_train_end(self, model: TrainedModel) -> None:
        self._print(time.perf_counter())

    def _print(self, now: float) -> None:
        if self._pending:
            stream = self._stream or sys.stdout
            stream.write(self._pending + "\n")
            stream.flush()
        self._printed, self._pending = now, ""


class ProgressBar(Callback):
    """One live bar for all epochs: epoch, loss, metrics, steps per second, time left."""

    reads_model = False

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        self._epochs, self._steps = epochs, steps
        total = None if steps is None else steps * len(epochs)
        self._bar = tqdm(total=total, unit="step", desc="compiling", dynamic_ncols=True)  # until it moves
        self._done = 0
        self._before = 0  # steps of the epochs that are finished

    def on_step(self, record: StepRecord) -> None:
        self._show(record.epoch, self._before + record.step, record.logs)

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        finished = epoch + 1 - self._epochs.start
        self._before = self._done if self._steps is None else finished * self._steps
        self._show(epoch, self._before, logs)
        return False

    def on_train_end(self, model: TrainedModel) -> None:
        self._bar.close()

    def _title(self, epoch: int) -> str:
        return f"epoch {min(epoch + 1, self._epochs.stop)}/{self._epochs.stop}"

    def _show(self, epoch: int, done: int, logs: dict[str, float]) -> None:
        self._bar.set_description_str(self._title(epoch), refresh=False)
        self._bar.set_postfix(_readable(logs), refresh=False)
        self._bar.update(done - self._done)
        self._done = done


@contextmanager
def shown(verbose: object, what: str, batches: int | None) -> Iterator[Told]:
    """Returns a context whose value, told of batches that are done, shows how far of `batches` a long run is.

    A run that takes less than `LONG_SECONDS` shows nothing. With `verbose=2`, or where nobody watches, it is a line
    now and then instead of a bar.

    Raises:
        ConfigurationError: `verbose` is not 0, 1, 2 or "auto".
    """
    check_verbose(verbose)
    if verbose == 0:
        yield say_nothing
    elif verbose != 2 and sys.stderr.isatty():
        with tqdm(total=batches, unit="batch", desc=what, delay=LONG_SECONDS, dynamic_ncols=True) as bar:
            yield bar.update
    else:
        yield _BatchLines(what, batches, sys.stdout if verbose == 2 else sys.stderr).tell


class _BatchLines:
    """A line now and then: how many batches are done."""

    def __init__(self, what: str, batches: int | None, stream: TextIO) -> None:
        self._what, self._of, self._stream = what, "" if batches is None else f" of {batches}", stream
        self._done, self._printed = 0, time.perf_counter()

    def tell(self, batches: int) -> None:
        self._done += batches
        now = time.perf_counter()
        if now - self._printed >= QUIET_SECONDS:
            self._stream.write(f"{self._what}: {self._done}{self._of} batches\n")
            self._stream.flush()
            self._printed = now


def display(verbose: object) -> list[Callback]:
    """Returns the callbacks that show what `verbose` asks for: 0 nothing, 1 a live bar, 2 a line an epoch.

    Raises:
        ConfigurationError: another value.
    """
    check_verbose(verbose)
    if verbose == 0:
        return []
    if verbose == 2:
        return [EpochLines()]
    return [ProgressBar() if sys.stderr.isatty() else EpochLines(sys.stderr, QUIET_SECONDS)]


def check_verbose(verbose: object) -> None:
    """Raises ConfigurationError unless `verbose` is 0, 1, 2 or "auto"."""
    if verbose not in (0, 1, 2, "auto"):
        raise ConfigurationError(f"verbose: expected 0, 1 or 2, got {verbose!r}")
