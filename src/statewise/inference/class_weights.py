"""Weights of classes, as weights of the rows or steps whose targets they are."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from statewise.data.batches import Samples
from statewise.data.ragged_rows import RaggedRows
from statewise.errors import ConfigurationError, ShapeError
from statewise.foundation.shapes import Array, is_number
from statewise.inference.rows import masked_answers
from statewise.network import Network


def check_class_weight(class_weight: object, target: str, outputs: int) -> Mapping[int, float]:
    """Returns `class_weight` if it weighs classes, and the loss has any.

    Raises:
        ConfigurationError: it is no dict of weights by class, names a class that there is not, or there are no classes.
    """
    if not isinstance(class_weight, Mapping) or not class_weight:
        raise ConfigurationError(
            f"class_weight: expected a dict such as {{0: 1.0, 1: 5.0}}, got {class_weight!r:.60}; weights of rows or "
            "steps go as sample_weight"
        )
    if target == "real" or (target == "binary" and outputs != 1):
        what = "several yes or no answers" if target == "binary" else "real numbers"
        raise ConfigurationError(
            f"class_weight: expected a loss of classes, such as 'sparse_categorical_crossentropy', got one of {what}; "
            "write sample_weight=, an array with a weight for each row or step"
        )
    count = 2 if target == "binary" else outputs
    for number, weight in class_weight.items():
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number < count:
            raise ConfigurationError(f"class_weight: expected classes 0 .. {count - 1}, got {number!r}")
        if not is_number(weight) or not 0 <= weight < math.inf:
            raise ConfigurationError(f"class_weight of {number}: expected a number >= 0, got {weight!r}")
    return class_weight


def weigh_classes(
    network: Network, rows: Samples | RaggedRows, target: str, class_weight: object
) -> Samples | RaggedRows:
    """Returns the rows with `class_weight` multiplied into their weights.

    Raises:
        ConfigurationError: `class_weight` does not fit, or has no weight for a class that counts.
    """
    weights = check_class_weight(class_weight, target, network.width)
    if isinstance(rows, Samples):
        masked = masked_answers(network, rows.x, rows.mask)
        return rows._replace(weight=_weights(rows.y, target, weights, masked, rows.weight))
    each_step = "y" in rows.by_step
    y = rows.by_step["y"] if each_step else rows.by_row["y"]
    masked = masked_answers(network, rows.by_step["x"][None], None) if each_step else None
    given = rows.by_row.get("weight")
    if each_step:
        given = rows.by_step.get("weight") if given is None else np.repeat(given, rows.lengths)
    weight = _weights(y, target, weights, None if masked is None else masked[0], given)
    by_row = {name: array for name, array in rows.by_row.items() if name != "weight"}
    if each_step:
        return RaggedRows(rows.lengths, {**rows.by_step, "weight": weight}, by_row)
    return RaggedRows(rows.lengths, rows.by_step, {**by_row, "weight": weight})


def _weights(
    y: Array, target: str, class_weight: Mapping[int, float], masked: Array | None, given: Array | None
) -> Array:
    """Returns a weight for each target of `y`: that of its class, times the `given` one, `[N]` or `[N, T]`."""
    classes = _classes(y, target)
    counts = np.ones(classes.shape, bool) if masked is None or masked.shape != classes.shape else ~masked
    if given is not None:
        given = given.reshape(given.shape + (1,) * (classes.ndim - given.ndim))
        counts = counts & (given != 0)
    if lacking := sorted(set(np.unique(classes[counts]).tolist()) - {int(number) for number in class_weight}):
        raise ConfigurationError(
            f"class_weight: expected a weight for each class of y, got none for class {lacking[0]}; write "
            f"{lacking[0]}: 1.0 to leave it as it is"
        )
    table = np.ones(max(int(classes.max()), *class_weight) + 1, np.float32)
    table[list(class_weight)] = list(class_weight.values())
    weights: Array = table[classes]
    return weights if given is None else weights * given


def _classes(y: Array, target: str) -> Array:
    """Returns the class of each target."""
    if target == "classes":
        return y
    hard = ((y == 0) | (y == 1)).all() and (target == "binary" or (y.sum(axis=-1) <= 1).all())
    if not hard:
        raise ShapeError(
            "class_weight: expected y of classes, 0 or 1 for each, got shares of several; write sample_weight=, an "
            "array with a weight for each row or step"
        )
    classes: Array = y[..., 0].astype(int) if target == "binary" else y.argmax(axis=-1)
    return classes
