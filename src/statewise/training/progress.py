"""What `verbose` shows: of a training a live bar or a line an epoch, of a long evaluation or prediction a bar."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any, TextIO

from statewise.errors import ConfigurationError
from statewise.foundation.engine import keeps_compiled_programs
from statewise.foundation.words import plural
from statewise.inference.forward import Told, say_nothing
from statewise.training.bars import is_watched, live_bar
from statewise.training.callbacks import Callback, TrainedModel
from statewise.training.epochs import CompileRecord, StepRecord

LONG_SECONDS = 1.0
"""A run that takes no longer shows nothing, unless it is a training."""

QUIET_SECONDS = 5.0
"""Where nobody watches (a file, a pipe), the bar becomes lines, at most one in this time."""

TICK_SECONDS = 0.2
"""How often the bar moves while a program is compiled."""


def _readable(logs: dict[str, float]) -> dict[str, str]:
    return {
        name: f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3e}"
        for name, value in logs.items()
    }


def _listed(logs: dict[str, float]) -> str:
    return "  ".join(f"{name} {value}" for name, value in _readable(logs).items())


def _announced(record: CompileRecord) -> str:
    once = "once; cached" if keeps_compiled_programs() else "once in each process"
    return f"{plural(record.layers, 'layer')}, {plural(record.weights, 'weight')} ({once})"


class Display(Callback):
    """Shows a training. It is also told of compiling, and how long each epoch took."""

    reads_model = False

    def on_compile(self, record: CompileRecord) -> None:
        """Called before and after a program is compiled."""

    def on_epoch(self, epoch: int, logs: dict[str, float], seconds: float) -> None:
        """Called after each epoch, with the seconds that it took, validation included."""


class EpochLines(Display):
    """A line an epoch: number, seconds, logs. On stderr, a line before and after a program is compiled."""

    def __init__(self, stream: TextIO | None = None, every_seconds: float = 0.0) -> None:
        self._stream, self._every = stream, every_seconds

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        self._epochs, self._printed, self._pending = epochs, time.monotonic(), ""

    def on_compile(self, record: CompileRecord) -> None:
        begins = record.seconds is None
        line = f"compiling: {_announced(record)}" if begins else f"compiled in {record.seconds:.1f} s"
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def on_epoch(self, epoch: int, logs: dict[str, float], seconds: float) -> None:
        self._pending = f"epoch {epoch + 1}/{self._epochs.stop}  {_duration(seconds)}  {_listed(logs)}"
        if time.monotonic() - self._printed >= self._every:
            self._print()

    def on_train_end(self, model: TrainedModel) -> None:
        self._print()

    def _print(self) -> None:
        if self._pending:
            stream = self._stream or sys.stdout
            stream.write(self._pending + "\n")
            stream.flush()
        self._printed, self._pending = time.monotonic(), ""


def _duration(seconds: float) -> str:
    """Returns how long an epoch took, which may be far less than a second.

    >>> [_duration(seconds) for seconds in (12.345, 0.01234, 0.0000123)]
    ['12.35 s', '12.3 ms', '0.0123 ms']
    """
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.3g} ms"


class ProgressBar(Display):
    """One live bar for all epochs: epoch, loss and metrics, so that a narrow terminal has these, then times."""

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        self._epochs, self._steps = epochs, steps
        self._bar = live_bar(
            total=None if steps is None else steps * len(epochs),
            unit="step",
            desc=f"epoch {epochs.start + 1}/{epochs.stop}",
            bar_format=UNBOUNDED if steps is None else BOUNDED,
            dynamic_ncols=True,
        )
        self._done = 0
        self._before = 0  # steps of the epochs that are finished
        self._compiling: _Ticking | None = None

    def on_compile(self, record: CompileRecord) -> None:
        if record.seconds is None:
            self._compiling = _Ticking(self._bar, _announced(record))
        else:
            self._end_compiling()

    def on_step(self, record: StepRecord) -> None:
        self._show(record.epoch, self._before + record.step, record.logs)

    def on_epoch(self, epoch: int, logs: dict[str, float], seconds: float) -> None:
        finished = epoch + 1 - self._epochs.start
        self._before = self._done if self._steps is None else finished * self._steps
        self._show(epoch, self._before, logs)

    def on_train_end(self, model: TrainedModel) -> None:
        self._end_compiling()
        self._bar.close()

    def _end_compiling(self) -> None:
        if self._compiling is not None:
            self._compiling.end()
            self._compiling = None

    def _show(self, epoch: int, done: int, logs: dict[str, float]) -> None:
        title = f"epoch {min(epoch + 1, self._epochs.stop)}/{self._epochs.stop}"
        self._bar.set_description_str(f"{title}  {_listed(logs)}", refresh=False)
        self._bar.update(done - self._done)
        self._done = done


BOUNDED = "{desc}  {percentage:3.0f}%|{bar}| {elapsed}<{remaining}  {n_fmt}/{total_fmt}  {rate_fmt}"
UNBOUNDED = "{desc}  {n_fmt} steps  {elapsed}  {rate_fmt}"


class _Ticking:
    """Lets a bar say what is compiled, and for how long already; its own clock stands still meanwhile."""

    def __init__(self, bar: Any, announced: str) -> None:
        self._bar, self._announced, self._over = bar, announced, threading.Event()
        self._format, self._title, self._begun = bar.bar_format, bar.desc, time.monotonic()
        bar.bar_format = "{desc}"
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()

    def _tick(self) -> None:
        for sign in cycle("|/-\\"):
            seconds = time.monotonic() - self._begun
            self._bar.set_description_str(f"compiling {sign} {seconds:.0f} s  {self._announced}")
            if self._over.wait(TICK_SECONDS):
                return

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        self._bar.bar_format = self._format
        self._bar.set_description_str(self._title, refresh=False)
        self._bar.unpause()


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
    elif verbose != 2 and is_watched():
        with live_bar(total=batches, unit="batch", desc=what, delay=LONG_SECONDS) as bar:
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


def display(verbose: object) -> list[Display]:
    """Returns what shows what `verbose` asks for: 0 nothing, 1 a live bar, 2 a line an epoch.

    Raises:
        ConfigurationError: another value.
    """
    check_verbose(verbose)
    if verbose == 0:
        return []
    if verbose == 2:
        return [EpochLines()]
    return [ProgressBar() if is_watched() else EpochLines(sys.stderr, QUIET_SECONDS)]


def check_verbose(verbose: object) -> None:
    """Raises ConfigurationError unless `verbose` is 0, 1, 2 or "auto"."""
    if verbose not in (0, 1, 2, "auto"):
        raise ConfigurationError(f"verbose: expected 0, 1 or 2, got {verbose!r}")
