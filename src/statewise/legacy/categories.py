"""keras.utils.np_utils: classes as rows of ones and zeros and back, and rows of norm one."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from statewise.errors import DataError, StatewiseWarning
from statewise.foundation.shapes import Array
from statewise.legacy.spellings import note


def to_categorical(
    y: Any, num_classes: int | None = None, dtype: Any = "float32", *, nb_classes: int | None = None
) -> Array:
    """Returns the classes `[...]` or `[..., 1]` as rows `[..., V]`: 1 at the class, 0 elsewhere.

    Args:
        y: class numbers, from 0.
        num_classes: V; by default the highest class plus one.
        dtype: type of the rows.
        nb_classes: what Keras 1 called `num_classes`.

    Raises:
        DataError: no classes, something other than numbers, or a class beyond `num_classes`.

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    note(
        "to_categorical(y)",
        "model.compile(..., loss='sparse_categorical_crossentropy')  # takes the class numbers themselves",
    )
    if nb_classes is not None:
        note("nb_classes=", "leave it out: the last layer's units are the classes")
        num_classes = nb_classes
    classes = _as_classes(y)
    count = int(num_classes or max(1, classes.max() + 1))
    _check_range(classes, count)
    rows = np.zeros((classes.size, count), dtype)
    rows[np.arange(classes.size), classes.ravel()] = 1
    shape = classes.shape[:-1] if classes.ndim > 1 and classes.shape[-1] == 1 else classes.shape
    return rows.reshape(*shape, count)


def _as_classes(y: Any) -> Array:
    try:
        found = np.array(y)
        with np.errstate(invalid="raise"):
            classes = found.astype(int)
    except (TypeError, ValueError, FloatingPointError) as error:
        raise DataError(f"y: expected class numbers from 0, but {error}; number the classes first") from None
    if classes.size == 0:
        raise DataError("y: expected at least one class number, got none")
    if found.dtype.kind == "f" and (found != classes).any():
        warnings.warn(
            "to_categorical drops digits after the decimal point: pass whole class numbers",
            StatewiseWarning,
            stacklevel=3,
        )
    return classes


def _check_range(classes: Array, count: int) -> None:
    least, most = classes.min(), classes.max()
    if most >= count or least < -count:
        raise DataError(
            f"y: expected classes from 0 to {count - 1}, got {least} to {most}; number them from 0, or pass a larger "
            "num_classes"
        )
    if least < 0:
        warnings.warn(
            f"to_categorical counts class {least} from the end: number the classes from 0",
            StatewiseWarning,
            stacklevel=3,
        )


def normalize(x: Any, axis: int = -1, order: Any = 2) -> Array:
    """Returns `x` with norm one along `axis`; what is zero there stays zero.

    >>> normalize([[3.0, 4.0], [0.0, 0.0]]).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    norm[norm == 0] = 1
    return np.asarray(x / np.expand_dims(norm, axis))


def probas_to_classes(y_pred: Any) -> Array:
    """Returns the most likely class `[B]` of probabilities `[B, V]`; of `[B]` or `[B, 1]`, 1 where above one half."""
    probabilities = np.asarray(y_pred)
    if probabilities.ndim > 1 and probabilities.shape[1] > 1:
        return categorical_probas_to_classes(probabilities)
    note("probas_to_classes(p)", "(model.predict(x)[:, 0] > 0.5).astype(int)  # for one probability a row")
    return (probabilities.reshape(len(probabilities)) > 0.5).astype(int)


def categorical_probas_to_classes(p: Any) -> Array:
    """Returns the most likely class `[B]` of probabilities `[B, V]`."""
    note("categorical_probas_to_classes(p)", "model.predict(x).argmax(axis=1)")
    return np.asarray(p).argmax(axis=1)
