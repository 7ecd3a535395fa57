"""The callbacks of one training: notified in turn, with a record of how many were when it was interrupted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from statewise.errors import ConfigurationError
from statewise.training.callbacks import Around, Callback, TrainedModel, asked_to_stop
from statewise.training.epochs import CompileRecord, StepRecord
from statewise.training.progress import Display


class CallbackStates(NamedTuple):
    """The states of the callbacks of an interrupted training."""

    kinds: list[str]  # the class of each callback that has a state
    states: list[Mapping[str, Any] | None]  # its state
    told: int  # how many callbacks were notified of the last finished epoch
    of: int  # of how many
    ended: bool  # whether one of those ended the training


class CallbackList:
    """Displays and callbacks. Each is notified of an epoch once, however training was interrupted."""

    def __init__(self, displays: Sequence[Display], callbacks: Sequence[Callback]) -> None:
        self._displays, self._callbacks = displays, callbacks
        self._notified, self._ended = len(callbacks), False

    @property
    def reads_model(self) -> bool:
        """Whether one of them reads the model after each epoch."""
        return any(callback.reads_model for callback in self._callbacks)

    @property
    def waiting(self) -> bool:
        """Whether some have not been notified of the last finished epoch."""
        return self._notified < len(self._callbacks)

    def begin(self, model: TrainedModel, epochs: range, steps: int | None, saved: CallbackStates | None) -> None:
        """Notifies all that training begins, or continues with the given states."""
        asked_to_stop(model)  # a request from before this training does not count
        for callback in (*self._displays, *self._callbacks):
            callback.on_train_begin(model, epochs, steps)
        if saved is not None:
            self.restore(saved)

    def restore(self, saved: CallbackStates) -> None:
        """Gives each callback its state.

        Raises:
            ConfigurationError: they are not the callbacks that had these states.
        """
        able = [callback for callback in self._callbacks if _has_state(callback)]
        if saved.kinds and [_kind_of(callback) for callback in able] != saved.kinds:
            found = ", ".join(map(_kind_of, able)) or "none that has a state"
            raise ConfigurationError(
                f"callbacks: expected those of the interrupted training, {', '.join(saved.kinds)}; got {found}"
            )
        for callback, state in zip(able, saved.states, strict=False):
            if state is not None:
                callback.restore(state)
        if saved.of == len(self._callbacks):
            self._notified, self._ended = saved.told, saved.ended

    def begin_epoch(self, model: TrainedModel, epoch: int) -> None:
        """Notifies the callbacks that an epoch begins."""
        for callback in self._callbacks:
            callback.on_epoch_begin(model, epoch)

    def show(self, record: StepRecord | CompileRecord) -> None:
        """Notifies all of the progress in an epoch, and the displays when a program is compiled."""
        if isinstance(record, StepRecord):
            for callback in (*self._displays, *self._callbacks):
                callback.on_step(record)
        else:
            for display in self._displays:
                display.on_compile(record)

    def finish_epoch(self, model: TrainedModel, epoch: int, logs: dict[str, float], seconds: float) -> bool:
        """Notifies all that an epoch is finished and how long it took; returns whether a callback ends training."""
        self._notified, self._ended = 0, False
        for display in self._displays:
            display.on_epoch(epoch, logs, seconds)
        return self.catch_up(model, epoch, logs)

    def catch_up(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool:
        """Notifies those that a finished epoch still waits for; returns whether a callback ends the training."""
        for callback in self._callbacks[self._notified :]:
            ended = callback.on_epoch_end(model, epoch, logs) is True
            self._ended = asked_to_stop(model) or ended or self._ended
            self._notified += 1
        return self._ended

    def end(self, model: TrainedModel) -> None:
        """Notifies all that training is over, even if one of them fails."""
        with ExitStack() as last:
            for callback in reversed((*self._displays, *self._callbacks)):
                last.callback(callback.on_train_end, model)

    def recall(self, model: TrainedModel, saved: CallbackStates) -> None:
        """Notifies all of a training that is already over, and restores their states."""
        for callback in self._callbacks:
            callback.on_train_begin(model, range(0), None)
        self.restore(saved)
        for callback in self._callbacks:
            callback.on_train_end(model)

    def states(self) -> CallbackStates:
        """Returns the states of the callbacks."""
        able = [callback for callback in self._callbacks if _has_state(callback)]
        kinds, states = [_kind_of(callback) for callback in able], [callback.state() for callback in able]
        return CallbackStates(kinds, states, self._notified, len(self._callbacks), self._ended)


def _inside(callback: Callback) -> Callback:
    return callback.innermost if isinstance(callback, Around) else callback


def _kind_of(callback: Callback) -> str:
    return type(_inside(callback)).__name__


def _has_state(callback: Callback) -> bool:
    return type(_inside(callback)).state is not Callback.state
