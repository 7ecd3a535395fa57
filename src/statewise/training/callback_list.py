"""The callbacks of one training: told of it in turn, and how far they were told when it was interrupted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from statewise.errors import ConfigurationError
from statewise.training.callbacks import Callback, OnBehalf, TrainedModel
from statewise.training.epochs import StepRecord


class Memory(NamedTuple):
    """What the callbacks of an interrupted training remember."""

    kinds: list[str]  # the class of each callback that remembers something
    states: list[Mapping[str, Any] | None]  # what it remembers
    told: int  # how many callbacks were told of the last finished epoch
    of: int  # of so many
    ended: bool  # whether one of those ended the training


class Audience:
    """Displays and callbacks. What was told of an epoch is told once, however training was interrupted."""

    def __init__(self, displays: Sequence[Callback], callbacks: Sequence[Callback]) -> None:
        self._displays, self._callbacks = displays, callbacks
        self._told, self._ended = len(callbacks), False

    @property
    def reads_model(self) -> bool:
        """Whether one of them looks at the model after each epoch."""
        return any(callback.reads_model for callback in self._callbacks)

    @property
    def waiting(self) -> bool:
        """Whether some were not told of the last finished epoch."""
        return self._told < len(self._callbacks)

    def begin(self, model: TrainedModel, epochs: range, steps: int | None, memory: Memory | None) -> None:
        """Tells that the training begins, or continues with what was remembered."""
        for callback in (*self._displays, *self._callbacks):
            callback.on_train_begin(model, epochs, steps)
        if memory is not None:
            self.restore(memory)

    def restore(self, memory: Memory) -> None:
        """Gives each callback what it remembered.

        Raises:
            ConfigurationError: they are not the callbacks that remembered it.
        """
        able = [callback for callback in self._callbacks if _remembers(callback)]
        if memory.kinds and [_kind_of(callback) for callback in able] != memory.kinds:
            found = ", ".join(map(_kind_of, able)) or "none that remembers anything"
            raise ConfigurationError(
                f"callbacks: expected those of the interrupted training, {', '.join(memory.kinds)}; got {found}"
            )
        for callback, state in zip(able, memory.states, strict=False):
            if state is not None:
                callback.restore(state)
        if memory.of == len(self._callbacks):
            self._told, self._ended = memory.told, memory.ended

    def step(self, record: StepRecord) -> None:
        """Tells how far an epoch is."""
        for callback in (*self._displays, *self._callbacks):
            callback.on_step(record)

    def finish_epoch(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool:
        """Tells that an epoch is finished; returns whether a callback ends the training."""
        self._told, self._ended = 0, False
        for display in self._displays:
            display.on_epoch_end(model, epoch, logs)
        return self.catch_up(model, epoch, logs)

    def catch_up(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool:
        """Tells those of a finished epoch who were not told yet; returns whether a callback ends the training."""
        for callback in self._callbacks[self._told :]:
            self._ended = callback.on_epoch_end(model, epoch, logs) is True or self._ended
            self._told += 1
        return self._ended

    def end(self, model: TrainedModel) -> None:
        """Tells that the training is over; all are told, also if one fails."""
        with ExitStack() as last:
            for callback in reversed((*self._displays, *self._callbacks)):
                last.callback(callback.on_train_end, model)

    def recall(self, model: TrainedModel, memory: Memory) -> None:
        """Tells of a training that is over already, and of what was remembered of it."""
        for callback in self._callbacks:
            callback.on_train_begin(model, range(0), None)
        self.restore(memory)
        for callback in self._callbacks:
            callback.on_train_end(model)

    def memory(self) -> Memory:
        """Returns what they remember."""
        able = [callback for callback in self._callbacks if _remembers(callback)]
        kinds, states = [_kind_of(callback) for callback in able], [callback.state() for callback in able]
        return Memory(kinds, states, self._told, len(self._callbacks), self._ended)


def _inside(callback: Callback) -> Callback:
    return callback.callback if isinstance(callback, OnBehalf) else callback


def _kind_of(callback: Callback) -> str:
    return type(_inside(callback)).__name__


def _remembers(callback: Callback) -> bool:
    return type(_inside(callback)).state is not Callback.state
