"""Which Keras a script was written for: how it named metrics, and how it printed a line of training."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

_ACCURACY = ("acc", "accuracy")
_BAR = "[" + 30 * "=" + "]"


@dataclass(frozen=True)
class Dialect:
    """How one generation of Keras spoke.

    Args:
        name: "keras1", "keras2" (until 2.2) or "tf.keras" (and Keras from 2.3 on).
        as_written: names in the logs are those the user wrote; otherwise `acc` and the full names of the others.
        counts_steps: the bar counts batches, not samples.
        speed: the bar tells the time of a step.
    """

    name: str
    as_written: bool = False
    counts_steps: bool = False
    speed: bool = True

    def log_name(self, metric: str, spelled: str) -> str:
        """Returns the key in the logs of the metric `metric` that the user wrote as `spelled`.

        >>> KERAS2.log_name("accuracy", "accuracy"), KERAS2.log_name("mean_squared_error", "mse")
        ('acc', 'mean_squared_error')
        >>> TF_KERAS.log_name("mean_squared_error", "mse")
        'mse'
        """
        if self.as_written:
            return spelled
        return "acc" if spelled in _ACCURACY or metric in _ACCURACY else metric

    def epoch_line(self, epoch_seconds: float, steps: int, logs: Mapping[str, float]) -> str:
        """Returns the line of `verbose=2` after an epoch of `steps` batches.

        >>> KERAS2.epoch_line(0.01, 5, {"loss": 0.693, "acc": 0.5})
        ' - 0s - loss: 0.6930 - acc: 0.5000'
        >>> TF_KERAS.epoch_line(0.01, 5, {"loss": 0.693})
        '5/5 - 0s - loss: 0.6930 - 10ms/epoch - 2ms/step'
        """
        time = f"{epoch_seconds:.0f}s"
        if self.name == "keras1":
            return f"{time}{_values(logs)}"
        if self.name == "keras2":
            return f" - {time}{_values(logs)}"
        speeds = f"{_duration(epoch_seconds)}/epoch - {_duration(epoch_seconds / steps)}/step"
        return f"{steps}/{steps} - {time}{_values(logs)} - {speeds}"

    def bar_line(self, epoch_seconds: float, steps: int, samples: int, logs: Mapping[str, float]) -> str:
        """Returns the full bar of `verbose=1` after an epoch of `steps` batches with `samples` rows in all.

        >>> KERAS2.bar_line(0.256, 4, 128, {"loss": 0.693})
        '128/128 [==============================] - 0s 2ms/step - loss: 0.6930'
        """
        total = steps if self.counts_steps else samples
        speed = f" {_duration(epoch_seconds / total)}/step" if self.speed else ""
        return f"{total}/{total} {_BAR} - {epoch_seconds:.0f}s{speed}{_values(logs)}"


KERAS1 = Dialect("keras1", speed=False)
KERAS2 = Dialect("keras2")
TF_KERAS = Dialect("tf.keras", as_written=True, counts_steps=True)

_current = TF_KERAS


def current() -> Dialect:
    """Returns the dialect in use: that of the script that runs, `tf.keras`'s outside of one."""
    return _current


@contextmanager
def use(dialect: Dialect) -> Iterator[None]:
    """Returns a context in which `current()` is `dialect`."""
    global _current  # noqa: PLW0603 - one script runs at a time
    before, _current = _current, dialect
    try:
        yield
    finally:
        _current = before


def read_dialect(source: str) -> Dialect:
    """Returns the dialect that a script's imports and words are of.

    >>> read_dialect("from tensorflow.keras.layers import LSTM").name
    'tf.keras'
    >>> read_dialect("model.fit(x, y, nb_epoch=10)").name
    'keras1'
    >>> read_dialect("from keras.layers import LSTM").name
    'keras2'

    Raises:
        SyntaxError: `source` is not Python 3.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are shown when the script is compiled to run
        nodes = list(ast.walk(ast.parse(source)))
    if any(_is_keras1(node) for node in nodes):
        return KERAS1
    if any(_is_tf_keras(node) for node in nodes):
        return TF_KERAS
    return KERAS2 if any("keras" in name.split(".") for node in nodes for name in _imported(node)) else TF_KERAS


_KERAS1_WORDS = {
    *("nb_epoch", "samples_per_epoch", "nb_val_samples", "val_samples", "nb_worker", "show_accuracy", "consume_less"),
    *("inner_init", "inner_activation", "forget_bias_init", "dropout_W", "dropout_U", "W_constraint", "b_constraint"),
    *("W_regularizer", "U_regularizer", "b_regularizer"),
}
_KERAS1_MODULES = ("keras.initializations", "keras.objectives")
_LAYERS = ("Dense", "LSTM", "GRU", "SimpleRNN", "TimeDistributedDense")


def _is_keras1(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        words = {keyword.arg for keyword in node.keywords}
        return bool(words & _KERAS1_WORDS) or (_called(node) in _LAYERS and bool(words & {"output_dim", "init"}))
    return any(name.startswith(_KERAS1_MODULES) or name.endswith(".TimeDistributedDense") for name in _imported(node))


def _called(call: ast.Call) -> str:
    """Returns the last word of what is called: LSTM for `keras.layers.LSTM(...)`."""
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def _is_tf_keras(node: ast.AST) -> bool:
    """Returns whether a node is an import of tf.keras, `tf.keras`, or a key as Keras spelled it from 2.3 on."""
    if isinstance(node, ast.Attribute):
        return node.attr == "keras"
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value == "accuracy"
    if isinstance(node, ast.Constant):
        return node.value == "val_accuracy"
    roots = ("tensorflow.keras", "tensorflow.python.keras", "tensorflow.contrib.keras", "tf_keras")
    return any(f"{name}.".startswith(f"{root}.") for name in _imported(node) for root in roots)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def _values(logs: Mapping[str, float]) -> str:
    return "".join(f" - {name}: {_number(float(value))}" for name, value in logs.items())


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def _duration(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"
