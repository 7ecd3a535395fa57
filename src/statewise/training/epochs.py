"""Epochs, one compiled dispatch after another, as an iterator of records.

A dispatch lasts about half a second, whether that is part of a long epoch or many short ones. The result of the
last finished epoch is kept until the next is finished: an interrupted or diverged epoch is discarded entirely.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from statewise.data.batches import Samples
from statewise.errors import COPY_AGAIN, FileError
from statewise.foundation.engine import Program
from statewise.foundation.shapes import Array
from statewise.state import LayerStates
from statewise.training.dispatch import Pace, is_due, layout_for, on_device, shapes_of
from statewise.training.objective import Batch
from statewise.training.programs import EPOCHS_PER_DISPATCH, Keys, Layout, Programs, Run, Segment


@dataclass(frozen=True)
class StepRecord:
    """Progress within an epoch: loss and metrics so far."""

    epoch: int  # from 0
    step: int
    steps: int | None  # None if the data does not say how many there are
    logs: dict[str, float]


@dataclass(frozen=True)
class EpochRecord:
    """A finished epoch: loss and metrics over all of it."""

    epoch: int  # from 0
    steps: int
    logs: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class CompileRecord:
    """A program that is about to be compiled, or was."""

    layers: int
    weights: int
    seconds: float | None = None  # how long it took; None while it is about to begin


Record = StepRecord | EpochRecord | CompileRecord


def _compiling(programs: Programs, run: Run, compile_program: Callable[[], object]) -> Iterator[CompileRecord]:
    """Compiles, in a call that computes nothing, so that the first dispatch that is measured is honest."""
    layers = len(programs.objective.network.names)
    begins = CompileRecord(layers, sum(array.size for array in jax.tree.leaves(run.params)))
    yield begins
    clock = time.perf_counter()
    compile_program()
    yield replace(begins, seconds=time.perf_counter() - clock)


class Position(NamedTuple):
    """How far a training is: its results so far, and which batch of which epoch comes next."""

    run: Run
    epoch: int  # from 0
    step: int


class _Progress:
    """How far a training is: the run that the last finished epoch left, and where the last dispatch ended."""

    run: Run
    position: Position

    def continue_with(self, optimizer: Any) -> None:
        """Continues with the optimizer in another state, after the last finished epoch."""
        if self.position.step == 0 and optimizer is not self.run.optimizer:
            self.run = self.run._replace(optimizer=optimizer)
            self.position = self.position._replace(run=self.run)


class Training(_Progress):
    """Epochs over rows in memory, as an iterator of records.

    `run` is the result of the last finished epoch, `position` where the last dispatch ended.
    """

    def __init__(
        self,
        programs: Programs,
        run: Run,
        position: Position,
        keys: Keys,
        samples: Samples,
        layout: Layout,
        initial: LayerStates | None,
        epochs: int,
        one_by_one: bool,
    ) -> None:
        self.run, self.position, self._initial = run, position, initial
        self._programs, self._keys, self._layout, self._epochs = programs, keys, layout, epochs
        self._one_by_one = one_by_one
        self._last = (run, position, 0)  # where the last dispatch of whole epochs began, and how many it had
        self._real = samples.rows
        self.steps = math.ceil(samples.rows / layout.batch_size)
        if position.step and position.step >= self.steps:
            raise FileError(
                f"the checkpoint stops after batch {position.step} of {self.steps} of an epoch; {COPY_AGAIN}"
            )
        self._batches_on_device = on_device(samples, self.steps * layout.batch_size)
        self._program = programs.train.of((layout, shapes_of(self._batches_on_device), initial is None))
        self._pace = Pace(self._program)

    def _dispatch(self, run: Run, first_epoch: int, epochs: int, start: int, stop: int) -> tuple[Run, Array]:
        segment = Segment(first_epoch, epochs, start, stop, 0, self._real)
        run, records = self._program.run(
            run, self._batches_on_device, self._keys, segment.packed, self._initial, layout=self._layout
        )
        return run, np.asarray(records)[:epochs]

    def rewind(self, epoch: int) -> bool:
        """Goes back to the end of `epoch` if later ones were finished; returns whether they were.

        The epochs of a dispatch up to `epoch` are run again, which gives the same numbers.
        """
        if self.position.epoch <= epoch + 1:
            return False
        self.run, self.position, _ = self._last
        if first := epoch + 1 - self.position.epoch:
            self.run, _ = self._dispatch(self.run, self.position.epoch, first, 0, self.steps)
            self.position = Position(self.run, epoch + 1, 0)
        return True

    def __iter__(self) -> Iterator[Record]:
        if not self._pace.known and self.position.epoch < self._epochs:
            yield from _compiling(self._programs, self.run, lambda: self._dispatch(self.run, 0, 0, 0, 0))
        while self.position.epoch < self._epochs:
            _, epoch, step = self.position
            together = min(self._pace.steps() // self.steps, self._epochs - epoch, EPOCHS_PER_DISPATCH)
            yield from self._one_epoch() if together <= 1 or step or self._one_by_one else self._many_epochs(together)

    def _one_epoch(self) -> Iterator[Record]:
        begun, (run, epoch, step) = time.perf_counter(), self.position
        self._last = (self.run, self.position, 1)
        logs: dict[str, float] = {}
        while step < self.steps:
            stop = min(step + self._pace.steps(), self.steps)
            clock = time.perf_counter()
            run, records = self._dispatch(run, epoch, 1, step, stop)
            self._pace.took(stop - step, time.perf_counter() - clock)
            logs, step = self._programs.objective.logs(records[0]), stop
            if not math.isfinite(logs["loss"]):
                break
            if step < self.steps:
                self.position = Position(run, epoch, step)
                yield StepRecord(epoch, step, self.steps, logs)
        else:
            self.run = run
        self.position = Position(self.run, epoch + 1, 0)
        yield EpochRecord(epoch, self.steps, logs, time.perf_counter() - begun)

    def _many_epochs(self, together: int) -> Iterator[Record]:
        clock, epoch = time.perf_counter(), self.position.epoch
        self._last = (self.run, self.position, together)
        self.run, records = self._dispatch(self.run, epoch, together, 0, self.steps)
        seconds = time.perf_counter() - clock
        self._pace.took(together * self.steps, seconds)
        self.position = Position(self.run, epoch + together, 0)
        for index, record in enumerate(records):
            logs = self._programs.objective.logs(record)
            if not math.isfinite(logs["loss"]):
                self.rewind(epoch + index - 1)
            yield EpochRecord(epoch + index, self.steps, logs, seconds / together)


class Source(Protocol):
    """Batches that come one at a time, epoch by epoch."""

    @property
    def batches(self) -> int | None:
        """How many there are in an epoch; None if that is unknown."""

    def epoch(self, number: int, first: int = 0) -> Iterator[Samples]:
        """Yields those of an epoch from the `first` on, one or more at a time."""

    def room(self, rows: Samples) -> int:
        """Returns the number of rows to which the yielded rows are padded."""


class StreamedTraining(_Progress):
    """Epochs over batches that come one at a time, of any shapes; the same records as `Training`."""

    def __init__(
        self,
        programs: Programs,
        run: Run,
        position: Position,
        keys: Keys,
        source: Source,
        layout: Layout,
        initial: LayerStates | None,
        epochs: int,
    ) -> None:
        self.run, self.position, self._last = run, position, (run, position)
        self._programs, self._keys, self._layout, self._initial = programs, keys, layout, initial
        self._source, self._epochs, self.steps = source, epochs, source.batches
        self._compiled: dict[Hashable, Program] = {}  # all that this training needs, however many

    def __iter__(self) -> Iterator[Record]:
        while self.position.epoch < self._epochs:
            yield from self._one_epoch()

    def rewind(self, epoch: int) -> bool:
        """Goes back to the end of `epoch` if the next was finished; returns whether it was."""
        ahead = self.position.epoch > epoch + 1
        if ahead:
            self.run, self.position = self._last
        return ahead

    def _on_device(self, epoch: int, first: int) -> Iterator[tuple[Batch, int]]:
        """Yields the batches of an epoch from the `first` on, padded, and how many rows they have."""
        for samples in self._source.epoch(epoch, first):
            yield on_device(samples, self._source.room(samples)), samples.rows

    def _program(self, batch: Batch, layout: Layout) -> Program:
        shapes = shapes_of(batch)
        if shapes not in self._compiled:
            self._compiled[shapes] = self._programs.train.of((layout, shapes, self._initial is None))
        return self._compiled[shapes]

    def _dispatch(
        self, program: Program, run: Run, batch: Batch, layout: Layout, segment: Segment
    ) -> tuple[Run, jax.Array]:
        after: tuple[Run, jax.Array] = program.run(run, batch, self._keys, segment.packed, self._initial, layout=layout)
        return after

    def _one_epoch(self) -> Iterator[Record]:
        begun = shown = time.perf_counter()
        run, epoch, step = self.position
        self._last = (self.run, self.position)
        logs = self._programs.objective.logs(np.asarray(run.totals.record)) if step else {"loss": math.nan}
        coming = self._on_device(epoch, step)
        given = next(coming, None)
        while given is not None:
            batch, rows = given
            layout = layout_for(batch, self._layout)
            stop = step + math.ceil(rows / layout.batch_size)
            segment = Segment(epoch, 1, step, stop, step, rows)
            program = self._program(batch, layout)
            dispatch = partial(self._dispatch, program, run, batch, layout)
            if new := program.seconds is None:
                clock = time.perf_counter()
                yield from _compiling(self._programs, run, partial(dispatch, Segment(0, 0, 0, 0, 0, 0)))
                begun += time.perf_counter() - clock
            clock = time.perf_counter()
            run, records = dispatch(segment)
            given = next(coming, None)  # made ready while the program runs
            logs = self._programs.objective.logs(np.asarray(records)[0])
            if new:
                program.seconds = (time.perf_counter() - clock) / (stop - step)
            step = stop
            if not math.isfinite(logs["loss"]):
                break
            if is_due(shown):
                shown = time.perf_counter()
                self.position = Position(run, epoch, step)
                yield StepRecord(epoch, step, self.steps, logs)
        else:
            self.run = run
        self.position = Position(self.run, epoch + 1, 0)
        yield EpochRecord(epoch, step, logs, time.perf_counter() - begun)
