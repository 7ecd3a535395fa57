"""What users pass as callbacks, read before a training begins: in statewise's words or in Keras's."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from statewise.errors import ConfigurationError
from statewise.phrasebook.attributes import HOOKS
from statewise.training.callbacks import Around, Callback, FunctionCallback, TrainedModel

OneCallback = Callback | Callable[[int, dict[str, float]], bool | None]
Callbacks = OneCallback | Sequence[OneCallback] | None
"""What `fit` takes as `callbacks`."""

_OWN = {
    "on_train_begin": ("model", "epochs", "steps"),
    "on_epoch_begin": ("model", "epoch"),
    "on_step": ("record",),
    "on_epoch_end": ("model", "epoch", "logs"),
    "on_train_end": ("model",),
}
"""The arguments of each method of a callback."""

_KERAS = {
    "on_train_begin": ("logs",),
    "on_epoch_begin": ("epoch", "logs"),
    "on_epoch_end": ("epoch", "logs"),
    "on_train_end": ("logs",),
}
"""The arguments of those that Keras calls too, as it calls them."""


def read_callbacks(callbacks: object) -> list[Callback]:
    """Returns `fit`'s callbacks, functions and those written as for Keras among them wrapped.

    Raises:
        ConfigurationError: something among them is no callback, or has a method that cannot be called.
    """
    if callbacks is None:
        return []
    entries = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    return [_read_callback(entry) for entry in entries]


def _read_callback(entry: Any) -> Callback:
    if isinstance(entry, type):
        raise ConfigurationError(f"callbacks: expected a callback, got the class; write {entry.__name__}()")
    if isinstance(entry, Callback):
        in_keras_words = {hook for hook in _OWN if _is_in_keras_words(entry, hook)}
        _check_hooks(entry)
        return InKerasWords(entry, in_keras_words) if in_keras_words else entry
    if any(hasattr(entry, hook) for hook in _OWN):
        raise ConfigurationError(
            f"callbacks: expected a statewise.Callback, got a {type(entry).__name__}; write class "
            f"{type(entry).__name__}(statewise.Callback)"
        )
    if not callable(entry):
        raise ConfigurationError(f"callbacks: expected callbacks or functions f(epoch, logs), got {entry!r}")
    if not _takes(entry, 2):
        name = getattr(entry, "__name__", type(entry).__name__)
        raise ConfigurationError(
            f"callbacks: expected functions f(epoch, logs), got {name}{inspect.signature(entry)}; write def "
            f"{name}(epoch, logs)"
        )
    return FunctionCallback(entry)


def _check_hooks(callback: Callback) -> None:
    """Raises ConfigurationError for a method that is called at a time that there is not."""
    for hook, answer in HOOKS.items():
        if hasattr(type(callback), hook):
            raise ConfigurationError(f"{type(callback).__name__}.{hook} would never be called: {answer.said()}")


def _is_in_keras_words(callback: Callback, hook: str) -> bool:
    """Returns whether a method is written for Keras's arguments, not for those that it has here.

    Raises:
        ConfigurationError: it is written for neither.
    """
    method, own, keras = getattr(callback, hook), _OWN[hook], _KERAS.get(hook)
    if getattr(method, "__func__", method) is getattr(Callback, hook):
        return False
    fits_keras = keras is not None and _takes(method, len(keras))
    if _takes(method, len(own)) and not (fits_keras and keras is not None and _first(method) == keras[0]):
        return False
    if fits_keras:
        return True
    kind, as_keras = type(callback).__name__, ""
    if keras is not None:
        as_keras = f", or as for Keras def {hook}(self, {', '.join([*keras[:-1], 'logs=None'])})"
    raise ConfigurationError(
        f"{kind}.{hook}{_described(method)} cannot be called: write def {hook}(self, {', '.join(own)}){as_keras}"
    )


def _takes(function: Callable[..., object], count: int) -> bool:
    """Returns whether a function can be called with so many arguments by position; True if nobody can tell."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # one of C
        return True
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _first(function: Callable[..., object]) -> str | None:
    return next(iter(inspect.signature(function).parameters), None)


def _described(method: Callable[..., object]) -> str:
    names = list(inspect.signature(method).parameters)
    return f"({', '.join(['self', *names])})"


class InKerasWords(Around):
    """A callback whose methods, or some of them, are written as for Keras."""

    def __init__(self, callback: Callback, hooks: set[str]) -> None:
        super().__init__(callback)
        self._hooks = hooks
        self._callback: Any = callback

    def on_train_begin(self, model: TrainedModel, epochs: range, steps: int | None) -> None:
        self._callback.model, self._callback.params = model, {"epochs": epochs.stop, "steps": steps}
        self._call("on_train_begin", (model, epochs, steps), ({},))

    def on_epoch_begin(self, model: TrainedModel, epoch: int) -> None:
        self._call("on_epoch_begin", (model, epoch), (epoch, {}))

    def on_epoch_end(self, model: TrainedModel, epoch: int, logs: dict[str, float]) -> bool | None:
        ended = self._call("on_epoch_end", (model, epoch, logs), (epoch, logs))
        return None if "on_epoch_end" in self._hooks else ended

    def on_train_end(self, model: TrainedModel) -> None:
        self._call("on_train_end", (model,), ({},))

    def _call(self, hook: str, own: tuple[object, ...], keras: tuple[object, ...]) -> Any:
        return getattr(self._callback, hook)(*(keras if hook in self._hooks else own))
